"""Nodes of the user's own: ``{"kind": "wobble.py"}`` is a node whose class stands in a file beside the patch.

Looking such a kind up runs nothing. What is known of a file is what somebody else put on the `shelf`: the class, once
it was loaded (`nodegraph.usernodes`), or what the class declares, as data from an earlier time, so that a patch opens
with its boxes and knobs before anything runs. Of a file that is not trusted nothing is known: its nodes are
placeholders.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from nodegraph.core import declare
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.folders import cache_root
from nodegraph.core.hints import quoted
from nodegraph.core.ports import CableKind, Control, Inlet, Outlet, Setting
from nodegraph.core.replacing import replace_file
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.core.trust import content_of, digest_of, is_trusted, record

SUFFIX: Final = ".py"
BASES: Final[Mapping[Role, type[declare.Node]]] = {
    Role.KERNEL: declare.KernelNode,
    Role.BLOCK: declare.BlockNode,
    Role.EVENT: declare.EventNode,
    Role.TAP: declare.TapNode,
}
"""How a node of the user's own may live. A model belongs in a package: its worker must be able to find it by name."""
_FORM: Final = 1


@dataclass(frozen=True, slots=True)
class OwnFile:
    """One content of a file that is a kind: where it lies, and what is in it."""

    path: Path
    digest: str
    content: bytes


def own_path(folder: Path, kind: str) -> Path:
    """The file that a kind names, without links. Raises PatchError when it lies outside the patch's folder."""
    root = Path(os.path.realpath(folder))
    try:
        path = Path(os.path.realpath(root / kind))
    except ValueError:  # a zero byte
        path = Path(os.sep)
    if not path.is_relative_to(root):
        what = f"The node file {quoted(kind)} lies outside the patch's folder."
        raise PatchError(Problem("outside-file", what, "Put it beside the patch, and name it from there."))
    return path


def own_file(folder: Path, kind: str) -> OwnFile:
    """The file that a kind names, as it is now. Raises PatchError."""
    path = own_path(folder, kind)
    if not os.path.exists(path):
        do = "Put it beside the patch, or correct the name."
        raise PatchError(Problem("missing-node", f"There is no node file {quoted(kind)}.", do))
    content = content_of(path)
    return OwnFile(path, digest_of(content), content)


class Shelf:
    """The classes of this process's own nodes, and why others are not here.

    `generation` counts its changes, so that who has looked can tell whether to look again.
    """

    def __init__(self) -> None:
        self.generation = 1
        self._loaded: dict[tuple[Path, str], NodeSpec] = {}
        self._told: dict[str, NodeSpec] = {}
        self._refused: dict[tuple[Path, str], Problem] = {}
        self._named: dict[tuple[NodeSpec, str], NodeSpec] = {}

    def put(self, file: OwnFile, spec: NodeSpec) -> None:
        """A class was loaded."""
        self._loaded[file.path, file.digest] = spec
        self._refused.pop((file.path, file.digest), None)
        self.generation += 1

    def refuse(self, file: OwnFile, problem: Problem) -> None:
        """A class cannot be loaded. It is not tried again before its file changes."""
        self._refused[file.path, file.digest] = problem
        self.generation += 1

    def is_loaded(self, file: OwnFile) -> bool:
        """Whether its class is here."""
        return (file.path, file.digest) in self._loaded

    def is_refused(self, file: OwnFile) -> bool:
        """Whether it was tried in vain."""
        return (file.path, file.digest) in self._refused

    def look(self, kind: str, file: OwnFile) -> tuple[NodeSpec | None, Problem | None]:
        """What this kind is, or why it cannot be had."""
        key = file.path, file.digest
        if not is_trusted(file.path, file.digest):
            return None, untrusted(kind, file)
        if key in self._refused:
            return None, self._refused[key]
        spec = self._loaded.get(key) or self._told.get(file.digest)
        if spec is None:
            spec = _remembered(file)
            if spec is None:
                what = f"The node file {quoted(kind)} is trusted, and has not been read yet."
                return None, Problem("unread-node", what, "Check or play the patch: that reads it.")
            self._told[file.digest] = spec
        return self.named(spec, kind), None

    def named(self, spec: NodeSpec, kind: str) -> NodeSpec:
        """The spec under the kind that a patch has for it; the same object for the same two."""
        found = self._named.get((spec, kind))
        if found is None:
            found = self._named[spec, kind] = replace(spec, kind=kind)
        return found


