"""Where everything lies: boxes with their ports, cables, and what is under a point. In points of the patch."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.cable import Cable
from nodegraph.core.document import Document
from nodegraph.core.ports import CableKind, Control
from nodegraph.core.view import GraphView, NodeEntry
from nodegraph.editor import arranging
from nodegraph.editor.notes import NoteBox, lay_out, resize
from nodegraph.editor.objecttext import label_of
from nodegraph.editor.texts import cut

Point = tuple[float, float]
Bounds = tuple[float, float, float, float]
"""Left, top, right, bottom."""
TEXT: Final = 15.0
"""The height of the text in a box."""
CHARACTER: Final = 0.54 * TEXT
"""The width of one: the font has one width for all."""
HEIGHT: Final = 26.0
PADDING: Final = 9.0
ROW: Final = 20.0
"""The height of a control that a box shows."""
ROW_WIDTH: Final = 150.0
BELOW: Final = 6.0
"""What is left free below the last."""
PORT: Final = (12.0, 5.0)
PORT_PITCH: Final = 20.0
MOST_TEXT: Final = 48
REACH: Final = 9.0
"""How near to a port, in points of the screen, is at it."""
INWARD: Final = 0.3
"""How much of a box's height its ports take, however small it is seen: the rest is for moving it."""
ORIGIN: Final = (40.0, 40.0)
PIECES: Final = 20
BEND: Final = 120.0
"""How far a cable's curve may reach beyond its ends."""
LARGE: Final = 1.6
"""So much larger are boxes when the patch is presented."""
_Named = tuple[str, CableKind | None, bool]
"""A port's name, what flows there, and whether it is a control."""


@dataclass(frozen=True, slots=True)
class Port:
    """One inlet or outlet of a box: `at` is how far to the right of the box's corner its middle is."""

    node: str
    name: str
    out: bool
    kind: CableKind | None
    control: bool
    at: float

    @property
    def key(self) -> tuple[str, str, bool]:
        """What tells it from all others."""
        return self.node, self.name, self.out


