"""Stands in for Numba on a machine that has none: put this folder on PYTHONPATH."""

raise ImportError("numba is not on this machine")
