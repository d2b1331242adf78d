"""Finding one's way in the window: find, the palette, the map, the outline, differences, other keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editor.desktop import Driven

PATCH = {
    "nodegraph": 1,
    "title": "Two voices",
    "nodes": {
        "osc1": {"kind": "sine~", "freq": 220}, "osc2": {"kind": "saw~", "freq": 110},
        "cut": {"kind": "svf~", "cutoff": 800},
        "mix": {"kind": "gain~", "gain": 0.2}, "room": {"kind": "gain~", "gain": 0.1}, "out": {"kind": "out~"},
        "far": {"kind": "noise~"},
    },
    "cables": ["osc1.y -> mix.x", "osc2.y -> cut.x", "cut.low -> mix.x", "mix.y -> out.x"],
    "view": {
        "osc1": [40, 60], "osc2": [240, 60], "cut": [240, 160], "mix": [60, 260], "room": [380, 260], "out": [60, 360],
        "far": [1700, 1300],
    },
}  # fmt: skip


@pytest.fixture
def editor(display: str, folder: Path) -> Iterator[Driven]:
    (folder / "two.ng").write_text(json.dumps(PATCH))
    driven = Driven(display, folder, ["two.ng", "--driver", "null"])
    yield driven
    driven.kill()


def asked(editor: Driven, keys: str, title: str) -> None:
    editor.key(keys)
    editor.until(
        lambda state: state["picker"] and state["picker"]["title"] == title and state["picker"]["typing"], title
    )


def test_one_finds_goes_compares_and_connects_without_the_mouse(editor: Driven, tmp_path: Path) -> None:
    asked(editor, "ctrl+f", "Find")
    editor.type("gain")
    state = editor.until(lambda state: "of 2" in state["picker"]["note"], "what is found")
    assert state["selected"] == ["mix"]
    editor.frames()
    editor.picture("find")
    editor.key("Return")
    editor.until(lambda state: state["selected"] == ["room"], "the next")
    editor.key("Escape")
    editor.until(lambda state: not state["picker"], "that it is closed")

    asked(editor, "ctrl+shift+p", "Do")
    editor.type("noise")
    editor.until(lambda state: state["picker"]["text"] == "noise" and state["picker"]["rows"], "what is offered")
    editor.frames()
    editor.picture("palette")
    editor.key("Escape")
    editor.until(lambda state: not state["picker"], "that it is closed")

    asked(editor, "ctrl+shift+c", "Connect")
    for _ in range(5):
        editor.key("BackSpace")
    editor.until(lambda state: state["picker"]["text"] == "", "an empty field")
    editor.type("far")
    editor.key("Tab")
    editor.until(lambda state: state["picker"]["text"] == "far.y -> " and state["picker"]["typing"], "the arrow")
    editor.type("room")
    editor.until(lambda state: state["picker"]["text"] == "far.y -> room", "the inlet")
    editor.frames()
    editor.picture("connect")
    editor.key("Return")
    editor.until(lambda state: "far.y -> room.x" in state["cables"] and not state["picker"], "the cable")

    editor.key("ctrl+shift+d")
    state = editor.until(lambda state: "diff + far.y -> room.x" in state["fields"], "what is different")
    assert "diff" in state["panels"]
    editor.object((700, 300), "sine~ 300")
    editor.key("ctrl+f")
    editor.until(lambda state: state["picker"] and state["picker"]["typing"], "the field")
    editor.type("osc2")
    editor.until(lambda state: state["selected"] == ["osc2"], "what is found")
    editor.key("Escape")
    editor.until(lambda state: not state["picker"], "that it is closed")
    editor.key("Delete")
    editor.until(lambda state: "diff - osc2: saw~ freq=110" in state["fields"], "what is gone")
    editor.key("ctrl+shift+o")
    editor.until(lambda state: "outline cut" in state["fields"], "the outline")
    editor.key("Down")
    editor.until(lambda state: state["selected"] == ["cut"], "the first node")
    editor.key("Right", "Down", "Down")
    editor.until(lambda state: state["outline"] == "cutoff 800 Hz", "its cutoff")
    editor.key("Return")
    editor.until(lambda state: state["picker"] and state["picker"]["typing"], "the field of the value")
    editor.picture("value")
    editor.type("900")
    editor.until(lambda state: state["picker"]["text"] == "900", "the value")
    editor.key("Return")
    editor.until(lambda state: "diff ~ cut: cutoff 800 → 900" in state["fields"], "that it is another")
    editor.frames()
    editor.picture("outline")


def test_the_map_moves_the_view_and_the_keys_are_changed(editor: Driven, tmp_path: Path) -> None:
    editor.key("ctrl+0")
    state = editor.until(lambda state: state["zoom"] == 1.0 and state["map"], "a patch that does not fit, and its map")
    left, top, right, bottom = state["map"]
    editor.point((right - 8, bottom - 8))
    editor._tool("mousedown", "1")
    size = state["size"]
    editor.until(lambda state: state["boxes"]["far"]["middle"][0] < size[0], "the far corner")
    assert not editor.state["selected"] and not editor.state["doing"]
    editor.picture("map")
    editor.point((left + 8, top + 8))
    editor.until(lambda state: state["boxes"]["osc1"]["middle"][0] > 0, "the near corner")
    editor._tool("mouseup", "1")
    editor.key("ctrl+alt+m")
    editor.until(lambda state: not state["map"], "that it is gone")

    editor.key("F1")
    editor.until(lambda state: state["keys"] and "keys undo" in state["fields"], "the keys")
    editor.frames()
    editor.point(editor.state["fields"]["keys undo"])
    editor._tool("click", "1")
    editor.until(lambda state: state["keys"]["action"] == "undo", "that it waits for keys")
    editor.key("ctrl+f")
    editor.until(lambda state: state["keys"]["wanted"] == "ctrl+f", "what stands in the way")
    editor.frames()
    editor.picture("keys")
    editor.point(editor.state["fields"]["keys take over"])
    editor._tool("click", "1")
    editor.until(lambda state: state["keys"]["action"] is None, "that it is taken over")
    told = json.loads((tmp_path / "config" / "keys.json").read_text())
    assert told == {"undo": ["ctrl+f"], "find": []}
