"""Every refusal of a layer's arguments, inputs and weights, with its numbers in order."""

import numpy as np
import pytest
from refusal import pattern

from fastconv import layers

AXES = "must be a positive int or 2 of them, one per spatial axis"
PADS = "an int, or one int or (before, after) pair for each of"
ZEROS = "`padding` must be an int of at least 0, or one such int or (before, after) pair for each of"
NAMES = "zeros, ones, glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal"
DTYPES = "`dtype` must be one of float16, float32, float64"


def refuses(error, text, call, *args, **options):
    """Check that a call is refused in one sentence: the layer's class, then what `text` says."""
    with pytest.raises(error, match=f"^{pattern(text)}$") as caught:
        call(*args, **options)
    assert "\n" not in str(caught.value)


VALUES = [
    ("Conv2D", (0, 3), {}, "`filters` must be a positive int; got 0"),
    ("Conv3D", (4, 3), {"groups": -2}, "`groups` must be a positive int; got -2"),
    ("Conv2D", (4, 3), {"groups": 3}, "`filters` must be a multiple of `groups`; got 4 and 3"),
    ("Conv2D", (4, (3, 0)), {}, f"`kernel_size` {AXES}; got (3, 0)"),
    ("SeparableConv2D", (4, 3, (1, 2, 3)), {}, f"`strides` {AXES}; got (1, 2, 3)"),
    ("DepthwiseConv2D", (3, 1, "same", 0), {}, "`depth_multiplier` must be a positive int; got 0"),
    ("SeparableConv1D", (0, 3), {}, "`filters` must be a positive int; got 0"),
    ("SeparableConv1D", (2, 3), {"depth_multiplier": -1}, "`depth_multiplier` ... positive int; got -1"),
    ("Conv1DTranspose", (0, 3), {}, "`filters` must be a positive int; got 0"),
    (
        "Conv2DTranspose",
        (4, 3),
        {"output_padding": -1},
        "`output_padding` must be an int of at least 0 ... -1",
    ),
    ("Conv2D", (4, 3, 1, "causal"), {}, f"`padding` must be one of ..., {PADS} 2 spatial axes; got 'causal'"),
    ("DepthwiseConv1D", (3, 1, "causal"), {}, f"`padding` must ..., {PADS} 1 spatial axes; got 'causal'"),
    ("Conv1DTranspose", (3, 1, 1, "causal"), {}, f"`padding` must ..., {PADS} 1 spatial axes; got 'causal'"),
    ("MaxPooling1D", (2, 1, "full"), {}, f"`padding` must be one of ..., {PADS} 1 spatial axes; got 'full'"),
    ("MaxPooling2D", (0,), {}, f"`pool_size` {AXES}; got 0"),
    ("AveragePooling2D", (2, 0), {}, f"`strides` {AXES}; got 0"),
    ("AdaptiveMaxPooling2D", ((0, 1),), {}, f"`output_size` {AXES}; got (0, 1)"),
    ("Conv2D", (4, 3, 1, "same", "NHWC"), {}, "`data_format` must be 'channels_last' or ...; got 'NHWC'"),
    ("Flatten", ("NCHW",), {}, "`data_format` must be 'channels_last' or 'channels_first'; got 'NCHW'"),
    ("Conv2D", (4, 3), {"activation": "lrelu"}, "`activation` must be None, a callable or one ... 'lrelu'"),
    ("Activation", (7,), {}, "`activation` must be None, a callable or one of linear, relu, ...; got 7"),
    ("Dense", (2, {"class_name": "ReLU"}), {}, "`activation` must be None, ...; got {'class_name': 'ReLU'}"),
    ("Dense", (0,), {}, "`units` must be a positive int; got 0"),
    (
        *("Dense", (2,), {"kernel_initializer": "orthogonal"}),
        f"`kernel_initializer` must be an array, ..., or one of {NAMES}; got 'orthogonal'",
    ),
    ("Conv2D", (2, 2), {"bias_initializer": "one"}, f"`bias_initializer` must ... one of {NAMES}; got 'one'"),
    ("Conv2D", (4, 3), {"dtype": "int32"}, f"{DTYPES}; got 'int32'"),
    ("Conv2D", (4, 3), {"input_shape": (28, -1)}, "`input_shape` must be a ..., none negative; got [28, -1]"),
    ("InputLayer", (), {}, "either `shape` or `batch_shape` must be given; got None and None"),
    ("InputLayer", ((3,),), {"batch_shape": (1, 3)}, "either `shape` or ...; got (3,) and (1, 3)"),
    ("ZeroPadding2D", ((1, -2),), {}, f"{ZEROS} 2 spatial axes; got (1, -2)"),
    ("ZeroPadding3D", ((1, 2),), {}, f"{ZEROS} 3 spatial axes; got (1, 2)"),
]
TYPES = [
    ("Conv2D", (2.5, 3), {}, "`filters` must be a positive int; got 2.5"),
    ("Conv1D", (True, 3), {}, "`filters` must be a positive int; got True"),
    ("Conv2D", (4, 3), {"dilation_rate": 1.5}, f"`dilation_rate` {AXES}; got 1.5"),
    ("AveragePooling2D", (2, 1, None), {}, f"`padding` must be ... {PADS} 2 spatial axes; got None"),
    ("Flatten", (), {"dtype": "mixed_float16"}, f"{DTYPES}; got 'mixed_float16'"),
    ("Conv2D", (4, 3), {"stride": 2}, "got an unknown argument 'stride'"),
    ("BatchNormalization", ([3],), {}, "`axis` must be an int; got [3]"),
    ("Conv2D", (4, 3), {"input_shape": 28}, "`input_shape` must be a sequence of ...; got 28"),
    ("ZeroPadding1D", ("same",), {}, f"{ZEROS} 1 spatial axes; got 'same'"),
]
ARGUMENTS = [(ValueError, *row) for row in VALUES] + [(TypeError, *row) for row in TYPES]


