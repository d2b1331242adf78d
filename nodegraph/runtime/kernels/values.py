"""The values of the kernel language and what operators do to them.

A value is an LLVM value with an element type and a lane count: 1 in the mono form, 16 in the lanes form. Both forms are
the same list of LLVM instructions over another type, and no fast-math flag is ever set, so they agree bit for bit.
Python literals stay plain numbers (`Weak`) until they meet a value, whose type they take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from llvmlite import ir


class Type(NamedTuple):
    """An element type and a number of lanes."""

    elem: str
    lanes: int = 1


ELEMENTS: dict[str, ir.Type] = {
    "f32": ir.FloatType(),
    "f64": ir.DoubleType(),
    "u32": ir.IntType(32),
    "i64": ir.IntType(64),
    "bool": ir.IntType(1),
}
SIZES = {"f32": 4, "f64": 8, "u32": 4, "i64": 8}
# Mixed operands take the type that stands further right; a bool counts as an integer.
RANK = ["bool", "u32", "i64", "f32", "f64"]
I64 = ir.IntType(64)
I32 = ir.IntType(32)
PTR = ir.PointerType()


@dataclass(frozen=True)
class Value:
    """A typed LLVM value."""

    ir: Any
    type: Type


@dataclass(frozen=True)
class Weak:
    """A Python number that has not met a typed value yet."""

    number: float | int | bool


@dataclass(frozen=True)
class Array:
    """Memory that `process` indexes. `stride` 0 repeats one value (a control that stands still).

    Two dimensions: either contiguous rows of `length`, or `table`, the address of a list of row addresses.
    """

    address: Any
    elem: str
    length: Any
    stride: int = 1
    rows: Any = None
    table: bool = False


Operand = Value | Weak


class Unfit(Exception):
    """The language does not have this; the lowering adds file and line."""


def ir_type(type_: Type) -> ir.Type:
    """The LLVM type."""
    element = ELEMENTS[type_.elem]
    return ir.VectorType(element, type_.lanes) if type_.lanes > 1 else element


def is_float(type_: Type) -> bool:
    return type_.elem in ("f32", "f64")


def constant(number: float | int | bool, type_: Type) -> Value:
    """A literal of the given type in every lane."""
    element = ELEMENTS[type_.elem]
    if is_float(type_):
        value: Any = float(number)
    else:
        value = int(number)
        if type_.elem == "u32":
            value %= 1 << 32
    if type_.lanes > 1:
        return Value(
            ir.Constant(ir.VectorType(element, type_.lanes), [ir.Constant(element, value)] * type_.lanes), type_
        )
    return Value(ir.Constant(element, value), type_)


def splat(builder: ir.IRBuilder, value: Value, lanes: int) -> Value:
    """The scalar in every lane."""
    if value.type.lanes == lanes:
        return value
    if value.type.lanes != 1:
        raise Unfit(f"{value.type.lanes} numbers do not go with {lanes}")
    vector = ir.VectorType(ELEMENTS[value.type.elem], lanes)
    if isinstance(value.ir, ir.Constant):
        filled = ir.Constant(vector, [value.ir] * lanes)
    else:
        first = builder.insert_element(ir.Constant(vector, ir.Undefined), value.ir, I32(0))
        filled = builder.shuffle_vector(
            first, ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(I32, lanes), [I32(0)] * lanes)
        )
    return Value(filled, Type(value.type.elem, lanes))


def convert(builder: ir.IRBuilder, value: Value, elem: str) -> Value:
    """The value as another element type. Floats become integers towards zero, saturating instead of undefined."""
    have, lanes = value.type
    if have == elem:
        return value
    target = Type(elem, lanes)
    to = ir_type(target)
    if elem == "bool":
        zero = constant(0, value.type).ir
        made = (
            builder.fcmp_unordered("!=", value.ir, zero)
            if is_float(value.type)
            else builder.icmp_unsigned("!=", value.ir, zero)
        )
    elif elem in ("f32", "f64"):
        if have == "f64":
            made = builder.fptrunc(value.ir, to)
        elif have == "f32":
            made = builder.fpext(value.ir, to)
        elif have == "i64":
            made = builder.sitofp(value.ir, to)
        else:
            made = builder.uitofp(value.ir, to)
    elif is_float(value.type):
        # fptosi of a number that does not fit is poison in LLVM; the saturating form is defined everywhere
        wide = _saturate(builder, value, "i64")
        made = wide if elem == "i64" else builder.trunc(wide, to)
    elif elem == "i64":
        made = builder.zext(value.ir, to)
    elif have == "i64":
        made = builder.trunc(value.ir, to)
    else:
        made = builder.zext(value.ir, to)
    return Value(made, target)


def _saturate(builder: ir.IRBuilder, value: Value, elem: str) -> Any:
    """float → integer, clamped by hand: LLVM's saturating conversion is taken apart lane by lane."""
    if elem == "i64":
        low, high = -(2.0**63), 9223371487098961920.0 if value.type.elem == "f32" else 9223372036854774784.0
    else:
        low, high = -(2.0**31), 2147483520.0 if value.type.elem == "f32" else 2147483647.0
    least, most = constant(low, value.type).ir, constant(high, value.type).ir
    inside = builder.select(builder.fcmp_ordered(">", value.ir, least), value.ir, least)  # NaN becomes the least
    inside = builder.select(builder.fcmp_ordered("<", inside, most), inside, most)
    return builder.fptosi(inside, ir_type(Type(elem, value.type.lanes)))


