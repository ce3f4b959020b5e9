"""The filters of ``demo``, worked out by hand, and its picture."""

import numpy as np
import pytest
from photographs import needs_demo, noise, written

from fastconv.__main__ import main
from fastconv.cli import model, picture


@needs_demo
def test_every_panel_of_the_picture_shows_something(tmp_path, monkeypatch):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figures = []
    real = picture.draw
    monkeypatch.setattr(picture, "draw", lambda *args: figures.append(real(*args)) or figures[0])
    path = written(tmp_path, np.kron(noise(8, 11), np.ones((6, 6), np.uint8)))  # grey squares, edges all over

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


@needs_demo
@pytest.mark.parametrize("name", ["demo.jpg", "demo.PDF", "demo"])
def test_a_picture_may_be_of_any_format_matplotlib_knows(name, tmp_path):
    path = tmp_path / name
    picture.check_place(path)
    picture.write(path, "title", [picture.Row("heading", "facts", [picture.ink("ink", noise(8, 8))])])
    magic = {"demo.jpg": b"\xff\xd8\xff", "demo.PDF": b"%PDF", "demo": b"\x89PNG"}[name]
    assert path.read_bytes().startswith(magic)


@needs_demo
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
