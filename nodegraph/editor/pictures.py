"""The images of notes: found on this machine beside the patch, or asked of the engine. Each is read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.errors import MediaError, Problem
from nodegraph.core.images import size_of
from nodegraph.core.media import SOUND, media_folders, resolve_media

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing
    from nodegraph.editor.mirror import Mirror

MOST_BYTES: Final = 32 << 20
HEAD: Final = 1 << 18


@dataclass
class Picture:
    """One image: its size and where it is (`path`, or `data` that came over the wire), or what is `wrong` with it.

    Neither: it is being asked for.
    """

    width: int = 0
    height: int = 0
    path: Path | None = None
    data: bytes = b""
    wrong: str = ""

    @property
    def ready(self) -> bool:
        """Whether it can be shown."""
        return self.path is not None or bool(self.data)


class Pictures:
    """The images of one editor, by their names in the patch."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.version = 0
        """Another number whenever one has come."""
        self._found: dict[tuple[Path | None, str], Picture] = {}
        editing.joined.append(self.again)
        for topic in ("opened", "saved"):
            editing.hear(topic, lambda data: self.again())

    def get(self, file: str) -> Picture:
        """An image of the sheet on top by its name."""
        folder = _folder(self.editing.mirror)
        found = self._found.get((folder, file))
        if found is None:
            found = self._found[folder, file] = self._look(folder, file)
        return found

    def again(self) -> None:
        """Those that could not be read may be there now."""
        self._found = {key: picture for key, picture in self._found.items() if picture.ready}
        self.version += 1

    def keep(self) -> list[Picture]:
        """Let go of those that no open sheet shows; gives the others."""
        shown = {
            (_folder(sheet.mirror), note.file)
            for sheet in self.editing.sheets.open
            for note in sheet.scene.notes.values()
            if note.kind == "image"
        }
        self._found = {key: picture for key, picture in self._found.items() if key in shown}
        return list(self._found.values())

    def fitting(self, file: str, within: tuple[float, float]) -> tuple[float, float]:
        """The size in which it is shown at first: of its own shape, if that is known."""
        picture = self.get(file)
        if not picture.ready:
            return within
        scale = min(within[0] / picture.width, within[1] / picture.height)
        return max(1.0, picture.width * scale), max(1.0, picture.height * scale)

    def _look(self, folder: Path | None, file: str) -> Picture:
        if folder is not None and not file.startswith(SOUND):
            try:
                path = resolve_media(folder, file, media_folders())
                if path.is_file():
                    return self._read(path)
            except MediaError as error:
                return Picture(wrong=error.problems[0].describe())
            except OSError as error:
                return Picture(wrong=f"It cannot be read: {error.strerror or error}.")
        return self._ask(file)

    def _read(self, path: Path) -> Picture:
        with open(path, "rb") as stream:
            head = stream.read(HEAD)
        if path.stat().st_size > MOST_BYTES:
            return Picture(wrong=f"The file has more than {MOST_BYTES >> 20} MiB. Make it smaller.")
        return Picture(*size_of(head), path)

    def _ask(self, file: str) -> Picture:
        """Have the engine send it: it may lie on another machine, or in media folders that are declared there."""
        made = Picture()

        def told(answer: Mapping[str, Any]) -> None:
            if "ok" in answer:
                try:
                    made.data = bytes(answer["ok"]["data"])
                    made.width, made.height = size_of(made.data)
                except (MediaError, TypeError, KeyError):
                    made.data, made.wrong = b"", "What the engine sent is no image."
            else:
                problems = [Problem(**problem) for problem in answer.get("error", ())]
                made.wrong = problems[0].describe() if problems else "The engine did not send it."
            self.version += 1

        if self.editing.link.up:
            self.editing.link.ask("picture", told, file=file)
        else:
            made.wrong = "The engine is away."
        return made


def _folder(mirror: Mirror) -> Path | None:
    """The folder of a document, if it is on this machine."""
    path = mirror.document.path
    return path.parent if path is not None and path.is_file() else None
