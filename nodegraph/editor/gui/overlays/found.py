"""Marks around everything that find has found; the one that is shown has a second ring and its number."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, LOOKS, NIGHT, px, see_through
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.scene import Box
from nodegraph.editor.searching import Find

AWAY: Final = 7


class Found(Overlay):
    """What the field of find has found."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        super().__init__(editing, layers)
        self._node = dpg.add_draw_node(parent=layers.over)
        self._look: Any = None

    def show(self) -> bool:
        question, scene, zoom = self.editing.ways.question, self.editing.scene, self.editing.viewport.zoom
        look: Any = None
        if isinstance(question, Find):
            look = tuple(question.matches), question.at, scene, scene.places, zoom, LOOKS.version
        if look == self._look:
            return False
        self._look = look
        dpg.delete_item(self._node, children_only=True)
        if isinstance(question, Find):
            for number, node in enumerate(question.matches):
                if node in scene.boxes:
                    self._mark(scene.boxes[node], number, number == question.at, zoom)
        return False

    def _mark(self, box: Box, number: int, here: bool, zoom: float) -> None:
        left, top = box.x * zoom, box.y * zoom
        right, bottom = left + box.width * zoom, top + box.height * zoom
        for away in (px(AWAY), px(AWAY + 5)) if here else (px(AWAY),):
            dpg.draw_rectangle(
                (left - away, top - away), (right + away, bottom + away), rounding=away + px(4),
                color=AMBER if here else see_through(AMBER, 170), thickness=px(2 if here else 1), parent=self._node,
            )  # fmt: skip
        text, size = str(number + 1), float(px(12))
        wide = self.layers.character * size * len(text) + px(8)
        x, y = right + px(AWAY) - wide / 2, top - px(AWAY + 8)
        dpg.draw_rectangle(
            (x, y), (x + wide, y + px(16)), rounding=px(8), fill=AMBER, color=AMBER, parent=self._node
        )  # fmt: skip
        dpg.draw_text((x + px(4), y + px(1)), text, size=size, color=NIGHT, parent=self._node)
