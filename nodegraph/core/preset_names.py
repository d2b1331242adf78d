"""Presets as they are kept: names, and what each holds, ``node.port`` → number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nodegraph.core.cable import natural
from nodegraph.core.hints import quoted, shown
from nodegraph.core.values import finite

LONGEST_NAME: Final = 100
INSIDE: Final = "/"
"""What separates a subpatch from what lies in it, in a node's id (`core.flatten`)."""


def why_no_preset(name: Any, values: Any) -> str | None:
    """Why these cannot be a preset's name and values; None when they can."""
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
        return f"its name should be a text of 1 to {LONGEST_NAME} characters"
    if not isinstance(values, Mapping):
        return f"it is {shown(values)}, and should be an object"
    for port, value in values.items():
        if not isinstance(port, str) or not all(port.rpartition(".")):
            return f"{quoted(str(port))} is not node.port"
        if isinstance(value, bool) or not finite(value):
            return f"{quoted(port)} is {shown(value)}, and should be a number"
    return None


def ordered(values: Mapping[str, float]) -> dict[str, float]:
    """A preset's values in the order in which they stand in a file."""
    return {port: values[port] for port in sorted(values, key=natural)}


def rename_in(presets: dict[str, dict[str, float]], node: str, new: str) -> None:
    """A node gets another id, and all that lies in it.

    A preset may hold values of a node that is gone and was called as the other is now: the two change places, so that
    the way back is the same.
    """
    names = {node: new, new: node}
    for name, values in presets.items():
        moved = {_renamed(port, names): value for port, value in values.items()}
        if moved.keys() != values.keys():
            presets[name] = ordered(moved)


def _renamed(port: str, names: Mapping[str, str]) -> str:
    node, dot, name = port.rpartition(".")
    outer, inside, inner = node.partition(INSIDE)
    return names.get(outer, outer) + inside + inner + dot + name
