"""Locked, hands play and edit nothing; presented, only what is marked is shown, at places of its own."""

from __future__ import annotations

from nodegraph.core.commands import Connect, Move, Show
from nodegraph.editor.editing import Editing
from nodegraph.editor.keys import ACTIONS
from nodegraph.session.session import Session
from tests.editor.editors import drag, made, middle, settled, until
from tests.editor.test_notes import comment

EDITING = {
    "cut", "paste", "duplicate", "delete", "new-object", "edit-object", "comment", "area", "image", "note-larger",
    "note-smaller", "note-colour", "move-left", "move-right", "move-up", "move-down", "tidy", "align-left",
    "align-centre", "align-right", "align-top", "align-middle", "align-bottom", "distribute-horizontally",
    "distribute-vertically", "snap", "present-selected", "encapsulate",
}  # fmt: skip


def pair(editing: Editing) -> str:
    made(editing, "sine~ 220", (100, 103))
    made(editing, "gain~ 0.2", (140, 180))
    id = comment(editing, "hello", (97, 60))
    editing.do([Connect("sine1.y -> gain1.x")])
    settled(editing)
    return id


def test_a_locked_patch_is_played_and_not_edited(editing: Editing, session: Session) -> None:
    id = pair(editing)
    text, revision = editing.mirror.text(), session.revision
    editing.selection.only(["sine1", "gain1"], (), [id])
    editing.actions["copy"]()
    editing.actions["lock"]()
    assert "(locked)" in editing.title and "locked" in editing.lines[-1]
    for name in sorted(EDITING):
        editing.selection.only(["sine1", "gain1"], (), [id])
        editing.actions[name]()
        editing.selection.only(["sine1"])
        editing.actions[name]()
        assert editing.objects.asked is None and editing.noting.asked is None, name
    drag(editing, middle(editing, "sine1"), (500, 400))
    editing.hands.double(700, 500)
    editing.ask_for_object(10, 10)
    assert editing.objects.asked is None and not editing.do([Move({"sine1": [0, 0]})])
    settled(editing)
    assert editing.mirror.text() == text and session.revision == revision
    assert editing.set_value("sine1", "freq", 300), "values are what is played"
    editing.move_control("gain1", "gain", 0.1)
    settled(editing)
    assert session.patch.document.graph.value("sine1", "freq") == 300
    editing.undo()
    settled(editing)
    assert editing.mirror.text() == text
    editing.actions["lock"]()
    assert "locked" not in editing.title
    drag(editing, middle(editing, "sine1"), (500, 400))
    settled(editing)
    assert editing.mirror.text() != text


def test_controls_in_boxes_are_turned_when_the_patch_is_locked_or_presented(editing: Editing, session: Session) -> None:
    pair(editing)
    editing.do([Show("gain1", ("gain",))])
    editing.selection.only(["gain1"])
    editing.actions["present-selected"]()
    settled(editing)
    for action in ("lock", "present"):
        editing.actions[action]()
        editing.follow()
        box = editing.scene.boxes["gain1"]
        left, top, right, bottom = box.row(0)
        assert box.x < left < right < box.x + box.width and bottom < box.y + box.height
        at = editing.viewport.screen((left + right) / 2, (top + bottom) / 2)
        before = session.patch.document.graph.value("gain1", "gain")
        drag(editing, at, (at[0] + 40, at[1]))
        settled(editing)
        assert session.patch.document.graph.value("gain1", "gain") > before, action


def test_every_action_of_boxes_is_one_that_the_lock_stops() -> None:
    looks = {"next-object", "previous-object"}
    menus = {action.name for action in ACTIONS if action.menu in ("Object", "Arrange")}
    assert EDITING - {"cut", "paste", "duplicate", "delete"} <= menus
    assert looks <= menus


def test_a_presentation_shows_what_is_marked_where_it_is_put(editing: Editing, session: Session) -> None:
    id = pair(editing)
    before = editing.mirror.text()
    editing.selection.only(["sine1"], (), [id])
    editing.actions["present-selected"]()
    settled(editing)
    assert session.patch.document.presentation == {"sine1": [100, 103]}
    assert session.patch.document.notes[id]["present"] == [97, 60]
    view = (editing.viewport.x, editing.viewport.y, editing.viewport.zoom)
    editing.actions["present"]()
    scene = editing.scene
    assert list(scene.boxes) == ["sine1"] and list(scene.notes) == [id] and editing.modes.presenting
    assert not scene.boxes["sine1"].inlets and scene.boxes["sine1"].scale > 1
    assert all(scene.ends(cable) is None for cable in editing.mirror.document.graph.cables), "no cables"
    assert "(presented, locked)" in editing.title
    drag(editing, middle(editing, "sine1"), (600, 400))
    assert session.patch.document.presentation == {"sine1": [100, 103]}, "locked"
    editing.actions["lock"]()
    x, y = middle(editing, "sine1")
    drag(editing, (x, y), (x + 50 * editing.viewport.zoom, y))
    settled(editing)
    assert session.patch.document.presentation == {"sine1": [150, 103]}
    assert session.patch.document.place("sine1") == (100, 103), "in the patch it stands where it stood"
    editing.actions["delete"]()
    assert "presented" in editing.lines[-1] and "sine1" in editing.mirror.document.graph
    editing.actions["select-none"]()
    assert not editing.modes.presenting and not editing.locked
    assert (editing.viewport.x, editing.viewport.y, editing.viewport.zoom) == view
    assert len(scene.boxes) == 2 and all(scene.ends(cable) for cable in editing.mirror.document.graph.cables)
    editing.selection.only(["sine1"], (), [id])
    editing.actions["present-selected"]()
    settled(editing)
    assert not session.patch.document.presentation and editing.mirror.text() == before, "marked no more"
    for _ in range(3):
        editing.undo()
    settled(editing)
    assert editing.mirror.text() == before


def test_what_others_do_is_seen_in_the_presentation(editing: Editing, session: Session) -> None:
    pair(editing)
    editing.selection.only(["sine1", "gain1"])
    editing.actions["present-selected"]()
    editing.actions["present"]()
    settled(editing)
    session.edit([{"do": "remove", "node": "gain1"}, {"do": "rename", "node": "sine1", "to": "lead"}])
    until(editing, lambda: list(editing.scene.boxes) == ["lead"], "the other's edit")
    session.undo()
    until(editing, lambda: set(editing.scene.boxes) == {"sine1", "gain1"}, "its undo")
