"""A Python function as a tree that remembers where it stands."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from nodegraph.core.errors import KernelError
from nodegraph.runtime.kernels.values import Unfit


@dataclass(frozen=True)
class Source:
    """A Python function as a tree, and where its lines stand.

    `names` are what its names mean, before those of its module.
    """

    tree: ast.FunctionDef
    file: str
    first_line: int
    function: Callable[..., Any]
    names: Mapping[str, Any] = field(default_factory=dict)
    indent: int = 0
    """By how many columns the tree stands further left than the text in the file."""

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Source:
        """Read a function's source; one that was made without a text carries its tree (`core.expressions`).

        Raises KernelError when it has neither (typed at a prompt).
        """
        carried = getattr(function, "kernel_tree", None)
        if isinstance(carried, ast.FunctionDef):
            made: Any = function
            return cls(carried, made.kernel_title, 1, function, made.kernel_names)
        return _read(function)

    @property
    def parameters(self) -> list[str]:
        return [arg.arg for arg in self.tree.args.args]

    def lookup(self, name: str) -> Any:
        """A global, enclosing or built-in name, as Python would find it."""
        if name in self.names:
            return self.names[name]
        closure = inspect.getclosurevars(self.function)
        for scope in (closure.nonlocals, self.function.__globals__, closure.builtins):
            if name in scope:
                return scope[name]
        raise Unfit(f"'{name}' is not known here")


@lru_cache(maxsize=1024)
def _read(function: Callable[..., Any]) -> Source:
    """The source in its file, read once: a word such as `exp` stands in many kernels."""
    kept = getattr(function, "own_lines", None)  # of a file that may say something else by now
    try:
        lines, first = kept or inspect.getsourcelines(function)
    except (OSError, TypeError) as error:
        name = getattr(function, "__name__", repr(function))
        raise KernelError(f"the source of {name} cannot be read.", "Define it in a file.") from error
    text = "".join(lines)
    tree = ast.parse(textwrap.dedent(text)).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise KernelError("a kernel must be a function made with 'def'.")
    file = function.__code__.co_filename if kept else inspect.getsourcefile(function) or "?"
    return Source(tree, file, first, function, indent=len(text) - len(text.lstrip(" \t")))
