"""Draws boxes and cables on a layer of the window. What looks as it did is left as it is.

Points are computed here, for dearpygui's transforms scale neither texts nor lines; only panning, which scales nothing,
is a transform.
"""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.core.cable import Cable
from nodegraph.core.ports import CableKind
from nodegraph.editor.editing import Editing
from nodegraph.editor.faders import Fader
from nodegraph.editor.gestures import Copying, Cutting
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.faders import draw_fader
from nodegraph.editor.gui.looks import OF_KIND, WRITTEN, Colour, px, see_through
from nodegraph.editor.gui.overlay import Layers
from nodegraph.editor.gui.overlays import OVERLAYS
from nodegraph.editor.held import Framing, Moving
from nodegraph.editor.motion import Glide, Motion
from nodegraph.editor.scene import HEIGHT, PADDING, PORT, Box, Port, curve, pieces
from nodegraph.editor.scene import TEXT as TEXT_SIZE
from nodegraph.editor.visible import Visible
from nodegraph.editor.wiring import Wiring

SEGMENT: Final = 14.0
"""So many points of the screen is a piece of a cable long."""
SEGMENTS: Final = (3, 16)
FINE: Final = 0.6
"""Drawn smaller than so, things have no glow and no round corners: nobody sees it, and drawing without a graphics card
takes its time. So it does for lines whose width is no whole number of points: they all have one.
"""
COARSE: Final = 0.3
"""Drawn smaller than so, boxes are plain, and have neither texts nor ports."""
NOTHING: Final = (0, 0, 0, 0)
WIDTHS: Final = {CableKind.SIGNAL: 2.6, CableKind.EVENT: 1.3, CableKind.TENSOR: 4.6, CableKind.TEXTURE: 6.0, None: 1.3}
"""Kinds are told apart by how thick their cables are, too; a tensor's is double, a texture's has a bright core, and one
of no known kind is dashed.
"""
THIN: Final = {CableKind.SIGNAL: 2, CableKind.EVENT: 1, CableKind.TENSOR: 3, CableKind.TEXTURE: 4, None: 1}
"""So thick at least, however small it is seen."""
DASHES: Final = 9
GLOW: Final = ((7, 6.0, 22), (4, 4.0, 46), (2, 3.0, 90))
"""Of a box that is selected, from outside: how far around it, how thick, and how much of the colour."""
DASH: Final = 6.0
SMALLEST: Final = 4
"""Texts that would be lower on the screen are left out."""
GRID: Final = 40.0


