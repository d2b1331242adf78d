"""Objects that are typed: a new one, another text for one that is there, another name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Add, Command, Connect, Disconnect, Rename, Replace, Set
from nodegraph.core.errors import NodegraphError, PatchError
from nodegraph.core.ports import Inlet, Outlet
from nodegraph.editor.objecttext import Typed, parameters, typed
from nodegraph.editor.scene import HEIGHT
from nodegraph.editor.wiring import Wiring

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing


class Objects:
    """What is being asked for, and what comes of the answer."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.asked: tuple[float, float, Wiring | None] | None = None
        """Where an object is being asked for, and the cable that is to be joined to it."""
        self.changing: str | None = None
        """The node whose text is being changed."""
        self.into: Cable | None = None
        """The cable into which an object is being asked for."""
        self._label = ""

    def new(self) -> None:
        """Ask for one, at the cursor or in the middle."""
        editing = self.editing
        x, y = editing.hands.at
        if not (0.0 <= x < editing.size[0] and 0.0 <= y < editing.size[1]):
            x, y = editing.size[0] / 2, editing.size[1] / 2
        px, py = editing.viewport.patch(x, y)
        while any(abs(box.x - px) < 4 and abs(box.y - py) < HEIGHT for box in editing.scene.boxes.values()):
            py += 2 * HEIGHT  # not upon another: below it
        self.ask(px, py)

    def edit(self) -> None:
        """Change the text of the one that is selected."""
        editing = self.editing
        if len(editing.selection.nodes) == 1 and not editing.modes.refuses():
            box = editing.scene.boxes[next(iter(editing.selection.nodes))]
            self.asked, self.changing = (box.x, box.y, None), box.node
            self.into = None

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
            self.insert(next(iter(cables)), (ax + bx) / 2, (ay + by - HEIGHT) / 2)

    def hangs(self) -> Inlet | Outlet | None:
        """The port from which a cable hangs for the object that is asked for."""
        wiring = self.asked[2] if self.asked is not None else None
        nodes = self.editing.mirror.document.graph.nodes
        entry = nodes.get(wiring.start.node) if wiring is not None else None
        if wiring is None or entry is None or entry.spec is None:
            return None
        ports: Mapping[str, Any] = entry.spec.outlet_named if wiring.start.out else entry.spec.inlet_named
        return ports.get(wiring.start.name)

    def ask(self, x: float, y: float, wiring: Wiring | None = None) -> None:
        """Ask for one at a place, to be joined to a cable that the hand has let go there."""
        if not self.editing.modes.refuses():
            self.asked, self.changing, self.into = (x, y, wiring), None, None

    def answer(self, text: str | None) -> bool:
        """What was typed; None: nothing after all. False when it is no object, which is said."""
        if self.asked is None:
            return True
        if text is None or not text.strip():
            self.asked = self.changing = None
            return True
        editing = self.editing
        x, y, wiring = self.asked
        try:
            found = typed(text, editing.mirror.document.graph.registry)
            commands = self._changed(self.changing, found) if self.changing else self._added(found, x, y, wiring)
        except NodegraphError as error:
            for problem in error.problems:
                editing.say(problem.describe())
            return False
        if not editing.do(commands, self._label):
            return False
        self.asked = self.changing = None
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
        if self.into is not None and self.into in graph.cables:
            made += self._inserted(found, id, self.into)
        self.editing.selection.only([id])
        return made

    def _inserted(self, found: Typed, id: str, cable: Cable) -> list[Command]:
        """What leads a cable through a new object; where it does not fit the cable stays, and it is said why."""
        trial = self.editing.mirror.document.graph.copy()
        trial.add(found.kind, id, **found.values)
        start, end = f"{cable.from_node}.{cable.from_port}", f"{cable.to_node}.{cable.to_port}"
        try:
            trial.disconnect(str(cable))
            come, go = trial.connect(start, id), trial.connect(id, end)
        except PatchError as error:
            self.editing.say(error.problems[0].describe())
            return []
        return [Disconnect(str(cable)), Connect(str(come)), Connect(str(go))]

    def _changed(self, node: str, found: Typed) -> list[Command]:
        """What makes a node what was typed, its other values as far as they fit."""
        graph = self.editing.mirror.document.graph
        entry = graph.node(node)
        self._label = f"Change {node}"
        made: list[Command] = []
        if entry.kind != found.kind:
            made.append(Replace(node, found.kind))
            spec = graph.registry.get(found.kind)
        else:
            spec = entry.spec
        names = [item.name for item in parameters(spec)] if spec is not None else []
        gone = [name for name in names if name in entry.params and name not in found.values]
        values = {**dict.fromkeys(gone if entry.kind == found.kind else []), **found.values}
        if values:
            made.append(Set(node, values))
        return made
