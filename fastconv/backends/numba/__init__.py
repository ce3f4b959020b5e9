"""Numba: loop nests compiled to vector code, their tasks spread over threads.

``jit`` configures Numba and its threads, ``slots`` knows which inputs a window meets, ``arrays`` and
``epilogue`` are the two ends of a kernel. The rest is one kernel a file, which opens with its loop nest.
"""
