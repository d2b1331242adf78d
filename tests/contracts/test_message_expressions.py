"""expr: numbers in, numbers out; and the ports of both kinds in a graph."""

from __future__ import annotations

import pytest

from nodegraph.core import BANG, Graph, Note, PatchError, Tag, check, dumps, loads, registry
from nodegraph.core.document import Document
from nodegraph.nodes.expressions import MessageExpression, message_spec
from tests.contracts.test_events import give, make, values


def computing(code: str, **controls: float):
    """A node of this code with a host that keeps what it sends."""
    spec = message_spec(code)
    node = make("expr", {"code": code})
    node.controls = {item.name: controls.get(item.name, item.default) for item in spec.controls}
    return node


def test_a_number_computes_and_a_bang_computes_again() -> None:
    node = computing("x1 * 2 + x2", x2=1.0)
    give(node, "x1", 3)
    node.controls["x2"] = 10.0
    assert values(node) == [7.0], "the other inlets only keep"
    give(node, "x1", BANG)
    give(node, "x1", "4.5")
    assert values(node) == [7.0, 16.0, 19.0]


def test_a_bang_at_first_computes_with_zero() -> None:
    node = computing("x1 + 5")
    give(node, "x1", BANG)
    assert values(node) == [5.0]


def test_a_list_fills_the_inlets_as_in_max_and_pd() -> None:
    node = computing("$f1 + 10 * $f2 + 100 * $f3")
    give(node, "x1", (1, 2, 3, 4))
    give(node, "x1", (5,))
    give(node, "x1", (6, "a", 7))
    assert values(node) == [321.0, 325.0, 726.0]


@pytest.mark.parametrize(
    ("message", "sent"), [(Note(60, 0.5), [61.0]), (Tag("dog", 0.25), [1.25]), (True, [2.0]), ("word", []), ((), [])]
)
def test_what_has_a_number_counts_and_what_has_none_stops(message, sent) -> None:
    node = computing("x1 + 1")
    give(node, "x1", message)
    assert values(node) == sent


def test_an_expression_without_x1_has_its_hot_inlet() -> None:
    assert [item.name for item in message_spec("2 * a").inlets] == ["x1", "a"]
    node = computing("2 * a", a=4.0)
    give(node, "x1", BANG)
    assert values(node) == [8.0]


def test_the_rate_is_that_of_the_engine() -> None:
    node = computing("x1 * rate")
    give(node, "x1", 2)
    assert values(node) == [96_000.0]


def test_a_result_that_is_not_finite_is_told_once_and_not_sent() -> None:
    node = computing("x1 * x1 * x1 * x1")
    for number in (2, 1e100, 1e100, 3, 1e100):
        give(node, "x1", number)
    assert values(node) == [16.0, 81.0]
    assert len(node.host.logged) == 2 and "inf" in node.host.logged[0], "once, and once more after a good one"
    node = computing("x1 / x2")
    give(node, "x1", 3)
    assert values(node) == [0.0], "a division by zero is 0"


def test_ports_are_what_the_expression_names() -> None:
    spec = message_spec("clip(x1 + x3, low, high)")
    assert [item.name for item in spec.inlets] == ["x1", "x3", "low", "high"]
    assert spec.inlets[0] is MessageExpression.spec.inlets[0]
    assert [item.name for item in spec.controls] == ["x3", "low", "high"], "inlets that keep their number are knobs"
    assert spec.cls is MessageExpression and message_spec("x1") is MessageExpression.spec
    assert message_spec("x1*2+a") is message_spec(" x * 2 + a ")


# In a graph.


def test_the_code_decides_what_can_be_connected_and_set() -> None:
    graph = Graph()
    graph.add("sine~", "osc")
    graph.add("expr~", "bend", code="tanh(drive * x1) + x2", drive=2)
    for inlet in ("x1", "x2", "drive"):
        graph.connect("osc.y", f"bend.{inlet}")
    with pytest.raises(PatchError, match="no inlet 'x3'"):
        graph.connect("osc.y", "bend.x3")
    with pytest.raises(PatchError, match="no parameter 'gain'"):
        graph.set("bend", "gain", 1)
    assert graph.value("bend", "drive") == 2


