"""Boxes have room for their texts and ports; nodes without places get some that do not lie upon one another."""

from __future__ import annotations

import itertools

import pytest

from nodegraph.core.document import Document
from nodegraph.core.graph import Graph
from nodegraph.core.patchfile import loads
from nodegraph.core.registry import registry
from nodegraph.editor.objecttext import FIRST, offers, taken, text_of, typed
from nodegraph.editor.scene import CHARACTER, PADDING, Scene


def scene_of(document: Document) -> Scene:
    scene = Scene()
    scene.follow(document)
    return scene


@pytest.mark.parametrize("kind", sorted(spec.kind for spec in registry()))
def test_every_kind_has_a_box_with_all_its_ports_apart(kind: str) -> None:
    graph = Graph()
    spec = registry().get(kind)
    assert spec is not None
    graph.add(kind, "one")
    box = scene_of(Document(graph)).boxes["one"]
    assert [port.name for port in box.inlets] == [port.name for port in graph.node("one").spec.inlets]
    assert [port.name for port in box.outlets] == [port.name for port in graph.node("one").spec.outlets]
    assert box.width >= 2 * PADDING + CHARACTER * len(box.text)
    for row in (box.inlets, box.outlets):
        places = [port.at for port in row]
        assert all(later - earlier >= 12 for earlier, later in itertools.pairwise(places))
        assert all(0 < place < box.width for place in places)


def test_what_is_under_a_point() -> None:
    graph = Graph()
    graph.add("sine~", "osc", freq=220)
    graph.add("out~", "out")
    graph.connect("osc", "out")
    scene = scene_of(Document(graph, view={"osc": [100, 100], "out": [140, 300]}))
    box = scene.boxes["osc"]
    assert scene.box_at(101, 101) is box
    outlet = box.outlets[0]
    assert scene.port_at(*box.place(outlet)) == outlet
    assert scene.port_at(box.place(outlet)[0] + 30, box.place(outlet)[1] + 30) is None
    start, end = scene.ends(next(iter(graph.cables)))
    assert str(scene.cable_at((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)) == "osc.y -> out.x"
    assert scene.cable_at(900, 200) is None
    middle = (box.place(outlet)[0], box.y + box.height / 2)
    assert scene.port_at(*middle, zoom=0.2) is None  # however small it is, it can be moved
    assert scene.boxes_in(50, 50, 110, 110) == ["osc"]


def test_nodes_without_places_lie_apart_and_below_what_they_hear() -> None:
    document = loads(
        '{"nodegraph": 1, "nodes": {"a": {"kind": "sine~"}, "b": {"kind": "sine~"}, "c": {"kind": "gain~"},'
        ' "d": {"kind": "out~"}}, "cables": ["a.y -> c.x", "b.y -> c.x", "c.y -> d.x", "c.y -> a.freq"]}'
    )
    boxes = list(scene_of(document).boxes.values())
    assert len({(box.x, box.y) for box in boxes}) == 4
    assert scene_of(document).boxes["d"].y > scene_of(document).boxes["c"].y


def test_a_missing_kind_has_the_ports_that_its_cables_name() -> None:
    document = loads(
        '{"nodegraph": 1, "nodes": {"a": {"kind": "nowhere~", "x": 3}, "o": {"kind": "out~"}},'
        ' "cables": ["a.sound -> o.x", "o.none -> a.x"]}'
    )
    box = scene_of(document).boxes["a"]
    assert not box.known and box.text == "nowhere~"
    assert [port.name for port in box.inlets] == ["x"] and [port.name for port in box.outlets] == ["sound"]


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("sine~ 220", "sine~", {"freq": 220}),
        ("cycle~ 220", "sine~", {"freq": 220}),
        ("svf~ 800 resonance=0.4", "svf~", {"cutoff": 800, "resonance": 0.4}),
        ("expr~ tanh(3 * x1) + x2", "expr~", {"code": "tanh(3 * x1) + x2"}),
    ],
)
def test_what_is_typed_is_a_node_and_what_it_shows_is_typed_again(text: str, kind: str, values: dict) -> None:
    found = typed(text, registry())
    assert (found.kind, dict(found.values)) == (kind, values)
    graph = Graph()
    graph.add(found.kind, "one", **found.values)
    again = typed(text_of(graph.node("one"), registry()), registry())
    assert again == found


def test_what_is_being_typed_is_marked() -> None:
    assert taken("svf~ 800 0.", registry()).startswith("svf~  cutoff  ‹resonance›")
    assert taken("nothing", registry()) == ""


def test_completion_knows_other_names_and_descriptions() -> None:
    assert offers("cycle~", registry())[0].kind == "sine~"
    assert offers("sine", registry())[0].kind == "sine~"
    assert all("tag" in offer.kind for offer in offers("tag", registry())[:3])
    assert [offer.kind for offer in offers("", registry())] == list(FIRST)
