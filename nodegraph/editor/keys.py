"""Every action that has a name, and the keys for it: one table, so that they can be listed and changed.

A user's own keys stand in ``keys.json`` in the config folder: ``{"duplicate": ["ctrl+alt+d"], "play": []}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.folders import config_root
from nodegraph.core.hints import did_you_mean, listed, quoted, shown

MODIFIERS: Final = ("ctrl", "alt", "shift")
"""In the order in which they are written. On a Mac, ctrl is the command key."""
NAMED: Final = (
    "enter", "escape", "tab", "space", "delete", "backspace", "left", "right", "up", "down", "home", "end", "pageup",
    "pagedown", "plus", "minus", "period", "comma", "slash",
)  # fmt: skip
KEYS: Final = frozenset((*NAMED, *"abcdefghijklmnopqrstuvwxyz0123456789", *(f"f{number}" for number in range(1, 13))))


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done: its name for programs, its words for people, and its keys."""

    name: str
    words: str
    menu: str
    keys: tuple[str, ...] = ()
    again: bool = False
    """Whether it is done again and again while its keys are held."""


ACTIONS: Final = (
    Action("new", "New patch", "File", ("ctrl+shift+n",)),
    Action("open", "Open…", "File", ("ctrl+o",)),
    Action("open-recent", "Open one of the last…", "File", ("ctrl+alt+o",)),
    Action("save", "Save", "File", ("ctrl+s",)),
    Action("save-as", "Save as…", "File", ("ctrl+shift+s",)),
    Action("quit", "Quit", "File", ("ctrl+q",)),
    Action("undo", "Undo", "Edit", ("ctrl+z",), again=True),
    Action("redo", "Redo", "Edit", ("ctrl+shift+z", "ctrl+y"), again=True),
    Action("cut", "Cut", "Edit", ("ctrl+x",)),
    Action("copy", "Copy as patch text", "Edit", ("ctrl+c",)),
    Action("paste", "Paste", "Edit", ("ctrl+v",)),
    Action("duplicate", "Duplicate", "Edit", ("ctrl+d",)),
    Action("duplicate-connected", "Duplicate with its cables", "Edit", ("ctrl+alt+c",)),
    Action("delete", "Delete", "Edit", ("delete", "backspace")),
    Action("select-all", "Select all", "Edit", ("ctrl+a",)),
    Action("select-none", "Select nothing, or let go", "Edit", ("escape",)),
    Action("find", "Find in the patch", "Edit", ("ctrl+f",)),
    Action("palette", "Do by name", "Edit", ("ctrl+shift+p",)),
    Action("new-object", "New object", "Object", ("n",)),
    Action("new-object-below", "New object below, joined", "Object", ("shift+enter",)),
    Action("edit-object", "Change the object's text", "Object", ("enter",)),
    Action("open-subpatch", "Open the subpatch", "Object", ("ctrl+down",)),
    Action("leave-subpatch", "To the patch around it", "Object", ("ctrl+up",)),
    Action("encapsulate", "Make a subpatch of it", "Object", ("ctrl+shift+g",)),
    Action("rename-object", "Rename the object", "Object", ("ctrl+shift+enter",)),
    Action("insert-object", "Insert an object into the cable", "Object", ("ctrl+n",)),
    Action("context-menu", "Menu of what is selected", "Object", ("ctrl+enter",)),
    Action("comment", "New comment", "Object", ("ctrl+e",)),
    Action("area", "New area around what is selected", "Object", ("ctrl+shift+e",)),
    Action("image", "New image", "Object", ("ctrl+shift+i",)),
    Action("note-larger", "Larger text of a note", "Object", ("ctrl+shift+up",), again=True),
    Action("note-smaller", "Smaller text of a note", "Object", ("ctrl+shift+down",), again=True),
    Action("note-colour", "Another colour of a note", "Object", ("alt+c",)),
    Action("present-selected", "Show in the presentation, or not", "Object", ("shift+f4",)),
    Action("replace", "Replace, keeping what fits", "Object", ("ctrl+shift+r",)),
    Action("dissolve", "Delete, and join what led through it", "Object", ("ctrl+delete", "ctrl+backspace")),
    Action("take-cables-off", "Take its cables off", "Object"),
    Action("cut-cables", "Cut cables with the next stroke", "Object", ("ctrl+shift+x",)),
    Action("move-left", "Move left", "Object", ("left",), again=True),
    Action("move-right", "Move right", "Object", ("right",), again=True),
    Action("move-up", "Move up", "Object", ("up",), again=True),
    Action("move-down", "Move down", "Object", ("down",), again=True),
    Action("next-object", "Select the next object", "Object", ("tab",), again=True),
    Action("previous-object", "Select the one before", "Object", ("shift+tab",), again=True),
    Action("connect", "Connect by name", "Object", ("ctrl+shift+c",)),
    Action("connect-selected", "Connect what is selected, from above to below", "Object", ("ctrl+shift+j",)),
    Action("next-control", "Choose the next value", "Values", ("alt+down",), again=True),
    Action("previous-control", "Choose the value before", "Values", ("alt+up",), again=True),
    Action("turn-up", "Turn it up", "Values", ("alt+right",), again=True),
    Action("turn-down", "Turn it down", "Values", ("alt+left",), again=True),
    Action("reset-control", "Put it back", "Values", ("alt+backspace",)),
    Action("reset-values", "Put all values back", "Values"),
    Action("learn-midi", "Learn MIDI", "Values", ("ctrl+m",)),
    Action("learn-osc", "Learn OSC", "Values", ("ctrl+shift+m",)),
    Action("unlearn", "Forget what was learned", "Values"),
    Action("inline-controls", "Show values in boxes", "Values", ("ctrl+k",)),
    Action("store-preset", "Store a preset", "Values"),
    Action("randomise", "Randomise", "Values"),
    Action("keep", "Keep what was moved", "Values"),
    Action("tidy", "Tidy up", "Arrange", ("ctrl+t",)),
    Action("align-left", "Align left", "Arrange", ("ctrl+alt+left",)),
    Action("align-centre", "Align centres", "Arrange"),
    Action("align-right", "Align right", "Arrange", ("ctrl+alt+right",)),
    Action("align-top", "Align tops", "Arrange", ("ctrl+alt+up",)),
    Action("align-middle", "Align middles", "Arrange"),
    Action("align-bottom", "Align bottoms", "Arrange", ("ctrl+alt+down",)),
    Action("distribute-horizontally", "Distribute side by side", "Arrange", ("ctrl+alt+h",)),
    Action("distribute-vertically", "Distribute one below the other", "Arrange", ("ctrl+alt+v",)),
    Action("snap", "Snap to the grid", "Arrange", ("ctrl+g",)),
    Action("zoom-in", "Larger", "View", ("ctrl+plus",), again=True),
    Action("zoom-out", "Smaller", "View", ("ctrl+minus",), again=True),
    Action("zoom-none", "As large as it is", "View", ("ctrl+0",)),
    Action("show-all", "Show everything", "View", ("ctrl+9", "home")),
    Action("show-levels", "Levels on cables", "View", ("ctrl+shift+l",)),
    Action("probe-keep", "Keep the closer look", "View", ("ctrl+p",)),
    Action("next-sheet", "Next sheet", "View", ("ctrl+pagedown", "ctrl+tab")),
    Action("previous-sheet", "Sheet before", "View", ("ctrl+pageup", "ctrl+shift+tab")),
    Action("close-sheet", "Close the sheet", "View", ("ctrl+w",)),
    Action("lock", "Lock or unlock", "View", ("ctrl+shift+k",)),
    Action("present", "Present", "View", ("f4",)),
    Action("full-screen", "Full screen", "View", ("f11",)),
    Action("panel-browser", "Browser", "View", ("ctrl+b",)),
    Action("panel-inspector", "Values", "View", ("ctrl+i",)),
    Action("panel-presets", "Presets", "View", ("ctrl+r",)),
    Action("panel-log", "Log", "View", ("ctrl+l",)),
    Action("panel-lanes", "Models and lanes", "View", ("ctrl+j",)),
    Action("heat", "What boxes cost", "View", ("ctrl+shift+h",)),
    Action("panel-outline", "Outline", "View", ("ctrl+shift+o",)),
    Action("outline-text", "Copy the outline as text", "View"),
    Action("minimap", "Map", "View", ("ctrl+alt+m",)),
    Action("diff", "Compare with the file as saved", "View", ("ctrl+shift+d",)),
    Action("diff-with", "Compare with another version", "View"),
    Action("panel-diff", "Differences", "View"),
    Action("theme", "The other theme", "View", ("ctrl+alt+t",)),
    Action("size-up", "Everything larger", "View", ("ctrl+alt+plus",)),
    Action("size-down", "Everything smaller", "View", ("ctrl+alt+minus",)),
    Action("size-none", "Everything as the screen asks", "View", ("ctrl+alt+0",)),
    Action("grid", "Boxes snap to the grid, or not", "View", ("ctrl+alt+g",)),
    Action("reduced-motion", "Movements, or none", "View"),
    Action("settings", "Settings", "View", ("ctrl+comma",)),
    Action("menus", "Menus by keyboard", "View", ("f10",)),
    Action("play", "Play or stop", "Sound", ("ctrl+space", "f5")),
    Action("help", "Help patch of the object", "Help", ("ctrl+h", "shift+f1")),
    Action("keys", "List all keys, and change them", "Help", ("f1",)),
    Action("tour", "Tour", "Help"),
    Action("tour-skip", "Tour: leave this out", "Help", ("ctrl+period",)),
    Action("tour-back", "Tour: the step before", "Help", ("ctrl+shift+period",)),
)
"""What the menus offer, in their order."""
ACTION: Final[Mapping[str, Action]] = {action.name: action for action in ACTIONS}


