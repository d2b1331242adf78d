"""The tour on the screen: a small panel beside what it speaks of, and a line to it."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.docks import Docks
from nodegraph.editor.gui.looks import AMBER, CYAN, DIM, PADDING, px
from nodegraph.editor.gui.menus import Menus
from nodegraph.editor.gui.panel import place_of
from nodegraph.editor.tour import STEPS

WIDTH: Final = 340
HEIGHT: Final = 150
GAP: Final = 26
"""Between the panel and what it speaks of."""


class TourWindow:
    """Shows the step of `editing.tour` that is to be done."""

    def __init__(self, editing: Editing, docks: Docks, menus: Menus) -> None:
        self.editing, self.docks, self.menus = editing, docks, menus
        self._shown: Any = None
        self._fields: dict[str, int | str] = {}
        self._mark: Any = None
        self.origin = (0.0, 0.0)
        """Where the canvas begins in the window."""
        with dpg.window(
            show=False, no_title_bar=True, no_resize=True, no_move=True, no_collapse=True, no_saved_settings=True,
            no_focus_on_appearing=True, no_scrollbar=False,
        ) as self._window:  # fmt: skip
            self._body = dpg.add_group()
        self._front = dpg.add_viewport_drawlist(front=True)

    def turn(self) -> bool:
        """Follow the steps. Whether something looks otherwise."""
        tour = self.editing.tour
        changed = tour.turn()
        look = None if tour.number is None else (tour.number, tour.words, px(100))
        if look != self._shown:
            self._shown = look
            changed = True
            dpg.delete_item(self._body, children_only=True)
            self._fields.clear()
            dpg.configure_item(self._window, show=look is not None)
            if look is None:
                dpg.delete_item(self._front, children_only=True)
                self._mark = None
            else:
                self._fill()
        if look is not None:
            self._lay()
        return changed

    def _fill(self) -> None:
        tour = self.editing.tour
        assert tour.step is not None and tour.number is not None
        if tour.step.beside == "values" and "inspector" not in self.docks.shown:
            self.docks.show("inspector")
        dpg.add_text(f"{tour.number + 1} of {len(STEPS)}   {tour.step.title}", parent=self._body, color=CYAN)
        dpg.add_text(tour.words, parent=self._body, wrap=0)
        dpg.add_spacer(height=px(2), parent=self._body)
        with dpg.group(horizontal=True, parent=self._body):
            for word, action in (("Back", "tour-back"), ("Skip", "tour-skip"), ("End the tour", "tour")):
                if word == "Back" and not tour.number:
                    continue
                self._fields[word] = dpg.add_button(
                    label=word, user_data=action, callback=lambda _s, _v, action: self.editing.actions[action]()
                )

    # -- where

    def _lay(self) -> None:
        """Beside what it speaks of, whole in the window."""
        across, down = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        wide = min(px(WIDTH), across - 8)
        high = dpg.get_item_rect_size(self._body)[1] + 2 * px(PADDING[1]) + 4
        high = min(int(high) if high > px(40) else px(HEIGHT), down - 8)
        mark, at = self._marked(wide, high)
        x, y = (round(max(4, min(want, most - size - 4))) for want, most, size in
                zip(at, (across, down), (wide, high), strict=True))  # fmt: skip
        look = (x, y, wide, high, mark)
        if look == self._mark:
            return
        self._mark = look
        dpg.configure_item(self._window, pos=(x, y), width=wide, height=high)
        dpg.delete_item(self._front, children_only=True)
        for mx, my in mark:
            inside = x <= mx <= x + wide and y <= my <= y + high
            if not inside:
                dpg.draw_circle((mx, my), px(11), color=AMBER, thickness=px(2), parent=self._front)
        if mark and not (x <= mark[-1][0] <= x + wide and y <= mark[-1][1] <= y + high):
            self._line(x, y, wide, high, mark[-1])

    def _line(self, x: int, y: int, wide: int, high: int, to: tuple[float, float]) -> None:
        """From the edge of the panel to the ring."""
        start = max(x, min(to[0], x + wide)), max(y, min(to[1], y + high))
        dx, dy = to[0] - start[0], to[1] - start[1]
        long = (dx * dx + dy * dy) ** 0.5
        if long > px(14):
            share = (long - px(11)) / long
            end = start[0] + dx * share, start[1] + dy * share
            dpg.draw_line(start, end, color=DIM, thickness=px(1.5), parent=self._front)

    def _marked(self, wide: int, high: int) -> tuple[tuple[tuple[float, float], ...], tuple[float, float]]:
        """What is ringed, and where the panel would be best."""
        tour, editing = self.editing.tour, self.editing
        step = tour.step
        assert step is not None
        gap = px(GAP)
        left, top = self.origin
        if step.beside == "menu":
            x, y = self.menus.place(step.of)
            return (), (x, y + px(10))
        if step.beside == "values" and (found := tour.value()) is not None:
            at = self.docks.places().get(f"bar {found[1]}")
            if at is not None and at[0] > 0:
                return ((at[0] - px(50), at[1]),), (at[0] - px(75) - wide - gap, at[1] + gap)
        if step.beside == "cable" and (ends := tour.ends()) is not None:
            places = []
            for node, out in ((ends[0], True), (ends[1], False)):
                box = editing.scene.boxes.get(node)  # none where it is not among what is presented
                ports = () if box is None else box.outlets if out else box.inlets
                port = next((item for item in ports if out or item.name == ends[2]), None)
                if box is not None and port is not None:
                    x, y = editing.viewport.screen(*box.place(port))
                    places.append((x + left, y + top))
            if len(places) == 2:
                right = max(x for x, _ in places)
                return tuple(places), (right + 2 * gap, places[1][1] + gap)
        return (), (left + (editing.size[0] - wide) / 2, top + 0.12 * editing.size[1])

    def places(self) -> dict[str, list[float]]:
        """Where its buttons are, for tests."""
        return {f"tour {word}": place_of(field) for word, field in self._fields.items()}
