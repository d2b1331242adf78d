"""A menu that opens where the mouse is: what can be done with what is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.context import Entry
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import px
from nodegraph.editor.gui.panel import place_of

WRAP: Final = 420
HIGH: Final = 700
APART: Final = 3
"""Frames between two menus: one that is opened while another goes is closed along with that."""
STEPS: Final = {"down": 1, "up": -1}
ASIDE: Final = {"right": 1, "left": -1}
Do = Callable[[], object]


@dataclass
class _Open:
    window: int | str
    items: dict[str, int | str]
    """What can be chosen, by its words."""
    does: list[Do]
    aside: Callable[[int], None]
    at: int | None = None
    """Which one the keys are on."""
    frames: int = 0


class Popup:
    """At most one menu. While it is open the keys are its own: the arrows move, letters jump to what begins with them,
    Return chooses, Escape closes it.
    """

    def __init__(self) -> None:
        self._open: _Open | None = None
        self._next: Do | None = None
        """Shows the one that comes when another is gone."""
        self._wait = 0
        self._held: list[tuple[str, str]] = []
        """Keys that went down meanwhile: they are for the one that comes."""

    @property
    def on(self) -> str | None:
        """The words of what the keys are on."""
        found = self._open
        return None if found is None or found.at is None else list(found.items)[found.at]

    def open(
        self, entries: Sequence[Entry], x: float, y: float, *, by_keys: bool = False,
        aside: Callable[[int], None] = lambda by: None,
    ) -> None:  # fmt: skip
        """Open one at a place in the window, instead of what was open. `by_keys`: the keys are on the first line from
        the beginning. `aside` opens the menu to the right (1) or to the left (-1).
        """
        if not entries:
            self.close()
        elif self._open is None:
            self._show(entries, x, y, by_keys, aside)
        else:
            self.close()
            self._next, self._wait = partial(self._show, entries, x, y, by_keys, aside), APART

    def _show(
        self, entries: Sequence[Entry], x: float, y: float, by_keys: bool, aside: Callable[[int], None]
    ) -> None:  # fmt: skip
        items: dict[str, int | str] = {}
        does: list[Do] = []
        wide = max((len(entry.words) for entry in entries if entry.do is not None), default=0)
        with dpg.window(
            popup=True, no_title_bar=True, no_resize=True, no_move=True, no_saved_settings=True, autosize=True,
            pos=(int(x), int(y)), max_size=(px(560), px(HIGH)),
        ) as window:  # fmt: skip
            for entry in entries:
                line = _line(entry, wide)
                if not entry.words:
                    dpg.add_separator()
                elif entry.do is None or not entry.enabled:
                    dpg.add_text(line, wrap=px(WRAP), color=looks.CYAN if entry.title else looks.DIM)
                else:
                    items[entry.words] = dpg.add_selectable(label=line, user_data=entry.do, callback=self._chosen)
                    does.append(entry.do)
        self._open = _Open(window, items, does, aside)
        if by_keys:
            self._go(0)

    def turn(self) -> None:
        """One that was left by a click elsewhere is gone; one that waits for another to be gone comes."""
        if self._next is not None:
            self._wait -= 1
            if self._wait <= 0:
                show, self._next = self._next, None
                held, self._held = self._held, []
                show()
                for key, chord in held:
                    self.key(key, chord)
        elif self._open is not None:
            self._open.frames += 1
            if self._open.frames > 2 and not dpg.is_item_shown(self._open.window):
                self.close()

    def close(self) -> None:
        """Take it away."""
        self._next = None
        self._held.clear()
        if self._open is not None:
            dpg.delete_item(self._open.window)
            self._open = None

    def places(self) -> dict[str, list[float]]:
        """Where its entries are in the window, by their words."""
        items = {} if self._open is None else self._open.items
        return {f"menu {name}": place_of(item) for name, item in items.items()}

    def key(self, key: str, chord: str) -> bool:
        """A key goes down. True: it is the menu's, for one is open."""
        found = self._open
        if found is None:
            if self._next is not None:
                self._held.append((key, chord))
            return self._next is not None
        if chord == "escape":
            self.close()
        elif chord == "enter" and found.at is not None:
            self._chosen(None, None, found.does[found.at])
        elif chord in STEPS:
            before = (-1 if STEPS[chord] > 0 else 0) if found.at is None else found.at
            self._go(before + STEPS[chord])
        elif chord in ("home", "end"):
            self._go(0 if chord == "home" else -1)
        elif chord in ASIDE:
            found.aside(ASIDE[chord])
        elif len(key) == 1 and chord == key:
            self._jump(key)
        return True

    def _go(self, index: int) -> None:
        """Put the keys on a line; beyond the last comes the first."""
        found = self._open
        if found is None or not found.items:
            return
        items = list(found.items.values())
        found.at = index % len(items)
        for number, item in enumerate(items):
            dpg.set_value(item, number == found.at)
        below = dpg.get_item_pos(items[found.at])[1]
        dpg.set_y_scroll(found.window, max(0.0, below - px(HIGH) / 2))

    def _jump(self, letter: str) -> None:
        """To the next line that begins with a letter."""
        found = self._open
        assert found is not None
        words = list(found.items)
        start = 0 if found.at is None else found.at + 1
        for index in range(start, start + len(words)):
            if words[index % len(words)].casefold().startswith(letter):
                self._go(index)
                return

    def _chosen(self, _sender: object, _value: object, do: Do) -> None:
        self.close()
        do()


def _line(entry: Entry, wide: int) -> str:
    """An entry's words and keys, in columns: the font has one width for all."""
    if entry.do is None:
        return entry.words
    mark = "  " if entry.on is None else "x " if entry.on else "- "
    return f"{mark}{entry.words:<{wide}}  {entry.keys}".rstrip()