class Canvas:
    """The drawing of one editor's scene."""

    def __init__(self, window: int | str, editing: Editing, character: float) -> None:
        """`character` is the width of a character of height 1."""
        self.editing = editing
        self.drawn = 0
        """How many boxes and cables were drawn anew, ever."""
        self._character = character * TEXT_SIZE
        self.origin = (0.0, 0.0)
        """Where it begins in the window's drawing."""
        with dpg.draw_layer(parent=window):
            with dpg.draw_node() as self._still:
                self._grid = dpg.add_draw_node()
            with dpg.draw_node() as self._root:
                under = dpg.add_draw_node()
                self._cables = dpg.add_draw_node()
                along = dpg.add_draw_node()
                self._boxes = dpg.add_draw_node()
                over = dpg.add_draw_node()
                self._over = dpg.add_draw_node()
            with dpg.draw_node() as self._front:
                front = dpg.add_draw_node()
                self._top = dpg.add_draw_node()
        layers = Layers(under, along, over, front, character)
        self.visible = Visible(editing)
        self.overlays = [kind(editing, layers) for kind in OVERLAYS]
        self._nodes: dict[Any, int | str] = {}
        self._looks: dict[Any, Any] = {}
        self._grid_look: Any = None
        self._motion, self._glide = Motion(), Glide()
        self._sheet: Any = None
        self._version = -1
        self._offsets: dict[str, Any] = {}
        self._pan: Any = None

    @property
    def moving(self) -> bool:
        """Whether something is on its way to where it belongs."""
        return self._motion.moving or self._glide.moving

    def again(self) -> None:
        """Everything is to be drawn anew: the colours are others, or the size of everything is."""
        self._looks.clear()
        self._grid_look = None

    def _move(self) -> tuple[float, float, float]:
        """Let what is on its way come nearer; gives the view that is to be seen."""
        editing, now, still = self.editing, time.monotonic(), self.editing.settings.reduced_motion
        if editing.sheet is not self._sheet:
            self._sheet, self._version = editing.sheet, -1
            self._motion.forget()
            self._glide.forget()
        doing = editing.hands.doing
        held = doing.nodes if isinstance(doing, Moving) else ()
        scene, motion = editing.scene, self._motion
        if motion.moving or scene.version != self._version:
            self._version = scene.version
            motion.follow(scene.boxes, now, held, still)
        else:
            motion.carry(scene.boxes, scene.moved)
        return self._glide.follow(editing.viewport, editing.size, now, still)

    def show(self) -> None:
        """Draw what looks otherwise than it did."""
        view = self.editing.viewport
        left, top = self.origin
        x, y, seen = self._move()
        pan = (x + left, y + top, left, top, seen / view.zoom)
        if pan != self._pan:
            self._pan = pan
            place = dpg.create_translation_matrix([x + left, y + top])
            if seen != view.zoom:  # on the way to another size: the places are, the texts have theirs already
                place *= dpg.create_scale_matrix([seen / view.zoom, seen / view.zoom])
            dpg.apply_transform(self._root, place)
            for still in (self._still, self._front):
                dpg.apply_transform(still, dpg.create_translation_matrix([left, top]))
        self._show_grid(x, y, seen)
        zoom = view.zoom
        found = self.visible.looks()
        for key in self._nodes.keys() - found.keys():
            dpg.delete_item(self._nodes.pop(key))
            del self._looks[key]
        ways = self._ways()
        for key, look in found.items():
            if key in ways:
                look = (*ways[key], *look[2:])
            if self._looks.get(key) != look:
                self._looks[key] = look
                self._draw(key, look)
        self._shift(zoom)
        dpg.delete_item(self._over, children_only=True)
        self._show_hand(zoom)

    def _ways(self) -> dict[Any, Any]:
        """Where cables begin and end whose boxes are on their way."""
        motion, scene, graph = self._motion, self.editing.scene, self.editing.mirror.document.graph
        cables = {cable for id in motion.moved() for cable in (*graph.cables_into(id), *graph.cables_out_of(id))}
        found = {}
        for cable in cables:
            ends = scene.ends(cable)
            if ends is not None:
                offsets = motion.offset(cable.from_node), motion.offset(cable.to_node)
                found[cable] = tuple((x + dx, y + dy) for (x, y), (dx, dy) in zip(ends, offsets, strict=True))
        return found

    def _shift(self, zoom: float) -> None:
        """Put the boxes that are on their way where they are."""
        now = {id: (dx * zoom, dy * zoom) for id in self._motion.moved() for dx, dy in (self._motion.offset(id),)}
        for id in self._offsets.keys() | now.keys():
            if id in self._nodes and now.get(id) != self._offsets.get(id):
                dpg.apply_transform(self._nodes[id], dpg.create_translation_matrix([*now.get(id, (0.0, 0.0))]))
        self._offsets = now

    def show_overlays(self) -> bool:
        """Draw what lies over it, before every frame. Whether something there moves by itself."""
        moves = False
        for overlay in self.overlays:
            moves = overlay.show() or moves
        return moves

    def _draw(self, key: Any, look: Any) -> None:
        self.drawn += 1
        at = self._nodes.get(key)
        if at is None:
            at = self._nodes[key] = dpg.add_draw_node(parent=self._cables if isinstance(key, Cable) else self._boxes)
        else:
            dpg.delete_item(at, children_only=True)
        if isinstance(key, Cable):
            start, end, kind, selected, zoom = look
            _cable(at, curve(start, end), OF_KIND[kind], WIDTHS[kind], kind, selected, zoom)
        else:
            self._box(at, self.editing.scene.boxes[key], *look[-3:])

    def _box(self, at: int | str, box: Box, faders: tuple[Fader, ...], selected: bool, zoom: float) -> None:
        left, top = box.x * zoom, box.y * zoom
        right, bottom = (box.x + box.width) * zoom, (box.y + box.height) * zoom
        ports = (*box.outlets, *box.inlets)
        flows = ports[0].kind if ports else box.flows
        colour, written = (OF_KIND[flows], WRITTEN[flows]) if box.known else (looks.AMBER, looks.AMBER)
        fine = zoom >= FINE
        if zoom < COARSE:
            edge, out = looks.WHITE if selected else looks.blended(colour, 190), px(1)
            around = (left - out, top - out), (right + out, bottom + out)
            dpg.draw_rectangle(*around, fill=edge, color=NOTHING, parent=at)
            inside = looks.blended(looks.GLASS, looks.GLASS[3])
            dpg.draw_rectangle((left, top), (right, bottom), fill=inside, color=NOTHING, parent=at)
            return
        round_ = 7.0 * zoom if fine else 0.0
        for out, wide, alpha in GLOW if fine and selected else ((3, 4.0, 70 if selected else 24),) * (fine or selected):
            out, wide = px(out), px(wide)
            dpg.draw_rectangle(
                (left - out, top - out), (right + out, bottom + out), rounding=round_ + out, thickness=wide, parent=at,
                color=see_through(looks.CYAN if selected else colour, alpha),
            )  # fmt: skip
        edge = looks.WHITE if selected else see_through(colour, 190)
        dpg.draw_rectangle(
            (left, top), (right, bottom), rounding=round_, fill=looks.GLASS, parent=at,
            color=edge if box.known else NOTHING, thickness=px(2 if selected and fine else 1),
        )  # fmt: skip
        if not box.known:  # it is missing here, and kept as it is
            _dashed(at, (left, top, right, bottom), edge)
        if fine:
            dpg.draw_line((left + round_, top + px(2)), (right - round_, top + px(2)), color=looks.SHINE, parent=at)
        size = TEXT_SIZE * box.scale * zoom
        if size >= px(SMALLEST):
            kind, _, rest = box.text.partition(" ")
            y = top + (HEIGHT * box.scale * zoom - size) / 2 - 0.5 * zoom
            x = left + PADDING * box.scale * zoom
            dpg.draw_text((x, y), kind, size=size, color=looks.TEXT if box.known else looks.AMBER, parent=at)
            if rest:
                x += self._character * (len(kind) + 1) * box.scale * zoom
                dpg.draw_text((x, y), rest, size=size, color=written, parent=at)
        for index, fader in enumerate(faders):
            corners = tuple(number * zoom for number in box.row(index))
            draw_fader(at, fader, corners, self._character / TEXT_SIZE, zoom * box.scale)
        for port in (*box.inlets, *box.outlets):
            _port(at, box, port, zoom)

    def _show_grid(self, left: float, top: float, zoom: float) -> None:
        width, height = self.editing.size
        look = (left, top, zoom, width, height)
        if look == self._grid_look:
            return
        self._grid_look = look
        dpg.delete_item(self._grid, children_only=True)
        pitch = GRID * zoom
        while pitch < px(24):
            pitch *= 2
        for index in range(int(width / pitch) + 2):
            x = left % pitch + (index - 1) * pitch
            dpg.draw_rectangle((x, 0), (x + px(1), height), fill=looks.GRID, color=NOTHING, parent=self._grid)
        for index in range(int(height / pitch) + 2):
            y = top % pitch + (index - 1) * pitch
            dpg.draw_rectangle((0, y), (width, y + px(1)), fill=looks.GRID, color=NOTHING, parent=self._grid)

    def _show_hand(self, zoom: float) -> None:
        """What the hand holds, on top of everything."""
        hands, scene = self.editing.hands, self.editing.scene
        doing = hands.doing
        if isinstance(doing, Framing):
            (ax, ay), (bx, by) = doing.start, doing.at
            dpg.draw_rectangle(
                (min(ax, bx) * zoom, min(ay, by) * zoom), (max(ax, bx) * zoom, max(ay, by) * zoom),
                color=see_through(looks.CYAN, 200), fill=see_through(looks.CYAN, 26), thickness=px(1),
                parent=self._over,
            )  # fmt: skip
        elif isinstance(doing, Moving):
            self._show_move(doing, zoom)
        elif isinstance(doing, Copying) and doing.begun:
            for box in (scene.boxes[node] for node in doing.nodes if node in scene.boxes):
                left, top = (box.x + doing.by[0]) * zoom, (box.y + doing.by[1]) * zoom
                dpg.draw_rectangle(
                    (left, top), (left + box.width * zoom, top + box.height * zoom), rounding=7.0 * zoom,
                    color=looks.WHITE, fill=see_through(looks.CYAN, 40), thickness=px(1), parent=self._over,
                )  # fmt: skip
        elif isinstance(doing, Cutting):
            for cable in doing.cables:
                self._mark(cable, looks.AMBER, zoom)
            (ax, ay), (bx, by) = doing.start, doing.at
            dpg.draw_line(
                (ax * zoom, ay * zoom), (bx * zoom, by * zoom), color=looks.AMBER, thickness=px(1.6), parent=self._over
            )
        elif isinstance(doing, Wiring) and doing.start.node in scene.boxes:
            for id in self.visible.near:
                box = scene.boxes[id]
                for port in (*box.inlets, *box.outlets):
                    if port.key in doing.fits:
                        self._ring(box, port, zoom, see_through(OF_KIND[doing.start.kind], 150))
            colour = OF_KIND[doing.start.kind]
            start, end = scene.boxes[doing.start.node].place(doing.start), doing.at
            if doing.over is not None:
                over = scene.boxes[doing.over.node]
                end = over.place(doing.over)
                fits = doing.over.key in doing.fits
                self._ring(over, doing.over, zoom, looks.WHITE if fits else looks.AMBER)
                self._name(over, doing.over, zoom)
                colour = colour if fits else looks.AMBER
            points = curve(start, end) if doing.start.out else curve(end, start)
            _cable(self._over, points, colour, WIDTHS[doing.start.kind], doing.start.kind, False, zoom)
        elif doing is None and hands.hover is not None and hands.hover.node in scene.boxes:
            box = scene.boxes[hands.hover.node]
            self._ring(box, hands.hover, zoom, looks.WHITE)
            self._name(box, hands.hover, zoom)

    def _show_move(self, doing: Moving, zoom: float) -> None:
        """The lines to which boxes have snapped, and the cable into which one would go."""
        for left, top, right, bottom in doing.guides:
            start, end = (left * zoom, top * zoom), (right * zoom, bottom * zoom)
            dpg.draw_line(start, end, color=see_through(looks.GREEN, 170), thickness=px(1), parent=self._over)
        if doing.onto is not None:
            self._mark(doing.onto, looks.WHITE, zoom)

    def _mark(self, cable: Cable, colour: Colour, zoom: float) -> None:
        """A cable to which something is about to happen."""
        ends = self.editing.scene.ends(cable)
        if ends is not None:
            scaled = [(x * zoom, y * zoom) for x, y in curve(*ends)]
            dpg.draw_bezier_cubic(*scaled, color=colour, thickness=px(2), segments=SEGMENTS[1], parent=self._over)

    def _ring(self, box: Box, port: Port, zoom: float, colour: Colour) -> None:
        x, y = box.place(port)
        wide, high = PORT[0] / 2 + 3.0, PORT[1] / 2 + 3.0
        dpg.draw_rectangle(
            ((x - wide) * zoom, (y - high) * zoom), ((x + wide) * zoom, (y + high) * zoom), rounding=4.0 * zoom,
            color=colour, thickness=px(1.6), parent=self._over,
        )  # fmt: skip

    def _name(self, box: Box, port: Port, zoom: float) -> None:
        """What a port is called, what flows there, and what a control stands at."""
        x, y = box.place(port)
        size = float(px(13))
        text = f"{port.name}  {port.kind or '?'}"
        if port.control:
            text = f"{port.name}  {self.editing.number(port.node, port.name):g}"
        width = self._character / TEXT_SIZE * size * len(text) + px(14)
        left, top = x * zoom - px(8), y * zoom + (px(12) if port.out else -px(34))
        dpg.draw_rectangle(
            (left, top), (left + width, top + px(22)), rounding=px(6), fill=looks.POPUP, parent=self._over,
            color=see_through(looks.CYAN, 80),
        )  # fmt: skip
        dpg.draw_text((left + px(7), top + px(4)), text, size=size, color=looks.TEXT, parent=self._over)

    def hint(self, text: str) -> None:
        """A few words in the middle of an empty canvas; none: nothing."""
        dpg.delete_item(self._top, children_only=True)
        if text:
            width, height = self.editing.size
            character = self._character / TEXT_SIZE
            size = min(float(px(16)), 0.94 * width / (character * len(text)))
            x = (width - character * size * len(text)) / 2
            dpg.draw_text((x, height * 0.45), text, size=size, color=looks.DIM, parent=self._top)


