"""What a user has decided is kept beside what others wrote, and what is wrong is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nodegraph.core.errors import PatchError
from nodegraph.editor.editing import Editing
from nodegraph.editor.settings import DECISIONS, GRID, LARGEST, SIZES, SMALLEST, Settings, settings_file
from tests.editor.editors import drag, made, middle, settled


def test_only_what_was_decided_is_written_and_the_rest_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "config" / "editor.json"
    settings = Settings(file)
    assert not settings.known and not settings.problems
    settings.save()
    assert not file.exists()
    settings.change(theme="light", grid=False)
    settings.save()
    assert json.loads(file.read_text()) == {"theme": "light"}
    file.write_text('{"theme": "neon", "of another version": [1, 2], "size": 1.5}')  # another editor wrote meanwhile
    settings.change(grid=True)
    settings.save()
    assert json.loads(file.read_text()) == {"theme": "neon", "of another version": [1, 2], "size": 1.5, "grid": True}
    again = Settings(file)
    assert again.known and (again.theme, again["size"], again.step) == ("neon", 1.5, GRID)


@pytest.mark.parametrize(
    ("key", "value"),
    [("theme", "pink"), ("theme", []), ("size", 9), ("size", True), ("size", float("nan")), ("reduced_motion", 1),
     ("grid", "yes"), ("panels", "log"), ("window", [1]), ("window", [0, 1e9]), ("docks", {"top": 3}), ("docks", [3])],
)  # fmt: skip
def test_what_is_wrong_is_said_and_the_usual_holds(tmp_path: Path, key: str, value: Any) -> None:
    file = tmp_path / "editor.json"
    file.write_text(json.dumps({key: value, "toured": True}))
    settings = Settings(file)
    (problem,) = settings.problems
    told = problem.describe()
    assert f"'{key}' cannot be" in told and DECISIONS[key].words in told and str(file) in told
    assert settings[key] == DECISIONS[key].usual and settings["toured"] is True
    with pytest.raises(PatchError):
        settings.change(**{key: value})


@pytest.mark.parametrize("text", ["{", "[1]", "\0"])
def test_a_file_that_cannot_be_read_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "editor.json"
    file.write_text(text)
    settings = Settings(file)
    assert len(settings.problems) == 1 and settings.known
    settings.change(theme="light")
    with pytest.raises(PatchError):
        settings.save()
    assert settings.theme == "light" and file.read_text() == text


def test_it_lies_in_the_config_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NODEGRAPH_CONFIG", str(tmp_path))
    assert settings_file() == tmp_path / "editor.json"


def test_the_size_of_everything_goes_in_steps_and_keeps_the_middle(editing: Editing) -> None:
    view, middle_ = editing.viewport, (editing.size[0] / 2, editing.size[1] / 2)
    before = view.patch(*middle_)
    editing.actions["size-up"]()
    assert editing.natural == 1.1 and view.zoom == pytest.approx(1.1)
    assert view.patch(*middle_) == pytest.approx(before)
    for _ in SIZES:
        editing.actions["size-up"]()
    assert editing.natural == LARGEST
    for _ in SIZES:
        editing.actions["size-down"]()
    assert editing.natural == SMALLEST
    editing.actions["size-none"]()
    assert editing.natural == 1.0 and view.zoom == pytest.approx(1.0)
    editing.choices.begin(2.0)  # a dense screen
    assert editing.natural == 2.0
    editing.actions["zoom-none"]()
    assert view.zoom == 2.0
    editing.show_all()
    assert view.zoom <= 2.0


def test_boxes_snap_to_the_grid_when_it_is_so_decided(editing: Editing) -> None:
    node = made(editing, "gain~ 0.5", (103, 207))
    for on, wanted in ((False, (153, 248)), (True, (200, 290))):
        if on:
            editing.actions["grid"]()
        x, y = middle(editing, node)
        drag(editing, (x, y), (x + 50, y + 41))
        settled(editing)
        box = editing.scene.boxes[node]
        assert (box.x, box.y) == wanted


def test_the_actions_turn_decisions_over(editing: Editing) -> None:
    heard: list[str] = []
    editing.settings.listeners.append(lambda: heard.append(editing.settings.theme))
    for name, key in (("theme", "theme"), ("reduced-motion", "reduced_motion"), ("grid", "grid")):
        usual = editing.settings[key]
        editing.actions[name]()
        assert editing.settings[key] != usual
        editing.actions[name]()
        assert editing.settings[key] == usual
    assert heard[:2] == ["light", "neon"]
