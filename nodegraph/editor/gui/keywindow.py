"""The window that lists all keys, where they are changed: click on the keys of an action, press others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, DIM
from nodegraph.editor.gui.menus import within
from nodegraph.editor.gui.panel import place_of
from nodegraph.editor.keys import ACTIONS, Keys
from nodegraph.editor.rebinding import Rebinding

SIZE = (620, 520)


class KeyWindow:
    """Every action and its keys. One key with no name (`keys.KEYS`) tells nobody that it was pressed."""

    def __init__(self, editing: Editing, keys: Keys, menus: Mapping[str, Sequence[int | str]]) -> None:
        """`menus` are the items whose keys are shown in menus, by action."""
        self.editing, self.keys, self.menus = editing, keys, menus
        self.rebinding = Rebinding(keys)
        self._window: int | str | None = None
        self._buttons: dict[str, int | str] = {}

    @property
    def waiting(self) -> bool:
        """Whether the next keys are for an action."""
        return self._window is not None and self.rebinding.action is not None

    def places(self) -> dict[str, list[float]]:
        """Where what can be clicked is in the window, for tests."""
        if self._window is None:
            return {}
        more = {"take over": self._take, "usual keys": self._usual, "no keys": self._none}
        return {f"keys {name}": place_of(item) for name, item in (self._buttons | more).items()}

    def state(self) -> dict[str, Any] | None:
        """What it shows, for tests."""
        if self._window is None:
            return None
        found = self.rebinding
        return {"action": found.action, "wanted": found.wanted, "said": found.said}

    def show(self) -> None:
        """Open it; one that is open comes to the front."""
        if self._window is not None:
            dpg.focus_item(self._window)
            return
        with dpg.window(label="Keys", no_saved_settings=True, on_close=lambda *_: self.close()) as self._window:
            within(self._window, *SIZE)
            words = "Click on the keys of an action, then press others. They are kept for you, in keys.json."
            dpg.add_text(words, color=DIM, wrap=SIZE[0] - 30)
            self._said = dpg.add_text("", color=AMBER, wrap=SIZE[0] - 30)
            with dpg.group(horizontal=True):
                self._take = dpg.add_button(label="Take it over", callback=lambda *_: self._do("take"), show=False)
                self._add = dpg.add_button(label="Add beside", callback=lambda *_: self._do("add"), show=False)
                self._usual = dpg.add_button(label="The usual keys", callback=lambda *_: self._do("usual"), show=False)
                self._none = dpg.add_button(label="No keys", callback=lambda *_: self._do("none"), show=False)
            with dpg.child_window(border=False), dpg.table(header_row=False):
                dpg.add_table_column(init_width_or_weight=0.16)
                dpg.add_table_column(init_width_or_weight=0.48)
                dpg.add_table_column(init_width_or_weight=0.36)
                for action in ACTIONS:
                    with dpg.table_row():
                        dpg.add_text(action.menu, color=DIM)
                        dpg.add_text(action.words)
                        self._buttons[action.name] = dpg.add_button(
                            label="", width=-1, callback=partial(self._asked, action.name)
                        )  # fmt: skip
        self._tell()

    def close(self) -> None:
        """It goes."""
        self.rebinding.cancel()
        if self._window is not None:
            dpg.delete_item(self._window)
            self._window = None
            self._buttons.clear()

    def key(self, key: str, chord: str) -> bool:
        """A key: while it waits for keys, they are these; else Escape closes it when it is in front."""
        if self.waiting:
            self.rebinding.press(chord)
            self._tell()
            return True
        if self._window is not None and chord == "escape" and dpg.is_item_focused(self._window):
            self.close()
            return True
        return False

    def _asked(self, action: str, *_: object) -> None:
        self.rebinding.ask(action)
        self._tell()

    def _do(self, what: str) -> None:
        found = self.rebinding
        action = found.action
        if what == "take":
            found.take_over()
        elif what == "add":
            found.adds = not found.adds
        elif action is not None:
            found.cancel()
            (found.usual if what == "usual" else found.clear)(action)
        self._tell()

    def _tell(self) -> None:
        found = self.rebinding
        dpg.set_value(self._said, found.said or " ")
        for item in (self._add, self._usual, self._none):
            dpg.configure_item(item, show=found.action is not None)
        dpg.configure_item(self._add, label="Beside those it has: yes" if found.adds else "Beside those it has: no")
        dpg.configure_item(self._take, show=found.wanted is not None)
        for name, button in self._buttons.items():
            shown = self.keys.shown(name) or "–"
            dpg.configure_item(button, label="press keys…" if name == found.action else shown)
        for name, items in self.menus.items():
            for item in items:
                dpg.configure_item(item, shortcut=self.keys.shown(name))
