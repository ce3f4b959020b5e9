"""fastconv: a plan that writes into a given array, and the public function."""

from __future__ import annotations

import numpy as np

import fastconv
from bench.layers import Layer
from bench.peers.libraries import CALL, PLAN, Contender

PACKAGES = ("fastconv", "numba")


def limit(threads: int) -> None:
    """Use so many threads."""
    fastconv.set_num_threads(threads)


def contenders(layer: Layer) -> list[Contender]:
    """List plan and call."""
    plan, x = layer.plan(), layer.x
    y = plan(x)  # to be written again and again
    return [
        Contender(plan.kernel.name, lambda: plan(x, out=y), np.asarray, (PLAN,)),
        Contender("call", layer.call(), np.asarray, (CALL,)),
    ]
