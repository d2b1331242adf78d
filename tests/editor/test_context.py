"""The menus for what is under the mouse: what it is, whence it comes, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nodegraph.core.ownfiles import SUFFIX
from nodegraph.core.registry import registry
from nodegraph.editor.context import Entry, about, credits, middle_of
from nodegraph.editor.editing import Editing
from tests.editor.editors import made, middle, settled


@pytest.fixture
def filter(editing: Editing) -> str:
    made(editing, "saw~ 110", (100, 0))
    node = made(editing, "svf~ 1000", (100, 100))
    editing.hands.press(*place(editing, "saw1", "y", True))
    editing.hands.release(*place(editing, node, "x", False))
    settled(editing)
    return node


def place(editing: Editing, node: str, name: str, out: bool) -> tuple[float, float]:
    port = editing.scene.port(node, name, out)
    assert port is not None
    return editing.viewport.screen(*editing.scene.boxes[node].place(port))


def do(entries: list[Entry], words: str) -> Callable[[], object]:
    """What an entry does."""
    (found,) = [entry for entry in entries if entry.words == words]
    assert found.do is not None and found.enabled
    return found.do


def words(entries: list[Entry]) -> str:
    return "\n".join(entry.words for entry in entries)


def test_a_box_tells_what_it_is_and_is_changed(editing: Editing, filter: str) -> None:
    entries = editing.context.at(*middle(editing, filter))
    assert editing.selection.nodes == {filter}
    assert entries[0] == Entry(f"{filter}: svf~", title=True)
    assert "A. Simper" in words(entries) and "Cytomic" in words(entries)
    do(entries, "Reset all values")()
    assert not editing.mirror.document.graph.node(filter).params
    do(entries, "Show values in the box")()
    again = editing.context.at(*middle(editing, "saw1"))
    assert all(entry.on is not True for entry in again)
    shown = editing.context.for_box(filter)
    assert next(entry for entry in shown if entry.words == "Show values in the box").on
    do(shown, "Change or replace")
    do(editing.context.at(*middle(editing, "saw1")), "Delete")()
    assert list(editing.mirror.document.graph.nodes) == [filter]


def test_several_boxes_stay_selected(editing: Editing, filter: str) -> None:
    editing.selection.only(["saw1", filter])
    editing.context.at(*middle(editing, filter))
    assert editing.selection.nodes == {"saw1", filter}


def test_a_value_of_a_box_has_its_own_menu(editing: Editing, filter: str) -> None:
    editing.turning.show(filter, "cutoff")
    box = editing.scene.boxes[filter]
    left, top, right, bottom = box.row(0)
    entries = editing.context.at(*editing.viewport.screen((left + right) / 2, (top + bottom) / 2))
    assert entries[0].words == f"{filter}.cutoff" and "10 to 20000 Hz" in words(entries)
    do(entries, "Reset")()
    assert "cutoff" not in editing.mirror.document.graph.node(filter).params
    do(entries, "Show in the box")()
    assert not editing.scene.boxes[filter].rows
    do(entries, "Learn MIDI for cutoff")
    assert not next(entry for entry in entries if entry.words.startswith("Forget")).enabled


def test_a_cable_is_taken_away_or_an_object_inserted(editing: Editing, filter: str) -> None:
    cable = next(iter(editing.mirror.document.graph.cables))
    at = editing.viewport.screen(*middle_of(editing, cable))
    entries = editing.context.at(*at)
    assert editing.selection.cables == {cable} and entries[0].words == str(cable)
    do(entries, "Insert an object here")()
    assert editing.objects.answer("gain~ 0.5")
    settled(editing)
    assert sorted(map(str, editing.mirror.document.graph.cables)) == [f"gain1.y -> {filter}.x", "saw1.y -> gain1.x"]
    assert editing.mirror.undo_label == "Insert gain1"
    editing.undo()
    settled(editing)
    editing.follow()
    assert list(editing.mirror.document.graph.cables) == [cable]
    editing.selection.only((), {cable})
    editing.actions["insert-object"]()
    assert editing.objects.answer("random")  # does not fit: it comes, and the cable stays
    assert cable in editing.mirror.document.graph.cables and "random1" in editing.mirror.document.graph.nodes
    do(editing.context.for_cable(cable, 0, 0), "Delete")()
    assert cable not in editing.mirror.document.graph.cables


def test_a_new_object_is_inserted_nowhere_when_it_is_asked_for_elsewhere(editing: Editing, filter: str) -> None:
    cable = next(iter(editing.mirror.document.graph.cables))
    editing.objects.insert(cable, 100, 50)
    editing.objects.answer(None)
    made(editing, "gain~", (300, 300))
    assert cable in editing.mirror.document.graph.cables


def test_the_void_takes_what_is_new(editing: Editing, filter: str) -> None:
    entries = editing.context.at(5, 5)
    do(entries, "New object")()
    assert editing.objects.asked is not None
    do(entries, "Paste")


def test_the_menu_of_what_is_selected_opens_by_keys(editing: Editing, filter: str) -> None:
    editing.selection.clear()
    assert editing.context.for_selected() == ([], 0.0, 0.0)
    editing.selection.only([filter])
    entries, _, y = editing.context.for_selected()
    assert entries[0].words.startswith(filter) and y > middle(editing, filter)[1]
    editing.selection.only((), set(editing.mirror.document.graph.cables))
    assert "->" in editing.context.for_selected()[0][0].words


def test_models_are_told_with_their_licences() -> None:
    told = 0
    for spec in registry():
        source, model = credits(spec)
        assert source or "Source:" not in spec.help, spec.kind
        if "Weights:" in spec.help:
            told += 1
            assert model and "Weights:" not in source, spec.kind
    assert told > 20


def test_the_file_of_a_node_of_ones_own_is_told(editing: Editing, tmp_path: Path) -> None:
    node = made(editing, "svf~", (0, 0))
    entry = editing.mirror.document.graph.node(node)
    assert entry.spec is not None
    own = replace(entry, spec=replace(entry.spec, kind=f"wobble{SUFFIX}"))
    assert about(editing, own)[-1] == f"File: {tmp_path / 'wobble.py'}"
