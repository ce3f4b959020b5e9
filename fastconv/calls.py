"""What the faces share: check, state the problem, plan it, run it; and remember that.

A call whose arrays have the shapes, strides and dtypes of an earlier call's, with the same options, is the
same problem. One look-up on the raw arguments then stands for all checks and choices; only the weights are
prepared anew. What is remembered holds no array of a caller's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from fastconv import dispatch, plan
from fastconv.binding import later
from fastconv.kernel import Refusal
from fastconv.problem import (
    ConvProblem,
    Layout,
    Words,
    checked_array,
    checked_bias,
    checked_dtype,
    conv_transpose_problem,
    functional,
    memory_order,
    planned_shape,
)
from fastconv.problem.onnx import onnx_conv_problem, onnx_transpose_problem

LIMIT = 1024  # calls remembered; then all are forgotten

PLAIN = frozenset((int, str, type(None), Layout))

_recent: dict[tuple, Any] = {}


def convolve(
    words: Words,
    state: Any,
    inputs: Any,
    kernel: Any,
    data_format: str | Layout,
    options: dict[str, Any],
    bias: Any,
    activation: Any,
    backend: str,
    out: Any,
    *reads: Any,
) -> np.ndarray:
    """Compute a convolution that `state` states; `out` must not overlap `reads` either."""
    key = None
    given = *options.values(), data_format, activation, dispatch.wanted_backend(backend)
    if type(inputs) is np.ndarray and type(kernel) is np.ndarray and are_plain(given):
        shapes = inputs.shape, inputs.strides, inputs.dtype, kernel.shape, kernel.dtype
        key = state, words.op, given, bias is None, *shapes
        known = _recent.get(key)
        if known:
            if known.bound and not reads:
                y = known.blank() if out is None else out
                if known.bound(inputs, kernel, bias, y):
                    return y
            if out is None and inputs.flags.aligned and kernel.flags.aligned:
                try:
                    return _again(key, known, state, inputs, kernel, bias)
                except Refusal:  # these weights are not for the row that those of the earlier call were for
                    key = None
    x, w = checked_array(words, words.x, inputs), checked_array(words, words.w, kernel)
    layout = Layout.of(words, data_format, x.ndim)
    canonical = x.transpose(layout.x)
    order = memory_order(canonical.shape, canonical.strides)
    options = dict(options, x_order=order)
    rest = w, options, bias, activation, backend
    ready = _prepared(words, state, layout, x.shape, x.dtype, *rest, once=True)
    as_given = x is inputs and w is kernel and _takes(ready.problem, x, w)
    if key and as_given and not ready.refusals:
        remember(key, ready.without_weights())
    others = (array for array in (inputs, kernel, bias, *reads) if isinstance(array, np.ndarray))
    return ready.run(x, out, *others)


def reduction(
    words: Words,
    state: Any,
    inputs: Any,
    data_format: str | Layout,
    options: dict[str, Any],
    function: Any,
    backend: str,
) -> tuple[plan.Plan, np.ndarray]:
    """Plan a reduction over windows that `state` states; return the array too, as it was checked."""
    key = None
    given = *options.values(), data_format, dispatch.wanted_backend(backend)
    is_ours = type(function) is str or isinstance(function, np.ufunc)  # a caller's may hold its arrays
    if is_ours and type(inputs) is np.ndarray and are_plain(given):
        key = state, words.op, function, given, inputs.shape, inputs.strides, inputs.dtype
        known = _recent.get(key)
        if known and inputs.flags.aligned:
            if known.bound is later:
                known = known.binding(known.prepared, None)
                remember(key, known)
            return known, inputs
    x = checked_array(words, words.x, inputs)
    layout = Layout.of(words, data_format, x.ndim)
    canonical = x.transpose(layout.x)
    order = memory_order(canonical.shape, canonical.strides)
    problem = state(words, layout, x.shape, x.dtype, reduction=function, x_order=order, **options)
    ready = plan.make(words, layout, problem, backend, once=True)
    if key and x is inputs:
        remember(key, replace(ready, bound=later))
    return ready, x


def recall(key: tuple) -> Any:
    """Return the plan of an earlier call that had all of this the same, or None."""
    return _recent.get(key)


def remember(key: tuple, ready: Any) -> None:
    """Keep a plan, or one and what goes with it, that holds no array of a caller's."""
    if len(_recent) >= LIMIT:
        _recent.clear()
    _recent[key] = ready


