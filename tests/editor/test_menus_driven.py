"""Menus by keyboard, in the window."""

from __future__ import annotations

from pathlib import Path

from tests.editor.desktop import Driven


def test_menus_are_gone_through_by_keys(display: str, folder: Path) -> None:
    editor = Driven(display, folder, ["menus.ng", "--driver", "null"])
    try:
        editor.object((200, 200), "sine~ 220")
        editor.key("Escape")
        editor.until(lambda state: not state["selected"], "that nothing is selected")
        before = editor.state["boxes"]["sine1"]["middle"]

        def on(words: str | None) -> None:
            editor.until(lambda state: state["menu"] == words, f"the line {words}")

        editor.key("F10")
        on("New patch")
        editor.picture("menu-by-keys")
        editor.key("Down")
        on("Open…")
        editor.key("Up", "Up")
        on("Quit")
        editor.key("s")
        on("Save")
        editor.key("s")
        on("Save as…")
        editor.key("Right")
        on("Undo")
        editor.key("Left", "Left")
        editor.until(lambda state: state["menu"] not in (None, "New patch", "Undo"), "the last menu")
        editor.key("Right", "Right")
        on("Undo")
        editor.key("s")
        on("Select all")
        assert not editor.state["selected"] and not editor.state["asking"], "no letter came to the canvas"
        editor.key("Return")
        editor.until(lambda state: state["selected"] == ["sine1"] and state["menu"] is None, "that it is done")
        editor.key("ctrl+Return")
        on("Change or replace")
        editor.key("d")
        on("Duplicate")
        editor.key("Escape")
        on(None)
        assert list(editor.state["boxes"]) == ["sine1"] and editor.state["boxes"]["sine1"]["middle"] == before
        assert editor.state["selected"] == ["sine1"], "Escape was for the menu alone"
        editor.key("ctrl+Return", "d", "Return")
        editor.until(lambda state: len(state["boxes"]) == 2, "the other one")
        editor.key("Right")
        after = editor.until(lambda state: not state["waiting"], "that all is confirmed")
        assert len(after["boxes"]) == 2 and not any("mistake" in line for line in after["said"]), after["said"]
    finally:
        editor.kill()
