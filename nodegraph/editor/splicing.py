"""A box goes into a chain, or comes out of it, or another takes its place: the commands for it.

What fits is tried on a copy of the graph, by core's own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Command, Connect, Disconnect, Remove
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.graph import Graph
from nodegraph.core.ports import Control
from nodegraph.core.view import NodeEntry
from nodegraph.editor.scene import HEIGHT, Scene

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

ROOM: Final = 24.0
"""Between a box that was put upon a cable, and those above and below it, at least."""


def inserted(graph: Graph, node: str, cable: Cable) -> list[Command]:
    """What puts a node, which nothing is joined to there, upon a cable: the old cable goes, two come. Raises PatchError
    when it does not fit.
    """
    if cable not in graph.cables or node in (cable.from_node, cable.to_node):
        raise PatchError(Problem("unknown-cable", f"The cable '{cable}' is gone.", "Choose another."))
    trial = graph.copy()
    trial.disconnect(cable)
    made: list[Command] = [Disconnect(str(cable))]
    entry = trial.node(node)
    ways = (
        (_cables((cable.from_node, cable.from_port), entry, inward=True), "takes what comes there"),
        (_cables((cable.to_node, cable.to_port), entry, inward=False), "gives what is taken there"),
    )
    for ends, what in ways:
        found = next((end for end in ends if trial.why_not(end) is None), None)
        if found is None:
            do = "Choose another cable, or another object."
            raise PatchError(Problem("does-not-fit", f"'{node}' has nothing that {what}: {cable}.", do, node=node))
        trial.lay(found)
        made.append(Connect(str(found)))
    return made


def _cables(end: tuple[str, str], entry: NodeEntry, *, inward: bool) -> list[Cable]:
    """Cables from one end to each port of a node; to its main inlets first."""
    if entry.spec is None:
        return []
    if inward:
        ports = sorted(entry.spec.inlets, key=lambda port: isinstance(port, Control))
        return [Cable(*end, entry.id, port.name) for port in ports]
    return [Cable(entry.id, port.name, *end) for port in entry.spec.outlets]


def room(scene: Scene, cable: Cable, node: str = "") -> tuple[float, dict[str, tuple[float, float]]] | None:
    """Where the top of a box upon a cable is to be when the cable's ends are too near, and where the boxes below go to
    make room; None when there is room already. `node` is the box itself, if it is there.
    """
    above, target = scene.boxes[cable.from_node], scene.boxes[cable.to_node]
    high = scene.boxes[node].height if node in scene.boxes else HEIGHT
    lack = 2 * ROOM + high - (target.y - above.y - above.height)
    if not 0 < lack <= 2 * ROOM + high:
        return None
    low = {id: (box.x, box.y + lack) for id, box in scene.boxes.items() if box.y >= target.y and id != node}
    return above.y + above.height + ROOM, low


def without(graph: Graph, nodes: Iterable[str]) -> tuple[Graph, list[Cable]]:
    """A graph without these nodes, in which what led through them is joined; and the cables that came by it."""
    trial = graph.copy()
    before = set(trial.cables)
    for node in nodes:
        through = bridges(trial, node)
        trial.remove(node)
        for cable in through:
            if trial.why_not(cable) is None:
                trial.lay(cable)
    return trial, [cable for cable in trial.cables if cable not in before]


def bridges(graph: Graph, node: str) -> list[Cable]:
    """What may join the nodes before this one to those behind it: of what comes in that which comes into the first
    inlet with cables whose kind goes on. What moves a control does not go through, where the node has another inlet.
    """
    spec = graph.node(node).spec
    inlets = () if spec is None else spec.inlets
    order = {port.name: (isinstance(port, Control), at) for at, port in enumerate(inlets)}
    found: list[Cable] = []
    main = ""
    for came in sorted(graph.cables_into(node), key=lambda cable: order.get(cable.to_port, (False, -1))):
        kind = graph.cable_kind(came)
        moves, _ = order.get(came.to_port, (False, -1))
        if found and came.to_port != main:
            break
        if moves and any(kind in port.takes for port in inlets if not isinstance(port, Control)):
            continue
        main = came.to_port
        for goes in graph.cables_out_of(node):
            if node not in (goes.to_node, came.from_node) and kind is graph.cable_kind(goes):
                found.append(Cable(came.from_node, came.from_port, goes.to_node, goes.to_port))
    return found


def dissolved(graph: Graph, nodes: Collection[str]) -> list[Command]:
    """What takes nodes away and joins what led through them."""
    chosen = [node for node in graph.nodes if node in nodes]
    _, come = without(graph, chosen)
    return [*(Remove(node) for node in chosen), *(Connect(str(cable)) for cable in come)]


def loosened(graph: Graph, nodes: Collection[str]) -> list[Command]:
    """What takes the cables off nodes, but for those among them, and joins what led through them."""
    loose = loose_cables(graph, nodes)
    _, come = without(graph, [node for node in graph.nodes if node in nodes])
    return [*(Disconnect(str(cable)) for cable in loose), *(Connect(str(cable)) for cable in come)]


def loose_cables(graph: Graph, nodes: Collection[str]) -> list[Cable]:
    """The cables between these nodes and others."""
    return [cable for cable in graph.cables if (cable.from_node in nodes) is not (cable.to_node in nodes)]


def refitted(graph: Graph, node: str, kind: str) -> tuple[list[Command], list[Cable]]:
    """The cables that a node keeps, besides those at ports of the same names, when it becomes another kind; and those
    that fit nowhere. A cable goes to the port at the same place, else to the first that takes it. Raises PatchError.
    """
    before = graph.node(node).spec
    trial = graph.copy()
    dropped = trial.replace(node, kind)
    after = trial.node(node).spec
    made: list[Command] = []
    lost: list[Cable] = []
    if before is None or after is None:
        return made, list(dropped)
    for cable in dropped:
        inward = cable.to_node == node
        old, new = (before.inlets, after.inlets) if inward else (before.outlets, after.outlets)
        name = cable.to_port if inward else cable.from_port
        at = next((index for index, port in enumerate(old) if port.name == name), 0)
        ports = sorted(range(len(new)), key=lambda index: (index != at, index))
        for index in ports:
            end = (node, new[index].name)
            ends = (
                Cable(cable.from_node, cable.from_port, *end) if inward else Cable(*end, cable.to_node, cable.to_port)
            )
            if cable.from_node != cable.to_node and trial.why_not(ends) is None and ends not in trial.cables:
                trial.lay(ends)
                made.append(Connect(str(ends)))
                break
        else:
            lost.append(cable)
    return made, lost


class Splicing:
    """The actions for what is selected in a chain."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {"dissolve": self.dissolve, "take-cables-off": self.loosen, "cut-cables": self.cut}

    def dissolve(self) -> None:
        """Take away what is selected, and join what led through it."""
        editing = self.editing
        graph, selection = editing.mirror.document.graph, editing.selection
        loose = [
            Disconnect(str(cable)) for cable in graph.cables
            if cable in selection.cables and not selection.nodes & {cable.from_node, cable.to_node}
        ]  # fmt: skip
        names = sorted(selection.nodes)
        label = f"Take {names[0]} out" if len(names) == 1 else f"Take {len(names)} nodes out" if names else ""
        editing.do([*loose, *dissolved(graph, selection.nodes)], label)

    def loosen(self) -> None:
        """Take the cables off what is selected, and join what led through it."""
        editing = self.editing
        editing.do(loosened(editing.mirror.document.graph, editing.selection.nodes), "Take cables off")

    def cut(self) -> None:
        """The next stroke cuts cables."""
        if self.editing.modes.refuses():
            return
        self.editing.hands.cut()
        self.editing.say("Draw a line across the cables that are to be cut. Escape: none.")
