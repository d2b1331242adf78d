"""The strip above the canvas: the way to the sheet on top, and the sheets that are open. One sheet alone needs none."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import CYAN, DIM, px
from nodegraph.editor.gui.panel import place_of
from nodegraph.editor.sheet import Sheet

HEIGHT: Final = 38


class Strip:
    """Names that can be clicked."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.shown = False
        self._look: Any = None
        self._items: dict[str, int | str] = {}
        with dpg.window(
            show=False, no_title_bar=True, no_resize=True, no_move=True, no_scrollbar=True, no_saved_settings=True,
            no_scroll_with_mouse=True, min_size=(1, 1), height=px(HEIGHT),
        ) as self.window:  # fmt: skip
            self._row = dpg.add_group(horizontal=True)

    def turn(self) -> bool:
        """Show what is so now. Whether the strip has come or gone."""
        sheets = self.editing.sheets
        look = (
            [(sheet.root, sheet.mirror.unsaved, sheet.mirror.title) for sheet in sheets.open], sheets.top.root,
        )  # fmt: skip
        if look == self._look:
            return False
        self._look = look
        before, self.shown = self.shown, len(sheets.open) > 1
        dpg.configure_item(self.window, show=self.shown)
        dpg.delete_item(self._row, children_only=True)
        self._items.clear()
        if self.shown:
            self._fill()
        return before != self.shown

    def _fill(self) -> None:
        sheets = self.editing.sheets
        for number, (name, sheet) in enumerate(sheets.way()):
            if number:
                dpg.add_text("›", parent=self._row, color=DIM)
            if sheet is None:
                dpg.add_text(name, parent=self._row, color=DIM)
            elif sheet is sheets.top:
                dpg.add_text(name, parent=self._row, color=CYAN)
            else:
                self._button(name, f"way {name}", sheet)
        dpg.add_text("   |", parent=self._row, color=DIM)
        for sheet in sheets.open:
            mark = "● " if sheet.mirror.unsaved else ""
            inside = sheet.root.removeprefix(sheets.open[0].root).strip("/")
            words = f"{mark}{inside}: {sheet.mirror.title}" if inside else f"{mark}{sheet.mirror.title}"
            self._button(f"[{words}]" if sheet is sheets.top else words, f"sheet {sheet.root}", sheet)
        if sheets.top is not sheets.open[0]:
            button = dpg.add_button(label="×", small=True, parent=self._row, callback=lambda *_: sheets.close())
            self._items["close sheet"] = button

    def _button(self, words: str, name: str, sheet: Sheet) -> None:
        self._items[name] = dpg.add_button(
            label=words, small=True, parent=self._row, user_data=sheet,
            callback=lambda _sender, _value, chosen: self.editing.sheets.show(chosen),
        )  # fmt: skip

    def fit(self, left: int, top: int, width: int) -> None:
        """Take its place in the window."""
        dpg.configure_item(self.window, pos=(left, top), width=max(1, width), height=px(HEIGHT))

    def places(self) -> dict[str, list[float]]:
        """Where its names are in the window, for tests."""
        return {name: place_of(item) for name, item in self._items.items()}
