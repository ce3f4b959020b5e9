"""Comparison of many calls in one test: each that differs from a peer's answer is named in full."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pytest

import fastconv

from .cases import Case

SHOWN = 12  # disagreements printed in full

Arrays = Sequence[np.ndarray]
Call = Callable[..., Any]  # (case, *arrays) -> array; a peer that lacks the options gives None


def grouped(cases: Iterable[Case]) -> list:
    """Parameters of a test: the cases of one operation, rank and dtype together."""

    def key(case: Case) -> str:
        return f"{case.op}-{case.rank}d-{case.dtype}"

    groups = itertools.groupby(sorted(cases, key=key), key)
    return [pytest.param(tuple(members), id=name) for name, members in groups]


def assert_agreement(
    jax: Any,
    cases: Sequence[Case],
    arrays: Sequence[Arrays],
    ours: Call,
    *,
    peers: dict[str, Call],
    equal: Call | None = None,
    complete: tuple[str, ...] = ("naive", "einsum"),
) -> None:
    """Compare every case's result, by every usable backend, with every peer's answer.

    ``equal(case, y, answer)`` raises AssertionError where they differ; without it they must have the
    same dtype, shape and numbers. A case that no peer answers is a fault too, as is one that a
    `complete` backend refuses.
    """
    answers = {name: answered(jax, peer, cases, arrays) for name, peer in peers.items()}
    faults = []
    for at, (case, given) in enumerate(zip(cases, arrays, strict=True)):
        try:
            asked = {name: found[at] for name, found in answers.items() if found[at] is not None}
            assert asked, "no peer has these options"
            for backend, y in computed(ours, case, given, complete):
                for name, answer in asked.items():
                    judge(case, backend, y, name, answer, equal)
        except Exception as error:
            faults.append(f"{case}\n  {type(error).__name__}: {error}")
    if faults:
        shown = "\n\n".join(faults[:SHOWN])
        pytest.fail(f"{len(faults)} of {len(cases)} cases disagree\n\n{shown}", pytrace=False)


def answered(jax: Any, peer: Call, cases: Sequence[Case], arrays: Sequence[Arrays]) -> list[Any]:
    """Ask a peer for all cases in one program, which compiles several times faster than one for each.

    An answer may be None, or the exception that the peer raised. Without JAX the peer is asked case by case.
    """
    if jax is None:
        return [_tried(peer, case, given) for case, given in zip(cases, arrays, strict=True)]
    raised: dict[int, Exception] = {}

    def program(arrays):
        results = []
        for at, (case, given) in enumerate(zip(cases, arrays, strict=True)):
            try:
                results.append(peer(case, *given))
            except Exception as error:
                raised[at] = error
                results.append(None)
        return results

    results = jax.device_get(jax.jit(program)(arrays))
    return [raised.get(at, result) for at, result in enumerate(results)]


def _tried(peer: Call, case: Case, arrays: Arrays) -> Any:
    """Return a peer's answer or what it raised."""
    try:
        return peer(case, *arrays)
    except Exception as error:
        return error


def computed(
    ours: Call, case: Case, arrays: Arrays, complete: tuple[str, ...]
) -> list[tuple[str, np.ndarray]]:
    """Compute by every usable backend; only one that is not complete may refuse."""
    results = []
    for backend in fastconv.backends():
        try:
            with fastconv.use_backend(backend):
                results.append((backend, ours(case, *arrays)))
        except NotImplementedError:
            if backend in complete:
                raise
    return results


def judge(case: Case, backend: str, y: np.ndarray, name: str, answer: Any, equal: Call | None) -> None:
    """Compare one result with one answer."""
    if isinstance(answer, Exception):
        raise answer
    if equal is None:
        shown = f"{backend} (actual) and {name} (desired)"
        np.testing.assert_array_equal(y, answer, strict=True, err_msg=shown)
    else:
        equal(case, y, answer)
