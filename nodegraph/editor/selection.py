"""What is selected, and the commands for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Command, Disconnect, Move, Present, Remove, RemoveNote, SetNote
from nodegraph.core.document import Document
from nodegraph.editor.scene import Scene

Point = tuple[float, float]


@dataclass
class Selection:
    """Nodes, cables and notes that what is done next is for."""

    nodes: set[str] = field(default_factory=set)
    cables: set[Cable] = field(default_factory=set)
    notes: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.nodes or self.cables or self.notes)

    def clear(self) -> None:
        """Nothing is selected."""
        self.nodes.clear()
        self.cables.clear()
        self.notes.clear()

    def only(self, nodes: Iterable[str] = (), cables: Iterable[Cable] = (), notes: Iterable[str] = ()) -> None:
        """These, and nothing else."""
        self.nodes, self.cables, self.notes = set(nodes), set(cables), set(notes)

    def follow(self, scene: Scene) -> None:
        """What is not shown any more is not selected any more."""
        self.nodes &= scene.boxes.keys()
        self.cables &= set(scene.document.graph.cables)
        self.notes &= scene.notes.keys()

    def removing(self, document: Document) -> list[Command]:
        """What takes it away: cables first, for a node takes its own along."""
        graph = document.graph
        cables = [cable for cable in graph.cables if cable in self.cables]
        loose = [cable for cable in cables if not self.nodes & {cable.from_node, cable.to_node}]
        nodes = [node for node in graph.nodes if node in self.nodes]
        notes = [RemoveNote(note) for note in sorted(self.notes) if note in document.notes]
        return [*(Disconnect(str(cable)) for cable in loose), *(Remove(node) for node in nodes), *notes]

    def moving(
        self, document: Document, places: Mapping[str, Point], notes: Mapping[str, Point] | None = None,
        *, presenting: bool = False,
    ) -> list[Command]:  # fmt: skip
        """What puts boxes and notes at these places, in whole points; `presenting`: in the presentation."""
        told = (lambda node: document.presentation.get(node)) if presenting else document.place
        moved = {
            node: [round(x), round(y)]
            for node, (x, y) in places.items()
            if node in document.graph and list(told(node) or ()) != [round(x), round(y)]
        }
        made: list[Command] = []
        if moved:
            made.append(Present(moved) if presenting else Move(moved))
        name = "present" if presenting else "at"
        for id, (x, y) in (notes or {}).items():
            at = [round(x), round(y)]
            if id in document.notes and list(document.notes[id].get(name) or ()) != at:
                made.append(SetNote(id, {name: at}))
        return made
