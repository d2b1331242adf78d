"""Subpatches are opened, edited while they play, left, closed, and made of what is selected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.core.commands import Connect
from nodegraph.editor.editing import Editing
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import joined, made, settled, until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = Patch("Inner")
    inner.connect(inner.add("inlet~", "x"), inner.add("gain~", "half", gain=0.5), inner.add("outlet~", "y"))
    inner.save(tmp_path / "inner.ng")
    voice = Patch("Voice")
    voice.document.path = tmp_path / "voice.ng"
    voice.graph.registry.lie_in(tmp_path / "voice.ng")
    voice.connect(voice.add("sine~", "osc", freq=220), voice.add("inner.ng", "in"), voice.add("outlet~", "y"))
    voice.save(tmp_path / "voice.ng")
    patch = Patch("Two")
    patch.document.path = tmp_path / "two.ng"
    patch.graph.registry.lie_in(tmp_path / "two.ng")
    out = patch.add("out~", "out")
    for id in ("a", "b"):
        patch.connect(patch.add("voice.ng", id), out)
    patch.save(tmp_path / "two.ng")
    return tmp_path


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    with Session(Patch.open(folder / "two.ng"), driver="null") as session:
        yield session


def opened(editing: Editing, node: str) -> None:
    root = f"{editing.sheet.root}/{node}"
    editing.selection.only([node])
    editing.actions["open-subpatch"]()
    until(editing, lambda: editing.sheet.root == root and editing.mirror.ready, f"the sheet of {node}")


def test_a_subpatch_is_edited_and_every_node_of_it_follows(editing: Editing, session: Session, folder: Path) -> None:
    opened(editing, "a")
    assert set(editing.scene.boxes) == {"osc", "in", "y"}
    assert editing.title == "Two › a – nodegraph"
    editing.set_value("osc", "freq", 330)
    settled(editing)
    assert session.get("a/osc.freq") == session.get("b/osc.freq") == 330
    assert editing.title.startswith("● Two › a")
    editing.move_control("osc", "freq", 500.0)
    until(editing, lambda: session.get("a/osc.freq") == 500, "the value of this node alone")
    assert session.get("b/osc.freq") == 330
    editing.undo()
    settled(editing)
    assert session.get("a/osc.freq") == session.get("b/osc.freq") == 220
    assert not editing.sheets.unsaved
    editing.redo()
    settled(editing)
    editing.save()
    until(editing, lambda: not editing.sheets.unsaved, "that it is saved")
    assert json.loads((folder / "voice.ng").read_text())["nodes"]["osc"]["freq"] == 330


def test_new_ports_are_seen_outside_at_once(editing: Editing, session: Session) -> None:
    opened(editing, "a")
    made(editing, "inlet", (300, 20))
    settled(editing)
    editing.actions["leave-subpatch"]()
    assert editing.sheet.root == "/patch"
    editing.turn()
    assert [port.name for port in editing.scene.boxes["b"].inlets] == ["inlet1"]
    assert list(session.patch.graph.nodes["b"].spec.inlet_named) == ["inlet1"]  # type: ignore[union-attr]


def test_sheets_within_sheets_and_the_way_back(editing: Editing) -> None:
    opened(editing, "a")
    opened(editing, "in")
    assert editing.sheet.root == "/patch/a/in"
    assert [name for name, _ in editing.sheets.way()] == ["Two", "a", "in"]
    editing.actions["leave-subpatch"]()
    editing.actions["leave-subpatch"]()
    assert editing.sheet.root == "/patch"
    assert len(editing.sheets.open) == 3
    editing.actions["next-sheet"]()
    assert editing.sheet.root == "/patch/a"
    editing.actions["close-sheet"]()
    editing.actions["close-sheet"]()  # the patch itself stays
    assert [sheet.root for sheet in editing.sheets.open] == ["/patch", "/patch/a/in"]
    editing.actions["next-sheet"]()
    editing.actions["leave-subpatch"]()  # what lies between is closed
    assert editing.sheet.root == "/patch"


def test_two_nodes_of_one_file_share_what_is_edited(editing: Editing) -> None:
    opened(editing, "a")
    one = editing.sheet
    editing.sheets.show(editing.sheets.open[0])
    opened(editing, "b")
    two = editing.sheet
    assert one.mirror is two.mirror and one.root != two.root
    editing.set_value("osc", "freq", 440)
    settled(editing)
    editing.sheets.show(one)
    editing.turn()
    assert editing.scene.boxes["osc"].text == "sine~ 440"


def test_another_editor_sees_what_is_edited_inside(editing: Editing, session: Session) -> None:
    with Server(session) as server, joined(server) as other:
        opened(editing, "a")
        opened(other, "b")
        editing.set_value("osc", "freq", 660)
        until(other, lambda: other.scene.boxes["osc"].text == "sine~ 660", "the other's edit")
        other.undo()
        until(editing, lambda: editing.scene.boxes["osc"].text == "sine~ 220", "the other's undo")


def test_what_is_selected_becomes_a_subpatch_and_is_again_itself(
    editing: Editing, session: Session, folder: Path
) -> None:
    gain = made(editing, "gain~ 0.5", (300, 300))
    settled(editing)
    for cable in ("a.y -> gain1.x", "b.y -> gain1.x", "gain1.y -> out.x"):
        editing.do([Connect(cable)])
    settled(editing)
    whole = str(session.patch)
    editing.selection.only([gain])
    editing.actions["encapsulate"]()
    until(editing, lambda: gain not in editing.mirror.document.graph and not editing.mirror.waiting, "the subpatch")
    (node,) = editing.selection.nodes
    entry = session.patch.graph.nodes[node]
    assert entry.kind == "two-1.ng" and entry.spec is not None
    assert {str(cable) for cable in session.patch.graph.cables} >= {f"a.y -> {node}.x", f"{node}.y -> out.x"}
    assert not (folder / "two-1.ng").exists()
    editing.undo()
    settled(editing)
    assert str(session.patch) == whole
    editing.redo()
    settled(editing)
    editing.save()
    until(editing, lambda: not editing.sheets.unsaved, "that it is saved")
    assert (folder / "two-1.ng").exists()
    assert Patch.open(folder / "two.ng").graph.nodes[node].spec is not None


def test_files_of_another_machine_are_asked_for(session: Session, folder: Path) -> None:
    with Server(session) as server:
        text = (folder / "voice.ng").read_text()
        with joined(server) as far:
            # as if the engine's folder were on another machine
            (folder / "voice.ng").rename(folder / "voice.away")
            far.sheets.refresh()
            assert far.mirror.document.graph.nodes["a"].spec is None
            (folder / "voice.ng").write_text(text)
            far.mirror.version += 1
            until(far, lambda: far.mirror.document.graph.nodes["a"].spec is not None, "its ports")


def test_what_is_no_subpatch_is_said(editing: Editing) -> None:
    editing.selection.only(["out"])
    editing.actions["open-subpatch"]()
    assert "no patch" in editing.lines[-1]
    editing.selection.clear()
    editing.actions["encapsulate"]()
    assert "Nothing is selected" in editing.lines[-1]


def test_values_are_turned_in_a_sheet_and_presets_are_the_whole_patchs(editing: Editing, session: Session) -> None:
    opened(editing, "a")
    editing.selection.only(["osc"])
    editing.turning.take("osc", "freq")
    editing.turning.drag(10.0)
    until(editing, lambda: session.get("a/osc.freq") != 220, "the value of this node alone")
    assert session.get("b/osc.freq") == 220
    editing.turning.let_go()
    settled(editing)
    assert session.get("b/osc.freq") == session.get("a/osc.freq") != 220
    editing.presetting.store("here")
    until(editing, lambda: editing.presetting.names == ["here"], "a preset")
    assert editing.presetting.holds("here").keys() == {"a/osc.freq", "a/osc.phase"}
    assert editing.presetting.rename("here", "there")
    until(editing, lambda: session.presets.names == ("there",), "another name")
    editing.actions["inline-controls"]()
    settled(editing)
    assert editing.scene.boxes["osc"].rows == ("freq", "phase") and "show" in editing.mirror.text()


def test_what_is_held_is_let_be_when_another_sheet_comes(editing: Editing, session: Session) -> None:
    opened(editing, "a")
    before = editing.mirror.text()
    editing.turning.take("osc", "freq")
    editing.turning.drag(10.0)
    editing.actions["leave-subpatch"]()
    editing.turning.drag(10.0)
    editing.turning.let_go()
    opened(editing, "a")
    assert editing.mirror.text() == before
