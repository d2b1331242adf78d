"""What is told of a box: a place, or an object with a place and the controls that it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nodegraph import Patch
from nodegraph.core.check import check
from nodegraph.core.commands import Add, Command, Move, Remove, Rename, Restore, Show, commands, perform
from nodegraph.core.document import Document
from nodegraph.core.patchfile import dumps, read


def document(view: Any) -> Document:
    data = {"nodegraph": 1, "nodes": {"cut": {"kind": "svf~"}, "osc": {"kind": "sine~"}}, "view": view}
    found, problems = read(json.dumps(data))
    assert found is not None and not problems
    return found


PLACES: dict[str, Any] = {
    "a place": [40, 80],
    "nothing": None,
    "an object": {"show": ["cutoff"], "at": [40, 80]},
    "an object with more": {"at": [40, 80], "colour": "red", "show": ["cutoff", "mode"]},
    "an object without a place": {"show": ["cutoff"]},
}


@pytest.mark.parametrize("before", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    "command",
    [
        Move({"cut": [1, 2]}), Move({"cut": None}), Move({"cut": {"at": [1, 2], "show": ["resonance"]}}),
        Show("cut", ("resonance",)), Show("cut"), Show("cut", ("cutoff",)), Remove("cut"), Rename("cut", "filter"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_told_of_a_box_comes_back_to_the_letter(command: Command, before: Any) -> None:
    found = document({"osc": [0, 0]} if before is None else {"cut": before, "osc": [0, 0]})
    first = dumps(found)
    undo = perform(found, [command])
    after = dumps(found)
    redo = perform(found, commands([item.as_data() for item in undo]))
    assert dumps(found) == first
    perform(found, redo)
    assert dumps(found) == after


def test_a_box_that_is_moved_keeps_what_else_is_told_of_it() -> None:
    found = document({"cut": PLACES["an object with more"]})
    assert found.place("cut") == (40, 80) and found.shown("cut") == ("cutoff", "mode")
    perform(found, [Move({"cut": [5, 6]})])
    assert found.view["cut"] == {"at": [5, 6], "colour": "red", "show": ["cutoff", "mode"]}
    assert found.place("cut") == (5, 6)


def test_a_box_that_shows_nothing_more_is_a_place_again() -> None:
    found = document({"cut": [40, 80]})
    perform(found, [Show("cut", ("cutoff", "resonance"))])
    assert found.view["cut"] == {"at": [40, 80], "show": ["cutoff", "resonance"]}
    perform(found, [Show("cut")])
    assert found.view["cut"] == [40, 80]
    perform(found, [Show("osc", ("freq",)), Show("osc")])
    assert "osc" not in found.view


def test_moves_are_one_step_only_where_the_last_tells_all() -> None:
    here, there = Move({"cut": [1, 2]}), Move({"cut": [3, 4]})
    whole = Move({"cut": {"at": [1, 2], "show": ["cutoff"]}})
    assert here.merged(there) == there
    assert whole.merged(there) is None and here.merged(whole) is None
    assert Show("cut", ("cutoff",)).merged(Show("cut")) == Show("cut")


def test_a_node_comes_with_what_is_told_of_its_box() -> None:
    found = document({})
    told = {"at": [1, 2], "show": ["cutoff"]}
    perform(found, commands([{"do": "add", "node": "two", "kind": "svf~", "at": told}]))
    assert found.view["two"] == told
    perform(found, [Add("three", "svf~", at=(1, 2)), Restore("four", {"kind": "svf~"}, at=told)])
    assert found.view["three"] == [1, 2] and found.shown("four") == ("cutoff",)


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ({"at": [1, 2], "show": ["cutoff"]}, False), ({"show": ["cutoff"]}, False), ({"at": [1, 2]}, False),
        ({"at": "left", "show": ["cutoff"]}, True), ({"x": 1}, True),
    ],
)  # fmt: skip
def test_what_is_no_place_is_found(entry: Any, wrong: bool) -> None:
    assert [problem.code for problem in check(document({"cut": entry}))] == ["bad-view"] * wrong


def test_a_file_keeps_what_its_boxes_show(tmp_path: Path) -> None:
    patch = Patch()
    patch.add("svf~", "cut")
    patch.do(Move({"cut": [40, 80]}), {"do": "show", "node": "cut", "controls": ["cutoff"]})
    patch.save(tmp_path / "one.ng")
    assert '"cut": {"at": [40, 80], "show": ["cutoff"]}' in (tmp_path / "one.ng").read_text()
    assert Patch.open(tmp_path / "one.ng").document.shown("cut") == ("cutoff",)