@pytest.mark.parametrize(("error", "kind", "args", "options", "text"), ARGUMENTS)
def test_arguments(error, kind, args, options, text):
    refuses(error, f"{kind}: {text}", getattr(layers, kind), *args, **options)


SPATIAL = [
    layers.Conv2D(3, 2),
    layers.MaxPooling2D(),
    layers.GlobalAveragePooling2D(),
    layers.AdaptiveMaxPooling2D(2),
    layers.ZeroPadding2D(),
]


@pytest.mark.parametrize("layer", SPATIAL, ids=str)
def test_rank(layer):
    rule = "must have 4 axes, for a batch, 2 dimensions of space, and channels"
    text = f"{type(layer).__name__}: `inputs` {rule}; got shape (8, 8, 3)"

    refuses(ValueError, text, layer, np.ones((8, 8, 3)))
    refuses(ValueError, text, layer.compute_output_shape, (8, 8, 3))


INPUTS = [
    (TypeError, layers.Conv2D(3, 2), np.ones((1, 8, 8, 3), complex), "hold real numbers; got complex128"),
    (
        TypeError,
        layers.Flatten(),
        np.array([["a"]]),
        "hold bools, integers, ...; got dtype <U1 (inputs (1, 1))",
    ),
    (ValueError, layers.Flatten(), np.ones(()), "have a batch axis; got shape ()"),
    (ValueError, layers.Dense(2), np.ones(3), "have a batch and a channel axis; got shape (3,)"),
    (
        ValueError,
        layers.GlobalMaxPooling1D(),
        np.ones((1, 0, 3)),
        "not be empty but for ...; got inputs (1, 0, 3)",
    ),
    (
        ValueError,
        layers.AdaptiveMaxPooling1D(2),
        np.ones((1, 0, 3)),
        "not be empty ...; got inputs (1, 0, 3)",
    ),
]


@pytest.mark.parametrize(("error", "layer", "x", "text"), INPUTS, ids=[str(row[1]) for row in INPUTS])
def test_inputs(error, layer, x, text):
    refuses(error, f"...: `inputs` must {text}", layer, x)


FIT = "must fit in the padded `inputs` on every axis; got a window of extent"


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (
            layers.Conv2D(3, (9, 2)),
            f"Conv2D: `kernel` {FIT} (9, 2) over (8, 7) ... (inputs (1, 8, 7, 3), ...",
        ),
        (layers.SeparableConv2D(3, (2, 9)), f"SeparableConv2D: `kernel` {FIT} (2, 9) over (8, 7) ..."),
        (layers.DepthwiseConv2D(5, 1, dilation_rate=2), f"DepthwiseConv2D: `kernel` {FIT} (9, 9) over ..."),
        (layers.MaxPooling2D(8), f"MaxPooling2D: `pool_size` {FIT} (8, 8) over (8, 7) ..."),
    ],
    ids=str,
)
def test_windows_that_do_not_fit(layer, text):
    refuses(ValueError, text, layer, np.ones((1, 8, 7, 3)))
    refuses(ValueError, text, layer.compute_output_shape, (None, 8, 7, 3))


