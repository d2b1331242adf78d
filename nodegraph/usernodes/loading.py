"""From the text of a file to the one node class in it.

The very bytes whose hash was trusted are run, not what lies at the path by then. Every function keeps its source with
it: another form of an old version's kernel may be wanted when the file says something else already.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import linecache
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from types import FunctionType, ModuleType
from typing import Any, Final

from nodegraph.core.declare import Node
from nodegraph.core.errors import DeclarationError, NodegraphError, Problem
from nodegraph.core.hints import listed, quoted
from nodegraph.core.ownfiles import BASES, OwnFile
from nodegraph.core.spec import NodeSpec

PACKAGES: Final = frozenset({
    "__future__", "bisect", "collections", "copy", "dataclasses", "enum", "functools", "heapq", "itertools", "math",
    "nodegraph", "nodegraph.core", "numpy", "operator", "pathlib", "random", "statistics", "string", "struct", "typing",
})  # fmt: skip
"""What a node's file may import. It keeps a file one file; it is no wall: who trusts code lets it do everything."""
HELP: Final = "docs/your-own-nodes.md says what may stand there."


def load(file: OwnFile) -> NodeSpec:
    """Run the file, and give the spec of its node. Raises DeclarationError, at the author's line where there is one."""
    tree = parsed(file)
    name = f"own.{file.digest[:12]}.nodes.{file.path.name}"
    module = ModuleType(name)
    module.__file__ = str(file.path)
    text = file.content.decode("utf-8-sig")
    # without a time of change the entry stays, whatever happens to the file
    linecache.cache[str(file.path)] = (len(text), None, text.splitlines(keepends=True), str(file.path))
    sys.modules[name] = module  # dataclasses and `inspect` look for it there
    try:
        exec(compile(tree, str(file.path), "exec"), module.__dict__)
        cls = _the_node(file, module)
    except NodegraphError as error:
        raise DeclarationError([at_source(file, item) for item in error.problems]) from error
    except (Exception, SystemExit) as error:
        what = f"{quoted(file.path.name)} cannot be loaded: {type(error).__name__}: {error}."
        raise DeclarationError(at_source(file, fault(file, error, "bad-node", what))) from error
    cls.own_file = file.path
    for function in _functions(module):
        with contextlib.suppress(OSError, TypeError):
            function.own_lines = inspect.getsourcelines(function)  # type: ignore[attr-defined]
    return cls.spec


def parsed(file: OwnFile) -> ast.Module:
    """The file's tree. Raises DeclarationError when it is no Python, or imports what a node may not."""
    try:
        tree = ast.parse(file.content.decode("utf-8-sig"), str(file.path))
    except UnicodeDecodeError as error:
        line = file.content.count(b"\n", 0, error.start) + 1
        what = f"{quoted(file.path.name)} is not a text in UTF-8."
        raise DeclarationError(Problem("bad-node", what, "Save it as UTF-8.", str(file.path), line)) from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        at, column = getattr(error, "lineno", None), getattr(error, "offset", None)
        what = f"{quoted(file.path.name)} is not Python: {getattr(error, 'msg', None) or error}."
        problem = Problem("bad-node", what, "Mend this line.", str(file.path), at, column=column or None)
        raise DeclarationError(at_source(file, problem)) from error
    problems = [at_source(file, item) for item in (*_strange_imports(file, tree), *_endless_loops(file, tree))]
    if problems:
        raise DeclarationError(problems)
    return tree


def _strange_imports(file: OwnFile, tree: ast.Module) -> Iterator[Problem]:
    for item in ast.walk(tree):
        if isinstance(item, ast.Import):
            names = [alias.name for alias in item.names]
        elif isinstance(item, ast.ImportFrom):
            names = ["." * item.level + (item.module or "")]
        else:
            continue
        for name in names:
            root = name.split(".")[0]
            within = ".".join(name.split(".")[:2]) if root == "nodegraph" else root
            if within not in PACKAGES:
                what = f"{quoted(file.path.name)} imports {quoted(name)}."
                known = ", ".join(sorted(PACKAGES - {"__future__"}))
                do = f"A node's file may import {known}. What needs more belongs in a package: docs/adding-a-node.md."
                yield Problem("node-imports", what, do, str(file.path), item.lineno, column=item.col_offset + 1)


def _endless_loops(file: OwnFile, tree: ast.Module) -> Iterator[Problem]:
    """The loops that plainly never end. Others are found when they are tried."""
    for item in ast.walk(tree):
        if isinstance(item, ast.While) and isinstance(item.test, ast.Constant) and item.test.value:
            ways_out = (ast.Break, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)
            if not any(isinstance(inner, ways_out) for inner in ast.walk(item)):
                what = f"{quoted(file.path.name)}: this loop never ends."
                do = "Give it an end: a condition that becomes false, a break, or for … in range(…)."
                yield Problem("endless-node", what, do, str(file.path), item.lineno, column=item.col_offset + 1)


def _the_node(file: OwnFile, module: ModuleType) -> type[Node]:
    found = [
        value for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
        and isinstance(vars(value).get("spec"), NodeSpec)
    ]  # fmt: skip
    if len(found) != 1:
        names = listed(cls.__name__ for cls in found)
        what = f"{quoted(file.path.name)} declares {f'{len(found)} nodes ({names})' if found else 'no node'}."
        do = f"It should hold one class under @node(…). {HELP}"
        raise DeclarationError(Problem("bad-node", what, do, str(file.path)))
    cls: type[Node] = found[0]
    if cls.role not in BASES or not issubclass(cls, BASES[cls.role]):
        what = f"class {cls.__name__}: a node of this sort cannot stand in a file beside a patch."
        do = f"It derives from {listed(base.__name__ for base in BASES.values())}; others belong in a package."
        raise DeclarationError(Problem("bad-node", what, do, str(file.path)))
    return cls


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """The functions that the module declares, those of its classes too."""
    scopes: list[Any] = [module, *(value for value in vars(module).values() if isinstance(value, type))]
    for scope in scopes:
        for value in vars(scope).values():
            function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                yield function


def fault(file: OwnFile, error: BaseException, code: str, what: str) -> Problem:
    """A problem at the last line of the file that an exception has come through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file.path)]
    return Problem(code, what, HELP, str(file.path), frames[-1].lineno if frames else None)


def at_source(file: OwnFile, problem: Problem) -> Problem:
    """The problem with the author's line, when it is one in this file."""
    if problem.file != str(file.path) or problem.line is None:
        return problem if problem.file else replace(problem, file=str(file.path))
    lines = file.content.decode("utf-8-sig", "replace").splitlines()
    source = lines[problem.line - 1] if 0 < problem.line <= len(lines) else None
    return replace(problem, source=source)
