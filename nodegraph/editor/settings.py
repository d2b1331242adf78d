"""What a user has decided about the editor: one file, ``editor.json`` in the config folder, and the actions for it.

The file holds only what was decided. What it holds besides, of another version, is kept. What is wrong in it is said,
and the usual holds; a file that cannot be read at all is left as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.folders import config_root
from nodegraph.core.hints import shown
from nodegraph.core.replacing import replace_file
from nodegraph.editor.themes import THEMES

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

SMALLEST: Final = 0.8
LARGEST: Final = 2.5
SIZES: Final = (0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5)
"""The sizes of everything that the actions step through."""
GRID: Final = 10.0
"""Where boxes snap to, in points of the patch."""
SIDES: Final = ("left", "right", "bottom")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_size(value: Any) -> bool:
    return value is None or (_is_number(value) and SMALLEST <= value <= LARGEST)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_panels(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _is_window(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and len(value) == 2 and all(_is_number(item) and 1 <= item < 100_000 for item in value)
    )


def _is_docks(value: Any) -> bool:
    return isinstance(value, dict) and all(
        key in SIDES and _is_number(item) and 1 <= item < 100_000 for key, item in value.items()
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing to decide: what holds otherwise, what may be written, and in which words."""

    usual: Any
    legal: Callable[[Any], bool]
    words: str


DECISIONS: Final[Mapping[str, Decision]] = {
    "theme": Decision("neon", lambda value: isinstance(value, str) and value in THEMES, 'It takes "neon" or "light".'),
    "size": Decision(None, _is_size, f"It takes a number from {SMALLEST} to {LARGEST}, or null for the screen's."),
    "reduced_motion": Decision(False, _is_flag, "It takes true or false."),
    "grid": Decision(False, _is_flag, "It takes true or false."),
    "panels": Decision(None, _is_panels, 'It takes names of panels: ["inspector"], or null for the usual ones.'),
    "window": Decision(None, _is_window, "It takes width and height: [1280, 800], or null."),
    "docks": Decision({}, _is_docks, 'It takes points for "left", "right" and "bottom": {"left": 290}.'),
    "toured": Decision(False, _is_flag, "It takes true or false."),
}


def settings_file() -> Path:
    """Where they stand."""
    return config_root() / "editor.json"


class Settings:
    """All decisions of one user."""

    def __init__(self, path: Path | None = None) -> None:
        """Read from a file; without one they are remembered by nobody."""
        self.path = path
        self.problems: list[Problem] = []
        """What is wrong with the file."""
        self.known = False
        """Whether there was a file: the editor was used before."""
        self.listeners: list[Callable[[], None]] = []
        """Are called after a change."""
        self._mine: dict[str, Any] = {}
        data = self._read(self.problems)
        self.known = data is None or bool(data)
        self._values = {key: decision.usual for key, decision in DECISIONS.items()}
        for key, value in (data or {}).items():
            decision = DECISIONS.get(key)
            if decision is None:
                continue
            if decision.legal(value):
                self._values[key] = value
            else:
                self.problems.append(_wrong(key, value, str(path)))

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    @property
    def theme(self) -> str:
        return str(self["theme"])

    @property
    def reduced_motion(self) -> bool:
        return bool(self["reduced_motion"])

    @property
    def step(self) -> float | None:
        """The grid to which boxes that are moved by hand snap; None for none."""
        return GRID if self["grid"] else None

    def change(self, **values: Any) -> None:
        """Decide otherwise; `save` keeps it. Raises PatchError."""
        for key, value in values.items():
            if not DECISIONS[key].legal(value):
                raise PatchError(_wrong(key, value, ""))
        values = {key: value for key, value in values.items() if value != self._values[key]}
        if values:
            self._values |= values
            self._mine |= values
            for call in self.listeners:
                call()

    def save(self) -> None:
        """Write what was decided here into the file, beside what others have written there. Raises PatchError."""
        if self.path is None or not self._mine:
            return
        problems: list[Problem] = []
        data = self._read(problems)
        if data is None:
            raise PatchError(problems)
        text = json.dumps(data | self._mine, indent=2, ensure_ascii=False) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, text.encode())
        except OSError as error:
            what = f"The settings cannot be written: {error.strerror or error}."
            raise PatchError(Problem("bad-settings", what, "Set NODEGRAPH_CONFIG.", str(self.path))) from error
        self._mine.clear()

    def _read(self, problems: list[Problem]) -> dict[str, Any] | None:
        """What the file holds; None when that is nothing that can be kept."""
        if self.path is None:
            return {}
        do = "Mend the file, or take it away; nothing is written to it before."
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            problems.append(Problem("bad-settings", f"The settings cannot be read: {error}.", do, str(self.path)))
            return None
        if not isinstance(data, dict):
            problems.append(Problem("bad-settings", f"These are no settings: {shown(data)}.", do, str(self.path)))
            return None
        return data


def _wrong(key: str, value: Any, file: str) -> Problem:
    return Problem("bad-settings", f"'{key}' cannot be {shown(value)}.", DECISIONS[key].words, file)


class Choices:
    """The actions of one editor for its settings."""

    def __init__(self, editing: Editing, settings: Settings) -> None:
        self.editing, self.settings = editing, settings
        self.screen = 1.0
        """The size that the screen asks for."""
        self.size = 1.0
        """The size of everything that is in force."""
        for problem in settings.problems:
            editing.say(problem.describe())
        settings.listeners.append(self.follow)

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {
            "theme": self.other_theme, "size-up": lambda: self.step(1), "size-down": lambda: self.step(-1),
            "size-none": lambda: self.decide(size=None),
            "reduced-motion": lambda: self.decide(reduced_motion=not self.settings["reduced_motion"]),
            "grid": lambda: self.decide(grid=not self.settings["grid"]),
        }  # fmt: skip

    def decide(self, **values: Any) -> None:
        """Change settings, and keep them. What cannot be is said."""
        try:
            self.settings.change(**values)
            self.settings.save()
        except PatchError as error:
            self.editing.tell(error)

    def begin(self, screen: float) -> None:
        """A window is there, on a screen that asks for a size."""
        self.screen = min(LARGEST, max(SMALLEST, screen))
        self.follow()

    def follow(self) -> None:
        """Bring the views to the size that is in force."""
        size = float(self.settings["size"] or self.screen)
        if size != self.size:
            ratio, self.size = size / self.size, size
            for sheet in self.editing.sheets.open:
                view = sheet.viewport
                view.zoom_to(view.zoom * ratio, self.editing.size[0] / 2, self.editing.size[1] / 2)

    def other_theme(self) -> None:
        """The next one."""
        names = list(THEMES)
        self.decide(theme=names[(names.index(self.settings.theme) + 1) % len(names)])

    def step(self, by: int) -> None:
        """Everything larger or smaller."""
        others = [size for size in SIZES if (size > self.size + 1e-6 if by > 0 else size < self.size - 1e-6)]
        if others:
            self.decide(size=others[0] if by > 0 else others[-1])
