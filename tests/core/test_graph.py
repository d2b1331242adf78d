"""The graph: what an edit does, what it refuses, and that a refused edit changes nothing."""

from pathlib import Path

import numpy as np
import pytest

from nodegraph.core import Cable, Graph, GraphView, PatchError
from nodegraph.core.graph import NodeEntry
from tests.core.kinds import KINDS


@pytest.fixture
def graph() -> Graph:
    """osc -> cut -> out, and a metro."""
    graph = Graph(KINDS)
    graph.add("sine~", "osc", frequency=220)
    graph.add("svf~", "cut", cutoff=800)
    graph.add("out~", "out")
    graph.add("metro", "clock")
    graph.connect("osc.y", "cut.x")
    graph.connect("cut.low", "out.x")
    return graph


def picture(graph: GraphView) -> tuple[object, ...]:
    """All that a graph says, to compare it before and after."""
    nodes = [(id, entry.kind, dict(entry.params), dict(entry.extra)) for id, entry in graph.nodes.items()]
    rows = [
        (graph.into(cable.to_node, cable.to_port), graph.out_of(cable.from_node, cable.from_port))
        for cable in graph.cables
    ]
    return nodes, list(graph.cables), rows


# what is refused

REFUSED = {
    "unknown kind": (lambda g: g.add("svv~"), "unknown-kind", "'svf~'"),
    "unknown kind near an alias": (lambda g: g.add("cycl~"), "unknown-kind", "'sine~'"),
    "unknown kind far from all": (lambda g: g.add("qqqqqq"), "unknown-kind", "nodegraph nodes"),
    "id twice": (lambda g: g.add("sine~", "osc"), "duplicate-id", "another"),
    "illegal id": (lambda g: g.add("sine~", "my osc"), "illegal-id", "another"),
    "unknown parameter": (lambda g: g.add("svf~", cutof=1), "unknown-parameter", "'cutoff'"),
    "value for a signal inlet": (lambda g: g.add("svf~", x=1), "unknown-parameter", "cable"),
    "value of the wrong type": (lambda g: g.set("cut", "cutoff", "high"), "wrong-type", "10 to 20000 Hz"),
    "a flag is no number": (lambda g: g.set("cut", "cutoff", True), "wrong-type", "10 to 20000 Hz"),
    "value above its span": (lambda g: g.set("cut", "cutoff", 30_000), "out-of-span", "10 to 20000 Hz"),
    "value below its span": (lambda g: g.set("cut", "cutoff", 9.99), "out-of-span", "10 to 20000 Hz"),
    "not a number": (lambda g: g.set("cut", "cutoff", float("nan")), "wrong-type", "10 to 20000 Hz"),
    "infinity": (lambda g: g.set("cut", "cutoff", float("inf")), "wrong-type", "10 to 20000 Hz"),
    "a number that no float holds": (lambda g: g.set("cut", "cutoff", 10**400), "wrong-type", "10 to 20000 Hz"),
    "set on an unknown node": (lambda g: g.set("cutt", "cutoff", 1), "unknown-node", "'cut'"),
    "set of an unknown port": (lambda g: g.set("cut", "kutoff", 1), "unknown-parameter", "'cutoff'"),
    "unset of an unknown port": (lambda g: g.unset("cut", "x"), "unknown-parameter", "cable"),
    "remove an unknown node": (lambda g: g.remove("oscc"), "unknown-node", "'osc'"),
    "rename an unknown node": (lambda g: g.rename("oscc", "a"), "unknown-node", "'osc'"),
    "rename to a taken id": (lambda g: g.rename("osc", "cut"), "duplicate-id", "another"),
    "rename to an illegal id": (lambda g: g.rename("osc", "a.b"), "illegal-id", "another"),
    "replace by an unknown kind": (lambda g: g.replace("osc", "sin~"), "unknown-kind", "'sine~'"),
    "cable from an unknown node": (lambda g: g.connect("ocs.y", "cut.x"), "unknown-node", "'osc'"),
    "cable to an unknown node": (lambda g: g.connect("osc.y", "cat.x"), "unknown-node", "'cut'"),
    "cable from an unknown outlet": (lambda g: g.connect("cut.lwo", "out.x"), "unknown-port", "'low'"),
    "cable to an unknown inlet": (lambda g: g.connect("osc.y", "cut.cutof"), "unknown-port", "'cutoff'"),
    "cable from an inlet": (lambda g: g.connect("cut.x", "out.x"), "unknown-port", "'low', 'high'"),
    "cable from a node without outlets": (lambda g: g.connect("out", "cut"), "unknown-port", ""),
    "signal into an event inlet": (lambda g: g.connect("osc.y", "clock.on"), "cable-kind", "'interval'"),
    "events into a signal inlet": (lambda g: g.connect("clock.tick", "cut.x"), "cable-kind", "'cutoff'"),
    "no inlet takes it": (lambda g: g.connect("clock", "out"), "cable-kind", ""),
    "second signal into a control inlet": (
        lambda g: (g.connect("osc.y", "cut.cutoff"), g.connect("cut.high", "cut.cutoff")), "taken-inlet", "mix~",
    ),
    "disconnect what is not connected": (lambda g: g.disconnect("osc.y", "out.x"), "unknown-cable", "cut.low"),
    "disconnect by one end": (lambda g: g.disconnect(("osc", "y")), "bad-cable", "both ends"),
    "value of an unknown parameter": (lambda g: g.value("cut", "q"), "unknown-parameter", "'cutoff'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_an_edit_that_is_refused_says_why_and_what_to_do(graph, name):
    edit, code, advice = REFUSED[name]
    with pytest.raises(PatchError) as caught:
        edit(graph)
    assert caught.value.problems[0].code == code
    assert advice in caught.value.problems[0].do, caught.value


@pytest.mark.parametrize("name", [name for name in REFUSED if not name.startswith("second")])
def test_a_refused_edit_changes_nothing(graph, name):
    before = picture(graph)
    with pytest.raises(PatchError):
        REFUSED[name][0](graph)
    assert picture(graph) == before


def test_every_bad_value_of_a_new_node_is_told_at_once(graph):
    with pytest.raises(PatchError) as caught:
        graph.add("svf~", cutoff=1, resonance="much", colour="red")
    assert [problem.code for problem in caught.value.problems] == ["out-of-span", "wrong-type", "unknown-parameter"]


@pytest.mark.parametrize(
    ("name", "legal", "illegal"),
    [
        ("steps", [1, 64, 8.0], [(0, "out-of-span"), (2.5, "wrong-type"), ("8", "wrong-type"), (True, "wrong-type")]),
        ("gate", [0, 1, True, False], [(0.5, "wrong-type"), (2, "out-of-span"), (None, "wrong-type")]),
        ("word", ["", "oh"], [(1, "wrong-type"), (["a"], "wrong-type"), (None, "wrong-type")]),
        ("size", [1, 65_536, 2.5], [(0, "out-of-span"), ("1", "wrong-type"), (True, "wrong-type")]),
        ("free", [-1e300, 1e300, 10**18], [(float("nan"), "wrong-type"), (10**400, "wrong-type")]),
        ("window", ["hann", "kaiser"], [("Hann", "bad-choice"), (0, "bad-choice"), (None, "bad-choice")]),
        ("sure", [True, False], [(1, "wrong-type"), ("yes", "wrong-type")]),
        ("values", [[], [1, "a", [True, None]]], [("a", "wrong-type"), ([float("nan")], "wrong-type")]),
    ],
)
def test_a_value_of_each_type_is_taken_or_refused(name, legal, illegal):
    graph = Graph(KINDS)
    node = graph.add("shape")
    for value in legal:
        graph.set(node, name, value)
        assert graph.value(node, name) == value
    for value, code in illegal:
        with pytest.raises(PatchError) as caught:
            graph.set(node, name, value)
        assert caught.value.problems[0].code == code, value
        assert caught.value.problems[0].node == node and caught.value.problems[0].port == name


def test_a_bad_choice_is_told_the_near_one_and_all():
    graph = Graph(KINDS)
    with pytest.raises(PatchError, match=r"Did you mean 'hamming'.* It takes one of hann, hamming, kaiser"):
        graph.add("shape", window="haming")


def test_numpy_values_paths_and_tuples_become_plain():
    graph = Graph(KINDS)
    node = graph.add(
        "shape",
        steps=np.int16(4),
        free=np.float32(0.5),
        sure=np.bool_(False),
        values=(1, np.arange(2), (np.float64(3),)),
    )
    params = graph.node(node).params
    assert params == {"steps": 4, "free": 0.5, "sure": False, "values": [1, [0, 1], [3.0]]}
    assert [type(params[name]) for name in ("steps", "free", "sure")] == [int, float, bool]
    play = graph.add("play~", file=Path("sounds") / "voice.flac")
    assert graph.value(play, "file") == "sounds/voice.flac"


# what edits do


def test_ids_are_made_from_kinds():
    graph = Graph(KINDS)
    assert [graph.add(kind) for kind in ("sine~", "cycle~", "choir.tag~", "metro")] == [
        "sine1", "sine2", "choir_tag1", "metro1",
    ]  # fmt: skip


def test_an_id_that_was_removed_is_not_given_again():
    graph = Graph(KINDS)
    graph.add("sine~")
    graph.remove(graph.add("sine~"))
    assert graph.add("sine~") == "sine3"


def test_an_alias_adds_the_kind_that_it_stands_for(graph):
    assert graph.node(graph.add("SinOsc")).kind == "sine~"


def test_values_are_stored_or_default(graph):
    assert graph.value("osc", "frequency") == 220
    assert graph.value("cut", "resonance") == 0.0
    graph.set("cut", "resonance", 0.5)
    assert graph.value("cut", "resonance") == 0.5
    graph.unset("cut", "resonance")
    assert graph.value("cut", "resonance") == 0.0
    assert "resonance" not in graph.node("cut").params


def test_a_node_alone_means_its_first_port_that_fits(graph):
    assert graph.connect("clock", "cut") == Cable("clock", "tick", "cut", "cutoff")
    assert graph.connect("osc", "out") == Cable("osc", "y", "out", "x")
    assert graph.connect("cut", ("cut", "resonance")) == Cable("cut", "low", "cut", "resonance")


def test_connecting_twice_leaves_one_cable(graph):
    before = picture(graph)
    graph.connect("osc.y", "cut.x")
    assert picture(graph) == before


def test_signals_are_summed_and_messages_merge(graph):
    graph.connect("osc.y", "out.x")
    graph.add("metro", "clock2")
    graph.connect("clock.tick", "cut.cutoff")
    graph.connect("clock2.tick", "cut.cutoff")
    graph.connect("osc.y", "cut.cutoff")  # one signal beside the messages
    assert len(graph.into("out", "x")) == 2
    assert len(graph.into("cut", "cutoff")) == 3


def test_a_tensor_inlet_takes_one_cable():
    graph = Graph(KINDS)
    one, two, bars = graph.add("choir.tag~"), graph.add("choir.tag~"), graph.add("bars")
    graph.connect(one, bars + ".column")
    with pytest.raises(PatchError, match="takes one tensor cable"):
        graph.connect(two + ".scores", bars + ".column")


def test_rows_of_cables_are_in_natural_order_however_they_were_laid():
    graph = Graph(KINDS)
    graph.add("out~", "out")
    for number in (10, 2, 1, 9, 20):
        graph.connect(graph.add("sine~", f"s{number}"), "out")
    assert [cable.from_node for cable in graph.into("out", "x")] == ["s1", "s2", "s9", "s10", "s20"]
    assert list(graph.nodes) == ["out", "s1", "s2", "s9", "s10", "s20"]
    assert list(graph.cables) == sorted(graph.cables)


def test_disconnect_takes_a_cable_its_text_or_its_ends(graph):
    graph.disconnect("osc.y -> cut.x")
    graph.disconnect("cut.low", "out.x")
    assert not graph.cables
    cable = graph.connect("osc", "out")
    assert graph.disconnect(cable) == cable
    assert graph.into("out", "x") == () and graph.out_of("osc", "y") == ()


def test_remove_gives_back_what_brings_the_node_back(graph):
    graph.connect("cut.high", "cut.cutoff")
    before = picture(graph)
    entry, cables = graph.remove("cut")
    assert not graph.cables and "cut" not in graph
    graph.put(entry)
    for cable in cables:
        graph.lay(cable)
    assert picture(graph) == before


def test_cables_follow_a_renamed_node(graph):
    graph.connect("cut.high", "cut.cutoff")
    graph.rename("cut", "filter")
    assert [str(cable) for cable in graph.cables] == [
        "filter.high -> filter.cutoff", "filter.low -> out.x", "osc.y -> filter.x",
    ]  # fmt: skip
    assert graph.value("filter", "cutoff") == 800


def test_replace_keeps_what_fits_and_returns_the_rest(graph):
    graph.connect("clock.tick", "cut.cutoff")
    graph.add("sine~", "lfo")
    assert graph.replace("lfo", "metro") == ()
    dropped = graph.replace("cut", "record~")
    assert [str(cable) for cable in dropped] == ["clock.tick -> cut.cutoff", "cut.low -> out.x"]
    assert [str(cable) for cable in graph.cables] == ["osc.y -> cut.x"]
    assert graph.node("cut").kind == "record~" and graph.node("cut").params == {}


def test_a_placeholder_that_is_replaced_brings_its_values():
    graph = Graph(KINDS)
    graph.put(NodeEntry("a", "my.filter~", {}, {"cutoff": 900, "resonance": 7, "note": "soft"}))
    graph.replace("a", "svf~")
    assert graph.node("a").params == {"cutoff": 900}  # 7 is out of the span of resonance
    assert graph.node("a").extra == {"note": "soft"}


def test_cables_of_a_placeholder_are_taken_on_trust(graph):
    graph.put(NodeEntry("odd", "their.node~", {}, {"depth": 3}))
    graph.connect("odd.whatever", "cut.x")
    graph.connect("osc.y", "odd.thing")
    assert graph.cable_kind(Cable("odd", "whatever", "cut", "x")) is None
    assert graph.value("odd", "depth") == 3


def test_a_copy_and_its_original_do_not_touch_each_other(graph):
    before = picture(graph)
    copy, still = graph.copy(), graph.view.copy()
    graph.remove("cut")
    graph.set("osc", "frequency", 1)
    assert picture(copy) == picture(still) == before
    copy.add("sine~", "new")
    assert "new" not in graph


def test_a_view_follows_its_graph_and_cannot_change_it(graph):
    view = graph.view
    nodes = view.nodes
    graph.add("sine~", "a-first")
    assert next(iter(view.nodes)) == "a-first" and "a-first" in nodes and len(view) == 5
    assert not hasattr(view, "add")
    with pytest.raises(TypeError):
        nodes["x"] = nodes["osc"]


def test_asking_for_what_is_not_there_gives_an_empty_row(graph):
    assert graph.into("nobody", "x") == () and graph.into("cut", "nothing") == ()
    assert graph.out_of("nobody", "x") == () and list(graph.cables_into("nobody")) == []


def test_sends_reach_the_receives_of_their_name():
    graph = Graph(KINDS)
    for id, kind, name in [
        ("s1", "send", "beat"), ("s10", "send", "beat"), ("s2", "send", "beat"), ("s3", "send", ""),
        ("r1", "r", "beat"), ("r2", "receive", "beat"), ("r3", "receive", "other"), ("r4", "receive", ""),
    ]:  # fmt: skip
        graph.add(kind, id, name=name)
    assert [str(cable) for cable in graph.implicit_cables()] == [
        f"{source}.message -> {target}.message" for source in ("s1", "s2", "s10") for target in ("r1", "r2")
    ]
    graph.set("r3", "name", "beat")
    assert len(graph.implicit_cables()) == 9
