"""The map of the patch in the lower right corner: boxes as small rectangles, what is seen as a frame."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, CYAN, GREY, OF_KIND, WHITE, see_through
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.hands import LEFT

SMALLEST: Final = 2.0
"""A box is at least so large."""


class MapOverlay(Overlay):
    """Draws the map, and takes the hand that is on it."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        super().__init__(editing, layers)
        self.map = editing.ways.map
        self._node = dpg.add_draw_node(parent=layers.front)
        self._over = dpg.add_draw_node(parent=layers.front)
        self._frame: int | str | None = None
        self._look: Any = None
        self._seen: Any = None

    def show(self) -> bool:
        shown = self.map.shown
        look: Any = None
        if shown:
            boxes, selected = self.editing.scene.boxes, self.editing.selection.nodes
            look = (
                self.map.layout(),
                tuple((box.x, box.y, box.width, box.height, _kind(box), box.node in selected)
                      for box in boxes.values()),
            )  # fmt: skip
        if look != self._look:
            self._look = look
            self._draw()
        seen = self.map.frame() if shown else None
        if seen != self._seen:
            self._seen = seen
            if self._frame is not None and seen is not None:
                dpg.configure_item(self._frame, pmin=seen[:2], pmax=seen[2:])
        return False

    def _draw(self) -> None:
        dpg.delete_item(self._node, children_only=True)
        dpg.delete_item(self._over, children_only=True)
        self._frame = self._seen = None
        if self._look is None:
            return
        (place, scale, x, y), boxes = self._look
        dpg.draw_rectangle(
            place[:2], place[2:], rounding=8, fill=(12, 13, 24, 225), color=see_through(CYAN, 90), parent=self._node
        )
        for left, top, width, height, kind, selected in boxes:
            x0, y0 = left * scale + x, top * scale + y
            size = max(SMALLEST, width * scale), max(SMALLEST, height * scale)
            colour = WHITE if selected else AMBER if kind == "?" else see_through(OF_KIND.get(kind, GREY), 190)
            dpg.draw_rectangle(
                (x0, y0), (x0 + size[0], y0 + size[1]), fill=colour, color=colour, thickness=0.5, parent=self._node
            )
        self._frame = dpg.draw_rectangle(
            place[:2], place[:2], rounding=3, color=see_through(WHITE, 220), fill=see_through(WHITE, 16),
            thickness=1.4, parent=self._over,
        )  # fmt: skip

    # -- the hand

    def press(self, x: float, y: float, button: int) -> bool:
        if button != LEFT or not self.map.holds(x, y):
            return False
        self.map.centre(x, y)
        return True

    def move(self, x: float, y: float) -> None:
        self.map.centre(x, y)


def _kind(box: Any) -> Any:
    """What colours it: as its box is coloured."""
    ports = (*box.outlets, *box.inlets)
    return "?" if not box.known else ports[0].kind if ports else None
