"""What others take away while a hand, a question or a panel is at it: nothing is raised, and nothing of it is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.core.commands import AddNote, Connect, Remove, RemoveNote, Replace, Set
from nodegraph.core.ports import Control
from nodegraph.editor import dials
from nodegraph.editor.clipboard import pasted
from nodegraph.editor.editing import Editing
from nodegraph.editor.faders import fader_of
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import joined, made, middle, port, settled, until


@pytest.fixture
def pair(editing: Editing) -> Editing:
    for index, text in enumerate(("sine~ 220", "svf~ 800")):
        made(editing, text, (100, 100 + 150 * index))
    settled(editing)
    return editing


def gone(editing: Editing, session: Session, node: str) -> None:
    """Another client takes a node away."""
    session.edit([Remove(node)], by="another")
    until(editing, lambda: node not in editing.mirror.document.graph, f"that {node} is gone")


def test_a_copy_in_the_hand(pair: Editing, session: Session) -> None:
    pair.hands.held = frozenset({"alt"})
    pair.hands.press(*middle(pair, "sine1"))
    gone(pair, session, "sine1")
    pair.hands.release(*middle(pair, "svf1"))
    assert pair.hands.doing is None and not pair.selection.nodes


def test_what_a_frame_had_selected_before(pair: Editing, session: Session) -> None:
    pair.selection.only(["sine1"])
    pair.hands.press(400, 400, more=True)
    gone(pair, session, "sine1")
    pair.hands.move(420, 420)
    pair.hands.release(420, 420)
    assert not pair.selection.nodes
    for action in ("help", "replace", "present-selected", "new-object-below"):
        pair.actions[action]()


def test_one_of_two_that_would_alone_be_selected(pair: Editing, session: Session) -> None:
    pair.selection.only(["sine1", "svf1"])
    x, y = middle(pair, "sine1")
    pair.hands.press(x, y)
    gone(pair, session, "sine1")
    pair.hands.release(x, y)
    assert "sine1" not in pair.selection.nodes


def test_the_port_under_the_mouse_is_of_another_kind(pair: Editing, session: Session) -> None:
    pair.hands.move(*port(pair, "svf1", "cutoff", False))
    assert pair.hands.hover is not None
    cutoff = pair.mirror.document.graph.node("svf1").spec.inlet_named["cutoff"]  # type: ignore[union-attr]
    session.edit([Replace("svf1", "noise~")], by="another")
    until(pair, lambda: pair.scene.boxes["svf1"].text.startswith("noise~"), "the other kind")
    assert pair.hands.hover is None
    assert pair.number("svf1", "cutoff") == 0.0 == pair.number("nobody", "cutoff")
    assert isinstance(cutoff, Control) and fader_of(pair, "nobody", cutoff).name == "cutoff"


def test_a_control_in_the_hand(pair: Editing, session: Session) -> None:
    assert pair.turning.take("svf1", "cutoff")
    gone(pair, session, "svf1")
    pair.turning.drag(50.0)
    pair.turning.let_go()
    assert pair.turning.grip is None and "/patch/svf1/cutoff" not in pair.live


def test_the_object_whose_text_is_changed(pair: Editing, session: Session) -> None:
    pair.selection.only(["sine1"])
    pair.actions["edit-object"]()
    gone(pair, session, "sine1")
    assert pair.objects.asked is None and pair.objects.changing is None


def test_the_node_whose_inlet_is_asked_about(pair: Editing, session: Session) -> None:
    from nodegraph.editor.joining import sources

    gone(pair, session, "svf1")
    assert sources(pair.mirror.document.graph, "sine", "svf1.x") == []


def test_a_note_in_the_hand(pair: Editing, session: Session) -> None:
    pair.do([AddNote("n1", {"kind": "comment", "text": "here", "at": [300, 300]})])
    settled(pair)
    note = pair.scene.notes["n1"]
    pair.hands.press(*pair.viewport.screen(note.x + 4, note.y + 4))
    session.edit([RemoveNote("n1")], by="another")
    until(pair, lambda: "n1" not in pair.mirror.document.notes, "that it is gone")
    pair.hands.cancel()
    assert not pair.selection.notes


def test_a_note_that_is_gone_before_it_is_laid_out_anew(pair: Editing) -> None:
    pair.do([AddNote("n1", {"kind": "comment", "text": "here", "at": [300, 300]})])
    settled(pair)
    scene = pair.scene
    del scene.document.notes["n1"]
    scene.shift([], 10.0, 10.0, ["n1"])
    assert scene.notes["n1"].x == 300


def test_where_controls_stand_is_known_to_who_joins_and_after_edits(pair: Editing, session: Session) -> None:
    session.set("sine1.freq", 880.0)
    until(pair, lambda: pair.number("sine1", "freq") == 880.0, "the moved value")
    with Server(session) as server, joined(server) as late:
        assert late.number("sine1", "freq") == 880.0
        gone(late, session, "sine1")
        made(late, "sine~ 220", (100, 100))
        settled(late)
        assert late.number("sine1", "freq") == 220.0 == session.get("sine1.freq")
    until(pair, lambda: "sine1" in pair.mirror.document.graph, "the other one")
    assert pair.number("sine1", "freq") == 220.0


def test_what_is_asked_ends_with_its_sheet(tmp_path: Path) -> None:
    inner = Patch("Inner")
    inner.add("sine~", "osc")
    inner.save(tmp_path / "inner.ng")
    patch = Patch("Outer")
    patch.document.path = tmp_path / "outer.ng"
    patch.graph.registry.lie_in(tmp_path / "outer.ng")
    patch.add("inner.ng", "a")
    patch.add("inner.ng", "b")
    patch.add("sine~", "osc")
    patch.save(tmp_path / "outer.ng")
    with Session(patch, driver="null") as session, Server(session) as server, joined(server) as editing:
        for node in ("a", "a", "b"):  # asked for twice before the answer comes
            editing.sheets.open_node(node)
        until(editing, lambda: len(editing.sheets.open) == 3, "both sheets")
        assert sorted(sheet.root for sheet in editing.sheets.open) == ["/patch", "/patch/a", "/patch/b"]
        editing.selection.only(["osc"])
        editing.actions["edit-object"]()
        editing.actions["next-sheet"]()
        assert editing.objects.asked is None
        one, two = (sheet for sheet in editing.sheets.open if sheet.root != "/patch")
        editing.sheets.show(one)
        made(editing, "gain~", (300, 300))
        editing.sheets.show(two)
        assert "gain1" in editing.scene.boxes  # it shares the document, and was below
        editing.actions["present"]()
        editing.actions["close-sheet"]()
        assert not editing.modes.presenting and not editing.modes.locked


def test_what_is_locked_takes_nothing_from_the_browser(pair: Editing, session: Session) -> None:
    pair.browsing.want()
    row = next(row for row in pair.browsing.rows if row.key == "node gain~")
    pair.actions["lock"]()
    assert not pair.browsing.add(row)
    pair.actions["cut-cables"]()
    assert not pair.hands.cuts


def test_another_kind_by_its_text_keeps_the_cables_that_fit(pair: Editing, session: Session) -> None:
    made(pair, "out~", (100, 400))
    assert pair.do([Connect("svf1.low -> out1.x")])
    settled(pair)
    pair.selection.only(["svf1"])
    pair.actions["edit-object"]()
    assert pair.objects.answer("onepole~ 900")
    settled(pair)
    assert [str(cable) for cable in session.patch.graph.cables] == ["svf1.y -> out1.x"]


def test_steps_of_different_boxes_are_undone_one_by_one(pair: Editing) -> None:
    before = {id: (box.x, box.y) for id, box in pair.scene.boxes.items()}
    for node in ("sine1", "svf1"):
        pair.selection.only([node])
        pair.actions["move-right"]()
    settled(pair)
    pair.undo()
    settled(pair)
    assert pair.scene.boxes["svf1"].x == before["svf1"][0]
    assert pair.scene.boxes["sine1"].x == before["sine1"][0] + 10


def test_a_value_too_large_for_numbers_and_a_note_of_nobody(pair: Editing) -> None:
    made(pair, "gain~", (300, 100))
    gain = pair.mirror.document.graph.node("gain1").spec.inlet_named["gain"]  # type: ignore[union-attr]
    assert isinstance(gain, Control) and dials.read(gain, "9000 dB") == gain.span[1]
    text = '{"nodegraph": 1, "nodes": {}, "notes": {"s": {"kind": "sticker", "at": "here"}}}'
    assert pasted(text, pair.mirror.document, at=(10.0, 10.0)).notes == ["s"]
    assert pair.do([Set("sine1", {"freq": 330})])
