"""The real-time lint: proof, from the machine code itself, that the audio thread only runs what we wrote.

``python -m nodegraph.runtime.lint`` compiles every form of every native node, and every function of the engine whose
address is taken, afresh (not from the cache). It reads the object's symbol table: an undefined symbol would be a call
into a library (an allocation, a lock, the GIL, a maths function that rounds otherwise on another machine). It reads the
instructions: a node's kernel must not call anything, not even an address (a link ends with a jump to the next one).
"""

from __future__ import annotations

import ast
import importlib
import re
import struct
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from llvmlite import ir

from nodegraph.core.errors import KernelError
from nodegraph.core.registry import registry
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.runtime.kernels import forms, links
from nodegraph.runtime.kernels.jit import jit
from nodegraph.runtime.native.compiled import native_module

NATIVE: Final = "nodegraph.runtime.native"
_CALL = re.compile(r"^\s+(?:call\w*|bl|blr|blx)\s+(\S+)|^\s+(?:jmp\w*|b)\s+([A-Za-z_][\w.@$]*)", re.MULTILINE)


class Finding(NamedTuple):
    """A symbol that does not belong: which code holds it."""

    where: str
    symbol: str


class Report(NamedTuple):
    """What was looked at, and what is wrong."""

    kernels: int
    functions: int
    findings: list[Finding]


def undefined_symbols(code: bytes) -> set[str]:
    """The symbols that an object file wants from elsewhere (64-bit ELF, Mach-O, or COFF)."""
    if code[:4] == b"\x7fELF":
        return _elf(code)
    if code[:4] == b"\xcf\xfa\xed\xfe":
        return _macho(code)
    return _coff(code)


def _text(table: bytes, at: int) -> str:
    return table[at : table.index(b"\0", at)].decode()


def _elf(code: bytes) -> set[str]:
    (sections,) = struct.unpack_from("<Q", code, 40)
    size, count = struct.unpack_from("<HH", code, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", code, sections + k * size) for k in range(count)]
    found = set()
    for header in headers:
        if header[1] != 2:  # SHT_SYMTAB
            continue
        strings = headers[header[6]]
        names = code[strings[4] : strings[4] + strings[5]]
        for place in range(header[4] + header[9], header[4] + header[5], header[9]):
            name, _, _, section = struct.unpack_from("<IBBH", code, place)
            if section == 0 and name:
                found.add(_text(names, name))
    return found


def _macho(code: bytes) -> set[str]:
    (commands,) = struct.unpack_from("<I", code, 16)
    at, found = 32, set()
    for _ in range(commands):
        command, size = struct.unpack_from("<II", code, at)
        if command == 2:  # LC_SYMTAB
            symbols, count, strings, length = struct.unpack_from("<IIII", code, at + 8)
            names = code[strings : strings + length]
            for k in range(count):
                name, kind, section = struct.unpack_from("<IBB", code, symbols + 16 * k)
                if kind & 0x0E == 0 and kind & 1 and section == 0:  # N_UNDF, N_EXT
                    found.add(_text(names, name).removeprefix("_"))
        at += size
    return found


def _coff(code: bytes) -> set[str]:
    symbols, count = struct.unpack_from("<II", code, 8)
    names = code[symbols + 18 * count :]
    found, k = set(), 0
    while k < count:
        place = symbols + 18 * k
        zero, offset = struct.unpack_from("<II", code, place)
        _, section, _, kind, more = struct.unpack_from("<IhHBB", code, place + 8)
        if section == 0 and kind == 2:  # IMAGE_SYM_UNDEFINED, external
            found.add(_text(names, offset) if zero == 0 else code[place : place + 8].rstrip(b"\0").decode())
        k += 1 + more
    return found


def looked_through(module: ir.Module, *, may_call: bool) -> set[str]:
    """What a freshly compiled module wants from elsewhere, or calls.

    `may_call`: calls by address are part of its work (the dispatcher runs kernels).
    """
    code, as_text = jit().emitted(str(module))
    found = undefined_symbols(code)
    if not may_call:
        for match in _CALL.finditer(as_text()):
            found.add((match[1] or match[2]).split("@")[0])
    return found


def modes_of(spec: NodeSpec) -> list[tuple[str, int]]:
    """The forms that are looked at: all controls still, all moving, all shared by the lanes; mono and lanes."""
    inlets = forms.signal_inlets(spec)
    still, moving = forms.still_form(spec), forms.MOVING * len(inlets)
    found = [(still, 1), (moving, 1)]
    if spec.role is Role.KERNEL:
        found += [(still, forms.LANES), (moving, forms.LANES), (forms.SHARED * len(inlets), forms.LANES)]
    return list(dict.fromkeys(found))


def links_of(spec: NodeSpec) -> list[tuple[str, int, int]]:
    """The links that are looked at: each outlet by itself, controls still or moving, the first signal in registers."""
    found = [
        (modes, 1 << number, 1)
        for number in range(len(forms.outputs(spec)))
        for modes in (forms.still_form(spec), forms.MOVING * len(forms.signal_inlets(spec)))
        if links.can_link(spec, 1 << number)
    ]
    return list(dict.fromkeys(found))


def native_functions() -> list[Callable[..., Any]]:
    """Every function of the engine whose address something in the runtime takes."""
    names = set()
    for path in Path(__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "address":
                for item in (part for argument in call.args for part in ast.walk(argument)):
                    if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name):
                        names.add((item.value.id, item.attr))
    return [getattr(importlib.import_module(f"{NATIVE}.{owner}"), name) for owner, name in sorted(names)]


def native_nodes() -> list[NodeSpec]:
    """Every registered node that becomes machine code, and the examples of those that are what their settings say."""
    known = registry()
    native = [spec for spec in known if spec.role in (Role.KERNEL, Role.BLOCK)]
    return native + [example for spec in native for example in known.examples(spec)]


def lint(specs: list[NodeSpec], functions: list[Callable[..., Any]]) -> Report:
    """Look at these nodes and functions."""
    findings: list[Finding] = []
    kernels = 0

    def look(where: str, make: Callable[[], ir.Module], *, may_call: bool) -> None:
        try:
            found = looked_through(make(), may_call=may_call)
        except KernelError as error:
            findings.append(Finding(where, str(error)))
        else:
            findings.extend(Finding(where, symbol) for symbol in sorted(found))

    for spec in specs:
        for modes, lanes in modes_of(spec):
            kernels += 1
            where = f"node '{spec.kind}' (modes {modes or '-'}, lanes {lanes})"
            look(where, partial(forms.module, spec, modes, lanes), may_call=False)
        for modes, used, linked in links_of(spec):
            kernels += 1
            where = f"node '{spec.kind}' (modes {modes or '-'}, a link)"
            look(where, partial(links.link_module, spec, modes, used, linked), may_call=False)
    look("a chain's end", links.last_module, may_call=False)
    for function in functions:
        look(f"function '{function.__name__}'", partial(native_module, function), may_call=True)
    return Report(kernels, len(functions), findings)


def main() -> int:
    """Lint everything and say what was seen; 1 when something is wrong or there was nothing to see."""
    say = sys.stdout.write
    nodes = native_nodes()
    report = lint(nodes, native_functions())
    say(f"real-time lint: {report.kernels} kernels of {len(nodes)} native nodes, {report.functions} engine functions\n")
    for finding in report.findings:
        say(f"  {finding.where}: {finding.symbol}\n")
    say(f"real-time lint: {len(report.findings) or 'no'} faults\n")
    return 0 if report.kernels and report.functions and not report.findings else 1


if __name__ == "__main__":
    raise SystemExit(main())
