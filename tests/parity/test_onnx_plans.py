"""Nodes plan once for weights that cannot change, and for no others."""

import numpy as np
import pytest

import fastconv

pytestmark = pytest.mark.parity

X = np.arange(2 * 6 * 5, dtype=np.float32).reshape(1, 2, 6, 5) % 7


def expected(x, w, b):
    """A convolution by definition."""
    with fastconv.use_backend("naive"):
        return fastconv.functional.conv2d(x, w, b)


def weights(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(-4, 5, (3, 2, 2, 3)).astype(np.float32), rng.integers(-4, 5, 3).astype(np.float32)


@pytest.fixture
def model(onnx):
    """One Conv, whose weights are initialisers; `raw` says how the file holds them."""

    def made(raw):
        h, numbers = onnx.helper, onnx.TensorProto.FLOAT
        held = []
        for name, array in zip("wb", weights(0), strict=True):
            data = array.tobytes() if raw else array.ravel()
            held.append(h.make_tensor(name, numbers, array.shape, data, raw=raw))
        image = h.make_tensor_value_info("x", numbers, (1, 2, "height", "width"))
        y = h.make_empty_tensor_value_info("y")
        graph = h.make_graph([h.make_node("Conv", ["x", "w", "b"], ["y"])], "one", [image], [y], held)
        return h.make_model(graph, opset_imports=[h.make_opsetid("", 13)])

    return made


@pytest.fixture(params=[True, False], ids=["raw", "floats"])
def ready(request, model):
    from fastconv.integrations.onnx import evaluator

    return evaluator(model(request.param))


def run(ready, **feeds):
    return ready.run(None, feeds)[0]


def plan(ready):
    return ready.rt_nodes_[0].plan


def test_initialisers_are_planned_once(ready):
    np.testing.assert_array_equal(run(ready, x=X), expected(X, *weights(0)))
    first = plan(ready)
    np.testing.assert_array_equal(run(ready, x=X + 1), expected(X + 1, *weights(0)))

    assert first is not None
    assert plan(ready) is first


def test_initialisers_cannot_be_written_to(ready):
    for array in ready.rt_inits_.values():
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


def test_other_shapes_and_backends_are_planned_anew(ready):
    run(ready, x=X)
    smaller = X[:, :, 1:, :4]
    np.testing.assert_array_equal(run(ready, x=smaller), expected(smaller, *weights(0)))
    assert plan(ready).x_shape == smaller.shape
    with fastconv.use_backend("einsum"):
        np.testing.assert_array_equal(run(ready, x=smaller), expected(smaller, *weights(0)))
    assert plan(ready).kernel.backend == "einsum"


def test_weights_that_are_written_to_are_seen(model):
    """Without `evaluator`, some initialisers are writeable arrays, the same in every run."""
    from onnx.reference import ReferenceEvaluator

    from fastconv.integrations.onnx import OPS

    ready = ReferenceEvaluator(model(raw=False), new_ops=OPS)
    w, b = (ready.rt_inits_[name] for name in "wb")
    for change in range(3):
        w += change
        b -= change
        np.testing.assert_array_equal(run(ready, x=X), expected(X, w, b))


def test_weights_that_are_fed_are_seen(ready):
    w, b = weights(1)
    for change in range(3):
        w[1, 0] = change
        np.testing.assert_array_equal(run(ready, x=X, w=w, b=b), expected(X, w, b))
        np.testing.assert_array_equal(run(ready, x=X), expected(X, *weights(0)))


def test_views_of_what_can_be_written_to_are_not_constant(ready):
    w, _ = weights(1)
    view = w[:]
    view.flags.writeable = False
    for change in range(3):
        w[1, 0] = change
        np.testing.assert_array_equal(run(ready, x=X, w=view), expected(X, w, weights(0)[1]))


def test_constant_arrays_that_come_and_go_are_not_mixed_up(ready):
    """Each is freed after its run, and another may get its address: unless a plan holds on to it."""
    for seed in range(40):
        w, b = (np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape) for a in weights(seed))
        np.testing.assert_array_equal(run(ready, x=X, w=w, b=b), expected(X, *weights(seed)))
        del w, b


def test_operators_of_ones_own_go_first(model):
    from fastconv.integrations.onnx import OPS, evaluator

    (conv,) = (op for op in OPS if op.__name__ == "Conv")
    mine = type("Conv", (conv,), {"_run": lambda _self, x, *_, **__: (x,)})

    np.testing.assert_array_equal(run(evaluator(model(raw=True), new_ops=[mine]), x=X), X)
