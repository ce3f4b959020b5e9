"""The command ``demo``: what it needs of the extra `demo`, photographs of every kind, the picture."""

import importlib
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from fastconv import dispatch
from fastconv.__main__ import main
from fastconv.cli import model, photo, picture

REQUIRED = os.environ.get("FASTCONV_REQUIRE_PARITY") == "1"


@pytest.fixture(scope="module", autouse=True)
def _extra():
    """Skip without the extra `demo`, saying so, or fail where extras are required."""
    try:
        importlib.import_module("matplotlib")
    except ImportError as error:
        reason = f"matplotlib cannot be imported ({error}); it comes with the extra `demo`"
        (pytest.fail if REQUIRED else pytest.skip)(reason)


@pytest.fixture
def file_of(tmp_path):
    """Write an array or a Pillow image to a file, and return its path."""
    from PIL import Image

    def write(pixels, name="photo.png", **options):
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return write


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def refused(capsys, *arguments):
    """Run a command that must end with one sentence and exit code 2; return the sentence."""
    assert main(["demo", *map(str, arguments)]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert err.startswith("fastconv demo: ")
    return err


def png(path):
    from matplotlib.image import imread

    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    return imread(path)


def test_prints_a_table_and_saves_a_picture(file_of, tmp_path, capsys):
    saved = tmp_path / "demo.png"
    assert main(["demo", str(file_of(noise(64, 80, 3))), "--save", str(saved)]) == 0
    out, err = capsys.readouterr()

    assert re.search(r"^photograph: .*photo\.png, 64x80x3$", out, re.M)
    assert re.search(rf"^picture: {re.escape(str(saved))}$", out, re.M)
    shapes = ["1x64x80x3", "1x58x74x6", "1x56x72x3", "1x28x36x4", "1x14x18x4"]
    parameters = [7 * 7 * 3 * 2, 3 * 3 * 6 * 3, 2 * 2 * 3 * 4 + 4, 0]
    kernels = "|".join(row.name for row in dispatch.table())
    for before, after, count in zip(shapes[:-1], shapes[1:], parameters, strict=True):
        line = rf"^\w.* {before} +{after} +{count} +({kernels}) +[\d.]+ +\d+ +[\d.]+e[+-]\d+$"
        assert re.search(line, out, re.M), (before, after)
    assert err.splitlines()[0] == "[1/9] the whole model, once"
    assert err.splitlines()[-1].startswith("[9/9] ")
    height, width, _ = png(saved).shape
    assert 800 < width < 1200
    assert 800 < height < 1800


def test_every_panel_of_the_picture_shows_something(file_of, tmp_path, monkeypatch):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figures = []
    real = picture.draw
    monkeypatch.setattr(picture, "draw", lambda *args: figures.append(real(*args)) or figures[0])
    path = file_of(np.kron(noise(8, 11), np.ones((6, 6), np.uint8)))  # grey squares, edges all over

    assert main(["demo", str(path), "--save", str(tmp_path / "demo.png")]) == 0

    (figure,) = figures
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].astype(float)
    assert len(figure.axes) == 16
    for axes in figure.axes:
        box = axes.get_window_extent()
        top, bottom = len(pixels) - box.y1, len(pixels) - box.y0
        inside = pixels[int(top) + 8 : int(bottom) - 8, int(box.x0) + 8 : int(box.x1) - 8]
        assert inside.size
        assert inside.std() > 5


def test_a_photograph_of_nothing_is_a_photograph(file_of, tmp_path):
    saved = tmp_path / "demo.png"
    assert main(["demo", str(file_of(np.full((32, 33), 90, np.uint8))), "--save", str(saved)]) == 0
    assert png(saved).size


def test_a_large_photograph_is_said_to_be_made_smaller(file_of, tmp_path, capsys):
    path = file_of(noise(64, 1030, 3))
    assert main(["demo", str(path), "--save", str(tmp_path / "demo.png")]) == 0
    assert re.search(r"photo\.png, 32x515x3, its sides divided by 2$", capsys.readouterr().out, re.M)


def test_runs_in_a_process_of_its_own_on_the_photograph_of_matplotlib(tmp_path):
    command = [sys.executable, "-m", "fastconv", "demo"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )  # no arguments: every default
    assert done.returncode == 0, done.stderr
    assert "grace_hopper.jpg, 600x512x3" in done.stdout
    png(tmp_path / "fastconv-demo.png")


@pytest.mark.parametrize("backend", ["naive", "einsum"])
def test_a_named_backend_computes_every_layer(backend, file_of, tmp_path, capsys):
    path = file_of(noise(34, 32, 3))
    assert main(["demo", str(path), "--save", str(tmp_path / "demo.png"), "--backend", backend]) == 0
    assert len(re.findall(rf" {backend}:\w+ ", capsys.readouterr().out)) == 4


