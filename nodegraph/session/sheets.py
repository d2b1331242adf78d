"""The patch files inside a session's patch, edited while they play: every node that stands for one follows at once.

A sheet is one such file with an undo history of its own, under the path that `sheet` gave for it. Its text counts from
the first edit on (`core.drafts`); saving the patch writes the sheets that it uses, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nodegraph.api.patch import Patch
from nodegraph.api.places import folders
from nodegraph.core.commands import Command, perform
from nodegraph.core.drafts import Drafts
from nodegraph.core.errors import MediaError, NodegraphError, PatchError, Problem
from nodegraph.core.flatten import MOST_PLACES, places, subpatches
from nodegraph.core.hints import listed, quoted
from nodegraph.core.media import resolve_media
from nodegraph.core.patchfile import dumps, load, read
from nodegraph.core.subpatches import SUFFIX, PatchKinds
from nodegraph.session.updating import change_of, sounds_otherwise, stored

if TYPE_CHECKING:
    from nodegraph.session.session import Session

NEW: Final = '{"nodegraph": 1}\n'


@dataclass
class Sheet:
    """One patch file that is being edited. `revision` counts its edits; it skips one when the file is read anew."""

    path: Path
    patch: Patch
    revision: int = 0

    @property
    def name(self) -> str:
        """What clients call it."""
        return str(self.path)


class Sheets:
    """The sheets of one session. Its methods are called with the session's turn held."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._of: dict[str, Sheet] = {}

    def __iter__(self) -> Iterator[Sheet]:
        return iter(self._of.values())

    @property
    def drafts(self) -> Drafts:
        """Where the texts of the files are that count."""
        return self.session.patch.graph.registry.drafts

    @property
    def unsaved(self) -> bool:
        """Whether one that the patch uses is not in its file as it is now."""
        return any(sheet.patch.history.changed for sheet in self._used())

    def forget(self) -> None:
        """The session plays another patch."""
        self._of.clear()

    def get(self, name: str) -> Sheet:
        """The sheet of this name. Raises PatchError."""
        found = self._of.get(name)
        if found is None:
            do = f"Ask for a 'sheet'; there are {listed(self._of, 'none')}."
            raise PatchError(Problem("unknown-sheet", f"There is no sheet {quoted(name)}.", do))
        return found

    def open(self, kind: str, within: str | None = None, text: str | None = None, *, by: str) -> Sheet:
        """The sheet of the file that is a node kind, as it is named in the patch, or in the sheet `within`.

        `text` begins a file that is not there yet. A file that is another than when it was read, and was not edited
        here, is read anew. Raises PatchError.
        """
        session = self.session
        document = session.patch.document if within is None else self.get(within).patch.document
        if not kind.endswith(SUFFIX):
            raise PatchError(Problem("not-a-patch", f"{quoted(kind)} is no patch.", "Its name should end in .ng."))
        try:
            path = resolve_media(document.folder, kind, folders(session.patch.media))
        except MediaError as error:
            raise PatchError(error.problems) from error
        if session.patch.path is not None and path == session.patch.path.resolve():
            raise PatchError(Problem("recursive-patch", f"{quoted(kind)} is the patch itself.", "Edit it as it is."))
        found = self._of.get(str(path))
        if text is not None:
            if path.exists() or self.drafts.text(path) is not None:
                raise PatchError(Problem("file-exists", f"There is {quoted(kind)} already.", "Give another name."))
            return self._take(self._begun(path, text), by)
        if found is not None and (found.patch.history.changed or _same(found)):
            return found
        return self._take(self._read(path), by)

    def _read(self, path: Path) -> Sheet:
        """A sheet as it lies on the disk; a draft from before counts no more."""
        draft = self.drafts.text(path)
        self.drafts.put(path, None)
        try:
            return Sheet(path, Patch(document=load(path, kinds=self._kinds(path))))
        except NodegraphError:
            self.drafts.put(path, draft)
            raise

    def _take(self, sheet: Sheet, by: str) -> Sheet:
        """Know it from now on, in the place of what was known of its file: whoever has a copy of that is told so."""
        before = self._of.get(sheet.name)
        self._of[sheet.name] = sheet
        if before is not None:
            sheet.revision = before.revision + 2  # one more would be an edit, to be done in the copy as well
            change = change_of(sheet.patch.history, sheet.revision, [], by)
            self.session.news.tell("changed", {"sheet": sheet.name, "under": [], **change})
        return sheet

    def _kinds(self, path: Path) -> PatchKinds:
        known = self.session.patch.graph.registry
        kinds = PatchKinds(known, media=list(known.media), drafts=known.drafts)
        kinds.lie_in(path)
        return kinds

    def _begun(self, path: Path, text: str) -> Sheet:
        """A sheet with a text that is in no file."""
        document, problems = read(text or NEW, file=str(path), kinds=self._kinds(path))
        if document is None or problems:
            raise PatchError(problems)
        document.path = path
        made = Sheet(path, Patch(document=document))
        made.patch.history.unsaved()
        self.drafts.put(path, dumps(document))
        return made

    def restore(self, texts: Mapping[str, str]) -> None:
        """Take up sheets that were never saved."""
        for name, text in texts.items():
            self._of[name] = self._begun(Path(name), text)
        self.session.patch.graph.refresh()

    # -- edits

    def edit(
        self, name: str, commands: Iterable[Command], *, label: str = "", merge: object = None, by: str
    ) -> list[Command]:
        """Carry out commands on a sheet as one step, and play the patch as it is then. Raises PatchError and so on; all
        is as before then.
        """
        sheet, made = self.get(name), list(commands)
        sheet.patch.graph.refresh()
        document = sheet.patch.document
        undo = perform(document, made)
        if not undo:
            return []
        sounds = sounds_otherwise(made)
        try:
            self._play(sheet, sounds)
        except NodegraphError:
            perform(document, undo)
            self._play(sheet)
            raise
        sheet.patch.history.done(made, undo, label=label, merge=None if merge is None else (by, merge))
        self._changed(sheet, by, sounds)
        return made

    def undo(self, name: str, *, by: str) -> str | None:
        """Take the last step of a sheet back."""
        sheet = self.get(name)
        return self._go(sheet, sheet.patch.undo, sheet.patch.redo, by)

    def redo(self, name: str, *, by: str) -> str | None:
        """Do again what was taken back last in a sheet."""
        sheet = self.get(name)
        return self._go(sheet, sheet.patch.redo, sheet.patch.undo, by)

    def _go(self, sheet: Sheet, there: Callable[[], str | None], back: Callable[[], str | None], by: str) -> str | None:
        label = there()
        if label is not None:
            sounds = sounds_otherwise(sheet.patch.history.last)
            try:
                self._play(sheet, sounds)
            except NodegraphError:
                back()
                self._play(sheet)
                raise
            self._changed(sheet, by, sounds)
        return label

    def _play(self, sheet: Sheet, sounds: bool = True) -> None:
        """Let the text of a sheet count; without `sounds` it only looks otherwise, and the engine is left alone."""
        self.drafts.put(sheet.path, dumps(sheet.patch.document))
        if sounds:
            self.session._update()
            for other in self:
                other.patch.graph.refresh()

    def _changed(self, sheet: Sheet, by: str, sounds: bool = True) -> None:
        history = sheet.patch.history
        sheet.revision += 1
        settled: list[str] = []
        under: list[str] = []
        if sounds:
            found = islice(places(self.session.patch.document), MOST_PLACES)
            under = [prefix for prefix, inner in found if inner.path == sheet.path]
            settled = self.session.parameters_changed(stored(history.last, under))
        if not history.changed and _same(sheet):
            self.drafts.put(sheet.path, None)
        told = change_of(history, sheet.revision, settled, by)
        self.session.news.tell("changed", {"sheet": sheet.name, "under": under, **told})

    # -- files

    def save(self, name: str, *, by: str) -> Path:
        """Write a sheet to its file. Raises PatchFileError."""
        sheet = self.get(name)
        saved = sheet.patch.save()
        self.drafts.put(sheet.path, None)
        self.session.news.tell("saved", {"path": str(saved), "by": by, "sheet": sheet.name})
        return saved

    def save_all(self, *, by: str) -> None:
        """Write the sheets that the patch uses and that are not in their files as they are now."""
        for sheet in list(self._used()):
            if sheet.patch.history.changed:
                self.save(sheet.name, by=by)

    def _used(self) -> Iterator[Sheet]:
        """The sheets that the patch holds, or whose files are there anyway."""
        inside = {document.path for document in subpatches(self.session.patch.document)} if self._of else set()
        return (sheet for sheet in self if sheet.path in inside or sheet.path.exists())


def sheet_data(sheet: Sheet) -> dict[str, Any]:
    """A sheet as `document` tells it."""
    history = sheet.patch.history
    return {
        "sheet": sheet.name, "text": str(sheet.patch), "revision": sheet.revision, "changed": history.changed,
        "undo": history.undo_label, "redo": history.redo_label,
    }  # fmt: skip


def _same(sheet: Sheet) -> bool:
    """Whether its file holds what it is."""
    try:
        return sheet.path.read_text(encoding="utf-8") == str(sheet.patch)
    except (OSError, UnicodeError):
        return False
