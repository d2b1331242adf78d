"""The map of the patch in the lower right corner: boxes as small rectangles, what is seen as a frame."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, CYAN, GREY, LOOKS, OF_KIND, POPUP, WHITE, Colour, px, see_through
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.hands import LEFT
from nodegraph.editor.minimap import Layout
from nodegraph.editor.scene import Box

SMALLEST: Final = 2
"""A box is at least so large."""


class MapOverlay(Overlay):
    """Draws the map, and takes the hand that is on it."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        super().__init__(editing, layers)
        self.map = editing.ways.map
        self._node = dpg.add_draw_node(parent=layers.front)
        self._over = dpg.add_draw_node(parent=layers.front)
        self._frame: int | str | None = None
        self._boxes: dict[str, tuple[int | str, Any]] = {}
        """The rectangle of each box, and how it looks."""
        self._look: Any = None
        self._places: Any = None
        self._seen: Any = None

    def show(self) -> bool:
        scene = self.editing.scene
        layout = self.map.layout() if self.map.shown else None
        look = None if layout is None else (layout, LOOKS.version)
        if look != self._look:
            self._look, self._places = look, None
            self._anew(layout)
        if layout is not None:
            places = scene, scene.places, frozenset(self.editing.selection.nodes)
            if places != self._places:
                self._places = places
                self._follow(*layout[1:])
            seen = self.map.frame()
            if seen != self._seen and self._frame is not None:
                self._seen = seen
                dpg.configure_item(self._frame, pmin=seen[:2], pmax=seen[2:])
        return False

    def _anew(self, layout: Layout | None) -> None:
        """The map itself, without boxes."""
        dpg.delete_item(self._node, children_only=True)
        dpg.delete_item(self._over, children_only=True)
        self._boxes.clear()
        self._frame = self._seen = None
        if layout is None:
            return
        place = layout[0]
        dpg.draw_rectangle(
            place[:2], place[2:], rounding=px(8), fill=POPUP, color=see_through(CYAN, 90), thickness=px(1),
            parent=self._node,
        )  # fmt: skip
        self._frame = dpg.draw_rectangle(
            place[:2], place[:2], rounding=px(3), color=see_through(WHITE, 220), fill=see_through(WHITE, 16),
            thickness=px(1.4), parent=self._over,
        )  # fmt: skip

    def _follow(self, scale: float, x: float, y: float) -> None:
        """Draw the boxes that look otherwise than they did: while one is carried, that one."""
        boxes, selected = self.editing.scene.boxes, self.editing.selection.nodes
        for node in self._boxes.keys() - boxes.keys():
            dpg.delete_item(self._boxes.pop(node)[0])
        for node, box in boxes.items():
            look = (box.x, box.y, box.width, box.height, node in selected, _colour(box))
            item, was = self._boxes.get(node, (None, None))
            if look == was:
                continue
            left, top = box.x * scale + x, box.y * scale + y
            right, bottom = left + max(px(SMALLEST), box.width * scale), top + max(px(SMALLEST), box.height * scale)
            colour = WHITE if node in selected else look[-1]
            if item is None:
                item = dpg.draw_rectangle((left, top), (right, bottom), fill=colour, color=colour, parent=self._node)
            else:
                dpg.configure_item(item, pmin=(left, top), pmax=(right, bottom), fill=colour, color=colour)
            self._boxes[node] = item, look

    # -- the hand

    def press(self, x: float, y: float, button: int) -> bool:
        if button != LEFT or not self.map.holds(x, y):
            return False
        self.map.centre(x, y)
        return True

    def move(self, x: float, y: float) -> None:
        self.map.centre(x, y)


def _colour(box: Box) -> Colour:
    """As its box on the canvas is coloured."""
    ports = box.outlets or box.inlets
    return AMBER if not box.known else see_through(OF_KIND[ports[0].kind] if ports else GREY, 190)
