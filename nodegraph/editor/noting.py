"""Notes that are written: a comment, an area around boxes, an image, another text for one that is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.commands import AddNote, Command, RemoveNote, SetNote
from nodegraph.core.images import SUFFIXES
from nodegraph.core.notes import COLOURS, LARGEST, SMALLEST
from nodegraph.editor.notes import IMAGE, POINTS, free_id

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

AROUND: Final = 20.0
"""How much an area is larger than what it is around."""
TITLE: Final = 30.0
AREA: Final = (320.0, 200.0)
STEP: Final = 1.25
FIELD: Final = {"comment": "text", "panel": "text", "image": "file"}
"""What of a note is written by hand."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A text that is being asked for: of which kind of note, where, what stands there, and which note it is of."""

    kind: str
    x: float
    y: float
    text: str = ""
    note: str | None = None
    size: tuple[float, float] | None = None


class Noting:
    """What is being asked for, and what comes of the answer."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.asked: Asked | None = None
        self.left: Callable[[], None] = lambda: None
        """Is called when the hand goes elsewhere while something is being written."""

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {
            "comment": self.comment, "area": self.area, "image": self.image,
            "note-larger": lambda: self.scale(STEP), "note-smaller": lambda: self.scale(1 / STEP),
            "note-colour": self.colour,
        }  # fmt: skip

    # -- new ones

    def comment(self) -> None:
        """Ask for a comment at the cursor, or change the one that is selected."""
        self._new("comment")

    def image(self) -> None:
        """Ask for the file of an image at the cursor."""
        self._new("image")

    def _new(self, kind: str) -> None:
        if not self.editing.modes.refuses():
            self.asked = Asked(kind, *self.editing.here())

    def area(self) -> None:
        """Ask for the title of an area around what is selected, or at the cursor."""
        editing = self.editing
        if editing.modes.refuses():
            return
        bounds = editing.scene.bounds(editing.selection.nodes, editing.selection.notes)
        if bounds is None:
            self.asked = Asked("panel", *self.editing.here(), size=AREA)
            return
        left, top, right, bottom = bounds
        size = right - left + 2 * AROUND, bottom - top + 2 * AROUND + TITLE
        self.asked = Asked("panel", left - AROUND, top - AROUND - TITLE, size=size)

    # -- those that are there

    def edit(self, note: str) -> None:
        """Change what is written in a note."""
        box = self.editing.scene.notes.get(note)
        if box is not None and not self.editing.modes.refuses():
            self.editing.selection.only((), (), [note])
            text = box.file if box.kind == "image" else box.text
            self.asked = Asked(box.kind, box.x, box.y, text, note, (box.width, box.height))

    def edit_selected(self) -> bool:
        """The same for the one that is selected; False when it is not one note alone."""
        chosen = self.editing.selection
        if len(chosen.notes) == 1 and not chosen.nodes:
            self.edit(next(iter(chosen.notes)))
            return True
        return False

    def answer(self, text: str | None) -> bool:
        """What was written; None: nothing after all. False when it cannot be, which is said."""
        asked = self.asked
        if asked is None or text is None:
            self.asked = None
            return True
        text = text.rstrip() if asked.kind == "comment" else text.strip()
        commands = self._changed(asked, text) if asked.note is not None else self._added(asked, text)
        if commands is None or (commands and not self.editing.do(commands)):
            return False
        for command in commands:
            if isinstance(command, AddNote):
                self.editing.selection.only((), (), [command.note])
        self.asked = None
        return True

    def _changed(self, asked: Asked, text: str) -> list[Command] | None:
        assert asked.note is not None
        if text == asked.text or asked.note not in self.editing.mirror.document.notes:
            return []
        if text == "" and asked.kind == "comment":
            return [RemoveNote(asked.note)]
        if asked.kind == "image" and not self._names(text):
            return None
        return [SetNote(asked.note, {FIELD[asked.kind]: text})]

    def _added(self, asked: Asked, text: str) -> list[Command] | None:
        if text == "" and asked.kind != "panel":
            return []
        entry: dict[str, Any] = {"kind": asked.kind, FIELD[asked.kind]: text, "at": [round(asked.x), round(asked.y)]}
        if asked.kind == "image":
            if not self._names(text):
                return None
            entry["size"] = [round(side) for side in self.editing.pictures.fitting(text, IMAGE)]
        elif asked.size is not None:
            entry["size"] = [round(side) for side in asked.size]
        return [AddNote(free_id(self.editing.mirror.document.notes), entry)]

    def _names(self, text: str) -> bool:
        if text.lower().endswith(SUFFIXES):
            return True
        self.editing.say(f"'{text}' is no image: its name should end in {', '.join(SUFFIXES)}.")
        return False

    # -- how they look

    def scale(self, by: float) -> None:
        """The texts of the selected notes larger or smaller."""
        notes = self.editing.mirror.document.notes
        made: list[Command] = []
        for id in sorted(self.editing.selection.notes):
            points = round(min(LARGEST, max(SMALLEST, notes[id].get("points", POINTS) * by)))
            if notes[id]["kind"] != "image" and points != notes[id].get("points", POINTS):
                made.append(SetNote(id, {"points": points}))
        self.editing.do(
            made, "Larger text" if by > 1 else "Smaller text", merge=f"size of {sorted(self.editing.selection.notes)}"
        )

    def colour(self) -> None:
        """The next colour for the selected notes."""
        scene = self.editing.scene
        chosen = [scene.notes[id] for id in sorted(self.editing.selection.notes) if id in scene.notes]
        if chosen:
            before = chosen[0].colour
            at = COLOURS.index(before) if before in COLOURS else -1
            colour = COLOURS[(at + 1) % len(COLOURS)]
            self.editing.do([SetNote(box.note, {"colour": colour}) for box in chosen], f"Colour {colour}")
