"""What the mouse does on the canvas: select, move, wire, pan, zoom. It knows no GUI: it is told what the mouse does.

Places are the screen's, from the canvas's upper left corner. Left: a port begins a cable, a box is selected and moved,
the void draws a box around what is to be selected. Middle, or left with space held: pan. The wheel zooms at the cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Command, Connect, SetNote
from nodegraph.editor import wiring as wire
from nodegraph.editor.notes import SMALLEST, resize
from nodegraph.editor.scene import Port, Scene
from nodegraph.editor.selection import Selection
from nodegraph.editor.turning import Turning
from nodegraph.editor.viewport import Viewport
from nodegraph.editor.wiring import Wiring

Point = tuple[float, float]
LEFT, RIGHT, MIDDLE = 0, 1, 2
SLACK: Final = 3.0
"""So many points of the screen are no move yet."""
CORNER: Final = 9.0
"""How near to the corner of a note, in points of the screen, is at it."""


class Desk(Protocol):
    """What the hands work on."""

    scene: Scene
    selection: Selection
    viewport: Viewport

    @property
    def turning(self) -> Turning: ...

    @property
    def step(self) -> float | None: ...
    @property
    def locked(self) -> bool: ...
    def do(self, commands: list[Command], label: str = "") -> bool: ...
    def moved(self, places: Mapping[str, Point], notes: Mapping[str, Point]) -> bool: ...
    def say(self, text: str) -> None: ...
    def ask_for_object(self, x: float, y: float, wiring: Wiring | None = None) -> None: ...


@dataclass
class Moving:
    """Boxes and notes in the hand: where it took them, and how far it has brought them."""

    start: Point
    nodes: set[str]
    notes: set[str] = field(default_factory=set)
    by: Point = (0.0, 0.0)
    begun: bool = False
    taken: str = ""
    """The one that lies under the hand."""


@dataclass
class Framing:
    """A rectangle that selects what it touches, besides what was selected before."""

    start: Point
    at: Point
    before: set[str] = field(default_factory=set)
    notes: set[str] = field(default_factory=set)


@dataclass
class Resizing:
    """The corner of a note in the hand, and how much beside it the hand took it."""

    note: str
    beside: Point
    size: Point | None = None


@dataclass
class Panning:
    """The canvas in the hand."""

    at: Point


@dataclass
class Holding:
    """A control that a box shows, in the hand."""

    at: Point


Doing = Moving | Framing | Resizing | Panning | Holding | Wiring | None


class Hands:
    """The state of the mouse on one canvas."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.doing: Doing = None
        self.at: Point = (0.0, 0.0)
        self.hover: Port | None = None
        self.hover_cable: Cable | None = None
        """The cable under the mouse, where no port or box is."""
        self.space = False
        """Whether the space bar is held: the left button pans."""
        self.held: frozenset[str] = frozenset()
        """The modifiers that are held: with shift a control is turned slowly, with ctrl fast."""
        self._may_unselect: tuple[list[str], list[str]] | None = None
        """The node or the note that alone is selected when the hand lets go of all that are."""
        self._acts: dict[type, Callable[[], None]] = {
            Moving: self._drop, Holding: self._turned, Wiring: self._join, Resizing: self._resized,
        }  # fmt: skip

    def press(self, x: float, y: float, button: int = LEFT, *, more: bool = False) -> None:
        """A button goes down; `more` adds to what is selected."""
        self.at = (x, y)
        if self.doing is not None:
            return
        if button == MIDDLE or (button == LEFT and self.space):
            self.doing = Panning((x, y))
            return
        if button != LEFT:
            return
        desk, view = self.desk, self.desk.viewport
        px, py = view.patch(x, y)
        port = None if desk.locked else desk.scene.port_at(px, py, view.zoom)
        if port is not None:
            self.doing = wire.begun(desk.scene, port, (px, py))
            return
        box = desk.scene.box_at(px, py)
        row = None if box is None else box.row_at(px, py)
        if box is not None and row is not None and desk.turning.take(box.node, row):
            desk.selection.only([box.node])
            self.doing = Holding((x, y))
            return
        if desk.locked:  # it is played, and nothing of it is taken
            return
        if box is not None:
            self._take(box.node, desk.selection.nodes, ([box.node], []), more)
            return
        if self._take_corner(px, py):
            return
        cable = desk.scene.cable_at(px, py, view.zoom)
        if cable is not None:
            desk.selection.only((), {*desk.selection.cables, cable} if more else {cable})
            return
        note = desk.scene.note_at(px, py)
        if note is not None:
            self._take(note.note, desk.selection.notes, ([], [note.note]), more)
            return
        if not more:
            desk.selection.clear()
        self.doing = Framing((px, py), (px, py), set(desk.selection.nodes), set(desk.selection.notes))

    def _take(self, id: str, chosen: set[str], alone: tuple[list[str], list[str]], more: bool) -> None:
        """Take a box or a note, with all that is selected and what lies in the panels among it; `chosen` are the
        selected ones of its sort.
        """
        selection = self.desk.selection
        self._may_unselect = None
        if more:
            chosen ^= {id}
            if id not in chosen:
                return
        elif id in chosen:
            self._may_unselect = alone
        else:
            selection.only(alone[0], (), alone[1])
        nodes, notes = self.desk.scene.within(selection.notes)
        at = self.desk.viewport.patch(*self.at)
        self.doing = Moving(at, nodes | selection.nodes, notes | selection.notes, taken=id)

    def _take_corner(self, x: float, y: float) -> bool:
        """The corner of a selected note, if it is there."""
        desk = self.desk
        reach = CORNER / desk.viewport.zoom
        for id in () if desk.scene.presenting else desk.selection.notes:
            note = desk.scene.notes.get(id)
            if note is not None and abs(note.corner[0] - x) <= reach and abs(note.corner[1] - y) <= reach:
                self.doing = Resizing(id, (note.corner[0] - x, note.corner[1] - y))
                return True
        return False

    def move(self, x: float, y: float) -> bool:
        """The mouse is elsewhere. Whether anything looks otherwise then."""
        if (x, y) == self.at:
            return False
        self.at = (x, y)
        view, scene, doing = self.desk.viewport, self.desk.scene, self.doing
        px, py = view.patch(x, y)
        if isinstance(doing, Panning):
            view.pan(x - doing.at[0], y - doing.at[1])
            doing.at = (x, y)
        elif isinstance(doing, Moving):
            dx, dy = px - doing.start[0], py - doing.start[1]
            if doing.begun or max(abs(dx), abs(dy)) * view.zoom > SLACK:
                doing.begun, doing.by = True, self._on_the_grid(doing, dx, dy)
                scene.shift(doing.nodes, *doing.by, doing.notes)
        elif isinstance(doing, Holding):
            self.desk.turning.drag(x - doing.at[0], self.held)
            doing.at = (x, y)
        elif isinstance(doing, Resizing):
            self._resize(doing, px + doing.beside[0], py + doing.beside[1])
        elif isinstance(doing, Framing):
            doing.at = (px, py)
            frame = (*doing.start, *doing.at)
            notes = {*doing.notes, *scene.notes_in(*frame)}
            self.desk.selection.only({*doing.before, *scene.boxes_in(*frame)}, (), notes)
        elif isinstance(doing, Wiring):
            doing.at = (px, py)
            doing.over = wire.over(scene, doing, px, py, view.zoom)
        else:
            before = self.hover, self.hover_cable
            self.hover, self.hover_cable = scene.port_at(px, py, view.zoom), None
            if self.hover is None and scene.box_at(px, py) is None:
                self.hover_cable = scene.cable_at(px, py, view.zoom)
            return before != (self.hover, self.hover_cable)
        return True

    def leave(self) -> None:
        """The mouse has left the canvas: nothing is under it."""
        self.hover = self.hover_cable = None

    def _on_the_grid(self, doing: Moving, dx: float, dy: float) -> Point:
        """How far boxes are brought: with a grid, so that the box that was taken stands on it."""
        step, scene = self.desk.step, self.desk.scene
        if step is None:
            return dx, dy
        x, y = scene.home(doing.taken)
        return round((x + dx) / step) * step - x, round((y + dy) / step) * step - y

    def release(self, x: float, y: float) -> None:
        """The button goes up."""
        self.move(x, y)
        act = self._acts.get(type(self.doing))
        if act is not None:
            act()
        self.doing = None

    def again(self) -> None:
        """The boxes were laid out anew while the hand holds something."""
        doing, scene = self.doing, self.desk.scene
        if isinstance(doing, Moving):
            doing.nodes &= scene.boxes.keys()
            doing.notes &= scene.notes.keys()
            scene.shift(doing.nodes, *doing.by, doing.notes)
        elif isinstance(doing, Resizing):
            if doing.note not in scene.notes:
                self.doing = None
            elif doing.size is not None:
                resize(scene.notes[doing.note], doing.size)
        elif doing is None and self.hover_cable not in scene.document.graph.cables:
            self.hover_cable = None
        elif isinstance(doing, Wiring):
            start = scene.port(*doing.start.key)
            self.doing = None if start is None else wire.begun(scene, start, doing.at)
            if isinstance(self.doing, Wiring):  # the mouse may stay where it is until it lets go
                self.doing.over = wire.over(scene, self.doing, *doing.at, self.desk.viewport.zoom)

    def cancel(self) -> None:
        """As if the hand had never taken anything."""
        if isinstance(self.doing, Moving):
            self.desk.scene.shift(self.doing.nodes, 0.0, 0.0, self.doing.notes)
        elif isinstance(self.doing, Holding):
            self.desk.turning.cancel()
        elif isinstance(self.doing, Resizing):
            self._as_told(self.doing.note)
        self.doing = None

    def double(self, x: float, y: float) -> None:
        """Two clicks: in the void, for a new object."""
        px, py = self.desk.viewport.patch(x, y)
        if self.desk.scene.box_at(px, py) is None and self.desk.scene.port_at(px, py, self.desk.viewport.zoom) is None:
            self.desk.ask_for_object(px, py)

    def wheel(self, x: float, y: float, notches: float) -> None:
        """Larger or smaller, at the cursor."""
        self.desk.viewport.zoom_at(x, y, notches)

    # -- letting go

    def _turned(self) -> None:
        self.desk.turning.let_go()

    def _drop(self) -> None:
        doing, desk = self.doing, self.desk
        assert isinstance(doing, Moving)
        if not doing.begun:
            if self._may_unselect is not None:
                nodes, alone = self._may_unselect
                desk.selection.only(nodes, (), alone)
            return
        places = {id: (box.x, box.y) for id, box in desk.scene.boxes.items() if id in doing.nodes}
        notes = {id: (note.x, note.y) for id, note in desk.scene.notes.items() if id in doing.notes}
        if not desk.moved(places, notes):
            desk.scene.shift(doing.nodes, 0.0, 0.0, doing.notes)

    def _resize(self, doing: Resizing, x: float, y: float) -> None:
        """An image keeps its shape."""
        note = self.desk.scene.notes[doing.note]
        width, height = max(SMALLEST, x - note.x), max(SMALLEST, y - note.y)
        if note.kind == "image":
            shape = note.height / note.width
            width = max(width, height / shape)
            height = width * shape
        doing.size = width, height
        resize(note, doing.size)

    def _resized(self) -> None:
        doing, desk = self.doing, self.desk
        assert isinstance(doing, Resizing)
        if doing.size is not None:
            size = [round(side) for side in doing.size]
            if not desk.do([SetNote(doing.note, {"size": size})], f"Resize {doing.note}"):
                self._as_told(doing.note)

    def _as_told(self, id: str) -> None:
        """As large as the document says."""
        scene = self.desk.scene
        if id in scene.notes and id in scene.document.notes:
            resize(scene.notes[id], scene.document.notes[id].get("size"))

    def _join(self) -> None:
        doing, desk = self.doing, self.desk
        assert isinstance(doing, Wiring)
        if doing.over is None:
            box = desk.scene.boxes.get(doing.start.node)
            if box is not None and desk.scene.box_at(*doing.at) is None and _far(box.place(doing.start), doing.at):
                desk.ask_for_object(*doing.at, doing)
            return
        cable = doing.cable(doing.over)
        if cable in desk.scene.document.graph.cables:
            return
        problem = wire.why_not(desk.scene, doing, doing.over)
        if problem is not None:
            desk.say(problem.describe())
            return
        desk.do([Connect(str(cable))])


def _far(start: Point, end: Point) -> bool:
    return abs(start[0] - end[0]) + abs(start[1] - end[1]) > 24.0
