"""Controls as bars in a panel: dragged with the control's curve, a switch clicked, a menu by the right button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.core.ports import Control
from nodegraph.editor.editing import Editing
from nodegraph.editor.faders import Fader, fader_of
from nodegraph.editor.gui.faders import draw_fader
from nodegraph.editor.gui.looks import LOOKS, px
from nodegraph.editor.gui.panel import place_of
from nodegraph.editor.hands import LEFT, RIGHT

WIDTH: Final = 124
HEIGHT: Final = 32


class Bars:
    """The bars of one panel. `menu` is called with a node, a control's name, and where the mouse is in the window."""

    def __init__(self, editing: Editing, character: float, menu: Callable[[str, str], None]) -> None:
        self.editing = editing
        self._character = character
        self._menu = menu
        self._bars: dict[str, tuple[int | str, str, Control]] = {}
        self._looks: dict[str, tuple[Fader, str]] = {}
        self._x: float | None = None
        """Where the mouse was last, while it holds one."""
        with dpg.handler_registry():
            dpg.add_mouse_click_handler(callback=self._pressed)
            dpg.add_mouse_release_handler(button=LEFT, callback=self._released)
            dpg.add_mouse_move_handler(callback=self._moved)

    @property
    def held(self) -> bool:
        """Whether the mouse holds one."""
        return self._x is not None

    def clear(self) -> None:
        """None any more; whoever made their parents has deleted them."""
        self._bars.clear()
        self._looks.clear()
        if self.held:
            self._x = None
            self.editing.turning.cancel()

    def add(self, node: str, control: Control, parent: int | str) -> int | str:
        """Another one; gives what a tooltip can be put to."""
        with dpg.group(parent=parent) as group:  # a drawlist has no tooltip
            bar: int | str = dpg.add_drawlist(width=px(WIDTH), height=px(HEIGHT))
        self._bars[control.name] = (bar, node, control)
        return group  # type: ignore[no-any-return]

    def turn(self) -> None:
        """Draw those that look otherwise."""
        for name, (bar, node, control) in self._bars.items():
            look = fader_of(self.editing, node, control), self.editing.context.below(node, control)
            if self._looks.get(name) != look:
                self._looks[name] = look
                dpg.delete_item(bar, children_only=True)
                corners = 0, 0, px(WIDTH) - 1, px(HEIGHT) - 1
                draw_fader(bar, look[0], corners, self._character, LOOKS.size, look[1])

    def places(self) -> dict[str, list[float]]:
        """Where they are in the window, by name."""
        return {f"bar {name}": place_of(bar) for name, (bar, _, _) in self._bars.items()}

    # -- the mouse

    def _under(self) -> tuple[str, Control] | None:
        for bar, node, control in self._bars.values():
            if dpg.is_item_visible(bar) and dpg.is_item_hovered(bar):
                return node, control
        return None

    def _pressed(self, _sender: object, button: int, _data: object) -> None:
        found = self._under()
        if found is None:
            return
        node, control = found
        if button == RIGHT:
            self._menu(node, control.name)
        elif button == LEFT and self.editing.turning.take(node, control.name):
            self._x = float(dpg.get_mouse_pos(local=False)[0])

    def _moved(self, _sender: object, _at: object, _data: object) -> None:
        if self._x is not None:
            x = float(dpg.get_mouse_pos(local=False)[0])
            self.editing.turning.drag(x - self._x, self.editing.hands.held)
            self._x = x

    def _released(self, _sender: object, _button: int, _data: object) -> None:
        if self._x is not None:
            self._moved(None, None, None)
            self._x = None
            self.editing.turning.let_go()
