"""Commands: every change of a document as data, each with what undoes it.

::

    {"do": "add", "node": "osc1", "kind": "sine~", "values": {"freq": 220}, "at": [40, 80]}
    {"do": "connect", "cable": "osc1.y -> out.x"}
    {"do": "set", "node": "osc1", "values": {"freq": 330}}

`perform` carries them out, all or none, and returns the commands that undo them; those are commands of the same kind,
so that undoing can be undone. `as_data` and `commands` turn them to JSON data and back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from nodegraph.core.cable import Cable
from nodegraph.core.command import Command
from nodegraph.core.command import bad_command as _bad
from nodegraph.core.document import Document
from nodegraph.core.errors import NodegraphError, PatchError
from nodegraph.core.hints import did_you_mean, listed, quoted, shown
from nodegraph.core.note_commands import AddNote, Present, RemoveNote, SetNote, check_presented
from nodegraph.core.patchfile import entry_data, entry_of
from nodegraph.core.preset_commands import RemovePreset, RenamePreset, StorePreset
from nodegraph.core.problems import value_problem
from nodegraph.core.values import plain
from nodegraph.core.view import NodeEntry
from nodegraph.core.view_commands import Move, Show

Place = tuple[float, float]


@dataclass(frozen=True)
class Add(Command):
    """A new node. Words of Max, Pd and SuperCollider work too."""

    do = "add"
    node: str
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    at: Place | Mapping[str, Any] | None = None

    def apply(self, document: Document) -> list[Command]:
        document.graph.add(self.kind, self.node, **self.values)
        document.view.pop(self.node, None)  # of one that was removed
        document.put(self.node, self.at)
        document.presentation.pop(self.node, None)
        return [Remove(self.node)]

    def label(self) -> str:
        return f"Add {self.node}"


@dataclass(frozen=True)
class Remove(Command):
    """A node goes, with its cables."""

    do = "remove"
    node: str

    def apply(self, document: Document) -> list[Command]:
        undo = _as_it_stands(document, self.node)
        document.graph.remove(self.node)
        document.view.pop(self.node, None)
        document.presentation.pop(self.node, None)
        return [undo]

    def label(self) -> str:
        return f"Remove {self.node}"


@dataclass(frozen=True)
class Restore(Command):
    """A node as a file holds it (`entry`), with exactly these cables; in the place of one that has its id.

    It is what undoes other commands. Nothing is checked but the id, the place in the presentation, and the nodes at the
    cables' other ends.
    """

    do = "restore"
    node: str
    entry: Mapping[str, Any]
    cables: tuple[str, ...] = ()
    at: Any = None
    present: Any = None

    def apply(self, document: Document) -> list[Command]:
        graph = document.graph
        if not isinstance(self.entry.get("kind"), str):
            raise PatchError(_bad(f"The node '{self.node}' has no kind.", 'Give it one: "kind": "…".'))
        entry = entry_of(self.node, self.entry, graph.registry)
        if self.node not in graph:
            graph.check_new_id(self.node)
        cables = [Cable.parse(text) for text in self.cables]
        for cable in cables:
            if self.node not in (cable.from_node, cable.to_node):
                what = f"The cable {quoted(str(cable))} does not end at '{self.node}'."
                raise PatchError(_bad(what, "Restore brings back a node's own cables."))
            for other in {cable.from_node, cable.to_node} - {self.node}:
                graph.node(other)
        check_presented(self.node, self.present)
        undo: list[Command] = [Remove(self.node)]
        if self.node in graph:
            undo = [_as_it_stands(document, self.node)]
            old, _ = graph.remove(self.node)
            entry = replace(entry, token=old.token)
        graph.put(entry)
        for cable in cables:
            graph.lay(cable)
        document.view.pop(self.node, None)
        document.put(self.node, self.at)
        if self.present is not None:
            document.presentation[self.node] = plain(self.present)
        else:
            document.presentation.pop(self.node, None)
        return undo

    def label(self) -> str:
        return f"Restore {self.node}"


@dataclass(frozen=True)
class Connect(Command):
    """A cable comes: ``osc.y -> cut.x``."""

    do = "connect"
    cable: str

    def apply(self, document: Document) -> list[Command]:
        graph = document.graph
        cable = Cable.parse(self.cable)
        if cable in graph.cables:
            return []
        graph.connect(cable[:2], cable[2:])
        return [Disconnect(self.cable)]

    def label(self) -> str:
        return f"Connect {self.cable}"


@dataclass(frozen=True)
class Disconnect(Command):
    """A cable goes."""

    do = "disconnect"
    cable: str

    def apply(self, document: Document) -> list[Command]:
        cable = document.graph.disconnect(self.cable)
        if document.graph.why_not(cable) is None:
            return [Connect(str(cable))]
        # it was laid by a file, and nobody could lay it now: its node comes back with all its cables
        entry = document.graph.node(cable.to_node)
        undo = _as_it_stands(document, entry.id)
        return [replace(undo, cables=(*undo.cables, str(cable)))]

    def label(self) -> str:
        return f"Disconnect {self.cable}"


@dataclass(frozen=True)
class Set(Command):
    """Values of one node; None puts the default back. All or none of them."""

    do = "set"
    node: str
    values: Mapping[str, Any]

    def apply(self, document: Document) -> list[Command]:
        graph = document.graph
        before = graph.node(self.node)
        undo = _as_it_stands(document, self.node)
        dropped = graph.set_values(self.node, self.values)
        after = graph.node(self.node)
        old = {name: before.params.get(name) for name in self.values}
        simple = not dropped and after.spec is before.spec and None not in (before.spec, after.spec)
        if simple and not any(value is not None and value_problem(after, name, value) for name, value in old.items()):
            return [Set(self.node, old)]
        return [undo]

    def label(self) -> str:
        return f"Set {', '.join(f'{self.node}.{name}' for name in self.values)}"

    def merged(self, later: Command) -> Command | None:
        if isinstance(later, Set) and later.node == self.node and later.values.keys() == self.values.keys():
            return later
        return None


@dataclass(frozen=True)
class Rename(Command):
    """A node gets another id. Its cables and its place follow."""

    do = "rename"
    node: str
    to: str

    def apply(self, document: Document) -> list[Command]:
        if self.node == self.to:
            document.graph.node(self.node)
            return []
        document.rename(self.node, self.to)
        return [Rename(self.to, self.node)]

    def label(self) -> str:
        return f"Rename {self.node} to {self.to}"


@dataclass(frozen=True)
class Replace(Command):
    """A node becomes another kind. Values and cables that fit there stay."""

    do = "replace"
    node: str
    kind: str

    def apply(self, document: Document) -> list[Command]:
        undo = _as_it_stands(document, self.node)
        document.graph.replace(self.node, self.kind)
        return [undo]

    def label(self) -> str:
        return f"Replace {self.node} by {self.kind}"


@dataclass(frozen=True)
class Describe(Command):
    """Another title, or another text about the patch."""

    do = "describe"
    sounds = False
    title: str | None = None
    about: str | None = None

    def apply(self, document: Document) -> list[Command]:
        before = Describe(
            None if self.title is None else document.title, None if self.about is None else document.about
        )  # fmt: skip
        if self.title is not None:
            document.title = self.title
        if self.about is not None:
            document.about = self.about
        return [before]

    def label(self) -> str:
        return "Change the title" if self.about is None else "Change the text about the patch"


KINDS: Final[Mapping[str, type[Command]]] = {
    kind.do: kind
    for kind in (
        Add,
        Remove,
        Connect,
        Disconnect,
        Set,
        Rename,
        Replace,
        Move,
        Show,
        Describe,
        Restore,
        StorePreset,
        RemovePreset,
        RenamePreset,
        AddNote,
        RemoveNote,
        SetNote,
        Present,
    )
}


def perform(document: Document, commands: Iterable[Command]) -> list[Command]:
    """Carry commands out one after another, all or none of them. Returns what undoes them, in the order to do it in.

    Raises PatchError.
    """
    undo: list[Command] = []
    commands = list(commands)
    try:
        for command in commands:
            undo[:0] = command.apply(document)
    except NodegraphError:
        for command in undo:
            command.apply(document)
        raise
    for call in document.told:
        call(commands)
    return undo


def commands(data: Any) -> list[Command]:
    """Commands from JSON data: one object, or a list of them. Raises PatchError that names the one that is wrong."""
    if isinstance(data, Mapping):
        data = [data]
    if not isinstance(data, list):
        raise PatchError(_bad(f"These are no commands: {shown(data)}.", 'Write {"do": "…", …}, or a list of such.'))
    return [_command(item, f"Command {number + 1}") for number, item in enumerate(data)]


def _command(data: Any, which: str) -> Command:
    if not isinstance(data, Mapping) or not isinstance(data.get("do"), str):
        raise PatchError(_bad(f"{which} does not say what to do: {shown(data)}.", f'"do" is {listed(KINDS)}.'))
    kind = KINDS.get(data["do"])
    if kind is None:
        what = f"{which} is {quoted(data['do'])}, which nobody can do."
        raise PatchError(_bad(what, did_you_mean(data["do"], KINDS, f"There are {listed(KINDS)}.")))
    wanted = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    given = {name: value for name, value in data.items() if name != "do"}
    for name in given:
        if name not in wanted:
            what = f"{which}, '{kind.do}', has no {quoted(name)}."
            raise PatchError(_bad(what, did_you_mean(name, wanted, f"It takes {listed(wanted)}.")))
    for name, item in wanted.items():
        if name not in given and item.default is _MISSING and item.default_factory is _MISSING:
            raise PatchError(_bad(f"{which}, '{kind.do}', lacks {quoted(name)}.", f"It takes {listed(wanted)}."))
        if name in given and not _FITS[name](given[name]):
            what = f"{which}, '{kind.do}': {name} is {shown(given[name])}."
            raise PatchError(_bad(what, f"It should be {_LEGAL[name]}."))
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


_MISSING: Final = fields(Add)[0].default


def _is_place(value: Any) -> bool:
    return value is None or isinstance(value, (list, tuple, dict))


_TEXT: Final = ("node", "kind", "cable", "to", "title", "about", "preset", "note")
_FITS: Final[dict[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(_TEXT, lambda value: isinstance(value, str)),
    **dict.fromkeys(("values", "entry", "places"), lambda value: isinstance(value, Mapping)),
    **dict.fromkeys(
        ("cables", "controls"),
        lambda value: isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value),
    ),
    **dict.fromkeys(("at", "present"), _is_place),
    "number": lambda value: value is None or (type(value) is int and value >= 0),
}
_LEGAL: Final[dict[str, str]] = {
    **dict.fromkeys(_TEXT, "a text"),
    **dict.fromkeys(("values", "entry", "places"), "an object"),
    **dict.fromkeys(("cables", "controls"), "a list of texts"),
    **dict.fromkeys(("at", "present"), "a place, [x, y]"),
    "number": "a place in the list, from 0",
}


def _as_it_stands(document: Document, node: str) -> Restore:
    """The command that brings a node back as it is now."""
    graph = document.graph
    entry: NodeEntry = graph.node(node)
    cables = dict.fromkeys((*graph.cables_into(node), *graph.cables_out_of(node)))
    texts = tuple(str(cable) for cable in cables)
    return Restore(node, entry_data(entry), texts, document.view.get(node), document.presentation.get(node))


__all__ = [
    "Add", "AddNote", "Command", "Connect", "Describe", "Disconnect", "KINDS", "Move", "Present", "Remove",
    "RemoveNote", "RemovePreset", "Rename", "RenamePreset", "Replace", "Restore", "Set", "SetNote", "Show",
    "StorePreset", "commands", "perform",
]  # fmt: skip
