"""Objects that are typed: a new one, another text for one that is there, another in its place, another name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Add, Command, Connect, Move, Rename, Replace, Set, perform
from nodegraph.core.document import Document
from nodegraph.core.errors import NodegraphError, PatchError
from nodegraph.core.ports import Inlet, Outlet
from nodegraph.editor import wiring as wire
from nodegraph.editor.objecttext import Typed, parameters, typed
from nodegraph.editor.scene import HEIGHT, PADDING, PORT
from nodegraph.editor.splicing import inserted, refitted, room
from nodegraph.editor.wiring import Wiring

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing


GAP: Final = 34.0
"""Between a box and the one that is made below it."""


class Objects:
    """What is being asked for, and what comes of the answer."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.asked: tuple[float, float, Wiring | None] | None = None
        """Where an object is being asked for, and the cable that is to be joined to it."""
        self.changing: str | None = None
        """The node whose text is being changed."""
        self.replacing: list[str] = []
        """The nodes in whose place the one that is asked for comes."""
        self.into: Cable | None = None
        """The cable into which an object is being asked for."""
        self._label = self._made = ""

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {
            "new-object": self.new, "new-object-below": self.below, "replace": self.replace,
            "insert-object": self.insert_chosen,
        }  # fmt: skip

    def new(self) -> None:
        """Ask for one, at the cursor or in the middle; upon the cable that is selected, if one is."""
        editing = self.editing
        cables = editing.selection.cables
        if len(cables) == 1 and not editing.selection.nodes and editing.scene.ends(next(iter(cables))) is not None:
            self.insert_chosen()
            return
        self.ask(*editing.free(*editing.here()))

    def below(self) -> None:
        """Ask for one below the one that is selected, to be joined to its first outlet; without one, for one."""
        editing = self.editing
        if len(editing.selection.nodes) != 1:
            self.new()
            return
        above = editing.scene.boxes[next(iter(editing.selection.nodes))]
        x, y = above.x, above.y + above.height + GAP
        while any(box.meets(x - 8, y - 8, x + 48, y + HEIGHT) for box in editing.scene.boxes.values()):
            x += 2 * HEIGHT
        self.ask(x, y, wire.begun(editing.scene, above.outlets[0], (x, y)) if above.outlets else None)

    def replace(self) -> None:
        """Ask for what comes in the place of those that are selected, which are of one kind."""
        editing = self.editing
        graph = editing.mirror.document.graph
        nodes = [id for id in graph.nodes if id in editing.selection.nodes]
        if len({graph.node(id).kind for id in nodes}) > 1:
            editing.say("These are of several kinds: select those of one kind to replace them together.")
        elif nodes:
            box = editing.scene.boxes[nodes[0]]
            self.ask(box.x, box.y)
            self.replacing = nodes

    def edit(self) -> None:
        """Change the text of the one that is selected."""
        editing = self.editing
        if len(editing.selection.nodes) == 1 and not editing.modes.refuses():
            box = editing.scene.boxes[next(iter(editing.selection.nodes))]
            self.ask(box.x, box.y)
            self.changing = box.node

    def insert(self, cable: Cable, x: float, y: float) -> None:
        """Ask for one that is put into a cable, at a place."""
        self.ask(x, y)
        self.into = cable

    def insert_chosen(self) -> None:
        """Ask for one that is put into the selected cable."""
        cables = self.editing.selection.cables
        ends = self.editing.scene.ends(next(iter(cables))) if len(cables) == 1 else None
        if ends is None:
            self.editing.say("Select a cable: an object can be inserted there.")
        else:
            (ax, ay), (bx, by) = ends
            self.insert(next(iter(cables)), (ax + bx) / 2 - PADDING - PORT[0] / 2, (ay + by - HEIGHT) / 2)

    def hangs(self) -> Inlet | Outlet | None:
        """The port from which a cable hangs for the object that is asked for."""
        if self.asked is None:
            return None
        wiring, onto = self.asked[2], self.into
        if wiring is not None:
            node, name, out = wiring.start.key
        elif onto is not None:
            node, name, out = onto.from_node, onto.from_port, True
        else:
            return None
        entry = self.editing.mirror.document.graph.nodes.get(node)
        if entry is None or entry.spec is None:
            return None
        ports: Mapping[str, Any] = entry.spec.outlet_named if out else entry.spec.inlet_named
        return ports.get(name)

    def ask(self, x: float, y: float, wiring: Wiring | None = None) -> None:
        """Ask for one at a place, to be joined to a cable that the hand has let go there."""
        if not self.editing.modes.refuses():
            self._done()
            self.asked = (x, y, wiring)

    def _done(self) -> None:
        self.asked = self.changing = self.into = None
        self.replacing = []

    def answer(self, text: str | None) -> bool:
        """What was typed; None: nothing after all. False when it is no object, which is said."""
        if self.asked is None:
            return True
        if text is None or not text.strip():
            self._done()
            return True
        editing = self.editing
        x, y, wiring = self.asked
        try:
            found = typed(text, editing.mirror.document.graph.registry)
            if self.replacing:
                commands = self._replaced([id for id in self.replacing if id in editing.mirror.document.graph], found)
            elif self.changing:
                commands = self._changed(self.changing, found)
            else:
                commands = self._added(found, x, y, wiring)
        except NodegraphError as error:
            editing.tell(error)
            return False
        if not editing.do(commands, self._label):
            return False
        if not self.changing and not self.replacing:
            editing.selection.only([self._made])
        self._done()
        return True

    def rename(self, node: str, to: str) -> None:
        """Another id."""
        if to != node and self.editing.do([Rename(node, to)]):
            self.editing.selection.only([to])

    def _added(self, found: Typed, x: float, y: float, wiring: Wiring | None) -> list[Command]:
        graph = self.editing.mirror.document.graph
        id = graph.free_id(Path(found.kind).stem if found.kind.endswith((".ng", ".py")) else found.kind)
        self._label = f"Add {id}"
        made: list[Command] = [Add(id, found.kind, found.values, (round(x), round(y)))]
        if wiring is not None:
            trial = graph.copy()
            trial.add(found.kind, id, **found.values)
            ends = (id, f"{wiring.start.node}.{wiring.start.name}")
            outlet, inlet = (ends[1], ends[0]) if wiring.start.out else ends
            try:
                made.append(Connect(str(trial.connect(outlet, inlet))))
            except PatchError as error:
                self.editing.say(error.problems[0].describe())
        elif self.into is not None:
            made += self._inserted(self.into, found, id)
        self._made = id
        return made

    def _inserted(self, cable: Cable, found: Typed, id: str) -> list[Command]:
        """What puts the new one upon a cable; what stands below and is too near makes room."""
        graph, scene = self.editing.mirror.document.graph, self.editing.scene
        trial = graph.copy()
        trial.add(found.kind, id, **found.values)
        try:
            made = inserted(trial, id, cable)
        except PatchError as error:
            self.editing.say(error.problems[0].describe())
            return []
        self._label = f"Insert {id}"
        found_room = room(scene, cable)
        if found_room is not None:
            top, low = found_room
            moved = self.editing.selection.moving(self.editing.mirror.document, low)
            made = [Move({id: [round(scene.boxes[cable.from_node].x), round(top)]}), *moved, *made]
        return made

    def _replaced(self, nodes: list[str], found: Typed) -> list[Command]:
        """What makes nodes another kind, with the values and cables that fit there."""
        graph = self.editing.mirror.document.graph.copy()
        self._label = f"Replace {nodes[0]} by {found.kind}" if len(nodes) == 1 else f"Replace {len(nodes)} nodes"
        made: list[Command] = []
        lost: list[Cable] = []
        for node in nodes:
            kept, gone = refitted(graph, node, found.kind)
            commands = [Replace(node, found.kind), *kept]
            if found.values:
                commands.append(Set(node, found.values))
            perform(Document(graph), commands)
            made += commands
            lost += gone
        if lost:
            self.editing.say(f"{len(lost)} cable{'s' if len(lost) > 1 else ''} did not fit: {lost[0]}.")
        return made

    def _changed(self, node: str, found: Typed) -> list[Command]:
        """What makes a node what was typed, its other values as far as they fit."""
        entry = self.editing.mirror.document.graph.node(node)
        if entry.kind != found.kind:
            return self._replaced([node], found)
        self._label = f"Change {node}"
        names = [item.name for item in parameters(entry.spec)] if entry.spec is not None else []
        gone = [name for name in names if name in entry.params and name not in found.values]
        values = {**dict.fromkeys(gone), **found.values}
        return [Set(node, values)] if values else []
