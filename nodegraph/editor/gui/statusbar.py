"""The line at the bottom: whether and how it plays, how loud, and what was said last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.figures import FLOOR_DB
from nodegraph.editor.gui.looks import AMBER, CYAN, DIM, GREEN, GREY, LOOKS, MAGENTA, TEXT, Colour, px, see_through
from nodegraph.editor.gui.panel import place_of

HEIGHT: Final = 30
BAR: Final = 54
ROW: Final = 20
METERS: Final = {"inputs": "in", "outputs": "out"}
METER: Final = 6
"""The width of a channel's meter."""
MOST_METERS: Final = 16
HIGH_DB: Final = -1.0
REST_S: Final = 0.5
"""So often it is drawn while something plays that makes no sound: only then can it see that there is some."""
HOT: Final = 0.7
"""A load from which it is said that it is high."""


class StatusBar:
    """One line. `turn` keeps it true."""

    def __init__(self, editing: Editing, lanes: Callable[[], Any]) -> None:
        """`lanes` shows more about what went wrong."""
        self.editing = editing
        self.rest_s: float | None = None
        """So long a frame may be put off; None: for ever."""
        self._looks: dict[str, Any] = {}
        self.window = dpg.add_window(
            no_title_bar=True, no_resize=True, no_move=True, no_scrollbar=True, no_saved_settings=True, min_size=(1, 1),
            no_scroll_with_mouse=True,
        )  # fmt: skip
        with dpg.group(horizontal=True, parent=self.window):
            self._play = dpg.add_button(
                label="Play", width=px(52), callback=lambda *_: editing.actions["play"]()
            )  # fmt: skip
            self._device = dpg.add_text("")
            self._about = self._tip(self._device)
            self._cpu = dpg.add_drawlist(px(BAR), px(ROW))
            self._load = dpg.add_text("", color=DIM)
            self._tip(self._load, "the share of one processor core that the sound takes")
            self._xruns = dpg.add_button(label="", show=False, callback=lambda *_: lanes())
            self._tip(self._xruns, "blocks of sound that came too late for the device; click for more")
            self._latency = dpg.add_text("", color=DIM)
            self._made_of = self._tip(self._latency)
            self._clock = dpg.add_text("", color=CYAN)
            self._tip(self._clock, "tempo, and bar:beat")
            self._words: dict[str, int | str] = {}
            self._loud: dict[str, int | str] = {}
            self._meters: dict[str, int | str] = {}
            for name, word in METERS.items():
                self._words[name] = dpg.add_text(word, color=DIM, show=False)
                self._loud[name] = self._tip(self._words[name])
                self._meters[name] = dpg.add_drawlist(1, px(ROW), show=False)
            self._line = dpg.add_text("")
            self._whole = self._tip(self._line)
        with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
            dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 8, 4)
            dpg.add_theme_style(dpg.mvStyleVar_ItemSpacing, 10, 2)
            dpg.add_theme_style(dpg.mvStyleVar_WindowRounding, 0)
        dpg.bind_item_theme(self.window, theme)

    @staticmethod
    def _tip(item: int | str, words: str = "") -> int | str:
        with dpg.tooltip(item):
            return dpg.add_text(words, wrap=px(460))  # type: ignore[no-any-return]

    def fit(self, width: int, height: int) -> None:
        """Take its place at the bottom of a window."""
        dpg.configure_item(self.window, pos=(0, height - px(HEIGHT)), width=width, height=px(HEIGHT))

    def places(self) -> dict[str, list[float]]:
        """Where what can be clicked is in the window, by name, for tests."""
        return {name: place_of(item) for name, item in (
            ("status play", self._play), ("status xruns", self._xruns), ("status device", self._device),
        )}  # fmt: skip

    def told(self) -> dict[str, Any]:
        """What it shows, for tests."""
        return {key: value for key, value in self._looks.items() if isinstance(value, (str, bool))}

    # -- between two frames

    def _other(self, name: str, look: Any) -> bool:
        if self._looks.get(name) == look:
            return False
        self._looks[name] = look
        return True

    def turn(self) -> bool:
        """Show what is so now. Whether a meter moves."""
        editing, figures = self.editing, self.editing.figures
        playing = figures.playing
        self.rest_s = REST_S if playing else None
        if self._other("playing", playing):
            dpg.configure_item(self._play, label="Stop" if playing else "Play")
        unheard = bool(figures.unheard())
        device = ("! " if unheard else "") + (figures.device() if playing or not editing.link.up else "stopped")
        if self._other("device", device):
            dpg.set_value(self._device, device)
            dpg.configure_item(self._device, color=AMBER if unheard else TEXT if playing else DIM)
        if self._other("about device", figures.about_device()):
            dpg.set_value(self._about, figures.about_device())
        self._show_load(figures.cpu())
        lost = figures.lost() if playing else 0
        if self._other("xruns", f"{'! ' if lost else ''}{lost} xrun{'' if lost == 1 else 's'}" if playing else ""):
            dpg.configure_item(self._xruns, label=self._looks["xruns"], show=playing)
        if self._other("latency", figures.latency() if playing else ""):
            dpg.set_value(self._latency, self._looks["latency"])
        if self._other("about latency", figures.about_latency()):
            dpg.set_value(self._made_of, figures.about_latency())
        if self._other("clock", figures.clock()):
            dpg.set_value(self._clock, figures.clock())
        self._show_meters()
        self._show_line()
        return playing and figures.sounding

    def _show_load(self, load: float | None) -> None:
        words = "" if load is None else f"{100 * load:.0f} %{' high' if load > HOT else ''}"
        if self._other("load", words):
            dpg.set_value(self._load, words)
            dpg.configure_item(self._cpu, show=load is not None)
        if load is not None and self._other("bar", (round(px(BAR) * min(1.0, load)), LOOKS.version)):
            dpg.configure_item(self._cpu, width=px(BAR), height=px(ROW))
            dpg.delete_item(self._cpu, children_only=True)
            colour = AMBER if load > HOT else GREEN
            top, bottom = px(4), px(ROW - 4)
            _slot(self._cpu, 0, top, px(BAR), bottom)
            dpg.draw_rectangle(
                (0, top), (max(1.0, px(BAR) * min(1.0, load)), bottom), fill=see_through(colour, 200),
                color=(0, 0, 0, 0), rounding=px(2), parent=self._cpu,
            )  # fmt: skip

    def _show_meters(self) -> None:
        figures = self.editing.figures
        for name, word in METERS.items():
            levels = figures.levels(name)[:MOST_METERS] if figures.playing else []
            if not self._other(name, ([round(level) for level in levels], LOOKS.version)):
                continue
            at = self._meters[name]
            dpg.configure_item(self._words[name], show=bool(levels))
            dpg.configure_item(at, show=bool(levels), width=max(1, px(METER + 2) * len(levels)), height=px(ROW))
            dpg.delete_item(at, children_only=True)
            for number, level in enumerate(levels):
                _meter(at, 1 + number * px(METER + 2), level)
            loud = "\n".join(f"{word} {number}: {level:.0f} dB" for number, level in enumerate(levels, 1))
            self._looks[f"{word} loud"] = loud
            dpg.set_value(self._loud[name], loud)

    def _show_line(self) -> None:
        editing = self.editing
        if not self._other("said", editing.spoken.version):
            return
        last = editing.spoken.lines[-1] if editing.spoken.lines else None
        who = f"{last.node}: " if last is not None and last.node else ""
        words = "" if last is None else " ".join(f"{who}{last.text}".split())
        if last is not None and last.count > 1:
            words = f"{words}  ({last.count} times)"
        fault = last is not None and last.fault
        self._looks["line"] = words
        dpg.set_value(self._line, ("! " if fault else "") + words)
        dpg.configure_item(self._line, color=AMBER if fault else DIM)
        dpg.set_value(self._whole, words)


def _slot(at: int | str, left: float, top: float, right: float, bottom: float) -> None:
    """The place in which a bar stands."""
    dpg.draw_rectangle(
        (left, top), (right, bottom), fill=see_through(GREY, 40), color=see_through(GREY, 90), rounding=px(2), parent=at
    )


def _meter(at: int | str, x: float, level: float) -> None:
    """One channel: from -60 dB to full scale; at full scale it is another colour, and wider."""
    wide, foot = px(METER), px(ROW) - 1
    _slot(at, x, 1, x + wide, foot)
    full = (level - FLOOR_DB) / -FLOOR_DB
    if full <= 0.0:
        return
    high = level > HIGH_DB
    colour: Colour = MAGENTA if high else GREEN
    more = 1 if high else 0
    dpg.draw_rectangle(
        (x - more, foot - (foot - 1) * min(1.0, full)), (x + wide + more, foot), fill=see_through(colour, 220),
        color=(0, 0, 0, 0), parent=at,
    )  # fmt: skip
