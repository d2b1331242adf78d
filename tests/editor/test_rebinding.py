"""Keys are changed in the window: what stands in the way is said, and the file keeps what it held."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nodegraph.core.errors import PatchFileError
from nodegraph.editor.keys import Keys, user_keys
from nodegraph.editor.rebinding import Rebinding, write


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "keys.json"


@pytest.fixture
def rebinding(file: Path) -> Rebinding:
    return Rebinding(Keys(), file)


def test_free_keys_are_taken_at_once_and_hold_from_now_on(rebinding: Rebinding, file: Path) -> None:
    rebinding.ask("duplicate")
    rebinding.press("ctrl+alt+d")
    assert rebinding.action is None and rebinding.keys.action["ctrl+alt+d"] == "duplicate"
    assert "ctrl+d" not in rebinding.keys.action and "Ctrl+Alt+D" in rebinding.said
    assert user_keys(file)[0].of == rebinding.keys.of and user_keys(file)[1] == []


def test_keys_of_another_action_are_said_and_taken_over(rebinding: Rebinding, file: Path) -> None:
    rebinding.ask("duplicate", adds=True)
    rebinding.press("ctrl+y")
    assert rebinding.wanted == "ctrl+y" and "Redo" in rebinding.said and not file.exists()
    rebinding.take_over()
    assert rebinding.keys.of["duplicate"] == ("ctrl+d", "ctrl+y") and rebinding.keys.of["redo"] == ("ctrl+shift+z",)
    assert json.loads(file.read_text()) == {"duplicate": ["ctrl+d", "ctrl+y"], "redo": ["ctrl+shift+z"]}


def test_escape_leaves_it_and_fixed_keys_are_refused(rebinding: Rebinding, file: Path) -> None:
    rebinding.ask("duplicate")
    rebinding.press("space")
    assert "cannot be" in rebinding.said and rebinding.action == "duplicate"
    rebinding.press("escape")
    assert rebinding.action is None and not file.exists() and rebinding.keys.of == Keys().of


def test_no_keys_and_the_usual_ones_again(rebinding: Rebinding, file: Path) -> None:
    rebinding.clear("play")
    assert rebinding.keys.of["play"] == () and json.loads(file.read_text()) == {"play": []}
    rebinding.ask("save")
    rebinding.press("f5")
    rebinding.usual("play")
    assert rebinding.keys.of["play"] == ("ctrl+space",), "the other is in use now"
    rebinding.usual("save")
    rebinding.usual("play")
    assert rebinding.keys.of == Keys().of and json.loads(file.read_text()) == {}


def test_what_else_is_in_the_file_stays(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"of-another-version": ["f3"], "play": ["f2"], "note": {"deep": ["ä"]}}')
    write({"duplicate": ["f4"]}, file)
    told = {"of-another-version": ["f3"], "play": ["f2"], "note": {"deep": ["ä"]}, "duplicate": ["f4"]}
    assert json.loads(file.read_text()) == told
    assert [item.name for item in file.parent.iterdir()] == ["keys.json"], "nothing is left beside it"


@pytest.mark.parametrize("text", ["{", "[]", "nonsense"])
def test_a_file_that_cannot_be_read_is_left_as_it_is(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(PatchFileError):
        write({"play": []}, file)
    rebinding = Rebinding(Keys(), file)
    rebinding.clear("play")
    assert file.read_text() == text and "not written" in rebinding.said and rebinding.keys.of["play"]
