"""Notes and modes in the window: written, carried, resized; locked and presented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nodegraph import Patch
from tests.editor.desktop import Driven
from tests.session.test_looks import png

LONG = "Turn cutoff first."


@pytest.fixture
def editor(display: str, folder: Path) -> Iterator[Driven]:
    patch = Patch("Notes")
    sine, gain, out = patch.add("sine~", "sine1", freq=220), patch.add("gain~", "gain1"), patch.add("out~", "out1")
    patch.connect(sine, gain, out)
    for node, y in ((sine, 120), (gain, 200), (out, 280)):
        patch.move(node, 100, y)
    note = {"kind": "image", "file": "score.png", "at": [420, 120], "size": [160, 80]}
    patch.do({"do": "add-note", "note": "pic", "entry": note})
    patch.do({"do": "add-note", "note": "gone", "entry": note | {"file": "gone.png", "at": [420, 230]}})
    patch.do({"do": "add-note", "note": "torn", "entry": note | {"file": "torn.png", "at": [420, 330]}})
    patch.save(folder / "notes.ng")
    (folder / "score.png").write_bytes(png(160, 80))
    (folder / "torn.png").write_bytes(png(160, 80)[:60])
    driven = Driven(display, folder, ["notes.ng", "--driver", "null"])
    yield driven
    driven.kill()


def written(editor: Driven, text: str, done: str) -> None:
    editor.until(lambda state: state["writing"] and state["typing"], "the field")
    editor.type(text)
    editor.until(lambda state: state["text"] == text, f"the text {text}")
    editor.picture("writing")
    editor.key(done)
    editor.until(lambda state: not state["writing"], "that it is written")
    editor.settled()


def test_large_images_become_smaller_by_means() -> None:
    from nodegraph.editor.gui.textures import smaller

    points = np.arange(4 * 6 * 4, dtype=np.float32).reshape(4, 6, 4)
    assert smaller(points, 1) is points or np.array_equal(smaller(points, 1), points)
    found = smaller(points, 2)
    assert found.shape == (2, 3, 4) and found[0, 0, 0] == points[:2, :2, 0].mean()
    assert smaller(points, 5).shape == (1, 2, 4), "thinner than a step"


def test_notes_are_written_carried_and_presented(editor: Driven, tmp_path: Path) -> None:
    state = editor.state
    left, top = state["boxes"]["sine1"]["middle"]
    editor.point((left + 100, top - 60))
    editor.key("ctrl+e")
    written(editor, LONG, "ctrl+Return")
    (id,) = editor.until(lambda state: state["selected_notes"], "the comment")["selected_notes"]
    corner = editor.state["notes"][id]["corner"]
    editor.drag(corner, (corner[0] - 60, corner[1] + 20), "resizing")
    editor.key("alt+c", "ctrl+shift+Up")
    assert editor.settled()["notes"][id]["text"] == LONG
    editor.frames()  # the modifiers are up: with one of them Return means something else
    editor.key("Return")  # its text again
    editor.until(lambda state: state["writing"] and state["text"] == LONG, "its text")
    editor.key("Escape")
    editor.until(lambda state: not state["writing"], "that it is left")

    editor.drag((left - 90, top - 20), (left + 150, top + 110), "framing")
    editor.until(lambda state: state["selected"] == ["gain1", "sine1"], "two boxes")
    editor.key("ctrl+shift+e")
    written(editor, "Voice", "Return")
    (area,) = editor.until(lambda state: state["selected_notes"] != [id], "the area")["selected_notes"]
    grip = editor.state["notes"][area]["grip"]
    editor.drag(grip, (grip[0] - 30, grip[1] + 60), "moving")
    state = editor.settled()
    assert abs(state["boxes"]["sine1"]["middle"][1] - top - 60) < 3 and state["undo"] == "Move"
    editor.frames()
    editor.picture("notes")

    editor.key("ctrl+shift+k")
    state = editor.until(lambda state: state["locked"], "the lock")
    assert "(locked)" in state["title"]
    at = state["boxes"]["gain1"]["middle"]
    editor.point(at)
    editor._tool("mousedown", "1")
    editor.point((at[0] + 60, at[1]))
    editor._tool("mouseup", "1")
    editor.frames()
    editor.picture("locked")
    assert editor.state["boxes"]["gain1"]["middle"] == at
    editor.key("ctrl+shift+k")
    editor.until(lambda state: not state["locked"], "that it is unlocked")

    editor.key("ctrl+a", "shift+F4")
    editor.until(lambda state: "presentation" in state["said"][-1], "the marks")
    editor.settled()
    editor.key("F4")
    state = editor.until(lambda state: state["presenting"], "the presentation")
    editor.frames()
    assert state["locked"] and not state["boxes"]["sine1"]["ports"]
    editor.until(lambda state: state["size"] == [1280.0, 779.0], "the whole window")
    editor.picture("presented")
    editor.key("Escape")
    editor.until(lambda state: not state["presenting"] and state["size"][1] < 800, "that it is left")
    editor.key("F11")
    editor.until(lambda state: state["size"][0] > 1000 and state["size"][1] > 800, "the full screen")
    editor.frames()
    editor.picture("full")
    editor.key("F11")
    editor.until(lambda state: state["size"][1] < 800, "the window again")
    editor.key("ctrl+s")
    editor.until(lambda state: not state["unsaved"], "that it is saved")
    found = json.loads((tmp_path / "notes.ng").read_text())
    assert (
        found["notes"][id]["colour"] == "cyan"
        and found["notes"][id]["points"] == 19
        and found["notes"][area]["text"] == "Voice"
    )
    assert set(found["presentation"]) == {"sine1", "gain1", "out1"}
