"""PyTorch in inference mode, on contiguous tensors (n, c, *i) and on channels_last ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from bench.layers import Layer
from bench.peers.libraries import Contender

PACKAGES = ("torch",)
FORMATS = {2: torch.channels_last, 3: torch.channels_last_3d}


def limit(threads: int) -> None:
    """Use so many threads, and record nothing for gradients from here on."""
    torch.set_num_threads(threads)
    torch.inference_mode().__enter__()


def contenders(layer: Layer) -> list[Contender]:
    """List both memory formats, which are one where there is one channel."""
    rank = layer.problem.window.rank
    found = [_contender("contiguous", layer, rank, torch.contiguous_format)]
    if layer.x.shape[-1] > 1:
        found.append(_contender("channels_last", layer, max(rank, 2), FORMATS[max(rank, 2)]))
    return found


def _contender(name: str, layer: Layer, rank: int, layout: torch.memory_format) -> Contender:
    """Compute with tensors in a memory format; one spatial axis may stand as the second of two."""
    x = _lifted(torch.from_numpy(np.moveaxis(layer.x, -1, 1).copy()), rank).contiguous(memory_format=layout)
    run = _pool(layer, rank, x) if layer.w is None else _conv(layer, rank, x, layout)
    return Contender(name, run, lambda y: np.moveaxis(y.numpy(), 1, -1))


def _lifted(x: torch.Tensor, rank: int) -> torch.Tensor:
    """Give a tensor so many spatial axes."""
    return x if x.ndim == rank + 2 else x.unsqueeze(2)


def _per_axis(values: Any, rank: int, fill: int) -> tuple[int, ...]:
    """Give a window's numbers so many axes."""
    values = tuple(values)
    return (fill,) * (rank - len(values)) + values


def _conv(layer: Layer, rank: int, x: torch.Tensor, layout: torch.memory_format) -> Callable[[], Any]:
    win, own = layer.problem.window, layer.problem.window.rank
    w = torch.from_numpy(layer.weights.transpose(own + 1, own, *range(own)).copy())
    w = _lifted(w, rank).contiguous(memory_format=layout)
    pads = _per_axis(map(max, layer.padding), rank, 0)
    if layer.is_transposed:
        functions = functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d
        function, b = functions[rank - 1], _per_axis(win.b, rank, 1)
        return lambda: function(x, w, None, b, pads)
    function = (functional.conv1d, functional.conv2d, functional.conv3d)[rank - 1]
    options = _per_axis(win.s, rank, 1), pads, _per_axis(win.d, rank, 1), layer.problem.g
    if all(lo == hi for lo, hi in layer.padding):
        return lambda: function(x, w, None, *options)
    # Padded on both sides, with what that is too much left out: quicker than a padded copy.
    assert set(win.s) == {1}
    kept = [slice(max(lo, hi) - lo, max(lo, hi) - lo + o) for (lo, hi), o in zip(win.p, win.o, strict=True)]
    index = (slice(None),) * (2 + rank - own) + tuple(kept)
    return lambda: function(x, w, None, *options)[index]


def _pool(layer: Layer, rank: int, x: torch.Tensor) -> Callable[[], Any]:
    p, win = layer.problem, layer.problem.window
    if p.reduction == "mean" and set(win.o) == {1} and win.is_plain:
        return lambda: x.mean(tuple(range(2, 2 + rank)), keepdim=True)
    k, s = _per_axis(win.k, rank, 1), _per_axis(win.s, rank, 1)
    before = _per_axis([lo for lo, _ in win.p], rank, 0)
    # Padding behind alone is what the last window hangs over.
    over = any(hi > lo for lo, hi in win.p)
    if p.reduction == "max":
        pool = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[rank - 1]
        return lambda: pool(x, k, s, before, 1, over)
    mean = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)[rank - 1]
    return lambda: mean(x, k, s, before, over, p.divisor == "padded")
