"""The forms of a node's kernel: mono or lanes, each control still or moving, only the outlets that are used.

All forms share one state layout, so a form can take over from another between two blocks:

    header | controls, constants, message counters, float and u32 memories (4 bytes each) | 8-byte memories | arrays

Every field holds one value per lane, side by side. The header is the rate (float32). An array is three 64-bit words:
address, length, rows.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from llvmlite import ir

from nodegraph.core.errors import KernelError
from nodegraph.core.ports import CableKind, Control
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.runtime.kernels.jit import jit
from nodegraph.runtime.kernels.known import is_ours, load_ours
from nodegraph.runtime.kernels.lowering import Lowering
from nodegraph.runtime.kernels.operators import choose
from nodegraph.runtime.kernels.values import (
    ELEMENTS,
    I32,
    I64,
    PTR,
    SIZES,
    Array,
    Type,
    Value,
    constant,
    convert,
    ir_type,
    splat,
    unify,
)

LANES = 16
STILL, MOVING, SHARED = "c", "l", "s"


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each field of a state block lies, for `lanes` lanes."""

    spec: NodeSpec
    lanes: int
    offsets: dict[str, int]
    elements: dict[str, str]
    arrays: dict[str, int]
    controls: tuple[str, ...]
    constants: tuple[str, ...]
    counters: tuple[str, ...]
    narrow: tuple[int, int]
    wide: tuple[int, int]
    size: int


@cache
def layout(spec: NodeSpec, lanes: int) -> Layout:
    """The state layout of a kind."""
    controls = tuple(item.name for item in spec.controls)
    constants = tuple(item.name for item in spec.settings if item.type in ("number", "choice", "flag"))
    counters = tuple(
        item.name for item in spec.inlets if item.kind is CableKind.EVENT and not isinstance(item, Control)
    )
    scalars: list[tuple[str, str]] = [(item.name, item.element) for item in spec.memories if not item.array]
    narrow = [(name, "f32") for name in (*controls, *constants, *counters)]
    narrow += [(name, element) for name, element in scalars if SIZES[element] == 4]
    wide = [(name, element) for name, element in scalars if SIZES[element] == 8]
    offsets: dict[str, int] = {}
    at = first = 4 * lanes if lanes > 1 else 8
    for name, _ in narrow:
        offsets[name] = at
        at += 4 * lanes
    if lanes == 1:
        at = (at + 7) // 8 * 8
    wide_at = at
    for name, _ in wide:
        offsets[name] = at
        at += 8 * lanes
    arrays: dict[str, int] = {}
    for memory in spec.memories:
        if memory.array:
            arrays[memory.name] = at
            at += 24
    return Layout(
        spec, lanes, offsets, dict(narrow + wide), arrays, controls, constants, counters,
        (first, len(narrow)), (wide_at, len(wide)), at if lanes == 1 else (at + 63) // 64 * 64,
    )  # fmt: skip


def moving_form(modes: str) -> str:
    """The form that takes over while a still control ramps: every control is a signal."""
    return modes.replace(STILL, MOVING)


def still_form(spec: NodeSpec) -> str:
    """The form in which every control stands still."""
    return "".join(
        STILL if isinstance(spec.inlet_named[name], Control) else MOVING for name in signal_inlets(spec)
    )  # fmt: skip


def signal_inlets(spec: NodeSpec) -> tuple[str, ...]:
    """The inlets that appear in a mode string: signals and controls, in order."""
    return tuple(item.name for item in spec.inlets if item.kind is CableKind.SIGNAL or isinstance(item, Control))


def outputs(spec: NodeSpec) -> list[tuple[str, int]]:
    """The native outlets as (name, channel), in the order in which a tick returns them."""
    found = []
    for item in spec.outlets:
        if item.kind in (CableKind.SIGNAL, CableKind.EVENT):
            count = item.channels if isinstance(item.channels, int) and item.kind is CableKind.SIGNAL else 1
            found += [(item.name, channel) for channel in range(count)]
    return found


