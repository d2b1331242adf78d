"""The patch file: its one form, what it keeps, and what it refuses on which line."""

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.core import Cable, Graph, PatchError, PatchFileError, Registry, dumps, loads
from nodegraph.core.document import Document
from nodegraph.core.graph import NodeEntry
from nodegraph.core.migrations import rename_kind, rename_port
from tests.core.kinds import KINDS
from tests.core.patches import documents
from tests.needs import needs

EXAMPLE = """\
{
  "nodegraph": 1,
  "title": "A filter that listens",
  "nodes": {
    "cut": {"kind": "svf~", "cutoff": 800, "resonance": 0.4},
    "ears2": {"kind": "choir.tag~", "hop": 0.5},
    "ears10": {"kind": "choir.tag~"},
    "osc": {"kind": "sine~", "frequency": 220.0},
    "out": {"kind": "out~"}
  },
  "cables": [
    "cut.low -> out.x",
    "osc.y -> cut.x",
    "osc.y -> ears2.x",
    "osc.y -> ears10.x"
  ],
  "view": {
    "cut": [40, 120],
    "osc": [40, 40.5]
  }
}
"""


def reloaded(document: Document) -> Document:
    return loads(dumps(document), kinds=KINDS)


# the form


def test_the_example_is_written_as_it_was_read():
    assert dumps(loads(EXAMPLE, kinds=KINDS)) == EXAMPLE


def test_any_layout_of_the_same_patch_is_written_alike():
    data = json.loads(EXAMPLE)
    shuffled = {key: data[key] for key in ("view", "cables", "nodes", "title", "nodegraph")}
    shuffled["nodes"] = dict(reversed(data["nodes"].items()))
    shuffled["nodes"]["cut"] = {"resonance": 0.4, "cutoff": 800, "kind": "SVF"}  # an alias, too
    shuffled["cables"] = [cable.replace(" -> ", "->") for cable in reversed(data["cables"])]
    for text in (
        json.dumps(shuffled),
        json.dumps(shuffled, indent=7),
        EXAMPLE.replace("\n", "\r\n"),
        "\ufeff" + EXAMPLE,
    ):
        assert dumps(loads(text, kinds=KINDS)) == EXAMPLE
        assert dumps(loads(text.encode(), kinds=KINDS)) == EXAMPLE


def test_the_least_patch_is_empty():
    document = loads('{"nodegraph": 1}', kinds=KINDS)
    assert len(document.graph) == 0 and document.title == "" and document.view == {}
    assert dumps(document) == '{\n  "nodegraph": 1,\n  "nodes": {},\n  "cables": []\n}\n'


@given(documents())
def test_saving_and_loading_gives_the_same_document_and_the_same_bytes(document):
    text = dumps(document)
    again = loads(text, kinds=KINDS)
    assert list(again.graph.nodes.items()) == list(document.graph.nodes.items())
    assert list(again.graph.cables) == list(document.graph.cables)
    assert (again.title, again.about, again.view, again.extra) == (
        document.title, document.about, document.view, document.extra,
    )  # fmt: skip
    assert (again.notes, again.presentation) == (document.notes, document.presentation)
    assert dumps(again) == text
    assert loads(text.encode(), kinds=KINDS).graph.nodes == document.graph.nodes
    for id, entry in again.graph.nodes.items():  # 0.0 == -0.0 and 1 == 1.0 == True: compare the very values
        assert repr(entry.params) == repr({name: document.graph.nodes[id].params[name] for name in entry.params})


@given(documents())
def test_one_node_one_cable_and_one_place_a_line(document):
    document.extra = {}
    lines = dumps(document).split("\n")
    for key, count in (
        ("nodes", len(document.graph)),
        ("cables", len(document.graph.cables)),
        ("view", len(document.view)),
        ("presentation", len(document.presentation)),
        ("notes", len(document.notes)),
    ):
        heads = [at for at, line in enumerate(lines) if line.startswith(f'  "{key}": ')]
        if not count:
            assert key in ("view", "presentation", "notes") or lines[heads[0]].rstrip(",")[-2:] in ("{}", "[]")
            continue
        items = lines[heads[0] + 1 : heads[0] + 1 + count]
        assert lines[heads[0] + 1 + count].rstrip(",") in ("  }", "  ]")
        for line in items:  # each is whole by itself
            json.loads("{" + line.rstrip(",") + "}" if key != "cables" else line.rstrip(","))