def signed_float(builder: ir.IRBuilder, value: Value) -> Value:
    """A u32 read as signed, as float32: one instruction, where the unsigned reading takes several."""
    type_ = Type("f32", value.type.lanes)
    return Value(builder.sitofp(value.ir, ir_type(type_)), type_)


def truncated_u32(builder: ir.IRBuilder, value: Value) -> Value:
    """float → u32 by way of a signed 32-bit integer: one instruction, for -2^31 to 2^31."""
    return Value(_saturate(builder, value, "u32"), Type("u32", value.type.lanes))


def mangled(type_: ir.Type) -> str:
    """A type's name inside an intrinsic's name: ``v16f32``."""
    if isinstance(type_, ir.VectorType):
        return f"v{type_.count}{mangled(type_.element)}"
    if isinstance(type_, ir.PointerType):
        return "p0"
    if isinstance(type_, ir.IntType):
        return f"i{type_.width}"
    return "f32" if isinstance(type_, ir.FloatType) else "f64"


def intrinsic(builder: ir.IRBuilder, name: str, returns: ir.Type, args: list[Any], overloads: list[ir.Type]) -> Any:
    """Call an LLVM intrinsic, overloaded on the given types."""
    full = name + "".join("." + mangled(item) for item in overloads)
    module = builder.module
    function = module.globals.get(full)
    if function is None:
        function = ir.Function(module, ir.FunctionType(returns, [arg.type for arg in args]), full)
    return builder.call(function, args)


def unify(builder: ir.IRBuilder, *operands: Operand, floats: bool = False) -> list[Value]:
    """The operands as values of one common type."""
    typed = [item for item in operands if isinstance(item, Value)]
    lanes = max((item.type.lanes for item in typed), default=1)
    elems = [item.type.elem for item in typed]
    weak_float = any(isinstance(item, Weak) and isinstance(item.number, float) for item in operands)
    elem = max(elems, key=RANK.index) if elems else ("f32" if weak_float or floats else "i64")
    if weak_float and elem not in ("f32", "f64"):
        if elem == "u32":
            raise Unfit("mixes a u32 with a float; say f32(…), signed(…) or u32(…)")
        elem = "f32"
    if elem == "bool" and any(isinstance(item, Weak) and not isinstance(item.number, bool) for item in operands):
        elem = "i64"
    if elem in ("f32", "f64") and "u32" in elems:
        raise Unfit("mixes a u32 with a float; say f32(…), signed(…) or u32(…)")
    if floats and elem not in ("f32", "f64"):
        elem = "f32"
    made = []
    for item in operands:
        if isinstance(item, Weak):
            made.append(constant(item.number, Type(elem, lanes)))
        else:
            made.append(splat(builder, convert(builder, item, elem), lanes))
    return made
