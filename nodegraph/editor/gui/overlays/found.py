"""Marks around everything that find has found; the one that is shown has a second ring and its number."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, NIGHT, see_through
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.searching import Find

AWAY: Final = 7.0


class Found(Overlay):
    """What the field of find has found."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        super().__init__(editing, layers)
        self._node = dpg.add_draw_node(parent=layers.over)
        self._look: Any = ()

    def show(self) -> bool:
        editing = self.editing
        question, zoom = editing.ways.question, editing.viewport.zoom
        look: Any = ()
        if isinstance(question, Find):
            boxes = [editing.scene.boxes[node] for node in question.matches if node in editing.scene.boxes]
            look = (tuple((box.x, box.y, box.width, box.height) for box in boxes), question.at, zoom)
        if look == self._look:
            return False
        self._look = look
        dpg.delete_item(self._node, children_only=True)
        if look:
            for number, (x, y, width, height) in enumerate(look[0]):
                corners = (x * zoom, y * zoom), ((x + width) * zoom, (y + height) * zoom)
                self._mark(*corners, number, number == look[1])
        return False

    def _mark(self, upper: tuple[float, float], lower: tuple[float, float], number: int, here: bool) -> None:
        for away in (AWAY, AWAY + 5.0) if here else (AWAY,):
            dpg.draw_rectangle(
                (upper[0] - away, upper[1] - away), (lower[0] + away, lower[1] + away), rounding=away + 4.0,
                color=AMBER if here else see_through(AMBER, 170), thickness=2.0 if here else 1.4, parent=self._node,
            )  # fmt: skip
        text = str(number + 1)
        size = 12.0
        wide = self.layers.character * size * len(text) + 8
        x, y = lower[0] + AWAY - wide / 2, upper[1] - AWAY - 8
        dpg.draw_rectangle((x, y), (x + wide, y + 16), rounding=8, fill=AMBER, color=AMBER, parent=self._node)
        dpg.draw_text((x + 4, y + 1), text, size=size, color=NIGHT, parent=self._node)
