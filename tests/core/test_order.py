"""The order of the nodes, against networkx as the oracle, and the loops that forbid one."""

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.core import Cable, CableKind, Graph, PatchError, in_order, loops
from nodegraph.core.cable import natural
from nodegraph.core.graph import NodeEntry
from nodegraph.core.order import components
from tests.core.kinds import KINDS

nodes = st.lists(st.sampled_from(["sine~", "svf~", "metro", "delay", "choir.tag~"]), min_size=1, max_size=12)


def wired(kinds: list[str], ends: list[tuple[int, int, int]]) -> Graph:
    """A graph of these kinds; each end names two nodes, and which ports to try."""
    graph = Graph(KINDS)
    ids = [graph.add(kind, f"n{number}") for number, kind in enumerate(kinds)]
    for a, b, choice in ends:
        source, target = graph.node(ids[a % len(ids)]), graph.node(ids[b % len(ids)])
        outlet = source.spec.outlets[choice % len(source.spec.outlets)]
        inlet = target.spec.inlets[choice // 2 % len(target.spec.inlets)]
        if outlet.kind in inlet.takes:
            graph.lay(Cable(source.id, outlet.name, target.id, inlet.name))
    return graph


graphs = st.builds(wired, nodes, st.lists(st.tuples(*[st.integers(0, 11)] * 3), max_size=30))


def whole(graph: Graph) -> nx.DiGraph:
    digraph = nx.DiGraph()
    digraph.add_nodes_from(graph.nodes)
    digraph.add_edges_from((cable.from_node, cable.to_node) for cable in graph.cables)
    return digraph


def bound(graph: Graph) -> nx.DiGraph:
    """The nodes and those cables that act at the same instant, as the rules of the language say it."""
    digraph = nx.DiGraph()
    digraph.add_nodes_from(graph.nodes)
    for cable in graph.cables:
        source, target = graph.nodes[cable.from_node], graph.nodes[cable.to_node]
        later = target.kind == "delay" or source.kind in ("choir.tag~", "sine~", "svf~")
        if graph.cable_kind(cable) is not CableKind.SIGNAL and not later:
            digraph.add_edge(cable.from_node, cable.to_node)
    return digraph


@given(graphs)
def test_without_loops_the_order_is_the_least_topological_one(graph):
    digraph = whole(graph)
    if nx.is_directed_acyclic_graph(digraph):
        assert in_order(graph) == list(nx.lexicographical_topological_sort(digraph, key=natural))


@given(graphs)
def test_there_is_an_order_just_when_every_loop_has_a_later_message(graph):
    digraph = bound(graph)
    if nx.is_directed_acyclic_graph(digraph):
        order = in_order(graph)
        assert sorted(order) == sorted(graph.nodes)
        place = {id: index for index, id in enumerate(order)}
        assert all(place[a] < place[b] for a, b in digraph.edges)
        assert loops(graph) == []
    else:
        with pytest.raises(PatchError):
            in_order(graph)


@given(graphs)
def test_loops_that_are_told_are_loops_and_lead_through_every_knot(graph):
    digraph = bound(graph)
    found = loops(graph)
    assert bool(found) == (not nx.is_directed_acyclic_graph(digraph))
    for loop in found:
        assert set(loop.cables) <= set(graph.cables)
        steps = list(zip(loop.cables, loop.cables[1:] + loop.cables[:1], strict=True))
        assert all(one.to_node == two.from_node for one, two in steps), str(loop)
        assert all(digraph.has_edge(cable.from_node, cable.to_node) for cable in loop.cables)
        assert len(set(loop.nodes)) == len(loop.nodes), f"{loop} names a node twice"
        assert loop.nodes[0] == min(loop.nodes, key=natural)
    if len(found) < 50:
        named = {node for loop in found for node in loop.nodes}
        knots = {
            node for knot in nx.strongly_connected_components(digraph)
            for node in knot if len(knot) > 1 or digraph.has_edge(node, node)
        }  # fmt: skip
        assert named == knots


@given(graphs, st.randoms())
def test_the_order_does_not_depend_on_how_the_graph_was_made(graph, random):
    entries, cables = list(graph.nodes.values()), list(graph.cables)
    random.shuffle(entries)
    random.shuffle(cables)
    other = Graph(KINDS)
    for entry in entries:
        other.put(entry)
    for cable in cables:
        other.lay(cable)
    assert loops(other) == loops(graph)
    if not loops(graph):
        assert in_order(other) == in_order(graph)


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_strong_components_agree_with_networkx(case):
    count, ends = case
    digraph = nx.DiGraph(ends)
    digraph.add_nodes_from(range(count))
    found: dict[int, set[int]] = {}
    for node, number in enumerate(components(count, ends)):
        found.setdefault(number, set()).add(node)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, nx.strongly_connected_components(digraph)))


