"""The patch as it is, compared with another version of it: the file as saved last, a revision of git, another file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nodegraph.core.cable import Cable
from nodegraph.core.difference import Change, Difference, difference
from nodegraph.core.document import Document
from nodegraph.core.patchfile import read
from nodegraph.editor.question import Question, Row
from nodegraph.editor.scene import Box, Point, Scene
from nodegraph.editor.sheet import Sheet

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing


class Comparing:
    """With which version the patch is compared, and what is different. It follows every edit."""

    def __init__(self, editing: Editing, ask: Callable[[Question], None]) -> None:
        self.editing, self._ask = editing, ask
        self.of = ""
        """Which version it is."""
        self.number = 0
        """Another one whenever it is compared with something else."""
        self.ghosts = Scene()
        """That version as it was laid out: what is gone is drawn from it."""
        self._sheet: Sheet = editing.sheet
        """What is compared."""
        self._old: Document | None = None
        self._asked: dict[str, str] = {}
        self._found: Difference | None = None
        self._look: Any = None
        editing.hear("saved", lambda data: self._again())
        editing.hear("opened", lambda data: self.stop())

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {"diff": self.toggle, "diff-with": lambda: self._ask(VersionQuestion(self))}

    @property
    def active(self) -> bool:
        """Whether a comparison is shown."""
        return self._old is not None

    def toggle(self) -> None:
        """Compare with the file as it was saved last; comparing already: cease."""
        if self.active:
            self.stop()
            self.editing.show_panel("diff", False)
        else:
            self.start()

    def start(self, **version: str) -> None:
        """Compare with a version: a `path`, a `revision`, else the file as it was saved last."""
        self._asked, self._sheet = version, self.editing.sheet
        self._ask_version()

    def _ask_version(self) -> None:
        sheet = self._sheet.mirror.sheet
        fields: dict[str, Any] = dict(self._asked) if sheet is None else {**self._asked, "sheet": sheet}
        self.editing.link.ask("version", self._answered, **fields)

    def closed(self, sheet: Sheet) -> None:
        """A sheet is on the desk no more."""
        if sheet is self._sheet:
            self.stop()
            self._sheet = self.editing.sheet

    def stop(self) -> None:
        """Compare with nothing."""
        if self._old is not None:
            self._old = self._found = None
            self.of = ""
            self.number += 1

    def _again(self) -> None:
        if self.active and not self._asked:
            self._ask_version()

    def _answered(self, answer: Mapping[str, Any]) -> None:
        if "error" in answer:
            self.editing.tell_problems(answer)
            return
        kinds = self._sheet.mirror.document.graph.registry
        document, problems = read(answer["ok"]["text"], kinds=kinds)
        for problem in problems:
            self.editing.say(problem.describe())
        if document is not None:
            self._old, self.of = document, str(answer["ok"]["of"])
            self.number += 1
            self.ghosts.follow(document)
            found = self.found
            count = len(found.changes) if found else 0
            words = "nothing is different" if not count else f"{count} change{'s' * (count != 1)}"
            self.editing.say(f"Compared with {self.of}: {words}.")
            self.editing.show_panel("diff", True)

    @property
    def look(self) -> tuple[int, int]:
        """Another one whenever something else is different."""
        return self.number, self._sheet.mirror.version if self.active else 0

    @property
    def found(self) -> Difference | None:
        """What is different now; None when nothing is compared."""
        if self._old is None:
            return None
        if self._found is None or self.look != self._look:
            self._look = self.look
            self._found = difference(self._old, self._sheet.mirror.document)
        return self._found

    # -- where it is drawn

    def on_top(self) -> bool:
        """Whether the sheet that is compared lies on top."""
        return self.editing.sheet is self._sheet

    def ghost(self, node: str) -> Box | None:
        """The box of a node that is gone, where it was."""
        return self.ghosts.boxes.get(node)

    def ends(self, cable: Cable) -> tuple[Point, Point] | None:
        """Where a cable that is there or gone begins and ends: at boxes that are there, else where they were."""
        start = self._end(cable.from_node, cable.from_port, True)
        end = self._end(cable.to_node, cable.to_port, False)
        return None if start is None or end is None else (start, end)

    def _end(self, node: str, name: str, out: bool) -> Point | None:
        scene = self._sheet.scene
        port = scene.port(node, name, out)
        if port is not None:
            return scene.boxes[node].place(port)
        old = self._found.old_id(node) if self._found is not None else node
        was = self.ghosts.port(old, name, out)
        if was is None:
            return None
        box = scene.boxes.get(node)
        return self.ghosts.boxes[old].place(was) if box is None else (
            box.x + was.at, box.y + (box.height if out else 0.0))  # fmt: skip

    def go(self, change: Change) -> None:
        """Go where something is different."""
        editing = self.editing
        editing.sheets.show(self._sheet)
        editing.follow()
        here = [node for node in change.nodes if node in editing.scene.boxes]
        cables = {change.cable} if change.cable in editing.mirror.document.graph.cables else set()
        editing.selection.only([] if change.of == "cable" else here, {cable for cable in cables if cable})
        boxes = [editing.scene.boxes.get(node) or self.ghost(node) for node in change.nodes]
        editing.ways.bring([box for box in boxes if box is not None])


class VersionQuestion(Question):
    """With which version to compare."""

    title, hint = "Compare with", "empty: as saved; HEAD, main~2: of git; other.ng: a file"

    def __init__(self, comparing: Comparing) -> None:
        super().__init__()
        self.comparing = comparing

    def offers(self, text: str) -> list[Row]:
        known = [Row("", "the file as saved last"), Row("HEAD", "the last commit"), Row("HEAD~1", "the one before")]
        return [row for row in known if row.text.startswith(text)]

    def answer(self, text: str, row: Row | None) -> bool:
        text = text.strip() or (row.text if row is not None else "")
        if not text:
            self.comparing.start()
        elif text.lower().endswith(".ng"):
            self.comparing.start(path=text)
        else:
            self.comparing.start(revision=text)
        return True
