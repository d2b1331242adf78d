"""A question that must be answered first: a few words and a few buttons. Enter is the first, Escape the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.gui.looks import DIM
from nodegraph.editor.gui.menus import within
from nodegraph.editor.gui.panel import place_of

Answer = tuple[str, Callable[[], object]]
WIDTH: Final = 460
HEIGHT: Final = 150


class Question:
    """The one question of a window; one that comes while another stands waits for its turn."""

    def __init__(self) -> None:
        self._window: int | str | None = None
        self._answers: list[Answer] = []
        self._buttons: dict[str, int | str] = {}
        self._next: list[tuple[str, str, Sequence[Answer]]] = []

    @property
    def asking(self) -> bool:
        """Whether a question stands."""
        return self._window is not None

    def ask(self, title: str, text: str, answers: Sequence[Answer]) -> None:
        """Ask; what belongs to the button that is pressed is called."""
        if self._window is not None:
            self._next.append((title, text, answers))
            return
        self._answers, self._buttons = list(answers), {}
        with dpg.window(
            label=title, modal=True, no_resize=True, no_saved_settings=True,
            on_close=lambda *_: self.answer(self._answers[-1][0]),
        ) as self._window:  # fmt: skip
            dpg.add_text(text, wrap=0)
            dpg.add_spacer(height=4)
            with dpg.group(horizontal=True):
                for label, _ in answers:
                    self._buttons[label] = dpg.add_button(
                        label=label, user_data=label, callback=lambda _sender, _value, chosen: self.answer(chosen)
                    )
            dpg.add_text("Enter: the first. Escape: the last.", color=DIM)
        within(self._window, WIDTH, HEIGHT)

    def key(self, key: str) -> None:
        """A key while it stands."""
        if key == "enter":
            self.answer(self._answers[0][0])
        elif key == "escape":
            self.answer(self._answers[-1][0])

    def answer(self, label: str) -> None:
        """A button was pressed."""
        call = next((call for name, call in self._answers if name == label), None)
        self.close()
        if call is not None:
            call()

    def close(self) -> None:
        """It is answered, or needs no answer any more."""
        if self._window is not None:
            dpg.delete_item(self._window)
            self._window, self._answers, self._buttons = None, [], {}
        if self._next:
            self.ask(*self._next.pop(0))

    def places(self) -> dict[str, list[float]]:
        """Where its buttons are in the window."""
        return {f"answer {label}": place_of(item) for label, item in self._buttons.items()}
