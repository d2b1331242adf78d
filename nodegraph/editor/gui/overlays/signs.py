"""A sign at the corner of each box with which something is wrong; words for the box under the mouse, and in the upper
left corner what is wrong with the patch as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, CYAN, LOOKS, NIGHT, TEXT, px
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.health import WRONG, Trouble
from nodegraph.editor.scene import Box

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
        self._patch = dpg.add_draw_node(parent=layers.front)
        self._whole: Any = None
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
        scene, zoom = editing.scene, editing.viewport.zoom
        look = version, scene, scene.places, zoom, LOOKS.version
        if look != self._look:
            self._look = look
            dpg.delete_item(self._root, children_only=True)
            for id, sign in self._signs.items():
                box = scene.boxes.get(id)
                if box is not None:
                    self._sign(sign, (box.x + box.width) * zoom, box.y * zoom)
        self._tell()
        self._tell_whole()
        return False

    def _sign(self, sign: str, x: float, y: float) -> None:
        scale = LOOKS.size * max(0.6, min(1.5, self.editing.viewport.zoom / LOOKS.size))
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
        box = self.editing.scene.box_at(x, y) or self.editing.scene.box_at(x - px(8) / view.zoom, y + px(8) / view.zoom)
        return box.node if box is not None and (box.node in self._signs or self.editing.heat.on) else None

    def _tell(self) -> None:
        editing, node = self.editing, self._over()
        told: Any = None
        if node is not None:
            view = editing.viewport
            told = (
                node, self._version, editing.heat.version, editing.scene, editing.scene.places, LOOKS.version,
                editing.size, view.x, view.y, view.zoom,
            )  # fmt: skip
        if told == self._told:
            return
        self._told = told
        dpg.delete_item(self._words, children_only=True)
        if node is not None:
            warmth = editing.heat.boxes().get(node) if editing.heat.on else None
            self._draw(editing.scene.boxes[node], editing.health.of(node), warmth.words if warmth else "")

    def _tell_whole(self) -> None:
        troubles = self.editing.health.patch
        whole = (self._version, self.editing.size, LOOKS.version) if troubles else None
        if whole == self._whole:
            return
        self._whole = whole
        dpg.delete_item(self._patch, children_only=True)
        if troubles:
            lines = self._lines(troubles)
            self.layers.plate(self._patch, lines, px(12), px(10), SIZE, TEXT, AMBER)

    def _lines(self, troubles: Sequence[Trouble], costs: str = "") -> list[str]:
        """The words, in lines that fit into the window; no more than can be read at once."""
        across = min(WIDE, self.layers.across(self.editing.size[0] - px(24), SIZE))
        lines = wrap(costs, across)
        for trouble in troubles:
            first, *rest = wrap(trouble.words, max(1, across - 2)) or [""]
            lines += [f"{trouble.sign} {first}", *(f"  {line}" for line in rest)]
        return lines if len(lines) <= MOST else [*lines[: MOST - 1], "  …"]

    def _draw(self, box: Box, troubles: tuple[Trouble, ...], costs: str) -> None:
        window, lines = self.editing.size, self._lines(troubles, costs)
        if not lines:
            return
        x, y = self.editing.viewport.screen(box.x, box.y + box.height)
        width, height = self.layers.size_of(lines, SIZE)
        left = max(float(px(4)), min(x, window[0] - width - px(4)))
        below = y + px(14)
        top = below if below + height < window[1] else max(float(px(4)), y - height - px(50))
        self.layers.plate(self._words, lines, left, top, SIZE, TEXT, AMBER if troubles else CYAN)
