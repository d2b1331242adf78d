"""The window that asks for a patch file: a text, and the files that it may mean."""

from __future__ import annotations

from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.files import Files
from nodegraph.editor.gui.looks import DIM, px
from nodegraph.editor.gui.panel import place_of
from nodegraph.editor.texts import cut

WIDTH: Final = 520
ROWS: Final = 12
LETTERS: Final = 60
TITLES: Final = {"open": "Open a patch", "open-recent": "Open one of the last", "save-as": "Save as"}


class FileBox:
    """Shows what `Files` asks."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._window: int | str | None = None
        self._purpose: str | None = None
        """For what it stands."""
        self._looked: tuple[object, ...] | None = None
        self._chosen = 0
        self._rows: dict[str, int | str] = {}

    @property
    def shown(self) -> bool:
        """Whether it stands."""
        return self._window is not None

    def turn(self) -> bool:
        """Follow what is asked and typed. Whether anything looks otherwise."""
        if self.files.asked != self._purpose:
            self._purpose = self.files.asked
            if self._window is not None:
                dpg.delete_item(self._window)
                self._window, self._rows = None, {}
            if self._purpose is not None:
                self._open(TITLES[self._purpose])
        elif self._window is None:
            return False
        if self._window is None:
            return True
        look = dpg.get_value(self._field), tuple(self.files.patches), self._chosen
        if look == self._looked:
            return False
        if self._looked is not None and look[0] != self._looked[0]:
            self._chosen = 0
        self._looked = (*look[:2], self._chosen)
        self._show(self.files.offers(look[0]))
        return True

    def _open(self, title: str) -> None:
        x = max(px(20), (dpg.get_viewport_client_width() - px(WIDTH)) // 2)
        with dpg.window(
            label=title, no_resize=True, no_saved_settings=True, no_collapse=True, pos=(x, px(110)), width=px(WIDTH),
            autosize=True, on_close=lambda *_: self.files.answer(None),
        ) as self._window:  # fmt: skip
            hint = "a name in the patch's folder" if self.files.asked == "save-as" else "words of its path"
            self._field = dpg.add_input_text(width=px(WIDTH - 20), hint=hint)
            self._list = dpg.add_group()
            dpg.add_text("Enter: take it. Up, Down: choose. Escape: leave it.", color=DIM)
        self._looked, self._chosen = None, 0
        dpg.focus_item(self._field)

    def _show(self, offers: list[str]) -> None:
        dpg.delete_item(self._list, children_only=True)
        self._rows = {}
        first = max(0, self._chosen - ROWS + 1)
        saves = self.files.asked == "save-as"
        for index, path in list(enumerate(offers))[first : first + ROWS]:
            label = cut(path, LETTERS, left=True)
            self._rows[path] = dpg.add_selectable(
                label=label, parent=self._list, default_value=index == self._chosen and not saves, user_data=path,
                callback=lambda _sender, _value, chosen: self.files.answer(chosen),
            )  # fmt: skip
        more = len(offers) - first - ROWS
        if more > 0 or not offers:
            text = f"and {more} more" if offers else "none of these words" if self.files.patches else "none yet"
            dpg.add_text(text, parent=self._list, color=DIM)

    def key(self, key: str) -> None:
        """A key while it stands."""
        text = dpg.get_value(self._field) if self._window is not None else ""
        offers = self.files.offers(text)
        if key == "escape":
            self.files.answer(None)
        elif key == "enter":
            saves = self.files.asked == "save-as" or not offers
            self.files.answer(text if saves else offers[min(self._chosen, len(offers) - 1)])
        elif key in ("up", "down") and offers:
            self._chosen = (self._chosen + (1 if key == "down" else -1)) % len(offers)

    def places(self) -> dict[str, list[float]]:
        """Where its files are in the window."""
        return {f"file {path}": place_of(item) for path, item in self._rows.items()}