def chord(key: str, modifiers: Iterable[str] = ()) -> str:
    """Keys that go down together, in the one way to write them: ``ctrl+shift+z``."""
    held = set(modifiers)
    return "+".join((*(item for item in MODIFIERS if item in held), key))


def read_chord(text: str) -> str:
    """A chord as somebody wrote it. Raises PatchError."""
    *modifiers, key = text.lower().replace(" ", "").split("+")
    odd = [item for item in modifiers if item not in MODIFIERS]
    if odd or key not in KEYS:
        wrong = odd[0] if odd else key
        do = did_you_mean(wrong, (*MODIFIERS, *KEYS), 'Write it as "ctrl+shift+z".')
        raise PatchError(Problem("bad-keys", f"{quoted(text)} are no keys: {quoted(wrong)} is none.", do))
    return chord(key, modifiers)


class Keys:
    """Which keys do what, with what the user has changed."""

    def __init__(self, changed: Mapping[str, Iterable[str]] | None = None) -> None:
        """`changed` gives other keys to actions, by name. A key that it gives to one is taken from others that have it
        only by use (`taken` says so). Raises PatchError with everything that is wrong.
        """
        self.of: dict[str, tuple[str, ...]] = {action.name: action.keys for action in ACTIONS}
        problems: list[Problem] = []
        for name, keys in (changed or {}).items():
            if name not in ACTION:
                problems.append(_unknown(name))
                continue
            try:
                self.of[name] = tuple(read_chord(text) for text in keys)
            except PatchError as error:
                problems += error.problems
        self.taken: list[Problem] = []
        given = {key: name for name in changed or () if name in ACTION for key in self.of[name]}
        for name, keys in self.of.items():
            if name not in (changed or ()):
                for key in (key for key in keys if key in given):
                    what = f"'{key}' is for '{given[key]}' now, and no more for '{name}'."
                    self.taken.append(Problem("keys-taken", what, "See the list of keys."))
                self.of[name] = tuple(key for key in keys if key not in given)
        self.action: dict[str, str] = {}
        for name, keys in self.of.items():
            for key in keys:
                if key in self.action:
                    what = f"'{key}' is for '{self.action[key]}' and for '{name}'."
                    problems.append(Problem("bad-keys", what, "Give one of them other keys, or none: []."))
                self.action[key] = name
        if problems:
            raise PatchError(problems)

    def become(self, other: Keys) -> None:
        """The keys of another are its own from now on."""
        self.of, self.action = dict(other.of), dict(other.action)

    def shown(self, name: str) -> str:
        """The keys of an action, for a menu."""
        return ", ".join(chord_words(key) for key in self.of[name])

    def listed(self) -> list[tuple[str, str, str]]:
        """Menu, words and keys of every action."""
        return [(action.menu, action.words, self.shown(action.name)) for action in ACTIONS]


