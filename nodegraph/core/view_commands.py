"""Commands that change how a document is shown: where boxes stand, and which controls they show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nodegraph.core.command import Command
from nodegraph.core.document import Document


@dataclass(frozen=True)
class Move(Command):
    """Boxes get other places, ``[x, y]`` in points; what else is told of them stays. None: nothing is told of it."""

    do = "move"
    sounds = False
    places: Mapping[str, Any]

    def apply(self, document: Document) -> list[Command]:
        for node in self.places:
            document.graph.node(node)
        objects = [node for node, at in self.places.items() if isinstance(at, dict)]
        undo = _way_back(document, self.places, objects)
        for node, at in self.places.items():
            document.put(node, at)
        return undo

    def label(self) -> str:
        return f"Move {next(iter(self.places))}" if len(self.places) == 1 else f"Move {len(self.places)} nodes"

    def merged(self, later: Command) -> Command | None:
        if not isinstance(later, Move) or later.places.keys() != self.places.keys():
            return None
        plain = all(isinstance(at, (list, tuple)) for move in (self, later) for at in move.places.values())
        return later if plain else None


@dataclass(frozen=True)
class Show(Command):
    """A node's box shows these controls, in this order; none: its text alone."""

    do = "show"
    sounds = False
    node: str
    controls: tuple[str, ...] = ()

    def apply(self, document: Document) -> list[Command]:
        document.graph.node(self.node)
        if document.shown(self.node) == tuple(self.controls):
            return []
        undo = _way_back(document, [self.node], [self.node])
        before = document.view.get(self.node)
        entry = dict(before) if isinstance(before, dict) else {} if before is None else {"at": before}
        entry.pop("show", None)
        if self.controls:
            entry["show"] = list(self.controls)
        document.view.pop(self.node, None)
        document.put(self.node, (entry["at"] if entry.keys() == {"at"} else entry) or None)
        return undo

    def label(self) -> str:
        return f"Show values of {self.node}" if self.controls else f"Show {self.node} without values"

    def merged(self, later: Command) -> Command | None:
        return later if isinstance(later, Show) and later.node == self.node else None


def _way_back(document: Document, nodes: Iterable[str], objects: Iterable[str]) -> list[Command]:
    """What tells of boxes again what is told of them now. Of some an object will be told: it goes first, for a mere
    place would be put into it.
    """
    old = {node: document.view.get(node) for node in nodes}
    places = {node: None for node in objects if isinstance(old[node], (list, tuple))}
    return [Move(places), Move(old)] if places else [Move(old)]
