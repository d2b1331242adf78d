"""What was said: by the engine, by nodes, by this editor. A click on a line shows who spoke."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, CYAN, DIM, TEXT, see_through
from nodegraph.editor.gui.panel import Panel, place_of
from nodegraph.editor.spoken import Line
from nodegraph.editor.texts import cut

EVERYBODY: Final = "everybody"
FAULT: Final = "!"
ROOM: Final = 16
"""So many lines are made between two frames; making one takes about half a millisecond."""
NODE: Final = 18
"""Characters of a node's name that are shown."""


@dataclass
class Row:
    """The items of one line."""

    line: Line
    group: int | str
    said: int | str
    count: int
    shown: bool = True


class LogPanel(Panel):
    """The lines, the newest below; what is said again is counted."""

    name, title, side = "log", "Log", "bottom"

    def __init__(self, editing: Editing, parent: int | str) -> None:
        super().__init__(editing, parent)
        self._rows: dict[int, Row] = {}
        self._seen = self._begun = -1
        self._nodes: list[str] = []
        self._clicks: dict[str, int | str] = {}
        self._node, self._words = "", ""
        self._faults_only = False
        with dpg.group(horizontal=True, parent=parent):
            self._find = dpg.add_input_text(hint="find", width=220, callback=self._filtered)
            self._who = dpg.add_combo([EVERYBODY], default_value=EVERYBODY, width=180, callback=self._filtered)
            self._only = dpg.add_checkbox(label="! faults only", callback=self._filtered)
            self._count = dpg.add_text("", color=DIM)
        self._lines = dpg.add_child_window(parent=parent, border=False)
        with dpg.theme() as self._flat, dpg.theme_component(dpg.mvAll):
            dpg.add_theme_style(dpg.mvStyleVar_ItemSpacing, 8, 1)
        dpg.bind_item_theme(self._lines, self._flat)
        with dpg.theme() as self._plain, dpg.theme_component(dpg.mvButton):
            dpg.add_theme_color(dpg.mvThemeCol_Button, (0, 0, 0, 0))
            dpg.add_theme_color(dpg.mvThemeCol_Text, CYAN)
            dpg.add_theme_color(dpg.mvThemeCol_ButtonHovered, see_through(CYAN, 50))
            dpg.add_theme_style(dpg.mvStyleVar_FramePadding, 2, 0)

    @property
    def typing(self) -> bool:
        return bool(dpg.is_item_active(self._find))

    def places(self) -> dict[str, list[float]]:
        found = {"log find": place_of(self._find), "log who": place_of(self._who), "log only": place_of(self._only)}
        for row in self._rows.values():
            if row.shown and row.line.node:
                found[f"log {row.line.node}"] = place_of(row.said)
        return found

    def told(self) -> list[str]:
        """The lines that are shown, for tests."""
        return [dpg.get_value(row.said) for row in self._rows.values() if row.shown]

    # -- between two frames

    def turn(self) -> bool:
        spoken = self.editing.spoken
        if self._seen == spoken.version and self._begun == spoken.begun:
            return False
        if self._begun != spoken.begun:
            self._begun = spoken.begun
            dpg.delete_item(self._lines, children_only=True)
            self._rows.clear()
        below = dpg.get_y_scroll(self._lines) >= dpg.get_y_scroll_max(self._lines) - 4.0
        self._forget(spoken.lines[0].number if spoken.lines else 0)
        newest = next(reversed(self._rows), 0)
        room = ROOM
        for line in spoken.lines:
            row = self._rows.get(line.number)
            if row is None and line.number > newest and room:
                room -= 1
                self._add(line)
            elif row is not None and row.count != line.count:
                row.count = line.count
                dpg.set_value(row.said, _said(line))
        if spoken.nodes != self._nodes:
            self._nodes = spoken.nodes
            dpg.configure_item(self._who, items=[EVERYBODY, *self._nodes])
        self._counted()
        if below:  # who reads further up is not pulled away
            dpg.set_y_scroll(self._lines, -1.0)
        if room:
            self._seen = spoken.version
        return not room

    def _forget(self, oldest: int) -> None:
        for number in list(self._rows):
            if number >= oldest:
                return
            dpg.delete_item(self._rows.pop(number).group)

    def _add(self, line: Line) -> None:
        shown = self._fits(line)
        with dpg.group(horizontal=True, parent=self._lines, show=shown) as group:
            told = time.strftime("%H:%M:%S", time.localtime(line.at))
            dpg.add_text(f"{FAULT if line.fault else ' '} {told}", color=AMBER if line.fault else DIM)
            if line.node:
                who = cut(line.node, NODE, left=True)
                button = dpg.add_button(label=who, small=True, user_data=line.node, callback=self._reveal)
                dpg.bind_item_theme(button, self._plain)
            said = dpg.add_text(_said(line), color=AMBER if line.fault else TEXT, wrap=0)
        if line.node:
            dpg.bind_item_handler_registry(said, self._clicks_on(line.node))
        self._rows[line.number] = Row(line, group, said, line.count, shown)

    def _clicks_on(self, node: str) -> int | str:
        """What hears clicks on the lines of a node."""
        found = self._clicks.get(node)
        if found is None:
            with dpg.item_handler_registry() as found:
                dpg.add_item_clicked_handler(0, user_data=node, callback=self._reveal)
            self._clicks[node] = found
        return found

    def _fits(self, line: Line) -> bool:
        return line.fits(self._words, self._node) and (line.fault or not self._faults_only)

    def _counted(self) -> None:
        shown, faults = sum(row.shown for row in self._rows.values()), self.editing.spoken.faults
        words = f"{shown} of {len(self._rows)} lines" if shown < len(self._rows) else f"{shown} lines"
        dpg.set_value(self._count, f"{words}, {faults} of faults" if faults else words)

    # -- what the hand does

    def _filtered(self, *_: Any) -> None:
        who = dpg.get_value(self._who)
        self._node = "" if who == EVERYBODY else who
        self._words = dpg.get_value(self._find).strip()
        self._faults_only = dpg.get_value(self._only)
        for row in self._rows.values():
            shown = self._fits(row.line)
            if shown != row.shown:
                row.shown = shown
                dpg.configure_item(row.group, show=shown)
        self._counted()
        dpg.set_y_scroll(self._lines, -1.0)

    def _reveal(self, _sender: object, _data: object, node: str) -> None:
        if not self.editing.spoken.reveal(node):
            self.editing.say(f"{node} is not in the patch any more.")


def _said(line: Line) -> str:
    return f"{line.text}  ({line.count} times)" if line.count > 1 else line.text
