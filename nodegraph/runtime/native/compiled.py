"""Compile the engine's own functions: whole numbers in, one whole number (or nothing) out, addresses as data."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from llvmlite import ir

from nodegraph.runtime.kernels.jit import jit
from nodegraph.runtime.kernels.known import is_native, load_ours
from nodegraph.runtime.kernels.lowering import Lowering
from nodegraph.runtime.kernels.source import Source
from nodegraph.runtime.kernels.values import I64, Type, Value, Weak, constant, convert


def native_module(function: Callable[..., Any]) -> ir.Module:
    """The LLVM module of one of the engine's own functions."""
    module = ir.Module(name=function.__name__)
    module.triple = jit().triple
    source = Source.of(function)
    made = ir.Function(module, ir.FunctionType(I64, [I64] * len(source.parameters)), "native")
    builder = ir.IRBuilder(made.append_basic_block())
    lowering = Lowering(builder, 1, fused=jit().fused, origin=function.__name__)
    arguments = {name: Value(arg, Type("i64")) for name, arg in zip(source.parameters, made.args, strict=True)}
    returned = lowering.inline(function, arguments)
    result: Any = returned[0] if returned else Weak(0)
    value = constant(result.number, Type("i64")) if isinstance(result, Weak) else convert(builder, result, "i64")
    builder.ret(value.ir)
    return module


@cache
def address(function: Callable[..., Any]) -> int:
    """The address of the compiled function: ``int64 function(int64, …)`` in the C calling convention."""
    if is_native(function):
        name = f"native {function.__module__}.{function.__name__}"
        return load_ours(name, partial(native_module, function), ("native",))["native"]
    return jit().load(native_module(function), ("native",))["native"]
