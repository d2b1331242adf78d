"""Random documents, for the tests that hold for every patch."""

from typing import Any

from hypothesis import strategies as st

from nodegraph.core import Cable, Graph
from nodegraph.core.cable import ID
from nodegraph.core.document import Document
from nodegraph.core.graph import NodeEntry
from tests.core.kinds import KINDS

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)  # lone surrogates and all
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
ids = st.sampled_from(["a", "b1", "b2", "b10", "snare-2", "größe"]) | st.from_regex(ID, fullmatch=True).filter(
    lambda text: len(text) <= 64
)
FOREIGN = ("kind", "nodegraph", "title", "about", "nodes", "cables", "view", "presets", "notes", "presentation")


@st.composite
def entries(draw: Any, id: str) -> NodeEntry:
    """A node of a known kind with some values, or a placeholder; both with keys that nobody knows."""
    spec = draw(st.none() | st.sampled_from(list(KINDS)))
    extra = draw(st.dictionaries(texts.filter(lambda key: key != "kind"), anything, max_size=3))
    if spec is None:
        kind = draw(texts.filter(lambda text: text and text not in KINDS))
        return NodeEntry(id, kind, {}, extra)
    named = [item.name for item in (*spec.controls, *spec.settings)]
    params = draw(st.dictionaries(st.sampled_from(named), anything, max_size=3)) if named else {}
    extra = {name: value for name, value in extra.items() if name not in named}
    return NodeEntry(id, spec.kind, params, extra, spec)


@st.composite
def notes(draw: Any) -> dict[str, Any]:
    """A note of any kind, with keys that nobody knows; its known keys in their order."""
    place = st.tuples(st.integers(-999, 999), st.floats(-1e6, 1e6)).map(list)
    sizes = st.tuples(st.integers(1, 999), st.floats(1.0, 1e5)).map(list)
    made: dict[str, Any] = {
        "kind": draw(st.sampled_from(["comment", "panel", "image", "sticker"])), "text": draw(texts),
        "file": draw(texts.filter(bool)), "at": draw(place), "size": draw(sizes),
    }  # fmt: skip
    made |= draw(st.fixed_dictionaries({}, optional={"points": st.floats(4, 400), "colour": st.just("#00fF12")}))
    known = (*made, "points", "colour", "present")
    return made | draw(st.dictionaries(texts.filter(lambda key: key not in known), anything, max_size=2))


@st.composite
def documents(draw: Any) -> Document:
    graph = Graph(KINDS)
    for id in draw(st.lists(ids, unique=True, max_size=8)):
        graph.put(draw(entries(id)))
    if len(graph):
        node = st.sampled_from(list(graph.nodes))
        port = st.sampled_from(["x", "y", "low", "cutoff", "tick", "on", "odd"])
        for cable in draw(st.lists(st.builds(Cable, node, port, node, port), max_size=12)):
            graph.lay(cable)
    points = st.tuples(st.integers(), st.floats(-1e6, 1e6)).map(list)
    view = draw(st.dictionaries(st.sampled_from(list(graph.nodes)), points)) if len(graph) else {}
    extra = draw(st.dictionaries(texts.filter(lambda key: key not in FOREIGN), anything, max_size=3))
    after = {key: draw(st.sampled_from(["", "nodegraph", "nodes", "cables"])) for key in extra}
    beside = draw(st.dictionaries(ids, notes(), max_size=2))
    presentation = draw(st.dictionaries(st.sampled_from(list(graph.nodes)), points)) if len(graph) else {}
    return Document(graph, draw(texts), draw(texts), view, extra, after=after, notes=beside, presentation=presentation)
