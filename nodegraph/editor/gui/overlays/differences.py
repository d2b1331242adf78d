"""What is different from another version, on the canvas: + has come, - has gone (where it was), ~ is otherwise."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.core.difference import Difference
from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, CYAN, GREEN, GREY, LOOKS, NIGHT, RED, Colour, px, see_through
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.scene import PADDING, TEXT, curve, pieces

COLOUR: Final[dict[str, Colour]] = {"+": GREEN, "-": RED, "~": AMBER, "=": CYAN}
AWAY: Final = 5
SIGN: Final = 15
WORD: Final = 11
PLATE: Final = 18
DASHES: Final = 36


class Differences(Overlay):
    """The comparison that is shown (`Comparing`)."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        super().__init__(editing, layers)
        self._under = dpg.add_draw_node(parent=layers.under)
        self._over = dpg.add_draw_node(parent=layers.over)
        self._look: Any = None

    def show(self) -> bool:
        comparing, scene, zoom = self.editing.ways.comparing, self.editing.scene, self.editing.viewport.zoom
        found = comparing.found
        look: Any = None
        if found is not None and comparing.on_top():
            look = comparing.look, scene, scene.places, zoom, LOOKS.version
        if look != self._look:
            self._look = look
            dpg.delete_item(self._under, children_only=True)
            dpg.delete_item(self._over, children_only=True)
            if look is not None and found is not None:
                boxes, cables = self._now(found)
                for sign, text, (x, y, width, height) in boxes:
                    self._box(sign, text, x * zoom, y * zoom, (x + width) * zoom, (y + height) * zoom, zoom)
                for sign, ends in cables:
                    self._cable(sign, ends, zoom)
        return False

    def _now(self, found: Difference) -> tuple[list[Any], list[Any]]:
        """Boxes and cables with their signs, and where they lie."""
        comparing = self.editing.ways.comparing
        here = self.editing.scene.boxes
        signs = {**dict.fromkeys(found.moved, "~ moved"), **dict.fromkeys(found.renamed.values(), "~ name")}
        signs |= {**dict.fromkeys(found.changed, "~"), **dict.fromkeys(found.added, "+")}
        boxes = [
            (sign, "", (box.x, box.y, box.width, box.height))
            for node, sign in signs.items()
            if (box := here.get(node)) is not None
        ]
        for node in found.removed:
            box = comparing.ghost(node)
            if box is not None:
                boxes.append(("-", box.text, (box.x, box.y, box.width, box.height)))
        cables = [
            (sign, ends)
            for sign, every in (("-", found.lifted), ("+", found.laid))
            for cable in every
            if (ends := comparing.ends(cable)) is not None
        ]
        return boxes, cables

    def _box(
        self, sign: str, text: str, left: float, top: float, right: float, bottom: float, zoom: float
    ) -> None:  # fmt: skip
        word, _, more = sign.partition(" ")
        colour = GREY if more == "moved" else COLOUR[word]
        parent, away = self._over, px(AWAY)
        if word == "-":
            dpg.draw_rectangle(
                (left, top), (right, bottom), rounding=7.0 * zoom, fill=see_through(colour, 30),
                color=see_through(colour, 150), thickness=px(1), parent=self._under,
            )  # fmt: skip
            if zoom * TEXT >= px(4):
                at = left + PADDING * zoom, top + (bottom - top - TEXT * zoom) / 2
                dpg.draw_text(at, text, size=TEXT * zoom, color=colour, parent=self._under)
            parent = self._under
        else:
            dpg.draw_rectangle(
                (left - away, top - away), (right + away, bottom + away), rounding=px(10), thickness=px(2),
                color=see_through(colour, 200), parent=parent,
            )  # fmt: skip
        self._sign(f"~ {more}" if more else word, left - away, top - away, colour, parent)

    def _sign(self, text: str, x: float, y: float, colour: Colour, parent: int | str) -> None:
        """A sign on a small plate, its middle at the left end of it."""
        size, high = float(px(SIGN if len(text) == 1 else WORD)), px(PLATE)
        width = self.layers.character * size * len(text)
        wide = max(float(high), width + px(8))
        left, top = x - high / 2, y - high / 2
        dpg.draw_rectangle(
            (left, top), (left + wide, top + high), rounding=high / 2, fill=colour, color=colour, parent=parent
        )
        place = left + (wide - width) / 2, top + (high - size) / 2 - 0.5
        dpg.draw_text(place, text, size=size, color=NIGHT, parent=parent)

    def _cable(self, sign: str, ends: Any, zoom: float) -> None:
        points = curve(*ends)
        colour = COLOUR[sign]
        if sign == "+":
            scaled = [(x * zoom, y * zoom) for x, y in points]
            dpg.draw_bezier_cubic(
                *scaled, color=see_through(colour, 120), thickness=px(9), segments=16, parent=self._under
            )
        else:  # dashes
            along = [(x * zoom, y * zoom) for x, y in pieces(points, DASHES)]
            for start, end in zip(along[::2], along[1::2], strict=False):
                dpg.draw_line(start, end, color=see_through(colour, 220), thickness=px(2), parent=self._over)
        x, y = pieces(points, 2)[1]
        self._sign(sign, x * zoom + px(5), y * zoom, colour, self._over)
