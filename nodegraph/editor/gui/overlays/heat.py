"""Tints each box by what it costs, and writes it there: so much of a core, so much later."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import LOOKS, Colour, px, see_through
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.heat import Warmth
from nodegraph.editor.scene import Box
from nodegraph.editor.themes import mixed

SIZE: Final = 11.0
COOL: Final = 25
FULL: Final = 80
"""Of 255: how much of its colour a box has without heat, and with all of it."""


class HeatOverlay(Overlay):
    """Drawn while it is asked for (action ``heat``)."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        super().__init__(editing, layers)
        self._root = dpg.add_draw_node(parent=layers.over)
        self._look: Any = None

    def show(self) -> bool:
        editing = self.editing
        heat, scene, zoom = editing.heat, editing.scene, editing.viewport.zoom
        heat.turn()
        look: Any = None
        if heat.on:
            look = heat.version, editing.sheets.version, scene, scene.places, zoom, LOOKS.version
        if look != self._look:
            self._look = look
            dpg.delete_item(self._root, children_only=True)
            for id, warmth in heat.boxes().items() if heat.on else ():
                if id in scene.boxes:
                    self._box(scene.boxes[id], warmth, zoom)
        return False

    def _box(self, box: Box, warmth: Warmth, zoom: float) -> None:
        left, top, share = box.x * zoom, box.y * zoom, warmth.heat
        right, bottom = left + box.width * zoom, top + box.height * zoom
        colour = between(share)
        dpg.draw_rectangle(
            (left, top), (right, bottom), rounding=7.0 * zoom, fill=see_through(colour, tint(share)),
            color=see_through(colour, 220), thickness=px(1.0 + 2.0 * share), parent=self._root,
        )  # fmt: skip
        if not warmth.label:
            return
        size = max(9.0, SIZE * min(1.0, zoom / LOOKS.size))
        wide, _ = self.layers.size_of([warmth.label], size)
        # below the box's text, beside its first outlet
        self.layers.plate(
            self._root, [warmth.label], right + px(4) - wide, bottom - 5.0 * zoom, size, looks.TEXT, colour
        )


def tint(share: float) -> int:
    """How much of a box's colour is that of its heat: no more than lets its text be read."""
    return round(COOL + (FULL - COOL) * share)


def between(share: float) -> Colour:
    """From cold to hot."""
    low, high, part = (looks.COLD, looks.AMBER, 2 * share) if share < 0.5 else (looks.AMBER, looks.HOT, 2 * share - 1)
    return mixed(low, high, part)