@dataclass(slots=True)
class Box:
    """One node on the canvas."""

    node: str
    text: str
    x: float
    y: float
    width: float
    inlets: tuple[Port, ...]
    outlets: tuple[Port, ...]
    known: bool
    height: float = HEIGHT
    rows: tuple[str, ...] = ()
    """The controls that it shows below its text."""
    scale: float = 1.0
    """So much larger than usual is all that is in it."""
    flows: CableKind | None = None
    """What flows there, when its ports are not shown."""

    def place(self, port: Port) -> Point:
        """The middle of a port: inlets above, outlets below."""
        return self.x + port.at, self.y + (self.height if port.out else 0.0)

    def row_at(self, x: float, y: float) -> str | None:
        """The control that it shows at a point."""
        if not (self.rows and self.x + PADDING / 2 <= x <= self.x + self.width - PADDING / 2):
            return None
        index = int((y - self.y - HEIGHT * self.scale) // (ROW * self.scale))
        return self.rows[index] if 0 <= index < len(self.rows) else None

    def row(self, index: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of a control that it shows."""
        pitch, beside = ROW * self.scale, PADDING * self.scale
        top = self.y + HEIGHT * self.scale + pitch * index
        return self.x + beside, top + 2.0, self.x + self.width - beside, top + pitch - 2.0

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height

    def meets(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Whether a rectangle touches it."""
        return self.x <= right and left <= self.x + self.width and self.y <= bottom and top <= self.y + self.height


class Scene:
    """The boxes of a document. `follow` it after every change."""

    def __init__(self) -> None:
        self.boxes: dict[str, Box] = {}
        """In the order in which they are drawn: the last lies on top."""
        self.notes: dict[str, NoteBox] = {}
        """Below the boxes, in the order in which they are drawn."""
        self.document = Document()
        self.version = 0
        """Another number whenever it is laid out anew."""
        self.places = 0
        """Another number whenever anything may lie elsewhere: it was laid out anew, or a hand has moved something."""
        self.moved: set[str] = set()
        """Boxes that were shifted since somebody has drawn it."""
        self.presenting = False
        """Whether only what is marked for it is shown, at its places in the presentation."""
        self._tidied: dict[str, Point] = {}
        """Places of nodes whose places the document does not tell."""
        self._bounds: tuple[int, Bounds | None] = (-1, None)
        """Of all, and of when."""

    def follow(self, document: Document) -> None:
        """Lay out what the document has now."""
        self.document = document
        self.version += 1
        self.places += 1
        self.notes = lay_out(document, self.presenting)
        graph = document.graph.view
        if self.presenting:
            self.boxes = {
                id: _presented(box_of(graph, entry, *at, document.shown(id)))
                for id, entry in graph.nodes.items()
                if (at := document.presented(id)) is not None
            }
            return
        self.boxes = {id: box_of(graph, entry, *self.home(id), document.shown(id)) for id, entry in graph.nodes.items()}
        unplaced = {id: box for id, box in self.boxes.items() if document.place(id) is None}
        if not unplaced.keys() <= self._tidied.keys():  # made by a program: nobody has told where they are
            self._tidied = arranging.tidy(
                shapes(replace(box, x=ORIGIN[0], y=ORIGIN[1]) for box in unplaced.values()),
                links(unplaced, graph.cables),
            )
            for id, box in unplaced.items():
                box.x, box.y = self._tidied[id]

    def home(self, node: str) -> Point:
        """Where a box belongs, wherever the hand has brought it."""
        if self.presenting and node in self.document.presentation:
            x, y = self.document.presentation[node]
            return float(x), float(y)
        return self.document.place(node) or self._tidied.get(node, ORIGIN)

    def shift(self, nodes: Iterable[str], dx: float, dy: float, notes: Iterable[str] = ()) -> None:
        """Move boxes and notes here alone, as long as the hand holds them."""
        self.places += 1
        for id in notes:
            told = self.document.notes.get(id, {}).get("present" if self.presenting else "at")
            if id in self.notes and told is not None:  # somebody else may have removed it since it was laid out
                self.notes[id].x, self.notes[id].y = told[0] + dx, told[1] + dy
        for id in nodes:
            if id in self.boxes:
                self.moved.add(id)
                x, y = self.home(id)
                self.boxes[id].x, self.boxes[id].y = x + dx, y + dy

    def resize(self, note: str, size: object) -> None:
        """Another size of a note, here alone."""
        self.places += 1
        resize(self.notes[note], size)

    def port(self, node: str, name: str, out: bool) -> Port | None:
        """The port of this name."""
        box = self.boxes.get(node)
        ports = () if box is None else box.outlets if out else box.inlets
        return next((port for port in ports if port.name == name), None)

    def ends(self, cable: Cable) -> tuple[Point, Point] | None:
        """Where a cable begins and ends; None too when cables are not shown."""
        if self.presenting:
            return None
        outlet = self.port(cable.from_node, cable.from_port, True)
        inlet = self.port(cable.to_node, cable.to_port, False)
        if outlet is None or inlet is None:
            return None
        return self.boxes[cable.from_node].place(outlet), self.boxes[cable.to_node].place(inlet)

    # -- what is under a point

    def port_at(self, x: float, y: float, zoom: float = 1.0, *, out: bool | None = None) -> Port | None:
        """The nearest port within reach; with `out`, outlets or inlets alone."""
        reach = max(REACH / zoom, PORT[1])
        found: Port | None = None
        best = reach
        for box in self.boxes.values():
            if not box.meets(x - reach, y - reach, x + reach, y + reach):
                continue
            for port in (*box.inlets, *box.outlets):
                if out is not None and port.out is not out:
                    continue
                px, py = box.place(port)
                inward = (py - y) if port.out else (y - py)
                away = max(abs(px - x), abs(py - y))
                if away <= best and inward <= INWARD * HEIGHT:
                    found, best = port, away
        return found

    def box_at(self, x: float, y: float) -> Box | None:
        """The topmost box there."""
        return next((box for box in reversed(self.boxes.values()) if box.holds(x, y)), None)

    def note_at(self, x: float, y: float) -> NoteBox | None:
        """The topmost note that a hand takes there."""
        return next((note for note in reversed(self.notes.values()) if note.holds(x, y)), None)

    def cable_at(self, x: float, y: float, zoom: float = 1.0) -> Cable | None:
        """The nearest cable within reach."""
        reach = 6.0 / zoom
        near: list[Cable] = []
        curves: list[tuple[Point, Point, Point, Point]] = []
        for cable in self.document.graph.cables:
            one, two = self.boxes.get(cable.from_node), self.boxes.get(cable.to_node)
            if one is None or two is None:
                continue
            if not min(one.x, two.x) - reach <= x <= max(one.x + one.width, two.x + two.width) + reach:
                continue
            if not min(one.y, two.y) - BEND - reach <= y <= max(one.y, two.y) + HEIGHT + BEND + reach:
                continue
            ends = self.ends(cable)
            if ends is not None:
                near.append(cable)
                curves.append(curve(*ends))
        if not near:
            return None
        away = _away((x, y), np.array(curves))
        last = len(near) - 1 - int(np.argmin(away[::-1]))  # of equals the one on top
        return near[last] if away[last] <= reach else None

    def boxes_in(self, left: float, top: float, right: float, bottom: float) -> list[str]:
        """The nodes whose boxes a rectangle touches, in any direction drawn."""
        left, right = min(left, right), max(left, right)
        top, bottom = min(top, bottom), max(top, bottom)
        return [id for id, box in self.boxes.items() if box.meets(left, top, right, bottom)]

    def notes_in(self, left: float, top: float, right: float, bottom: float) -> list[str]:
        """The notes that a frame takes, in any direction drawn."""
        left, right = min(left, right), max(left, right)
        top, bottom = min(top, bottom), max(top, bottom)
        return [id for id, note in self.notes.items() if note.meets(left, top, right, bottom)]

    def within(self, notes: Iterable[str]) -> tuple[set[str], set[str]]:
        """The nodes and the notes that lie in these panels."""
        panels = [self.notes[id] for id in notes if id in self.notes and self.notes[id].kind == "panel"]
        boxes = {id for id, box in self.boxes.items() if any(panel.surrounds(box) for panel in panels)}
        return boxes, {id for id, note in self.notes.items() if any(panel.surrounds(note) for panel in panels)}

    def bounds(self, nodes: Iterable[str] | None = None, notes: Iterable[str] = ()) -> Bounds | None:
        """Left, top, right and bottom of boxes and notes, of all of them without `nodes`; None without any."""
        if nodes is None:
            if self._bounds[0] != self.places:
                self._bounds = self.places, _around([*self.boxes.values(), *self.notes.values()])
            return self._bounds[1]
        boxes = (self.boxes[id] for id in nodes if id in self.boxes)
        return _around([*boxes, *(self.notes[id] for id in notes if id in self.notes)])


def _around(chosen: Sequence[Box | NoteBox]) -> Bounds | None:
    if not chosen:
        return None
    return (
        min(box.x for box in chosen), min(box.y for box in chosen),
        max(box.x + box.width for box in chosen), max(box.y + box.height for box in chosen),
    )  # fmt: skip


def box_of(graph: GraphView, entry: NodeEntry, x: float, y: float, shown: tuple[str, ...] = ()) -> Box:
    """The box of a node, with the controls that it is told to show. One whose kind is not known has the ports that
    cables name.
    """
    text = cut(label_of(entry), MOST_TEXT)
    ins: list[_Named] = []
    outs: list[_Named] = []
    if entry.spec is not None:
        ins = [(port.name, port.kind, isinstance(port, Control)) for port in entry.spec.inlets]
        outs = [(port.name, port.kind, False) for port in entry.spec.outlets]
    named_ins, named_outs = {name for name, *_ in ins}, {name for name, *_ in outs}
    for cable in graph.cables_into(entry.id):  # cables to ports that are gone, or were never known
        if cable.to_port not in named_ins:
            named_ins.add(cable.to_port)
            ins.append((cable.to_port, graph.cable_kind(cable), False))
    for cable in graph.cables_out_of(entry.id):
        if cable.from_port not in named_outs:
            named_outs.add(cable.from_port)
            outs.append((cable.from_port, None, False))
    row = PORT[0] + PORT_PITCH * (max(len(ins), len(outs)) - 1)
    controls = () if entry.spec is None else tuple(item.name for item in entry.spec.controls)
    rows = tuple(name for name in shown if name in controls)
    width = max(2 * PADDING + max(CHARACTER * len(text), row), ROW_WIDTH if rows else 40.0)
    height = HEIGHT + (ROW * len(rows) + BELOW if rows else 0.0)

    def ports(found: list[_Named], out: bool) -> tuple[Port, ...]:
        pitch = (width - 2 * PADDING - PORT[0]) / max(1, len(found) - 1)
        first = PADDING + PORT[0] / 2
        return tuple(
            Port(entry.id, name, out, kind, control, first + pitch * index)
            for index, (name, kind, control) in enumerate(found)
        )

    return Box(entry.id, text, x, y, width, ports(ins, False), ports(outs, True), entry.spec is not None, height, rows)


def _presented(box: Box) -> Box:
    """The same for a presentation: large, and without ports."""
    ports = (*box.outlets, *box.inlets)
    width = LARGE * max(2 * PADDING + CHARACTER * len(box.text), ROW_WIDTH if box.rows else 0.0)
    flows = ports[0].kind if ports else None
    return replace(
        box, width=width, height=LARGE * box.height, scale=LARGE, inlets=(), outlets=(), flows=flows
    )  # fmt: skip


def shapes(boxes: Iterable[Box]) -> list[arranging.Box]:
    """Boxes as they are arranged."""
    return [
        arranging.Box(
            box.node, box.x, box.y, box.width, box.height,
            tuple(port.at for port in box.inlets), tuple(port.at for port in box.outlets),
        )
        for box in boxes
    ]  # fmt: skip


def links(boxes: Mapping[str, Box], cables: Iterable[Cable]) -> list[arranging.Link]:
    """The cables among these boxes, with their ports counted."""
    outlets = {port.key: number for box in boxes.values() for number, port in enumerate(box.outlets)}
    inlets = {port.key: number for box in boxes.values() for number, port in enumerate(box.inlets)}
    return [
        (cable.from_node, outlets[cable.from_node, cable.from_port, True],
         cable.to_node, inlets[cable.to_node, cable.to_port, False])
        for cable in cables
        if cable.from_node in boxes and cable.to_node in boxes
    ]  # fmt: skip


def curve(start: Point, end: Point) -> tuple[Point, Point, Point, Point]:
    """The four points of a cable's curve: it leaves downward and arrives from above."""
    (x0, y0), (x1, y1) = start, end
    bend = max(18.0, min(BEND, 0.45 * abs(y1 - y0) + 0.1 * abs(x1 - x0)))
    return start, (x0, y0 + bend), (x1, y1 - bend), end


def pieces(points: tuple[Point, Point, Point, Point], count: int = PIECES) -> list[Point]:
    """Points along a curve, one more than there are pieces."""
    found = _parts(count) @ np.array(points)
    return [(x, y) for x, y in found.tolist()]


@functools.cache
def _parts(count: int) -> NDArray[np.float64]:
    """How much of its four points each point along a curve is."""
    at = np.linspace(0.0, 1.0, count + 1)
    return np.stack([(1 - at) ** 3, 3 * (1 - at) ** 2 * at, 3 * (1 - at) * at**2, at**3], axis=1)


def _away(point: Point, curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a point is from each of several curves, four points each."""
    points = _parts(PIECES) @ curves - np.array(point)
    starts, steps = points[:, :-1], np.diff(points, axis=1)
    lengths = np.maximum(np.sum(steps * steps, axis=2), 1e-12)
    along = np.clip(-np.sum(starts * steps, axis=2) / lengths, 0.0, 1.0)
    nearest = starts + along[:, :, None] * steps
    found: NDArray[np.float64] = np.sqrt(np.sum(nearest * nearest, axis=2).min(axis=1))
    return found
