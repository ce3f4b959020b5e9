"""Explicit SIMD for Numba: typed pointers and vectors that stay in registers.

Kernels written in these words read as plain Python and compile to the loop an assembly programmer would
write, since LLVM keeps each vector in a register of its own.

    pointer(array)       address of the first element; the pointer's type knows the element's
    p + n                n elements further
    get(p) put(s, p)     one element
    load(p) store(v, p)  one vector, of any alignment
    halved(p)            the same address, of vectors of half the length
    every(s, p)          a vector of the type of `p` with the same number in every lane
    maximum minimum      elementwise; NaN wins, as in NumPy, and zeros have no sign
    plus minus times over    elementwise
    greatest least total product    of the elements of a vector

``tiles`` has the words for many vectors at a time, of which the elementwise ones here take rows, too.

A pointer keeps nothing alive, and Numba frees an array after its last use *as an array*: take pointers only
of arrays that came in as arguments, which their owner keeps for as long as the call lasts.
"""

from __future__ import annotations

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

from fastconv.backends.numba.registers import BYTES, REGISTERS  # noqa: F401 (words that kernels are sized by)

PAST = 1 << 23  # bytes of outputs: more are not in the cache when they are read, and written past it

I32, I64 = ir.IntType(32), ir.IntType(64)


class PointerType(types.Type):
    """An address of elements of one type, which are loaded in vectors of so many bytes."""

    def __init__(self, dtype, width=BYTES):
        self.dtype = dtype
        self.size = dtype.bitwidth // 8
        self.vector = VectorType(dtype, width)
        super().__init__(name=f"pointer({self.vector})")


class VectorType(types.Type):
    """As many elements of one type as fill a vector register, or part of one."""

    def __init__(self, dtype, width=BYTES):
        self.dtype = dtype
        self.size = dtype.bitwidth // 8
        self.lanes = width // self.size
        super().__init__(name=f"vector({self.lanes} x {dtype})")


@register_model(PointerType)
class _PointerModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, I64)


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, vector_type(kind))


# ---- LLVM: `b` is its builder, `at` an address as an integer, `kind` a VectorType ----------------------


def scalar_type(dtype):
    """Return the LLVM type of an element."""
    if isinstance(dtype, types.Float):
        return ir.FloatType() if dtype.bitwidth == 32 else ir.DoubleType()
    return ir.IntType(dtype.bitwidth)


def vector_type(kind):
    """Return the LLVM type of a vector."""
    return ir.VectorType(scalar_type(kind.dtype), kind.lanes)


def suffix(kind):
    """Name a vector type as LLVM's intrinsics do, ``v16f32``."""
    return f"v{kind.lanes}{'f' if isinstance(kind.dtype, types.Float) else 'i'}{kind.dtype.bitwidth}"


def load_vector(b, at, kind):
    """Load a vector that is aligned no better than its elements."""
    value = b.load(b.inttoptr(at, vector_type(kind).as_pointer()))
    value.align = kind.size
    return value


def store_vector(b, value, at, kind):
    """Store a vector that is aligned no better than its elements."""
    b.store(value, b.inttoptr(at, vector_type(kind).as_pointer())).align = kind.size


def broadcast(b, scalar, lanes):
    """Put a scalar in every lane."""
    undefined = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    first = b.insert_element(undefined, scalar, ir.Constant(I32, 0))
    return b.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(I32, lanes), [0] * lanes))


def call(b, name, kind, args, fastmath=()):
    """Call one of LLVM's intrinsics from vectors to a vector."""
    vector = vector_type(kind)
    function = ir.FunctionType(vector, [vector] * len(args))
    intrinsic = cgutils.get_or_insert_function(b.module, function, f"llvm.{name}.{suffix(kind)}")
    return b.call(intrinsic, args, fastmath=fastmath)


def after(b, at, elements, kind):
    """Move by a number of elements, known now (an int) or when the kernel runs."""
    if isinstance(elements, int):
        return b.add(at, ir.Constant(I64, elements * kind.size))
    return b.add(at, b.mul(elements, ir.Constant(I64, kind.size)))


# ---- pointers ------------------------------------------------------------------------------------------


@intrinsic
def pointer(_context, array):
    """Return the address of an array's first element."""

    def codegen(context, b, signature, args):
        data = context.make_array(signature.args[0])(context, b, args[0]).data
        return b.ptrtoint(data, I64)

    return PointerType(array.dtype)(array), codegen


