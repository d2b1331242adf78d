"""Other versions of the patch, asked for over the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph.core.patchfile import loads
from nodegraph.session.session import Session
from tests.cli.test_diff import git
from tests.session.test_protocol import Box
from tests.session.test_session import tone


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    patch = tone()
    patch.save(tmp_path / "tone.ng")
    with Session(patch, driver="null") as made:
        yield made


def test_the_file_as_saved_last_is_not_what_is_edited(session: Session, tmp_path: Path) -> None:
    box = Box(session)
    saved = (tmp_path / "tone.ng").read_text()
    box.ask("edit", commands={"do": "set", "node": "osc", "values": {"freq": 500}})
    assert box.ask("version") == {"text": saved, "of": "tone.ng as saved"}
    box.ask("save")
    assert loads(box.ask("version")["text"]).graph.value("osc", "freq") == 500


def test_a_revision_and_another_file_of_its_folder(session: Session, tmp_path: Path) -> None:
    box = Box(session)
    assert box.code("version", revision="HEAD") == "bad-revision", "no repository"
    for words in (("init", "-q"), ("add", "tone.ng"), ("commit", "-qm", "A tone")):
        git(tmp_path, *words)
    was = (tmp_path / "tone.ng").read_text()
    (tmp_path / "other.ng").write_text(was)
    box.ask("edit", commands={"do": "set", "node": "osc", "values": {"freq": 500}})
    box.ask("save")
    assert box.ask("version", revision="HEAD") == {"text": was, "of": "tone.ng at HEAD"}
    assert box.ask("version", path="other.ng")["text"] == was
    assert box.code("version", revision="--output=x") == "bad-revision"
    for path in ("/etc/hostname.ng", "../tone.ng", "tone.txt", "gone.ng"):
        assert box.code("version", path=path)


def test_the_file_of_a_sheet(session: Session, tmp_path: Path) -> None:
    box = Box(session)
    (tmp_path / "part.ng").write_text('{"nodegraph": 1, "nodes": {"osc": {"kind": "sine~", "freq": 5}}}')
    was = (tmp_path / "part.ng").read_text()
    name = box.ask("sheet", kind="part.ng")["sheet"]
    box.ask("edit", sheet=name, commands={"do": "set", "node": "osc", "values": {"freq": 6}})
    assert box.ask("version", sheet=name) == {"text": was, "of": "part.ng as saved"}
    assert box.code("version", sheet="nothing") == "unknown-sheet"


def test_a_patch_without_a_file_has_no_version() -> None:
    with Session(tone(), driver="null") as made:
        assert Box(made).code("version") == "no-file"
