"""What is selected, and the commands for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Command, Disconnect, Move, Remove
from nodegraph.core.document import Document


@dataclass
class Selection:
    """Nodes and cables that what is done next is for."""

    nodes: set[str] = field(default_factory=set)
    cables: set[Cable] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.nodes or self.cables)

    def clear(self) -> None:
        """Nothing is selected."""
        self.nodes.clear()
        self.cables.clear()

    def only(self, nodes: Iterable[str] = (), cables: Iterable[Cable] = ()) -> None:
        """These, and nothing else."""
        self.nodes, self.cables = set(nodes), set(cables)

    def toggle(self, node: str) -> None:
        """This one too, or no more."""
        self.nodes ^= {node}

    def follow(self, document: Document) -> None:
        """What is gone is not selected any more."""
        self.nodes = {node for node in self.nodes if node in document.graph}
        self.cables = {cable for cable in self.cables if cable in document.graph.cables}

    def removing(self, document: Document) -> list[Command]:
        """What takes it away: cables first, for a node takes its own along."""
        graph = document.graph
        cables = [cable for cable in graph.cables if cable in self.cables]
        loose = [cable for cable in cables if not self.nodes & {cable.from_node, cable.to_node}]
        nodes = [node for node in graph.nodes if node in self.nodes]
        return [*(Disconnect(str(cable)) for cable in loose), *(Remove(node) for node in nodes)]

    def moving(self, document: Document, places: dict[str, tuple[float, float]]) -> list[Command]:
        """What puts its boxes at these places, in whole points."""
        moved = {
            node: [round(x), round(y)]
            for node, (x, y) in places.items()
            if node in document.graph and document.place(node) != (round(x), round(y))
        }
        return [Move(moved)] if moved else []
