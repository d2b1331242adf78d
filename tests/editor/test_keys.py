"""One table of keys: complete, without two meanings, and changeable by the user."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nodegraph.core.errors import PatchError
from nodegraph.editor.editing import Editing
from nodegraph.editor.keys import ACTIONS, Keys, chord, read_chord, user_keys


def test_every_action_can_be_done_and_every_key_means_one_thing(editing: Editing) -> None:
    panels = (action.name for action in ACTIONS if action.name.startswith("panel-"))
    window = {"quit", "keys", "full-screen", "rename-object", "context-menu", "settings", "menus", *panels}
    assert {action.name for action in ACTIONS} == editing.actions.keys() | window
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
    assert all(read_chord(key) == key for key in keys)


def test_chords_have_one_way_to_be_written() -> None:
    assert chord("z", ("shift", "ctrl")) == "ctrl+shift+z" == read_chord("Shift + CTRL + Z")


def test_a_user_changes_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text('{"duplicate": ["ctrl+alt+d", "F2"], "play": []}')
    keys, problems = user_keys(file)
    assert not problems
    assert keys.action["f2"] == keys.action["ctrl+alt+d"] == "duplicate"
    assert "ctrl+d" not in keys.action and "f5" not in keys.action
    assert ("Edit", "Duplicate", "Ctrl+Alt+D, F2") in keys.listed()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ({"duplicat": ["f2"]}, "Did you mean 'duplicate'?"),
        ({"duplicate": ["ctrl+zz"]}, "'zz' is none"),
        ({"duplicate": ["f2"], "play": ["f2"]}, "'f2' is for"),
        ({"duplicate": "f2"}, "These are no keys"),
        ([], "These are no keys"),
    ],
)
def test_wrong_keys_are_said_and_the_usual_ones_hold(tmp_path: Path, data: object, word: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(data))
    keys, problems = user_keys(file)
    assert keys.of == Keys().of
    assert word in problems[0].describe() and str(file) in problems[0].describe()


def test_what_a_user_gives_to_one_action_is_taken_from_another_that_nobody_changed(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text('{"duplicate": ["ctrl+z"], "of-another-version": ["f3"]}')
    keys, problems = user_keys(file)
    assert keys.action["ctrl+z"] == "duplicate" and keys.of["undo"] == () and "f3" not in keys.action
    told = " ".join(problem.describe() for problem in problems)
    assert "'ctrl+z' is for 'duplicate' now" in told and "'of-another-version'" in told


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    assert user_keys(tmp_path / "keys.json")[1] == []
    (tmp_path / "bad.json").write_text("{")
    assert "cannot be read" in user_keys(tmp_path / "bad.json")[1][0].what
    with pytest.raises(PatchError):
        Keys({"nothing": []})
