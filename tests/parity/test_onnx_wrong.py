"""What onnx's reference evaluator gets wrong, or cannot compute, is right here: PyTorch says what is right.

The reference's own answer is looked at too: where it has become right, the sentence about it must go.
"""

import math

import numpy as np
import pytest

from .onnx_answers import by_fastconv, fed, model

pytestmark = pytest.mark.parity


@pytest.fixture
def reference(onnx):  # noqa: ARG001 (it must be there)
    """The same node by the reference's own operators."""
    from onnx.reference import ReferenceEvaluator

    def answer(op, *arrays, opset=22, **options):
        made = model(op, opset, list(arrays), **options)
        return ReferenceEvaluator(made).run(None, fed(arrays))

    return answer


def run(op, *arrays, opset=22, **options):
    return by_fastconv(op, opset, list(arrays), **options)


def integers(rng, shape, low=-4, high=5):
    """Draw small integers, whose sums are exact."""
    return rng.integers(low, high, shape).astype(np.float32)


def differs(reference, expected, *node, **attributes):
    """Whether the reference fails, or answers something else."""
    try:
        y = reference(*node, **attributes)[-1]
    except (TypeError, ValueError, IndexError, RuntimeError, NotImplementedError):
        return True
    return y.shape != expected.shape or not np.allclose(y, expected, rtol=1e-6, atol=1e-6, equal_nan=True)


def pooled(torch, x, pads, kernel, stride, **options):
    """Pool by PyTorch after padding with -inf: (before, after) pairs of the last axis first."""
    padded = torch.nn.functional.pad(torch.from_numpy(x), pads, value=-math.inf)
    pool = getattr(torch.nn.functional, f"max_pool{x.ndim - 2}d")
    return pool(padded, kernel, stride, **options).numpy()


MAX = {  # of an input, ONNX's attributes and PyTorch's pads, window and stride
    "pads that differ": ((2, 3, 5, 7), dict(kernel_shape=(3, 3), pads=(1, 1, 0, 0)), ((1, 0, 1, 0), 3, 1)),
    "the same, before": (
        (1, 2, 7, 5),
        dict(kernel_shape=(2, 2), auto_pad="SAME_LOWER", strides=(2, 2)),
        ((1, 0, 1, 0), 2, 2),
    ),
    "sequences": ((1, 2, 9), dict(kernel_shape=(3,), pads=(1, 0)), ((1, 0), 3, 1)),
    "volumes": (
        (1, 2, 4, 5, 6),
        dict(kernel_shape=(3, 2, 3), pads=(1, 0, 0, 0, 1, 1)),
        ((0, 1, 0, 1, 1, 0), (3, 2, 3), 1),
    ),
}


@pytest.mark.parametrize("case", MAX)
def test_max_pool(case, torch, reference):
    shape, attributes, theirs = MAX[case]
    x = integers(np.random.default_rng(0), shape, low=-99, high=99)
    expected = pooled(torch, x, *theirs)

    np.testing.assert_array_equal(run("MaxPool", x, **attributes), expected)
    assert differs(reference, expected, "MaxPool", x, **attributes)


def test_positions_of_the_largest(torch, reference):
    x = np.random.default_rng(0).permutation(2 * 3 * 6 * 7).reshape(2, 3, 6, 7).astype(np.float32)
    options = dict(kernel_shape=(3, 3), pads=(1, 1, 1, 1), outputs=2)
    y, at = torch.nn.functional.max_pool2d(torch.from_numpy(x), 3, 1, 1, return_indices=True)
    expected = at.numpy() + np.arange(6).reshape(2, 3, 1, 1) * 42  # PyTorch's are in a plane

    values, places = run("MaxPool", x, **options)

    np.testing.assert_array_equal(values, y.numpy())
    np.testing.assert_array_equal(places, expected)
    np.testing.assert_array_equal(x.ravel()[places], values)
    assert differs(reference, expected, "MaxPool", x, **options)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_nan_stays(op, torch, reference):
    x = integers(np.random.default_rng(0), (1, 2, 6, 8))
    x[0, 1, 2, 3] = np.nan
    pool = torch.nn.functional.max_pool2d if op == "MaxPool" else torch.nn.functional.avg_pool2d
    expected = pool(torch.from_numpy(x), 2, 2).numpy()
    assert np.isnan(expected).sum() == 1
    options = dict(kernel_shape=(2, 2), strides=(2, 2))

    np.testing.assert_array_equal(run(op, x, **options), expected)
    assert differs(reference, expected, op, x, **options)


def test_groups_of_several_channels_transposed(torch, reference):
    rng = np.random.default_rng(0)
    x, w, b = integers(rng, (2, 6, 4, 5)), integers(rng, (6, 3, 3, 2)), integers(rng, (6,))
    tensors = map(torch.from_numpy, (x, w, b))
    expected = torch.nn.functional.conv_transpose2d(*tensors, stride=(2, 3), groups=2).numpy()
    options = dict(strides=(2, 3), group=2)

    np.testing.assert_array_equal(run("ConvTranspose", x, w, b, **options), expected)
    assert differs(reference, expected, "ConvTranspose", x, w, b, **options)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_the_norm_of_a_plane(p, reference):
    x = integers(np.random.default_rng(0), (2, 3, 4, 5))
    expected = np.linalg.norm(x.reshape(2, 3, 20).astype(np.float64), p, axis=2).reshape(2, 3, 1, 1)

    y = run("GlobalLpPool", x, p=p)

    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    assert differs(reference, y, "GlobalLpPool", x, p=p)


@pytest.mark.parametrize("opset", [7, 8, 9, 13, 14, 15])
def test_normalization_by_the_models_statistics(opset, torch, reference):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 3, 5, 2))
    scale, bias, mean, var = (np.array(v, np.float64) for v in ([1, 2, 3], [3, 1, 2], [0, 5, -5], [4, 1, 9]))
    tensors = map(torch.from_numpy, (x, mean, var, scale, bias))
    expected = torch.nn.functional.batch_norm(*tensors, eps=1e-3).numpy()
    node = "BatchNormalization", x, scale, bias, mean, var

    y = run(*node, opset=opset, epsilon=1e-3)

    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6)  # epsilon is a float32
    assert differs(reference, expected, *node, opset=opset, epsilon=1e-3) == (opset < 14)


@pytest.mark.parametrize("size", [1, 3, 4, 5])
def test_local_response_for_every_channel(size, torch, reference):
    x = np.random.default_rng(0).standard_normal((2, 7, 3, 4))
    node = dict(size=size, alpha=0.5, beta=0.75, bias=2.0)
    squares = np.pad(x * x, ((0, 0), ((size - 1) // 2, size // 2), (0, 0), (0, 0)))
    sums = sum(squares[:, shift : shift + 7] for shift in range(size))
    expected = x / (2 + 0.5 / size * sums) ** 0.75
    if size % 2:
        theirs = torch.nn.functional.local_response_norm(torch.from_numpy(x), size, 0.5, 0.75, 2.0)
        np.testing.assert_allclose(theirs.numpy(), expected, rtol=1e-12)

    np.testing.assert_allclose(run("LRN", x, **node), expected, rtol=1e-6)
    assert differs(reference, expected, "LRN", x, **node)


def test_normalization_that_trains_is_refused_before_opset_14(onnx):  # noqa: ARG001 (it must be there)
    x, channel = np.ones((2, 3, 4), np.float32), np.ones(3, np.float32)

    with pytest.raises(NotImplementedError, match="opset before 14 must have one output"):
        run("BatchNormalization", x, channel, channel, channel, channel, opset=9, outputs=5)
