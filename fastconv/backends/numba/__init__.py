"""Numba: loop nests compiled to vector code, their tasks spread over threads.

``jit`` configures Numba and its threads, and ``cache`` keeps compiled code on disk. ``simd``, ``tiles`` and
``microkernel`` are the vectors that dense convolution is made of, and ``schedule`` cuts it into tasks.
``slots`` knows which inputs a window meets; ``arrays`` and ``epilogue`` are the two ends of a kernel. The
rest is one kernel a file, which opens with its loop nest.
"""
