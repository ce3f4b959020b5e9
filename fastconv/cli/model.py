"""The demo's model: filters chosen by hand, so that a person can see what each layer does.

A photograph goes through a depthwise convolution (every colour blurred, and sharpened), a convolution
(edges and outlines of that), and then the two layers of the article this library grew from: a
convolution of 4 filters of 2 x 2 x 3 with strides of 2, and max pooling of 2 x 2.
"""

from __future__ import annotations

import numpy as np

from fastconv.layers import Conv2D, DepthwiseConv2D, MaxPooling2D, Sequential

LIGHT = np.array([0.299, 0.587, 0.114])  # how much red, green and blue count in brightness
SIZE, SIGMA = 7, 1.8  # of the blur, in pixels
AMOUNT = 0.8  # of what the blur takes away, how much sharpening adds
GAIN = 2.0  # brings outlines to about the range of edges
FLOORS = 0.03, 0.03, 0.03, 0.05  # responses of the article's filters weaker than this are noise


def build() -> Sequential:
    """Return the model, for float32 inputs (n, h, w, 3) from 0 to 1."""
    kernels, biases = article()
    return Sequential(
        [
            DepthwiseConv2D(
                SIZE,
                depth_multiplier=2,
                use_bias=False,
                depthwise_initializer=blur_and_sharpen(),
                name="blur, sharpen",
            ),
            Conv2D(3, 3, use_bias=False, kernel_initializer=edges(), name="edges"),
            Conv2D(
                4,
                2,
                strides=2,
                activation="relu",
                kernel_initializer=kernels,
                bias_initializer=biases,
                name="the article's conv",
            ),
            MaxPooling2D(2, strides=2, name="the article's pool"),
        ]
    )


def blur_and_sharpen() -> np.ndarray:
    """Return two filters for each of three colours, (7, 7, 3, 2)."""
    line = np.exp(-0.5 * (np.arange(SIZE) - SIZE // 2) ** 2 / SIGMA**2)
    blur = np.outer(line, line) / line.sum() ** 2
    sharpen = -AMOUNT * blur
    sharpen[SIZE // 2, SIZE // 2] += 1 + AMOUNT
    return np.repeat(np.stack([blur, sharpen], -1)[:, :, None], 3, axis=2)


def edges() -> np.ndarray:
    """Return three filters over the blurred and the sharpened colours, (3, 3, 6, 3).

    Horizontal edges and vertical edges are Sobel's, of the blurred brightness; outlines are what
    sharp and blurred brightness differ by.
    """
    smooth, slope = np.array([1, 2, 1]) / 4, np.array([-1, 0, 1])
    filters = np.zeros((3, 3, 3, 2, 3))  # row, column, colour, (blurred, sharpened), filter
    filters[..., 0, 0] = np.multiply.outer(np.outer(slope, smooth), LIGHT)
    filters[..., 0, 1] = np.multiply.outer(np.outer(smooth, slope), LIGHT)
    filters[1, 1, :, :, 2] = np.outer(LIGHT, [-1, 1]) * GAIN / (1 + AMOUNT)
    return filters.reshape(3, 3, 6, 3)


def article() -> tuple[np.ndarray, np.ndarray]:
    """Return four filters over the three maps of edges, (2, 2, 3, 4), and their biases, (4,).

    Each takes the mean of one map over 2 x 2 pixels: lighter below, darker below, lighter to the
    right, and dark outlines.
    """
    filters = np.zeros((2, 2, 3, 4))
    for f, (channel, sign) in enumerate([(0, 1), (0, -1), (1, 1), (2, -1)]):
        filters[:, :, channel, f] = sign / 4
    return filters, -np.array(FLOORS)
