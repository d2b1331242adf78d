"""From an empty canvas to sound in a window: by the keyboard alone, and by the mouse alone; and all the way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editor.desktop import Driven, end_engines


@pytest.fixture
def editor(display: str, folder: Path) -> Iterator[Driven]:
    driven = Driven(display, folder, ["new.ng", "--driver", "null"])
    yield driven
    driven.kill()


def typed(editor: Driven, key: str, text: str) -> None:
    """A key that asks for an object, its text, and Enter."""
    count = len(editor.state["boxes"])
    editor.key(key)
    editor.until(lambda state: state["asking"] and state["typing"], "the object's field")
    editor.type(text)
    editor.until(lambda state: state["text"] == text, f"the text {text}")
    editor.key("Return")
    editor.until(lambda state: len(state["boxes"]) == count + 1 and not state["asking"], f"the object {text}")
    editor.settled()


def step(editor: Driven, key: str) -> None:
    """A key that leads to another revision."""
    revision = editor.state["revision"]
    editor.key(key)
    editor.until(lambda state: state["revision"] > revision and not state["waiting"], f"the step of {key}")


def sounds(editor: Driven) -> None:
    """It is heard, as far as the cable to the output tells."""
    editor.until(lambda state: "gain1.y -> out1.x" in state["sounding"], "sound")


def test_by_the_keyboard_alone_and_all_the_way_back(editor: Driven, display: str, tmp_path: Path) -> None:
    typed(editor, "n", "sine~ 220")
    typed(editor, "shift+Return", "gain~ 0.2")
    typed(editor, "shift+Return", "out~")
    sounds(editor)
    editor.key("ctrl+s")
    editor.until(lambda state: not state["unsaved"], "that it is saved")
    whole = (tmp_path / "new.ng").read_text()
    editor.picture("by-keyboard")
    while editor.state["undo"] is not None:
        step(editor, "ctrl+z")
    assert not editor.state["boxes"]
    while editor.state["redo"] is not None:
        step(editor, "ctrl+shift+z")
    editor.key("ctrl+s")
    editor.until(lambda state: sum(line.startswith("Saved: ") for line in state["said"]) == 2, "that it is saved again")
    assert (tmp_path / "new.ng").read_text() == whole
    editor.key("ctrl+q")
    assert editor.process.wait(60) == 0
    end_engines(tmp_path)
    again = Driven(display, tmp_path, ["new.ng", "--driver", "null"], "again")
    try:
        assert set(again.state["boxes"]) == {"sine1", "gain1", "out1"}
        sounds(again)
        assert (tmp_path / "new.ng").read_text() == whole
    finally:
        again.kill()


def clicked(editor: Driven, name: str) -> None:
    """A click on something that has a name."""
    editor.until(lambda state: state["fields"].get(name, [0, 0])[1] > 0, name)
    editor.frames()
    editor.point(editor.state["fields"][name])
    editor._tool("click", "1")


def test_by_the_mouse_alone(editor: Driven) -> None:
    editor.point((300, 150))
    editor._tool("click", "--repeat", "2", "--delay", "120", "1")
    clicked(editor, "offer sine~")
    state = editor.until(lambda state: "sine1" in state["boxes"] and not state["waiting"], "the sine")
    editor.drag(state["boxes"]["sine1"]["ports"]["out:y"], (310, 300), "wiring")
    clicked(editor, "offer gain~")
    state = editor.until(lambda state: "gain1" in state["boxes"] and not state["waiting"], "the gain")
    editor.drag(state["boxes"]["gain1"]["ports"]["out:y"], (310, 450), "wiring")
    clicked(editor, "offer out~")
    state = editor.until(lambda state: len(state["cables"]) == 2 and not state["waiting"], "both cables")
    sounds(editor)
    editor.picture("by-mouse")
    editor.point(state["boxes"]["gain1"]["middle"])
    editor._tool("click", "1")
    at = editor.until(lambda state: "bar gain" in state["fields"], "the inspector")["fields"]["bar gain"]
    editor.frames()
    editor.point((at[0] - 20, at[1]))
    editor._tool("mousedown", "1")
    for step in range(1, 5):
        editor.point((at[0] - 20 - 8 * step, at[1]))
        editor.frames(1)
    editor._tool("mouseup", "1")
    editor.until(lambda state: state["undo"] == "Set gain1.gain" and not state["waiting"], "another gain")
