"""Tints each box by what it costs, and writes it there: so much of a core, so much later."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import TEXT, Colour, see_through
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.heat import Warmth

COLD: Final = (60, 110, 255)
WARM: Final = (255, 190, 60)
HOT: Final = (255, 60, 40)
SIZE: Final = 11.0


class HeatOverlay(Overlay):
    """Drawn while it is asked for (action ``heat``)."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        super().__init__(editing, layers)
        self._root = dpg.add_draw_node(parent=layers.over)
        self._look: Any = None
        self._known: Any = None
        self._warm: dict[str, Warmth] = {}

    def show(self) -> bool:
        editing = self.editing
        heat = editing.heat
        heat.turn()
        zoom = editing.viewport.zoom
        look: Any = None
        if heat.on:
            known = heat.version, editing.sheets.version, editing.mirror.version
            if known != self._known:
                self._known, self._warm = known, heat.boxes()
            warm = self._warm
            look = [
                (id, box.x * zoom, box.y * zoom, box.width * zoom, box.height * zoom, warm[id].label, warm[id].heat)
                for id, box in editing.scene.boxes.items()
                if id in warm
            ]
        if look != self._look:
            self._look = look
            dpg.delete_item(self._root, children_only=True)
            for _, x, y, width, height, label, share in look or ():
                self._box(x, y, width, height, label, share, zoom)
        return False

    def _box(self, x: float, y: float, width: float, height: float, label: str, share: float, zoom: float) -> None:
        colour = between(share)
        dpg.draw_rectangle(
            (x, y), (x + width, y + height), rounding=7.0 * zoom, fill=see_through(colour, round(25 + 110 * share)),
            color=see_through(colour, 220), thickness=1.0 + 2.0 * share, parent=self._root,
        )  # fmt: skip
        if not label:
            return
        size = max(9.0, SIZE * min(1.0, zoom))
        wide = self.layers.character * size * len(label) + 10
        left, top = x + width + 4.0 - wide, y + height - 5.0 * zoom  # below the box's text, beside its first outlet
        dpg.draw_rectangle(
            (left, top), (left + wide, top + size + 4), rounding=5, fill=(20, 20, 32, 245), parent=self._root,
            color=see_through(colour, 220),
        )  # fmt: skip
        dpg.draw_text((left + 5, top + 1.5), label, size=size, color=TEXT, parent=self._root)


def between(share: float) -> Colour:
    """From cold to hot."""
    low, high, part = (COLD, WARM, 2 * share) if share < 0.5 else (WARM, HOT, 2 * share - 1)
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(low, high, strict=True))
    return red, green, blue, 255
