"""Closing the window: what is not saved is asked about first, if the engine ends with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.engine import Engine
from nodegraph.editor.gui.menus import within


class Closing:
    """The end of one window."""

    def __init__(self, editing: Editing, engine: Engine | None, end: Callable[[], None]) -> None:
        """`engine` is the one that ends with the window; `end` has the loop come to its end."""
        self.editing, self.engine = editing, engine
        self._ended = end
        self._window: int | str | None = None

    @property
    def asking(self) -> bool:
        """Whether the question stands."""
        return self._window is not None

    def quit(self) -> None:
        """Close the window."""
        editing = self.editing
        if editing.sheets.unsaved and self.engine is not None and editing.link.up:
            self._ask()
        else:
            self._end()

    def _ask(self) -> None:
        if self._window is not None:
            return
        with dpg.window(
            label="Unsaved changes", modal=True, no_resize=True, no_saved_settings=True,
            on_close=lambda *_: self._stay(),
        ) as self._window:  # fmt: skip
            dpg.add_text(f"{self.editing.sheets.open[0].mirror.title} has changes that are not saved.", wrap=0)
            with dpg.group(horizontal=True):
                dpg.add_button(label="Save", callback=lambda *_: self._save_and_end())
                dpg.add_button(label="Leave them unsaved", callback=lambda *_: self._end())
                dpg.add_button(label="Go on", callback=lambda *_: self._stay())
        within(self._window, 430, 110)

    def _stay(self) -> None:
        if self._window is not None:
            dpg.delete_item(self._window)
            self._window = None

    def _save_and_end(self) -> None:
        def saved(answer: Any) -> None:
            if "error" in answer:
                self.editing.tell_problems(answer)
                self._stay()
            else:
                self._end()

        self.editing.link.ask("save", saved)

    def _end(self) -> None:
        if self.engine is not None:
            self.engine.end()
        self._ended()