def are_plain(options: Collection[Any]) -> bool:
    """Whether options can name a call.

    1.0 and True equal 1 but are not what 1 is, a list is no key, and a function may hold a caller's arrays.
    """
    kinds = set(map(type, options))
    if kinds <= PLAIN:
        return True
    return kinds <= PLAIN | {tuple} and all(are_plain(o) for o in options if type(o) is tuple)


def _takes(problem: Any, x: np.ndarray, w: np.ndarray) -> bool:
    """Whether arrays are of the dtypes that a problem computes with."""
    return x.dtype == problem.x_dtype and w.dtype == problem.w_dtype


def _again(
    key: tuple, known: plan.Plan, state: Any, x: np.ndarray, w: np.ndarray, given_bias: Any
) -> np.ndarray:
    """Compute the problem of an earlier call with other arrays; bind it, as it has come again."""
    problem: Any = known.problem
    bias = given_bias
    if bias is not None:
        bias = checked_bias(known.words, bias, problem.g * problem.oc, problem.acc_dtype)
    prepare = known.kernel.once or known.kernel.prepare
    prepared = prepare(known.given, _arranged(state, problem, w))
    if known.bound is later:
        remember(key, known.binding(prepared, bias, w, given_bias))
    return known.anew_with(x, prepared, bias)


def _arranged(state: Any, problem: ConvProblem, w: np.ndarray) -> np.ndarray:
    """View the weights as the problem's."""
    if state in ARRANGED:
        w = ARRANGED[state](problem, w)
    return w if w.shape == problem.w_shape else w.reshape(problem.w_shape)


def _transposed(_problem: ConvProblem, w: np.ndarray) -> np.ndarray:
    """Reverse taps and exchange channels: ``(*k, f, c)`` is ``(*k, c, f)``."""
    return np.flip(w, tuple(range(w.ndim - 2))).swapaxes(-1, -2)


# How weights become the problem's, where they are not by their shape.
ARRANGED = {
    conv_transpose_problem: _transposed,
    functional.grouped_conv_problem: functional.forward_weights,
    functional.grouped_transpose_problem: functional.transposed_weights,
    onnx_conv_problem: functional.forward_weights,
    onnx_transpose_problem: functional.transposed_weights,
}


def planned(
    words: Words,
    state: Any,
    input_shape: Any,
    kernel: Any,
    data_format: str | Layout,
    options: dict[str, Any],
    bias: Any,
    activation: Any,
    dtype: Any,
    backend: str,
) -> plan.Plan:
    """Plan a convolution of inputs that are yet to come, with copies of the caller's weights."""
    w = checked_array(words, words.w, kernel).copy()
    shape = planned_shape(words, input_shape)
    layout = Layout.of(words, data_format, len(shape))
    x_dtype = w.dtype if dtype is None else checked_dtype(words, "dtype", dtype, shape)
    bias = None if bias is None else np.array(bias)
    return _prepared(words, state, layout, shape, x_dtype, w, options, bias, activation, backend)


def _prepared(
    words, state, layout, x_shape, x_dtype, w, options, bias, activation, backend, *, once=False
) -> plan.Plan:
    """State a problem and plan it, to be computed `once` with the caller's weights or again and again."""
    problem = state(
        words,
        layout,
        x_shape,
        w.shape,
        x_dtype=x_dtype,
        w_dtype=w.dtype,
        has_bias=bias is not None,
        activation=None if callable(activation) else activation,
        **options,
    )
    if bias is not None:
        bias = checked_bias(words, bias, problem.g * problem.oc, problem.acc_dtype)
    w = _arranged(state, problem, w).astype(problem.w_dtype, copy=False)
    return plan.make(words, layout, problem, backend, w, bias, activation, once=once)
