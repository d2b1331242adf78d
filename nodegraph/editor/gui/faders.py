"""A control as it is drawn: a bar as far as it stands on its way, its name and its value in it; a switch as a lamp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.faders import Fader
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import Colour, px, see_through
from nodegraph.editor.texts import cut

NAME: Final = 12.0
"""The height of the words in it."""
SMALLEST: Final = 4
"""Smaller words are not drawn: nobody reads them."""
STORED: Final = 90
USUAL: Final = 55
WAITING: Final = 45
"""Of 255: how much of its colour a bar has, so that the words over it can be read: one with a value of its own, one
without, and one that waits for a knob.
"""
NOTHING: Final = (0, 0, 0, 0)


def draw_fader(
    at: int | str, fader: Fader, corners: Sequence[float], character: float, zoom: float = 1.0, below: str = ""
) -> None:
    """Draw one into a rectangle: left, top, right, bottom. `below` is a line of small words under its name; with it the
    value is not drawn, for it stands beside.
    """
    left, top, right, bottom = corners
    colour = colour_of(fader)
    dpg.draw_rectangle(
        (left, top), (right, bottom), rounding=4 * zoom, fill=looks.FIELD, parent=at, thickness=px(1.2),
        color=looks.WHITE if fader.held else looks.AMBER if fader.waits else NOTHING,
    )  # fmt: skip
    if fader.part is not None:
        end = left + fader.part * (right - left)
        if end - left > 1.0:
            fill = see_through(colour, WAITING if fader.waits else STORED if fader.stored else USUAL)
            dpg.draw_rectangle((left, top), (end, bottom), rounding=4 * zoom, fill=fill, color=NOTHING, parent=at)
        dpg.draw_line(
            (end, top), (end, bottom), color=see_through(colour, 170), thickness=max(float(px(1)), 2 * zoom), parent=at
        )
        if fader.moved is not None:
            low, high = (left + part * (right - left) for part in fader.moved)
            dpg.draw_rectangle(
                (low - zoom, bottom - 6 * zoom), (high + zoom, bottom), rounding=2 * zoom, fill=colour,
                color=NOTHING, parent=at,
            )  # fmt: skip
    else:
        size = min(bottom - top, 16 * zoom) * 0.55
        x, y = right - 1.4 * size, (top + bottom) / 2
        fill = colour if fader.on else NOTHING
        dpg.draw_circle((x, y), size / 2 + zoom, color=colour, fill=fill, thickness=px(1.4), parent=at)
    if NAME * zoom < px(SMALLEST):
        return
    size = NAME * zoom
    y = top + 2 * zoom if below else (top + bottom - size) / 2 - 0.5 * zoom
    room = int((right - left - 12 * zoom) / (character * size))
    value = "" if below else fader.value
    mark = "*" if fader.waits else "~" if fader.driven else ""
    name = cut(mark + fader.name, room - (len(value) + 1 if fader.part is not None and value else 3))
    dpg.draw_text((left + 6 * zoom, y), name, size=size, color=looks.TEXT, parent=at)
    if value and fader.part is not None:
        x = right - 6 * zoom - character * size * len(value)
        dpg.draw_text((x, y), value, size=size, color=looks.TEXT, parent=at)
    if below:
        small = size * 0.92
        words = cut(below, int((right - left - 12 * zoom) / (character * small)))
        words_at = (left + 6 * zoom, bottom - small - 4 * zoom)
        dpg.draw_text(words_at, words, size=small, color=looks.AMBER if fader.waits else looks.TEXT, parent=at)


def colour_of(fader: Fader) -> Colour:
    """A control that a cable drives has the cable's colour."""
    return {"signal": looks.CYAN, "event": looks.GREEN}.get(fader.driven, looks.BLUE)
