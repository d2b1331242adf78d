"""Finding one's way in a patch: find, the palette, the outline, the map, and the way to a box."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from nodegraph.editor.comparing import Comparing
from nodegraph.editor.joining import ConnectQuestion, connect_selected
from nodegraph.editor.minimap import MiniMap
from nodegraph.editor.outlining import Outlining
from nodegraph.editor.palette import Palette, PaletteQuestion
from nodegraph.editor.question import Question
from nodegraph.editor.scene import Box
from nodegraph.editor.searching import Find

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

ROOM: Final = (60.0, 120.0, 60.0, 60.0)
"""So much is left around what is brought into view: left, above, right, below. Above stands the field of a question."""


class Wayfinding:
    """What is asked, and where to go."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.question: Question | None = None
        """What is being asked in a field."""
        self.palette = Palette(editing)
        self.map = MiniMap(editing)
        self.outline = Outlining(editing, self.ask, self.go)
        self.comparing = Comparing(editing, self.ask)

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        editing = self.editing
        return {
            "find": lambda: self.ask(Find(editing, self.go)),
            "palette": lambda: self.ask(PaletteQuestion(self.palette)),
            "connect": lambda: self.ask(ConnectQuestion(editing)),
            "connect-selected": lambda: connect_selected(editing),
            "minimap": self.map.toggle,
            "outline-text": self.outline.copy,
            **self.comparing.actions(),
        }

    # -- questions

    def ask(self, question: Question) -> None:
        """Ask this, and nothing else."""
        self.close()
        self.editing.objects.answer(None)
        self.question = question

    def answer(self, text: str) -> str | None:
        """Enter, at the question that stands. What stands in the field then; None: what stood there."""
        question = self.question
        if question is None:
            return None
        question.typed(text)
        answer = question.answer(text, question.row)
        if isinstance(answer, str):
            return answer
        if answer and self.question is question:
            self.close()
        return None

    def close(self) -> None:
        """Ask no more."""
        question, self.question = self.question, None
        if question is not None:
            question.closed()

    # -- places

    def go(self, nodes: Iterable[str], *, select: bool = True) -> None:
        """Select boxes, and bring them into view where they are not seen whole."""
        editing = self.editing
        there = [node for node in nodes if node in editing.scene.boxes]
        if select:
            editing.selection.only(there)
        self.bring([editing.scene.boxes[node] for node in there])

    def bring(self, boxes: Sequence[Box]) -> None:
        """Bring boxes into view where they are not seen whole."""
        if boxes:
            left, top = min(box.x for box in boxes), min(box.y for box in boxes)
            right = max(box.x + box.width for box in boxes)
            bottom = max(box.y + box.height for box in boxes)
            self.editing.viewport.bring(left, top, right, bottom, *self.editing.size, ROOM)
