"""The palette: everything that can be done, by its name: actions with their keys, kinds to add, presets to recall."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from nodegraph.editor.finding import complete
from nodegraph.editor.keys import ACTIONS
from nodegraph.editor.question import Question, Row, ranked

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

Done = tuple[str, str]
"""What a row does: ``("do", "undo")``, ``("add", "svf~")``, ``("recall", "dark")``."""
KINDS: Final = 40
HERE: Final = ("palette", "select-none")
"""Of no use in a list: the list itself, and what its Escape does."""


class Palette:
    """What it offers, and what was done by it lately."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.recent: deque[Done] = deque(maxlen=12)
        """The latest first."""

    def rows(self, text: str) -> list[Row]:
        """What a text may mean. Without one: what was done lately, then all actions and presets."""
        editing = self.editing
        offered: list[tuple[Row, Sequence[str]]] = []
        for action in ACTIONS:
            if action.name in editing.actions and action.name not in HERE:
                row = Row(f"{action.menu}: {action.words}", editing.keys.shown(action.name), ("do", action.name))
                offered.append((row, (action.words, row.text, action.name)))
        for name in editing.presetting.names:
            row = Row(f"Recall preset: {name}", "", ("recall", name))
            offered.append((row, (name, row.text)))
        registry = editing.mirror.document.graph.registry
        kinds = complete(text, registry, KINDS) if text.strip() else []
        names = [name for what, name in self.recent if what == "add"] if not text.strip() else []
        for found in kinds:
            row = Row(f"Add: {found.kind}", found.description, ("add", found.kind))
            offered.append((row, (found.kind, found.matched) if found.why != "description" else ()))
        for kind in names:
            spec = registry.get(kind)
            offered.append((Row(f"Add: {kind}", spec.summary if spec else "", ("add", kind)), (kind,)))
        return ranked(text, offered, tuple(self.recent))

    def do(self, what: Done) -> None:
        """Do what a row says."""
        editing = self.editing
        if what in self.recent:
            self.recent.remove(what)
        self.recent.appendleft(what)
        verb, name = what
        if verb == "do":
            editing.actions[name]()
        elif verb == "recall":
            editing.presetting.recall(name)
        else:
            editing.objects.new()
            editing.objects.answer(name)


class PaletteQuestion(Question):
    """The palette, being asked."""

    title, hint = "Do", "an action, an object, a preset"

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.palette = palette

    def offers(self, text: str) -> Sequence[Row]:
        return self.palette.rows(text)

    def answer(self, text: str, row: Row | None) -> bool:
        if row is None:
            return False
        editing = self.palette.editing
        editing.ways.close()  # what is done may ask itself
        self.palette.do(row.value)
        return True

    def note(self) -> str:
        return "" if self.rows else "Nothing is called so."

    def state(self) -> Any:
        return tuple(self.palette.editing.presetting.names)
