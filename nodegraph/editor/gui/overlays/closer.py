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
from nodegraph.editor.gui.looks import OF_KIND, Colour, see_through
from nodegraph.editor.gui.overlay import Overlay
from nodegraph.editor.seeing import Look
from nodegraph.editor.texts import cut

WIDTH: Final = 250.0
WAVE: Final = 62.0
SPECTRUM: Final = 70.0
STRIP: Final = 26.0
PADDING: Final = 9.0
SIZE: Final = 13.0
LINE: Final = 17.0
AWAY: Final = (18.0, 20.0)
"""How far from the mouse it opens."""
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
            taken.append((left, top, left + WIDTH, top + height))
            state = look.number, id(look), left, top, height, kept
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
        x, y = at[0] + AWAY[0], at[1] + AWAY[1]
        if x + WIDTH > wide - 4:
            x = at[0] - AWAY[0] - WIDTH
        if y + height > high - 4:
            y = at[1] - AWAY[1] - height
        x, y = max(4.0, x), max(4.0, y)
        for left, top, right, bottom in taken:
            if x < right and left < x + WIDTH and y < bottom and top < y + height:
                y = bottom + 6 if bottom + 6 + height <= high else max(4.0, top - 6 - height)
        return x, y

    def _pane(self, node: int | str, closeup: Closeup, left: float, top: float, height: float, kept: bool) -> None:
        colour = OF_KIND[CableKind(closeup.kind)]
        dpg.draw_rectangle(
            (left, top), (left + WIDTH, top + height), rounding=8, fill=looks.POPUP,
            color=looks.WHITE if kept else see_through(colour, 130), thickness=1.4 if kept else 1.0, parent=node,
        )  # fmt: skip
        x, y = left + PADDING, top + PADDING
        self._text(node, x, y, cut(closeup.name, 28 if kept else 34, left=True), colour)
        if kept:
            self._text(node, left + WIDTH - PADDING - 4 * SIZE * self.layers.character, y, "kept", looks.DIM)
        y += LINE
        for line in closeup.lines:
            self._text(node, x, y, cut(line, 34), looks.TEXT)
            y += LINE
        inner = WIDTH - 2 * PADDING
        y += 2
        if closeup.wave:
            self._wave(node, closeup.wave, x, y, inner, colour)
            y += WAVE + 6
        if closeup.spectrum:
            self._spectrum(node, closeup.spectrum, x, y, inner, colour)
        if closeup.strip:
            self._strip(node, closeup.strip, x, y, inner, colour)

    def _text(self, node: int | str, x: float, y: float, text: str, colour: Colour, size: float = SIZE) -> None:
        dpg.draw_text((x, y), text, size=size, color=colour, parent=node)

    @staticmethod
    def _wave(node: int | str, wave: tuple[float, ...], x: float, y: float, wide: float, colour: Colour) -> None:
        middle, half = y + WAVE / 2, WAVE / 2
        frame = see_through(looks.WHITE, 26)
        dpg.draw_rectangle((x, y), (x + wide, y + WAVE), color=frame, parent=node)
        dpg.draw_line((x, middle), (x + wide, middle), color=frame, parent=node)
        pitch = 2 * wide / len(wave)
        last = 0.0, 0.0
        for number in range(len(wave) // 2):
            low, high = wave[2 * number], wave[2 * number + 1]
            reach = (min(low, last[1]), max(high, last[0])) if number else (low, high)  # it joins the one before
            at, last = x + pitch * (number + 0.5), (low, high)
            above, below = middle - half * reach[1] - 0.7, middle - half * reach[0] + 0.7
            dpg.draw_line((at, above), (at, below), color=colour, thickness=pitch, parent=node)

    def _spectrum(
        self, node: int | str, spectrum: tuple[float, ...], x: float, y: float, wide: float, colour: Colour
    ) -> None:
        below, high = y + SPECTRUM, SPECTRUM - 12
        step = wide / len(spectrum)
        body, edge = see_through(colour, 70), see_through(colour, 230)
        points = []
        for number, value in enumerate(spectrum):
            at = x + step * (number + 0.5), below - 12 - high * value
            points.append(at)
            if value > 0.0:
                dpg.draw_line((at[0], below - 12), at, color=body, thickness=max(1.0, step - 0.8), parent=node)
        dpg.draw_polyline(points, color=edge, thickness=1.2, parent=node)
        for frequency, text in MARKS:
            at_x = x + wide * _place_of(frequency)
            dpg.draw_line((at_x, y), (at_x, below - 12), color=see_through(looks.WHITE, 26), parent=node)
            self._text(node, at_x + 2, below - 11, text, looks.DIM, 10.0)

    @staticmethod
    def _strip(node: int | str, strip: tuple[float, ...], x: float, y: float, wide: float, colour: Colour) -> None:
        step = wide / len(strip)
        for number, value in enumerate(strip):
            shade = [round(20 + (part - 20) * value) for part in colour[:3]]
            white = max(0.0, 2.0 * value - 1.2)
            fill = tuple(round(part + (255 - part) * white) for part in shade)
            dpg.draw_rectangle(
                (x + step * number, y), (x + step * (number + 1), y + STRIP), fill=(*fill, 255), color=(*fill, 255),
                parent=node,
            )  # fmt: skip


def _height(closeup: Closeup) -> float:
    """How high a pane for it is."""
    high = 2 * PADDING + LINE * (1 + len(closeup.lines))
    high += (WAVE + 6 if closeup.wave else 0.0) + (SPECTRUM if closeup.spectrum else 0.0)
    return high + (STRIP + 2 if closeup.strip else 0.0)


def _place_of(frequency: float) -> float:
    """How far to the right a frequency stands, from 0 to 1."""
    return log(frequency / LOWEST_HZ) / log(HIGHEST_HZ / LOWEST_HZ)
