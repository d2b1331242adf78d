"""What is different from another version, as lines; a click goes there."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.core.difference import Change
from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, CYAN, DIM, GREEN, RED, Colour
from nodegraph.editor.gui.panel import Panel, place_of

COLOUR: Final[dict[str, Colour]] = {"+": GREEN, "-": RED, "~": AMBER}
MOST: Final = 300


class DifferencesPanel(Panel):
    """The lines of the comparison that is shown (`Comparing`)."""

    name, title, side = "diff", "Differences", "bottom"

    def __init__(self, editing: Editing, parent: int | str) -> None:
        super().__init__(editing, parent)
        self._look: Any = None
        self._rows: dict[str, int | str] = {}
        self._themes: dict[str, int | str] = {}
        for sign, colour in COLOUR.items():
            with dpg.theme() as self._themes[sign], dpg.theme_component(dpg.mvAll):
                dpg.add_theme_color(dpg.mvThemeCol_Text, colour)
        with dpg.group(horizontal=True, parent=parent):
            self._buttons = {
                "as saved": dpg.add_button(label="As saved", callback=lambda *_: editing.ways.comparing.start()),
                "another": dpg.add_button(label="Another version…", callback=lambda *_: editing.actions["diff-with"]()),
                "end": dpg.add_button(label="End", callback=lambda *_: editing.ways.comparing.stop()),
            }
            self._head = dpg.add_text("", color=CYAN)
        self._body = dpg.add_group(parent=parent)

    def places(self) -> dict[str, list[float]]:
        return {f"diff {name}": place_of(item) for name, item in (self._rows | self._buttons).items()}

    def turn(self) -> bool:
        comparing = self.editing.ways.comparing
        found = comparing.found
        look = comparing.look
        if look == self._look:
            return False
        self._look = look
        dpg.delete_item(self._body, children_only=True)
        self._rows.clear()
        if found is None:
            dpg.set_value(self._head, "Nothing is compared.")
            return False
        changes = found.changes
        count = f"{len(changes)} change{'s' * (len(changes) != 1)}" if changes else "nothing is different"
        dpg.set_value(self._head, f"Compared with {comparing.of}: {count}.")
        for change in changes[:MOST]:
            self._rows[change.line()] = row = dpg.add_selectable(
                label=change.line(), parent=self._body, user_data=change, callback=self._go
            )
            dpg.bind_item_theme(row, self._themes[change.sign])
        if len(changes) > MOST:
            dpg.add_text(f"and {len(changes) - MOST} more", parent=self._body, color=DIM)
        return False

    def _go(self, row: int | str, _value: object, change: Change) -> None:
        dpg.set_value(row, False)
        self.editing.ways.comparing.go(change)
