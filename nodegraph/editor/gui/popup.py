"""A menu that opens where the mouse is: what can be done with what is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.context import Entry
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import px
from nodegraph.editor.gui.panel import place_of

WRAP: Final = 420


@dataclass
class _Open:
    window: int | str
    items: dict[str, int | str]
    frames: int = 0


class Popup:
    """At most one menu."""

    def __init__(self) -> None:
        self._open: _Open | None = None

    @property
    def shown(self) -> bool:
        """Whether one is open."""
        return self._open is not None

    def open(self, entries: Sequence[Entry], x: float, y: float) -> None:
        """Open one at a place in the window, instead of what was open."""
        self.close()
        if not entries:
            return
        items: dict[str, int | str] = {}
        wide = max(len(entry.words) for entry in entries if entry.do is not None)
        with dpg.window(
            popup=True, no_title_bar=True, no_resize=True, no_move=True, no_saved_settings=True, autosize=True,
            pos=(int(x), int(y)), max_size=(px(560), px(700)),
        ) as window:  # fmt: skip
            for entry in entries:
                line = _line(entry, wide)
                if not entry.words:
                    dpg.add_separator()
                elif entry.do is None or not entry.enabled:
                    dpg.add_text(line, wrap=px(WRAP), color=looks.CYAN if entry.title else looks.DIM)
                else:
                    items[entry.words] = dpg.add_selectable(label=line, user_data=entry.do, callback=self._chosen)
        self._open = _Open(window, items)

    def turn(self) -> None:
        """One that was left by a click elsewhere is gone."""
        if self._open is not None:
            self._open.frames += 1
            if self._open.frames > 2 and not dpg.is_item_shown(self._open.window):
                self.close()

    def close(self) -> None:
        """Take it away."""
        if self._open is not None:
            dpg.delete_item(self._open.window)
            self._open = None

    def places(self) -> dict[str, list[float]]:
        """Where its entries are in the window, by their words."""
        items = {} if self._open is None else self._open.items
        return {f"menu {name}": place_of(item) for name, item in items.items()}

    def _chosen(self, _sender: object, _value: object, do: Callable[[], object]) -> None:
        self.close()
        do()


def _line(entry: Entry, wide: int) -> str:
    """An entry's words and keys, in columns: the font has one width for all."""
    if entry.do is None:
        return entry.words
    mark = "  " if entry.on is None else "x " if entry.on else "- "
    return f"{mark}{entry.words:<{wide}}  {entry.keys}".rstrip()
