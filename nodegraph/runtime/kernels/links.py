"""Links: operations without any memory in a form that passes a signal on in registers, from one to the next.

A chain of a hundred multiplications and additions spends its time on carrying 64 numbers to memory and back a hundred
times. As links they stay where they are: a link computes four vectors, looks up the next link in its row, and jumps
there. The instructions of each are those of the node's lanes form, so a chain and its operations one by one agree bit
for bit, and a link is compiled once a form, whatever chains it stands in.

``void link(row, at, v, v, v, v)``: `row` is (function, state, ins, outs) as the dispatcher walks them, the next link's
row stands behind it; `at` is how many bytes of the block are done.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from llvmlite import ir

from nodegraph.core.spec import NodeSpec, Role
from nodegraph.runtime.kernels.forms import (
    LANES,
    STILL,
    Tick,
    as_output,
    field,
    layout,
    load,
    outputs,
    signal_inlets,
    still_values,
)
from nodegraph.runtime.kernels.jit import jit
from nodegraph.runtime.kernels.known import is_ours, load_ours
from nodegraph.runtime.kernels.lowering import Lowering
from nodegraph.runtime.kernels.memory_words import LINK, LINK_VECTORS, called
from nodegraph.runtime.kernels.values import I64, PTR, Type, Value, ir_type

ROW = 32
_VECTOR = Type("f32", LANES)


def can_link(spec: NodeSpec, used: int) -> bool:
    """Whether a kind's samples depend on nothing but what comes in with them, and one outlet is heard."""
    return (
        spec.role is Role.KERNEL and not spec.memories and not layout(spec, 1).counters and used.bit_count() == 1
    )  # fmt: skip


@cache
def link(spec: NodeSpec, modes: str, used: int, linked: int) -> int:
    """The address of a form's link. Bit k of `linked`: the k-th signal that comes in is the one in the registers."""
    make = partial(link_module, spec, modes, used, linked)
    if is_ours(spec):
        return load_ours(f"link {spec.kind} {modes} {used} {linked}", make, ("link",))["link"]
    return jit().load(make(), ("link",))["link"]


@cache
def last_link() -> int:
    """The address of what ends a chain: it writes the registers to memory."""
    return load_ours("last link", last_module, ("link",))["link"]


def link_module(spec: NodeSpec, modes: str, used: int, linked: int) -> ir.Module:
    """The LLVM module of a link."""
    made, builder, row, at, parts = _begun(spec.kind)
    state, ins = _word(builder, row, 1), _word(builder, row, 2)
    signals = [name for name, mode in zip(signal_inlets(spec), modes, strict=True) if mode != STILL]
    places = [
        None if linked >> number & 1 else builder.gep(_word(builder, ins, number), [at], source_etype=ir.IntType(8))
        for number in range(len(signals))
    ]
    lowering = Lowering(builder, LANES, fused=jit().fused, origin=f"node '{spec.kind}'", tick=True)
    still = still_values(builder, state, spec, modes, 1)
    author = Tick(spec)
    moving = author.prepares_from(signals)
    if not moving:
        still |= author.prepared(lowering, still)
    output = next(number for number in range(len(outputs(spec))) if used >> number & 1)
    results = []
    for k, part in enumerate(parts):
        values = dict(still)
        for name, place in zip(signals, places, strict=True):
            values[name] = Value(part, _VECTOR) if place is None else _vector(builder, place, k)
        if moving:
            values |= author.prepared(lowering, values)
        results.append(as_output(builder, author.ticked(lowering, values)[output], LANES).ir)
    behind = builder.gep(row, [ir.Constant(I64, ROW)], source_etype=ir.IntType(8))
    arguments = [builder.ptrtoint(behind, I64), at, *results]
    builder.call(called(_word(builder, behind, 0), LINK), arguments, tail="musttail")
    builder.ret_void()
    return made


def last_module() -> ir.Module:
    """The LLVM module of a chain's end."""
    made, builder, row, at, parts = _begun("end")
    out = builder.gep(_word(builder, row, 3), [at], source_etype=ir.IntType(8))
    for k, part in enumerate(parts):
        builder.store(part, builder.gep(out, [ir.Constant(I64, k)], source_etype=ir_type(_VECTOR))).align = 4
    builder.ret_void()
    return made


def _begun(name: str) -> tuple[ir.Module, ir.IRBuilder, Any, Any, Any]:
    made = ir.Module(name=name)
    function = ir.Function(made, LINK, "link")
    builder = ir.IRBuilder(function.append_basic_block())
    row, at, *parts = function.args
    return made, builder, builder.inttoptr(row, PTR), at, parts


def _word(builder: ir.IRBuilder, base: Any, number: int) -> Any:
    """An address that stands in memory."""
    return builder.inttoptr(builder.load(field(builder, base, 8 * number), typ=I64), PTR)


def _vector(builder: ir.IRBuilder, place: Any, number: int) -> Value:
    found = load(builder, builder.gep(place, [ir.Constant(I64, number)], source_etype=ir_type(_VECTOR)), _VECTOR)
    found.ir.align = 4
    return found


__all__ = ["LINK_VECTORS", "ROW", "can_link", "last_link", "last_module", "link", "link_module"]
