"""What the window is in: locked, so that hands play and do not edit, or presenting. Of the window, not of the patch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.commands import Command, Present, RemovePreset, RenamePreset, Set, SetNote, StorePreset
from nodegraph.editor.sheet import Sheet

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

PLAYS: Final = (Set, StorePreset, RemovePreset, RenamePreset)
"""What may be done when the patch is locked: values, and presets of them."""
LARGEST: Final = 2.0
"""No larger than so many times is what fills the window."""
LOCKED: Final = "The patch is locked: values can be changed, boxes cannot. The action 'lock' unlocks it."
PRESENTED: Final = "The patch is presented: only places can be changed here. Escape leaves."


class Modes:
    """The modes of one window."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.locked = False
        self._presented: tuple[Sheet, tuple[float, float, float], bool] | None = None
        """What is presented, with what was seen and whether it was locked before."""

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {"lock": self.lock, "present": self.present, "present-selected": self.mark}

    @property
    def presenting(self) -> bool:
        """Whether what is on top is presented."""
        return self._presented is not None

    @property
    def words(self) -> str:
        """The modes for the title and the window; nothing in the usual one."""
        found = [word for word, so in (("presented", self.presenting), ("locked", self.locked)) if so]
        return ", ".join(found)

    def refusal(self, commands: Iterable[Command] = ()) -> str | None:
        """Why these cannot be done now, or why nothing can be made; None when they can."""
        made = list(commands)
        if made and all(isinstance(command, PLAYS) for command in made):
            return None
        if self.locked:
            return LOCKED
        if self.presenting:
            moves = [item for item in made if isinstance(item, (Present, *PLAYS)) or _presents(item)]
            return None if made and len(moves) == len(made) else PRESENTED
        return None

    def refuses(self) -> bool:
        """Whether nothing can be made now, which is said."""
        why = self.refusal()
        if why is not None:
            self.editing.say(why)
        return why is not None

    def lock(self) -> None:
        """Boxes can be edited no more, or again."""
        self.locked = not self.locked
        self.editing.hands.cancel()
        self.editing.objects.answer(None)
        self.editing.noting.answer(None)
        self.editing.say(LOCKED if self.locked else "The patch is unlocked: boxes can be edited.")

    def present(self) -> None:
        """Show what is marked for it, or everything again."""
        if self.presenting:
            self.leave()
            return
        editing = self.editing
        sheet, view = editing.sheet, editing.viewport
        editing.hands.cancel()
        editing.objects.answer(None)
        editing.noting.answer(None)
        self._presented = sheet, (view.x, view.y, view.zoom), self.locked
        self.locked = True
        sheet.present(True)
        self.fit()

    def leave(self) -> None:
        """Everything is shown as before."""
        if self._presented is None:
            return
        sheet, (x, y, zoom), self.locked = self._presented
        self._presented = None
        sheet.present(False)
        sheet.viewport.x, sheet.viewport.y, sheet.viewport.zoom = x, y, zoom

    def fit(self) -> None:
        """What is presented fills the window."""
        if self._presented is not None:
            self._presented[0].show_all(self.editing.size, LARGEST)

    def mark(self) -> None:
        """What is selected is shown in a presentation, where it stands now; if all of it is, no more."""
        editing, document = self.editing, self.editing.mirror.document
        nodes = sorted(editing.selection.nodes)
        notes = sorted(editing.selection.notes)
        if not nodes and not notes:
            editing.say("Nothing is selected that could be presented.")
            return
        on = not all(node in document.presentation for node in nodes) or not all(
            "present" in document.notes[note] for note in notes
        )
        commands: list[Command] = []
        boxes, laid = editing.scene.boxes, editing.scene.notes
        places = {
            node: [round(boxes[node].x), round(boxes[node].y)] if on else None
            for node in nodes
            if not on or node not in document.presentation
        }
        if places:
            commands.append(Present(places))
        for note in notes:
            if not on or "present" not in document.notes[note]:
                at = [round(laid[note].x), round(laid[note].y)] if on else None
                commands.append(SetNote(note, {"present": at}))
        count = len(places) + len(notes)
        if editing.do(commands, "Present what is selected" if on else "Do not present what is selected"):
            editing.say(f"{count} {'is' if count == 1 else 'are'} {'' if on else 'not '}shown in the presentation.")


def _presents(command: Command) -> bool:
    return isinstance(command, SetNote) and command.values.keys() == {"present"}
