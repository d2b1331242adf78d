"""Undo and redo: what was done to a document, in steps that can be taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from nodegraph.core.commands import Command, perform
from nodegraph.core.document import Document

MOST: Final = 1_000
"""Steps that are kept; the oldest are forgotten."""


@dataclass
class Step:
    """Commands that were done at once, and those that undo them. `merge`: what later steps may go on with it."""

    label: str
    done: list[Command]
    undo: list[Command]
    merge: object = None


class History:
    """The steps of one document."""

    def __init__(self, document: Document, most: int = MOST) -> None:
        self.document = document
        self.most = most
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._saved: Step | None = None
        self.last: list[Command] = []
        """The commands that were carried out last, be it forth or back."""

    def do(self, *commands: Command, label: str = "", merge: object = None) -> None:
        """Carry commands out, all or none of them, as one step. Raises PatchError.

        Steps one after another with the same `merge` (such as a drag) are undone as one.
        """
        self.done(commands, perform(self.document, commands), label=label, merge=merge)

    def done(self, commands: Iterable[Command], undo: list[Command], *, label: str = "", merge: object = None) -> None:
        """Take note of commands that were carried out, and of what undoes them."""
        self.last = commands = list(commands)
        if not undo:
            return
        self._undone.clear()
        last = self._done[-1] if self._done else None
        if last is not None and merge is not None and last.merge == merge and last is not self._saved:
            self._merge(last, commands, undo)
            return
        self._done.append(Step(label or commands[0].label(), commands, undo, merge))
        del self._done[: -self.most]

    @staticmethod
    def _merge(last: Step, commands: list[Command], undo: list[Command]) -> None:
        one = last.done[0].merged(commands[0]) if len(last.done) == len(commands) == 1 else None
        if one is not None:
            last.done = [one]  # what was there before the first of them is what the first undoes
        else:
            last.done = [*last.done, *commands]
            last.undo = [*undo, *last.undo]

    def undo(self) -> str | None:
        """Take the last step back. Returns what it was called, or None when there is none."""
        if not self._done:
            return None
        step = self._done[-1]
        step.done, step.merge = perform(self.document, step.undo), None
        self.last = step.undo
        self._undone.append(self._done.pop())
        return step.label

    def redo(self) -> str | None:
        """Do again what was taken back last. Returns what it was called, or None when there is none."""
        if not self._undone:
            return None
        step = self._undone[-1]
        step.undo = perform(self.document, step.done)
        self.last = step.done
        self._done.append(self._undone.pop())
        return step.label

    def saved(self) -> None:
        """The document is in its file as it is now."""
        self._saved = self._done[-1] if self._done else None

    def unsaved(self) -> None:
        """The document is not in its file as it is now, whatever is done or undone from here on."""
        self._saved, self.last = Step("", [], []), []

    @property
    def changed(self) -> bool:
        """Whether the document is another than when it was saved last, or than in the beginning."""
        return (self._done[-1] if self._done else None) is not self._saved

    @property
    def undo_label(self) -> str | None:
        """What `undo` would take back."""
        return self._done[-1].label if self._done else None

    @property
    def redo_label(self) -> str | None:
        """What `redo` would do again."""
        return self._undone[-1].label if self._undone else None

    def forget(self) -> None:
        """Forget all steps; the document counts as saved."""
        self._done.clear()
        self._undone.clear()
        self._saved = None
