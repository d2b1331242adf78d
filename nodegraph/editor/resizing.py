"""Notes that get another size by their corner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from nodegraph.core.commands import Command, SetNote
from nodegraph.editor.notes import SMALLEST
from nodegraph.editor.scene import Scene
from nodegraph.editor.selection import Selection
from nodegraph.editor.viewport import Viewport

Point = tuple[float, float]
CORNER: Final = 9.0
"""How near to the corner of a note, in points of the screen at the usual size of everything, is at it."""


class Desk(Protocol):
    """Where the notes lie."""

    scene: Scene
    selection: Selection
    viewport: Viewport

    @property
    def natural(self) -> float: ...

    def do(self, commands: list[Command], label: str = "") -> bool: ...


@dataclass
class Resizing:
    """The corner of a note in the hand, and how much beside it the hand took it."""

    note: str
    beside: Point
    size: Point | None = None

    def move(self, scene: Scene, x: float, y: float) -> None:
        """The hand is elsewhere. An image keeps its shape."""
        note = scene.notes[self.note]
        width = max(SMALLEST, x + self.beside[0] - note.x)
        height = max(SMALLEST, y + self.beside[1] - note.y)
        if note.kind == "image":
            shape = note.height / note.width
            width = max(width, height / shape)
            height = width * shape
        self.size = width, height
        scene.resize(self.note, self.size)

    def again(self, scene: Scene) -> bool:
        """Everything was laid out anew. False: the note is gone."""
        if self.note in scene.notes and self.size is not None:
            scene.resize(self.note, self.size)
        return self.note in scene.notes


def corner_at(desk: Desk, x: float, y: float) -> Resizing | None:
    """The corner of a selected note at a place of the patch."""
    reach = CORNER * desk.natural / desk.viewport.zoom
    for id in () if desk.scene.presenting else desk.selection.notes:
        note = desk.scene.notes.get(id)
        if note is not None and abs(note.corner[0] - x) <= reach and abs(note.corner[1] - y) <= reach:
            return Resizing(id, (note.corner[0] - x, note.corner[1] - y))
    return None


def let_go(desk: Desk, doing: object) -> None:
    """The note has its size."""
    if isinstance(doing, Resizing) and doing.size is not None:
        size = [round(side) for side in doing.size]
        if not desk.do([SetNote(doing.note, {"size": size})], f"Resize {doing.note}"):
            as_told(desk.scene, doing.note)


def as_told(scene: Scene, id: str) -> None:
    """As large as the document says."""
    if id in scene.notes and id in scene.document.notes:
        scene.resize(id, scene.document.notes[id].get("size"))
