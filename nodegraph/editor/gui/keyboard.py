"""From dearpygui's key codes to the names in the table of keys."""

from __future__ import annotations

from typing import Final

import dearpygui.dearpygui as dpg

_NAMED: Final = {
    "Return": "enter", "NumPadEnter": "enter", "Escape": "escape", "Tab": "tab", "Spacebar": "space",
    "Delete": "delete", "Back": "backspace", "Left": "left", "Right": "right", "Up": "up", "Down": "down",
    "Home": "home", "End": "end", "Minus": "minus",
    "Add": "plus", "Subtract": "minus", "Period": "period", "Comma": "comma", "Slash": "slash",
}  # fmt: skip
_MODIFIERS: Final = {
    "LControl": "ctrl", "RControl": "ctrl", "LShift": "shift", "RShift": "shift", "LAlt": "alt", "RAlt": "alt",
    "LWin": "ctrl", "RWin": "ctrl",
}  # fmt: skip
LATE: Final = 3
"""So many frames asking may be behind what was told."""


class Keyboard:
    """Which key it was, and which modifiers are held: told by their own events, for asking is late."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.leaving: set[str] = set()
        """Modifiers that are let go in this frame, before or after its keys: of one frame no order is told."""
        self.again = False
        """Whether the key that went down last was held already: it repeats."""
        self._seen_up: dict[str, int] = {}
        self._down: dict[int, int] = {}
        """Keys that are held, and for how many frames they have been seen up."""
        self._modifiers = {getattr(dpg, f"mvKey_{name}"): word for name, word in _MODIFIERS.items()}
        named = {**_NAMED, **{letter: letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"}}
        named |= {f"F{number}": f"f{number}" for number in range(1, 13)}
        named |= {f"NumPad{number}": str(number) for number in range(10)}
        self._keys = {
            code: word for name, word in named.items() if (code := getattr(dpg, f"mvKey_{name}", None)) is not None
        }
        # dearpygui names these by codes that never come
        self._keys |= {dpg.mvKey_Minus + 4: "plus", dpg.mvKey_Home - 2: "pageup", dpg.mvKey_Home - 1: "pagedown"}

    @property
    def staying(self) -> set[str]:
        """Modifiers that are held, and not let go in this frame."""
        return self.held - self.leaving

    def modifier(self, code: int) -> str | None:
        """The modifier of this code, if it is one."""
        return self._modifiers.get(code)

    def down(self, code: int) -> str | None:
        """A key goes down, or repeats: its name; None for a modifier, a mouse button, a key without a name."""
        modifier = self._modifiers.get(code)
        if modifier is not None:
            self.held.add(modifier)
            self._seen_up[modifier] = 0
            return None
        self.again = code in self._down
        self._down[code] = 0
        return self._keys.get(code)

    def turn(self) -> None:
        """Between two frames: a key that is up, and whose release nobody has told (the window lost the keyboard
        meanwhile), is not held.
        """
        for code in list(self._down):
            self._down[code] = 0 if dpg.is_key_down(code) else self._down[code] + 1
            if self._down[code] > LATE:
                del self._down[code]
        down = {word for code, word in self._modifiers.items() if word in self.held and dpg.is_key_down(code)}
        for word in list(self.held):
            self._seen_up[word] = 0 if word in down else self._seen_up.get(word, 0) + 1
            if self._seen_up[word] > LATE:
                self.held.discard(word)

    def up(self, code: int) -> str | None:
        """A key goes up."""
        modifier = self._modifiers.get(code)
        if modifier is not None:
            self.held.discard(modifier)
            return None
        self._down.pop(code, None)
        return self._keys.get(code)
