"""The menu bar."""

from __future__ import annotations

from collections.abc import Callable

import dearpygui.dearpygui as dpg

from nodegraph.editor.gui import looks
from nodegraph.editor.keys import ACTIONS, Keys


def add_menus(keys: Keys, do: Callable[[str], None]) -> dict[str, int | str]:
    """Every action in its menu, with its keys. Gives the items by the names of their actions."""
    theme = looks.menu_theme()
    made: dict[str, int | str] = {}
    with dpg.menu_bar():
        for menu in dict.fromkeys(action.menu for action in ACTIONS):
            with dpg.menu(label=menu) as opened:
                dpg.bind_item_theme(opened, theme)
                for action in ACTIONS:
                    if action.menu == menu:
                        made[action.name] = dpg.add_menu_item(
                            label=action.words, shortcut=keys.shown(action.name), user_data=action.name,
                            callback=lambda _sender, _value, name: do(name),
                        )  # fmt: skip
    return made
