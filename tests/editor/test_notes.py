"""Notes in the editor, without a window: laid out, selected, moved, resized, copied, undone to the byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from nodegraph.core.commands import AddNote, SetNote
from nodegraph.core.document import Document
from nodegraph.core.patchfile import dumps, loads
from nodegraph.editor.editing import Editing
from nodegraph.editor.notes import lay_out
from nodegraph.editor.texts import wrapped
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import drag, joined, made, settled, until
from tests.session.test_looks import png


def comment(editing: Editing, text: str, at: tuple[float, float]) -> str:
    """Write one; gives its id."""
    editing.hands.at = editing.viewport.screen(*at)
    editing.actions["comment"]()
    assert editing.noting.answer(text)
    (id,) = editing.selection.notes
    return id


def panel(editing: Editing, title: str = "Voices") -> str:
    editing.actions["area"]()
    assert editing.noting.answer(title)
    (id,) = editing.selection.notes
    return id


def grip(editing: Editing, note: str) -> tuple[float, float]:
    """Where a hand takes it."""
    box = editing.scene.notes[note]
    return editing.viewport.screen(box.x + 8, box.y + 8)


def far(at: tuple[float, float], dx: float, dy: float) -> tuple[float, float]:
    return at[0] + dx, at[1] + dy


def test_a_comment_is_written_changed_and_taken_out(editing: Editing, session: Session) -> None:
    before = session.patch.document
    text = dumps(before)
    id = comment(editing, "Turn this\nfirst.", (100, 60))
    settled(editing)
    assert session.patch.document.notes == {id: {"kind": "comment", "text": "Turn this\nfirst.", "at": [100, 60]}}
    assert editing.scene.notes[id].lines == ("Turn this", "first.")
    editing.actions["edit-object"]()
    assert editing.noting.asked is not None and editing.noting.asked.text == "Turn this\nfirst."
    assert editing.noting.answer("Then this.")
    editing.actions["edit-object"]()
    assert editing.noting.answer("Then this.") and editing.mirror.undo_label != "", "what is the same is no step"
    settled(editing)
    assert session.patch.history.undo_label == f"Change {id}"
    editing.actions["edit-object"]()
    assert editing.noting.answer(""), "an empty one goes"
    settled(editing)
    assert not session.patch.document.notes
    for _ in range(3):
        editing.undo()
    settled(editing)
    assert dumps(session.patch.document) == text == editing.mirror.text()


def test_nothing_comes_of_no_text(editing: Editing) -> None:
    for answer in (None, "", "  \n"):
        editing.actions["comment"]()
        assert editing.noting.answer(answer) and editing.noting.asked is None
    assert not editing.mirror.document.notes


def test_a_panel_stands_around_what_is_selected_and_takes_it_along(editing: Editing, session: Session) -> None:
    for text, at in (("sine~ 220", (100, 100)), ("gain~ 0.2", (140, 180)), ("out~", (600, 400))):
        made(editing, text, at)
    inside = comment(editing, "inside", (120, 140))
    settled(editing)
    editing.selection.only(["sine1", "gain1"])
    id = panel(editing)
    box = editing.scene.notes[id]
    corner = box.x, box.y
    assert box.x < 100 and box.y + box.title < 100 and editing.scene.within([id]) == ({"sine1", "gain1"}, {inside})
    editing.viewport.zoom_to(0.8, 0, 0)
    drag(editing, grip(editing, id), far(grip(editing, id), 40, 80))
    settled(editing)
    document = session.patch.document
    assert document.place("sine1") == (150, 200) and document.place("gain1") == (190, 280)
    assert document.place("out1") == (600, 400) and document.notes[inside]["at"] == [170, 240]
    assert document.notes[id]["at"] == [corner[0] + 50, corner[1] + 100]
    assert editing.selection.notes == {id} and not editing.selection.nodes
    assert session.patch.history.undo_label == "Move", "one step"
    editing.actions["move-right"]()
    settled(editing)
    assert document.place("sine1") == (160, 200), "the keys take it along, too"
    editing.undo()
    editing.undo()
    settled(editing)
    assert document.place("sine1") == (100, 100) and document.notes[inside]["at"] == [120, 140]


def test_inside_a_panel_the_hand_frames_and_types(editing: Editing) -> None:
    made(editing, "sine~", (100, 100))
    settled(editing)
    editing.selection.only(["sine1"])
    id = panel(editing)
    settled(editing)
    box = editing.scene.notes[id]
    at = editing.viewport.screen(box.x + 4, box.corner[1] - 4)
    drag(editing, at, editing.viewport.screen(150, 110))
    assert editing.selection.nodes == {"sine1"} and not editing.selection.notes
    drag(editing, editing.viewport.screen(box.x - 5, box.y - 5), editing.viewport.screen(*far(box.corner, 5, 5)))
    assert editing.selection.nodes == {"sine1"} and editing.selection.notes == {id}
    editing.hands.double(*at)
    assert editing.objects.asked is not None


def test_a_corner_makes_a_note_larger_and_an_image_keeps_its_shape(editing: Editing, session: Session) -> None:
    id = comment(editing, "one two three four five", (50, 50))
    editing.do([AddNote("pic", {"kind": "image", "file": "a.png", "at": [50, 300], "size": [100, 50]})])
    settled(editing)
    corner = editing.viewport.screen(*editing.scene.notes[id].corner)
    drag(editing, corner, far(corner, -100, 60))
    settled(editing)
    size = session.patch.document.notes[id]["size"]
    assert len(editing.scene.notes[id].lines) > 1 and editing.scene.notes[id].width == size[0]
    editing.selection.only((), (), ["pic"])
    corner = editing.viewport.screen(*editing.scene.notes["pic"].corner)
    drag(editing, corner, far(corner, 100, 0))
    settled(editing)
    assert session.patch.document.notes["pic"]["size"] == [200, 100]
    editing.hands.press(*editing.viewport.screen(*editing.scene.notes["pic"].corner))
    editing.hands.move(900, 900)
    editing.actions["select-none"]()
    assert editing.scene.notes["pic"].width == 200, "let go of"
    editing.undo()
    editing.undo()
    settled(editing)
    assert "size" not in session.patch.document.notes[id]


def test_notes_are_copied_pasted_deleted_and_aligned_with_boxes(editing: Editing, session: Session) -> None:
    made(editing, "sine~ 220", (100, 100))
    id = comment(editing, "hello", (140, 60))
    settled(editing)
    text = editing.mirror.text()
    editing.selection.only(["sine1"], (), [id])
    editing.actions["duplicate"]()
    settled(editing)
    assert editing.selection.nodes == {"sine2"} and editing.selection.notes == {"n2"}
    assert session.patch.document.notes["n2"]["at"] == [160, 80]
    editing.actions["delete"]()
    settled(editing)
    assert editing.mirror.text() == text
    editing.selection.only(["sine1"], (), [id])
    editing.actions["align-left"]()
    settled(editing)
    assert session.patch.document.notes[id]["at"] == [100, 60] and session.patch.document.place("sine1") == (100, 100)
    editing.actions["cut"]()
    settled(editing)
    assert not session.patch.document.notes and "sine1" not in session.patch.document.graph
    editing.hands.at = editing.viewport.screen(500, 500)
    editing.actions["paste"]()
    settled(editing)
    assert session.patch.document.notes[id]["at"] == [500, 500] and session.patch.document.place("sine1") == (500, 540)
    found = loads(editing.chosen._clipboard[0]())
    assert list(found.notes) == [id] and list(found.graph.nodes) == ["sine1"]


def test_keys_reach_notes_and_change_their_looks(editing: Editing, session: Session) -> None:
    made(editing, "sine~", (100, 100))
    id = comment(editing, "hello", (100, 60))
    settled(editing)
    editing.selection.clear()
    editing.actions["next-object"]()
    assert editing.selection.notes == {id}
    editing.actions["next-object"]()
    assert editing.selection.nodes == {"sine1"} and not editing.selection.notes
    editing.actions["previous-object"]()
    for action in ("note-larger", "note-larger", "note-colour", "move-down"):
        editing.actions[action]()
    settled(editing)
    assert session.patch.document.notes[id] == {
        "kind": "comment", "text": "hello", "at": [100, 70], "points": 24, "colour": "cyan",
    }  # fmt: skip
    editing.actions["note-smaller"]()
    editing.actions["select-all"]()
    assert editing.selection.notes == {id} and editing.selection.nodes == {"sine1"}


def test_two_editors_have_the_same_notes(editing: Editing, server: Server) -> None:
    with joined(server) as other:
        id = comment(editing, "mine", (10, 10))
        until(other, lambda: id in other.scene.notes, "the comment")
        other.do([SetNote(id, {"text": "ours"})])
        settled(other)
        until(editing, lambda: editing.scene.notes[id].text == "ours", "the other's words")
        assert editing.mirror.text() == other.mirror.text()


def test_images_are_found_beside_the_patch_or_told_what_is_wrong(editing: Editing, tmp_path: Path) -> None:
    (tmp_path / "score.png").write_bytes(png(480, 120))
    (tmp_path / "broken.png").write_text("nothing")
    editing.hands.at = (100, 100)
    editing.actions["image"]()
    assert not editing.noting.answer("score.gif") and "no image" in editing.lines[-1]
    assert editing.noting.answer("score.png")
    settled(editing)
    (note,) = editing.mirror.document.notes.values()
    assert note["file"] == "score.png" and note["size"] == [240, 60], "of its own shape"
    pictures = editing.pictures
    assert pictures.get("score.png").path == tmp_path / "score.png" and pictures.get("score.png").width == 480
    assert "neither a PNG nor a JPEG" in pictures.get("broken.png").wrong
    assert "outside" in pictures.get("/etc/score.png").wrong
    gone = pictures.get("gone.png")
    assert not gone.ready and not gone.wrong, "the engine is asked"
    until(editing, lambda: gone.wrong, "the engine's answer")
    assert "There is no image 'gone.png'" in gone.wrong
    (tmp_path / "gone.png").write_bytes(png(2, 2))
    editing.save()
    until(editing, lambda: pictures.get("gone.png").ready, "that it is there when the patch is saved")


def test_an_image_comes_over_the_wire_when_the_folder_is_elsewhere(editing: Editing, tmp_path: Path) -> None:
    (tmp_path / "score.png").write_bytes(png(30, 20))
    editing.mirror.document.path = Path("/nowhere/here/new.ng")
    found = editing.pictures.get("score.png")
    until(editing, lambda: found.ready, "the image")
    assert found.path is None and found.data == png(30, 20) and (found.width, found.height) == (30, 20)


@pytest.mark.parametrize("seed", range(30))
def test_lines_are_as_long_as_told_and_no_letter_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choice(["a", "bb", " ", "\n", "word ", "ü"]) for _ in range(chance.randint(0, 80)))
    across = chance.randint(1, 12)
    lines = wrapped(text, across)
    assert all(len(line) <= across for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert wrapped(text, None) == text.split("\n")


def test_kinds_of_notes_that_are_not_known_are_not_shown() -> None:
    known = {"kind": "comment", "text": "", "at": [0, 0]}
    assert list(lay_out(Document(notes={"n1": {"kind": "sticker", "at": "?"}, "n2": known}))) == ["n2"]
