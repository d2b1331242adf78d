"""Cables by keyboard: typed as ``osc.y -> cut.x``, or between the boxes that are selected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Command, Connect
from nodegraph.core.errors import NodegraphError
from nodegraph.core.graph import Graph
from nodegraph.core.ports import Control
from nodegraph.editor.question import Question, Row, ranked

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

ARROW: Final = " -> "


class ConnectQuestion(Question):
    """Which cable: first an outlet, then an inlet that it can be joined to."""

    title, hint = "Connect", "osc.y -> cut.x"

    def __init__(self, editing: Editing, before: str = "") -> None:
        nodes = [node for node in editing.selection.nodes if (box := editing.scene.boxes.get(node)) and box.outlets]
        super().__init__(before or (f"{nodes[0]}." if len(nodes) == 1 else ""))
        self.editing = editing

    def offers(self, text: str) -> Sequence[Row]:
        graph = self.editing.mirror.document.graph
        outlet, arrow, inlet = _parted(text)
        if not arrow:
            return ranked(outlet, ((row, (row.text, row.text.replace(".", " "))) for row in outlets(graph)))
        rows = (Row(f"{outlet}{ARROW}{end}", more, end) for end, more in inlets_for(graph, outlet))
        return ranked(inlet, ((row, (row.value, row.value.replace(".", " "))) for row in rows))

    def answer(self, text: str, row: Row | None) -> bool | str:
        editing = self.editing
        outlet, arrow, inlet = _parted(text)
        if not arrow:
            return self.completed(text, row) or False
        graph = editing.mirror.document.graph
        if (not inlet or self.at or f"{outlet}{ARROW}{inlet}" not in {item.text for item in self.rows}) and row:
            text = row.text
        try:
            cable = graph.cable_between(*(part.strip() for part in text.split("->", 1)))
            problem = graph.why_not(cable) if cable not in graph.cables else None
        except NodegraphError as error:
            problem = error.problems[0]
        if problem is not None:
            self.wrong = problem.describe()
            return False
        if cable in graph.cables:
            self.wrong = f"{cable} is there already."
            return False
        return editing.do([Connect(str(cable))])

    def completed(self, text: str, row: Row | None) -> str | None:
        if row is None:
            return None
        return row.text if "->" in text else f"{row.text}{ARROW}"

    def note(self) -> str:
        return self.wrong or ("" if self.rows else "Nothing fits.")

    def state(self) -> int:
        return self.editing.mirror.version


def _parted(text: str) -> tuple[str, bool, str]:
    outlet, arrow, inlet = text.partition("->")
    return outlet.strip(), bool(arrow), inlet.strip()


def outlets(graph: Graph) -> Iterator[Row]:
    """Every outlet of a patch."""
    for id, entry in graph.nodes.items():
        for port in entry.spec.outlets if entry.spec else ():
            name = f"{id}.{port.name}"
            yield Row(name, f"{port.kind}  {port.help}", name)


def inlets_for(graph: Graph, outlet: str) -> Iterator[tuple[str, str]]:
    """Every inlet to which an outlet can be joined, and what is said of it: those for what flows first."""
    node, _, port = outlet.rpartition(".")
    later: list[tuple[str, str]] = []
    if not node or node not in graph:
        return
    for id, entry in graph.nodes.items():
        for item in entry.spec.inlets if entry.spec else ():
            cable = Cable(node, port, id, item.name)
            if cable not in graph.cables and graph.why_not(cable) is None:
                if isinstance(item, Control):
                    later.append((f"{id}.{item.name}", item.help))
                else:
                    yield f"{id}.{item.name}", item.help
    yield from later


def sources(graph: Graph, text: str, inlet: str) -> list[Row]:
    """The outlets that can be joined to an inlet, those first that a text means."""
    node, _, port = inlet.rpartition(".")
    rows = []
    for row in outlets(graph):
        from_node, _, from_port = row.text.rpartition(".")
        cable = Cable(from_node, from_port, node, port)
        if cable not in graph.cables and graph.why_not(cable) is None:
            rows.append((row, (row.text, row.text.replace(".", " "))))
    return ranked(text, rows)


def joined(graph: Graph, upper: str, lower: str) -> Cable | None:
    """The cable from the first outlet of one node that fits to the first free inlet of another that it fits; None where
    there is none, or where a cable joins them already.
    """
    above, below = graph.node(upper).spec, graph.node(lower).spec
    if above is None or below is None or any(cable.to_node == lower for cable in graph.cables_out_of(upper)):
        return None
    for outlet in above.outlets:
        for inlet in below.inlets:
            cable = Cable(upper, outlet.name, lower, inlet.name)
            if not graph.into(lower, inlet.name) and graph.why_not(cable) is None:
                return cable
    return None


def connect_selected(editing: Editing) -> None:
    """Join the boxes that are selected, each to the next one below, as one step."""
    boxes = sorted(
        (box for id, box in editing.scene.boxes.items() if id in editing.selection.nodes),
        key=lambda box: (box.y, box.x),
    )
    if len(boxes) < 2:
        editing.say("Select two or more objects: each is joined to the next one below.")
        return
    trial = editing.mirror.document.graph.copy()
    commands: list[Command] = []
    for upper, lower in pairwise(boxes):
        cable = joined(trial, upper.node, lower.node)
        if cable is not None:
            trial.lay(cable)
            commands.append(Connect(str(cable)))
    if not commands:
        editing.say("Nothing can be joined: no free inlet fits, or cables are there already.")
        return
    editing.do(commands, f"Connect {len(commands)} cables" if len(commands) > 1 else "")
