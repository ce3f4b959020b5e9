"""JAX: jitted functions of arrays that are where it wants them."""

from __future__ import annotations

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from bench.layers import Layer
from bench.peers.libraries import Contender

PACKAGES = ("jax", "jaxlib")
AXES = {1: "W", 2: "HW", 3: "DHW"}


def limit(_threads: int) -> None:
    """Leave it: XLA starts as many threads as there are CPUs for the process."""


def contenders(layer: Layer) -> list[Contender]:
    """List the one way."""
    function = _pool(layer) if layer.w is None else _conv(layer)
    arrays = [jax.device_put(array) for array in (layer.x, layer.w) if array is not None]
    compiled = jax.jit(function)
    return [Contender("jit", lambda: compiled(*arrays).block_until_ready(), np.asarray)]


def _conv(layer: Layer):
    p, win, axes = layer.problem, layer.problem.window, AXES[layer.problem.window.rank]
    names = f"N{axes}C", f"{axes}IO", f"N{axes}C"
    return lambda x, w: lax.conv_general_dilated(x, w, win.s, win.p, win.b, win.d, names, p.g)


def _pool(layer: Layer):
    p, win = layer.problem, layer.problem.window
    if p.reduction == "mean" and set(win.o) == {1} and win.is_plain:
        return lambda x: jnp.mean(x, tuple(range(1, 1 + win.rank)), keepdims=True)
    k, s, pads = (1, *win.k, 1), (1, *win.s, 1), ((0, 0), *win.p, (0, 0))
    if p.reduction == "max":
        return lambda x: lax.reduce_window(x, -np.inf, lax.max, k, s, pads)
    divisors = jnp.asarray(p.divisors())
    return lambda x: lax.reduce_window(x, 0.0, lax.add, k, s, pads) / divisors
