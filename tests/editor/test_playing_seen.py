"""How it plays, seen: the line at the bottom, the log, the lanes, what boxes cost, signs at those that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodegraph import Patch
from tests.editor.desktop import Driven


@pytest.fixture
def folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(folder / "store"))
    return folder


def test_costs_are_drawn_and_the_line_tells_how_it_plays(display: str, folder: Path) -> None:
    patch = Patch("Warm")
    out, print_ = patch.add("out~", "out"), patch.add("print", "say")
    patch.connect(patch.add("noise~", "hiss"), patch.add("reverb~", "hall"), patch.add("limiter~", "limit"), out)
    patch.connect(patch.add("metro", "tick"), print_)
    patch.save(folder / "warm.ng")
    editor = Driven(display, folder, ["warm.ng", "--driver", "null"])
    try:
        editor.until(lambda state: state["bar"]["playing"] and "%" in state["bar"]["load"], "the load")
        editor.until(
            lambda state: " ms" in state["bar"]["latency"] and "out 1: " in state["bar"].get("out loud", ""),
            "the levels",
        )
        editor.key("ctrl+shift+h")
        state = editor.until(lambda state: "%" in state["heat"].get("hall", ""), "what boxes cost")
        assert state["heat"]["limit"].endswith(" ms"), state["heat"]
        editor.key("ctrl+l")
        editor.until(lambda state: state["fields"].get("log say", [0, 0])[1] > 600, "a line of a node")
        editor.frames()
        editor.picture("heat-and-log")
        editor.point(editor.state["fields"]["log say"])
        editor._tool("click", "1")
        editor.until(lambda state: state["selected"] == ["say"], "that it is selected")
        editor.point(editor.state["fields"]["status xruns"])
        editor._tool("click", "1")
        editor.until(lambda state: "lanes" in state["panels"], "the lanes")
        editor.frames()
        editor.picture("lanes")
        editor.point(editor.state["fields"]["status play"])
        editor._tool("click", "1")
        editor.until(lambda state: not state["playing"] and not state["bar"]["playing"], "that it has stopped")
        editor.picture("stopped")
    finally:
        editor.kill()


def test_what_is_wrong_is_seen_where_it_is(display: str, folder: Path) -> None:
    patch = Patch("Wrong")
    patch.connect(patch.add("in~", "mic"), patch.add("yamnet.tag~", "ears"))
    patch.connect(patch.add("play~", "sound", file="nowhere.wav"), patch.add("out~", "out"))
    patch.save(folder / "wrong.ng")
    editor = Driven(display, folder, ["wrong.ng"])
    try:
        state = editor.until(lambda state: state["signs"] == {"ears": "!", "sound": "!"}, "two signs")
        x, y = state["boxes"]["ears"]["middle"]
        editor.point((x, y))
        editor._tool("click", "1")
        editor.until(lambda state: state["selected"] == ["ears"], "that it is selected")
        editor.frames()
        editor.picture("signs")
    finally:
        editor.kill()
