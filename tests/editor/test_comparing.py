"""The patch compared with other versions of it, without a window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.editor.editing import Editing
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.cli.test_diff import git
from tests.editor.editors import joined, made, settled, until


@pytest.fixture
def editing(tmp_path: Path) -> Iterator[Editing]:
    patch = Patch("Tone")
    patch.connect(patch.add("sine~", "osc", freq=330), patch.add("gain~", "level", gain=0.2), patch.add("out~", "out"))
    patch.save(tmp_path / "tone.ng")
    with Session(patch, driver="null") as session, Server(session, port=0) as server, joined(server) as editing:
        yield editing


def lines(editing: Editing) -> list[str]:
    found = editing.ways.comparing.found
    assert found is not None
    return found.lines()


def compared(editing: Editing) -> None:
    number = editing.ways.comparing.number
    until(editing, lambda: editing.ways.comparing.number > number, "the comparison")


def test_what_is_different_from_the_file_follows_every_edit_and_is_nothing_when_saved(editing: Editing) -> None:
    comparing = editing.ways.comparing
    wanted: list[tuple[str, bool]] = []
    editing.show_panel = lambda name, shown: wanted.append((name, shown))
    editing.actions["diff"]()
    compared(editing)
    assert lines(editing) == [] and comparing.of == "tone.ng as saved" and wanted == [("diff", True)]
    editing.set_value("osc", "freq", 440)
    new = made(editing, "noise~", (100, 100))
    editing.selection.only(["level"])
    editing.actions["delete"]()
    settled(editing)
    told = lines(editing)
    assert "~ osc: freq 330 → 440" in told and f"+ {new}: noise~" in told and "- level: gain~ gain=0.2" in told
    assert "- osc.y -> level.x" in told and "- level.y -> out.x" in told
    ghost = comparing.ghost("level")
    assert ghost is not None and ghost.text == "gain~ 0.2"
    found = comparing.found
    assert found is not None
    for cable in found.lifted:
        ends = comparing.ends(cable)
        assert ends is not None
        if cable.from_node == "osc":  # from a box that is there to one that is gone
            port, was = editing.scene.port("osc", "y", True), comparing.ghosts.port("level", "x", False)
            assert port is not None and was is not None
            assert ends == (editing.scene.boxes["osc"].place(port), ghost.place(was))
    value = next(change for change in found.changes if change.of == "value")
    comparing.go(value)
    assert editing.selection.nodes == {"osc"}
    editing.actions["save"]()
    compared(editing)
    assert lines(editing) == []
    editing.actions["diff"]()
    assert not comparing.active and comparing.found is None and wanted[-1] == ("diff", False)


def test_a_revision_and_another_file(editing: Editing, tmp_path: Path) -> None:
    for words in (("init", "-q"), ("add", "tone.ng"), ("commit", "-qm", "A tone")):
        git(tmp_path, *words)
    (tmp_path / "other.ng").write_text((tmp_path / "tone.ng").read_text().replace("0.2", "0.3"))
    editing.set_value("osc", "freq", 440)
    settled(editing)
    editing.actions["diff-with"]()
    editing.ways.answer("HEAD")
    compared(editing)
    assert lines(editing) == ["~ osc: freq 330 → 440"] and editing.ways.comparing.of == "tone.ng at HEAD"
    editing.actions["diff-with"]()
    editing.ways.answer("other.ng")
    compared(editing)
    assert lines(editing) == ["~ level: gain 0.3 → 0.2", "~ osc: freq 330 → 440"]
    said = editing.spoken.version
    editing.actions["diff-with"]()
    editing.ways.answer("--output=x")
    until(editing, lambda: editing.spoken.version > said, "why not")
    assert "no revision" in editing.lines[-1]
