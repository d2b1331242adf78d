"""What is different between two documents: its lines say it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.core.commands import Add, perform
from nodegraph.core.difference import Difference, difference
from nodegraph.core.document import Document
from nodegraph.core.patchfile import dumps, loads
from nodegraph.core.preset_names import ordered
from tests.core.kinds import KINDS
from tests.core.patches import documents

TEXT = """{
  "nodegraph": 1,
  "title": "A filter",
  "nodes": {
    "cut": {"kind": "svf~", "cutoff": 800},
    "osc1": {"kind": "sine~", "freq": 220},
    "out": {"kind": "out~"}
  },
  "cables": [
    "cut.low -> out.x",
    "osc1.y -> cut.x"
  ],
  "presets": {
    "dark": {"cut.cutoff": 200}
  },
  "view": {
    "cut": [40, 120],
    "osc1": [40, 40],
    "out": [40, 200]
  }
}
"""


def compared(*exchanged: tuple[str, str]) -> Difference:
    """The text, and the text with pieces exchanged."""
    text = TEXT
    for before, after in exchanged:
        assert before in text
        text = text.replace(before, after)
    return difference(loads(TEXT), loads(text))


def test_the_same_is_not_different() -> None:
    found = compared()
    assert not found and found.lines() == []


@pytest.mark.parametrize(
    ("exchanged", "lines"),
    [
        ((('"cutoff": 800', '"cutoff": 900'),), ["~ cut: cutoff 800 → 900"]),
        ((('"cutoff": 800', '"cutoff": 800.0'),), ["~ cut: cutoff 800 → 800.0"]),
        (((', "cutoff": 800', ""),), ["~ cut: cutoff 800 → as it is without a value of its own"]),
        ((("svf~", "onepole~"), ("cut.low", "cut.y")),
         ["~ cut: svf~ → onepole~", "- cut.low -> out.x", "+ cut.y -> out.x"]),
        ((("osc1", "tone"),), ["~ osc1: is called tone now"]),
        ((('"cut.low -> out.x",\n', '"cut.high -> out.x",\n'),), ["- cut.low -> out.x", "+ cut.high -> out.x"]),
        ((("[40, 120]", "[80, 120]"),), ["~ moved: cut"]),
        ((("[40, 120]", '{"at": [40, 120], "show": ["cutoff"]}'),),
         ['~ cut: show ["cutoff"], which had no value of its own']),
        ((("[40, 120]", '{"at": [40, 121], "show": ["cutoff"], "tint": 3}'),),
         ['~ cut: show ["cutoff"], which had no value of its own', "~ cut: tint 3, which had no value of its own",
          "~ moved: cut"]),
        ((("[40, 120]", "[40, 120.0]"),), ["~ cut: its place is written otherwise"]),
        ((('"cut": [40, 120],\n    ', ""),), ["~ moved: cut"]),
        ((("A filter", "Two"), ('"dark"', '"deep"')),
         ['~ title: "A filter" → "Two"', '- preset "dark"', '+ preset "deep"']),
        ((('"osc1": {"kind": "sine~", "freq": 220}', '"saw1": {"kind": "saw~"}'), ("osc1", "saw1")),
         ["- osc1: sine~ freq=220", "+ saw1: saw~", "- osc1.y -> cut.x", "+ saw1.y -> cut.x"]),
    ],
)  # fmt: skip
def test_each_change_is_a_line(exchanged: tuple[tuple[str, str], ...], lines: list[str]) -> None:
    assert compared(*exchanged).lines() == lines


def test_notes_and_the_presentation_are_told() -> None:
    note = '"notes": {"n1": {"kind": "comment", "text": "Hello", "at": [0, 0]}}'
    end = '"out": [40, 200]\n  }\n}'
    found = compared((end, f'"out": [40, 200]\n  }}, "presentation": {{"cut": [1, 2]}}, {note}\n}}'))
    assert found.lines() == ["~ in the presentation: cut", '+ note n1: comment "Hello"']
    one, two = loads(dumps(found.new)), loads(dumps(found.new))
    two.notes["n1"] = {**two.notes["n1"], "text": "Bye", "colour": "cyan"}
    found = difference(one, two)
    assert found.lines() == ["~ note n1: text, colour"]


def test_which_one_was_renamed_is_told_by_cables_then_by_places_and_never_guessed() -> None:
    def two(one: str, two: str, cable: str = "", at: dict[str, list[int]] | None = None) -> Document:
        nodes = {one: {"kind": "sine~"}, two: {"kind": "sine~"}, "out": {"kind": "out~"}}
        cables = [f"{cable}.y -> out.x"] if cable else []
        return loads(json.dumps({"nodegraph": 1, "nodes": nodes, "cables": cables, "view": at or {}}))

    assert difference(two("a", "b", "a"), two("c", "d", "d")).renamed == {"a": "d", "b": "c"}
    places = two("a", "b", at={"a": [0, 0], "b": [9, 9]}), two("c", "d", at={"c": [9, 9], "d": [0, 0]})
    assert difference(*places).renamed == {"a": "d", "b": "c"}
    found = difference(two("a", "b"), two("c", "d"))
    assert not found.renamed and found.removed == ("a", "b") and found.added == ("c", "d")


def test_a_change_is_data() -> None:
    found = compared(('"cutoff": 800', '"cutoff": 900'), ("osc1.y -> cut.x", "osc1.y -> cut.cutoff"))
    value, gone, come = (change.as_data() for change in found.changes)
    assert (value["of"], value["nodes"], value["before"], value["after"]) == ("value", ["cut"], 800, 900)
    assert (gone["sign"], gone["cable"], come["sign"]) == ("-", "osc1.y -> cut.x", "+")


@st.composite
def pairs(draw: Any) -> tuple[Document, Document]:
    """Two documents; the second may be the first with a few renamed."""
    old, new = draw(documents()), draw(documents())
    if draw(st.booleans()):
        new = loads(dumps(old), kinds=KINDS)
        for id in list(new.graph.nodes):
            if draw(st.booleans()) and (to := f"{id[:60]}z") not in new.graph:
                new.rename(id, to)
    ports = st.sampled_from(["a.cutoff", "b1.frequency", "gone.x"])
    books = st.dictionaries(st.sampled_from(["one", "two", "three", "four"]), st.dictionaries(ports, st.integers(0, 9)))
    for document in (old, new):
        document.presets = {name: ordered(values) for name, values in draw(books).items()}
    new.extra, new.after, new.strangers = old.extra, old.after, old.strangers
    return old, new


@given(pairs())
@settings(max_examples=80, deadline=None)
def test_a_difference_is_told_wherever_the_files_are_not_the_same(pair: tuple[Document, Document]) -> None:
    old, new = pair
    assert bool(difference(old, new)) == (dumps(old) != dumps(new))


def test_a_node_that_took_the_id_of_a_stranger_in_the_view_is_all_that_is_told() -> None:
    old = loads(TEXT.replace('"out": [40, 200]', '"out": [40, 200],\n    "new": [1, 1]'))
    new = loads(dumps(old))
    perform(new, [Add("new", "noise~")])
    assert difference(old, new).lines() == ['- "view" in the file', "+ new: noise~"]
    assert [change.of for change in difference(new, loads(dumps(new))).changes] == []
