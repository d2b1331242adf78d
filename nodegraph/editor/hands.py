"""What the mouse does on the canvas: select, move, wire, pan, zoom. It knows no GUI: it is told what the mouse does.

Places are the screen's, from the canvas's upper left corner. Left: a port begins a cable, a box is selected and moved,
the void draws a box around what is to be selected. Middle, or left with space held: pan. The wheel zooms at the cursor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Command, Connect
from nodegraph.editor import wiring as wire
from nodegraph.editor.scene import Port, Scene
from nodegraph.editor.selection import Selection
from nodegraph.editor.turning import Turning
from nodegraph.editor.viewport import Viewport
from nodegraph.editor.wiring import Wiring

Point = tuple[float, float]
LEFT, RIGHT, MIDDLE = 0, 1, 2
SLACK: Final = 3.0
"""So many points of the screen are no move yet."""


class Desk(Protocol):
    """What the hands work on."""

    scene: Scene
    selection: Selection
    viewport: Viewport

    @property
    def turning(self) -> Turning: ...

    @property
    def step(self) -> float | None: ...
    def do(self, commands: list[Command], label: str = "") -> bool: ...
    def say(self, text: str) -> None: ...
    def ask_for_object(self, x: float, y: float, wiring: Wiring | None = None) -> None: ...


@dataclass
class Moving:
    """Boxes in the hand: where it took them, and how far it has brought them."""

    start: Point
    nodes: set[str]
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


@dataclass
class Panning:
    """The canvas in the hand."""

    at: Point


@dataclass
class Holding:
    """A control that a box shows, in the hand."""

    at: Point


Doing = Moving | Framing | Panning | Holding | Wiring | None


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
        self._may_unselect: str | None = None
        self._acts: dict[type, Callable[[], None]] = {Moving: self._drop, Holding: self._turned, Wiring: self._join}

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
        port = desk.scene.port_at(px, py, view.zoom)
        if port is not None:
            self.doing = wire.begun(desk.scene, port, (px, py))
            return
        box = desk.scene.box_at(px, py)
        row = None if box is None else box.row_at(px, py)
        if box is not None and row is not None and desk.turning.take(box.node, row):
            desk.selection.only([box.node])
            self.doing = Holding((x, y))
            return
        if box is not None:
            self._may_unselect = None
            if more:
                desk.selection.toggle(box.node)
            elif box.node not in desk.selection.nodes:
                desk.selection.only([box.node])
            else:
                self._may_unselect = box.node
            if box.node in desk.selection.nodes:
                self.doing = Moving((px, py), set(desk.selection.nodes), taken=box.node)
            return
        cable = desk.scene.cable_at(px, py, view.zoom)
        if cable is not None:
            desk.selection.only((), {*desk.selection.cables, cable} if more else {cable})
            return
        if not more:
            desk.selection.clear()
        self.doing = Framing((px, py), (px, py), set(desk.selection.nodes))

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
                scene.shift(doing.nodes, *doing.by)
        elif isinstance(doing, Holding):
            self.desk.turning.drag(x - doing.at[0], self.held)
            doing.at = (x, y)
        elif isinstance(doing, Framing):
            doing.at = (px, py)
            self.desk.selection.only({*doing.before, *scene.boxes_in(*doing.start, *doing.at)})
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
            scene.shift(doing.nodes, *doing.by)
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
            self.desk.scene.shift(self.doing.nodes, 0.0, 0.0)
        elif isinstance(self.doing, Holding):
            self.desk.turning.cancel()
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
                desk.selection.only([self._may_unselect])
            return
        places = {id: (box.x, box.y) for id, box in desk.scene.boxes.items() if id in doing.nodes}
        if not desk.do(desk.selection.moving(desk.scene.document, places)):
            desk.scene.shift(doing.nodes, 0.0, 0.0)

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
