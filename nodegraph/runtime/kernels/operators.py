"""Python's operators on the values of the kernel language."""

from __future__ import annotations

import ast
import operator
from typing import Any

from llvmlite import ir

from nodegraph.runtime.kernels.values import (
    Operand,
    Type,
    Unfit,
    Value,
    Weak,
    constant,
    convert,
    intrinsic,
    is_float,
    splat,
    unify,
)

_FOLD: dict[type[ast.operator], Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.LShift: operator.lshift,
    ast.RShift: operator.rshift, ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip
_FLOAT = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_WHOLE = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.LShift: "shl",
    ast.BitAnd: "and_",
    ast.BitOr: "or_",
    ast.BitXor: "xor",
}
_COMPARE: dict[type[ast.cmpop], tuple[str, Any]] = {
    ast.Lt: ("<", operator.lt), ast.LtE: ("<=", operator.le), ast.Gt: (">", operator.gt), ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq), ast.NotEq: ("!=", operator.ne),
}  # fmt: skip


def arithmetic(builder: ir.IRBuilder, op: type[ast.operator], left: Operand, right: Operand) -> Operand:
    """``left op right``."""
    if isinstance(left, Weak) and isinstance(right, Weak):
        try:
            return Weak(_FOLD[op](left.number, right.number))
        except (KeyError, ArithmeticError, TypeError) as error:
            raise Unfit(f"{left.number} {op.__name__} {right.number} has no value") from error
    if op is ast.Pow:
        return _power(builder, left, right)
    a, b = unify(builder, left, right, floats=op is ast.Div)
    if is_float(a.type):
        if op in _FLOAT:
            return Value(getattr(builder, _FLOAT[op])(a.ir, b.ir), a.type)
        if op in (ast.FloorDiv, ast.Mod):
            whole = floor(builder, Value(builder.fdiv(a.ir, b.ir), a.type))
            return whole if op is ast.FloorDiv else Value(builder.fsub(a.ir, builder.fmul(whole.ir, b.ir)), a.type)
        raise Unfit(f"{op.__name__} works on whole numbers")
    if a.type.elem == "bool" and op not in (ast.BitAnd, ast.BitOr, ast.BitXor):
        a, b = convert(builder, a, "i64"), convert(builder, b, "i64")
    if op in _WHOLE:
        return Value(getattr(builder, _WHOLE[op])(a.ir, b.ir), a.type)
    if op is ast.RShift:
        return Value(builder.lshr(a.ir, b.ir) if a.type.elem == "u32" else builder.ashr(a.ir, b.ir), a.type)
    if op in (ast.FloorDiv, ast.Mod):
        return _whole_division(builder, op, a, b)
    raise Unfit(f"{op.__name__} is not part of the kernel language")


def _whole_division(builder: ir.IRBuilder, op: type[ast.operator], a: Value, b: Value) -> Value:
    # a division by zero would stop the process: it counts as a division by one
    zero, one = constant(0, b.type).ir, constant(1, b.type).ir
    divisor = builder.select(builder.icmp_unsigned("==", b.ir, zero), one, b.ir)
    if a.type.elem == "u32":
        return Value(builder.udiv(a.ir, divisor) if op is ast.FloorDiv else builder.urem(a.ir, divisor), a.type)
    rest = builder.srem(a.ir, divisor)
    wrong = builder.and_(
        builder.icmp_signed("!=", rest, zero),
        builder.icmp_signed("!=", builder.icmp_signed("<", rest, zero), builder.icmp_signed("<", divisor, zero)),
    )
    if op is ast.Mod:
        return Value(builder.select(wrong, builder.add(rest, divisor), rest), a.type)
    quotient = builder.sdiv(a.ir, divisor)
    return Value(builder.select(wrong, builder.sub(quotient, one), quotient), a.type)


def _power(builder: ir.IRBuilder, base: Operand, exponent: Operand) -> Operand:
    if not (isinstance(exponent, Weak) and isinstance(exponent.number, int) and 0 < exponent.number <= 16):
        raise Unfit("a power needs a whole literal from 1 to 16; else use pow(x, y) or exp2(x)")
    found: Operand = base
    for _ in range(exponent.number - 1):
        found = arithmetic(builder, ast.Mult, found, base)
    return found


def compare(builder: ir.IRBuilder, op: type[ast.cmpop], left: Operand, right: Operand) -> Operand:
    """``left op right`` as a bool. With a NaN every comparison is false but ``!=``."""
    if op not in _COMPARE:
        raise Unfit(f"the comparison {op.__name__} is not part of the kernel language")
    sign, fold = _COMPARE[op]
    if isinstance(left, Weak) and isinstance(right, Weak):
        return Weak(bool(fold(left.number, right.number)))
    a, b = unify(builder, left, right)
    if is_float(a.type):
        made = builder.fcmp_unordered(sign, a.ir, b.ir) if sign == "!=" else builder.fcmp_ordered(sign, a.ir, b.ir)
    elif a.type.elem == "i64":
        made = builder.icmp_signed(sign, a.ir, b.ir)
    else:
        made = builder.icmp_unsigned(sign, a.ir, b.ir)
    return Value(made, Type("bool", a.type.lanes))


def truth(builder: ir.IRBuilder, value: Value) -> Value:
    """The value as a bool."""
    return convert(builder, value, "bool")


def negate(builder: ir.IRBuilder, value: Value) -> Value:
    """``-value``"""
    if value.type.elem == "bool":
        value = convert(builder, value, "i64")
    return Value(builder.fneg(value.ir) if is_float(value.type) else builder.neg(value.ir), value.type)


def choose(builder: ir.IRBuilder, condition: Value, a: Value, b: Value) -> Value:
    """`a` where the condition holds, else `b`."""
    lanes = max(condition.type.lanes, a.type.lanes, b.type.lanes)
    test, first, second = (splat(builder, item, lanes) for item in (condition, a, b))
    return Value(builder.select(test.ir, first.ir, second.ir), first.type)


def floor(builder: ir.IRBuilder, value: Value) -> Value:
    """The next whole number below, as a float."""
    return Value(intrinsic(builder, "llvm.floor", value.ir.type, [value.ir], [value.ir.type]), value.type)
