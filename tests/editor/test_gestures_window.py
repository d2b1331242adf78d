"""Gestures in a window: a chain by the keyboard, a box dropped on a cable, a stroke across cables, copies by Ctrl."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editor.desktop import Driven


@pytest.fixture
def editor(display: str, folder: Path) -> Iterator[Driven]:
    driven = Driven(display, folder, ["new.ng", "--driver", "null"])
    yield driven
    driven.kill()


def carry(editor: Driven, start: list[float], end: list[float], doing: str, picture: str, *held: str) -> None:
    """A drag with keys held, and a picture of it before it ends."""
    editor.point(start)
    for key in held:
        editor._tool("keydown", key)
    editor.frames()
    editor._tool("mousedown", "1")
    editor.until(lambda state: state["doing"] == doing, f"that it is {doing}")
    for step in (0.4, 0.8, 1.0):
        editor.point([a + (b - a) * step for a, b in zip(start, end, strict=True)])
    editor.until(lambda state: all(abs(a - b) < 2 for a, b in zip(state["hand"], end, strict=True)), "the hand")
    editor.frames()
    editor.picture(picture)
    editor._tool("mouseup", "1")
    editor.until(lambda state: not state["doing"], "that the hand is empty")
    for key in held:
        editor._tool("keyup", key)
    editor.settled()


def test_a_chain_is_made_changed_and_cut(editor: Driven) -> None:
    editor.point((300, 150))
    editor.key("n")
    for number, text in enumerate(("sine~ 220", "gain~ 0.1", "out~")):
        editor.until(lambda state: state["asking"] and state["typing"] and not state["text"], "the field")
        editor.type(text)
        editor.until(lambda state, text=text: state["text"] == text, f"the text {text}")
        editor.key("Return" if text == "out~" else "shift+Return")
        editor.until(lambda state, number=number: len(state["boxes"]) == number + 1, f"the object {text}")
    state = editor.settled()
    assert state["cables"] == ["gain1.y -> out1.x", "sine1.y -> gain1.x"]
    editor.object((640, 330), "onepole~ 900")
    boxes = editor.settled()["boxes"]
    (ax, ay), (bx, by) = boxes["sine1"]["ports"]["out:y"], boxes["gain1"]["ports"]["in:x"]
    target = [(ax + bx) / 2 + 30, (ay + by) / 2]
    carry(editor, boxes["onepole1"]["middle"], target, "moving", "gesture-insert")
    state = editor.until(lambda state: len(state["cables"]) == 3, "that it is in the chain")
    assert state["undo"] == "Insert onepole1"
    editor.picture("gesture-inserted")
    x, y = state["boxes"]["out1"]["middle"]
    carry(editor, [x, y], [x + 160, y + 40], "copying", "gesture-copy", "ctrl")
    assert set(editor.state["boxes"]) == {"sine1", "onepole1", "gain1", "out1", "out2"}
    (ax, ay), (bx, by) = state["boxes"]["gain1"]["ports"]["out:y"], state["boxes"]["out1"]["ports"]["in:x"]
    across = (ay + by) / 2
    carry(editor, [ax - 60, across], [ax + 80, across + 3], "cutting", "gesture-cut", "ctrl", "alt")
    assert "gain1.y -> out1.x" not in editor.state["cables"] and len(editor.state["cables"]) == 2
