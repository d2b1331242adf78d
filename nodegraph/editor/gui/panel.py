"""What a panel beside the canvas is: the inspector, the log, a browser."""

from __future__ import annotations

from typing import ClassVar, Literal

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing

Side = Literal["left", "right", "bottom"]


class Panel:
    """A panel of the window. It makes its items in `parent` when it is shown first; `turn` keeps them true.

    `gui.panels` lists all panels; ``panel-<name>`` is the action that shows and hides one (`editor.keys`).
    """

    name: ClassVar[str]
    title: ClassVar[str]
    side: ClassVar[Side]
    shown_at_first: ClassVar[bool] = False

    def __init__(self, editing: Editing, parent: int | str) -> None:
        self.editing, self.parent = editing, parent

    def turn(self) -> bool:
        """Show what is so now; called between two frames while the panel can be seen. Whether it shows something that
        moves by itself, such as a meter, and wants to be asked again soon.
        """
        return False

    def again(self) -> None:
        """The size of everything is another: what is drawn by numbers is to be drawn anew. Items were brought along."""

    def hidden(self) -> None:
        """It is not seen any more: what it asks the engine for again and again is not needed."""

    def asked(self) -> bool:
        """Its action was asked for. True: it has taken the keyboard just now, and is not to go though it is seen."""
        return False

    def left(self) -> None:
        """The hand went to the canvas: the keys are for that."""

    def key(self, key: str, chord: str) -> bool:
        """A key goes down while the panel is seen, before it is an action; `chord` has its modifiers. True takes it."""
        return False

    @property
    def typing(self) -> bool:
        """Whether one of its fields has the keyboard: keys are not for the canvas then."""
        return False

    def places(self) -> dict[str, list[float]]:
        """Where what can be clicked is in the window, by name, for tests."""
        return {}


def place_of(item: int | str) -> list[float]:
    """The middle of an item in the window."""
    left, top = dpg.get_item_rect_min(item)
    width, height = dpg.get_item_rect_size(item)
    return [left + width / 2, top + height / 2]
