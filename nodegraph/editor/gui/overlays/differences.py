"""What is different from another version, on the canvas: + has come, - has gone (where it was), ~ is otherwise."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, CYAN, GREEN, GREY, NIGHT, RED, Colour, see_through
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.scene import PADDING, TEXT, curve, pieces

COLOUR: Final[dict[str, Colour]] = {"+": GREEN, "-": RED, "~": AMBER, "=": CYAN}
AWAY: Final = 5.0
SIGN: Final = 15.0
DASHES: Final = 36


class Differences(Overlay):
    """The comparison that is shown (`Comparing`)."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        super().__init__(editing, layers)
        self._under = dpg.add_draw_node(parent=layers.under)
        self._over = dpg.add_draw_node(parent=layers.over)
        self._look: Any = None

    def show(self) -> bool:
        look = self._now()
        if look != self._look:
            self._look = look
            dpg.delete_item(self._under, children_only=True)
            dpg.delete_item(self._over, children_only=True)
            if look is not None:
                zoom, boxes, cables = look
                for sign, text, (x, y, width, height) in boxes:
                    self._box(sign, text, x * zoom, y * zoom, (x + width) * zoom, (y + height) * zoom, zoom)
                for sign, ends in cables:
                    self._cable(sign, ends, zoom)
        return False

    def _now(self) -> Any:
        """All that the drawing depends on."""
        comparing = self.editing.ways.comparing
        found = comparing.found
        if found is None or not comparing.on_top():
            return None
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
        return self.editing.viewport.zoom, boxes, cables

    def _box(
        self, sign: str, text: str, left: float, top: float, right: float, bottom: float, zoom: float
    ) -> None:  # fmt: skip
        word, _, more = sign.partition(" ")
        colour = GREY if more == "moved" else COLOUR[word]
        parent = self._over
        if word == "-":
            dpg.draw_rectangle(
                (left, top), (right, bottom), rounding=7.0 * zoom, fill=see_through(colour, 30),
                color=see_through(colour, 150), parent=self._under,
            )  # fmt: skip
            if zoom * TEXT >= 4.0:
                at = left + PADDING * zoom, top + (bottom - top - TEXT * zoom) / 2
                dpg.draw_text(at, text, size=TEXT * zoom, color=see_through(colour, 170), parent=self._under)
            parent = self._under
        else:
            dpg.draw_rectangle(
                (left - AWAY, top - AWAY), (right + AWAY, bottom + AWAY), rounding=10.0, color=see_through(colour, 200),
                thickness=2.0, parent=parent,
            )  # fmt: skip
        self._sign(f"~ {more}" if more else word, left - AWAY, top - AWAY, colour, parent)

    def _sign(self, text: str, x: float, y: float, colour: Colour, parent: int | str) -> None:
        """A sign on a small plate, its middle at the left end of it."""
        size = SIGN if len(text) == 1 else 11.0
        width = self.layers.character * size * len(text)
        wide = max(18.0, width + 8.0)
        left, top = x - 9.0, y - 9.0
        dpg.draw_rectangle((left, top), (left + wide, top + 18), rounding=9, fill=colour, color=colour, parent=parent)
        dpg.draw_text(
            (left + (wide - width) / 2, top + (18 - size) / 2 - 0.5),
            text,
            size=size,
            color=NIGHT,
            parent=parent,
        )

    def _cable(self, sign: str, ends: Any, zoom: float) -> None:
        points = curve(*ends)
        colour = COLOUR[sign]
        if sign == "+":
            scaled = [(x * zoom, y * zoom) for x, y in points]
            dpg.draw_bezier_cubic(
                *scaled, color=see_through(colour, 120), thickness=9.0, segments=16, parent=self._under
            )
        else:  # dashes
            along = [(x * zoom, y * zoom) for x, y in pieces(points, DASHES)]
            for start, end in zip(along[::2], along[1::2], strict=False):
                dpg.draw_line(start, end, color=see_through(colour, 220), thickness=2.2, parent=self._over)
        x, y = pieces(points, 2)[1]
        self._sign(sign, x * zoom + 5.0, y * zoom, colour, self._over)
