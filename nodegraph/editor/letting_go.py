"""What comes of it when the hand lets go: the commands, each time as one step."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Command, Connect, Disconnect
from nodegraph.core.errors import NodegraphError
from nodegraph.core.graph import Graph
from nodegraph.editor import wiring as wire
from nodegraph.editor.clipboard import copied, pasted
from nodegraph.editor.gestures import Copying, Cutting
from nodegraph.editor.scene import Scene
from nodegraph.editor.selection import Selection
from nodegraph.editor.splicing import inserted, loose_cables, loosened, room
from nodegraph.editor.wiring import Wiring

FAR = 24.0
"""Nearer to where it began, in points of the patch, a cable was not meant."""


class Desk(Protocol):
    """Where it is let go."""

    scene: Scene
    selection: Selection

    def do(self, commands: list[Command], label: str = "") -> bool: ...
    def say(self, text: str) -> None: ...
    def ask_for_object(self, x: float, y: float, wiring: Wiring | None = None) -> None: ...
    def show_help(self, node: str) -> None: ...


def fits(graph: Graph, node: str, cable: Cable) -> bool:
    """Whether a box can go into a cable."""
    try:
        inserted(graph, node, cable)
    except NodegraphError:
        return False
    return True


def drop(
    desk: Desk, nodes: Collection[str], onto: Cable | None, *, notes: Collection[str] = (), loose: bool = False
) -> bool:
    """Boxes and notes that were moved stay where they are: upon a cable a box goes into it, shaken ones lose theirs.
    False when they cannot.
    """
    scene, document = desk.scene, desk.scene.document
    graph = document.graph
    places = {id: (box.x, box.y) for id, box in scene.boxes.items() if id in nodes}
    also = {id: (note.x, note.y) for id, note in scene.notes.items() if id in notes}
    commands = desk.selection.moving(document, places, also, presenting=scene.presenting)
    label = "Move" if len(commands) > 1 else ""
    if loose:
        taken = loosened(graph, nodes)
        commands, label = [*commands, *taken], "Take cables off" if taken else ""
    elif onto is not None and len(nodes) == 1:
        (node,) = nodes
        if fits(graph, node, onto):
            if (found := room(desk.scene, onto, node)) is not None:
                places |= {node: (places[node][0], found[0]), **found[1]}
                commands = desk.selection.moving(document, places)
            commands, label = [*commands, *inserted(graph, node, onto)], f"Insert {node}"
    return desk.do(commands, label)


def copy(desk: Desk, doing: object) -> None:
    """Copies of boxes come to where the hand has brought them. A mere click with alt asks for the help of the box."""
    if not isinstance(doing, Copying):
        return
    if not doing.begun:
        desk.show_help(doing.held)
        return
    document = desk.scene.document
    places = {id: desk.scene.home(id) for id in desk.scene.boxes}
    nodes = [id for id in document.graph.nodes if id in doing.nodes]
    if not nodes:
        return
    made = pasted(copied(document, nodes, places), document, by=doing.by)
    if desk.do(made.commands, "Duplicate"):
        desk.selection.only(made.nodes)


def cut(desk: Desk, doing: object) -> None:
    """The cables that a stroke crosses go."""
    if isinstance(doing, Cutting):
        cables = [cable for cable in doing.cables if cable in desk.scene.document.graph.cables]
        desk.do([Disconnect(str(cable)) for cable in cables], "" if len(cables) == 1 else f"Cut {len(cables)} cables")


def join(desk: Desk, doing: Wiring) -> None:
    """A cable ends at the port that is meant. In the void a new one asks for an object, and a taken one goes."""
    scene, taken = desk.scene, doing.taken
    graph = scene.document.graph
    if doing.over is None:
        box = scene.boxes.get(doing.start.node)
        if box is None or scene.box_at(*doing.at) is not None or not _far(box.place(doing.start), doing.at):
            return
        if taken is not None:
            desk.do([Disconnect(str(taken))])
        elif not doing.again:
            desk.ask_for_object(*doing.at, doing)
        return
    cable = doing.cable(doing.over)
    if cable == taken:
        return
    if cable in graph.cables:
        if taken is not None:
            desk.do([Disconnect(str(taken))])
        return
    problem = wire.why_not(scene, doing, doing.over)
    if problem is not None:
        desk.say(problem.describe())
        return
    commands: list[Command] = [Connect(str(cable))]
    if taken is not None:
        commands.insert(0, Disconnect(str(taken)))
    chosen = taken in desk.selection.cables
    if desk.do(commands, "" if taken is None else f"Move the end of {taken}") and chosen:
        desk.selection.only(desk.selection.nodes, {*desk.selection.cables, cable})


def _far(start: tuple[float, float], end: tuple[float, float]) -> bool:
    return abs(start[0] - end[0]) + abs(start[1] - end[1]) > FAR


__all__ = ["Desk", "copy", "cut", "drop", "fits", "join", "loose_cables"]
