"""Choose the kernel for a problem: the cheapest row of the table that does not reject it."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache

import numpy as np

from fastconv import backends as folder
from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem, FoldProblem, PoolProblem

Problem = ConvProblem | PoolProblem
Rankable = Problem | FoldProblem

EVERY = ("auto", "fast")  # names of no backend: every row, in the second case also those to be asked for

_used: ContextVar[str | None] = ContextVar("fastconv_backend", default=None)


@cache
def _installed() -> tuple[str, ...]:
    """Names of the backends there are, usable or not: the modules of the folder."""
    return tuple(info.name for info in pkgutil.iter_modules(folder.__path__))


@cache
def _loaded(backend: str) -> tuple[tuple[Kernel, ...], str | None]:
    """Rows of one backend, or none and why it cannot be imported."""
    name = f"{folder.__name__}.{backend}"
    try:
        module = importlib.import_module(name)
        inner = pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}.")
        modules = [module, *(importlib.import_module(info.name) for info in inner)]
    except ImportError as error:
        return (), f"{backend} cannot be imported here: {error}"
    from fastconv import costs  # reads files, which costs as much to import as half of the package

    costs.load(backend)
    rows = [row for module in modules for row in getattr(module, "KERNELS", ())]
    return tuple(sorted(rows, key=lambda row: row.name)), None


def table(backend: str = "auto") -> tuple[Kernel, ...]:
    """Every kernel there is, by name; those of one backend or one row if `backend` names it."""
    if backend in EVERY:
        return tuple(row for name in _installed() for row in _loaded(name)[0])
    rows = _loaded(backend.partition(":")[0])[0]
    return tuple(row for row in rows if backend in (row.backend, row.name))


def backends() -> tuple[str, ...]:
    """Name the backends that are usable here.

    ``"naive"``, the definition as plain loops, and ``"einsum"``, on NumPy, always are; ``"numba"`` is
    where Numba can be imported.

    Examples
    --------
    >>> {"naive", "einsum"} <= set(fastconv.backends())
    True
    """
    return tuple(sorted((name for name in _installed() if _loaded(name)[0]), reverse=True, key=_age))


def _age(name: str) -> int:
    """Order of the backends where people read them: naive, einsum, numba, then others."""
    order = ("naive", "einsum", "numba")
    return -order.index(name) if name in order else -len(order)


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Compute with one backend, or one row of the table, inside a ``with`` block.

    An argument ``backend=`` of a call goes before it, and it goes before the environment's
    ``FASTCONV_BACKEND``, which is read once. Threads and asyncio tasks have each their own.

    Parameters
    ----------
    name : str
        One of `backends()`, a row's full name such as ``"numba:direct"``, ``"auto"``, or ``"fast"``: as
        that, and rows that have to be asked for, as their errors go by what is around a window, too.

    Raises
    ------
    ValueError : there is no such backend or row.

    Examples
    --------
    >>> with fastconv.use_backend("naive"):
    ...     y = fastconv.max_pool(np.arange(4.0).reshape(1, 4, 1), 2)
    >>> y[0, :, 0]
    array([1., 3.])
    """
    token = _used.set(checked_backend(name, "use_backend"))
    try:
        yield
    finally:
        _used.reset(token)


def current_backend(backend: str, op: str) -> str:
    """Resolve a call's ``backend=``: the argument, else `use_backend`, else the environment."""
    return checked_backend(wanted_backend(backend), op)


def wanted_backend(backend: str) -> str:
    """Return what `current_backend` resolves to, whether or not there is such a backend."""
    if backend != "auto":
        return backend
    return _used.get() or usual()


@cache
def usual() -> str:
    """Return the environment's backend, which is asked for once: it takes as long as a small kernel."""
    return os.environ.get("FASTCONV_BACKEND") or "auto"


def checked_backend(backend: str, op: str) -> str:
    """Return the name of a backend or row that exists, usable or not."""
    known = isinstance(backend, str) and backend in (*EVERY, *_installed())
    if not known and not (isinstance(backend, str) and _row_exists(backend)):
        names = ", ".join((*EVERY, *_installed()))
        raise ValueError(
            f"{op}: `backend` must be one of {names} or a row's full name as `explain` lists them; "
            f"got {backend!r}"
        )
    return backend


def _row_exists(name: str) -> bool:
    """Whether a full name is a row's, or cannot be known since its backend does not import."""
    backend, colon, _ = name.partition(":")
    return bool(colon) and backend in _installed() and (not _loaded(backend)[0] or bool(table(name)))


@lru_cache(maxsize=1024)
def ranking(problem: Rankable, backend: str = "auto") -> tuple[Kernel, ...]:
    """Kernels that can compute `problem`, of `backend` if one is named, the cheapest first."""
    rows = [row for row in _rows(problem, backend) if not row.asked or backend in ("fast", row.name)]
    able = [row for row in rows if row.rejects(problem) is None]
    return tuple(sorted(able, key=lambda row: row.cost(problem)))


def rank(problem: Rankable, backend: str) -> tuple[Kernel, ...]:
    """Return the `ranking`; for a caller's function, which may hold arrays, without keeping it."""
    is_kept = isinstance(getattr(problem, "reduction", ""), (str, np.ufunc))
    return (ranking if is_kept else ranking.__wrapped__)(problem, backend)


def choose(problem: Rankable, backend: str = "auto") -> Kernel:
    """Return the cheapest kernel for `problem`, of `backend` if one is named.

    Raises
    ------
    NotImplementedError : none can, with the table of reasons.
    """
    able = ranking(problem, backend)
    if not able:
        raise cannot(problem, backend)
    return able[0]


def cannot(problem: Rankable, backend: str, refusals: dict[str, str] | None = None) -> Exception:
    """Say why no row of `backend` computes `problem`; `refusals` are reasons found in the weights."""
    return NotImplementedError(
        f"backend={backend!r} cannot compute {explain_problem(problem, refusals or {})}"
    )


def explain_problem(problem: Rankable, refusals: dict[str, str]) -> str:
    """List every row for `problem` with its predicted time, the cheapest first, or why it is out."""
    rows = _rows(problem, "auto")
    verdicts = {row.name: refusals.get(row.name) or row.rejects(problem) for row in rows}
    width = max(len(row.name) for row in rows)
    able = sorted((r for r in rows if not verdicts[r.name]), key=lambda r: (r.asked, r.cost(problem)))
    said = [f"{row.cost(problem) * 1e3:.3g} ms{', if asked for' * row.asked}" for row in able]
    lines = [f"  {row.name:<{width}}  {verdict}" for row, verdict in zip(able, said, strict=True)]
    lines += [f"  {row.name:<{width}}  {verdicts[row.name]}" for row in rows if verdicts[row.name]]
    lines += [f"  {_loaded(name)[1]}" for name in _installed() if _loaded(name)[1]]
    return "\n".join([str(problem), *lines])


def _rows(problem: Rankable, backend: str) -> list[Kernel]:
    """Rows for this kind of problem."""
    return [row for row in table(backend) if isinstance(problem, row.problem)]
