"""What every command is: one change of a document as data (`core.commands` has them all)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

from nodegraph.core.document import Document
from nodegraph.core.errors import Problem
from nodegraph.core.values import plain


class Command:
    """One change of a document."""

    do: ClassVar[str] = ""
    sounds: ClassVar[bool] = True
    """Whether it may change what is heard, and not only how the patch looks."""

    def apply(self, document: Document) -> list[Command]:
        """Carry it out; returns what undoes it. Raises PatchError before anything is touched."""
        raise NotImplementedError

    def label(self) -> str:
        """What it does, in a few words for a menu."""
        raise NotImplementedError

    def as_data(self) -> dict[str, Any]:
        """It as JSON data; what is at its default is left out."""
        found: dict[str, Any] = {"do": self.do}
        for item in fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if value not in (None, (), {}):
                found[item.name] = plain(value)
        return found

    def merged(self, later: Command) -> Command | None:
        """This command and a later one in one, when the second only goes on with the first."""
        return None


def bad_command(what: str, do: str) -> Problem:
    """The problem of a command that cannot be."""
    return Problem("bad-command", what, do)
