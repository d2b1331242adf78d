"""What a key does that a finger holds down."""

from __future__ import annotations

from pathlib import Path

from tests.editor.desktop import Driven

LONG_S = 0.8
"""Longer than it takes until a held key repeats."""


def hold(editor: Driven, *keys: str) -> None:
    down = [word for key in keys for word in ("keydown", key)]
    up = [word for key in reversed(keys) for word in ("keyup", key)]
    editor._tool(*down, "sleep", str(LONG_S), *up)
    editor.frames()
    editor.until(lambda state: not state["modifiers"], "that the keys are up")


def test_what_turns_something_over_is_done_once_and_steps_are_done_again(display: str, folder: Path) -> None:
    editor = Driven(display, folder, ["held.ng", "--driver", "null"])
    try:
        for number in range(4):
            editor.object((200, 150 + 80 * number), "gain~")
            editor.key("Escape")
        hold(editor, "ctrl", "shift", "k")
        editor.until(lambda state: state["locked"], "that it is locked, and not unlocked again")
        editor.key("ctrl+shift+k")
        editor.until(lambda state: not state["locked"], "that it is unlocked")
        editor.key("ctrl+a", "ctrl+c")
        hold(editor, "ctrl", "v")
        assert editor.settled()["count"] == 8, "pasted once"
        hold(editor, "ctrl", "z")
        assert editor.settled()["count"] < 4, "undone again and again"
    finally:
        editor.kill()
