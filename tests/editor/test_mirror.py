"""The editor's copy of the document is the session's, whoever edits, and shows the own hand at once."""

from __future__ import annotations

import random

from nodegraph.core.commands import Add, Command, Connect, Move, Remove, Rename, Set
from nodegraph.editor.editing import Editing
from nodegraph.editor.link import place_of
from nodegraph.editor.mirror import Mirror
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import Waker, joined, made, settled, until


def test_an_edit_is_seen_at_once_and_is_the_sessions_when_it_is_confirmed(editing: Editing, session: Session) -> None:
    made(editing, "sine~ 220", (40, 40))
    assert "sine1" in editing.scene.boxes  # before anything was answered
    settled(editing)
    assert session.patch.graph.value("sine1", "freq") == 220
    assert editing.mirror.text() == str(session.patch)
    assert editing.mirror.undo_label == "Add sine1"
    assert editing.mirror.unsaved


def test_undo_and_redo_are_the_sessions(editing: Editing, session: Session) -> None:
    before = str(session.patch)
    for text, y in (("sine~ 220", 40), ("gain~ 0.2", 100), ("out~", 160)):
        made(editing, text, (40, y))
    editing.do([Connect("sine1.y -> gain1.x")])
    settled(editing)
    after = str(session.patch)
    while editing.mirror.undo_label is not None:
        editing.undo()
        settled(editing)
    assert editing.mirror.text() == str(session.patch) == before
    assert not editing.mirror.unsaved
    while editing.mirror.redo_label is not None:
        editing.redo()
        settled(editing)
    assert editing.mirror.text() == str(session.patch) == after


def test_a_refused_edit_is_taken_back_and_said(editing: Editing, session: Session) -> None:
    made(editing, "sine~", (40, 40))
    settled(editing)
    said = []
    deaf = Mirror(lambda *_, **__: 7, said.append)  # what another has done meanwhile is not known to it yet
    deaf.begin({"you": "deaf"})
    deaf._loaded({"ok": {"text": str(session.patch), "revision": session.revision}})
    session.edit([Remove("sine1")])
    assert deaf.edit([Set("sine1", {"freq": 330})])
    assert deaf.document.graph.value("sine1", "freq") == 330
    deaf._answered({"re": 7, "error": [{"code": "unknown-node", "what": "There is no node 'sine1'."}]})
    assert said == ["There is no node 'sine1'."]
    assert deaf.document.graph.value("sine1", "freq") == 440
    assert not deaf.waiting


def test_what_cannot_be_is_said_and_never_sent(editing: Editing, session: Session) -> None:
    made(editing, "sine~", (40, 40))
    settled(editing)
    revision = session.revision
    assert not editing.do([Connect("sine1.y -> nobody.x")])
    assert "nobody" in editing.lines[-1]
    settled(editing)
    assert session.revision == revision


def test_two_editors_end_with_the_same_document(server: Server, session: Session) -> None:
    dice = random.Random(7)
    with joined(server) as one, joined(server) as two:
        for _ in range(150):
            editing = dice.choice((one, two))
            if dice.random() < 0.2:
                dice.choice((editing.undo, editing.redo))()
            else:
                editing.do([_any_command(editing, dice)])
            if dice.random() < 0.3:
                editing.turn()
        for editing in (one, two, one):
            settled(editing)
        for editing in (one, two):
            until(editing, lambda editing=editing: editing.mirror.revision == session.revision, "the last edit")
            assert editing.mirror.text() == str(session.patch)
            assert editing.mirror.undo_label == session.patch.history.undo_label


def _any_command(editing: Editing, dice: random.Random) -> Command:
    nodes = list(editing.mirror.document.graph.nodes)
    choice = dice.random()
    if choice < 0.4 or len(nodes) < 3:
        return Add(f"n{dice.randrange(40)}", dice.choice(("sine~", "gain~", "float", "svf~")), {}, (1, 2))
    node = dice.choice(nodes)
    if choice < 0.5:
        return Remove(node)
    if choice < 0.6:
        return Rename(node, f"n{dice.randrange(40)}")
    if choice < 0.8:
        return Move({node: [dice.randrange(500), dice.randrange(500)]})
    outlets, inlets = ("y", "low"), ("x", "freq", "gain", "cutoff")
    return Connect(f"{node}.{dice.choice(outlets)} -> {dice.choice(nodes)}.{dice.choice(inlets)}")


def test_the_line_comes_back_by_itself(session: Session, monkeypatch) -> None:
    monkeypatch.setenv("NODEGRAPH_TOKEN", "a-token-that-outlives-the-server")
    with Server(session) as first:
        port = first.port
        wake = Waker()
        editing = Editing(place_of(first.url), wake=wake)
        editing.waker = wake
        until(editing, lambda: editing.mirror.ready, "the document")
        made(editing, "sine~", (0, 0))
        settled(editing)
    try:
        until(editing, lambda: not editing.link.up, "that it goes away")
        assert "away" in editing.title
        assert not editing.do([Set("sine1", {"freq": 1.0})])
        assert "away" in editing.lines[-1]
        session.edit([Set("sine1", {"freq": 300.0})])
        with Server(session, port=port):
            until(editing, lambda: editing.link.up and editing.mirror.revision == session.revision, "that it is back")
            assert editing.mirror.document.graph.value("sine1", "freq") == 300.0
    finally:
        editing.close()


def test_a_wrong_token_is_said_and_not_tried_again(server: Server) -> None:
    wake = Waker()
    editing = Editing(place_of(f"127.0.0.1:{server.port}", "x" * 32), wake=wake)
    editing.waker = wake
    try:
        until(editing, lambda: editing.lines, "that it is refused")
        assert editing.lines[-1].endswith("does not let in: the token is another.")
        editing.link._thread.join(10)
        assert not editing.link._thread.is_alive()
    finally:
        editing.close()


def test_values_that_others_move_are_known(editing: Editing, session: Session) -> None:
    made(editing, "sine~ 220", (0, 0))
    settled(editing)
    session.set("sine1.freq", 500.0)
    until(editing, lambda: editing.number("sine1", "freq") == 500.0, "the value")
    editing.set_value("sine1", "freq", 600.0)
    settled(editing)
    assert editing.number("sine1", "freq") == 600.0
