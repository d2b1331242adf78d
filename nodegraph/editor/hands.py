"""What the mouse does on the canvas: select, move, wire, pan, zoom. It knows no GUI: it is told what the mouse does.

Places are the screen's, from the canvas's upper left corner. Left: a port begins a cable, a box is selected and moved,
the void draws a box around what is to be selected. Middle, or left with space held: pan. The wheel zooms at the cursor.
With alt or ctrl (window managers may keep alt to themselves) a box is copied, a cable's end taken from a port, and a
move does not snap; with shift a cable is laid after the other; with ctrl and alt a stroke cuts cables.
`letting_go` says what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Final, Protocol

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Command
from nodegraph.editor import letting_go, resizing
from nodegraph.editor import wiring as wire
from nodegraph.editor.gestures import Copying, Cutting, cable_across, snapped
from nodegraph.editor.held import Framing, Holding, Moving, Panning
from nodegraph.editor.resizing import Resizing
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
    @property
    def locked(self) -> bool: ...
    @property
    def natural(self) -> float: ...

    def do(self, commands: list[Command], label: str = "") -> bool: ...
    def say(self, text: str) -> None: ...
    def ask_for_object(self, x: float, y: float, wiring: Wiring | None = None) -> None: ...
    def show_help(self, node: str) -> None: ...


Doing = Moving | Copying | Framing | Resizing | Panning | Holding | Wiring | Cutting | None


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
        self._may_unselect: tuple[list[str], list[str]] | None = None
        """The node or the note that alone is selected when the hand lets go of all that are."""
        self._acts: dict[type, Callable[[Doing], Doing]] = {
            Moving: self._drop, Holding: self._turned, Copying: partial(self._let_go, letting_go.copy),
            Cutting: partial(self._let_go, letting_go.cut), Wiring: self._join,
            Resizing: partial(self._let_go, resizing.let_go),
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
        if not desk.locked and (self.cuts or {"ctrl", "alt"} <= set(self.held)):
            self.doing = Cutting((px, py), (px, py))
            return
        port = None if desk.locked else desk.scene.port_at(px, py, view.zoom)
        if port is not None:
            self.doing = self._begun(port, (px, py))
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
        corner = resizing.corner_at(desk, px, py)
        if corner is not None:
            self.doing = corner
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
        selection, scene = self.desk.selection, self.desk.scene
        self._may_unselect = None
        if more:
            chosen ^= {id}
            if id not in chosen:
                return
        elif id in chosen:
            self._may_unselect = alone
        else:
            selection.only(alone[0], (), alone[1])
        nodes, notes = scene.within(selection.notes)
        nodes, notes = nodes | selection.nodes, notes | selection.notes
        at = self.desk.viewport.patch(*self.at)
        copies = self._pulls and bool(nodes) and not notes and not scene.presenting
        self.doing = Copying(at, nodes, id) if copies else Moving(at, nodes, notes, id)

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
        elif isinstance(doing, (Cutting, Resizing)):
            doing.move(scene, px, py)
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

    def _carry(self, doing: Moving) -> None:
        """Boxes and notes follow the hand: boxes snap to others or to the grid, are shaken loose, and find a cable to
        go into.
        """
        scene, zoom, (dx, dy) = self.desk.scene, self.desk.viewport.zoom, doing.by
        graph = scene.document.graph
        doing.guides, doing.onto = [], None
        if doing.taken in scene.boxes and not self._pulls:
            if self.desk.step is not None:
                doing.by = self._on_the_grid(doing.taken, self.desk.step, dx, dy)
            else:
                doing.by, doing.guides = snapped(scene, doing.taken, doing.nodes, dx, dy, zoom)
        scene.shift(doing.nodes, *doing.by, doing.notes)
        if doing.notes or scene.presenting or doing.taken not in scene.boxes:
            return
        if doing.shake.move(dx * zoom) and letting_go.loose_cables(graph, doing.nodes):
            doing.loose = True
        if len(doing.nodes) == 1 and not any((*graph.cables_into(doing.taken), *graph.cables_out_of(doing.taken))):
            cable = cable_across(scene, scene.boxes[doing.taken])
            if cable is not None and letting_go.fits(graph, doing.taken, cable):
                doing.onto = cable

    def _on_the_grid(self, taken: str, step: float, dx: float, dy: float) -> Point:
        """How far boxes are brought, so that the box that was taken stands on the grid."""
        x, y = self.desk.scene.home(taken)
        return round((x + dx) / step) * step - x, round((y + dy) / step) * step - y

    def release(self, x: float, y: float) -> None:
        """The button goes up."""
        self.move(x, y)
        act = self._acts.get(type(self.doing))
        doing, self.doing = self.doing, None  # what is let go is not carried on when the boxes are laid out anew
        if act is not None:
            self.doing = act(doing)

    def again(self) -> None:
        """The boxes were laid out anew, perhaps while the hand holds something."""
        doing, scene = self.doing, self.desk.scene
        if self.hover is not None:  # its box may be of another kind now, or gone
            self.hover = scene.port(*self.hover.key)
        if self.hover_cable not in scene.document.graph.cables:
            self.hover_cable = None
        if self._may_unselect is not None:
            nodes, notes = self._may_unselect
            if not (scene.boxes.keys() >= set(nodes) and scene.notes.keys() >= set(notes)):
                self._may_unselect = None
        if isinstance(doing, Moving):
            doing.nodes &= scene.boxes.keys()
            doing.notes &= scene.notes.keys()
            scene.shift(doing.nodes, *doing.by, doing.notes)
        elif isinstance(doing, Resizing):
            self.doing = doing if doing.again(scene) else None
        elif isinstance(doing, Framing):
            doing.before &= scene.boxes.keys()
            doing.notes &= scene.notes.keys()
        elif isinstance(doing, Copying):
            doing.nodes &= scene.boxes.keys()
            if doing.held not in scene.boxes:
                self.doing = None
        elif isinstance(doing, Cutting):
            doing.move(scene, *doing.at)
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
            self.desk.scene.shift(self.doing.nodes, 0.0, 0.0, self.doing.notes)
        elif isinstance(self.doing, Holding):
            self.desk.turning.cancel()
        elif isinstance(self.doing, Resizing):
            resizing.as_told(self.desk.scene, self.doing.note)
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
                nodes, notes = self._may_unselect
                desk.selection.only(nodes, (), notes)
        elif not letting_go.drop(desk, doing.nodes, doing.onto, notes=doing.notes, loose=doing.loose):
            desk.scene.shift(doing.nodes, 0.0, 0.0, doing.notes)
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
