"""The patch as a tree of plain lines, to go through by the keyboard."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import CYAN, DIM, TEXT
from nodegraph.editor.gui.panel import Panel, place_of
from nodegraph.editor.outline import Line
from nodegraph.editor.texts import cut

LETTERS: Final = 34
"""So many fit into a line; the rest of it is told below."""
AROUND: Final = 150
"""So many lines before and after the one that one is on are made: thousands would take their time."""


class OutlinePanel(Panel):
    """The outline of the patch on top (`Outlining`)."""

    name, title, side = "outline", "Outline", "left"

    def __init__(self, editing: Editing, parent: int | str) -> None:
        super().__init__(editing, parent)
        self._look: Any = None
        self._rows: dict[str, int | str] = {}
        self._keys = False
        """Whether the keys are for it."""
        self._scroll: int | str | None = None
        """The row that has yet to be brought into view: it must have been drawn before."""
        with dpg.theme() as self._dim, dpg.theme_component(dpg.mvAll):
            dpg.add_theme_color(dpg.mvThemeCol_Text, DIM)
        with dpg.theme() as self._bright, dpg.theme_component(dpg.mvAll):
            dpg.add_theme_color(dpg.mvThemeCol_Text, TEXT)
        self._head = dpg.add_text("", parent=parent, color=DIM, wrap=0)
        self._body = dpg.add_child_window(parent=parent, border=False, height=-70)
        self._full = dpg.add_text("", parent=parent, color=CYAN, wrap=0)

    def asked(self) -> bool:
        had, self._keys = self._keys, True
        self._look = None
        return not had

    def hidden(self) -> None:
        self._keys = False

    def places(self) -> dict[str, list[float]]:
        return {f"outline {name}": place_of(row) for name, row in self._rows.items()}

    def key(self, key: str, chord: str) -> bool:
        if not self._keys:
            return False
        if chord == "escape":
            self._keys = False
            self._look = None
            return True
        return self.editing.ways.outline.key(key, chord)

    def left(self) -> None:
        if self._keys:
            self._keys = False
            self._look = None

    def turn(self) -> bool:
        outline = self.editing.ways.outline
        at = outline.follow()
        lines = outline.lines()
        look = (id(lines), len(lines), at, self._keys, tuple(sorted(outline.open)), self.editing.mirror.version)
        if look == self._look:
            return self._follow()
        self._look = look
        first = max(0, (at or 0) - AROUND)
        shown = lines[first : first + 2 * AROUND + 1]
        dpg.delete_item(self._body, children_only=True)
        self._rows.clear()
        self._scroll = None
        for number, line in enumerate(shown, first):
            self._line(line, number == at)
        said = "Arrows go, Enter changes, Delete takes away, Escape leaves." if self._keys else (
            "A click, or its key, gives the arrows to the outline.")  # fmt: skip
        dpg.set_value(self._head, said)
        dpg.set_value(self._full, lines[at].text if at is not None else f"{len(lines)} lines")
        return self._scroll is not None

    def _follow(self) -> bool:
        """Bring the row that one is on into view. Whether that has to wait for a frame."""
        row = self._scroll
        if row is None:
            return False
        height = dpg.get_item_rect_size(row)[1]
        if height <= 0:
            return True
        self._scroll = None
        first = next(iter(self._rows.values()))
        top = dpg.get_item_rect_min(row)[1] - dpg.get_item_rect_min(first)[1]
        room, at = dpg.get_item_rect_size(self._body)[1], dpg.get_y_scroll(self._body)
        if not at + height <= top <= at + room - 3 * height:
            dpg.set_y_scroll(self._body, max(0.0, top - room / 3))
        return False

    def _line(self, line: Line, here: bool) -> None:
        head = line.of == "node"
        opened = line.node in self.editing.ways.outline.open
        mark = ("▾ " if opened else "▸ ") if head else "  "
        text = mark + line.text
        row = dpg.add_selectable(
            label=cut(text, LETTERS), parent=self._body, user_data=line,
            default_value=here, callback=self._clicked,
        )  # fmt: skip
        dpg.bind_item_theme(row, self._bright if head or here else self._dim)
        self._rows["/".join((line.node, line.of, line.name) if not head else (line.node,))] = row
        if here:
            self._scroll = row

    def _clicked(self, _row: object, _value: object, line: Line) -> None:
        outline = self.editing.ways.outline
        if self._keys and outline.at == line.key and line.of == "node":  # clicked again
            if line.node in outline.open:
                outline.left()
            else:
                outline.right()
        else:
            outline.to(line.key)
        self._keys, self._look = True, None