def test_a_code_that_is_none_leaves_everything() -> None:
    graph = Graph()
    graph.add("sine~", "osc")
    graph.add("expr~", "bend", code="tanh(drive * x1)", drive=2)
    graph.connect("osc.y", "bend.drive")
    before = dumps(Document(graph))
    with pytest.raises(PatchError) as caught:
        graph.set("bend", "code", "tanh(drive * x1")
    (problem,) = caught.value.problems
    assert (problem.node, problem.port, problem.code) == ("bend", "code", "expression-form")
    assert problem.what.endswith("    tanh(drive * x1\n                   ^")
    with pytest.raises(PatchError, match="It takes text"):
        graph.set("bend", "code", 5)
    with pytest.raises(PatchError) as caught:
        graph.add("expr~", "other", code="1 +", drive=2)
    assert [problem.code for problem in caught.value.problems] == ["expression-form"], "not what follows from it"
    assert dumps(Document(graph)) == before and "other" not in graph


def test_a_code_that_loses_inlets_takes_their_cables_and_values() -> None:
    graph = Graph()
    graph.add("sine~", "osc")
    graph.add("out~", "out")
    graph.add("expr~", "bend", code="tanh(drive * x1) + x2 + bias", drive=2, bias=0.5)
    for cable in ("osc.y -> bend.x1", "osc.y -> bend.x2", "osc.y -> bend.drive", "bend.y -> out.x"):
        graph.connect(*cable.split(" -> "))
    dropped = graph.set("bend", "code", "x1 * bias")
    assert [str(cable) for cable in dropped] == ["osc.y -> bend.drive", "osc.y -> bend.x2"]
    assert [str(cable) for cable in graph.cables] == ["bend.y -> out.x", "osc.y -> bend.x1"]
    assert dict(graph.nodes["bend"].params) == {"code": "x1 * bias", "bias": 0.5}
    assert [str(cable) for cable in graph.unset("bend", "code")] == []
    assert dict(graph.nodes["bend"].params) == {} and graph.nodes["bend"].spec is registry().get("expr~")


def test_a_patch_with_expressions_is_written_and_read() -> None:
    graph = Graph()
    graph.add("expr~", "bend", code="tanh(drive * x1)", drive=2)
    graph.add("expr", "sum", code="x1 + x2", x2=3)
    text = dumps(Document(graph))
    again = loads(text)
    assert dumps(again) == text and check(again) == []
    assert again.graph.nodes["bend"].spec is graph.nodes["bend"].spec


def test_one_kind_becomes_the_other_as_far_as_it_can() -> None:
    graph = Graph()
    graph.add("expr~", "a", code="x1 * level", level=2)
    graph.replace("a", "expr")
    assert dict(graph.nodes["a"].params) == {"code": "x1 * level", "level": 2}
    graph.replace("a", "expr~")
    graph.set("a", "code", "x1 + y[-1] * level")
    graph.replace("a", "expr")
    assert "code" not in graph.nodes["a"].params, "messages have no past"
    assert check(Document(graph)) == []


def test_a_file_with_a_bad_code_keeps_what_belongs_to_it() -> None:
    text = (
        '{"nodegraph": 1, "nodes": {"osc": {"kind": "sine~"}, "bend": {"kind": "expr~", "code": "x1 * * drive + x2",'
        ' "drive": 3}}, "cables": ["osc.y -> bend.x2"]}'
    )
    document = loads(text)
    (problem,) = check(document)
    assert (problem.node, problem.port, problem.code) == ("bend", "code", "expression-form"), "and nothing else"
    assert '"drive": 3' in dumps(document)
    assert document.graph.set("bend", "code", "x1 * drive + x2") == ()
    assert check(document) == [] and document.graph.value("bend", "drive") == 3
    assert len(document.graph.cables) == 1
