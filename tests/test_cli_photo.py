"""The photographs that ``demo`` takes, and those it refuses."""

import re

import numpy as np
import pytest
from photographs import needs_demo, noise, written

from fastconv.__main__ import main
from fastconv.cli import model, photo

pytestmark = needs_demo


def refused(capsys, *arguments):
    """Run a command that must end with one sentence and exit code 2; return the sentence."""
    assert main(["demo", *map(str, arguments)]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert err.startswith("fastconv demo: ")
    return err


def test_a_missing_photograph_is_refused(tmp_path, capsys):
    assert "got " + str(tmp_path / "no.jpg") in refused(capsys, tmp_path / "no.jpg")


@pytest.mark.parametrize(
    "content",
    [b"", b"words", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(40)],
    ids=["empty", "text", "png", "gif"],
)
def test_a_file_that_is_no_image_is_refused(content, tmp_path, capsys):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    assert "PHOTO must be an image file; got " in refused(capsys, path)


def test_half_an_image_is_refused(tmp_path, capsys):
    path = written(tmp_path, noise(64, 64, 3), "photo.jpg")
    path.write_bytes(path.read_bytes()[:2000])
    assert "PHOTO must be an image file; got " in refused(capsys, path)


def test_a_folder_is_refused(tmp_path, capsys):
    assert "PHOTO must be an image file; got " in refused(capsys, tmp_path)


@pytest.mark.parametrize(("shape", "least"), [((31, 80, 3), 32), ((80, 31, 3), 32), ((90, 2100, 3), 96)])
def test_a_small_photograph_is_refused(tmp_path, shape, least, capsys):
    words = f"at least {least} pixels on each side; got .* with {shape[1]} x {shape[0]}$"
    assert re.search(words, refused(capsys, written(tmp_path, noise(*shape))))


BLOCKS = np.zeros((40, 48), np.uint8)
BLOCKS[:20], BLOCKS[:, 24:] = 255, 51  # light above left, and 1/5 on the right


def modes():
    """Images of one content in every mode that a PNG or TIFF may have, and the grey values there."""
    from PIL import Image

    grey = Image.fromarray(BLOCKS)
    clear = Image.fromarray(np.stack([BLOCKS, np.full_like(BLOCKS, 255)], -1), "LA")
    wide = Image.fromarray(BLOCKS.astype(np.uint16) * 257)
    return {
        "L": grey,
        "LA": clear,
        "RGB": grey.convert("RGB"),
        "RGBA": clear.convert("RGBA"),
        "P": grey.convert("P"),
        "I;16": wide,
        "I": wide.convert("I"),
        "F": grey.convert("F"),
        "CMYK": grey.convert("RGB").convert("CMYK"),
    }


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16", "I", "F", "CMYK"])
def test_every_mode_reads_alike(tmp_path, mode):
    image = modes()[mode]
    assert image.mode == mode
    pixels = photo.read(written(tmp_path, image, "photo.tif"), 1024).pixels
    assert pixels.dtype == np.float32
    expected = np.repeat(BLOCKS[None, ..., None] / np.float32(255), 3, axis=-1)
    np.testing.assert_allclose(pixels, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "dtype"), [([-3.0, 1.0, np.nan], np.float32), ([-30_000, 10_000, 0], np.int32)]
)
def test_values_of_an_unknown_range_are_stretched_to_it(tmp_path, values, dtype):
    pixels = photo.read(
        written(tmp_path, np.resize(np.array(values, dtype), (32, 33)), "photo.tif"), 1024
    ).pixels
    np.testing.assert_allclose(pixels[0, :, :3, 0], [[0, 1, 0.75]] * 32, rtol=0, atol=1e-6)


def test_a_bilevel_image_reads(tmp_path):
    from PIL import Image

    pixels = photo.read(
        written(tmp_path, Image.fromarray(BLOCKS).convert("1", dither=Image.Dither.NONE)), 1024
    ).pixels
    np.testing.assert_array_equal(pixels[0, ..., 0], BLOCKS > 127)


def test_transparency_shows_white(tmp_path):
    rgba = np.zeros((32, 32, 4), np.uint8)
    rgba[:, :16, 3], rgba[:, 16:, 3] = 255, 51
    pixels = photo.read(written(tmp_path, rgba), 1024).pixels
    np.testing.assert_array_equal(pixels[:, :, :16], 0)
    np.testing.assert_allclose(pixels[:, :, 16:], 0.8, rtol=0, atol=1e-6)


def test_a_photograph_stands_as_the_camera_was_held(tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter, clockwise
    pixels = photo.read(
        written(tmp_path, Image.fromarray(BLOCKS), "photo.jpg", exif=exif, quality=100), 1024
    ).pixels
    assert pixels.shape == (1, 48, 40, 3)
    np.testing.assert_allclose(pixels[0, ..., 0], np.rot90(BLOCKS, -1) / 255, rtol=0, atol=0.02)


def test_a_large_photograph_is_averaged_over_blocks(tmp_path):
    pixels = noise(96, 130, 3)
    small, divisor = photo.read(written(tmp_path, pixels), 64)
    assert divisor == 3
    expected = pixels[:96, :129].reshape(32, 3, 43, 3, 3).mean(axis=(1, 3)) / 255
    np.testing.assert_allclose(small[0], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(600, 512), (512, 600), (1024, 32), (32, 1024), (32, 33)])
def test_the_part_has_the_proportions_of_the_whole(shape):
    down, across = photo.detail(np.zeros((1, *shape, 3), np.float32))
    height, width = down.stop - down.start, across.stop - across.start
    assert down.start >= 0
    assert down.stop <= shape[0]
    assert across.start >= 0
    assert across.stop <= shape[1]
    assert height * width <= photo.DETAIL**2 * 1.02
    assert height / width == pytest.approx(shape[0] / shape[1], rel=0.05)
    assert min(model.build().compute_output_shape((1, height, width, 3))) >= 1
