"""What was said: by the engine, by nodes, by this editor."""

from __future__ import annotations

from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.panel import Panel

MOST: Final = 200


class LogPanel(Panel):
    """The last lines, the newest below."""

    name, title, side = "log", "Log", "bottom"

    def __init__(self, editing: Editing, parent: int | str) -> None:
        super().__init__(editing, parent)
        self._said = -1
        self._lines = dpg.add_group(parent=parent)

    def turn(self) -> bool:
        if self._said != self.editing.said:
            self._said = self.editing.said
            dpg.delete_item(self._lines, children_only=True)
            for line in list(self.editing.lines)[-MOST:]:
                dpg.add_text(line, parent=self._lines, wrap=0)
            dpg.set_y_scroll(self.parent, -1.0)
        return False
