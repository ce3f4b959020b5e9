"""fastconv: a plan that writes into a given array, the public function, and another plan for who asks."""

from __future__ import annotations

import numpy as np

import fastconv
from bench.layers import Layer
from bench.peers.libraries import CALL, FAST, PLAN, Contender

PACKAGES = ("fastconv", "numba")


def limit(threads: int) -> None:
    """Use so many threads."""
    fastconv.set_num_threads(threads)


def contenders(layer: Layer) -> list[Contender]:
    """List plan and call, and a plan with ``backend="fast"`` if that is another."""
    plan, fast, x = layer.plan(), layer.plan("fast"), layer.x
    y = plan(x)  # to be written again and again
    found = [
        Contender(plan.kernel.name, lambda: plan(x, out=y), np.asarray, (PLAN,)),
        Contender("call", layer.call(), np.asarray, (CALL,)),
    ]
    if fast.kernel is not plan.kernel:
        found.append(Contender(fast.kernel.name, lambda: fast(x, out=y), np.asarray, (FAST,)))
    return found