@cache
def kernel(spec: NodeSpec, modes: str, lanes: int = 1, used: int = -1) -> int:
    """The address of ``void kernel(state, ins, outs, frames)``.

    `modes` has a letter per signal or control inlet: ``c`` still, ``l`` a signal of its own per lane, ``s`` one mono
    signal for all lanes. `ins` lists the addresses of the signals among them, in order. Bit k of `used` says whether
    output k is wanted; `outs` lists the wanted ones' addresses.
    Raises KernelError at the author's line when the source is not in the kernel language.
    """
    make = partial(module, spec, modes, lanes, used)
    if is_ours(spec):
        return load_ours(f"kernel {spec.kind} {modes} {lanes} {used}", make, ("kernel",))["kernel"]
    return jit().load(make(), ("kernel",))["kernel"]


def module(spec: NodeSpec, modes: str, lanes: int = 1, used: int = -1) -> ir.Module:
    """The LLVM module of one form."""
    made = ir.Module(name=spec.kind)
    if spec.role is Role.BLOCK:
        _block(made, spec, modes, used)
    else:
        _tick(made, spec, modes, lanes, used)
    return made


class _Frame:
    """A kernel's outer function, which fetches addresses, and its inner one, whose pointers do not alias."""

    def __init__(self, module: ir.Module, pointers: int) -> None:
        outer = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * 4), "kernel")
        inner = ir.Function(module, ir.FunctionType(ir.VoidType(), [PTR] * (pointers + 1) + [I64]), "body")
        inner.linkage = "internal"
        inner.attributes.add("alwaysinline")
        for argument in inner.args[:-1]:
            argument.add_attribute("noalias")
        self.state, self.pointers, self.frames = inner.args[0], inner.args[1:-1], inner.args[-1]
        self.builder = ir.IRBuilder(inner.append_basic_block())
        self.call = ir.IRBuilder(outer.append_basic_block())
        self.outer, self.inner = outer, inner

    def close(self, ins: int, outs: int) -> None:
        """Emit the outer function: `ins` addresses from the first table, `outs` from the second."""
        state, tables, frames = self.outer.args[0], self.outer.args[1:3], self.outer.args[3]
        found = []
        for table, count in zip(tables, (ins, outs), strict=True):
            base = self.call.inttoptr(table, PTR)
            for number in range(count):
                word = self.call.load(self.call.gep(base, [ir.Constant(I64, number)], source_etype=I64), typ=I64)
                found.append(self.call.inttoptr(word, PTR))
        self.call.call(self.inner, [self.call.inttoptr(state, PTR), *found, frames])
        self.call.ret_void()
        self.builder.ret_void()


def field(builder: ir.IRBuilder, base: Any, offset: int) -> Any:
    """Where a field of a state lies."""
    return builder.gep(base, [ir.Constant(I64, offset)], source_etype=ir.IntType(8))


def load(builder: ir.IRBuilder, place: Any, type_: Type) -> Value:
    """A value from memory; vectors lie on the address that suits them."""
    found = builder.load(place, typ=ir_type(type_))
    found.align = SIZES[type_.elem] if type_.lanes == 1 else min(64, SIZES[type_.elem] * type_.lanes)
    return Value(found, type_)


def _store(builder: ir.IRBuilder, value: Value, place: Any) -> None:
    builder.store(value.ir, place).align = (
        SIZES[value.type.elem] if value.type.lanes == 1 else min(64, SIZES[value.type.elem] * value.type.lanes)
    )


def _read(builder: ir.IRBuilder, slot: tuple[Any, Type]) -> Value:
    """Read a variable's slot."""
    return Value(builder.load(slot[0], typ=ir_type(slot[1])), slot[1])


def _healed(builder: ir.IRBuilder, value: Value, initial: float) -> Value:
    """A memory that became NaN or infinite starts anew at the next block, instead of staying silent for ever."""
    if value.type.elem not in ("f32", "f64"):
        return value
    zero = builder.fsub(value.ir, value.ir)
    finite = Value(builder.fcmp_ordered("==", zero, constant(0.0, value.type).ir), Type("bool", value.type.lanes))
    return choose(builder, finite, value, constant(float(initial), value.type))


def _side_by_side(module: ir.Module, again: Any) -> None:
    """Tell LLVM that in a loop over samples of which none waits for another, several vectors may be computed at once,
    however long its body is: while one waits for its last operation, the others go on."""
    count = module.add_metadata(["llvm.loop.interleave.count", ir.Constant(I32, 4)])
    loop = module.add_metadata([count])
    loop.operands = (loop, count)  # a loop's metadata begins with itself
    again.set_metadata("llvm.loop", loop)