@intrinsic
def halved(_context, p):
    """Return the same address, of vectors of half the length."""
    return PointerType(p.dtype, p.vector.lanes * p.size // 2)(p), lambda _c, _b, _s, args: args[0]


@intrinsic
def address(_context, p):
    """Return a pointer as an integer, in bytes."""
    return types.intp(p), lambda _c, _b, _s, args: args[0]


@type_callable(operator.add)
def _type_of_sum(_context):
    def typer(p, elements):
        return p if isinstance(p, PointerType) and isinstance(elements, types.Integer) else None

    return typer


@lower_builtin(operator.add, PointerType, types.Integer)
def _sum(context, builder, signature, args):
    elements = context.cast(builder, args[1], signature.args[1], types.int64)
    return after(builder, args[0], elements, signature.args[0])


@intrinsic
def lanes(_context, p):
    """Return how many elements of `p`'s type a vector holds."""
    count = p.vector.lanes
    return types.intp(p), lambda _c, _b, _s, _args: ir.Constant(I64, count)


@intrinsic(prefer_literal=True)
def load_pointers(_context, p, like, n):
    """Return `n` pointers of the type of `like`, whose addresses stand at `p`."""
    result = types.UniTuple(like, n.literal_value)

    def codegen(context, b, _signature, args):
        at = [after(b, args[0], i, p) for i in range(result.count)]
        return context.make_tuple(b, result, [b.load(b.inttoptr(a, I64.as_pointer())) for a in at])

    return result(p, like, n), codegen


@intrinsic
def shifted(_context, pointers, elements):
    """Return every pointer of a tuple moved by so many elements."""

    def codegen(context, b, _signature, args):
        at = cgutils.unpack_tuple(b, args[0], pointers.count)
        return context.make_tuple(b, pointers, [after(b, a, args[1], pointers.dtype) for a in at])

    return pointers(pointers, types.intp), codegen


@intrinsic
def get(_context, p):
    """Return the element at `p`."""

    def codegen(_context, b, _signature, args):
        return b.load(b.inttoptr(args[0], scalar_type(p.dtype).as_pointer()))

    return p.dtype(p), codegen


@intrinsic
def put(_context, value, p):
    """Write an element to `p`."""

    def codegen(context, b, signature, args):
        element = context.cast(b, args[0], signature.args[0], p.dtype)
        b.store(element, b.inttoptr(args[1], scalar_type(p.dtype).as_pointer()))
        return context.get_dummy_value()

    return types.void(value, p), codegen


# ---- one vector ----------------------------------------------------------------------------------------


@intrinsic
def load(_context, p):
    """Return the vector at `p`."""
    kind = p.vector
    return kind(p), lambda _c, b, _s, args: load_vector(b, args[0], kind)


@intrinsic
def store(_context, value, p):
    """Write a vector to `p`."""

    def codegen(context, b, _signature, args):
        store_vector(b, args[0], args[1], value)
        return context.get_dummy_value()

    return types.void(value, p), codegen


def _elementwise(doc, emit):
    """Make a word that combines each pair of lanes of two vectors, or of two rows of vectors."""

    @intrinsic
    def word(_context, x, y):
        def codegen(context, b, _signature, args):
            if isinstance(x, VectorType):
                return emit(b, x, *args)
            pairs = zip(*(cgutils.unpack_tuple(b, row) for row in args), strict=True)
            return context.make_tuple(b, x, [emit(b, x.dtype, *pair) for pair in pairs])

        return x(x, y), codegen

    word.__doc__ = doc
    return word


def _extreme(name):
    """Emit LLVM's greater or lesser of two vectors, which knows integers by other names than floats."""

    def emit(b, kind, x, y):
        if isinstance(kind.dtype, types.Float):
            return call(b, f"{name}imum", kind, [x, y], ["nsz"])  # else twice the instructions
        return call(b, f"{'s' if kind.dtype.signed else 'u'}{name}", kind, [x, y])

    return emit


def _arithmetic(name):
    """Emit an instruction of LLVM's builder, which floats have with an f."""
    return lambda b, kind, x, y: getattr(b, "f" * isinstance(kind.dtype, types.Float) + name)(x, y)


maximum = _elementwise("Return the greater of each pair of lanes; NaN wins.", _extreme("max"))
minimum = _elementwise("Return the lesser of each pair of lanes; NaN wins.", _extreme("min"))
plus = _elementwise("Return the sum of each pair of lanes; integers wrap around.", _arithmetic("add"))
minus = _elementwise("Return the difference of each pair of lanes; integers wrap around.", _arithmetic("sub"))
times = _elementwise("Return the product of each pair of lanes; integers wrap around.", _arithmetic("mul"))
over = _elementwise("Return the quotient of each pair of lanes, which are floats.", _arithmetic("div"))


def _across(doc, name, start=None):
    """Make a word that combines all lanes of a vector; sums and products of floats have a start."""

    @intrinsic
    def word(_context, x):
        floats = isinstance(x.dtype, types.Float)
        sign = "f" if floats else "" if start is not None else "s" if x.dtype.signed else "u"
        full = f"llvm.vector.reduce.{sign}{name}{'imum' if floats and start is None else ''}.{suffix(x)}"

        def codegen(_context, b, _signature, args):
            scalar = scalar_type(x.dtype)
            before = [] if start is None or not floats else [ir.Constant(scalar, start)]
            function = ir.FunctionType(scalar, [each.type for each in (*before, *args)])
            fastmath = ["reassoc", "nsz"] if floats else []
            return b.call(
                cgutils.get_or_insert_function(b.module, function, full), [*before, *args], fastmath=fastmath
            )

        return x.dtype(x), codegen

    word.__doc__ = doc
    return word


greatest = _across("Return the greatest lane; NaN wins.", "max")
least = _across("Return the least lane; NaN wins.", "min")
total = _across("Return the sum of all lanes.", "add", 0)
product = _across("Return the product of all lanes.", "mul", 1)


@intrinsic
def every(_context, value, p):
    """Return a vector of `p`'s type with `value` in every lane."""
    kind = p.vector

    def codegen(context, b, signature, args):
        return broadcast(b, context.cast(b, args[0], signature.args[0], kind.dtype), kind.lanes)

    return kind(value, p), codegen
