"""The editor's copy of the document: shown at once, kept true by what the session tells.

An edit is carried out here first and sent; the session confirms or refuses it. What the session tells is always put
below what is not confirmed yet: the copy is taken back to what the session has, brought on, and the waiting edits are
done again on top. So two editors end with the same document, and neither waits to see its own hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from nodegraph.core.commands import Command, perform
from nodegraph.core.commands import commands as commands_of
from nodegraph.core.document import Document
from nodegraph.core.drafts import Drafts
from nodegraph.core.errors import NodegraphError, Problem
from nodegraph.core.patchfile import dumps, read
from nodegraph.core.registry import registry
from nodegraph.core.subpatches import PatchKinds

Data = Mapping[str, Any]
Ask = Callable[..., int]
"""`Link.ask`: what to do, who gets the answer, and what else it takes."""


@dataclass
class Waiting:
    """An edit that is not confirmed yet, or an undo or redo, which has no commands here."""

    number: int
    commands: list[Command]
    told: list[dict[str, Any]]
    undo: list[Command] = field(default_factory=list)


class Mirror:
    """A copy of one session's document, or of one of its sheets. All methods are called on one thread."""

    def __init__(
        self, ask: Ask, say: Callable[[str], None], *, sheet: str | None = None, drafts: Drafts | None = None
    ) -> None:
        """`say` gets what a user should know, a line each. `sheet` is what the session calls it; None: the patch
        itself. `drafts` are the texts of all sheets.
        """
        self.sheet = sheet
        self.document = Document()
        self.revision = -1
        self.undo_label: str | None = None
        self.redo_label: str | None = None
        self.unsaved = False
        self.file: str | None = None
        self.ready = False
        """The document is the session's, not an empty one from before."""
        self.version = 0
        """Another one whenever something that can be seen is."""
        self.waiting: list[Waiting] = []
        self._ask = ask if sheet is None else partial(ask, sheet=sheet)
        self._say = say
        self._drafts = Drafts() if drafts is None else drafts
        self._me = ""
        self._loading = False

    @property
    def title(self) -> str:
        """What the patch is called."""
        return self.document.title or (Path(self.file).name if self.file else "Untitled")

    def text(self) -> str:
        """The text of the patch as it is here."""
        return dumps(self.document)

    # -- editing

    def edit(self, commands: Sequence[Command], *, label: str = "", merge: str | None = None) -> bool:
        """Carry out commands, all or none, as one step of everybody's undo. False when it cannot be, which is said."""
        if not commands:
            return True
        try:
            undo = perform(self.document, commands)
        except NodegraphError as error:
            for problem in error.problems:
                self._say(problem.describe())
            return False
        told = [command.as_data() for command in commands]
        fields: dict[str, Any] = {"commands": told, "label": label or commands[0].label()}
        if merge is not None:
            fields["merge"] = merge
        made = Waiting(0, list(commands), told, undo)
        self.waiting.append(made)
        made.number = self._ask("edit", self._answered, **fields)
        self.version += 1
        return True

    def undo(self) -> None:
        """Take the last step back, whoever did it."""
        self._step("undo")

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._step("redo")

    def _step(self, what: str) -> None:
        made = Waiting(0, [], [])
        self.waiting.append(made)
        made.number = self._ask(what, self._answered)

    def _answered(self, answer: Data) -> None:
        """The session tells of what it did before it answers: what still waits then was refused, or was nothing."""
        for problem in answer.get("error", ()):
            self._say(Problem(**problem).describe())
        if any(item.number == answer["re"] for item in self.waiting):
            self._take_back()
            self.waiting = [item for item in self.waiting if item.number != answer["re"]]
            self._do_again()
            self.version += 1

    # -- what the session tells

    def begin(self, hello: Data, *, load: bool = True) -> None:
        """The session is there (again). Without `load` somebody else asks for the document."""
        self._me = str(hello["you"])
        self.file = hello.get("file") if self.sheet is None else self.sheet
        if load:
            self._load()

    def hear(self, topic: str, data: Data) -> None:
        """News."""
        if data.get("sheet") != self.sheet:
            return  # of another one
        if topic == "changed":
            self._changed(data)
        elif topic == "opened":
            self.file = None
            self._ask("hello", self._renamed)
            self._load()
        elif topic == "saved":
            self.file, self.unsaved = str(data["path"]), False
            self.version += 1

    def _renamed(self, answer: Data) -> None:
        if "ok" in answer:
            self.file = answer["ok"].get("file")
            self.version += 1

    def _changed(self, data: Data) -> None:
        if self._loading or data["revision"] <= self.revision:
            return
        mine = data["by"] == self._me and bool(self.waiting)
        self.undo_label, self.redo_label = data.get("undo"), data.get("redo")
        self.unsaved = bool(data.get("unsaved", True))
        self.version += 1
        if data["revision"] != self.revision + 1:
            self._load()
            return
        self.revision += 1
        if mine and self.waiting[0].told and _same(self.waiting[0].told, data["commands"]):
            del self.waiting[0]  # what was done here is what was done there
            return
        self._take_back()
        if mine:
            del self.waiting[0]
        try:
            perform(self.document, commands_of(list(data["commands"])))
        except NodegraphError:  # a node kind is another here than there
            self._load()
        self._do_again()

    def _take_back(self) -> None:
        for item in reversed(self.waiting):
            try:
                perform(self.document, item.undo)
            except NodegraphError:  # it was done on top of something that has come otherwise: the whole comes anew
                self._load()
            item.undo = []

    def _do_again(self) -> None:
        for item in self.waiting:
            try:
                item.undo = perform(self.document, item.commands)
            except NodegraphError:  # what it was for is gone; the session says so, too
                item.undo = []

    def refresh(self) -> None:
        """Files that are kinds in it may be others now."""
        if self.document.graph.refresh():
            self.version += 1

    # -- the whole document

    def _load(self) -> None:
        if not self._loading:
            self._loading = True
            self._ask("document", self._loaded)

    def _loaded(self, answer: Data) -> None:
        self._loading = False
        if "ok" in answer:
            self.take(answer["ok"])

    def take(self, found: Data, me: str | None = None) -> None:
        """The whole document, as the session tells it; to whom, if that is not known yet."""
        self._me = me or self._me
        file = self.file if self.sheet is None else self.sheet
        kinds = PatchKinds(registry(), drafts=self._drafts)
        if file:
            kinds.lie_in(Path(file))
        document, problems = read(found["text"], file=file, kinds=kinds)
        for problem in problems:
            self._say(problem.describe())
        if document is None:
            return
        document.path = Path(file) if file else None
        self.document = document
        self.revision = int(found["revision"])
        self.undo_label, self.redo_label = found.get("undo"), found.get("redo")
        self.unsaved = bool(found.get("changed"))
        self.ready = True
        self._do_again()
        self.version += 1


def _same(told: Any, heard: Any) -> bool:
    """Whether two pieces of plain data are one; what is a tuple here comes as a list from there."""
    if isinstance(told, Mapping) and isinstance(heard, Mapping):
        return told.keys() == heard.keys() and all(_same(value, heard[key]) for key, value in told.items())
    if isinstance(told, (list, tuple)) and isinstance(heard, (list, tuple)):
        return len(told) == len(heard) and all(_same(*pair) for pair in zip(told, heard, strict=True))
    return type(told) is type(heard) and bool(told == heard)
