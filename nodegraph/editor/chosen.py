"""What is done with what is selected: taken away, copied, moved, put in order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, get_args

from nodegraph.core.commands import Connect, perform
from nodegraph.core.document import Document
from nodegraph.core.errors import NodegraphError
from nodegraph.editor.arranging import Box as Shape
from nodegraph.editor.arranging import Direction, Edge, align, distribute, snap, tidy
from nodegraph.editor.clipboard import copied, pasted
from nodegraph.editor.scene import links, shapes
from nodegraph.editor.splicing import loose_cables

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

Clip = tuple[Callable[[], str], Callable[[str], None]]
NUDGE: Final = 10.0
STEP: Final = 20.0
GRID: Final = 10.0
NOTE: Final = "note "
"""Before the id of a note among those of nodes, which have no spaces."""


class Chosen:
    """The actions of one editor that are for its selection."""

    def __init__(self, editing: Editing, clipboard: Clip | None = None) -> None:
        """`clipboard` reads and writes the system's; without it the editor has one of its own."""
        self.editing = editing
        self._text = ""
        self._clipboard = clipboard or ((lambda: self._text), self._keep)

    def _keep(self, text: str) -> None:
        self._text = text

    def put(self, text: str) -> None:
        """A text into the clipboard."""
        self._clipboard[1](text)

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        found: dict[str, Callable[[], Any]] = {
            "cut": self.cut, "copy": self.copy, "paste": self.paste, "duplicate": self.duplicate,
            "duplicate-connected": self.duplicate_connected, "delete": self.delete, "select-all": self.select_all,
            "select-none": self.let_go,
            "move-left": lambda: self.nudge(-NUDGE, 0.0), "move-right": lambda: self.nudge(NUDGE, 0.0),
            "move-up": lambda: self.nudge(0.0, -NUDGE), "move-down": lambda: self.nudge(0.0, NUDGE),
            "next-object": lambda: self.step(1), "previous-object": lambda: self.step(-1),
            "tidy": lambda: self.arrange("Tidy up", self._tidied),
            "snap": lambda: self.arrange("Snap to the grid", lambda boxes: snap(boxes, GRID)),
        }  # fmt: skip
        for edge in get_args(Edge):
            found[f"align-{edge}"] = partial(self.arrange, f"Align {edge}", partial(align, edge=edge))
        for way in get_args(Direction):
            found[f"distribute-{way}"] = partial(self.arrange, f"Distribute {way}", partial(distribute, direction=way))
        return found

    def delete(self) -> None:
        """Take away what is selected."""
        commands = self.editing.selection.removing(self.editing.mirror.document)
        self.editing.do(commands, "Delete" if len(commands) > 1 else "")

    def copy(self) -> bool:
        """What is selected, as patch text."""
        if not self.editing.selection.nodes and not self.editing.selection.notes:
            return False
        self._clipboard[1](self._copied())
        return True

    def _copied(self) -> str:
        editing = self.editing
        places = {id: (box.x, box.y) for id, box in editing.scene.boxes.items()}
        nodes = [id for id in editing.mirror.document.graph.nodes if id in editing.selection.nodes]
        return copied(editing.mirror.document, nodes, places, sorted(editing.selection.notes))

    def cut(self) -> None:
        """Copy it and take it away."""
        if self.copy():
            self.editing.do(self.editing.selection.removing(self.editing.mirror.document), "Cut")

    def paste(self) -> None:
        """What was copied, here or elsewhere: at the cursor, or a little beside where it was."""
        editing = self.editing
        self._paste(self._clipboard[0](), "Paste", at=editing.here() if editing.over_canvas() else None)

    def duplicate(self) -> None:
        """What is selected, once more, a little below."""
        if self.editing.selection.nodes or self.editing.selection.notes:
            self._paste(self._copied(), "Duplicate")

    def duplicate_connected(self) -> None:
        """What is selected, once more, and with the cables between it and the rest, as far as these can be laid."""
        editing = self.editing
        graph = editing.mirror.document.graph
        nodes = [id for id in graph.nodes if id in editing.selection.nodes]
        if not nodes:
            return
        made = pasted(self._copied(), editing.mirror.document, by=(STEP, STEP))
        names = dict(zip(nodes, made.nodes, strict=True))
        trial = Document(graph.copy())
        perform(trial, made.commands)
        for cable in loose_cables(graph, nodes):
            ends = cable._replace(
                from_node=names.get(cable.from_node, cable.from_node), to_node=names.get(cable.to_node, cable.to_node)
            )
            if trial.graph.why_not(ends) is None:
                trial.graph.lay(ends)
                made.commands.append(Connect(str(ends)))
        if editing.do(made.commands, "Duplicate with cables"):
            editing.selection.only(made.nodes)

    def _paste(self, text: str, label: str, at: tuple[float, float] | None = None) -> None:
        try:
            made = pasted(text, self.editing.mirror.document, by=(STEP, STEP), at=at)
        except NodegraphError as error:
            self.editing.tell(error)
            return
        if self.editing.do(made.commands, label):
            self.editing.selection.only(made.nodes, (), made.notes)

    def nudge(self, dx: float, dy: float) -> None:
        """Move what is selected by a little."""
        scene, chosen = self.editing.scene, self.editing.selection
        within = scene.within(chosen.notes)
        nodes, notes = chosen.nodes | within[0], chosen.notes | within[1]
        self.editing.sheet.moved(
            {id: (box.x + dx, box.y + dy) for id, box in scene.boxes.items() if id in nodes},
            {id: (note.x + dx, note.y + dy) for id, note in scene.notes.items() if id in notes},
            merge=f"nudge {sorted(nodes)} {sorted(notes)}",
        )

    def arrange(self, label: str, how: Callable[[list[Shape]], Mapping[str, tuple[float, float]]]) -> None:
        """Put what is selected elsewhere as one step; all boxes, when fewer than two things are."""
        editing = self.editing
        every, notes = editing.scene.boxes, editing.selection.notes
        chosen: Collection[str] = editing.selection.nodes
        if len(chosen) + len(notes) < 2:
            chosen, notes = every.keys(), set()
        found = shapes(box for id, box in every.items() if id in chosen)
        found += [
            Shape(NOTE + id, note.x, note.y, note.width, note.height)
            for id, note in editing.scene.notes.items()
            if id in notes
        ]
        places = how(found)
        editing.sheet.moved(
            {id: at for id, at in places.items() if not id.startswith(NOTE)},
            {id.removeprefix(NOTE): at for id, at in places.items() if id.startswith(NOTE)},
            label,
        )

    def _tidied(self, boxes: list[Shape]) -> Mapping[str, tuple[float, float]]:
        """Boxes alone: notes have no cables."""
        scene = self.editing.scene
        boxes = [box for box in boxes if not box.id.startswith(NOTE)]
        inside = {box.id: scene.boxes[box.id] for box in boxes}
        return tidy(boxes, links(inside, self.editing.mirror.document.graph.cables))

    def select_all(self) -> None:
        """Every box and every note."""
        self.editing.selection.only(self.editing.scene.boxes, (), self.editing.scene.notes)

    def let_go(self) -> None:
        """Whatever the hand holds; else what waits to be learned; else the presentation is left; else nothing is
        selected.
        """
        if self.editing.hands.doing is not None or self.editing.hands.cuts:
            self.editing.hands.cancel()
        elif self.editing.turning.grip is not None:
            self.editing.turning.cancel()
        elif self.editing.learning.waiting:
            self.editing.learning.stop()
        elif self.editing.modes.presenting:
            self.editing.modes.leave()
        else:
            self.editing.selection.clear()

    def step(self, by: int) -> None:
        """Select the next box or note, from above to below."""
        scene, chosen = self.editing.scene, self.editing.selection
        order = [(box.y, box.x, id, False) for id, box in scene.boxes.items()]
        order = sorted([*order, *((note.y, note.x, id, True) for id, note in scene.notes.items())])
        if order:
            selected = [id in (chosen.notes if is_note else chosen.nodes) for _, _, id, is_note in order]
            at = selected.index(True) if True in selected else None
            _, _, id, is_note = order[(0 if by > 0 else -1) if at is None else (at + by) % len(order)]
            chosen.only(() if is_note else [id], (), [id] if is_note else ())
