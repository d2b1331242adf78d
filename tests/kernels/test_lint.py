"""The real-time lint sees every native node and engine function, and finds a call when there is one."""

import struct

import llvmlite.binding as llvm
import pytest
from llvmlite import ir

from nodegraph.runtime import lint
from nodegraph.runtime.kernels import builtins
from nodegraph.runtime.kernels.values import Value, intrinsic, unify
from tests.kernels.make import tick_node


def test_nothing_that_the_engine_does_on_the_audio_thread_calls_out(capsys, monkeypatch):
    """`make check` looks at every node, too, and so does the validator at each."""
    few = [spec for spec in lint.native_nodes() if spec.kind in ("sine~", "reverb~")]
    monkeypatch.setattr(lint, "native_nodes", lambda: few)
    assert lint.main() == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert "kernels of 2 native nodes" in said and "no faults" in said


def test_every_native_node_and_the_dispatcher_are_looked_at():
    kinds = {spec.kind for spec in lint.native_nodes()}
    assert {"sine~", "svf~", "adsr~", "comb~", "reverb~", "play~", "limiter~", "onset~"} <= kinds
    assert {"render", "ramp_kernel", "portaudio", "jack", "mix"} <= {item.__name__ for item in lint.native_functions()}


def rooted(x):
    from math import sqrt

    return sqrt(x)


def test_a_kernel_that_calls_the_maths_library_is_found(monkeypatch):
    """The processor has no instruction for a cosine, so LLVM makes a call of it."""

    def cosine(lowering, x):
        (value,) = unify(lowering.builder, x, floats=True)
        return Value(intrinsic(lowering.builder, "llvm.cos", value.ir.type, [value.ir], [value.ir.type]), value.type)

    monkeypatch.setitem(builtins._SIMPLE, "sqrt", cosine)
    report = lint.lint([tick_node(root)], [])
    found = {(finding.where, finding.symbol) for finding in report.findings}
    assert ("node 'made~' (modes l, lanes 1)", "cosf") in found, report.findings


def root(x):
    return SQRT(x)


from math import sqrt as SQRT  # noqa: E402


def calling(name: str) -> ir.Module:
    module = ir.Module(name="bad")
    outside = ir.Function(module, ir.FunctionType(ir.VoidType(), []), name)
    kernel = ir.Function(module, ir.FunctionType(ir.VoidType(), []), "kernel")
    builder = ir.IRBuilder(kernel.append_basic_block())
    builder.call(outside, [])
    builder.ret_void()
    return module


def test_an_allocation_is_found():
    assert "malloc" in lint.looked_through(calling("malloc"), may_call=True)


def test_a_call_by_address_is_found_in_a_kernel_and_allowed_in_the_dispatcher():
    module = ir.Module(name="bad")
    i64 = ir.IntType(64)
    kernel = ir.Function(module, ir.FunctionType(ir.VoidType(), [i64]), "kernel")
    builder = ir.IRBuilder(kernel.append_basic_block())
    pointer = builder.inttoptr(kernel.args[0], ir.FunctionType(ir.VoidType(), []).as_pointer())
    builder.call(pointer, [])
    builder.call(pointer, [])
    builder.ret_void()
    assert lint.looked_through(module, may_call=False)
    assert not lint.looked_through(module, may_call=True)


def test_the_lint_fails_aloud(monkeypatch, capsys):
    monkeypatch.setattr(lint, "native_nodes", list)
    monkeypatch.setattr(lint, "native_functions", list)
    assert lint.main() == 1, "it saw nothing and was content"


@pytest.mark.parametrize("triple", ["x86_64-unknown-linux-gnu", "x86_64-apple-darwin", "x86_64-pc-windows-msvc"])
def test_undefined_symbols_are_read_from_each_object_format(triple):
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    try:
        target = llvm.Target.from_triple(triple).create_target_machine()
    except RuntimeError:  # a machine of another family cannot make these; its own format is tested by the lint itself
        target = llvm.Target.from_default_triple().create_target_machine()
    module = llvm.parse_assembly(str(calling("a_symbol_with_a_long_name")))
    code = bytes(target.emit_object(module))
    assert lint.undefined_symbols(code) == {"a_symbol_with_a_long_name"}
    assert struct.unpack("<I", code[:4])
