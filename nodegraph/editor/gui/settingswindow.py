"""The window of the settings: a picture of what stands in ``editor.json``."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import DIM, px
from nodegraph.editor.gui.menus import within
from nodegraph.editor.gui.panel import place_of
from nodegraph.editor.settings import SIZES
from nodegraph.editor.themes import THEMES

SCREEN: Final = "as the screen asks"
THEME_WORDS: Final = {"neon": "neon on black", "light": "light, of high contrast"}


class SettingsWindow:
    """One window, shown and hidden by the action ``settings``."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self._window: int | str | None = None
        self._fields: dict[str, int | str] = {}
        self._size = 0.0

    def toggle(self) -> None:
        """Show it, or take it away."""
        if self._window is None:
            self._show()
        else:
            self.close()

    def close(self) -> None:
        """Take it away."""
        if self._window is not None:
            dpg.delete_item(self._window)
            self._window = None
            self._fields.clear()

    def _show(self) -> None:
        self._size = self.editing.choices.size
        with dpg.window(
            label="Settings", no_collapse=True, no_saved_settings=True, on_close=lambda *_: self.close()
        ) as self._window:  # fmt: skip
            within(self._window, 460, 330)
            self._combo("theme", "theme", [THEME_WORDS.get(name, name) for name in THEMES])
            self._combo("size", "size of everything", [SCREEN, *(_percent(size) for size in SIZES)])
            self._box("reduced_motion", "nothing glides: boxes and views are where they belong at once")
            self._box("grid", "boxes that are moved by hand snap to the grid")
            dpg.add_spacer(height=px(4))
            path = self.editing.settings.path
            dpg.add_text(
                "Which panels are open, how wide they are and how large the window is, is kept when you close it. "
                "Unsaved edits are kept by the engine as they are made." + (f"\n{path}" if path else ""),
                color=DIM, wrap=0,
            )  # fmt: skip
            with dpg.group(horizontal=True):
                self._fields["close settings"] = dpg.add_button(label="Close", callback=lambda *_: self.close())
                dpg.add_text("Ctrl+Comma", color=DIM)

    def _combo(self, key: str, words: str, items: list[str]) -> None:
        dpg.add_text(words)
        self._fields[key] = dpg.add_combo(items, width=-1, user_data=key, callback=self._chosen)

    def _box(self, key: str, words: str) -> None:
        with dpg.group(horizontal=True):
            self._fields[key] = dpg.add_checkbox(user_data=key, callback=self._chosen)
            dpg.add_text(words, wrap=0)

    def _chosen(self, _sender: object, value: Any, key: str) -> None:
        if key == "theme":
            value = next(name for name in THEMES if THEME_WORDS.get(name, name) == value)
        elif key == "size":
            value = next((size for size in SIZES if _percent(size) == value), None)
        self.editing.choices.decide(**{key: value})

    def turn(self) -> None:
        """Show what holds, however it was decided."""
        if self._window is None:
            return
        if self._size != self.editing.choices.size:
            self.close()
            self._show()
        settings = self.editing.settings
        size = settings["size"]
        told = {
            "theme": THEME_WORDS.get(settings.theme, settings.theme),
            "size": SCREEN if size is None else _percent(size),
            "reduced_motion": settings["reduced_motion"], "grid": settings["grid"],
        }  # fmt: skip
        for key, value in told.items():
            if dpg.get_value(self._fields[key]) != value:
                dpg.set_value(self._fields[key], value)

    def places(self) -> dict[str, list[float]]:
        """Where its fields are, for tests."""
        return {f"setting {key}": place_of(field) for key, field in self._fields.items()}


def _percent(size: float) -> str:
    return f"{size * 100:.0f} %"