def test_groups():
    layer = layers.Conv2D(4, 2, groups=2)
    text = "Conv2D: the channels of `inputs` must be a multiple of `groups`; got 5 and 2"

    refuses(ValueError, text, layer, np.ones((1, 8, 8, 5)))


@pytest.mark.parametrize(
    ("layer", "wrong", "weights"),
    [
        (layers.Conv2D(4, 2), (1, 8, 8, 6), "(2, 2, 3, 4), (4,)"),
        (layers.DepthwiseConv2D(2), (1, 8, 8, 6), "(2, 2, 3, 1), (3,)"),
        (layers.Dense(2), (1, 6), "(3, 2), (2,)"),
        (layers.BatchNormalization(), (1, 1), "(3,), (3,), (3,), (3,)"),
    ],
    ids=str,
)
def test_channels_stay(layer, wrong, weights):
    layer.build((*wrong[:-1], 3))
    rule = f"`inputs` must have the channels that {layer.name!r} was built for"
    text = f"{type(layer).__name__}: {rule}; got {wrong} (weights {weights})"

    refuses(ValueError, text, layer, np.ones(wrong))
    refuses(ValueError, text, layer.build, wrong)


@pytest.mark.parametrize(
    ("layer", "shape", "axis"),
    [
        (layers.Conv2D(4, 2), (None, 8, 8, None), 3),
        (layers.Conv1D(4, 2, data_format="channels_first"), (2, None, 8), 1),
        (layers.Dense(4), (2, None), -1),
        (layers.BatchNormalization(3), (2, 5, 4), 3),
    ],
    ids=str,
)
def test_unknown_channels(layer, shape, axis):
    rule = f"`input_shape` must have a known size of axis {axis}"

    refuses(ValueError, f"{type(layer).__name__}: {rule}; got {shape}", layer.build, shape)


def test_weights_before_they_are_made():
    rule = "'head' must be called, or built with `build(input_shape)`, before its weights are asked for"
    layer = layers.Dense(2, name="head")

    refuses(ValueError, f"Dense: {rule}", layer.get_weights)
    refuses(ValueError, f"Dense: {rule}", layer.set_weights, [])
    refuses(ValueError, f"Dense: {rule}", layer.count_params)


def test_weights_that_do_not_fit():
    layer = layers.Conv1D(4, 2, input_shape=(None, 3))
    rule = "Conv1D: `weights` must be 2 arrays of shapes [(2, 3, 4), (4,)]"
    right = [np.ones((2, 3, 4)), np.ones(4)]

    refuses(
        ValueError,
        f"{rule}; got 2 of shapes [(2, 3, 5), (4,)]",
        layer.set_weights,
        [np.ones((2, 3, 5)), right[1]],
    )
    refuses(ValueError, f"{rule}; got 1 of shapes [(2, 3, 4)]", layer.set_weights, right[:1])
    refuses(TypeError, "Conv1D: `weights` must hold real ...", layer.set_weights, [right[0] * 1j, right[1]])


def test_initializers_that_do_not_fit():
    turned = layers.Dense(2, kernel_initializer=np.ones((2, 3)))
    imaginary = layers.Dense(2, bias_initializer=np.ones(2, complex))

    refuses(
        ValueError, "Dense: `kernel_initializer` must give the shape (3, 2); got (2, 3)", turned, [[1, 2, 3]]
    )
    refuses(
        TypeError,
        "Dense: `bias_initializer` must give real numbers; got complex128 of shape (2,)",
        imaginary,
        [[1, 2, 3]],
    )


@pytest.mark.parametrize("make", [layers.Activation, lambda fn: layers.Dense(3, fn)])
def test_activations_keep_the_shape(make):
    layer = make(np.ravel)
    rule = "`activation` must keep shape (2, 3) and kind of float32"

    refuses(ValueError, f"{type(layer).__name__}: {rule}; got (6,) of float32", layer, np.ones((2, 3)))


def test_what_matters_only_to_training_is_ignored():
    layer = layers.Conv2D(4, 2, kernel_regularizer="l2", bias_constraint=None, trainable=False, autocast=True)

    assert layer(np.ones((1, 8, 8, 3))).shape == (1, 7, 7, 4)
