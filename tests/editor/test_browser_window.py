"""The browser's panel, driven by hand and by keys."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import Patch
from tests.editor.desktop import PATIENCE_S, TICK_S, Driven


@pytest.fixture
def editor(display: str, folder: Path) -> Iterator[Driven]:
    n = np.arange(24_000)
    soundfile.write(folder / "bell.wav", (np.sin(n / 8) * np.exp(-n / 6_000)).astype(np.float32), 48_000)
    Patch("Other").save(folder / "other.ng")
    driven = Driven(display, folder, ["new.ng", "--driver", "null"])
    driven.key("ctrl+b")
    driven.until(lambda state: "browser" in state["panels"] and state["panel_typing"], "the search has the keyboard")
    yield driven
    driven.kill()


def test_a_node_and_a_sound_are_dragged_onto_the_canvas(editor: Driven) -> None:
    editor.type("svf")
    place = editor.until(lambda state: "browser node svf~" in state["fields"], "what is found")["fields"]
    editor.picture("browser-search")
    for line, at, text in (("node svf~", (600, 300), "svf~"), ("file bell.wav", (600, 400), "play~ file=bell.wav")):
        if line.startswith("file"):
            editor.key("ctrl+a")
            editor.type("bell")
            place = editor.until(lambda state: "browser file bell.wav" in state["fields"], "the sound")["fields"]
        count = len(editor.state["boxes"])
        editor.point(place[f"browser {line}"])
        editor._tool("mousedown", "1")
        editor.until(lambda state, line=line: state["carried"] == line.split()[1], "that it is in the hand")
        for step in (0.3, 0.6, 1.0):
            start = place[f"browser {line}"]
            editor.point([a + (b - a) * step for a, b in zip(start, at, strict=True)])
            editor.frames(1)
        editor.picture("browser-drag")
        editor._tool("mouseup", "1")
        state = editor.until(lambda state, count=count: len(state["boxes"]) == count + 1, "the node")
        (box,) = [box for box in state["boxes"].values() if box["text"] == text]
        assert abs(box["ports"]["in:" + ("x" if text == "svf~" else "speed")][1] - at[1]) < 3
        if line.startswith("node"):  # a click in the field again
            editor.point(editor.state["fields"]["search"])
            editor._tool("click", "1")
            editor.until(lambda state: state["panel_typing"], "the search has the keyboard")
    editor.frames(6)
    editor.picture("browser-sound")


def test_it_is_used_by_keys_and_help_opens_beside_it(editor: Driven, display: str, tmp_path: Path) -> None:
    editor.type("pluck")
    editor.until(lambda state: "browser node pluck~" in state["fields"], "what is found")
    editor.key("Down", "Return")
    state = editor.until(lambda state: "pluck1" in state["boxes"] and state["panel_typing"], "the node")
    assert state["selected"] == ["pluck1"]
    editor.frames(3)
    editor.picture("browser-node")
    editor.key("ctrl+Return")
    help_state = tmp_path / f"{editor.file.name}.help-pluck"
    end = time.monotonic() + PATIENCE_S
    while not (help_state.exists() and json.loads(help_state.read_text())["ready"]):
        assert time.monotonic() < end, editor.log.read_text()
        time.sleep(TICK_S)
    shown = json.loads(help_state.read_text())
    try:
        assert "Help: pluck~" in shown["title"] and shown["boxes"]["node"]["text"] == "pluck~"
        editor.frames(10)
        editor.picture("browser-help")
    finally:
        os.kill(shown["pid"], signal.SIGTERM)
    assert "pluck1" in editor.state["boxes"] and editor.process.poll() is None
