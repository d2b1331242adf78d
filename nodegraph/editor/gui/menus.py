"""The menu bar, and the window that lists all keys."""

from __future__ import annotations

from collections.abc import Callable

import dearpygui.dearpygui as dpg

from nodegraph.editor.gui import looks
from nodegraph.editor.keys import ACTIONS, Keys


def add_menus(keys: Keys, do: Callable[[str], None]) -> None:
    """Every action in its menu, with its keys."""
    theme = looks.menu_theme()
    with dpg.menu_bar():
        for menu in dict.fromkeys(action.menu for action in ACTIONS):
            with dpg.menu(label=menu) as made:
                dpg.bind_item_theme(made, theme)
                for action in ACTIONS:
                    if action.menu == menu:
                        dpg.add_menu_item(
                            label=action.words, shortcut=keys.shown(action.name), user_data=action.name,
                            callback=lambda _sender, _value, name: do(name),
                        )  # fmt: skip


def list_keys(keys: Keys) -> None:
    """A window with every action and its keys."""
    with dpg.window(label="Keys", width=430, height=460, pos=(120, 60), no_saved_settings=True) as window:
        dpg.configure_item(window, on_close=lambda *_: dpg.delete_item(window))
        with dpg.table(header_row=False):
            dpg.add_table_column(init_width_or_weight=0.55)
            dpg.add_table_column(init_width_or_weight=0.45)
            for _, words, shown in keys.listed():
                with dpg.table_row():
                    dpg.add_text(words)
                    dpg.add_text(shown, color=looks.CYAN)
