"""Words for the engine's own native code: raw memory, atomics, calls by address. Addresses are data, never constants.

`nodegraph.runtime.native` imports these names; calling them from plain Python is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from llvmlite.ir import instructions

from nodegraph.runtime.kernels.values import ELEMENTS, I32, I64, PTR, Type, Value, constant, convert, ir_type

VOID = ir.VoidType()
_KERNEL = ir.FunctionType(VOID, [I64] * 4)
_ONE = Type("i64")


def _address(builder: ir.IRBuilder, address: Value, offset: Value | None = None) -> Any:
    base = builder.inttoptr(convert(builder, address, "i64").ir, PTR)
    if offset is None:
        return base
    return builder.gep(base, [convert(builder, offset, "i64").ir], source_etype=ir.IntType(8))


def _load(elem: str) -> Callable[..., Value]:
    def emit(builder: ir.IRBuilder, address: Value, offset: Value | None = None) -> Value:
        return Value(builder.load(_address(builder, address, offset), typ=ELEMENTS[elem]), Type(elem))

    return emit


def _store(elem: str) -> Callable[..., None]:
    def emit(builder: ir.IRBuilder, address: Value, offset: Value, value: Value) -> None:
        builder.store(convert(builder, value, elem).ir, _address(builder, address, offset))

    return emit


def _acquire(builder: ir.IRBuilder, address: Value, offset: Value | None = None) -> Value:
    return Value(builder.load_atomic(_address(builder, address, offset), "acquire", 8, typ=I64), _ONE)


def _release(builder: ir.IRBuilder, address: Value, offset: Value, value: Value) -> None:
    # IRBuilder.store_atomic still asks an opaque pointer for its pointee
    store = instructions.StoreAtomicInstr(
        builder.block, convert(builder, value, "i64").ir, _address(builder, address, offset), "release", 8
    )
    builder._insert(store)


def _exchange(builder: ir.IRBuilder, address: Value, offset: Value, value: Value) -> Value:
    made = builder.atomic_rmw("xchg", _address(builder, address, offset), convert(builder, value, "i64").ir, "acq_rel")
    return Value(made, _ONE)


def _fetch_add(builder: ir.IRBuilder, address: Value, offset: Value, value: Value) -> Value:
    """Add to a word that other threads add to as well; gives what it was before."""
    made = builder.atomic_rmw("add", _address(builder, address, offset), convert(builder, value, "i64").ir, "acq_rel")
    return Value(made, _ONE)


def _compare_exchange(builder: ir.IRBuilder, address: Value, offset: Value, known: Value, value: Value) -> Value:
    """Write a word if it still is `known`; gives whether it was."""
    words = [convert(builder, item, "i64").ir for item in (known, value)]
    made = builder.cmpxchg(_address(builder, address, offset), *words, "acq_rel", "acquire")
    return Value(builder.extract_value(made, 1), Type("bool"))


def _fence(builder: ir.IRBuilder) -> None:
    builder.fence("seq_cst")


def _run_kernel(builder: ir.IRBuilder, function: Value, state: Value, ins: Value, outs: Value, frames: Value) -> None:
    args = [convert(builder, item, "i64").ir for item in (state, ins, outs, frames)]
    _call(builder, _KERNEL, function, args)


def _call(builder: ir.IRBuilder, type_: ir.FunctionType, function: Value, args: list[Any]) -> Any:
    return builder.call(called(builder.inttoptr(function.ir, PTR), type_), args)


class called:
    """A called address with its function type, which llvmlite asks of the callee and an opaque pointer cannot give."""

    def __init__(self, pointer: Any, type_: ir.FunctionType) -> None:
        self.pointer = pointer
        self.function_type = type_
        self.type = pointer.type
        self.args = ()

    def get_reference(self) -> str:
        return str(self.pointer.get_reference())


def _port_buffer(builder: ir.IRBuilder, function: Value, port: Value, frames: Value) -> Value:
    """``void *jack_port_get_buffer(jack_port_t *, uint32)`` by address."""
    type_ = ir.FunctionType(I64, [I64, I32])
    return Value(_call(builder, type_, function, [port.ir, builder.trunc(frames.ir, I32)]), _ONE)


def _sleep(builder: ir.IRBuilder, function: Value, microseconds: Value) -> None:
    """``int usleep(useconds_t)`` by address; only where the thread is not real-time."""
    _call(builder, ir.FunctionType(I32, [I32]), function, [builder.trunc(microseconds.ir, I32)])


def _clock(builder: ir.IRBuilder, function: Value, clock: Value, place: Value) -> None:
    """``int clock_gettime(clockid_t, struct timespec *)`` by address."""
    _call(builder, ir.FunctionType(I32, [I32, I64]), function, [builder.trunc(clock.ir, I32), place.ir])


def _call_address(builder: ir.IRBuilder, function: Value, *arguments: Value) -> Value:
    """``int64 function(int64, …)`` by address; a C function that takes fewer does not look at the rest.

    A result of 32 bits has anything in its upper half: mask it.
    """
    args = [convert(builder, item, "i64").ir for item in arguments]
    return Value(_call(builder, ir.FunctionType(I64, [I64] * len(args)), function, args), _ONE)


def _pause(builder: ir.IRBuilder) -> None:
    """Between two looks at a word that another thread will write: lets the core's other thread, or its clock, have it.

    Where neither instruction is known a fence takes about as long.
    """
    triple = builder.module.triple
    if "aarch64" in triple or "arm64" in triple:
        name, type_, args = "llvm.aarch64.hint", ir.FunctionType(VOID, [I32]), [I32(1)]
    elif "x86_64" in triple or "amd64" in triple:
        name, type_, args = "llvm.x86.sse2.pause", ir.FunctionType(VOID, []), []
    else:
        return _fence(builder)
    function = builder.module.globals.get(name) or ir.Function(builder.module, type_, name)
    builder.call(function, args)
    return None


def _cycles(builder: ir.IRBuilder) -> Value:
    module = builder.module
    name = "llvm.readcyclecounter"
    function = module.globals.get(name) or ir.Function(module, ir.FunctionType(I64, []), name)
    return Value(builder.call(function, []), _ONE)


def _flush_denormals(builder: ir.IRBuilder) -> Value:
    """Set flush-to-zero and denormals-are-zero on this thread (x86: MXCSR; arm64: FPCR); gives the old setting."""
    if "aarch64" in builder.module.triple or "arm64" in builder.module.triple:
        read = ir.InlineAsm(ir.FunctionType(I64, []), "mrs $0, fpcr", "=r", side_effect=True)
        write = ir.InlineAsm(ir.FunctionType(VOID, [I64]), "msr fpcr, $0", "r", side_effect=True)
        old = builder.call(read, [])
        builder.call(write, [builder.or_(old, ir.Constant(I64, 1 << 24))])
        return Value(old, _ONE)
    return _mxcsr(builder, None)


def _restore_denormals(builder: ir.IRBuilder, old: Value) -> None:
    if "aarch64" in builder.module.triple or "arm64" in builder.module.triple:
        write = ir.InlineAsm(ir.FunctionType(VOID, [I64]), "msr fpcr, $0", "r", side_effect=True)
        builder.call(write, [old.ir])
    else:
        _mxcsr(builder, old)


def _mxcsr(builder: ir.IRBuilder, new: Value | None) -> Value:
    module = builder.module
    type_ = ir.FunctionType(VOID, [PTR])
    words = [
        module.globals.get(name) or ir.Function(module, type_, name)
        for name in ("llvm.x86.sse.stmxcsr", "llvm.x86.sse.ldmxcsr")
    ]
    with builder.goto_entry_block():
        place = builder.alloca(I32)
    builder.call(words[0], [place])
    old = builder.load(place, typ=I32)
    wanted = builder.or_(old, ir.Constant(I32, 0x8040)) if new is None else builder.trunc(new.ir, I32)
    builder.store(wanted, place)
    builder.call(words[1], [place])
    return Value(builder.zext(old, I64), _ONE)


_LANES = Type("f32", 16)
LINK_VECTORS: Final = 4
"""Vectors of sixteen numbers that a chain keeps in registers: 64 frames."""
LINK: Final = ir.FunctionType(VOID, [I64, I64, *[ir_type(_LANES)] * LINK_VECTORS])


def _run_links(builder: ir.IRBuilder, row: Value, x: Value, at: Value) -> None:
    """Into a chain (see `links`): its first row, the address of the signal that comes in, the bytes that are done."""
    parts = []
    for k in range(LINK_VECTORS):
        place = builder.gep(_address(builder, x, at), [ir.Constant(I64, k)], source_etype=ir_type(_LANES))
        parts.append(builder.load(place, typ=ir_type(_LANES)))
        parts[-1].align = 4
    function = Value(builder.load(_address(builder, row), typ=I64), _ONE)
    _call(builder, LINK, function, [row.ir, at.ir, *parts])


def _load_lanes(builder: ir.IRBuilder, address: Value, offset: Value) -> Value:
    found = builder.load(_address(builder, address, offset), typ=ir_type(_LANES))
    found.align = 64
    return Value(found, _LANES)


def _store_lanes(builder: ir.IRBuilder, address: Value, offset: Value, value: Value) -> None:
    builder.store(value.ir, _address(builder, address, offset)).align = 64


def _no_lanes(builder: ir.IRBuilder) -> Value:
    return constant(0.0, _LANES)


def _halving_sum(builder: ir.IRBuilder, value: Value) -> Value:
    """Sixteen lanes to one: lane k + lane k+8, then +4, +2, +1. The order is part of the engine's contract."""
    found, half = value.ir, 8
    while half:
        undefined = ir.Constant(found.type, ir.Undefined)
        parts = [
            builder.shuffle_vector(
                found, undefined, ir.Constant(ir.VectorType(I32, half), [I32(k) for k in range(start, start + half)])
            )
            for start in (0, half)
        ]
        found = builder.fadd(*parts)
        half //= 2
    return Value(builder.extract_element(found, I32(0)), Type("f32"))


