"""Closing the window: what is not saved is asked about first, if the engine ends with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodegraph.editor.editing import Editing
from nodegraph.editor.engine import Engine
from nodegraph.editor.gui.question import Question


class Closing:
    """The end of one window."""

    def __init__(self, editing: Editing, engine: Engine | None, end: Callable[[], None], question: Question) -> None:
        """`engine` is the one that ends with the window; `end` has the loop come to its end."""
        self.editing, self.engine, self.question = editing, engine, question
        self._ended = end
        self.asking = False
        """Whether the question stands."""

    def quit(self) -> None:
        """Close the window."""
        editing = self.editing
        if not (editing.sheets.unsaved and self.engine is not None and editing.link.up):
            self._end()
        elif not self.asking:
            self.asking = True
            self.question.ask(
                "Unsaved changes", f"{editing.sheets.open[0].mirror.title} has changes that are not saved.",
                [("Save", self._save_and_end), ("Leave them unsaved", self._end), ("Go on", self._stay)],
            )  # fmt: skip

    def _stay(self) -> None:
        self.asking = False

    def _save_and_end(self) -> None:
        def saved(answer: Any) -> None:
            self._stay()
            if "error" in answer:
                self.editing.tell_problems(answer)
            else:
                self._end()

        self.editing.link.ask("save", saved)

    def _end(self) -> None:
        if self.engine is not None:
            self.engine.end()
        self._ended()
