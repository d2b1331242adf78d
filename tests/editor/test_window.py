"""The window, driven by hand: from an empty canvas to a patch that sounds, back to nothing, and again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph import Patch
from tests.editor.desktop import ROOT, Driven


@pytest.fixture
def editor(display: str, folder: Path) -> Iterator[Driven]:
    driven = Driven(display, folder, ["new.ng", "--driver", "null"])
    yield driven
    driven.kill()


def test_a_patch_is_made_undone_and_made_again(editor: Driven, folder: Path) -> None:
    for at, text in (((200, 120), "sine~ 220"), ((200, 220), "gain~ 0.2"), ((200, 320), "out~")):
        editor.object(at, text)
    boxes = editor.state["boxes"]
    assert [boxes[id]["text"] for id in ("sine1", "gain1", "out1")] == ["sine~ 220", "gain~ 0.2", "out~"]
    editor.drag(boxes["sine1"]["ports"]["out:y"], boxes["gain1"]["ports"]["in:x"], "wiring")
    editor.drag(boxes["gain1"]["ports"]["out:y"], boxes["out1"]["ports"]["in:x"], "wiring")
    state = editor.settled()
    assert state["cables"] == ["gain1.y -> out1.x", "sine1.y -> gain1.x"], state
    assert state["title"].startswith("● ")
    editor.key("ctrl+s")
    editor.until(lambda state: not state["unsaved"], "that it is saved")
    before = (folder / "new.ng").read_text()
    assert '"gain1.y -> out1.x"' in before
    editor.picture("patch")

    for _ in range(5):
        undo = editor.state["undo"]
        editor.key("ctrl+z")
        editor.until(lambda state, undo=undo: state["undo"] != undo and not state["waiting"], "an undo")
    state = editor.until(lambda state: not state["boxes"], "the empty canvas")
    assert state["undo"] is None and state["unsaved"]
    for _ in range(5):
        redo = editor.state["redo"]
        editor.key("ctrl+shift+z")
        editor.until(lambda state, redo=redo: state["redo"] != redo and not state["waiting"], "a redo")
    state = editor.until(lambda state: len(state["cables"]) == 2, "all of it again")
    assert state["redo"] is None and not state["unsaved"]
    editor.key("ctrl+s")
    editor.until(lambda state: state["said"][-1].startswith("Saved: "), "that it is saved")
    assert (folder / "new.ng").read_text() == before


def test_boxes_are_moved_selected_and_deleted_by_hand(editor: Driven) -> None:
    editor.object((200, 120), "sine~ 220")
    editor.object((200, 240), "cycle~ 330")  # Max's word
    boxes = editor.state["boxes"]
    assert boxes["sine2"]["text"] == "sine~ 330"
    x, y = boxes["sine1"]["middle"]
    editor.drag((x, y), (x + 200, y + 40), "moving")
    moved = editor.settled()["boxes"]["sine1"]["middle"]
    assert abs(moved[0] - x - 200) < 2 and abs(moved[1] - y - 40) < 2
    editor.key("ctrl+z")
    editor.until(lambda state: state["boxes"]["sine1"]["middle"] == [x, y], "that it is back")
    editor.drag((100, 60), (600, 400), "framing")
    assert editor.until(lambda state: state["selected"], "a selection")["selected"] == ["sine1", "sine2"]
    editor.key("ctrl+d")
    editor.until(lambda state: len(state["boxes"]) == 4, "copies")
    editor.settled()
    editor.key("Delete")
    editor.until(lambda state: len(state["boxes"]) == 2, "that the copies are gone")
    editor.point((500, 300))
    editor._tool("click", "4")
    editor.until(lambda state: state["zoom"] > 1.1, "that it is larger")


def test_just_typing_begins_an_object_and_tab_completes_it(editor: Driven) -> None:
    editor.point((300, 200))
    editor.key("g", "a")
    editor.until(lambda state: state["typing"] and state["text"] == "ga", "what was typed")
    editor.type("in")
    editor.until(lambda state: state["text"] == "gain", "what was typed")
    editor.key("Tab")
    editor.until(lambda state: state["text"] == "gain~ " and state["typing"], "what was completed")
    editor.picture("completed")
    editor.type("0.5")
    editor.until(lambda state: state["text"] == "gain~ 0.5", "its value")
    editor.key("Return")
    assert editor.until(lambda state: state["boxes"], "the object")["boxes"]["gain1"]["text"] == "gain~ 0.5"


def test_a_number_is_dragged_and_put_back(editor: Driven) -> None:
    editor.object((200, 120), "sine~ 220")
    x, y = editor.until(lambda state: state["fields"].get("bar freq", [0])[0] > 900, "the inspector")["fields"][
        "bar freq"
    ]
    editor.point((x, y))
    editor._tool("mousedown", "1")
    for step in range(1, 6):
        editor.point((x + 8 * step, y))
        editor.frames()
    editor._tool("mouseup", "1")
    state = editor.until(lambda state: state["undo"] == "Set sine1.freq" and not state["waiting"], "one step")
    assert float(state["boxes"]["sine1"]["text"].split()[1]) > 220
    editor.picture("inspector")
    editor.until(lambda state: "reset freq" in state["fields"], "the way back")
    editor.point(editor.state["fields"]["reset freq"])
    editor._tool("click", "1")
    editor.until(lambda state: state["boxes"]["sine1"]["text"] == "sine~", "the value without one of its own")
    editor.settled()
    for _ in range(2):
        undo = editor.state["undo"]
        editor.key("ctrl+z")
        editor.until(lambda state, undo=undo: state["undo"] != undo and not state["waiting"], "an undo")
    assert editor.state["boxes"]["sine1"]["text"] == "sine~ 220"


def test_the_engine_plays_on_when_the_editor_is_killed(editor: Driven, folder: Path, display: str) -> None:
    editor.object((200, 120), "sine~ 220")
    editor.object((200, 220), "out~")
    boxes = editor.state["boxes"]
    editor.drag(boxes["sine1"]["ports"]["out:y"], boxes["out1"]["ports"]["in:x"], "wiring")
    editor.settled()
    (file,) = (folder / "state" / "editor").glob("*.json")
    engine = json.loads(file.read_text())
    editor.kill()
    health = engine["url"].split("?")[0] + "health"
    for _ in range(2):
        with urllib.request.urlopen(health) as answer:
            assert json.load(answer)["playing"]
    os.kill(engine["pid"], 0)
    again = Driven(display, folder, ["new.ng"], "again")
    try:
        assert again.state["cables"] == ["sine1.y -> out1.x"]  # never saved
        assert again.state["unsaved"] and again.state["undo"] == "Connect sine1.y -> out1.x"
        assert json.loads(file.read_text())["pid"] == engine["pid"]
    finally:
        again.kill()


def test_closing_asks_about_what_is_not_saved(editor: Driven, folder: Path) -> None:
    editor.object((200, 120), "sine~ 220")
    editor.key("ctrl+q")
    editor.until(lambda state: state["quitting"], "the question")
    editor.picture("unsaved")
    editor.process.poll()
    assert editor.process.returncode is None


def test_ending_the_command_ends_its_engine(editor: Driven, folder: Path) -> None:
    (file,) = (folder / "state" / "editor").glob("*.json")
    editor.process.terminate()
    assert editor.process.wait(60) == 143
    end = time.monotonic() + 60
    while file.exists():
        assert time.monotonic() < end, "the engine lives on"
        time.sleep(0.02)


def test_an_unchanged_patch_is_closed_with_its_engine(editor: Driven, folder: Path) -> None:
    (file,) = (folder / "state" / "editor").glob("*.json")
    editor.key("ctrl+q")
    assert editor.process.wait(60) == 0
    end = time.monotonic() + 60
    while file.exists():
        assert time.monotonic() < end, "the engine lives on"
        time.sleep(0.02)


def run(words: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    given |= {"PYTHONPATH": str(ROOT), "NODEGRAPH_STATE": str(folder / "state"), **environment}
    return subprocess.run(
        [sys.executable, "-m", "nodegraph", "edit", *words], cwd=folder, env=given, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("environment", [{}, {"DISPLAY": ":987"}])
def test_no_display_is_one_line(tmp_path: Path, environment: dict[str, str]) -> None:
    done = run(["new.ng"], tmp_path, **environment)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "screen" in done.stderr
    assert not (tmp_path / "state").exists()  # no engine was started for nobody


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--attach", "nowhere:port"], "is no address"),
        (["--attach", "127.0.0.1:1"], "--token"),
        (["a.ng", "--attach", "127.0.0.1:1"], "a patch cannot be named"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    done = run(words, tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and said in done.stderr


def test_what_is_no_patch_is_said_before_a_window_opens(display: str, folder: Path) -> None:
    (folder / "bad.ng").write_text("{")
    for name, said in (("bad.ng", "bad.ng"), ("none/new.ng", "no folder"), ("new.txt", "should end in .ng")):
        done = run([name], folder, DISPLAY=display)
        assert done.returncode == 2 and said in done.stderr, done.stderr


def test_a_subpatch_is_opened_by_two_clicks_and_left_by_one(display: str, folder: Path) -> None:
    voice = Patch("Voice")
    voice.connect(voice.add("sine~", "osc", freq=220), voice.add("outlet~", "y"))
    voice.save(folder / "voice.ng")
    patch = Patch("One")
    patch.document.path = folder / "one.ng"
    patch.graph.registry.lie_in(folder / "one.ng")
    patch.connect(patch.add("voice.ng", "a"), patch.add("out~", "out"))
    patch.save(folder / "one.ng")
    editor = Driven(display, folder, ["one.ng", "--driver", "null"])
    try:
        editor.point(editor.state["boxes"]["a"]["middle"])
        editor._tool("click", "--repeat", "2", "--delay", "120", "1")
        editor.until(lambda state: state["sheet"] == "/patch/a" and "osc" in state["boxes"], "what is inside")
        editor.object((300, 300), "gain~ 0.5")
        editor.frames()
        editor.picture("subpatch")
        editor.point(editor.state["fields"]["way One"])
        editor._tool("click", "1")
        editor.until(lambda state: state["sheet"] == "/patch" and "a" in state["boxes"], "the way back")
        editor.key("ctrl+s")
        editor.until(lambda state: not state["unsaved"] and not state["title"].startswith("●"), "that it is saved")
        assert "gain1" in (folder / "voice.ng").read_text()
    finally:
        editor.kill()


def test_two_editors_at_one_engine(display: str, folder: Path) -> None:
    patch = Patch("Two")
    patch.add("sine~", "osc")
    patch.save(folder / "two.ng")
    one = Driven(display, folder, ["two.ng", "--driver", "null"], "one")
    try:
        (file,) = (folder / "state" / "editor").glob("*.json")
        two = Driven(display, folder, ["--attach", json.loads(file.read_text())["url"]], "two")
        try:
            two.object((300, 400), "gain~ 0.5")
            state = one.until(lambda state: "gain1" in state["boxes"], "the other's object")
            assert state["boxes"]["gain1"]["text"] == "gain~ 0.5"
        finally:
            two.kill()
    finally:
        one.kill()
