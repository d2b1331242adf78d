"""What flows along the cables: a bright core that is as wide as the signal is loud, with dots that run along it while
it sounds; a flash where a message passes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise
from math import hypot
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.core.cable import Cable
from nodegraph.core.ports import CableKind
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import LOOKS, OF_KIND, Colour, px, see_through
from nodegraph.editor.gui.overlay import Overlay
from nodegraph.editor.scene import Point, curve
from nodegraph.editor.themes import mixed

SEGMENTS: Final = 16
STEPS: Final = 8
"""Levels are told apart so finely: a cable is drawn anew only when it is a step louder or quieter."""
FINE: Final = 0.6
"""Seen smaller than so, no dots run."""
PACE: Final = 70.0
"""Points of the patch that a dot runs in a second."""
APART: Final = 90.0
"""Points between two dots."""
MOST_DOTS: Final = 150


@dataclass
class Shown:
    """One cable that shines."""

    node: int | str
    core: int | str
    look: Any = None
    points: Any = ()
    length: float = 1.0
    dots: list[int | str] = field(default_factory=list)


class Levels(Overlay):
    """Draws only what is another than it was; dots are moved, not drawn anew."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._shown: dict[Cable, Shown] = {}

    def show(self) -> bool:
        editing = self.editing
        now = time.monotonic()
        moves = editing.seeing.turn(now)
        found: dict[Cable, tuple[int, tuple[Point, Point]]] = {}
        if moves and editing.seeing.on:
            for cable in editing.mirror.document.graph.cables:
                step = round(STEPS * editing.seeing.cable(cable))
                ends = editing.scene.ends(cable) if step > 0 else None
                if ends is not None and self._in_view(curve(*ends)):
                    found[cable] = step, ends
        for cable in self._shown.keys() - found.keys():
            dpg.delete_item(self._shown.pop(cable).node)
        left = MOST_DOTS
        for cable, (step, ends) in found.items():
            left -= self._draw(cable, ends, step, now, left)
        return moves

    def _draw(self, cable: Cable, ends: tuple[Point, Point], step: int, now: float, most: int) -> int:
        """Draw one cable; gives how many dots run along it."""
        zoom, kind = self.editing.viewport.zoom, self.editing.mirror.document.graph.cable_kind(cable)
        shown = self._shown.get(cable)
        if shown is None:
            node = dpg.add_draw_node(parent=self.layers.along)
            core = dpg.draw_bezier_cubic((0, 0), (0, 0), (0, 0), (0, 0), segments=SEGMENTS, parent=node)
            shown = self._shown[cable] = Shown(node, core)
        look = (ends, step, kind, zoom, LOOKS.version)
        if look != shown.look:
            shown.look = look
            shown.points = [(x * zoom, y * zoom) for x, y in curve(*ends)]
            shown.length = max(1.0, sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(shown.points)) / zoom)
            strength = step / STEPS
            a, b, c, d = shown.points
            dpg.configure_item(
                shown.core, p1=a, p2=b, p3=c, p4=d, color=_bright(OF_KIND[kind], strength),
                thickness=max(px(1), (0.6 + 4.2 * strength * strength) * zoom),
            )  # fmt: skip
        runs = kind is CableKind.SIGNAL and zoom >= FINE
        count = min(most, max(1, int(shown.length / APART))) if runs else 0
        while len(shown.dots) > count:
            dpg.delete_item(shown.dots.pop())
        while len(shown.dots) < count:
            shown.dots.append(dpg.draw_circle((0, 0), 1.0, fill=looks.WHITE, color=looks.WHITE, parent=shown.node))
        for number, dot in enumerate(shown.dots):
            along = (now * PACE / shown.length + number / count) % 1.0
            dpg.configure_item(dot, center=_at(shown.points, along), radius=(1.4 + 1.8 * step / STEPS) * zoom)
        return count

    def _in_view(self, points: tuple[Point, ...]) -> bool:
        view, (width, height) = self.editing.viewport, self.editing.size
        left, top = view.patch(0.0, 0.0)
        right, bottom = view.patch(width, height)
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return min(xs) < right and max(xs) > left and min(ys) < bottom and max(ys) > top


def _bright(colour: Colour, strength: float) -> Colour:
    """The louder, the nearer to what stands out most, and the less transparent."""
    white = 0.35 + 0.5 * strength
    return see_through(mixed(colour, looks.WHITE, white), round(70 + 185 * strength))


def _at(points: Any, t: float) -> Point:
    """A point along a curve."""
    u = 1.0 - t
    parts = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
    return (
        sum(part * point[0] for part, point in zip(parts, points, strict=True)),
        sum(part * point[1] for part, point in zip(parts, points, strict=True)),
    )
