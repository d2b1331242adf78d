"""The field of a question, with what is offered below it."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import AMBER, CYAN, DIM, px
from nodegraph.editor.gui.panel import place_of
from nodegraph.editor.question import Question
from nodegraph.editor.texts import cut

WIDTH: Final = 560
LETTERS: Final = 68
"""So many fit into a row."""
SHORT: Final = 20
COLUMN: Final = 22


class Picker:
    """Shows the question that stands (`Wayfinding.question`), and takes its keys.

    What was typed before the field had the keyboard, and what was completed, stands before the field (`before`), for
    the field takes no text while somebody types into it.
    """

    def __init__(self, editing: Editing, character: float) -> None:
        """`character` is the width of a character of height 1."""
        self.editing = editing
        self._letter = character * looks.FONT_SIZE
        self._question: Question | None = None
        self._field: int | str | None = None
        self._shown: object = None
        self.before = ""
        self._was = ""
        self._had = False
        """Whether the field had the keyboard before this frame."""
        with dpg.window(
            show=False, no_title_bar=True, no_resize=True, no_move=True, no_scrollbar=True, autosize=True,
            no_saved_settings=True,
        ) as self.window:  # fmt: skip
            self._line = dpg.add_group(horizontal=True)
            self._note = dpg.add_text("", color=DIM, wrap=px(WIDTH - 24), show=False)
            self._list = dpg.add_group()

    @property
    def shown(self) -> bool:
        """Whether something is asked."""
        return self._question is not None

    @property
    def text(self) -> str:
        """All that stands there."""
        return self.before + str(dpg.get_value(self._field)) if self._field is not None else ""

    @property
    def typing(self) -> bool:
        """Whether the field has the keyboard."""
        return self._field is not None and bool(dpg.is_item_active(self._field))

    def places(self) -> dict[str, list[float]]:
        """Where the rows are, by their texts, for tests."""
        if self._question is None:
            return {}
        rows = zip(self._question.seen(), dpg.get_item_children(self._list, 1), strict=False)
        return {f"row {self._question.rows[index].text}": place_of(row) for index, row in rows}

    def state(self) -> dict[str, Any] | None:
        """What it shows, for tests."""
        question = self._question
        if question is None:
            return None
        rows = [row.text for row in question.rows[:20]]
        return {"title": question.title, "typing": self.typing, "text": self.text, "rows": rows, "at": question.at,
                "note": question.note()}  # fmt: skip

    # -- between two frames

    def turn(self, left: float, top: float, width: float) -> bool:
        """Follow the question that stands, above the canvas that lies there. Whether it looks otherwise."""
        question = self.editing.ways.question
        changed = question is not self._question
        if changed:
            self._question = question
            self._shown = None
            dpg.configure_item(self.window, show=question is not None)
            if question is None:
                self._field = None
                return True
            wide = px(WIDTH)
            place = int(left + max(0.0, (width - wide) / 2)), int(top + px(10))
            dpg.configure_item(self.window, pos=place, min_size=(wide, px(20)), max_size=(wide, px(600)))
            self._fresh(question, question.before, question.value)
            dpg.focus_item(self.window)
        if question is None:
            return False
        self._had = self.typing
        self._was = dpg.get_value(self._field)
        question.typed(self.text)
        look = (tuple(question.rows), question.at, question.note())
        if look != self._shown:
            self._shown, changed = look, True
            self._show(question)
        return changed

    def _fresh(self, question: Question, before: str, value: str = "") -> None:
        """A field with the keyboard."""
        self.before, self._was, self._had = before, value, False
        dpg.delete_item(self._line, children_only=True)
        dpg.add_text(question.title, parent=self._line, color=DIM)
        if before:
            dpg.add_text(before.replace(" ", "\u00a0"), parent=self._line, color=CYAN)
        hint = "" if before else question.hint
        letters = self._letter * (len(question.title) + len(before))
        room = px(max(120.0, WIDTH - 2 * looks.PADDING[0] - letters - 16))
        self._field = dpg.add_input_text(default_value=value, width=room, parent=self._line, hint=hint)
        dpg.focus_item(self._field)

    def _show(self, question: Question) -> None:
        note = question.note()
        dpg.configure_item(self._note, show=bool(note))
        dpg.set_value(self._note, note)
        dpg.configure_item(self._note, color=AMBER if question.wrong else DIM)
        dpg.delete_item(self._list, children_only=True)
        for index in question.seen():
            row = question.rows[index]
            dpg.add_selectable(
                label=_columns(cut(row.text, LETTERS), row.more), parent=self._list, user_data=index,
                default_value=index == question.at, callback=self._clicked,
            )  # fmt: skip

    # -- the hand

    def key(self, key: str, chord: str) -> bool:
        """A key: while something is asked, all of them are for the field."""
        question = self._question
        if question is None or question is not self.editing.ways.question:
            return self.editing.ways.question is not None
        if key == "escape":
            self.editing.ways.close()
        elif key == "enter":
            if "shift" in chord:
                question.typed(self.text)
                question.step(-1)
            else:
                self._enter()
        elif chord == "ctrl+down" and question.into():
            pass
        elif key in ("up", "down"):
            question.step(-1 if key == "up" else 1)
        elif key in ("pageup", "pagedown"):
            question.step(-question.most if key == "pageup" else question.most)
        elif key == "tab":
            question.typed(self.text)
            text = question.completed(self.text, question.row)
            if text is not None:
                self._fresh(question, text)
        elif key == "backspace" and self.before and not self._was:
            self._fresh(question, self.before[:-1])
        elif not self._had and (len(key) == 1 or key == "space") and chord == key:
            self._fresh(question, self.before + (" " if key == "space" else key))
        elif chord == "ctrl+f" and question.most == 0:
            question.step(1)
        return True

    def _enter(self) -> None:
        question = self._question
        text = self.editing.ways.answer(self.text)
        if text is not None and question is not None:
            self._fresh(question, text)
        elif self.editing.ways.question is question and self._field is not None:
            dpg.focus_item(self._field)

    def _clicked(self, _sender: object, _value: object, index: int) -> None:
        question = self._question
        if question is not None and question is self.editing.ways.question:
            question.typed(self.text)
            question.step(index - question.at)
            self._enter()


def _columns(text: str, more: str) -> str:
    """A row: keys stand at its right end, what is longer in a column."""
    if not more:
        return text
    if len(more) <= SHORT and len(text) + len(more) + 2 <= LETTERS:
        return f"{text}{more:>{LETTERS - len(text)}}"
    text = f"{text:<{COLUMN}}  "
    return text + cut(more, LETTERS - len(text))
