"""The window's looks, driven by hand: themes and sizes while it is open, a small window, what glides."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Patch
from tests.editor.desktop import SIZE, Driven
from tests.needs import needs

STILL_S = 1.0
"""A window that draws thirty frames a second draws one within this time; one at rest draws one in two seconds."""


def every_kind(path: Path) -> None:
    """A patch with a cable of each kind, and one whose kind nobody knows."""
    patch = Patch("Kinds")
    patch.add("sine~", "osc", freq=220)
    patch.add("gain~", "gain", gain=0.2)
    patch.add("metro", "clock")
    patch.add("message", "say", text="1")
    patch.connect("osc.y", "gain.x")
    patch.connect("clock.bang", "say.x")
    patch.save(path)
    data = json.loads(path.read_text())
    data["nodes"]["odd"] = {"kind": "nobody.knows"}
    data["nodes"]["more"] = {"kind": "nobody.knows.either"}
    data["cables"].append("odd.y -> more.x")
    data["view"] = {"osc": [40, 40], "gain": [40, 160], "clock": [260, 40], "say": [260, 160], "odd": [440, 40],
                    "more": [440, 160]}  # fmt: skip
    path.write_text(json.dumps(data))


def test_theme_and_size_change_while_the_window_is_open_and_are_there_next_time(display: str, folder: Path) -> None:
    every_kind(folder / "kinds.ng")
    editor = Driven(display, folder, ["kinds.ng", "--driver", "null"])
    try:
        editor.point((700, 500))
        editor.picture("neon")
        editor.key("ctrl+a", "ctrl+alt+t")
        editor.until(lambda state: state["theme"] == "light", "the light theme")
        editor.frames()
        editor.picture("light")
        editor.key("ctrl+comma")
        fields = editor.until(lambda state: "setting grid" in state["fields"], "the settings")["fields"]
        editor.frames()
        editor.picture("settings-light")
        editor.point(editor.state["fields"]["setting grid"])
        editor._tool("click", "1")
        config = folder / "config" / "editor.json"
        end = editor.until(lambda state: config.exists() and "grid" in config.read_text(), "that it is kept")
        assert fields and json.loads(config.read_text()) == {"theme": "light", "grid": True}, end["said"]
        editor.key("ctrl+comma")
        editor.until(lambda state: "setting grid" not in state["fields"], "that they are gone")
        zoom = editor.state["zoom"]
        for size in (1.1, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5):
            editor.key("ctrl+alt+equal")
            editor.until(lambda state, size=size: state["everything"] == size, f"the size {size}")
        editor.frames()
        editor.picture("large")
        assert editor.state["zoom"] == pytest.approx(min(4.0, 2.5 * zoom), rel=0.01)
        editor.key("ctrl+l")
        editor.until(lambda state: "log" in state["panels"], "the log")
        editor.frames()
        editor.picture("large-log")
        editor.key("ctrl+q")
        assert editor.process.wait(60) == 0
    finally:
        editor.kill()
    kept = json.loads(config.read_text())
    assert (kept["theme"], kept["size"], kept["panels"]) == ("light", 2.5, ["inspector", "log"])
    again = Driven(display, folder, ["kinds.ng", "--driver", "null"], "again")
    try:
        state = again.state
        assert (state["theme"], state["everything"], state["panels"]) == ("light", 2.5, ["inspector", "log"])
        again.picture("again")
    finally:
        again.kill()


def test_a_window_of_320_by_200_can_be_used(display: str, folder: Path) -> None:
    (folder / "config").mkdir()
    (folder / "config" / "editor.json").write_text('{"window": [320, 200], "size": "huge"}')
    editor = Driven(display, folder, ["small.ng", "--driver", "null"])
    try:
        state = editor.state
        assert any("'size' cannot be" in line for line in state["said"])
        assert state["size"][0] >= 100 and state["size"][1] >= 100, state["size"]
        editor.picture("small")
        editor.object((40, 60), "sine~ 220")
        editor.object((40, 120), "out~")
        editor.key("ctrl+9")
        editor.until(lambda state: not state["gliding"], "that all is shown")
        boxes = editor.state["boxes"]
        editor.drag(boxes["sine1"]["ports"]["out:y"], boxes["out1"]["ports"]["in:x"], "wiring")
        assert editor.settled()["cables"] == ["sine1.y -> out1.x"]
        editor.frames()
        editor.picture("small-patch")
        editor.key("n")
        editor.until(lambda state: state["asking"] and state["typing"], "the object's field")
        editor.type("fil")
        editor.until(lambda state: state["text"] == "fil", "what was typed")
        editor.frames()
        editor.picture("small-typing")
        editor.key("Escape", "ctrl+comma")
        editor.until(lambda state: "setting close settings" in state["fields"], "the settings")
        editor.frames()
        editor.picture("small-settings")
        editor.key("ctrl+comma", "ctrl+q")
        editor.until(lambda state: state["quitting"], "the question")
        editor.frames()
        editor.picture("small-question")
        assert not any("mistake" in line for line in editor.state["said"]), editor.state["said"]
    finally:
        editor.kill()


def test_boxes_glide_and_nothing_is_drawn_afterwards(display: str, folder: Path) -> None:
    every_kind(folder / "kinds.ng")
    editor = Driven(display, folder, ["kinds.ng", "--driver", "null"])
    try:
        before = editor.state["boxes"]["gain"]["middle"]
        editor.key("ctrl+t")
        state = editor.until(lambda state: state["boxes"]["gain"]["middle"] != before, "that it is tidied")
        after = state["boxes"]["gain"]["middle"]
        state = editor.until(lambda state: not state["gliding"], "that all is there")
        assert state["boxes"]["gain"]["middle"] == after, "the model was there at once"
        editor.settled()
        editor.picture("tidied")
        last = [0, time.monotonic()]

        def still(state: dict[str, Any]) -> bool:
            if state["frames"] != last[0]:
                last[:] = [state["frames"], time.monotonic()]
            return time.monotonic() - last[1] > STILL_S

        editor.until(still, "that nothing is drawn any more")
        editor.key("ctrl+z")
        state = editor.until(lambda state: state["boxes"]["gain"]["middle"] == before, "the old places")
        editor.until(lambda state: not state["gliding"], "that all is there")
    finally:
        editor.kill()


def test_a_dense_screen_makes_everything_larger_and_the_window_stays_on_it(display: str, folder: Path) -> None:
    every_kind(folder / "kinds.ng")
    editor = Driven(display, folder, ["kinds.ng", "--driver", "null"], GDK_SCALE="2")
    try:
        assert editor.state["everything"] == 2.0
        told = subprocess.run(
            [needs("xwininfo", "apt install x11-utils"), "-display", display, "-id", editor.window],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        width, height = (int(re.search(rf"{word}: (\d+)", told)[1]) for word in ("Width", "Height"))  # type: ignore[index]
        across, down, _ = (int(value) for value in SIZE.split("x"))
        left, top = editor.corner
        assert left >= 0 and top >= 16, "its title is seen"
        assert left + width <= across and top + height <= down, told
        edge = editor.state["size"]
        editor.point((edge[0] + 1, 300))
        editor._tool("mousedown", "1")
        editor.frames()
        for step in range(1, 5):
            editor.point((edge[0] + 1 + 30 * step, 300))
            editor.frames(1)
        editor._tool("mouseup", "1")
        editor.until(lambda state: state["size"][0] > edge[0] + 60, "that the edge is narrower")
        editor.picture("dense")
        editor.key("ctrl+q")
        assert editor.process.wait(60) == 0
        kept = json.loads((folder / "config" / "editor.json").read_text())
        assert "size" not in kept and 200 < kept["docks"]["right"] < 290, kept
    finally:
        editor.kill()
