"""What the mouse does on the canvas: select, move, wire, pan, zoom. It knows no GUI: it is told what the mouse does.

Places are the screen's, from the canvas's upper left corner. Left: a port begins a cable, a box is selected and moved,
the void draws a box around what is to be selected. Middle, or left with space held: pan. The wheel zooms at the cursor.
With alt or ctrl (window managers may keep alt to themselves) a box is copied, a cable's end taken from a port, and a
move does not snap; with shift a cable is laid after the other; with ctrl and alt a stroke cuts cables.
`letting_go` says what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Command
from nodegraph.editor import letting_go
from nodegraph.editor import wiring as wire
from nodegraph.editor.gestures import Copying, Cutting, Line, Shake, cable_across, snapped
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

    def do(self, commands: list[Command], label: str = "") -> bool: ...
    def say(self, text: str) -> None: ...
    def ask_for_object(self, x: float, y: float, wiring: Wiring | None = None) -> None: ...
    def show_help(self, node: str) -> None: ...


@dataclass
class Moving:
    """Boxes in the hand: where it took them, and how far it has brought them."""

    start: Point
    nodes: set[str]
    held: str
    """The one under the hand."""
    by: Point = (0.0, 0.0)
    begun: bool = False
    onto: Cable | None = None
    """The cable into which it goes when it is let go."""
    loose: bool = False
    """It was shaken: its cables come off."""
    guides: list[Line] = field(default_factory=list)
    """To what it has snapped."""
    shake: Shake = field(default_factory=Shake)


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


Doing = Moving | Copying | Framing | Panning | Holding | Wiring | Cutting | None


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
        self.held: frozenset[str] | set[str] = frozenset()
        """The modifiers that are held: with shift a control is turned slowly, with ctrl fast."""
        self.cuts = False
        """Whether the next stroke cuts cables."""
        self._may_unselect: str | None = None
        self._acts: dict[type, Callable[[Doing], Doing]] = {
            Moving: self._drop, Holding: self._turned, Copying: partial(self._let_go, letting_go.copy),
            Cutting: partial(self._let_go, letting_go.cut), Wiring: self._join,
        }  # fmt: skip

    @property
    def loose(self) -> Collection[Cable]:
        """Cables that are off as long as the hand holds what it holds: of boxes that were shaken, and a taken one."""
        doing = self.doing
        if isinstance(doing, Moving) and doing.loose:
            return letting_go.loose_cables(self.desk.scene.document.graph, doing.nodes)
        return () if not isinstance(doing, Wiring) or doing.taken is None else (doing.taken,)

    @property
    def _pulls(self) -> bool:
        return "alt" in self.held or "ctrl" in self.held

    def press(self, x: float, y: float, button: int = LEFT, *, more: bool | None = None) -> None:
        """A button goes down; `more` adds to what is selected, as shift does."""
        more = "shift" in self.held if more is None else more
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
        if self.cuts or {"ctrl", "alt"} <= set(self.held):
            self.doing = Cutting((px, py), (px, py))
            return
        port = desk.scene.port_at(px, py, view.zoom)
        if port is not None:
            self.doing = self._begun(port, (px, py))
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
                nodes = set(desk.selection.nodes)
                self.doing = Copying((px, py), nodes, box.node) if self._pulls else Moving((px, py), nodes, box.node)
            return
        cable = desk.scene.cable_at(px, py, view.zoom)
        if cable is not None:
            desk.selection.only((), {*desk.selection.cables, cable} if more else {cable})
            return
        if not more:
            desk.selection.clear()
        self.doing = Framing((px, py), (px, py), set(desk.selection.nodes))

    def _begun(self, port: Port, at: Point) -> Wiring:
        """A new cable from a port, or the end of one that is there: of the one that is selected, or with alt of any."""
        scene, chosen = self.desk.scene, self.desk.selection.cables
        if self._pulls or not port.out:
            taken = wire.taken_at(scene, port, chosen, any_there=self._pulls)
            if taken is not None:
                return taken
        return wire.begun(scene, port, at)

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
        elif isinstance(doing, (Moving, Copying)):
            dx, dy = px - doing.start[0], py - doing.start[1]
            if doing.begun or max(abs(dx), abs(dy)) * view.zoom > SLACK:
                doing.begun, doing.by = True, (dx, dy)
                if isinstance(doing, Moving):
                    self._carry(doing)
        elif isinstance(doing, Holding):
            self.desk.turning.drag(x - doing.at[0], self.held)
            doing.at = (x, y)
        elif isinstance(doing, Cutting):
            doing.move(scene, px, py)
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

    def _carry(self, doing: Moving) -> None:
        """Boxes follow the hand: they snap to others, are shaken loose, and find a cable to go into."""
        scene, zoom, (dx, dy) = self.desk.scene, self.desk.viewport.zoom, doing.by
        graph = scene.document.graph
        if doing.held not in scene.boxes:
            return
        doing.guides = []
        if not self._pulls:
            doing.by, doing.guides = snapped(scene, doing.held, doing.nodes, dx, dy, zoom)
        scene.shift(doing.nodes, *doing.by)
        if doing.shake.move(dx * zoom) and letting_go.loose_cables(graph, doing.nodes):
            doing.loose = True
        doing.onto = None
        if len(doing.nodes) == 1 and not any((*graph.cables_into(doing.held), *graph.cables_out_of(doing.held))):
            cable = cable_across(scene, scene.boxes[doing.held])
            if cable is not None and letting_go.fits(graph, doing.held, cable):
                doing.onto = cable

    def release(self, x: float, y: float) -> None:
        """The button goes up."""
        self.move(x, y)
        act = self._acts.get(type(self.doing))
        doing, self.doing = self.doing, None  # what is let go is not carried on when the boxes are laid out anew
        if act is not None:
            self.doing = act(doing)

    def again(self) -> None:
        """The boxes were laid out anew while the hand holds something."""
        doing, scene = self.doing, self.desk.scene
        if isinstance(doing, Moving):
            doing.nodes &= scene.boxes.keys()
            scene.shift(doing.nodes, *doing.by)
        elif isinstance(doing, Copying):
            doing.nodes &= scene.boxes.keys()
        elif isinstance(doing, Cutting):
            doing.move(scene, *doing.at)
        elif doing is None and self.hover_cable not in scene.document.graph.cables:
            self.hover_cable = None
        elif isinstance(doing, Wiring):
            start = scene.port(*doing.start.key)
            gone = doing.taken is not None and doing.taken not in scene.document.graph.cables
            self.doing = None if start is None or gone else wire.begun(scene, start, doing.at, doing.taken)
            if isinstance(self.doing, Wiring):  # the mouse may stay where it is until it lets go
                self.doing.again = doing.again
                self.doing.over = wire.over(scene, self.doing, *doing.at, self.desk.viewport.zoom)

    def cancel(self) -> None:
        """As if the hand had never taken anything."""
        if isinstance(self.doing, Moving):
            self.desk.scene.shift(self.doing.nodes, 0.0, 0.0)
        elif isinstance(self.doing, Holding):
            self.desk.turning.cancel()
        self.doing, self.cuts = None, False

    def cut(self) -> None:
        """The next stroke cuts cables, as one with ctrl and alt does."""
        self.cuts = True

    def double(self, x: float, y: float) -> None:
        """Two clicks: in the void, for a new object."""
        px, py = self.desk.viewport.patch(x, y)
        if self.desk.scene.box_at(px, py) is None and self.desk.scene.port_at(px, py, self.desk.viewport.zoom) is None:
            self.desk.ask_for_object(px, py)

    def wheel(self, x: float, y: float, notches: float) -> None:
        """Larger or smaller, at the cursor."""
        self.desk.viewport.zoom_at(x, y, notches)

    # -- letting go

    def _turned(self, doing: Doing) -> Doing:
        self.desk.turning.let_go()
        return None

    def _let_go(self, how: Callable[[Desk, Doing], None], doing: Doing) -> Doing:
        how(self.desk, doing)
        self.cuts = False
        return None

    def _drop(self, doing: Doing) -> Doing:
        desk = self.desk
        assert isinstance(doing, Moving)
        if not doing.begun:
            if self._may_unselect is not None:
                desk.selection.only([self._may_unselect])
        elif not letting_go.drop(desk, doing.nodes, doing.onto, loose=doing.loose):
            desk.scene.shift(doing.nodes, 0.0, 0.0)
        return None

    def _join(self, doing: Doing) -> Doing:
        assert isinstance(doing, Wiring)
        letting_go.join(self.desk, doing)
        if doing.over is None or doing.taken is not None or "shift" not in self.held:
            return None
        start = self.desk.scene.port(*doing.start.key)
        if start is None:
            return None
        following = wire.begun(self.desk.scene, start, doing.at)
        following.again = True
        return following
