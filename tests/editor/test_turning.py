"""Controls in the hand: the sound follows at once, the patch when they are let go, and each gesture is one step."""

from __future__ import annotations

import pytest

from nodegraph.editor.editing import Editing
from nodegraph.editor.scene import HEIGHT
from nodegraph.editor.turning import drivers
from nodegraph.session.session import Session
from tests.editor.editors import made, settled, until


@pytest.fixture
def filter(editing: Editing) -> str:
    node = made(editing, "svf~ 1000", (100, 100))
    editing.selection.only([node])
    settled(editing)
    return node


def row(editing: Editing, node: str, name: str) -> tuple[float, float]:
    """Where the middle of a control in a box is seen."""
    box = editing.scene.boxes[node]
    left, top, right, bottom = box.row(box.rows.index(name))
    return editing.viewport.screen((left + right) / 2, (top + bottom) / 2)


def test_a_control_is_turned_and_stored_as_one_step(editing: Editing, session: Session, filter: str) -> None:
    heard: list[float] = []
    session.news.listen(lambda topic, data: heard.extend(data["values"].values()), ["values"])
    before = editing.mirror.undo_label
    assert editing.turning.take(filter, "cutoff")
    for _ in range(5):
        editing.turning.drag(10.0)
    until(editing, lambda: len(heard) == 5, "that the sound follows")
    assert editing.mirror.undo_label == before and session.get(f"{filter}.cutoff") == heard[-1]
    assert editing.mirror.document.graph.value(filter, "cutoff") == 1000
    editing.turning.let_go()
    settled(editing)
    assert editing.mirror.document.graph.value(filter, "cutoff") == heard[-1] > 3000
    assert editing.mirror.undo_label == f"Set {filter}.cutoff"
    editing.undo()
    settled(editing)
    assert editing.number(filter, "cutoff") == 1000 and editing.mirror.undo_label == before


def test_what_is_let_be_stands_where_it_stood(editing: Editing, session: Session, filter: str) -> None:
    before = editing.mirror.undo_label
    editing.turning.take(filter, "cutoff")
    editing.turning.drag(40.0)
    editing.turning.cancel()
    editing.turning.let_go()
    there = f"/patch/{filter}/cutoff"
    until(editing, lambda: session.live.get(there) == editing.live.get(there) == 1000, "that it is back")
    assert editing.mirror.undo_label == before


def test_boxes_show_their_first_controls(editing: Editing, filter: str) -> None:
    editing.actions["inline-controls"]()
    box = editing.scene.boxes[filter]
    assert box.rows == ("cutoff", "resonance") and box.height > HEIGHT
    assert editing.mirror.document.view[filter] == {"at": [100, 100], "show": ["cutoff", "resonance"]}
    settled(editing)
    editing.actions["duplicate"]()
    (copy,) = editing.selection.nodes
    assert editing.scene.boxes[copy].rows == box.rows and editing.scene.boxes[copy].x == 120
    editing.turning.show(copy, "cutoff")
    assert editing.scene.boxes[copy].rows == ("resonance",)
    editing.selection.only([filter, copy])
    editing.actions["inline-controls"]()
    assert not any(box.rows for box in editing.scene.boxes.values())
    settled(editing)
    editing.undo()
    settled(editing)
    editing.follow()
    assert [len(box.rows) for box in editing.scene.boxes.values()] == [2, 1]


def test_a_control_in_a_box_is_dragged(editing: Editing, session: Session, filter: str) -> None:
    editing.actions["inline-controls"]()
    x, y = row(editing, filter, "resonance")
    hands = editing.hands
    assert editing.number(filter, "resonance") == 0.2
    hands.press(x, y)
    hands.move(x + 22, y)
    hands.held = frozenset({"shift"})
    hands.move(x + 44, y)
    assert editing.number(filter, "resonance") == pytest.approx(0.31)
    hands.release(x + 44, y)
    settled(editing)
    assert session.get(f"{filter}.resonance") == editing.mirror.document.graph.value(filter, "resonance")
    assert editing.mirror.undo_label == f"Set {filter}.resonance"
    hands.press(x, y)
    hands.move(x + 50, y)
    editing.actions["select-none"]()  # Escape
    assert hands.doing is None and editing.number(filter, "resonance") == pytest.approx(0.31)


def test_a_switch_in_a_box_goes_over_by_a_click(editing: Editing) -> None:
    node = made(editing, "toggle", (100, 100))
    editing.turning.show(node, "value")
    x, y = row(editing, node, "value")
    for value in (1.0, 0.0):
        editing.hands.press(x, y)
        editing.hands.release(x, y)
        assert editing.number(node, "value") == value
    settled(editing)
    assert editing.mirror.undo_label == f"Set {node}.value"


def test_a_value_is_turned_by_keys(editing: Editing, filter: str) -> None:
    before = editing.mirror.undo_label
    assert editing.turning.chosen == (filter, "cutoff")
    for _ in range(3):
        editing.actions["turn-up"]()
    settled(editing)
    assert editing.number(filter, "cutoff") > 1200
    editing.actions["next-control"]()
    assert editing.turning.chosen == (filter, "resonance")
    editing.actions["turn-up"]()
    settled(editing)
    editing.actions["previous-control"]()
    editing.actions["reset-control"]()
    settled(editing)
    assert "cutoff" not in editing.mirror.document.graph.node(filter).params
    for _ in range(3):  # the reset, the resonance, the three steps of the cutoff as one
        editing.undo()
        settled(editing)
    assert editing.number(filter, "cutoff") == 1000 and editing.mirror.undo_label == before


def test_all_values_are_put_back_as_one_step(editing: Editing, filter: str) -> None:
    other = made(editing, "gain~ 0.5", (100, 200))
    editing.selection.only([filter, other])
    settled(editing)
    editing.actions["reset-values"]()
    settled(editing)
    graph = editing.mirror.document.graph
    assert not graph.node(filter).params and not graph.node(other).params
    editing.undo()
    settled(editing)
    assert graph.value(filter, "cutoff") == 1000 and graph.value(other, "gain") == 0.5


def test_what_drives_a_control_is_known(editing: Editing, filter: str) -> None:
    graph = editing.mirror.document.graph
    assert drivers(graph, filter, "cutoff") == []
    lfo = made(editing, "lfo~", (100, 0))
    graph.connect(f"{lfo}.y", f"{filter}.cutoff")
    assert drivers(graph, filter, "cutoff") == [(f"{lfo}.y", "signal")]


def test_what_is_typed_is_stored_with_its_unit(editing: Editing, filter: str) -> None:
    editing.turning.typed(filter, "cutoff", "2.5 kHz")
    settled(editing)
    assert editing.mirror.document.graph.value(filter, "cutoff") == 2500
