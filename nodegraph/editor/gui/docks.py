"""The edges of the window, where panels lie behind one another as tabs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import px
from nodegraph.editor.gui.panel import Panel, Side

WIDE: Final[dict[Side, int]] = {"left": 290, "right": 300, "bottom": 190}
"""How much of the window an edge takes when a panel is shown there: its width, or its height below."""
MOST: Final = 0.45
"""So much of the window at most, however small it is."""
LEAST: Final = 60
"""An edge that is pulled narrower than this stays so wide."""


class Docks:
    """All panels and where they are."""

    def __init__(self, editing: Editing, kinds: Sequence[type[Panel]]) -> None:
        """Which are shown, and how wide the edges are, is as the settings have it from last time."""
        self.editing = editing
        self._wide: dict[Side, float] = {**WIDE, **editing.settings["docks"]}
        self._laid: dict[Side, int] = {}
        shown = editing.settings["panels"]
        self.changed = True
        """Whether an edge has come or gone since `fit`."""
        self.away = False
        """Whether the whole window is the canvas's."""
        self._kinds = {kind.name: kind for kind in kinds}
        self._tabs: dict[str, int | str] = {}
        self._panels: dict[str, Panel] = {}
        self._open: set[str] = set()
        self._seen: set[str] = set()
        self._windows: dict[Side, int | str] = {}
        self._bars: dict[Side, int | str] = {}
        for side in WIDE:
            with dpg.window(
                show=False, no_title_bar=True, no_move=True, no_saved_settings=True,
                no_scrollbar=True, no_scroll_with_mouse=True, min_size=(1, 1),
            ) as self._windows[side]:  # fmt: skip
                self._bars[side] = dpg.add_tab_bar(reorderable=False)
        for kind in kinds:
            editing.actions[f"panel-{kind.name}"] = partial(self.toggle, kind.name)
            if kind.shown_at_first if shown is None else kind.name in shown:
                self.show(kind.name, front=False)

    # -- which are shown

    @property
    def shown(self) -> list[str]:
        """The names of the panels that have a tab."""
        return [name for name in self._kinds if name in self._open]

    def toggle(self, name: str) -> None:
        """Bring a panel to the front; one that is there goes."""
        if name not in self._seen:
            self.show(name).asked()
        elif not self._panels[name].asked():
            self.hide(name)

    def want(self, name: str, shown: bool) -> None:
        """Have a panel be shown, or not."""
        if shown:
            self.show(name)
        else:
            self.hide(name)

    def left(self) -> None:
        """The hand went to the canvas."""
        for name in self._seen:
            self._panels[name].left()

    def show(self, name: str, *, front: bool = True) -> Panel:
        """Bring a panel to the front."""
        kind = self._kinds[name]
        if name not in self._open:
            self._open.add(name)
            self.changed = True
            if name not in self._tabs:
                self._tabs[name] = tab = dpg.add_tab(label=kind.title, parent=self._bars[kind.side], closable=True)
                with dpg.child_window(parent=tab, border=False) as body:
                    self._panels[name] = kind(self.editing, body)
            dpg.configure_item(self._tabs[name], show=True)
            dpg.configure_item(self._windows[kind.side], show=not self.away)
        if front:
            dpg.set_value(self._bars[kind.side], self._tabs[name])
        return self._panels[name]

    def hide(self, name: str) -> None:
        """Take a panel away."""
        if name in self._open:
            self._open.discard(name)
            self.changed = True
            dpg.configure_item(self._tabs[name], show=False)
            side = self._kinds[name].side
            if not any(self._kinds[other].side == side for other in self._open):
                dpg.configure_item(self._windows[side], show=False)

    def put_away(self, away: bool) -> None:
        """Give the whole window to the canvas, or take the edges back."""
        self.away, self.changed = away, True
        sides = {self._kinds[name].side for name in self._open}
        for side, window in self._windows.items():
            dpg.configure_item(window, show=side in sides and not away)

    # -- between two frames

    def turn(self) -> bool:
        """Keep what can be seen true. Whether something there moves by itself."""
        self._pulled()
        for name in list(self._open):
            if not dpg.is_item_shown(self._tabs[name]):  # its tab was closed by its cross
                self.hide(name)
        seen = set() if self.away else set(self._in_front())
        for name in self._seen - seen:
            self._panels[name].hidden()
        self._seen = seen
        moves = False
        for name in seen:
            moves = self._panels[name].turn() or moves
        return moves

    def _pulled(self) -> None:
        """An edge that a hand has made wider or narrower stays so."""
        for side, laid in self._laid.items():
            window = self._windows[side]
            now = dpg.get_item_height(window) if side == "bottom" else dpg.get_item_width(window)
            if abs(now - laid) > 1:
                self._wide[side] = max(LEAST, now / px(1000) * 1000)
                self.changed = True

    @property
    def wide(self) -> dict[str, int]:
        """How wide the edges are that are not as wide as usual, at the usual size of everything."""
        return {side: round(wide) for side, wide in self._wide.items() if round(wide) != WIDE[side]}

    def again(self) -> None:
        """The size of everything is another."""
        for panel in self._panels.values():
            panel.again()

    def _in_front(self) -> Iterator[str]:
        for side, bar in self._bars.items():
            here = [name for name in self._kinds if name in self._open and self._kinds[name].side == side]
            front = dpg.get_value(bar)
            if here:
                yield next((name for name in here if self._tabs[name] == front), here[0])

    def fit(self, width: int, height: int, top: int, bottom: int) -> tuple[int, int, int]:
        """Lay the edges out in a window; gives how much of it left, right and below is theirs."""
        self.changed = False
        sides = set() if self.away else {self._kinds[name].side for name in self._open}
        wide = {side: int(min(px(self._wide[side]), MOST * (height if side == "bottom" else width))) for side in WIDE}
        self._laid = {side: wide[side] for side in sides}
        left, right, below = (wide[side] if side in sides else 0 for side in WIDE)
        inner = max(1, height - top - bottom)
        dpg.configure_item(self._windows["left"], pos=(0, top), width=max(1, left), height=inner)
        dpg.configure_item(self._windows["right"], pos=(width - right, top), width=max(1, right), height=inner)
        dpg.configure_item(
            self._windows["bottom"], pos=(left, height - bottom - below), width=max(1, width - left - right),
            height=max(1, below),
        )  # fmt: skip
        return left, right, below

    # -- for the keyboard, and for tests

    def key(self, key: str, chord: str) -> bool:
        """A key goes down: whether a panel in front takes it."""
        return any(self._panels[name].key(key, chord) for name in self._seen)

    @property
    def typing(self) -> bool:
        """Whether a field of a panel has the keyboard."""
        return any(self._panels[name].typing for name in self._seen)

    def places(self) -> dict[str, list[float]]:
        """Where what can be clicked is in the window: of the panels in front, by name."""
        return {name: at for panel in self._seen for name, at in self._panels[panel].places().items()}
