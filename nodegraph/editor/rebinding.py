"""Other keys for an action: what stands in the way, and the file that keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from nodegraph.core.errors import PatchError, PatchFileError, Problem
from nodegraph.core.replacing import replace_file
from nodegraph.editor.keys import ACTION, Keys, chord_words, keys_file

FIXED: Final = {"escape": "Escape ends what is under way", "space": "the space bar takes the canvas into the hand"}
"""Keys of the window itself, and why."""


class Rebinding:
    """Asks for new keys, one action at a time; writes them where the user's keys stand."""

    def __init__(self, keys: Keys, path: Path | None = None) -> None:
        self.keys = keys
        self.path = path
        self.action: str | None = None
        """The action that gets the next keys that are pressed."""
        self.adds = False
        """Whether they come beside those that it has."""
        self.wanted: str | None = None
        """Keys that another action has: they are taken over when that is said."""
        self.said = ""

    def ask(self, action: str, *, adds: bool = False) -> None:
        """The next keys are for this action."""
        self.action, self.adds, self.wanted = action, adds, None
        self.said = f"Press the new keys for “{ACTION[action].words}”. Escape: leave it."

    def cancel(self) -> None:
        """Leave it as it is."""
        self.action = self.wanted = None
        self.said = ""

    def press(self, chord: str) -> None:
        """Keys were pressed."""
        if self.action is None:
            return
        if chord == "escape":
            self.cancel()
        elif chord in FIXED:
            self.said = f"{chord_words(chord)} cannot be: {FIXED[chord]}. Press others."
        else:
            other = self.keys.action.get(chord)
            if other == self.action:
                self.cancel()
                self.said = f"{chord_words(chord)} is for that already."
            elif other is not None:
                self.wanted = chord
                self.said = (
                    f"{chord_words(chord)} is for “{ACTION[other].words}”. Take it over, or press other keys."
                )  # fmt: skip
            else:
                self._take(chord)

    def take_over(self) -> None:
        """Take keys away from the action that has them."""
        if self.action is not None and self.wanted is not None:
            self._take(self.wanted)

    def clear(self, action: str) -> None:
        """An action has no keys."""
        self._change({action: ()})

    def usual(self, action: str) -> None:
        """The keys that it has when nobody changes them, as far as no other action has got them."""
        free = [key for key in ACTION[action].keys if self.keys.action.get(key, action) == action]
        self._change({action: free})

    def _take(self, chord: str) -> None:
        assert self.action is not None
        action, other = self.action, self.keys.action.get(chord)
        keys = (*self.keys.of[action], chord) if self.adds else (chord,)
        changed: dict[str, Sequence[str]] = {action: keys}
        if other is not None and other != action:
            changed[other] = tuple(key for key in self.keys.of[other] if key != chord)
        self.cancel()
        self._change(changed)

    def _change(self, changed: Mapping[str, Sequence[str]]) -> None:
        path = keys_file() if self.path is None else self.path
        try:
            written = Keys({**self.keys.of, **changed})
            write(changed, path)
        except PatchError as error:
            self.said = error.problems[0].describe()
            return
        except PatchFileError as error:
            self.said = error.problems[0].describe()
            return
        self.keys.become(written)
        self.said = "; ".join(
            f"“{ACTION[name].words}”: {self.keys.shown(name) or 'no keys'}" for name in changed
        )  # fmt: skip


def write(changed: Mapping[str, Sequence[str]], path: Path) -> None:
    """Put keys of actions into a user's file; all else in it stays as it is. Those that are usual need not stand there.

    Raises PatchFileError when the file cannot be read or written: it is left as it is then.
    """
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise ValueError("it is no object in braces")
    except FileNotFoundError:
        data = {}
    except (OSError, ValueError) as error:
        what = f"The keys were not written, for their file cannot be read: {error}."
        raise PatchFileError(Problem("bad-keys", what, "Mend the file, or remove it.", str(path))) from error
    for name, keys in changed.items():
        data[name] = list(keys)
        if tuple(keys) == ACTION[name].keys:
            del data[name]
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in data.items())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, (f"{{\n{lines}\n}}\n" if lines else "{}\n").encode())
    except OSError as error:
        what = f"The keys were not written: {error.strerror or error}."
        raise PatchFileError(Problem("not-saved", what, "They hold until the window is closed.", str(path))) from error
