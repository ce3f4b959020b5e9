"""What the machine can do: NumPy's matrix product, and a copy by two threads of a layer's bytes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bench.layers import Layer
from bench.peers.libraries import LIMIT, Contender

PACKAGES = ("numpy",)
SIDE = 1024  # of the matrices
POOL = ThreadPoolExecutor(1)


def limit(_threads: int) -> None:
    """Leave BLAS as the environment has it; copies are always two threads'."""


def contenders(layer: Layer) -> list[Contender]:
    """List the limit of a layer: products for convolutions, bytes for pools."""
    if layer.w is not None:
        a, b, c = (np.ones((SIDE, SIDE), np.float32) for _ in range(3))
        return [Contender("matmul", lambda: np.matmul(a, b, out=c), np.asarray, (LIMIT,))]
    source = np.ones(max(2, layer.problem.bytes // 2), np.uint8)
    target, middle = np.zeros_like(source), len(source) // 2

    def copy():
        other = POOL.submit(np.copyto, target[:middle], source[:middle])
        np.copyto(target[middle:], source[middle:])
        other.result()

    return [Contender("copy", copy, np.asarray, (LIMIT,))]
