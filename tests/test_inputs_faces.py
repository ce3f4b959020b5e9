"""Every function of every face takes arrays in any form, writes none of them, and returns new memory."""

import numpy as np
import pytest
from forms import FORMS

import fastconv
from fastconv import functional as F  # noqa: N812 (as PyTorch's users name theirs)
from fastconv import lax, layers

RNG = np.random.default_rng


def integers(*shape):
    return RNG(sum(shape)).integers(-8, 9, shape).astype(np.float32)


SIZES, TAPS = (7, 6, 5), (3, 2, 2)
SAMPLES = RNG(0).random((2, 4, 3), np.float32)

CALLS = {  # name: (call, arrays)
    "fold": (lambda x: F.fold(x, (5, 4), (2, 3)), [integers(2, 12, 8)]),
    "unfold": (lambda x: F.unfold(x, (2, 3)), [integers(2, 4, 5, 6)]),
    "unfold, one tap": (lambda x: F.unfold(x, 1), [integers(2, 4, 5, 6)]),
    "pad": (lambda x: F.pad(x, (1, 2)), [integers(2, 3, 5)]),
    "pad by nothing": (lambda x: F.pad(x, (0, 0)), [integers(2, 3, 5)]),
    "pad, cropping": (lambda x: F.pad(x, (-1, 0)), [integers(2, 3, 5)]),
    "pad, reflecting nothing": (lambda x: F.pad(x, (0, 0), "reflect"), [integers(2, 3, 5)]),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), [integers(2, 8, 3, 5)]),
    "pixel_shuffle by 1": (lambda x: F.pixel_shuffle(x, 1), [integers(2, 8, 3, 5)]),
    "pixel_unshuffle": (lambda x: F.pixel_unshuffle(x, 2), [integers(2, 3, 4, 6)]),
    "pixel_unshuffle by 1": (lambda x: F.pixel_unshuffle(x, 1), [integers(2, 3, 4, 6)]),
    "lax.conv": (lambda x, w: lax.conv(x, w, (1, 2), "SAME"), [integers(2, 3, 7, 6), integers(5, 3, 3, 2)]),
    "lax.conv_with_general_padding": (
        lambda x, w: lax.conv_with_general_padding(x, w, (1, 2), [(1, 0), (0, 2)], (1, 1), (2, 1)),
        [integers(2, 3, 7, 6), integers(5, 3, 3, 2)],
    ),
    "lax.conv_general_dilated": (
        lambda x, w: lax.conv_general_dilated(x, w, (1, 2), [(1, 0), (0, 2)], (2, 1)),
        [integers(2, 3, 7, 6), integers(5, 3, 3, 2)],
    ),
    "lax.conv_transpose": (
        lambda x, w: lax.conv_transpose(x, w, (1, 2), "SAME"),
        [integers(2, 4, 5, 3), integers(3, 2, 3, 5)],
    ),
    "lax.conv_general_dilated_patches": (
        lambda x: lax.conv_general_dilated_patches(x, (3, 2), (1, 2), "VALID"),
        [integers(2, 3, 7, 6)],
    ),
    "lax.conv_general_dilated_local": (
        lambda x, w: lax.conv_general_dilated_local(x, w, (1,), "VALID", (2,)),
        [integers(2, 3, 5), integers(5, 6, 4)],
    ),
    "lax.reduce_window": (
        lambda x: lax.reduce_window(x, np.float32(0), lax.add, (1, 2, 3), (1, 1, 2)),
        [integers(2, 5, 6)],
    ),
    "lax.reduce_window, one element": (
        lambda x: lax.reduce_window(x, np.float32(0), lax.add, (1, 1, 1)),
        [integers(2, 5, 6)],
    ),
    "plan_conv": (lambda x, w: fastconv.plan_conv((2, 7, 3), w)(x), [integers(2, 7, 3), integers(3, 3, 4)]),
    "plan_conv_transpose": (
        lambda x, w: fastconv.plan_conv_transpose((2, 7, 3), w, 2)(x),
        [integers(2, 7, 3), integers(3, 4, 3)],
    ),
    "plan_pool": (fastconv.plan_pool((2, 7, 3), 2, dtype="float32"), [integers(2, 7, 3)]),
}


