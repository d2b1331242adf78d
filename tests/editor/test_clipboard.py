"""What is copied is a small patch: it pastes into a mail and back, and nothing that is no patch is pasted."""

from __future__ import annotations

from nodegraph.core.patchfile import loads
from nodegraph.editor.editing import Editing
from nodegraph.session.session import Session
from tests.editor.editors import made, settled


def chain(editing: Editing) -> None:
    for text, y in (("sine~ 220", 40), ("gain~ 0.2", 120), ("out~", 200)):
        made(editing, text, (40, y))
    for cable in ("sine1.y -> gain1.x", "gain1.y -> out1.x"):
        from nodegraph.core.commands import Connect

        editing.do([Connect(cable)])
    settled(editing)


def test_a_copy_is_a_patch_with_the_cables_inside_it(editing: Editing) -> None:
    chain(editing)
    editing.selection.only(["sine1", "gain1"])
    editing.chosen.copy()
    found = loads(editing.chosen._clipboard[0]())
    assert list(found.graph.nodes) == ["gain1", "sine1"]
    assert [str(cable) for cable in found.graph.cables] == ["sine1.y -> gain1.x"]
    assert found.view == {"gain1": [40, 120], "sine1": [40, 40]}


def test_it_comes_back_from_a_mail(editing: Editing, session: Session) -> None:
    chain(editing)
    editing.selection.only(["sine1", "gain1"])
    editing.chosen.copy()
    text = editing.chosen._clipboard[0]()
    mail = "Hello,\n\nlisten to this:\n\n" + "".join(f"> {line}\n" for line in text.splitlines()) + "\nYours\n"
    editing.selection.clear()
    editing.chosen._clipboard[1](mail)
    editing.hands.at = (-1, -1)
    editing.chosen.paste()
    settled(editing)
    graph = session.patch.graph
    assert {"sine2", "gain2"} <= graph.nodes.keys()
    assert "sine2.y -> gain2.x" in [str(cable) for cable in graph.cables]
    assert graph.value("sine2", "freq") == 220
    assert session.patch.document.place("sine2") == (60, 60)
    assert editing.selection.nodes == {"sine2", "gain2"}
    editing.undo()
    settled(editing)
    assert len(graph) == 3


def test_cut_and_paste_gives_the_same_patch(editing: Editing, session: Session) -> None:
    chain(editing)
    before = str(session.patch)
    editing.chosen.select_all()
    editing.chosen.cut()
    settled(editing)
    assert len(session.patch.graph) == 0
    editing.hands.at = editing.viewport.screen(40, 40)
    editing.chosen.paste()
    settled(editing)
    assert str(session.patch) == before


def test_duplicate_leaves_the_clipboard_alone(editing: Editing, session: Session) -> None:
    chain(editing)
    editing.chosen._clipboard[1]("something else")
    editing.chosen.select_all()
    editing.chosen.duplicate()
    settled(editing)
    assert len(session.patch.graph) == 6 and len(session.patch.graph.cables) == 4
    assert editing.chosen._clipboard[0]() == "something else"


def test_what_is_no_patch_is_said(editing: Editing, session: Session) -> None:
    for text in ("", "Hello!", "{", '{"a": 1}', '{"nodegraph": 99, "nodes": {"a": {"kind": "x"}}}', "}{", "[1]"):
        editing.chosen._clipboard[1](text)
        said = editing.spoken.version
        editing.chosen.paste()
        assert editing.spoken.version > said, text
    assert len(session.patch.graph) == 0


def test_a_node_that_is_missing_here_is_copied_whole(editing: Editing, session: Session) -> None:
    nodes = '{"far": {"kind": "nowhere~", "size": 3}, "o": {"kind": "out~"}}'
    editing.chosen._clipboard[1](f'{{"nodegraph": 1, "nodes": {nodes}, "cables": ["far.y -> o.x"]}}')
    editing.chosen.paste()
    settled(editing)
    assert '"far": {"kind": "nowhere~", "size": 3}' in str(session.patch)
    assert "far.y -> o.x" in str(session.patch)
