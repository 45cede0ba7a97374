"""`Lanes`: LANES numbers that compiled code handles as one value, so that a loop over pixels reads like arithmetic.

Inside a compiled function, `load(array, at)` takes LANES neighbors out of a flat array and `store(array, at, value)`
puts them back. `+`, `-` and `*` go lane by lane; a plain number of the same precision stands for all lanes. The
processor does each in one or a few vector instructions, with no temporary array and no short remainder of a row.
"""

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.extending import models, overload, register_model

from edudiff.support.types import Array

LANES = 16
CACHE_LINE = 64  # bytes

intrinsic: Any = extending.intrinsic  # its functions lose their first argument, which no type checker can know

WORDS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}
FUSED = ("contract",)  # a product and a sum may be rounded once


class Lanes(types.Type):
    """The type of a value of LANES numbers; `real`: float32 or float64."""

    def __init__(self, real):
        self.real = real
        super().__init__(name=f"Lanes({real})")


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, lanes):
        super().__init__(manager, lanes, ir.VectorType(WORDS[lanes.real], LANES))


def _address(context, builder, array_type, array, at):
    """Where LANES numbers of a flat array begin, as a pointer to a vector."""
    data = context.make_array(array_type)(context, builder, array).data
    vector = ir.VectorType(WORDS[array_type.dtype], LANES)
    return builder.bitcast(builder.gep(data, [at]), vector.as_pointer())


def _spread(builder, number):
    """One number in every lane."""
    vector = ir.VectorType(number.type, LANES)
    nothing = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.IntType(32)(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def empty(count: int, dtype: Any) -> Array:
    """A flat array of `count` numbers whose first Lanes begin at a cache line: none then lies across two lines."""
    size = np.dtype(dtype).itemsize
    memory = np.empty(count * size + CACHE_LINE, np.uint8)
    first = -memory.ctypes.data % CACHE_LINE
    return memory[first : first + count * size].view(dtype)


@intrinsic
def load(typing_context, array, at):
    """LANES neighbors of a flat, contiguous array, the first of them at `at`."""

    def generate(context, builder, signature, arguments):
        value = builder.load(_address(context, builder, array, *arguments))
        value.align = array.dtype.bitwidth // 8
        return value

    return Lanes(array.dtype)(array, types.intp), generate


@intrinsic
def store(typing_context, array, at, value):
    """Write `value` to LANES neighbors of a flat, contiguous array, the first of them at `at`."""

    def generate(context, builder, signature, arguments):
        written = builder.store(arguments[2], _address(context, builder, array, *arguments[:2]))
        written.align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


@intrinsic
def pick(typing_context, array, at):
    """One number of a flat, contiguous array: `array[at]`, which must not be counted from the end."""

    def generate(context, builder, signature, arguments):
        data = context.make_array(array)(context, builder, arguments[0]).data
        return builder.load(builder.gep(data, [arguments[1]]))

    return array.dtype(array, types.intp), generate


@intrinsic
def spread(typing_context, number):
    """One number in every lane."""

    def generate(context, builder, signature, arguments):
        return _spread(builder, arguments[0])

    return Lanes(number)(number), generate


@intrinsic
def cast(typing_context, value, number):
    """`value` in the precision of `number`."""

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(WORDS[number], LANES)
        if value.real == number:
            return arguments[0]
        if number == types.float64:
            return builder.fpext(arguments[0], vector)
        return builder.fptrunc(arguments[0], vector)

    return Lanes(number)(value, number), generate


def _lane_by_lane(symbol, instruction):
    """Give `symbol`, an operator, a meaning for Lanes with Lanes and for Lanes with a number."""

    @intrinsic
    def apply(typing_context, a, b):
        def generate(context, builder, signature, arguments):
            return getattr(builder, instruction)(*arguments, flags=FUSED)

        return a(a, b), generate

    @overload(symbol)
    def of_lanes(a, b):
        if isinstance(a, Lanes) and isinstance(b, Lanes):
            return lambda a, b: apply(a, b)
        if isinstance(a, Lanes):
            return lambda a, b: apply(a, spread(b))
        if isinstance(b, Lanes):
            return lambda a, b: apply(spread(a), b)

    return of_lanes


for _symbol, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _lane_by_lane(_symbol, _instruction)


@intrinsic
def below(typing_context, value, limit):
    """Which lanes of `value` are below those of `limit`: bit k of a whole number stands for lane k."""

    def generate(context, builder, signature, arguments):
        bits = builder.bitcast(builder.fcmp_ordered("<", *arguments), ir.IntType(LANES))
        return builder.zext(bits, ir.IntType(64))

    return types.int64(value, limit), generate


@intrinsic
def first_bit(typing_context, bits):
    """The place of the lowest bit of a whole number that is not 0."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(types.int64), generate


@intrinsic
def larger(typing_context, a, b):
    """The larger of each pair of lanes."""

    def generate(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return a(a, b), generate


@intrinsic
def lowest(typing_context, value):
    """The smallest of all lanes."""

    def generate(context, builder, signature, arguments):
        word, name = WORDS[value.real], f"llvm.vector.reduce.fmin.v{LANES}f{value.real.bitwidth}"
        kind = ir.FunctionType(word, [arguments[0].type])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments, fastmath=("nnan",))

    return value.real(value), generate


@intrinsic
def add_to_exponent(typing_context, value, rounded):
    """value * 2**k in each lane, where the integer k is in the lowest bits of `rounded`."""

    def generate(context, builder, signature, arguments):
        bits, digits = (32, 23) if value.real == types.float32 else (64, 52)
        whole = ir.VectorType(ir.IntType(bits), LANES)
        power, rounded = (builder.bitcast(a, whole) for a in arguments)
        shift = ir.Constant(whole, [digits] * LANES)
        return builder.bitcast(builder.add(power, builder.shl(rounded, shift)), arguments[0].type)

    return value(value, rounded), generate