class Tick:
    """What a node's author wrote: `tick`, and `prepare` if there is one."""

    def __init__(self, spec: NodeSpec) -> None:
        cls: Any = spec.cls
        self.tick, self.prepare = cls.tick, getattr(cls, "prepare", None)
        self.takes = list(inspect.signature(self.tick).parameters)
        self.prepares = list(inspect.signature(self.prepare).parameters) if self.prepare else []
        places = layout(spec, 1)
        known = {"rate", *signal_inlets(spec), *places.controls, *places.constants, *places.counters}
        known |= {item.name for item in spec.memories}
        self.coefficients = [name for name in self.takes if name not in known]

    def prepares_from(self, signals: Iterable[str]) -> bool:
        """Whether coefficients depend on one of these."""
        return any(name in self.prepares for name in signals)

    def prepared(self, lowering: Lowering, values: dict[str, Any]) -> dict[str, Any]:
        """The coefficients."""
        if self.prepare is None:
            return {}
        found = lowering.inline(self.prepare, {name: values[name] for name in self.prepares})
        return dict(zip(self.coefficients, found, strict=True))

    def ticked(self, lowering: Lowering, values: dict[str, Any]) -> list[Any]:
        """What a tick returns: outlets, then memories."""
        return lowering.inline(self.tick, {name: values[name] for name in self.takes})


def still_values(builder: ir.IRBuilder, state: Any, spec: NodeSpec, modes: str, lanes: int) -> dict[str, Any]:
    """What a state holds and no signal brings: the rate, still controls, settings, counters."""
    places, inlets = layout(spec, lanes), signal_inlets(spec)
    found: dict[str, Any] = {"rate": load(builder, state, Type("f32"))}
    for name in (*places.controls, *places.constants, *places.counters):
        if (name, STILL) in zip(inlets, modes, strict=True) or name not in inlets:
            found[name] = load(builder, field(builder, state, places.offsets[name]), Type("f32", lanes))
    return found


def as_output(builder: ir.IRBuilder, returned: Any, lanes: int) -> Value:
    """What a tick returned for an outlet, as it is stored."""
    return splat(builder, convert(builder, unify(builder, returned, floats=True)[0], "f32"), lanes)


def _tick(module: ir.Module, spec: NodeSpec, modes: str, lanes: int, used: int) -> None:
    inlets = signal_inlets(spec)
    signals = [(name, mode) for name, mode in zip(inlets, modes, strict=True) if mode != STILL]
    wanted = [number for number in range(len(outputs(spec))) if used >> number & 1]
    frame = _Frame(module, len(signals) + len(wanted))
    builder, places = frame.builder, layout(spec, lanes)
    lowering = Lowering(builder, lanes, fused=jit().fused, origin=f"node '{spec.kind}'", tick=True)
    still = still_values(builder, frame.state, spec, modes, lanes)
    memories = [item.name for item in spec.memories]
    slots = {}
    for name in memories:
        type_ = Type(places.elements[name], lanes)
        slots[name] = (lowering.slot(type_), type_)
        builder.store(load(builder, field(builder, frame.state, places.offsets[name]), type_).ir, slots[name][0])

    author = Tick(spec)
    moving = author.prepares_from(name for name, _ in signals)
    if not moving:
        still |= author.prepared(lowering, still)
    counter = lowering.slot(Type("i64"))
    builder.store(ir.Constant(I64, 0), counter)
    head, body, end = (builder.append_basic_block() for _ in range(3))
    builder.branch(head)
    builder.position_at_end(head)
    now = builder.load(counter, typ=I64)
    builder.cbranch(builder.icmp_signed("<", now, frame.frames), body, end)
    builder.position_at_end(body)
    values = dict(still)
    for pointer, (name, mode) in zip(frame.pointers, signals, strict=False):
        width = lanes if mode == MOVING else 1
        type_ = Type("f32", width)
        values[name] = load(builder, builder.gep(pointer, [now], source_etype=ir_type(type_)), type_)
    if moving:
        values |= author.prepared(lowering, values)
    values |= {name: _read(builder, slots[name]) for name in memories}
    returned = author.ticked(lowering, values)
    count = len(outputs(spec))
    for pointer, number in zip(frame.pointers[len(signals) :], wanted, strict=True):
        value = as_output(builder, returned[number], lanes)
        _store(builder, value, builder.gep(pointer, [now], source_etype=ir_type(value.type)))
    for name, kept in zip(memories, returned[count:], strict=True):
        type_ = slots[name][1]
        typed = convert(builder, kept, type_.elem) if isinstance(kept, Value) else constant(kept.number, type_)
        builder.store(splat(builder, typed, lanes).ir, slots[name][0])
    builder.store(builder.add(now, ir.Constant(I64, 1)), counter)
    again = builder.branch(head)
    if not spec.memories:
        _side_by_side(module, again)
    builder.position_at_end(end)
    for item in spec.memories:
        value = _healed(builder, _read(builder, slots[item.name]), item.initial)
        _store(builder, value, field(builder, frame.state, places.offsets[item.name]))
    frame.close(len(signals), len(wanted))