WORDS: Final[dict[str, Callable[..., Any]]] = {
    "load_i64": _load("i64"), "load_f32": _load("f32"), "load_f64": _load("f64"), "load_u32": _load("u32"),
    "store_i64": _store("i64"), "store_f32": _store("f32"), "store_f64": _store("f64"), "store_u32": _store("u32"),
    "load_acquire": _acquire, "store_release": _release, "exchange": _exchange, "run_kernel": _run_kernel,
    "fetch_add": _fetch_add, "compare_exchange": _compare_exchange, "fence": _fence, "call_address": _call_address,
    "port_buffer": _port_buffer, "sleep_us": _sleep, "clock": _clock, "pause": _pause, "cycles": _cycles,
    "flush_denormals": _flush_denormals, "restore_denormals": _restore_denormals, "load_lanes": _load_lanes,
    "store_lanes": _store_lanes, "no_lanes": _no_lanes, "halving_sum": _halving_sum,
    "run_links": _run_links,
}  # fmt: skip


def _word(name: str) -> Any:
    def word(*_: Any) -> Any:
        raise TypeError(f"{name} exists in native code only")

    word.__name__ = name
    word.kernel_word = name  # type: ignore[attr-defined]
    return word


load_i64 = _word("load_i64")
load_f32 = _word("load_f32")
load_f64 = _word("load_f64")
load_u32 = _word("load_u32")
store_i64 = _word("store_i64")
store_f32 = _word("store_f32")
store_f64 = _word("store_f64")
store_u32 = _word("store_u32")
load_acquire = _word("load_acquire")
store_release = _word("store_release")
exchange = _word("exchange")
fetch_add = _word("fetch_add")
compare_exchange = _word("compare_exchange")
fence = _word("fence")
call_address = _word("call_address")
run_kernel = _word("run_kernel")
run_links = _word("run_links")
port_buffer = _word("port_buffer")
sleep_us = _word("sleep_us")
clock = _word("clock")
pause = _word("pause")
cycles = _word("cycles")
flush_denormals = _word("flush_denormals")
restore_denormals = _word("restore_denormals")
load_lanes = _word("load_lanes")
store_lanes = _word("store_lanes")
no_lanes = _word("no_lanes")
halving_sum = _word("halving_sum")