def keys_file() -> Path:
    """Where a user's own keys stand."""
    return config_root() / "keys.json"


def user_keys(path: Path | None = None) -> tuple[Keys, list[Problem]]:
    """The keys with what the user has changed. What is wrong with the file is told, and the usual keys hold then."""
    path = keys_file() if path is None else path
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Keys(), []
    except (OSError, ValueError) as error:
        return Keys(), [Problem("bad-keys", f"The keys cannot be read: {error}.", "Mend the file.", str(path))]
    if not isinstance(data, dict) or not all(
        isinstance(keys, list) and all(isinstance(key, str) for key in keys) for keys in data.values()
    ):
        do = 'Write {"duplicate": ["ctrl+alt+d"]}.'
        return Keys(), [Problem("bad-keys", f"These are no keys: {shown(data)}.", do, str(path))]
    known = {name: keys for name, keys in data.items() if name in ACTION}
    problems = [_unknown(name) for name in data if name not in ACTION]  # of another version: the rest holds
    try:
        keys = Keys(known)
        problems += keys.taken
    except PatchError as error:
        keys = Keys()
        problems += error.problems
    return keys, [Problem(item.code, item.what, item.do, str(path)) for item in problems]


def _unknown(name: str) -> Problem:
    what = f"There is no action {quoted(name)}."
    return Problem("bad-keys", what, did_you_mean(name, ACTION, f"There are {listed(ACTION)}."))


def chord_words(key: str) -> str:
    """A chord for people: ``Ctrl+Shift+Z``."""
    return "+".join(part.capitalize() if len(part) > 1 else part.upper() for part in key.split("+"))
