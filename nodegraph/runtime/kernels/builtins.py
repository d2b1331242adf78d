"""The words of the kernel language: which Python functions it knows and what they become.

`float_words` map to one LLVM instruction. `composed` words (exp, sin, …) are written in the kernel language itself, in
`maths`. `memory_words` are for the engine's own native code (`nodegraph.runtime.native`): raw addresses, atomics, calls
by address. A node's kernel cannot name them, since they are no functions that nodes can import.
"""

from __future__ import annotations

import ast
import builtins as python
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from llvmlite import ir

from nodegraph.core import arithmetic as core
from nodegraph.runtime.kernels import vectors
from nodegraph.runtime.kernels.operators import choose, compare, floor, negate, truth
from nodegraph.runtime.kernels.values import (
    Array,
    Operand,
    Type,
    Unfit,
    Value,
    Weak,
    constant,
    convert,
    intrinsic,
    ir_type,
    is_float,
    signed_float,
    truncated_u32,
    unify,
)

if TYPE_CHECKING:
    from nodegraph.runtime.kernels.lowering import Lowering

_WORDS: Final[dict[Any, str]] = {
    python.abs: "abs", math.fabs: "abs", python.min: "min", python.max: "max", python.len: "len", python.float: "f32",
    python.int: "i64", math.floor: "floor", math.sqrt: "sqrt", math.copysign: "copysign",
    core.f32: "f32", core.f64: "f64", core.u32: "u32", core.i64: "i64", core.signed: "signed", core.fma: "fma",
    core.where: "where", core.rarely: "rarely", core.still: "still", core.rows: "rows", core.vector: "vector",
    core.beside: "beside", core.swap_places: "swap_places", core.swap_quads: "swap_quads",
    core.bits_of: "bits_of", core.from_bits: "from_bits",
    math.exp: "exp", math.log: "log", math.sin: "sin", math.cos: "cos", math.tan: "tan", math.tanh: "tanh",
    math.pow: "pow", python.pow: "pow", core.sin_pi: "sin_pi", core.cos_pi: "cos_pi", core.tan_pi: "tan_pi",
    core.exp2: "exp2",
}  # fmt: skip


def word_for(function: Any) -> str | None:
    """The word that a Python function stands for, or None."""
    try:
        found = _WORDS.get(function)
    except TypeError:
        return None
    return found or getattr(function, "kernel_word", None)


def emit(lowering: Lowering, name: str, arguments: list[Any]) -> Any:
    """Emit one word."""
    from nodegraph.runtime.kernels import maths, memory_words

    builder = lowering.builder
    if name in memory_words.WORDS:
        return memory_words.WORDS[name](builder, *_typed(builder, arguments))
    if name in ("len", "rows"):
        (array,) = arguments
        if not isinstance(array, Array):
            raise Unfit(f"{name}(…) takes an array")
        if name == "rows" and array.rows is None:
            raise Unfit("rows(…) takes an array with two dimensions")
        return Value(array.length if name == "len" else array.rows, Type("i64"))
    if name == "still":
        (array,) = arguments
        if not isinstance(array, Array) or array.rows is not None:
            raise Unfit("still(…) takes a control inlet")
        # a control that stands still is known to do so when the kernel is made: the other path is not even compiled
        return Weak(True) if array.stride == 0 else lowering.inline(maths.all_equal, {"values": array})[0]
    if any(not isinstance(item, (Value, Weak)) for item in arguments):
        raise Unfit(f"{name}(…) takes numbers")
    composed = getattr(maths, name, None)
    if composed is not None and name in maths.__all__:
        values = unify(builder, *arguments, floats=True)
        if values[0].type.elem == "f64":
            values = [convert(builder, item, "f32") for item in values]
        return lowering.inline(composed, dict(zip(composed.__code__.co_varnames, values, strict=False)))[0]
    return _SIMPLE[name](lowering, *arguments)


def _typed(builder: ir.IRBuilder, arguments: list[Any]) -> list[Value]:
    return [unify(builder, item)[0] if isinstance(item, Weak) else item for item in arguments]


def fused(builder: ir.IRBuilder, a: Value, b: Value, c: Value, *, fused: bool) -> Value:
    """``a * b + c``: one rounding where the processor has it, two on every form where it has not."""
    if fused:
        return Value(intrinsic(builder, "llvm.fma", a.ir.type, [a.ir, b.ir, c.ir], [a.ir.type]), a.type)
    return Value(builder.fadd(builder.fmul(a.ir, b.ir), c.ir), a.type)


