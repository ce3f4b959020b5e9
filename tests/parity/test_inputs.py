"""Arrays of JAX and tensors of PyTorch are viewed where they lie, or refused with their own reason."""

from functools import partial

import numpy as np
import pytest

import fastconv
from fastconv import functional as F  # noqa: N812 (as PyTorch's users name theirs)

pytestmark = pytest.mark.parity


def integers(*shape):
    return np.random.default_rng(0).integers(-8, 9, shape).astype(np.float32)


X, W = integers(2, 7, 6, 4), integers(3, 2, 4, 5)


def test_tensors_are_viewed(torch):
    x = torch.tensor(X)

    view = fastconv.windows(x, (3, 2))

    assert view.__array_interface__["data"][0] == x.data_ptr()
    np.testing.assert_array_equal(view[0, 1, 2, 3], X[0, 1:4, 2:4, 3])


def test_arrays_of_jax_are_viewed(jax):
    x = jax.numpy.asarray(X)

    view = fastconv.windows(x, (3, 2))

    assert view.__array_interface__["data"][0] == x.unsafe_buffer_pointer()
    np.testing.assert_array_equal(view[0, 1, 2, 3], X[0, 1:4, 2:4, 3])


def check(wrap):
    """Compute with arrays of another library, and with those of NumPy that they were made of."""
    calls = [
        (lambda x, w: fastconv.conv(x, w, padding="same"), (X, W)),
        (lambda x, w: fastconv.plan_conv(X.shape, w)(x), (X, W)),
        (partial(fastconv.max_pool, pool_size=2), (X,)),
        (F.conv2d, (X, integers(3, 7, 2, 3), integers(3))),
        (lambda x: fastconv.lax.reduce_window(x, 0.0, fastconv.lax.add, (1, 2, 3, 1), (1, 1, 2, 1)), (X,)),
        (fastconv.layers.Conv2D(3, 2, seed=1), (X,)),
    ]
    for call, arrays in calls:
        y, expected = call(*map(wrap, arrays)), call(*arrays)
        np.testing.assert_array_equal(y, expected, strict=True)
        assert type(y) is np.ndarray


def test_tensors_are_what_they_hold(torch):
    check(torch.tensor)
    check(lambda x: torch.tensor(x.T.copy()).permute(*reversed(range(x.ndim))))  # in another order


def test_arrays_of_jax_are_what_they_hold(jax):
    check(jax.numpy.asarray)


def test_bfloat16_of_jax_is_that_of_ml_dtypes(jax):
    y = fastconv.max_pool(jax.numpy.asarray(X, "bfloat16"), 2)

    assert y.dtype == "bfloat16"
    np.testing.assert_array_equal(y.astype(np.float32), fastconv.max_pool(X, 2))


@pytest.mark.parametrize("backend", fastconv.backends())
def test_separable_filters_may_be_bfloat16(jax, backend):
    x = jax.numpy.asarray(integers(1, 21, 21, 1), "bfloat16")
    w = jax.numpy.asarray(np.outer([1, 2, 1, 2, 1], [1, 0, -1, 0, 1]).reshape(5, 5, 1, 1), "bfloat16")

    y = fastconv.conv(x, w, backend=backend)

    expected = fastconv.conv(np.asarray(x, np.float32), np.asarray(w, np.float32), backend="naive")
    np.testing.assert_array_equal(y.astype(np.float32), expected.astype("bfloat16").astype(np.float32))


@pytest.mark.parametrize("row", ["numba:factored", "numba:planes"])
def test_rows_for_separable_filters_take_bfloat16(jax, row):
    test_separable_filters_may_be_bfloat16(jax, row)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda x: x.requires_grad_(), "requires grad"),
        (lambda x: x.bfloat16(), "BFloat16"),
        (lambda x: x.to("meta"), "meta"),
        (lambda x: x.to_sparse(), "[Ss]parse"),
        (lambda x: x.cfloat().conj(), "conjugate"),
    ],
)
def test_tensors_that_numpy_cannot_view_are_refused(torch, change, reason):
    with pytest.raises(
        TypeError, match=rf"^max_pool: `inputs` must be .* NumPy .* got Tensor \(.*{reason}.*\)$"
    ):
        fastconv.max_pool(change(torch.tensor(X)), 2)


def test_a_deleted_array_of_jax_is_refused(jax):
    x = jax.numpy.asarray(X)
    x.delete()

    with pytest.raises(
        TypeError, match=r"^max_pool: `inputs` must be .* NumPy .* got ArrayImpl \(.*deleted.*\)$"
    ):
        fastconv.max_pool(x, 2)


def test_tensors_are_no_place_for_results(torch):
    with pytest.raises(TypeError, match="max_pool: `out` must be a plain NumPy array; got Tensor"):
        fastconv.max_pool(X, 2, out=torch.empty(2, 3, 3, 4))
