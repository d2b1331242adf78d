"""What can be brought into the patch, at the left: nodes, patches, sounds, models; and all about the one chosen."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.browsing import SECTIONS, Row
from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import CYAN, DIM
from nodegraph.editor.gui.panel import Panel, place_of
from nodegraph.editor.gui.panels.browserdetails import Details

DETAILS: Final = 330
"""How high all about the chosen line is."""
NAME: Final = 15
BEGIN: Final = 30
"""Points from the left of a line, which may be cut off at the right."""
SOON: Final = 2
"""Frames until a field that has just been made takes the keyboard."""


class Browser(Panel):
    """A field to search, what is found by section, and below it what is chosen."""

    name, title, side = "browser", "Browser", "left"

    def __init__(self, editing: Editing, parent: int | str) -> None:
        super().__init__(editing, parent)
        self.browsing = editing.browsing
        self._look: Any = None
        self._rows: list[Row] = []
        self._lines: dict[str, int | str] = {}
        self._headings: dict[str, int | str] = {}
        self._open: dict[str, bool] = {}
        self._had = False
        self._settle = 0
        self._focus = 0
        self._shown: str | None = None
        self._reveal: str | None = None
        with dpg.item_handler_registry() as self._hand:
            dpg.add_item_activated_handler(callback=self._taken)
            dpg.add_item_double_clicked_handler(dpg.mvMouseButton_Left, callback=self._twice)
        with dpg.group(horizontal=True, parent=parent):
            self._field = dpg.add_input_text(
                hint="what do you look for?", width=-74, callback=lambda _, text, __: self.browsing.find(text)
            )
            self._again = dpg.add_button(label="Refresh", callback=lambda *_: self.browsing.refresh())
        self._list = dpg.add_child_window(parent=parent, border=False, height=-1)
        body = dpg.add_child_window(parent=parent, border=True, height=-1, show=False)
        self.details = Details(editing, body)
        self._body = body

    @property
    def typing(self) -> bool:
        """Whether the search has the keyboard, or had it until this frame: Enter takes it away."""
        return self._had or bool(dpg.is_item_active(self._field))

    def hidden(self) -> None:
        self._had = False
        self.browsing.carried = None

    def asked(self) -> bool:
        """The search takes the keyboard when the panel comes; asked for once more, it goes."""
        self._focus = SOON
        return False

    def key(self, key: str, chord: str) -> bool:
        """The arrows choose, Enter makes the node, Ctrl+Enter does what else there is to do."""
        if not self.typing:
            return False
        if key in ("up", "down"):
            self.browsing.step(-1 if key == "up" else 1)
            self._reveal = self.browsing.chosen.key if self.browsing.chosen is not None else None
        elif chord == "enter":
            self.browsing.add()
            self._focus = SOON
        elif chord == "ctrl+enter":
            self.browsing.act()
            self._focus = SOON
        else:
            return False
        return True

    def places(self) -> dict[str, list[float]]:
        found = {"search": place_of(self._field), "refresh": place_of(self._again)}
        for key, item in (*self._headings.items(), *self._lines.items()):
            if dpg.is_item_visible(item):
                found[f"browser {key}"] = [dpg.get_item_rect_min(item)[0] + BEGIN, place_of(item)[1]]
        return found | {f"browser {name}": place_of(item) for name, item in self.details.buttons.items()}

    def turn(self) -> bool:
        self._had = bool(dpg.is_item_active(self._field))
        self.browsing.want()
        if not self._had:
            self.browsing.find(dpg.get_value(self._field))  # Escape puts back what stood there
        if self._focus:
            self._focus -= 1
            if not self._focus:
                dpg.focus_item(self._field)
        rows = self.browsing.rows
        if rows is not self._rows:
            self._rows = rows
            look = [(row.key, row.words) for row in rows], bool(self.browsing.search), self.browsing.whole
            if look != self._look:
                self._look = look
                self._show(rows)
            else:
                self._renew(rows)
        self._mark()
        self.details.turn()
        return self._focus > 0 or self._reveal is not None

    # -- the list

    def _show(self, rows: list[Row]) -> None:
        for key, heading in self._headings.items():
            self._open[key] = bool(dpg.get_value(heading))
        dpg.delete_item(self._list, children_only=True)
        self._lines.clear()
        self._headings.clear()
        self._shown = None
        searching = bool(self.browsing.search)
        for section in SECTIONS:
            here = [row for row in rows if row.section == section]
            if searching and not here:
                continue
            opened = searching or self._open.get(section, section != "Models")
            heading = dpg.add_collapsing_header(
                label=f"{section} ({len(here)})###{section}", parent=self._list, default_open=opened
            )
            if not searching:
                self._headings[section] = heading
            self._groups(section, here, heading, searching)
        if not self.browsing.whole:
            dpg.add_text("There are more files than are listed.", parent=self._list, color=DIM, wrap=0)

    def _groups(self, section: str, rows: list[Row], heading: int | str, searching: bool) -> None:
        if not rows:
            text = "There are none beside the patch, nor in the media folders."
            dpg.add_text(text, parent=heading, color=DIM, wrap=0)
        for group, inside in groupby(rows, key=lambda row: row.group):
            at, key = heading, f"{section}/{group}"
            found = list(inside)
            if group and not (searching and section == "Nodes"):
                opened = searching or self._open.get(key, section != "Nodes")
                at = dpg.add_tree_node(label=f"{group} ({len(found)})###{key}", parent=heading, default_open=opened)
                if not searching:
                    self._headings[key] = at
            for row in found:
                self._line(row, at)

    def _line(self, row: Row, at: int | str) -> None:
        line = dpg.add_selectable(label=f"{row.name:<{NAME}} {row.words}###{row.key}", parent=at, user_data=row)
        dpg.bind_item_handler_registry(line, self._hand)
        with dpg.drag_payload(parent=line, drag_data=row.key, payload_type="browser"):
            dpg.add_text(row.name, color=CYAN)
        self._lines[row.key] = line

    def _renew(self, rows: list[Row]) -> None:
        """The lines look as they did, and stand for what is known now."""
        for row in rows:
            dpg.set_item_user_data(self._lines[row.key], row)

    def _mark(self) -> None:
        """The chosen line is marked, and seen when the keys have chosen it."""
        chosen = None if self.browsing.chosen is None else self.browsing.chosen.key
        for key in {self._shown, chosen}:
            if key in self._lines:
                dpg.set_value(self._lines[key], key == chosen)
        if chosen != self._shown:
            if self._shown is None:  # the list becomes shorter: what was clicked stays in sight
                self._reveal, self._settle = chosen, SOON
            self._shown = chosen
            dpg.configure_item(self._list, height=-DETAILS if chosen is not None else -1)
            dpg.configure_item(self._body, show=chosen is not None)
        if self._settle:
            self._settle -= 1
            return
        key, self._reveal = self._reveal, None
        if key in self._lines:
            heading = dpg.get_item_parent(self._lines[key])
            while heading is not None and heading != self._list:
                if not dpg.get_value(heading):
                    dpg.set_value(heading, True)
                    self._reveal = key  # it has a place when it was drawn
                heading = dpg.get_item_parent(heading)
            if self._reveal is None:
                self._scroll_to(self._lines[key])

    def _scroll_to(self, line: int | str) -> None:
        top, height = dpg.get_item_rect_max(self._field)[1], dpg.get_item_rect_size(self._list)[1]
        at = dpg.get_item_rect_min(line)[1] - top
        if not 0 <= at <= height - 24:
            dpg.set_y_scroll(self._list, max(0.0, dpg.get_y_scroll(self._list) + at - height / 2))

    # -- what the hand does

    def _taken(self, _sender: object, line: Any, _data: object) -> None:
        row = dpg.get_item_user_data(line)
        if isinstance(row, Row):
            self.browsing.take(row)

    def _twice(self, _sender: object, clicked: Any, _data: object) -> None:
        row = dpg.get_item_user_data(clicked[1])
        if isinstance(row, Row):
            self.browsing.carried = None
            self.browsing.add(row)
