"""The floating-point environment of this thread: rounding, what is trapped and flushed, NumPy's settings."""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
from contextlib import contextmanager

import numpy as np

_libm = ctypes.CDLL(ctypes.util.find_library("m"))
_HAS_MXCSR = platform.machine() in ("x86_64", "AMD64")
FLUSHED, UPWARD = 0x8040, 0x4000  # denormal results and operands are zero; rounding is up
FLAGS = 0x3F  # of MXCSR: what has happened, not what is to happen


def control() -> int:
    """Read MXCSR without its flags: how to round, what to trap, whether to flush."""
    if not _HAS_MXCSR:
        return 0
    saved = (ctypes.c_uint32 * 8)()  # the x87 unit's environment, then MXCSR
    _libm.fegetenv(saved)
    return saved[7] & ~FLAGS


@contextmanager
def controlled(bits: int):
    """Set bits of MXCSR for a while."""
    before, after = (ctypes.c_uint32 * 8)(), (ctypes.c_uint32 * 8)()
    _libm.fegetenv(before)
    _libm.fegetenv(after)
    after[7] |= bits
    _libm.fesetenv(after)
    try:
        yield
    finally:
        _libm.fesetenv(before)


def state() -> tuple:
    """Return all that a call must leave as it was."""
    return control(), _libm.fegetround(), tuple(sorted(np.geterr().items())), np.geterrcall()
