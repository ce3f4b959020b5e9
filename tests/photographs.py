"""Photographs for tests of the command line, and what these need installed."""

import importlib.util
import os

import numpy as np
import pytest

# Where extras are required a missing one must fail: then nothing is skipped, and the import does.
needs_demo = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None and os.environ.get("FASTCONV_REQUIRE_PARITY") != "1",
    reason="matplotlib is not installed; it comes with the extra `demo`",
)


def noise(*shape):
    """Pixels of all values, the same in every run."""
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def written(folder, pixels, name="photo.png", **options):
    """Write an array or a Pillow image to a file in a folder, and return its path."""
    from PIL import Image

    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(folder / name, **options)
    return folder / name