def told(graph: Graph) -> list[tuple[str, str]]:
    return [(loop.problem().code, str(loop)) for loop in loops(graph)]


def test_a_loop_of_signals_is_played():
    graph = Graph(KINDS)
    for id in ("a", "b", "c"):
        graph.add("svf~", id)
    graph.connect("b", "a")
    graph.connect("a", "b")
    graph.connect("c.high", "c.x")
    assert told(graph) == []
    assert in_order(graph) == ["a", "b", "c"]


def test_an_event_loop_needs_a_delay():
    graph = Graph(KINDS)
    graph.add("metro", "a")
    graph.add("metro", "b")
    graph.connect("a.tick", "b.on")
    graph.connect("b.tick", "a.on")
    assert told(graph) == [("event-loop", "a -> b -> a")]
    graph.disconnect("b.tick -> a.on")
    graph.add("delay", "wait")
    graph.connect("b", "wait")
    graph.connect("wait.later", "a.on")
    assert told(graph) == []
    assert in_order(graph) == ["wait", "a", "b"]  # what comes out of it is from before, so it runs first


def test_an_event_loop_through_send_and_receive_is_found():
    graph = Graph(KINDS)
    graph.add("metro", "m")
    graph.add("send", "s", name="again")
    graph.add("receive", "r", name="again")
    graph.connect("m", "s.message")
    assert in_order(graph) == ["m", "s", "r"]
    graph.connect("r.message", "m.on")
    assert told(graph) == [("event-loop", "m -> s -> r -> m")]


def test_a_sound_node_may_steer_what_it_hears():
    """Its messages act a fixed time later."""
    graph = Graph(KINDS)
    graph.add("svf~", "cut")
    graph.put(NodeEntry("edge", "detect~", {}, {}, _detector()))
    graph.connect("cut.low", "edge.x")
    graph.connect("edge.hit", "cut.cutoff")
    assert told(graph) == []


def test_a_model_may_steer_what_it_hears():
    graph = Graph(KINDS)
    graph.add("svf~", "cut")
    graph.add("choir.tag~", "ears")
    graph.connect("cut.low", "ears.x")
    graph.connect("ears.tags", "cut.cutoff")
    assert told(graph) == []
    assert in_order(graph) == ["cut", "ears"]


def test_a_loop_through_a_placeholder_is_not_judged():
    graph = Graph(KINDS)
    graph.add("svf~", "cut")
    graph.put(NodeEntry("odd", "their.node~"))
    graph.connect("cut.low", "odd.in")
    graph.connect("odd.out", "cut.x")
    assert told(graph) == []
    assert in_order(graph) == ["cut", "odd"]


def test_a_knot_of_many_loops_is_told_in_a_bounded_list():
    graph = Graph(KINDS)
    ids = [graph.add("metro") for _ in range(120)]
    for a in ids[1:]:
        graph.connect(f"{ids[0]}.tick", f"{a}.on")
        graph.connect(f"{a}.tick", f"{ids[0]}.on")
    assert len(loops(graph)) == 50


def _detector():
    from nodegraph.core import KernelNode, inlet, node, outlet

    @node("detect~")
    class Detector(KernelNode):
        """Say when it gets loud."""

        x = inlet.signal("sound")
        hit = outlet.event("bang")

        @staticmethod
        def tick(x):
            return x

    return Detector.spec
