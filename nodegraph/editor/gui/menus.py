"""The menu bar."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.context import Entry
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import LOOKS, px
from nodegraph.editor.gui.popup import Popup
from nodegraph.editor.keys import ACTIONS, Keys

MARGIN: Final = 14
"""Beside each word in the bar."""


class Menus:
    """Every action in its menu, with its keys: the menus side by side, or all in one where the window is narrow."""

    def __init__(self, keys: Keys, do: Callable[[str], None]) -> None:
        self._keys, self._do = keys, do
        self._theme = looks.menu_theme()
        self.items: dict[str, list[int | str]] = {action.name: [] for action in ACTIONS}
        """By the names of their actions."""
        self._is_narrow = False
        self._words = list(dict.fromkeys(action.menu for action in ACTIONS))
        with dpg.menu_bar():
            self._wide = [self._menu(word) for word in self._words]
            with dpg.menu(label="Menu", show=False) as self._narrow:
                dpg.bind_item_theme(self._narrow, self._theme)
                for word in self._words:
                    self._menu(word)

    def _menu(self, word: str) -> Any:
        with dpg.menu(label=word) as made:
            dpg.bind_item_theme(made, self._theme)
            for action in ACTIONS:
                if action.menu == word:
                    item = dpg.add_menu_item(
                        label=action.words, shortcut=self._keys.shown(action.name), user_data=action.name,
                        callback=lambda _sender, _value, name: self._do(name),
                    )  # fmt: skip
                    self.items[action.name].append(item)
        return made

    def fit(self, width: int) -> None:
        """As many as fit into a window of this width."""
        self._is_narrow = self._begin(len(self._words)) > width
        for menu in self._wide:
            dpg.configure_item(menu, show=not self._is_narrow)
        dpg.configure_item(self._narrow, show=self._is_narrow)

    def open(self, popup: Popup, number: int = 0) -> None:
        """Open a menu for the keyboard; arrows lead to those beside. dearpygui's own open by the mouse alone."""
        word = self._words[number % len(self._words)]
        entries = [
            Entry(action.words, partial(self._do, action.name), self._keys.shown(action.name))
            for action in ACTIONS
            if action.menu == word
        ]
        title = Entry(word, title=True)
        popup.open([title, *entries], *self.place(word), by_keys=True, aside=lambda by: self.open(popup, number + by))

    def place(self, word: str) -> tuple[float, float]:
        """The lower left corner of a menu's word; dearpygui does not tell where menus are."""
        return self._begin(0 if self._is_narrow else self._words.index(word)), float(px(looks.FONT_SIZE + 6))

    def _begin(self, number: int) -> float:
        """Where the word of this number begins."""
        letters = sum(len(word) for word in self._words[:number])
        return letters * LOOKS.character * px(looks.FONT_SIZE) + px(MARGIN) * number + px(MARGIN) / 2


def within(window: int | str, width: int, height: int) -> None:
    """Lay a floating window of this size, at the size of everything, into the middle; no part of it outside."""
    across, down = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
    width, height = min(px(width), across - 8), min(px(height), down - 8)
    dpg.configure_item(window, width=width, height=height, pos=((across - width) // 2, (down - height) // 2))