def _cable(
    at: int | str, points: Any, colour: Colour, width: float, kind: CableKind | None, selected: bool, zoom: float
) -> None:
    scaled = [(x * zoom, y * zoom) for x, y in points]
    wide = float(max(px(THIN[kind] if zoom >= COARSE else 1), round(width * zoom)))
    (ax, ay), _, _, (dx, dy) = scaled
    if kind is None and not selected:
        dashed = pieces(points, 2 * DASHES + 1)
        for start, end in zip(dashed[::2], dashed[1::2], strict=False):
            ends = [(x * zoom, y * zoom) for x, y in (start, end)]
            dpg.draw_line(*ends, color=see_through(colour, 230), thickness=wide, parent=at)
        return
    if abs(ax - dx) < 1.0 and ay < dy:  # a straight line
        count = 1
    else:
        piece = SEGMENT if zoom >= COARSE else 1.6 * SEGMENT
        count = max(SEGMENTS[0], min(SEGMENTS[1], round((abs(ax - dx) + abs(ay - dy)) / piece)))
    if (kind is CableKind.SIGNAL and zoom >= FINE) or selected:
        halo = see_through(looks.WHITE if selected else colour, 110 if selected else 40)
        dpg.draw_bezier_cubic(*scaled, color=halo, thickness=wide + round(5.0 * zoom), segments=count, parent=at)
    dpg.draw_bezier_cubic(*scaled, color=see_through(colour, 230), thickness=wide, segments=count, parent=at)
    if kind in (CableKind.TENSOR, CableKind.TEXTURE):
        core = looks.NIGHT if kind is CableKind.TENSOR else looks.WHITE
        dpg.draw_bezier_cubic(*scaled, color=core, thickness=max(float(px(1)), wide // 3), segments=count, parent=at)


def _dashed(at: int | str, edges: tuple[float, float, float, float], colour: Colour) -> None:
    """A rectangle of dashes."""
    left, top, right, bottom = edges
    corners = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    for (ax, ay), (bx, by) in pairwise(corners):
        length = abs(bx - ax) + abs(by - ay)
        count = max(1, round(length / (2 * px(DASH))))
        for number in range(count):
            begin, end = (number + 0.2) / count, (number + 0.8) / count
            dpg.draw_line(
                (ax + (bx - ax) * begin, ay + (by - ay) * begin), (ax + (bx - ax) * end, ay + (by - ay) * end),
                color=colour, thickness=px(1.4), parent=at,
            )  # fmt: skip


def _port(at: int | str, box: Box, port: Port, zoom: float) -> None:
    """A signal's port is full, others have a slot in them; a control's is open below."""
    x, y = box.place(port)
    x, y, wide, high = x * zoom, y * zoom, PORT[0] / 2 * zoom, PORT[1] / 2 * zoom
    colour = OF_KIND[port.kind]
    dpg.draw_rectangle((x - wide, y - high), (x + wide, y + high), fill=colour, color=NOTHING, parent=at)
    if port.kind is not CableKind.SIGNAL and zoom >= FINE:
        low = high if port.control else 0.4 * high
        dpg.draw_rectangle(
            (x - 0.6 * wide, y - 0.4 * high), (x + 0.6 * wide, y + low), fill=looks.NIGHT, color=NOTHING, parent=at
        )