shelf: Final = Shelf()


def untrusted(kind: str, file: OwnFile) -> Problem:
    """What to say of a file that nobody has trusted: how to do it."""
    what = f"The node file {quoted(kind)} is code that you have not trusted, so it does not run."
    return Problem("untrusted-node", what, f"Read it, then run: nodegraph trust {shown_path(file.path)}")


def shown_path(path: Path) -> str:
    """A path as the user would type it: from where he stands, when it lies below."""
    here = Path(os.path.realpath(Path.cwd()))
    return shlex.quote(f".{os.sep}{path.relative_to(here)}" if path.is_relative_to(here) else str(path))


def carried_on(was: NodeSpec | None, now: NodeSpec | None) -> bool:
    """Whether a node is another version of the same file's class, so that it may take over the other one's state."""
    if was is None or now is None or was is now or now.cls.own_file is None:
        return False
    return was.cls.own_file == now.cls.own_file and was.role is now.role


# What a class declares, as data that outlives the process.


def declared(spec: NodeSpec) -> dict[str, Any]:
    """What a class declares for those who connect and set it."""
    return {
        "form": _FORM,
        "kind": spec.kind,
        "class": spec.cls.__name__,
        "role": spec.role.value,
        "help": spec.help,
        "inlets": [_port(item) for item in spec.inlets],
        "outlets": [_port(item) for item in spec.outlets],
        "settings": [_fields(item) for item in spec.settings],
    }


def told(data: Mapping[str, Any]) -> NodeSpec:
    """A spec from what a class declared. Its class is a stand-in that cannot be played.

    Raises KeyError, TypeError or ValueError when the data are not what `declared` gives.
    """
    role = Role(data["role"])
    if data["form"] != _FORM or role not in BASES:
        raise ValueError("of another version")
    cls = cast("type[declare.Node]", type(str(data["class"]), (BASES[role],), {"__doc__": data["help"]}))
    cls.spec = NodeSpec(
        kind=str(data["kind"]),
        cls=cls,
        role=role,
        help=str(data["help"]),
        inlets=tuple(_made(Control if "default" in item else Inlet, item) for item in data["inlets"]),
        outlets=tuple(_made(Outlet, item) for item in data["outlets"]),
        settings=tuple(_made(Setting, item) for item in data["settings"]),
        memories=(),
    )
    return cls.spec


def remember(file: OwnFile, data: Mapping[str, Any]) -> None:
    """Keep what a class declares for the next time that a patch with it is opened."""
    place = _memory_of(file)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_file(place, json.dumps(data).encode())
    except (OSError, ValueError, TypeError):
        pass  # the patch opens with a placeholder then, until it is checked or played


def _remembered(file: OwnFile) -> NodeSpec | None:
    try:
        return told(json.loads(_memory_of(file).read_bytes()))
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _memory_of(file: OwnFile) -> Path:
    return cache_root() / "nodes" / f"{file.digest}.json"


def _fields(item: Inlet | Outlet | Setting) -> dict[str, Any]:
    return {"name": item.name, **vars(item)}


def _port(item: Inlet | Outlet) -> dict[str, Any]:
    return _fields(item) | {"kind": item.kind.value}


def _made(cls: type[Any], data: Mapping[str, Any]) -> Any:
    """A port or setting from its fields."""
    values: dict[str, Any] = {name: value for name, value in data.items() if name != "name"}
    for name in ("shape", "span", "choices"):  # JSON has no tuples
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    if "kind" in values:
        values["kind"] = CableKind(values["kind"])
    made = cls(**values)
    made.name = data["name"]
    return made


__all__ = [
    "BASES", "SUFFIX", "OwnFile", "Shelf", "carried_on", "declared", "own_file", "own_path", "record", "remember",
    "shelf", "shown_path", "told", "untrusted",
]  # fmt: skip