def _fma(lowering: Lowering, a: Operand, b: Operand, c: Operand) -> Value:
    return fused(lowering.builder, *unify(lowering.builder, a, b, c, floats=True), fused=lowering.fused)


def _abs(lowering: Lowering, x: Operand) -> Operand:
    if isinstance(x, Weak):
        return Weak(abs(x.number))
    builder = lowering.builder
    if is_float(x.type):
        return Value(intrinsic(builder, "llvm.fabs", x.ir.type, [x.ir], [x.ir.type]), x.type)
    if x.type.elem == "u32":
        return x
    return choose(
        builder,
        Value(builder.icmp_signed("<", x.ir, constant(0, x.type).ir), Type("bool", x.type.lanes)),
        negate(builder, x),
        x,
    )


def _extreme(op: type[ast.cmpop]) -> Callable[..., Operand]:
    def emit(lowering: Lowering, first: Operand, *others: Operand) -> Operand:
        found = first
        for other in others:
            if isinstance(found, Weak) and isinstance(other, Weak):
                found = Weak(min(found.number, other.number) if op is ast.Lt else max(found.number, other.number))
                continue
            a, b = unify(lowering.builder, found, other)
            test = compare(lowering.builder, op, a, b)
            assert isinstance(test, Value)
            found = choose(lowering.builder, test, a, b)
        return found

    return emit


def _floor(lowering: Lowering, x: Operand) -> Value:
    return floor(lowering.builder, unify(lowering.builder, x, floats=True)[0])


def _sqrt(lowering: Lowering, x: Operand) -> Value:
    (value,) = unify(lowering.builder, x, floats=True)
    return Value(intrinsic(lowering.builder, "llvm.sqrt", value.ir.type, [value.ir], [value.ir.type]), value.type)


def _copysign(lowering: Lowering, x: Operand, sign: Operand) -> Value:
    a, b = unify(lowering.builder, x, sign, floats=True)
    return Value(intrinsic(lowering.builder, "llvm.copysign", a.ir.type, [a.ir, b.ir], [a.ir.type]), a.type)


def _cast(elem: str) -> Callable[..., Operand]:
    def emit(lowering: Lowering, x: Operand) -> Operand:
        if isinstance(x, Weak):
            return constant(x.number, Type(elem))
        if elem == "u32" and is_float(x.type):
            return truncated_u32(lowering.builder, x)
        return convert(lowering.builder, x, elem)

    return emit


def _signed(lowering: Lowering, x: Operand) -> Value:
    (value,) = unify(lowering.builder, x)
    if value.type.elem != "u32":
        raise Unfit("signed(…) reads a u32")
    return signed_float(lowering.builder, value)


def _where(lowering: Lowering, test: Operand, a: Operand, b: Operand) -> Value:
    first, second = unify(lowering.builder, a, b)
    condition = truth(lowering.builder, unify(lowering.builder, test)[0])
    return choose(lowering.builder, condition, first, second)


def _rarely(lowering: Lowering, test: Operand) -> Operand:
    return test  # what it means for an `if` is the lowering's business


def _bits(elem: str) -> Callable[..., Value]:
    def emit(lowering: Lowering, x: Operand) -> Value:
        value = constant(x.number, Type("f32" if elem == "u32" else "u32")) if isinstance(x, Weak) else x
        if elem == "u32":
            value = convert(lowering.builder, value, "f32")
        type_ = Type(elem, value.type.lanes)
        return Value(lowering.builder.bitcast(value.ir, ir_type(type_)), type_)

    return emit


_SIMPLE: Final[dict[str, Callable[..., Any]]] = {
    "fma": _fma, "abs": _abs, "min": _extreme(ast.Lt), "max": _extreme(ast.Gt), "floor": _floor, "sqrt": _sqrt,
    "copysign": _copysign, "f32": _cast("f32"), "f64": _cast("f64"), "u32": _cast("u32"), "i64": _cast("i64"),
    "signed": _signed, "where": _where, "rarely": _rarely, "bits_of": _bits("u32"), "from_bits": _bits("f32"),
    **vectors.WORDS,
}  # fmt: skip
