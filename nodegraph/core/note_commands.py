"""Commands that change what stands beside the boxes: notes, and where boxes stand when the patch is presented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nodegraph.core.command import Command, bad_command
from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import did_you_mean, listed, quoted, shown
from nodegraph.core.notes import LEGAL, is_place, ordered, why_no_note
from nodegraph.core.values import plain


@dataclass(frozen=True)
class AddNote(Command):
    """A note comes, as a file has it: ``{"kind": "comment", "text": "…", "at": [x, y]}``."""

    do = "add-note"
    sounds = False
    note: str
    entry: Mapping[str, Any]

    def apply(self, document: Document) -> list[Command]:
        if self.note in document.notes:
            raise PatchError(bad_command(f"There is a note {quoted(self.note)} already.", "Give it another id."))
        document.notes[self.note] = _legal(self.note, self.entry)
        return [RemoveNote(self.note)]

    def label(self) -> str:
        return f"Add the {self.entry.get('kind', 'note')} {self.note}"


@dataclass(frozen=True)
class RemoveNote(Command):
    """A note goes."""

    do = "remove-note"
    sounds = False
    note: str

    def apply(self, document: Document) -> list[Command]:
        undo = AddNote(self.note, note_in(document, self.note))
        del document.notes[self.note]
        return [undo]

    def label(self) -> str:
        return f"Remove {self.note}"


@dataclass(frozen=True)
class SetNote(Command):
    """Other values of a note: its text, its place, its size; None takes one out. All or none of them."""

    do = "set-note"
    sounds = False
    note: str
    values: Mapping[str, Any]

    def apply(self, document: Document) -> list[Command]:
        before = note_in(document, self.note)
        after = {name: value for name, value in before.items() if self.values.get(name, True) is not None}
        after |= {name: value for name, value in self.values.items() if value is not None}
        document.notes[self.note] = _legal(self.note, after)
        if all(name in LEGAL and before.get(name, 0) is not None for name in self.values):
            return [SetNote(self.note, {name: before.get(name) for name in self.values})]
        # what is not known comes back in its order, and a null as a null
        return [RemoveNote(self.note), AddNote(self.note, before)]

    def label(self) -> str:
        if self.values.keys() == {"at"}:
            return f"Move {self.note}"
        return f"Change {self.note}"

    def merged(self, later: Command) -> Command | None:
        if isinstance(later, SetNote) and later.note == self.note and later.values.keys() == self.values.keys():
            return later
        return None


@dataclass(frozen=True)
class Present(Command):
    """Boxes are shown when the patch is presented, at these places, ``[x, y]``; None: they are not."""

    do = "present"
    sounds = False
    places: Mapping[str, Any]

    def apply(self, document: Document) -> list[Command]:
        for node, at in self.places.items():
            document.graph.node(node)
            check_presented(node, at)
        old = {node: document.presentation.get(node) for node in self.places}
        for node, at in self.places.items():
            if at is None:
                document.presentation.pop(node, None)
            else:
                document.presentation[node] = plain(at)
        return [Present(old)]

    def label(self) -> str:
        verb = "Present" if any(at is not None for at in self.places.values()) else "Do not present"
        return f"{verb} {next(iter(self.places)) if len(self.places) == 1 else f'{len(self.places)} nodes'}"

    def merged(self, later: Command) -> Command | None:
        return later if isinstance(later, Present) and later.places.keys() == self.places.keys() else None


def check_presented(node: str, at: Any) -> None:
    """Raises PatchError when a node's place in the presentation is neither a place nor None."""
    if at is not None and not is_place(at):
        what = f"'{node}' cannot be presented at {shown(at)}."
        raise PatchError(bad_command(what, "Give a place, [x, y], or nothing."))


def note_in(document: Document, id: str) -> dict[str, Any]:
    """A note of a document. Raises PatchError when there is none of this id."""
    found = document.notes.get(id)
    if found is None:
        rest = f"There are {listed(document.notes)}." if document.notes else "The patch has none."
        what = f"There is no note {quoted(id)}."
        raise PatchError(Problem("unknown-note", what, did_you_mean(id, document.notes, rest)))
    return found


def _legal(id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    wrong = why_no_note(id, data)
    if wrong:
        raise PatchError(bad_command(f"The note {quoted(id)}: {wrong}.", "Give it other values."))
    return ordered(plain(data))
