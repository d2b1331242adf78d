"""Where notes lie: comments, panels and images, laid out from what the document tells. In points of the patch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nodegraph.core.cable import natural
from nodegraph.core.document import Document
from nodegraph.core.notes import KINDS
from nodegraph.editor.texts import wrapped

Point = tuple[float, float]
POINTS: Final = 15.0
"""The height of a text that tells none."""
CHARACTER: Final = 0.54
"""The width of a character of height 1."""
LINE: Final = 1.3
PADDING: Final = 8.0
IMAGE: Final = (240.0, 160.0)
"""The size of an image that tells none."""
SMALLEST: Final = 20.0
"""No hand makes a note narrower or lower."""
COLOUR: Final = {"comment": "white", "panel": "purple", "image": "grey"}


@dataclass(slots=True)
class NoteBox:
    """One note on the canvas."""

    note: str
    kind: str
    x: float
    y: float
    width: float
    height: float
    text: str
    lines: tuple[str, ...]
    points: float
    colour: str
    file: str = ""

    @property
    def corner(self) -> Point:
        """Where it is taken to make it larger."""
        return self.x + self.width, self.y + self.height

    @property
    def title(self) -> float:
        """How high the band of a panel's title is."""
        return self.points * LINE + PADDING

    def holds(self, x: float, y: float) -> bool:
        """Whether a hand takes it there: a panel by its title alone, for boxes are framed within it."""
        height = min(self.title, self.height) if self.kind == "panel" else self.height
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + height

    def meets(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Whether a frame takes it: a panel must lie in it, of others it takes a part."""
        if self.kind == "panel":
            return left <= self.x and self.corner[0] <= right and top <= self.y and self.corner[1] <= bottom
        return self.x <= right and left <= self.corner[0] and self.y <= bottom and top <= self.corner[1]

    def surrounds(self, other: Any) -> bool:
        """Whether the middle of a box or of a smaller note lies in it."""
        x, y = other.x + other.width / 2, other.y + other.height / 2
        inside = self.x <= x <= self.corner[0] and self.y <= y <= self.corner[1]
        return bool(inside and other.width * other.height < self.width * self.height)


def lay_out(document: Document, presenting: bool = False) -> dict[str, NoteBox]:
    """All notes, those that lie below others first; of a presented patch those that are shown then."""
    found = [
        _laid(id, note, note["present"] if presenting else note["at"])
        for id, note in document.notes.items()
        if note["kind"] in KINDS and (not presenting or "present" in note)
    ]
    order = {"panel": 0, "image": 1, "comment": 2}
    found.sort(key=lambda item: (order[item.kind], _below(item), natural(item.note)))
    return {item.note: item for item in found}


def _below(item: NoteBox) -> float:
    return -item.width * item.height if item.kind == "panel" else 0.0


def _laid(id: str, note: Mapping[str, Any], at: Any) -> NoteBox:
    kind = note["kind"]
    made = NoteBox(
        id, kind, float(at[0]), float(at[1]), 0.0, 0.0, note.get("text", ""), (), float(note.get("points", POINTS)),
        note.get("colour", COLOUR[kind]), note.get("file", ""),
    )  # fmt: skip
    resize(made, note.get("size"))
    return made


def resize(box: NoteBox, size: Any) -> None:
    """Another size, or as large as it wants to be (None): a comment is as high as its text at least."""
    if box.kind == "comment":
        letter, line = CHARACTER * box.points, LINE * box.points
        across = None if size is None else int((size[0] - 2 * PADDING) / letter)
        box.lines = tuple(wrapped(box.text, across))
        widest = max(map(len, box.lines)) * letter + 2 * PADDING
        box.width = max(widest, 2 * SMALLEST) if size is None else float(size[0])
        box.height = max(len(box.lines) * line + 2 * PADDING, 0.0 if size is None else float(size[1]))
        return
    box.lines = tuple(box.text.split("\n")[:1])
    box.width, box.height = map(float, IMAGE if size is None else size)


def free_id(notes: Iterable[str]) -> str:
    """The next id that is free: ``n1``, ``n2``."""
    taken, number = set(notes), 1
    while f"n{number}" in taken:
        number += 1
    return f"n{number}"
