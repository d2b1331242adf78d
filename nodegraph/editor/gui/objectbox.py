"""The box into which an object is typed, with what may be meant below it."""

from __future__ import annotations

from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.finding import Completion
from nodegraph.editor.gui.looks import AMBER, CYAN, DIM, px
from nodegraph.editor.gui.panel import place_of
from nodegraph.editor.objecttext import offers, taken
from nodegraph.editor.texts import cut

WIDTH: Final = 430
ROWS: Final = 7
LETTERS: Final = 52
"""So many fit into a row."""


class ObjectBox:
    """One text being typed. What was typed before the field had the keyboard, and what was completed, stands before the
    field (`before`), for the field takes no text while somebody types into it.
    """

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.shown = False
        self.before = ""
        self._field: int | str | None = None
        self._was = ""
        self._had = False
        """Whether the field had the keyboard before this frame: one that gets it takes no text in the same frame."""
        self._offers: list[Completion] = []
        self._rows: dict[str, int | str] = {}
        self._chosen = 0
        self._looked: str | None = None
        with dpg.window(
            show=False, no_title_bar=True, no_resize=True, no_move=True, no_scrollbar=True, width=px(WIDTH),
            autosize=True, no_saved_settings=True,
        ) as self.window:  # fmt: skip
            self._line = dpg.add_group(horizontal=True, horizontal_spacing=0)
            self._takes = dpg.add_text("", color=DIM, wrap=px(WIDTH - 20))
            self._list = dpg.add_group()
            self._wrong = dpg.add_text("", color=AMBER, wrap=px(WIDTH - 20), show=False)

    @property
    def text(self) -> str:
        """All that stands there."""
        return self.before + (dpg.get_value(self._field) if self._field is not None else "")

    @property
    def typing(self) -> bool:
        """Whether the field has the keyboard."""
        return self._field is not None and bool(dpg.is_item_active(self._field))

    def open(self, x: float, y: float, text: str = "", first: str = "") -> None:
        """Ask, at a place in the window: with a text to be changed, or what was typed already (`first`)."""
        self.shown = True
        self.before, self._chosen, self._looked = first, 0, None
        dpg.configure_item(self._wrong, show=False)
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        dpg.configure_item(
            self.window, show=True, pos=(int(max(0, min(x, width - px(WIDTH)))), int(max(0, min(y, height - px(240))))),
        )  # fmt: skip
        self._new_field(text)
        dpg.focus_item(self.window)

    def _new_field(self, text: str = "") -> None:
        dpg.delete_item(self._line, children_only=True)
        if self.before:
            dpg.add_text(self.before.replace(" ", "\u00a0"), parent=self._line, color=CYAN)
        self._field = dpg.add_input_text(
            default_value=text, width=-1, parent=self._line, hint="" if self.before else "object and its values",
        )  # fmt: skip
        self._was = text
        self._had = False
        dpg.focus_item(self._field)

    def close(self) -> None:
        """Ask no more."""
        self.shown = False
        self._field = None
        dpg.configure_item(self.window, show=False)

    # -- keys

    def key(self, key: str, chord: str) -> None:
        """A key while it is shown."""
        if key == "escape":
            self.editing.objects.answer(None)
        elif key == "enter":
            self._enter()
            if "shift" in chord and self.editing.objects.asked is None:  # and the next one below it
                self.close()
                self.editing.objects.below()
        elif key in ("up", "down"):
            self._choose(-1 if key == "up" else 1)
        elif key == "tab":
            self._complete()
        elif key == "backspace" and self.before and not self._was:
            self.before = self.before[:-1]
            self._new_field()
        elif not self._had and (len(key) == 1 or key == "space") and chord == key:
            self.before += " " if key == "space" else key
            self._new_field()

    def _enter(self) -> None:
        text = self.text
        word, space, rest = text.partition(" ")
        kinds = self.editing.mirror.document.graph.registry
        if self._offers and (self._chosen or (word and kinds.get(word) is None)):  # not a kind: the one that is offered
            text = f"{self._offers[self._chosen].kind}{space}{rest}"
        if not self.editing.objects.answer(text):
            dpg.configure_item(self._wrong, show=True, default_value=self.editing.lines[-1])
            dpg.set_value(self._wrong, self.editing.lines[-1])
            if self._field is not None:
                dpg.focus_item(self._field)

    def _choose(self, by: int) -> None:
        if self._offers:
            self._chosen = (self._chosen + by) % len(self._offers)
            self._show_offers()

    def _complete(self) -> None:
        if self._offers:
            _, _, rest = self.text.partition(" ")
            self.before = f"{self._offers[self._chosen].kind} {rest}"
            self._chosen = 0
            self._new_field()

    # -- what may be meant

    def turn(self) -> None:
        """Follow what is typed."""
        if not self.shown or self._field is None:
            return
        text = self.text
        self._had = self.typing
        self._was = dpg.get_value(self._field)
        if text == self._looked:
            return
        self._looked = text
        kinds = self.editing.mirror.document.graph.registry
        _, space, _ = text.partition(" ")
        self._offers, self._chosen = ([] if space else offers(text, kinds, ROWS, self.editing.objects.hangs())), 0
        words = taken(text, kinds)
        dpg.set_value(self._takes, words)
        dpg.configure_item(self._takes, show=bool(words))
        self._show_offers()

    def _show_offers(self) -> None:
        dpg.delete_item(self._list, children_only=True)
        self._rows.clear()
        for index, offer in enumerate(self._offers):
            name = f"{offer.kind} ({offer.matched})" if offer.why == "alias" else offer.kind
            label = f"{name:<14} {offer.description}"
            self._rows[offer.kind] = dpg.add_selectable(
                label=cut(label, LETTERS), parent=self._list, user_data=offer.kind,
                default_value=index == self._chosen, callback=self._clicked,
            )  # fmt: skip

    def places(self) -> dict[str, list[float]]:
        """Where what is offered is in the window, for tests."""
        return {f"offer {kind}": place_of(item) for kind, item in self._rows.items()} if self.shown else {}

    def _clicked(self, _sender: object, _value: object, kind: str) -> None:
        _, space, rest = self.text.partition(" ")
        self.editing.objects.answer(f"{kind}{space}{rest}")
