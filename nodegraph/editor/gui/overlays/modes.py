"""Says in words what the window is in, in the canvas's corner: locked, or presented with nothing to present."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import LOOKS, px
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.texts import wrapped

SIZE: Final = 13.0
EMPTY: Final = "Nothing is marked for the presentation: Object > Show in the presentation marks boxes. Escape leaves."


class ModesOverlay(Overlay):
    """A word in a frame; none in the usual mode, and none over what is presented."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        super().__init__(editing, layers)
        self._root = dpg.add_draw_node(parent=layers.front)
        self._look: Any = None

    def show(self) -> bool:
        editing = self.editing
        empty = editing.modes.presenting and not editing.scene.boxes and not editing.scene.notes
        word = EMPTY if empty else "" if editing.modes.presenting else editing.modes.words
        look = word, editing.size, LOOKS.version
        if look != self._look:
            self._look = look
            dpg.delete_item(self._root, children_only=True)
            if word:
                self._draw(word)
        return False

    def _draw(self, word: str) -> None:
        window = self.editing.size
        lines = wrapped(word[0].upper() + word[1:], self.layers.across(window[0] - px(44), SIZE))
        width, _ = self.layers.size_of(lines, SIZE)
        self.layers.plate(self._root, lines, window[0] - width - px(12), px(10), SIZE, looks.AMBER, looks.AMBER)
