"""A closer look at a cable or an outlet, in a small pane near the mouse: its name, how loud it is, its wave and its
spectrum; or the last message; or the values of a tensor.
"""

from __future__ import annotations

from math import log
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.core.ports import CableKind
from nodegraph.editor.closeup import HIGHEST_HZ, LOWEST_HZ, Closeup
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import LOOKS, OF_KIND, WRITTEN, Colour, px, see_through
from nodegraph.editor.gui.overlay import Overlay
from nodegraph.editor.seeing import Look
from nodegraph.editor.texts import cut
from nodegraph.editor.themes import mixed

WIDTH: Final = 250
WAVE: Final = 62
SPECTRUM: Final = 70
FOOT: Final = 12
"""So much of a spectrum's height is for the frequencies below it."""
STRIP: Final = 26
PADDING: Final = 9
SIZE: Final = 13
SMALL: Final = 10
LINE: Final = 17
AWAY: Final = (18, 20)
"""How far from the mouse it opens."""
EDGE: Final = 4
"""How near to the window's edges it comes."""
FRAME: Final = looks.see_through(looks.WHITE, 26)
KEPT: Final = "kept"
MARKS: Final = ((100.0, "100"), (1_000.0, "1k"), (10_000.0, "10k"))


class Closer(Overlay):
    """Draws a pane anew when other things are told of its outlet."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._drawn: dict[str, tuple[Any, int | str]] = {}

    def show(self) -> bool:
        found: dict[str, tuple[Look, Closeup]] = {}
        for look in self.editing.seeing.looks:
            closeup = look.closeup
            if closeup is not None:
                found[closeup.name] = look, closeup
        for name in self._drawn.keys() - found.keys():
            dpg.delete_item(self._drawn.pop(name)[1])
        taken: list[tuple[float, float, float, float]] = []
        for name, (look, closeup) in found.items():
            kept = look is self.editing.seeing.kept
            height = _height(closeup)
            left, top = self._place(look.at, height, taken)
            taken.append((left, top, left + px(WIDTH), top + height))
            state = look.number, id(look), left, top, height, kept, LOOKS.version
            drawn = self._drawn.get(name)
            if drawn is None or drawn[0] != state:
                if drawn is not None:
                    dpg.delete_item(drawn[1])
                node = dpg.add_draw_node(parent=self.layers.front)
                self._drawn[name] = state, node
                self._pane(node, closeup, left, top, height, kept)
        return bool(self.editing.seeing.looks)

    def _place(
        self, at: tuple[float, float], height: float, taken: list[tuple[float, float, float, float]]
    ) -> tuple[float, float]:
        """Beside the mouse, inside the canvas, and over no other pane."""
        wide, high = self.editing.size
        width, edge, gap = px(WIDTH), px(EDGE), px(6)
        x, y = at[0] + px(AWAY[0]), at[1] + px(AWAY[1])
        if x + width > wide - edge:
            x = at[0] - px(AWAY[0]) - width
        if y + height > high - edge:
            y = at[1] - px(AWAY[1]) - height
        x, y = max(float(edge), x), max(float(edge), y)
        for left, top, right, bottom in taken:
            if x < right and left < x + width and y < bottom and top < y + height:
                y = bottom + gap if bottom + gap + height <= high else max(float(edge), top - gap - height)
        return x, y

    def _pane(self, node: int | str, closeup: Closeup, left: float, top: float, height: float, kept: bool) -> None:
        kind = CableKind(closeup.kind)
        colour, width, padding = OF_KIND[kind], px(WIDTH), px(PADDING)
        dpg.draw_rectangle(
            (left, top), (left + width, top + height), rounding=px(8), fill=looks.POPUP, parent=node,
            color=looks.WHITE if kept else see_through(colour, 130), thickness=px(1.6 if kept else 1),
        )  # fmt: skip
        x, y, inner = left + padding, top + padding, float(width - 2 * padding)
        across = self.layers.across(inner, SIZE)
        name = cut(closeup.name, across - (len(KEPT) + 2 if kept else 0), left=True)
        self._text(node, x, y, name, WRITTEN[kind])
        if kept:
            right = left + width - padding
            self._text(node, right - len(KEPT) * px(SIZE) * self.layers.character, y, KEPT, looks.DIM)
        y += px(LINE)
        for line in closeup.lines:
            self._text(node, x, y, cut(line, across), looks.TEXT)
            y += px(LINE)
        y += px(2)
        if closeup.wave:
            _wave(node, closeup.wave, x, y, inner, colour)
            y += px(WAVE) + px(6)
        if closeup.spectrum:
            self._spectrum(node, closeup.spectrum, x, y, inner, colour)
        if closeup.strip:
            _strip(node, closeup.strip, x, y, inner, colour)

    def _text(self, node: int | str, x: float, y: float, text: str, colour: Colour, size: float = SIZE) -> None:
        dpg.draw_text((x, y), text, size=float(px(size)), color=colour, parent=node)

    def _spectrum(
        self, node: int | str, spectrum: tuple[float, ...], x: float, y: float, wide: float, colour: Colour
    ) -> None:
        foot, high = y + px(SPECTRUM) - px(FOOT), px(SPECTRUM) - px(FOOT)
        step = wide / len(spectrum)
        body, edge = see_through(colour, 70), see_through(colour, 230)
        points = []
        for number, value in enumerate(spectrum):
            at = x + step * (number + 0.5), foot - high * value
            points.append(at)
            if value > 0.0:
                dpg.draw_line((at[0], foot), at, color=body, thickness=max(1.0, step - px(1)), parent=node)
        dpg.draw_polyline(points, color=edge, thickness=px(1.2), parent=node)
        for frequency, text in MARKS:
            at_x = x + wide * _place_of(frequency)
            dpg.draw_line((at_x, y), (at_x, foot), color=FRAME, thickness=px(1), parent=node)
            self._text(node, at_x + px(2), foot + px(1), text, looks.DIM, SMALL)


def _wave(node: int | str, wave: tuple[float, ...], x: float, y: float, wide: float, colour: Colour) -> None:
    middle, half = y + px(WAVE) / 2, px(WAVE) / 2
    dpg.draw_rectangle((x, y), (x + wide, y + px(WAVE)), color=FRAME, thickness=px(1), parent=node)
    dpg.draw_line((x, middle), (x + wide, middle), color=FRAME, thickness=px(1), parent=node)
    pitch = 2 * wide / len(wave)
    thin = 0.7 * LOOKS.size
    last = 0.0, 0.0
    for number in range(len(wave) // 2):
        low, high = wave[2 * number], wave[2 * number + 1]
        reach = (min(low, last[1]), max(high, last[0])) if number else (low, high)  # it joins the one before
        at, last = x + pitch * (number + 0.5), (low, high)
        above, below = middle - half * reach[1] - thin, middle - half * reach[0] + thin
        dpg.draw_line((at, above), (at, below), color=colour, thickness=pitch, parent=node)


def _strip(node: int | str, strip: tuple[float, ...], x: float, y: float, wide: float, colour: Colour) -> None:
    step = wide / len(strip)
    for number, value in enumerate(strip):
        shade = mixed(looks.POPUP, colour, value)
        fill = mixed(shade, looks.WHITE, max(0.0, 2.0 * value - 1.2))
        dpg.draw_rectangle(
            (x + step * number, y), (x + step * (number + 1), y + px(STRIP)), fill=fill, color=fill, parent=node
        )


def _height(closeup: Closeup) -> float:
    """How high a pane for it is."""
    high = 2 * px(PADDING) + px(LINE) * (1 + len(closeup.lines))
    high += (px(WAVE) + px(6) if closeup.wave else 0) + (px(SPECTRUM) if closeup.spectrum else 0)
    return float(high + (px(STRIP) + px(2) if closeup.strip else 0))


def _place_of(frequency: float) -> float:
    """How far to the right a frequency stands, from 0 to 1."""
    return log(frequency / LOWEST_HZ) / log(HIGHEST_HZ / LOWEST_HZ)
