"""Draws boxes and cables on a layer of the window. What looks as it did is left as it is.

Points are computed here, for dearpygui's transforms scale neither texts nor lines; only panning, which scales nothing,
is a transform.
"""

from __future__ import annotations

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
from nodegraph.editor.gui.looks import OF_KIND, Colour, see_through
from nodegraph.editor.gui.overlay import Layers
from nodegraph.editor.gui.overlays import OVERLAYS
from nodegraph.editor.hands import Framing, Moving
from nodegraph.editor.scene import HEIGHT, PADDING, PORT, Box, Port, curve
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
"""Kinds are told apart by how thick their cables are, too; a tensor's is double, a texture's has a bright core."""
DASH: Final = 6.0
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
        self._pan: Any = None

    def show(self) -> None:
        """Draw what looks otherwise than it did."""
        view = self.editing.viewport
        left, top = self.origin
        pan = (view.x + left, view.y + top, left, top)
        if pan != self._pan:
            self._pan = pan
            dpg.apply_transform(self._root, dpg.create_translation_matrix([view.x + left, view.y + top]))
            for still in (self._still, self._front):
                dpg.apply_transform(still, dpg.create_translation_matrix([left, top]))
        self._show_grid()
        zoom = view.zoom
        found = self.visible.looks()
        for key in self._nodes.keys() - found.keys():
            dpg.delete_item(self._nodes.pop(key))
            del self._looks[key]
        for key, look in found.items():
            if self._looks.get(key) != look:
                self._looks[key] = look
                self._draw(key, look)
        dpg.delete_item(self._over, children_only=True)
        self._show_hand(zoom)

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
        colour = looks.AMBER if not box.known else OF_KIND[ports[0].kind] if ports else looks.GREY
        fine = zoom >= FINE
        if zoom < COARSE:
            edge = looks.WHITE if selected else looks.blended(colour, 190)
            dpg.draw_rectangle((left - 1, top - 1), (right + 1, bottom + 1), fill=edge, color=NOTHING, parent=at)
            inside = looks.blended(looks.GLASS, looks.GLASS[3])
            dpg.draw_rectangle((left, top), (right, bottom), fill=inside, color=NOTHING, parent=at)
            return
        round_ = 7.0 * zoom if fine else 0.0
        glow = see_through(looks.CYAN, 70) if selected else see_through(colour, 22)
        if fine or selected:
            dpg.draw_rectangle(
                (left - 3, top - 3), (right + 3, bottom + 3), rounding=round_ + 3, color=glow, thickness=4.0, parent=at
            )
        edge = looks.WHITE if selected else see_through(colour, 190)
        dpg.draw_rectangle(
            (left, top), (right, bottom), rounding=round_, fill=looks.GLASS, parent=at,
            color=edge if box.known else NOTHING, thickness=2.0 if selected and fine else 1.0,
        )  # fmt: skip
        if not box.known:  # it is missing here, and kept as it is
            _dashed(at, (left, top, right, bottom), edge)
        if fine:
            shine = see_through(looks.WHITE, 42)
            dpg.draw_line((left + round_, top + 1.5), (right - round_, top + 1.5), color=shine, parent=at)
        size = TEXT_SIZE * zoom
        if size >= 4.0:
            kind, _, rest = box.text.partition(" ")
            y = top + (HEIGHT * zoom - size) / 2 - 0.5 * zoom
            x = left + PADDING * zoom
            dpg.draw_text((x, y), kind, size=size, color=looks.TEXT if box.known else looks.AMBER, parent=at)
            if rest:
                x += self._character * (len(kind) + 1) * zoom
                dpg.draw_text((x, y), rest, size=size, color=see_through(colour, 255), parent=at)
        for index, fader in enumerate(faders):
            corners = tuple(number * zoom for number in box.row(index))
            draw_fader(at, fader, corners, self._character / TEXT_SIZE, zoom)
        for port in (*box.inlets, *box.outlets):
            _port(at, box, port, zoom)

    def _show_grid(self) -> None:
        view, (width, height) = self.editing.viewport, self.editing.size
        look = (view.x, view.y, view.zoom, width, height)
        if look == self._grid_look:
            return
        self._grid_look = look
        dpg.delete_item(self._grid, children_only=True)
        pitch = GRID * view.zoom
        while pitch < 24.0:
            pitch *= 2
        colour = see_through(looks.WHITE, 11)
        for index in range(int(width / pitch) + 2):
            x = view.x % pitch + (index - 1) * pitch
            dpg.draw_rectangle((x, 0), (x + 1, height), fill=colour, color=NOTHING, parent=self._grid)
        for index in range(int(height / pitch) + 2):
            y = view.y % pitch + (index - 1) * pitch
            dpg.draw_rectangle((0, y), (width, y + 1), fill=colour, color=NOTHING, parent=self._grid)

    def _show_hand(self, zoom: float) -> None:
        """What the hand holds, on top of everything."""
        hands, scene = self.editing.hands, self.editing.scene
        doing = hands.doing
        if isinstance(doing, Framing):
            (ax, ay), (bx, by) = doing.start, doing.at
            dpg.draw_rectangle(
                (min(ax, bx) * zoom, min(ay, by) * zoom), (max(ax, bx) * zoom, max(ay, by) * zoom),
                color=see_through(looks.CYAN, 200), fill=see_through(looks.CYAN, 26), parent=self._over,
            )  # fmt: skip
        elif isinstance(doing, Moving):
            self._show_move(doing, zoom)
        elif isinstance(doing, Copying) and doing.begun:
            for box in (scene.boxes[node] for node in doing.nodes if node in scene.boxes):
                left, top = (box.x + doing.by[0]) * zoom, (box.y + doing.by[1]) * zoom
                dpg.draw_rectangle(
                    (left, top), (left + box.width * zoom, top + box.height * zoom), rounding=7.0 * zoom,
                    color=looks.WHITE, fill=see_through(looks.CYAN, 40), parent=self._over,
                )  # fmt: skip
        elif isinstance(doing, Cutting):
            for cable in doing.cables:
                self._mark(cable, looks.AMBER, zoom)
            (ax, ay), (bx, by) = doing.start, doing.at
            dpg.draw_line(
                (ax * zoom, ay * zoom), (bx * zoom, by * zoom), color=looks.AMBER, thickness=1.6, parent=self._over
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
            dpg.draw_line(start, end, color=see_through(looks.GREEN, 170), thickness=1.0, parent=self._over)
        if doing.onto is not None:
            self._mark(doing.onto, looks.WHITE, zoom)

    def _mark(self, cable: Cable, colour: Colour, zoom: float) -> None:
        """A cable to which something is about to happen."""
        ends = self.editing.scene.ends(cable)
        if ends is not None:
            scaled = [(x * zoom, y * zoom) for x, y in curve(*ends)]
            dpg.draw_bezier_cubic(*scaled, color=colour, thickness=2.0, segments=SEGMENTS[1], parent=self._over)

    def _ring(self, box: Box, port: Port, zoom: float, colour: Colour) -> None:
        x, y = box.place(port)
        wide, high = PORT[0] / 2 + 3.0, PORT[1] / 2 + 3.0
        dpg.draw_rectangle(
            ((x - wide) * zoom, (y - high) * zoom), ((x + wide) * zoom, (y + high) * zoom), rounding=4.0 * zoom,
            color=colour, thickness=1.6, parent=self._over,
        )  # fmt: skip

    def _name(self, box: Box, port: Port, zoom: float) -> None:
        """What a port is called, what flows there, and what a control stands at."""
        x, y = box.place(port)
        size = 13.0
        text = f"{port.name}  {port.kind or '?'}"
        if port.control:
            text = f"{port.name}  {self.editing.number(port.node, port.name):g}"
        width = self._character / TEXT_SIZE * size * len(text) + 14
        left, top = x * zoom - 8, y * zoom + (12 if port.out else -34)
        dpg.draw_rectangle(
            (left, top), (left + width, top + 22), rounding=6, fill=(20, 22, 38, 240), parent=self._over,
            color=see_through(looks.CYAN, 80),
        )  # fmt: skip
        dpg.draw_text((left + 7, top + 4), text, size=size, color=looks.TEXT, parent=self._over)

    def hint(self, text: str) -> None:
        """A few words in the middle of an empty canvas; none: nothing."""
        dpg.delete_item(self._top, children_only=True)
        if text:
            width, height = self.editing.size
            size = 16.0
            x = (width - self._character / TEXT_SIZE * size * len(text)) / 2
            dpg.draw_text((x, height * 0.45), text, size=size, color=looks.DIM, parent=self._top)


def _cable(
    at: int | str, points: Any, colour: Colour, width: float, kind: CableKind | None, selected: bool, zoom: float
) -> None:
    scaled = [(x * zoom, y * zoom) for x, y in points]
    wide = float(max(1, round(width * zoom)))
    (ax, ay), _, _, (dx, dy) = scaled
    if abs(ax - dx) < 1.0 and ay < dy:  # a straight line
        count = 1
    else:
        count = max(SEGMENTS[0], min(SEGMENTS[1], round((abs(ax - dx) + abs(ay - dy)) / SEGMENT)))
    if (kind is CableKind.SIGNAL and zoom >= FINE) or selected:
        halo = see_through(looks.WHITE if selected else colour, 110 if selected else 40)
        dpg.draw_bezier_cubic(*scaled, color=halo, thickness=wide + round(5.0 * zoom), segments=count, parent=at)
    dpg.draw_bezier_cubic(*scaled, color=see_through(colour, 230), thickness=wide, segments=count, parent=at)
    if kind in (CableKind.TENSOR, CableKind.TEXTURE):
        core = looks.NIGHT if kind is CableKind.TENSOR else looks.WHITE
        dpg.draw_bezier_cubic(*scaled, color=core, thickness=max(1.0, wide // 3), segments=count, parent=at)


def _dashed(at: int | str, edges: tuple[float, float, float, float], colour: Colour) -> None:
    """A rectangle of dashes."""
    left, top, right, bottom = edges
    corners = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    for (ax, ay), (bx, by) in pairwise(corners):
        length = abs(bx - ax) + abs(by - ay)
        count = max(1, round(length / (2 * DASH)))
        for number in range(count):
            begin, end = (number + 0.2) / count, (number + 0.8) / count
            dpg.draw_line(
                (ax + (bx - ax) * begin, ay + (by - ay) * begin), (ax + (bx - ax) * end, ay + (by - ay) * end),
                color=colour, thickness=1.4, parent=at,
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