def _block(module: ir.Module, spec: NodeSpec, modes: str, used: int) -> None:
    inlets = signal_inlets(spec)
    every = getattr(spec.cls, "spread", "each") == "all"
    signals = [(name, mode) for name, mode in zip(inlets, modes, strict=True) if mode != STILL]
    names = [name for name, _ in outputs(spec)] if not every else [item.name for item in spec.outlets]
    # a node that sees all channels gets a table of addresses per port instead of an address
    frame = _Frame(module, len(signals) + len(names))
    builder, places = frame.builder, layout(spec, 1)
    lowering = Lowering(builder, 1, fused=jit().fused, origin=f"node '{spec.kind}'")
    lowering.careful = spec.cls.own_file is not None
    controls = set(places.controls)
    values: dict[str, Any] = {
        "rate": load(builder, frame.state, Type("f32")),
        "frames": Value(frame.frames, Type("i64")),
    }

    def port(pointer: Any, wide: bool) -> Array:
        if not wide:
            return Array(pointer, "f32", frame.frames)
        # row 0 of the table holds the number of channels
        count = builder.load(pointer, typ=I64)
        first = builder.gep(pointer, [ir.Constant(I64, 1)], source_etype=I64)
        return Array(first, "f32", frame.frames, rows=count, table=True)

    for pointer, (name, _) in zip(frame.pointers, signals, strict=False):
        values[name] = port(pointer, every and name not in controls)
    for pointer, name in zip(frame.pointers[len(signals) :], names, strict=True):
        wide = every and spec.outlet_named[name].kind is CableKind.SIGNAL
        values[name] = port(pointer, wide)
    for name in (*places.controls, *places.constants, *places.counters):
        place = field(builder, frame.state, places.offsets[name])
        if name in controls:
            if name not in values:
                values[name] = Array(place, "f32", frame.frames, stride=0)
        else:
            values[name] = load(builder, place, Type("f32"))
    for name, offset in places.arrays.items():
        memory = next(item for item in spec.memories if item.name == name)
        words = [builder.load(field(builder, frame.state, offset + 8 * k), typ=I64) for k in range(3)]
        values[name] = Array(
            builder.inttoptr(words[0], PTR), memory.element, words[1], rows=words[2] if memory.rows else None
        )
    cls: Any = spec.cls
    takes = list(inspect.signature(cls.process).parameters)
    scalars = [item for item in spec.memories if not item.array]
    bound = {name: values[name] for name in takes if name in values}
    for item in scalars:
        type_ = Type(item.element)
        bound[item.name] = load(builder, field(builder, frame.state, places.offsets[item.name]), type_)
    missing = [name for name in takes if name not in bound]
    assert not missing, missing
    lowering.inline(cls.process, bound)
    for item in scalars:
        kept = lowering.final.get(item.name)
        if isinstance(kept, tuple):
            if kept[1].lanes > 1:
                raise KernelError(f"node '{spec.kind}': the memory '{item.name}' holds one number, not a vector.",
                                  "Keep vectors in arrays.")  # fmt: skip
            value = _healed(builder, convert(builder, _read(builder, kept), item.element), item.initial)
            _store(builder, value, field(builder, frame.state, places.offsets[item.name]))
    frame.close(len(signals), len(names))


__all__ = [
    "ELEMENTS", "LANES", "MOVING", "SHARED", "STILL", "Layout", "kernel", "layout", "module", "moving_form", "outputs",
    "signal_inlets", "still_form",
]  # fmt: skip