def test_the_environments_backend_counts_and_the_option_goes_first(file_of, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FASTCONV_BACKEND", "naive")
    arguments = ["demo", str(file_of(noise(32, 32, 3))), "--save", str(tmp_path / "demo.png")]
    assert main(arguments) == 0
    assert len(re.findall(r" naive:\w+ ", capsys.readouterr().out)) == 4
    assert main([*arguments, "--backend", "einsum"]) == 0
    assert len(re.findall(r" einsum:\w+ ", capsys.readouterr().out)) == 4


def test_an_unknown_backend_is_refused_with_the_names_of_all(capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["demo", "--backend", "cuda"])
    err = capsys.readouterr().err
    assert "argument --backend: invalid choice: 'cuda' (choose from auto, naive, einsum" in err
    assert all(row.name in err for row in dispatch.table())


def test_an_unknown_backend_in_the_environment_is_refused(capsys, monkeypatch):
    monkeypatch.setenv("FASTCONV_BACKEND", "cuda")
    assert "got 'cuda'" in refused(capsys)


def test_a_photograph_may_have_any_name_and_the_environment_any_kernel(
    file_of, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("FASTCONV_BACKEND", "einsum:depthwise")
    arguments = file_of(noise(32, 32, 3), "$a_{$ \\frac.png"), "--save", tmp_path / "demo.png"
    assert main(["demo", *map(str, arguments), "--backend", "einsum"]) == 0
    assert main(["demo", *map(str, arguments)]) == 2
    assert "backend='einsum:depthwise' cannot compute" in capsys.readouterr().err


def test_a_kernel_that_cannot_compute_a_layer_is_refused(file_of, tmp_path, capsys):
    arguments = file_of(noise(32, 32, 3)), "--save", tmp_path / "demo.png", "--backend", "einsum:depthwise"
    assert main(["demo", *map(str, arguments)]) == 2
    err = capsys.readouterr().err
    assert "fastconv demo: backend='einsum:depthwise' cannot compute conv n1 g1 ic6 oc3" in err
    assert "6 input channels a group, only 1" in err
    assert not (tmp_path / "demo.png").exists()


def test_without_matplotlib_a_sentence_says_what_to_install():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from fastconv.__main__ import main; sys.exit(main(['demo']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "fastconv demo: matplotlib must be installed: pip install 'fastconv[demo]'\n"


def test_without_rich_progress_is_lines():
    code = (
        "import sys; sys.modules['rich'] = None; sys.stderr.isatty = lambda: True\n"
        "from fastconv.cli.progress import steps\n"
        "with steps(2) as step: step('one'); step('two')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == "[1/2] one\n[2/2] two\n"


@pytest.mark.parametrize("place", ["missing/demo.png", "photo.png/demo.png", "", "demo.xyz"])
def test_a_place_that_cannot_be_written_is_refused_at_once(place, file_of, tmp_path, capsys):
    path = file_of(noise(64, 64, 3))
    assert re.search(r"--save must .*; got ", refused(capsys, path, "--save", tmp_path / place))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_disk_is_said_in_a_sentence(capsys, file_of):
    path = file_of(noise(32, 32, 3))
    assert "--save must name a file that can be written; got /dev/full (No space left" in refused(
        capsys, path, "--save", "/dev/full"
    )


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


def test_half_an_image_is_refused(file_of, capsys):
    path = file_of(noise(64, 64, 3), "photo.jpg")
    path.write_bytes(path.read_bytes()[:2000])
    assert "PHOTO must be an image file; got " in refused(capsys, path)


def test_a_folder_is_refused(tmp_path, capsys):
    assert "PHOTO must be an image file; got " in refused(capsys, tmp_path)


@pytest.mark.parametrize(("shape", "least"), [((31, 80, 3), 32), ((80, 31, 3), 32), ((90, 2100, 3), 96)])
def test_a_small_photograph_is_refused(shape, least, file_of, capsys):
    words = f"at least {least} pixels on each side; got .* with {shape[1]} x {shape[0]}$"
    assert re.search(words, refused(capsys, file_of(noise(*shape))))


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
def test_every_mode_reads_alike(mode, file_of):
    image = modes()[mode]
    assert image.mode == mode
    pixels = photo.read(file_of(image, "photo.tif"), 1024).pixels
    assert pixels.dtype == np.float32
    expected = np.repeat(BLOCKS[None, ..., None] / np.float32(255), 3, axis=-1)
    np.testing.assert_allclose(pixels, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "dtype"), [([-3.0, 1.0, np.nan], np.float32), ([-30_000, 10_000, 0], np.int32)]
)
def test_values_of_an_unknown_range_are_stretched_to_it(values, dtype, file_of):
    pixels = photo.read(file_of(np.resize(np.array(values, dtype), (32, 33)), "photo.tif"), 1024).pixels
    np.testing.assert_allclose(pixels[0, :, :3, 0], [[0, 1, 0.75]] * 32, rtol=0, atol=1e-6)


def test_a_bilevel_image_reads(file_of):
    from PIL import Image

    pixels = photo.read(file_of(Image.fromarray(BLOCKS).convert("1", dither=Image.Dither.NONE)), 1024).pixels
    np.testing.assert_array_equal(pixels[0, ..., 0], BLOCKS > 127)


def test_transparency_shows_white(file_of):
    rgba = np.zeros((32, 32, 4), np.uint8)
    rgba[:, :16, 3], rgba[:, 16:, 3] = 255, 51
    pixels = photo.read(file_of(rgba), 1024).pixels
    np.testing.assert_array_equal(pixels[:, :, :16], 0)
    np.testing.assert_allclose(pixels[:, :, 16:], 0.8, rtol=0, atol=1e-6)


def test_a_photograph_stands_as_the_camera_was_held(file_of):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter, clockwise
    pixels = photo.read(file_of(Image.fromarray(BLOCKS), "photo.jpg", exif=exif, quality=100), 1024).pixels
    assert pixels.shape == (1, 48, 40, 3)
    np.testing.assert_allclose(pixels[0, ..., 0], np.rot90(BLOCKS, -1) / 255, rtol=0, atol=0.02)


def test_a_large_photograph_is_averaged_over_blocks(file_of):
    pixels = noise(96, 130, 3)
    small, divisor = photo.read(file_of(pixels), 64)
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


def test_filters_leave_a_grey_wall_as_it_is():
    near, edges, features, _ = model.build().features(np.full((1, 32, 40, 3), 0.5, np.float32))
    np.testing.assert_allclose(near, 0.5, rtol=0, atol=1e-6)
    np.testing.assert_allclose(edges, 0, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(features, 0)


@pytest.mark.parametrize(("axis", "lit"), [(0, 0), (1, 2)])
def test_edges_measure_the_slope_of_a_ramp(axis, lit):
    # Brightness rises by 0.02 a pixel along one axis, so by 0.04 between the neighbours of a pixel.
    ramp = np.arange(40, dtype=np.float32).reshape((-1, 1) if axis == 0 else (1, -1)) * 0.02
    x = np.broadcast_to(ramp, (40, 40))[None, ..., None].repeat(3, axis=-1)
    near, edges, features, pooled = model.build().features(x)
    np.testing.assert_allclose(near[..., 0], x[:, 3:-3, 3:-3, 0], rtol=0, atol=1e-5)
    np.testing.assert_allclose(edges[..., axis], 0.04, rtol=0, atol=1e-5)
    np.testing.assert_allclose(edges[..., 1 - axis], 0, rtol=0, atol=1e-5)
    for y in features, pooled:
        np.testing.assert_allclose(y[..., lit], 0.04 - model.FLOORS[lit], rtol=0, atol=1e-5)
        np.testing.assert_array_equal(np.delete(y, lit, axis=-1), 0)


def test_sharpening_overshoots_at_a_step_and_blurring_smooths_it():
    x = np.zeros((1, 32, 32, 3), np.float32)
    x[:, :, 16:] = 1
    near = model.build().features(x)[0]
    blurred, sharpened = near[0, 0, :, 0], near[0, 0, :, 1]
    assert (np.diff(blurred) >= -1e-6).all()
    assert ((blurred > 0.01) & (blurred < 0.99)).sum() == 6  # a window of 7 sees both sides at 6 places
    assert sharpened.min() < -0.1
    assert sharpened.max() > 1.1


@pytest.mark.parametrize("name", ["demo.jpg", "demo.PDF", "demo"])
def test_a_picture_may_be_of_any_format_matplotlib_knows(name, tmp_path):
    path = tmp_path / name
    picture.check_place(path)
    picture.write(path, "title", [picture.Row("heading", "facts", [picture.ink("ink", noise(8, 8))])])
    magic = {"demo.jpg": b"\xff\xd8\xff", "demo.PDF": b"%PDF", "demo": b"\x89PNG"}[name]
    assert path.read_bytes().startswith(magic)


def test_a_failure_leaves_an_older_picture_alone(tmp_path, monkeypatch):
    def savefig(_figure, file, **_options):
        file.write(b"half")
        raise MemoryError

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", savefig)
    path = tmp_path / "demo.png"
    path.write_bytes(b"older")
    with pytest.raises(MemoryError):
        picture.write(path, "title", [picture.Row("", "", [picture.ink("", noise(8, 8))])])
    assert path.read_bytes() == b"older"


@pytest.mark.parametrize("values", [np.zeros((4, 4)), np.eye(64)])
def test_maps_without_contrast_still_have_a_range(values):
    panel = picture.ink("", values)
    assert panel.low < panel.high
    assert picture.relief("", values).low < 0 < picture.relief("", values).high
