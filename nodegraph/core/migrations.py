"""Older patch files, made into what this version reads.

`MIGRATIONS[n]` takes the data of a file of format n and returns it in format n + 1. When a node kind or a port gets
another name, the format counts up by one and its migration calls `rename_kind` or `rename_port`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from nodegraph.core.cable import PORT
from nodegraph.core.errors import PatchFileError, Problem

FORMAT: Final = 1
Migration = Callable[[dict[str, Any]], dict[str, Any]]
MIGRATIONS: Final[Mapping[int, Migration]] = {}

_ENDS: Final = re.compile(rf"^(\s*)([^.\s]+)\.({PORT.pattern})(\s*->\s*)([^.\s]+)\.({PORT.pattern})(\s*)$")


def migrate(
    data: dict[str, Any], version: int, file: str | None = None, chain: Mapping[int, Migration] = MIGRATIONS
) -> dict[str, Any]:
    """The data in the present format. Raises PatchFileError when the way there is not known."""
    for step in range(version, FORMAT):
        if step not in chain:
            oldest = min(chain, default=FORMAT)
            what = f"The patch is written in format {version}; this nodegraph reads {oldest} and later."
            raise PatchFileError(
                Problem("old-version", what, "Open and save it with an older nodegraph first.", file, 1)
            )
        try:
            data = chain[step](data)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            what = f"The patch of format {version} is damaged: {type(error).__name__} on the way to format {step + 1}."
            raise PatchFileError(Problem("old-version", what, "Restore the file from a copy.", file, 1)) from error
    return {**data, "nodegraph": FORMAT}


def rename_kind(data: dict[str, Any], old: str, new: str) -> None:
    """Every node of the kind `old` becomes one of the kind `new`."""
    for node in data.get("nodes", {}).values():
        if node.get("kind") == old:
            node["kind"] = new


def rename_port(data: dict[str, Any], kind: str, old: str, new: str) -> None:
    """The port or setting `old` of every node of this kind is called `new`, in values and in cables."""
    nodes = data.get("nodes", {})
    of_kind = {id for id, node in nodes.items() if node.get("kind") == kind}
    for id in of_kind:
        nodes[id] = {new if name == old else name: value for name, value in nodes[id].items()}

    def renamed(found: re.Match[str]) -> str:
        head, from_node, from_port, arrow, to_node, to_port, tail = found.groups()
        from_port = new if from_node in of_kind and from_port == old else from_port
        to_port = new if to_node in of_kind and to_port == old else to_port
        return f"{head}{from_node}.{from_port}{arrow}{to_node}.{to_port}{tail}"

    data["cables"] = [_ENDS.sub(renamed, cable) for cable in data.get("cables", [])]
