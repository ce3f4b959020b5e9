"""Forms in which an array of numbers may come."""

import mmap

import numpy as np


def unaligned(x):
    """A copy of `x` that begins one byte into its memory."""
    memory = np.zeros(x.nbytes + 1, np.uint8)
    copy = memory[1:].view(x.dtype).reshape(x.shape)
    copy[...] = x
    assert not copy.flags.aligned
    return copy


def memory_mapped(x):
    pages = mmap.mmap(-1, max(x.nbytes, 1))
    copy = np.frombuffer(pages, x.dtype, x.size).reshape(x.shape)
    copy[...] = x
    return copy


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def spread(x):
    """Every other element of a larger array, along every axis."""
    copy = np.full([2 * n for n in x.shape], 77, x.dtype)[(slice(None, None, 2),) * x.ndim]
    copy[...] = x
    return copy


def backwards(x):
    return np.flip(np.flip(x).copy())


class Mine(np.ndarray):
    pass


class OnlyDLPack:
    """An array of a library that says where it lies by DLPack alone."""

    def __init__(self, x):
        self._x = x

    def __dlpack__(self, **options):
        return self._x.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._x.__dlpack_device__()


class OnlyInterface:
    """An object that describes its memory as NumPy does."""

    def __init__(self, x):
        self._x, self.__array_interface__ = x, x.__array_interface__


class OnlyArray:
    """An object that makes an array when it is asked to."""

    def __init__(self, x):
        self._x = x

    def __array__(self, dtype=None, copy=None):
        return np.array(self._x, dtype=dtype, copy=copy)


FORMS = {
    "list": lambda x: x.tolist(),
    "Fortran": np.asfortranarray,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "unaligned": unaligned,
    "memory-mapped": memory_mapped,
    "read-only": read_only,
    "spread": spread,
    "backwards": backwards,
    "axes exchanged": lambda x: np.moveaxis(np.moveaxis(x, 0, -1).copy(), -1, 0),
    "subclass": lambda x: x.view(Mine),
    "buffer": memoryview,
    "DLPack": OnlyDLPack,
    "array interface": OnlyInterface,
    "makes an array": OnlyArray,
    "unaligned, big-endian, backwards": lambda x: np.flip(
        unaligned(np.flip(x).astype(x.dtype.newbyteorder(">")))
    ),
}