def test_edits_of_two_people_merge(tmp_path):
    needs("git", install="apt install git")
    for name, old, new in (
        ("base", "", ""),
        ("mine", "800", "900"),
        ("theirs", '"osc.y -> ears10.x"', '"osc.y -> ears10.x",\n    "osc.y -> out.x"'),
    ):
        (tmp_path / name).write_text(EXAMPLE.replace(old, new) if old else EXAMPLE)
    done = subprocess.run(["git", "merge-file", "-p", "mine", "base", "theirs"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()
    merged = loads(done.stdout, kinds=KINDS)
    assert merged.graph.value("cut", "cutoff") == 900 and Cable("osc", "y", "out", "x") in merged.graph.cables
    assert dumps(merged) == done.stdout.decode()


def test_numbers_keep_their_kind_and_their_shortest_form():
    text = (
        '{"nodegraph":1,"nodes":{"a":{"kind":"shape","values":[1,1.0,0.1,-0.0,1e22,1E-7,12345678901234567890,true]}}}'
    )
    assert '"values": [1, 1.0, 0.1, -0.0, 1e+22, 1e-07, 12345678901234567890, true]' in dumps(loads(text, kinds=KINDS))


# what is kept

UNKNOWN = """\
{
  "licence": "CC0",
  "nodegraph": 1,
  "author": {"name": "Ada", "see": ["x", {"y": null}]},
  "nodes": {
    "a": {"kind": "their.vocoder~", "bands": 16, "shape": {"q": [1, 2.50]}, "": "\\u0000"},
    "b": {"kind": "svf~", "cutoff": 800, "colour": "red"}
  },
  "cables": [
    "a.thing -> b.x",
    "b.low -> a.other"
  ],
  "tempo": 120,
  "view": {
    "a": {"x": 1, "folded": true},
    "b": [1, 2],
    "zoom of the editor": 2
  },
  "checksum": "none"
}
"""


def test_what_is_not_known_is_written_back_in_its_place():
    document = loads(UNKNOWN, kinds=KINDS)
    assert dumps(document) == UNKNOWN.replace("2.50", "2.5")
    assert document.graph.node("a").spec is None
    document.graph.set("b", "cutoff", 900)
    assert dumps(document) == UNKNOWN.replace("2.50", "2.5").replace("800", "900")


def test_a_placeholder_becomes_a_node_when_its_kind_is_known():
    text = dumps(loads('{"nodegraph":1,"nodes":{"a":{"kind":"svf~","cutoff":900,"new":1}}}', kinds=KINDS))
    without = loads(text, kinds=Registry())
    assert without.graph.node("a").spec is None
    assert dumps(without) == text
    assert loads(dumps(without), kinds=KINDS).graph.value("a", "cutoff") == 900


def test_a_long_unknown_key_has_one_item_a_line():
    extra = {"scenes": {f"preset {number}": list(range(10)) for number in range(5)}, "short": [1, 2]}
    text = dumps(Document(Graph(KINDS), extra=extra))
    assert '    "preset 3": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],\n' in text
    assert '  "short": [1, 2]\n' in text
    assert loads(text, kinds=KINDS).extra == extra


def test_the_place_of_a_removed_node_is_not_written_but_comes_back_with_it():
    document = loads(EXAMPLE, kinds=KINDS)
    entry, cables = document.graph.remove("osc")
    assert '"osc"' not in dumps(document)
    document.graph.put(entry)
    for cable in cables:
        document.graph.lay(cable)
    assert dumps(document) == EXAMPLE


def test_the_place_follows_a_renamed_node():
    document = loads(EXAMPLE, kinds=KINDS)
    document.rename("osc", "voice")
    assert document.place("voice") == (40.0, 40.5) and document.place("osc") is None
    assert '"voice": [40, 40.5]' in dumps(document)


def test_a_renamed_node_does_not_take_the_place_of_a_removed_one():
    document = loads(EXAMPLE, kinds=KINDS)
    before = dumps(document)
    entry, cables = document.graph.remove("osc")
    other = document.graph.add("metro")
    document.rename(other, "osc")
    assert document.place("osc") is None
    document.rename("osc", other)
    document.graph.remove(other)
    document.graph.put(entry)
    for cable in cables:
        document.graph.lay(cable)
    assert dumps(document) == before


@given(documents(), st.data())
def test_an_edit_script_and_its_inverse_give_the_same_text(document, data):
    before = dumps(document)
    undo = []
    for _ in range(data.draw(st.integers(1, 12))):
        inverse = _edit(document, data)
        if inverse is not None:
            undo.append(inverse)
    for inverse in reversed(undo):
        inverse()
    assert dumps(document) == before


def _edit(document: Document, data: st.DataObject):
    """One random edit; returns what undoes it, or None when it was refused."""
    graph = document.graph
    what = data.draw(st.sampled_from(["add", "remove", "rename", "connect", "disconnect", "set", "unset"]))
    if what == "add":
        id = graph.add(data.draw(st.sampled_from(["sine~", "svf~", "metro"])))
        return lambda: graph.remove(id)
    if not len(graph):
        return None
    node = data.draw(st.sampled_from(list(graph.nodes)))
    try:
        if what == "remove":
            entry, cables = graph.remove(node)
            return lambda: (graph.put(entry), [graph.lay(cable) for cable in cables])
        if what == "rename":
            new = data.draw(st.sampled_from(["n1", "n2", "n20"]))
            document.rename(node, new)
            return lambda: document.rename(new, node)
        if what == "connect":
            had = set(graph.cables)
            cable = graph.connect(node, data.draw(st.sampled_from(list(graph.nodes))))
            return None if cable in had else lambda: graph.disconnect(cable)
        if what == "disconnect":
            if not graph.cables:
                return None
            cable = data.draw(st.sampled_from(list(graph.cables)))
            graph.disconnect(cable)
            return lambda: graph.lay(cable)
        name = data.draw(st.sampled_from(["cutoff", "frequency", "interval"]))
        had_value, old = name in graph.node(node).params, graph.node(node).params.get(name)
        if what == "set":
            graph.set(node, name, data.draw(st.integers(1, 60)))
        else:
            graph.unset(node, name)
        entry = graph.node(node)
        params = {**entry.params, name: old}
        if not had_value:
            return lambda: graph.unset(node, name)
        return lambda: _restore(graph, node, params)
    except PatchError:
        return None


def _restore(graph: Graph, node: str, params: dict[str, object]) -> None:
    """The stored values as they were, legal or not, as an undo of an illegal file's repair must."""
    entry, cables = graph.remove(node)
    graph.put(NodeEntry(entry.id, entry.kind, params, entry.extra, entry.spec))
    for cable in cables:
        graph.lay(cable)


# lines


def test_nodes_values_and_cables_know_their_lines():
    document = loads(EXAMPLE, kinds=KINDS)
    assert {id: entry.line for id, entry in document.graph.nodes.items()} == {
        "cut": 5, "ears2": 6, "ears10": 7, "osc": 8, "out": 9,
    }  # fmt: skip
    assert document.cable_line(Cable("osc", "y", "ears2", "x")) == 14
    assert document.line("cut", "cutoff") == 5
    assert document.line("nobody") is None and document.cable_line(Cable("a", "y", "b", "x")) is None


@given(st.integers(0, 4), st.integers(0, 5), st.text("\n \t", max_size=5))
def test_lines_are_right_in_any_layout(indent, number, space):
    names = ['a"b', "c{d}", "e\\", "ü,", "[", "x"]
    nodes = {
        "first": {"kind": "their~", "deep": {"nodes": {"last": [1, {"last": 2}]}}, names[number]: 1},
        "last": {"kind": "svf~", "cutoff": "?"},
    }
    text = space + json.dumps(
        {"nodes": nodes, "cables": ["first.a -> last.x", "last.low -> first.b"], "nodegraph": 1}, indent=indent
    )  # with indent 0 too, every item has a line of its own
    document = loads(text, kinds=KINDS)
    lines = text.split("\n")
    assert lines[document.line("last", "cutoff") - 1].lstrip().startswith('"cutoff": "?"')
    assert lines[document.line("last") - 1].lstrip().startswith('"last": {') and document.line("last") > 8
    assert lines[document.line("first", names[number]) - 1].lstrip().startswith(json.dumps(names[number]))
    assert "last.low" in lines[document.cable_line(Cable("last", "low", "first", "b")) - 1]


# older files


def _from_zero(data):
    """A made-up format 0: nodes as a list with their ids inside, `lowpass~` for `svf~`, its inlet called `freq`."""
    data = {**data, "nodes": {node.pop("id"): node for node in data["boxes"]}}
    del data["boxes"]
    rename_kind(data, "lowpass~", "svf~")
    rename_port(data, "svf~", "freq", "cutoff")
    return data


OLD = """{"nodegraph": 0, "mood": "blue",
  "boxes": [{"id": "lfo", "kind": "sine~", "frequency": 2, "freq": 9}, {"id": "cut", "kind": "lowpass~", "freq": 900}],
  "cables": ["lfo.y -> cut.freq", "cut.freq -> lfo.freq", "lfo.y->cut.x"]}"""


def test_an_older_patch_is_migrated():
    document = loads(OLD, kinds=KINDS, migrations={0: _from_zero})
    assert (
        dumps(document)
        == """{
  "nodegraph": 1,
  "mood": "blue",
  "nodes": {
    "cut": {"kind": "svf~", "cutoff": 900},
    "lfo": {"kind": "sine~", "frequency": 2, "freq": 9}
  },
  "cables": [
    "cut.cutoff -> lfo.freq",
    "lfo.y -> cut.cutoff",
    "lfo.y -> cut.x"
  ]
}
"""
    )


@pytest.mark.parametrize("text", ['{"nodegraph": 0}', '{"nodegraph": 0, "boxes": [1]}', '{"nodegraph": 0, "boxes": 1}'])
def test_a_damaged_older_patch_is_refused(text):
    with pytest.raises(PatchFileError) as caught:
        loads(text, kinds=KINDS, migrations={0: _from_zero})
    assert caught.value.problems[0].code == "old-version"
    assert "damaged" in caught.value.problems[0].what
