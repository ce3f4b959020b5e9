"""Trees of arrays: tuples, lists and dictionaries, in one another, as JAX lets operands be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import NoneType
from typing import Any

NODES = (tuple, list, dict)
TREES = (*NODES, NoneType)  # whatever else is a leaf


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """List the leaves, and tell the structure, which equals that of trees of the same form alone."""
    if tree is None:
        return [], None
    if not isinstance(tree, NODES):
        return [tree], "*"
    keys = sorted(tree) if isinstance(tree, dict) else range(len(tree))
    leaves, forms = [], []
    for key in keys:
        below, form = flatten(tree[key])
        leaves += below
        forms.append(form)
    return leaves, (type(tree), tuple(keys), tuple(forms))


def unflatten(structure: Any, leaves: Sequence[Any]) -> Any:
    """Build the tree of a structure from its leaves."""
    return _built(structure, iter(leaves))


def _built(structure: Any, leaves: Iterator[Any]) -> Any:
    if structure is None:
        return None
    if structure == "*":
        return next(leaves)
    kind, keys, forms = structure
    parts = [_built(form, leaves) for form in forms]
    if issubclass(kind, dict):
        return kind(zip(keys, parts, strict=True))
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
