"""The field in which a note is written, at the note's own place: lines of a comment, or one of a title or a file."""

from __future__ import annotations

from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, DIM, px
from nodegraph.editor.noting import Asked

NARROWEST: Final = 320
LINES: Final = 4
LINE: Final = 20
HINT: Final = {
    "comment": "Ctrl+Enter, or a click beside it, is done; Escape leaves it as it was.",
    "panel": "The area's title. Enter is done.",
    "image": "A PNG or JPEG beside the patch. Enter is done.",
}


class NoteBox:
    """One text being written."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.shown = False
        self._asked: Asked | None = None
        self._field: int | str | None = None
        editing.noting.left = self.done
        with dpg.window(
            show=False, no_title_bar=True, no_resize=True, no_move=True, no_scrollbar=True, autosize=True,
            no_saved_settings=True, min_size=(1, 1),
        ) as self.window:  # fmt: skip
            self._line = dpg.add_group()
            self._hint = dpg.add_text("", color=DIM, wrap=0)
            self._wrong = dpg.add_text("", color=AMBER, wrap=px(NARROWEST), show=False)

    @property
    def text(self) -> str:
        """What stands there."""
        return "" if self._field is None else str(dpg.get_value(self._field))

    @property
    def typing(self) -> bool:
        """Whether the field has the keyboard."""
        return self._field is not None and bool(dpg.is_item_active(self._field))

    def turn(self, origin: tuple[float, float]) -> bool:
        """Follow what is asked for. Whether it has come or gone."""
        asked = self.editing.noting.asked
        if asked is self._asked:
            return False
        self._asked = asked
        if asked is None:
            self.shown, self._field = False, None
            dpg.configure_item(self.window, show=False)
        else:
            self._open(asked, origin)
        return True

    def _open(self, asked: Asked, origin: tuple[float, float]) -> None:
        self.shown = True
        x, y = self.editing.viewport.screen(asked.x, asked.y)
        across = (
            px(NARROWEST) if asked.size is None else max(px(NARROWEST), int(asked.size[0] * self.editing.viewport.zoom))
        )
        across = min(across, int(dpg.get_viewport_client_width()) - px(40))
        lines = max(LINES, asked.text.count("\n") + 2) if asked.kind == "comment" else 1
        height = min(px(lines * LINE + 8), int(dpg.get_viewport_client_height()) // 2)
        dpg.delete_item(self._line, children_only=True)
        several = {"multiline": True, "height": height} if asked.kind == "comment" else {}
        self._field = dpg.add_input_text(default_value=asked.text, width=across, parent=self._line, **several)
        dpg.set_value(self._hint, HINT[asked.kind])
        dpg.configure_item(self._wrong, show=False)
        most = dpg.get_viewport_client_width() - across - px(24), dpg.get_viewport_client_height() - height - px(70)
        place = int(max(0, min(x + origin[0], most[0]))), int(max(0, min(y + origin[1], most[1])))
        dpg.configure_item(self.window, show=True, pos=place)
        dpg.focus_item(self.window)
        dpg.focus_item(self._field)

    def key(self, key: str, chord: str) -> bool:
        """A key: while it is shown all are its own."""
        if not self.shown:
            return False
        if key == "escape":
            self.editing.noting.answer(None)
        elif key == "enter" and (chord == "ctrl+enter" or self._asked is None or self._asked.kind != "comment"):
            self.done()
        return True

    def done(self) -> None:
        """It is written, if something is."""
        if self.shown and not self.editing.noting.answer(self.text):
            dpg.configure_item(self._wrong, show=True)
            dpg.set_value(self._wrong, self.editing.lines[-1])
            if self._field is not None:
                dpg.focus_item(self._field)