def with_options(name, *options, **named):
    """Return a function of PyTorch's words as one of arrays alone."""
    return lambda *arrays: getattr(F, name)(*arrays, *options, **named)


POOLS = {
    "max_pool": (2,),
    "avg_pool": (2,),
    "lp_pool": (2, 2),
    "adaptive_max_pool": (3,),
    "adaptive_avg_pool": (3,),
}
for rank in (1, 2, 3):
    x, k, d = integers(2, 4, *SIZES[:rank]), TAPS[:rank], f"{rank}d"
    values, places = with_options(f"max_pool{d}_with_indices", 2)(x)
    CALLS |= {f"{name}{d}": (with_options(f"{name}{d}", *options), [x]) for name, options in POOLS.items()}
    CALLS |= {
        f"conv{d}": (with_options(f"conv{d}", groups=2), [x, integers(6, 2, *k), integers(6)]),
        f"conv_transpose{d}": (with_options(f"conv_transpose{d}", stride=2), [x, integers(4, 3, *k)]),
        f"max_pool{d}, one element": (with_options(f"max_pool{d}", 1), [x]),
        f"avg_pool{d}, one element": (with_options(f"avg_pool{d}", 1), [x]),
        f"max_unpool{d}": (with_options(f"max_unpool{d}", 2, output_size=x.shape), [values, places]),
        f"max_pool{d}_with_indices": (with_options(f"max_pool{d}_with_indices", 2), [x]),
        f"adaptive_max_pool{d}_with_indices": (with_options(f"adaptive_max_pool{d}_with_indices", 3), [x]),
    }
    if rank > 1:
        samples = dict(_random_samples=SAMPLES[..., :rank])
        CALLS |= {
            name: (with_options(name, 2, 3, **samples), [x])
            for name in (f"fractional_max_pool{d}", f"fractional_max_pool{d}_with_indices")
        }

IMAGES = integers(2, 7, 6, 4)
LAYERS = {
    "Activation": lambda: layers.Activation("relu"),
    "Activation, linear": lambda: layers.Activation("linear"),
    "AveragePooling2D": lambda: layers.AveragePooling2D(2),
    "BatchNormalization": layers.BatchNormalization,
    "Conv2D": lambda: layers.Conv2D(3, 2, activation="relu", seed=1),
    "Conv2DTranspose": lambda: layers.Conv2DTranspose(3, 2, strides=2, seed=1),
    "Dense": lambda: layers.Dense(3, seed=1),
    "DepthwiseConv2D": lambda: layers.DepthwiseConv2D(2, seed=1),
    "Dropout": lambda: layers.Dropout(0.5),
    "Flatten": layers.Flatten,
    "GlobalMaxPooling2D": layers.GlobalMaxPooling2D,
    "MaxPooling2D of one element": lambda: layers.MaxPooling2D(1),
    "SeparableConv2D": lambda: layers.SeparableConv2D(3, 2, seed=1),
    "Sequential": lambda: layers.Sequential([layers.Conv2D(3, 2, seed=1), layers.Flatten()]),
    "Sequential of nothing that computes": lambda: layers.Sequential([layers.Dropout(0.5), layers.Flatten()]),
    "ZeroPadding2D": lambda: layers.ZeroPadding2D(1),
    "ZeroPadding2D of nothing": lambda: layers.ZeroPadding2D(0),
}
CALLS |= {f"layers.{name}": (lambda x, make=make: make()(x), [IMAGES]) for name, make in LAYERS.items()}


# A list is many operands in the words of JAX; samples and plans are of float32, and lists of float64.
NOT_LISTS = ("lax.reduce_window", "fractional_max_pool", "plan_pool")

