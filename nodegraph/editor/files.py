"""Patch files: which there are where the engine is, which were open last, another one, another name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from nodegraph.core.errors import Problem
from nodegraph.core.replacing import replace_file
from nodegraph.headless.places import state_root

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

SUFFIX: Final = ".ng"
MOST: Final = 20
Asked = Literal["open", "open-recent", "save-as"]
Sure = Callable[[str, str, list[tuple[str, Callable[[], Any]]]], None]
"""Asks a question: its title, its words, and what each answer does."""
STAY: Final = ("Go on", lambda: None)
"""The answer after which all is as it was."""


class Files:
    """What is asked about files. The window shows it: `asked`, and `offers` for what is typed."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.asked: Asked | None = None
        self.patches: list[str] = []
        """As the engine names them."""
        self.begin: Callable[[Path | None, Path], None] | None = None
        """Opens a file, or a new one, in a window with an engine of its own, from a folder. Without it the engine is
        another's, and what it plays is exchanged.
        """
        self.sure: Sure = lambda title, text, answers: answers[0][1]()
        editing.joined.append(lambda: self._remember(editing.sheets.open[0].mirror.file))
        editing.hear("saved", lambda data: self._remember(str(data["path"])))

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {
            "new": self.new, "open": lambda: self.ask("open"), "open-recent": lambda: self.ask("open-recent"),
            "save-as": lambda: self.ask("save-as"),
        }  # fmt: skip

    @property
    def _folder(self) -> Path:
        file = self.editing.sheets.open[0].mirror.file
        return Path(file).parent if file else Path()

    def new(self) -> None:
        """Begin a patch beside this one."""
        if self.begin is None:
            self.editing.say(
                "The engine plays one patch, for all who are joined to it. Save this one under another name."
            )
        else:
            self.begin(None, self._folder)

    def ask(self, what: Asked) -> None:
        """Ask for a file."""
        self.asked = what
        if what == "open-recent":
            self.patches = recent()
        else:
            self.patches = []
            self.editing.link.ask("files", self._came, kinds=["patch"])

    def _came(self, answer: Mapping[str, Any]) -> None:
        self.editing.tell_problems(answer)
        if self.asked in (None, "open-recent"):
            return  # something else is asked by now
        folders = answer.get("ok", {}).get("folders", ())
        self.patches = [item["path"] for folder in folders for item in folder["files"]]

    def offers(self, text: str) -> list[str]:
        """The files that a text may mean: those with all its words in their paths."""
        words = text.lower().split()
        return [path for path in self.patches if all(word in path.lower() for word in words)]

    def answer(self, path: str | None) -> None:
        """The file that is meant; None: none after all."""
        asked, self.asked = self.asked, None
        if path is None or not path.strip() or asked is None:
            return
        path = path.strip() if path.strip().endswith(SUFFIX) else f"{path.strip()}{SUFFIX}"
        if asked == "save-as":
            self._save_as(path)
        elif self.begin is not None:
            self._begin(path)
        else:
            self.exchange(path)

    def _begin(self, path: str) -> None:
        found = self._folder / Path(path).expanduser()
        if not found.is_file():
            self.editing.say(
                Problem("no-file", f"There is no file {str(found)!r}.", "Choose one of the list.").describe()
            )
            return
        assert self.begin is not None
        self.begin(found, self._folder)

    def exchange(self, path: str) -> None:
        """Have the engine play another patch in the place of this one. What is not saved is asked about first."""
        link, tell = self.editing.link, self.editing.tell_problems

        def go() -> None:
            link.ask("open", tell, path=path)

        def saved(answer: Mapping[str, Any]) -> None:
            tell(answer)
            if "error" not in answer:
                go()

        if not self.editing.sheets.unsaved:
            go()
            return
        title = self.editing.sheets.open[0].mirror.title
        answers = [("Save and open", lambda: link.ask("save", saved)), ("Open, and lose them", go), STAY]
        self.sure("Unsaved changes", f"{title} has changes that are not saved.", answers)

    def _save_as(self, path: str) -> None:
        link, tell = self.editing.link, self.editing.tell_problems

        def saved(answer: Mapping[str, Any]) -> None:
            if all(problem["code"] != "file-exists" for problem in answer.get("error", ())):
                tell(answer)
                return
            answers = [("Overwrite it", lambda: link.ask("save", tell, path=path, overwrite=True)), STAY]
            self.sure("There is such a file", f"{path} is there already.", answers)

        link.ask("save", saved, path=path)

    def _remember(self, file: str | None) -> None:
        if file and self.begin is not None:
            keep = [file, *(path for path in recent() if path != file)][:MOST]
            try:
                _recent_file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                replace_file(_recent_file(), json.dumps(keep).encode(), mode=0o600)
            except OSError as error:
                self.editing.say(f"What was open last cannot be kept: {error.strerror or error}.")


def recent() -> list[str]:
    """The patches that were open last, the last one first."""
    try:
        found = json.loads(_recent_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [path for path in found if isinstance(path, str) and Path(path).is_file()] if isinstance(found, list) else []


def _recent_file() -> Path:
    return state_root() / "editor-recent" / "patches.json"
