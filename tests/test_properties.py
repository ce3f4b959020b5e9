"""What holds of every convolution and pooling, on problems drawn at random."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import fastconv

# Any backend at all: each must equal the definition.
OTHERS = tuple(name for name in fastconv.backends() if name != "naive")

ONE, RANKS, PADS = st.just(1), st.integers(0, 3), st.integers(-1, 3)


@dataclass(frozen=True)
class Call:
    """Arrays of small integers, for exact sums, and the options of a convolution."""

    x: np.ndarray
    w: np.ndarray
    options: dict = field(default_factory=dict)


@st.composite
def calls(draw, groups=ONE, ranks=RANKS, pads=PADS):
    """Draw a convolution whose window fits, of any rank."""
    rank = draw(ranks)

    def axes(each):
        return tuple(draw(each) for _ in range(rank))

    k, s, d = axes(st.integers(1, 3)), axes(st.integers(1, 3)), axes(st.integers(1, 2))
    padding = tuple((lo, hi) for lo, hi in zip(axes(pads), axes(pads), strict=True))
    need = [(k - 1) * d + 1 - lo - hi for k, d, (lo, hi) in zip(k, d, padding, strict=True)]
    i = tuple(max(n, 1) + draw(st.integers(0, 4)) for n in need)
    g = draw(groups)
    n, ic, oc = (draw(st.integers(1, 3)) for _ in range(3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # One dtype: every other would have all these kernels compiled again, and the named cases have them.
    x = rng.integers(-8, 9, (n, *i, g * ic)).astype(np.float32)
    w = rng.integers(-8, 9, (*k, ic, g * oc)).astype(np.float32)
    return Call(x, w, dict(strides=s, padding=padding, dilation_rate=d))


def pooled(op, call, backend="auto", **more):
    return getattr(fastconv, op)(call.x, call.w.shape[:-2], backend=backend, **call.options, **more)


@given(calls(groups=st.integers(1, 3)))
def test_backends_equal_the_definition(call):
    y = fastconv.conv(call.x, call.w, backend="naive", **call.options)

    for backend in OTHERS:
        np.testing.assert_array_equal(fastconv.conv(call.x, call.w, backend=backend, **call.options), y)


@given(calls(), st.sampled_from(["max_pool", "min_pool", "average_pool"]))
def test_pools_equal_the_definition(call, op):
    y = pooled(op, call, "naive")

    for backend in OTHERS:
        np.testing.assert_array_equal(pooled(op, call, backend), y)


@given(calls(groups=st.integers(1, 2)), st.integers(-4, 4), st.integers(-4, 4))
def test_convolution_is_linear(call, a, b):
    x, w, options = call.x, call.w, call.options
    v, u = np.flip(x), np.flip(w)

    y = fastconv.conv(x, w, **options)

    np.testing.assert_array_equal(
        fastconv.conv(a * x + b * v, w, **options), a * y + b * fastconv.conv(v, w, **options)
    )
    np.testing.assert_array_equal(
        fastconv.conv(x, a * w + b * u, **options), a * y + b * fastconv.conv(x, u, **options)
    )


@given(calls(ranks=st.integers(1, 3), pads=st.just(0)), st.integers(1, 2))
def test_moved_inputs_give_moved_outputs(call, steps):
    """Inputs moved by a multiple of the stride: the outputs that see nothing new are the old ones."""
    x, s = call.x, call.options["strides"]
    shift = [steps * t for t in s]
    moved = np.pad(x, [(0, 0), *((n, 0) for n in shift), (0, 0)], mode="wrap")
    new = (slice(None), *(slice(steps, None),) * len(s))

    np.testing.assert_array_equal(
        fastconv.conv(moved, call.w, **call.options)[new], fastconv.conv(x, call.w, **call.options)
    )
    np.testing.assert_array_equal(
        pooled("max_pool", Call(moved, call.w, call.options))[new], pooled("max_pool", call)
    )


@given(calls(groups=st.integers(1, 3), pads=st.integers(0, 2)))
def test_transposed_convolution_is_the_adjoint(call):
    """<conv(x, w), y> = <x, conv_transpose(y, w)>, the inner products of integers and so exact."""
    x, w, options = call.x, call.w, call.options
    y = fastconv.conv(x, w, **options)
    v = np.random.default_rng(0).integers(-8, 9, y.shape).astype(x.dtype)
    groups = x.shape[-1] // w.shape[-2]
    # (*k, ic, g*oc) of the forward kernel is (*k, g*ic, oc) of the transposed one, group by group.
    parts = np.split(w, groups, axis=-1)
    kernel = np.concatenate(parts, axis=-2)
    rest = [
        (i + lo + hi - (k - 1) * d - 1) % s
        for i, k, s, d, (lo, hi) in zip(
            x.shape[1:-1],
            w.shape,
            options["strides"],
            options["dilation_rate"],
            options["padding"],
            strict=False,
        )
    ]

    back = fastconv.conv_transpose(v, kernel, output_padding=rest, **options)

    assert back.shape == x.shape
    assert np.vdot(y, v) == np.vdot(x, back)


@given(calls(groups=st.integers(2, 4)))
def test_groups_are_convolutions_side_by_side(call):
    groups = call.x.shape[-1] // call.w.shape[-2]
    pairs = zip(np.split(call.x, groups, axis=-1), np.split(call.w, groups, axis=-1), strict=True)

    alone = [fastconv.conv(x, w, **call.options) for x, w in pairs]

    np.testing.assert_array_equal(
        fastconv.conv(call.x, call.w, **call.options), np.concatenate(alone, axis=-1)
    )


@given(calls())
def test_depthwise_is_a_convolution_a_channel(call):
    x, w = call.x, np.flip(call.w)

    alone = [
        fastconv.conv(x[..., c : c + 1], w[..., c : c + 1, :], **call.options) for c in range(x.shape[-1])
    ]

    np.testing.assert_array_equal(
        fastconv.depthwise_conv(x, w, **call.options), np.concatenate(alone, axis=-1)
    )


@given(calls())
def test_separable_is_depthwise_then_pointwise(call):
    x, w, rank = call.x, call.w, call.x.ndim - 2
    mix = np.random.default_rng(0).integers(-3, 4, (w.shape[-2] * w.shape[-1], 4)).astype(w.dtype)

    y = fastconv.separable_conv(x, w, mix.reshape(*(1,) * rank, *mix.shape), **call.options)

    np.testing.assert_array_equal(y, fastconv.depthwise_conv(x, w, **call.options) @ mix)


@given(calls())
def test_minimum_is_the_negative_maximum_of_the_negative(call):
    negative = Call(-call.x, call.w, call.options)

    np.testing.assert_array_equal(pooled("min_pool", call), -pooled("max_pool", negative))


@given(calls(pads=st.integers(0, 1)), st.integers(-50, 50))
def test_average_of_a_constant_is_the_constant(call, value):
    constant = Call(np.full_like(call.x, value), call.w, call.options)

    y = pooled("average_pool", constant)

    windows = pooled("pool", constant, fn=np.size)  # of which some may see no more than padding
    np.testing.assert_array_equal(y, np.where(windows > 0, value, np.nan))


@given(calls())
def test_sums_are_convolutions_with_ones(call):
    ones = np.ones((*call.w.shape[:-2], call.x.shape[-1], 1), call.w.dtype)
    total = fastconv.depthwise_conv(call.x, ones, **call.options)

    np.testing.assert_array_equal(pooled("pool", call, fn=np.sum), total)
    np.testing.assert_array_equal(
        pooled("average_pool", call, count_include_pad=True), total / ones[..., 0, 0].size
    )


@given(calls(groups=st.integers(1, 2)))
def test_channels_first_is_channels_last_transposed(call):
    x = np.moveaxis(call.x, -1, 1).copy()
    options = dict(data_format="channels_first", **call.options)
    size = call.w.shape[:-2]

    np.testing.assert_array_equal(
        fastconv.conv(x, call.w, **options), np.moveaxis(fastconv.conv(call.x, call.w, **call.options), -1, 1)
    )
    np.testing.assert_array_equal(
        fastconv.max_pool(x, size, **options), np.moveaxis(pooled("max_pool", call), -1, 1)
    )


@given(calls(ranks=st.integers(1, 3)))
def test_windows_are_what_convolutions_see(call):
    rank = call.x.ndim - 2
    seen = fastconv.windows(call.x, call.w.shape[:-2], **call.options)
    axes = [*range(rank + 2, 2 * rank + 2), rank + 1]

    y = np.tensordot(seen, call.w, (axes, range(rank + 1)))

    np.testing.assert_array_equal(y, fastconv.conv(call.x, call.w, **call.options))


@given(calls(ranks=st.integers(1, 3)), st.data())
def test_even_adaptive_pools_are_pools(call, data):
    x = call.x
    sizes = [data.draw(st.sampled_from([m for m in range(1, n + 1) if n % m == 0])) for n in x.shape[1:-1]]
    k = [n // m for n, m in zip(x.shape[1:-1], sizes, strict=True)]

    np.testing.assert_array_equal(fastconv.adaptive_max_pool(x, sizes), fastconv.max_pool(x, k))
    np.testing.assert_array_equal(fastconv.adaptive_average_pool(x, sizes), fastconv.average_pool(x, k))