# As their class says: what moves no number may return its input.
MAY_SHARE = ("Activation, linear", "Dropout", "Flatten", "Sequential of nothing that computes")


def results(name, arrays):
    y = CALLS[name][0](*arrays)
    return y if isinstance(y, tuple) else (y,)


def test_no_function_is_left_out():
    named = {name.partition(",")[0].partition(" ")[0] for name in CALLS}
    kin = ("ConvDimensionNumbers", "Precision", "conv_dimension_numbers", "padtype_to_pads")
    shapes = ("conv_general_shape_tuple", "conv_transpose_shape_tuple")
    functions = {f"lax.{n}" for n in lax.__all__ if not isinstance(getattr(lax, n), np.ufunc)}

    assert set(F.__all__) <= named
    assert functions - {f"lax.{n}" for n in (*kin, *shapes)} <= named


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CALLS)
def test_any_form_of_array(name, form):
    arrays = CALLS[name][1]
    if form == "list":  # of Python's floats, which are 64 bits
        arrays = [array.astype(float) if array.dtype.kind == "f" else array for array in arrays]
    if form == "list" and name.startswith(NOT_LISTS):
        return

    found = results(name, [FORMS[form](array) for array in arrays])

    for y, expected in zip(found, results(name, arrays), strict=True):
        np.testing.assert_array_equal(y, expected, strict=True)
        assert type(y) is np.ndarray


@pytest.mark.parametrize("name", CALLS)
def test_results_are_new_and_arguments_are_only_read(name):
    arrays = [array.copy() for array in CALLS[name][1]]
    before = [array.tobytes() for array in arrays]

    found = results(name, arrays)

    assert all(y.flags.writeable and y.flags.c_contiguous for y in found)
    if name.removeprefix("layers.") in MAY_SHARE:
        return
    assert not any(np.shares_memory(y, array) for y in found for array in arrays)
    for y in found:
        y[...] = 77
    assert [array.tobytes() for array in arrays] == before


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("number", range(3))
def test_what_is_no_number_is_refused(name, number):
    """In a sentence with the dtype in it, whichever of the arguments it is."""
    arrays = list(CALLS[name][1])
    if number < len(arrays):
        for bad in (arrays[number].astype(object), arrays[number].astype("U3"), np.ma.array(arrays[number])):
            arrays[number] = bad
            with pytest.raises(TypeError, match=r"^[\w ]+: .*(object|<U3|masked array)"):
                results(name, arrays)


@pytest.mark.parametrize("dtype", ["datetime64[s]", "timedelta64[s]", "S3", [("re", "f4")], object])
@pytest.mark.parametrize("op", ["conv", "max_pool"])
def test_dtypes_without_arithmetic_are_refused(op, dtype):
    with pytest.raises(TypeError, match=f"{op}: `inputs` must hold bools, integers, floats or complex"):
        getattr(fastconv, op)(np.zeros((1, 5, 2), dtype), np.zeros((2, 2, 3)) if op == "conv" else 2)


def test_what_another_library_refuses_to_show_is_said():
    class Elsewhere:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("it lies on a device")

    with pytest.raises(
        TypeError, match=r"max_pool: `inputs` must be .* got Elsewhere \(it lies on a device\)"
    ):
        fastconv.max_pool(Elsewhere(), 2)


def test_a_plan_keeps_weights_of_its_own():
    w, bias, x = integers(3, 4, 5), integers(5), integers(2, 7, 4)
    plan = fastconv.plan_conv(x.shape, w, bias=bias)
    layer = layers.Conv1D(5, 3)
    layer.build(x.shape)
    layer.set_weights([w, bias])
    expected = fastconv.conv(x, w, bias=bias)

    w[...], bias[...] = 77, 77

    np.testing.assert_array_equal(plan(x), expected)
    np.testing.assert_array_equal(layer(x), expected)
