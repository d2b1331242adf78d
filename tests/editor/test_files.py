"""Files by the editor: which there are, another one, another name, what was open last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nodegraph import Patch
from nodegraph.editor.editing import Editing
from nodegraph.editor.files import recent
from nodegraph.session.session import Session
from tests.editor.desktop import Driven, end_engines
from tests.editor.editors import made, settled, until


@pytest.fixture
def beside(editing: Editing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editing:
    """Files beside the patch."""
    monkeypatch.setenv("NODEGRAPH_STATE", str(tmp_path / "state"))
    (tmp_path / "parts" / ".hidden").mkdir(parents=True)
    for name in ("bells.ng", "parts/voice.ng", "parts/.hidden/no.ng"):
        patch = Patch(name)
        patch.add("sine~", "osc")
        patch.save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no patch")
    return editing


def asked(editing: Editing, what: str) -> None:
    editing.actions[what]()
    until(editing, lambda: editing.files.patches, "the files")


def test_the_patches_that_may_be_opened(beside: Editing) -> None:
    asked(beside, "open")
    assert sorted(beside.files.patches) == ["bells.ng", "new.ng", "parts/voice.ng"]


def test_another_takes_its_place_after_a_question(beside: Editing, session: Session) -> None:
    made(beside, "gain~", (40, 40))
    settled(beside)
    questions: list[list[str]] = []

    def sure(title: str, text: str, answers: list[tuple[str, object]]) -> None:
        questions.append([label for label, _ in answers])
        call = answers[1][1]
        assert callable(call)
        call()

    beside.files.sure = sure
    asked(beside, "open")
    assert beside.files.offers("VOICE parts") == ["parts/voice.ng"]
    beside.files.answer("parts/voice.ng")
    until(beside, lambda: "osc" in beside.scene.boxes, "the other patch")
    assert questions == [["Save and open", "Open, and lose them", "Go on"]]
    assert session.patch.path is not None and session.patch.path.name == "voice.ng"


def test_what_lies_elsewhere_is_refused_and_said(beside: Editing) -> None:
    asked(beside, "open")
    beside.files.answer("/etc/passwd")
    until(beside, lambda: "outside" in beside.lines[-1], "why not")


def test_another_name(beside: Editing, session: Session, tmp_path: Path) -> None:
    made(beside, "gain~", (40, 40))
    asked(beside, "save-as")
    beside.files.answer("mine")
    until(beside, lambda: (tmp_path / "mine.ng").exists() and not beside.mirror.unsaved, "the file")
    assert (tmp_path / "mine.ng").read_text() == str(session.patch)
    said: list[tuple[str, Any]] = []
    beside.files.sure = lambda title, text, answers: said.append((text, answers))
    asked(beside, "save-as")
    (tmp_path / "late.ng").write_text((tmp_path / "bells.ng").read_text())
    for name in ("bells", "late"):  # the second came after they were listed
        beside.files.answer(name)
        until(beside, lambda: said, "the question")
        assert said[0][0] == f"{name}.ng is there already." and '"gain' not in (tmp_path / f"{name}.ng").read_text()
        overwrite = dict(said.pop()[1])["Overwrite it"]
        asked(beside, "save-as")
    overwrite()
    until(beside, lambda: '"gain' in (tmp_path / "late.ng").read_text(), "that it is replaced")
    count = len(beside.lines)
    beside.files.answer("late")
    until(beside, lambda: len(beside.lines) > count, "that it is saved")
    assert beside.lines[-1].endswith("late.ng") and not said, "its own file is written without a question"


def test_with_an_engine_of_its_own_a_file_gets_a_window_of_its_own(beside: Editing, tmp_path: Path) -> None:
    begun: list[tuple[Path | None, Path]] = []
    beside.files.begin = lambda patch, folder: begun.append((patch, folder))
    asked(beside, "open")
    beside.files.answer("bells")
    beside.actions["new"]()
    asked(beside, "open")
    beside.files.answer("nowhere")
    assert begun == [(tmp_path / "bells.ng", tmp_path), (None, tmp_path)]
    assert "There is no file" in beside.lines[-1]
    beside.save()
    until(beside, lambda: recent() == [str(tmp_path / "new.ng")], "that it is remembered")
    asked(beside, "open-recent")
    assert beside.files.offers("") == [str(tmp_path / "new.ng")]


def test_a_file_is_chosen_in_the_window(display: str, tmp_path: Path) -> None:
    for name in ("bells.ng", "canon.ng", "wind.ng"):
        Patch(name).save(tmp_path / name)
    editor = Driven(display, tmp_path, ["bells.ng", "--driver", "null"])
    try:
        editor.key("ctrl+o")
        editor.until(lambda state: state["files"] and "file canon.ng" in state["fields"], "the files")
        editor.frames()
        editor.picture("open")
        editor.key("Escape")
        editor.until(lambda state: not state["files"], "that it is gone")
        editor.key("ctrl+shift+s")
        editor.until(lambda state: state["files"] and "file canon.ng" in state["fields"], "the files")
        editor.frames()
        editor.type("mine")
        editor.until(lambda state: "file canon.ng" not in state["fields"], "that it was heard")
        editor.key("Return")
        editor.until(lambda state: any("mine.ng" in line for line in state["said"]), "that it is saved")
        assert (tmp_path / "mine.ng").exists()
    finally:
        editor.kill()
        end_engines(tmp_path)
