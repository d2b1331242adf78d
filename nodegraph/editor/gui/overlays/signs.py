"""A sign at the corner of each box with which something is wrong; words for the box under the mouse."""

from __future__ import annotations

from textwrap import wrap
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, CYAN, NIGHT, TEXT, see_through
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.health import WRONG, Trouble

SIZE: Final = 13.0
WIDE: Final = 56
"""Characters of a line of words."""
MOST: Final = 14
"""Lines of words."""


class SignsOverlay(Overlay):
    """The signs, and the words of one box."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        super().__init__(editing, layers)
        self._root = dpg.add_draw_node(parent=layers.over)
        self._words = dpg.add_draw_node(parent=layers.front)
        self._look: Any = None
        self._told: Any = None
        self._version: Any = None
        self._signs: dict[str, str] = {}

    def show(self) -> bool:
        editing = self.editing
        version = editing.health.version, editing.sheets.version, editing.mirror.version
        if version != self._version:
            self._version = version
            self._signs = editing.health.signs()
        zoom = editing.viewport.zoom
        boxes = editing.scene.boxes
        look = [
            (sign, (boxes[id].x + boxes[id].width) * zoom, boxes[id].y * zoom)
            for id, sign in self._signs.items()
            if id in boxes
        ]
        if (look, zoom) != self._look:
            self._look = look, zoom
            dpg.delete_item(self._root, children_only=True)
            for sign, x, y in look:
                self._sign(sign, x, y, max(0.6, min(1.5, zoom)))
        self._tell()
        return False

    def _sign(self, sign: str, x: float, y: float, scale: float) -> None:
        colour = AMBER if sign == WRONG else CYAN
        radius = 8.0 * scale
        dpg.draw_circle((x, y), radius, fill=colour if sign == WRONG else NIGHT, color=colour, parent=self._root)
        ink = NIGHT if sign == WRONG else colour
        size = 14.0 * scale
        left = x - self.layers.character * size / 2
        dpg.draw_text((left, y - size * 0.56), sign, size=size, color=ink, parent=self._root)

    # -- the words

    def _over(self) -> str | None:
        """The box under the mouse, if there is something to be said of it."""
        hands, view = self.editing.hands, self.editing.viewport
        width, height = self.editing.size
        if hands.doing is not None or hands.hover is not None or not (self._signs or self.editing.heat.on):
            return None
        if not (0 <= hands.at[0] < width and 0 <= hands.at[1] < height):
            return None
        x, y = view.patch(*hands.at)
        box = self.editing.scene.box_at(x, y) or self.editing.scene.box_at(x - 8 / view.zoom, y + 8 / view.zoom)
        return box.node if box is not None and (box.node in self._signs or self.editing.heat.on) else None

    def _tell(self) -> None:
        node = self._over()
        told: Any = None
        if node is not None:
            box = self.editing.scene.boxes[node]
            at = self.editing.viewport.screen(box.x, box.y + box.height)
            warmth = self.editing.heat.boxes().get(node) if self.editing.heat.on else None
            told = (*at, self.editing.health.of(node), warmth.words if warmth else "", self.editing.size)
        if told == self._told:
            return
        self._told = told
        dpg.delete_item(self._words, children_only=True)
        if told is not None:
            self._draw(*told)

    def _draw(self, x: float, y: float, troubles: tuple[Trouble, ...], costs: str, window: tuple[float, float]) -> None:
        lines = wrap(costs, WIDE)
        for trouble in troubles:
            first, *rest = wrap(trouble.words, WIDE) or [""]
            lines += [f"{trouble.sign} {first}", *(f"  {line}" for line in rest)]
        if not lines:
            return
        if len(lines) > MOST:
            lines = [*lines[: MOST - 1], "  …"]
        width = self.layers.character * SIZE * max(len(line) for line in lines) + 16
        height = (SIZE + 4) * len(lines) + 10
        left = max(4.0, min(x, window[0] - width - 4))
        top = y + 14 if y + 14 + height < window[1] else max(4.0, y - height - 50)
        dpg.draw_rectangle(
            (left, top), (left + width, top + height), rounding=6, fill=(20, 22, 38, 245), parent=self._words,
            color=see_through(AMBER if troubles else CYAN, 160),
        )  # fmt: skip
        for number, line in enumerate(lines):
            place = (left + 8, top + 6 + number * (SIZE + 4))
            dpg.draw_text(place, line, size=SIZE, color=TEXT, parent=self._words)
