"""What nodes cost and what is wrong, as clients ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nodegraph import Patch
from nodegraph.core.errors import Fault
from nodegraph.core.registry import registry
from nodegraph.session import costs as counting
from nodegraph.session.session import Session
from tests.session.test_protocol import Box, until


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    patch = Patch("Costs")
    hiss, hall, limit, out = (patch.add(kind, id) for kind, id in (
        ("noise~", "hiss"), ("reverb~", "hall"), ("limiter~", "limit"), ("out~", "out")))  # fmt: skip
    patch.connect(hiss, hall, limit, out)
    patch.save(tmp_path / "costs.ng")
    with Session(patch, driver="null") as made:
        yield made


def counted(box: Box) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def asked() -> bool:
        found.append(box.ask("costs"))
        return bool(found[-1]["counted_s"])

    until(asked)
    return found[-1]


def test_costs_are_counted_while_somebody_asks(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box(session)
    assert box.ask("costs") == {"playing": False, "counted_s": 0.0, "nodes": {}}
    session.play()
    assert session.playing is not None
    words = session.playing.player.engine.words
    assert not session.costs._watching and counted(box)["nodes"]["hall"]["cpu"] > 0.0
    nodes = counted(box)["nodes"]
    assert max(nodes, key=lambda id: nodes[id].get("cpu", 0.0)) == "hall"
    assert sum(node.get("cpu", 0.0) for node in nodes.values()) < 1.0
    late = session.playing.player.timing.late["limit"] / 48.0
    assert nodes["limit"]["latency_ms"] == pytest.approx(late) == nodes["limit"]["late_ms"]
    assert counted(box)["late_ms"] == pytest.approx(late)
    assert "latency_ms" not in nodes["hall"]
    other = Box(session).ask("costs")
    assert other["counted_s"] and other["nodes"].keys() == nodes.keys(), "who comes later sees it at once"
    monkeypatch.setattr(counting, "KEPT_S", 0.05)
    until(lambda: session.costs._watching is None)
    from nodegraph.runtime.native import words as w

    assert not words[w.WATCHED], "nobody asks any more"


def test_costs_follow_an_edit_and_another_engine(session: Session) -> None:
    box = Box(session)
    session.play()
    counted(box)
    box.ask("edit", commands=[{"do": "add", "node": "more", "kind": "noise~"}])
    until(lambda: "more" in box.ask("costs")["nodes"])
    box.ask("edit", commands=[{"do": "rename", "node": "more", "to": "less"}])
    until(lambda: "less" in box.ask("costs")["nodes"])
    session.stop()
    session.play()
    until(lambda: "less" in counted(box)["nodes"])


def test_a_model_costs_what_an_answer_takes_as_often_as_it_is_asked() -> None:
    """A clip is heard at the hop of its node, a flow chunk by chunk; of one that has not answered nothing is said."""
    known = registry()
    nodes = {id: known.get(kind).cls() for id, kind in (("tags", "yamnet.tag~"), ("waiting", "yamnet.tag~"),
             ("voice", "vad~"))}  # type: ignore[union-attr]  # fmt: skip
    nodes["tags"].controls = {"hop": 0.25}
    spent = {"tags": 50.0, "waiting": None, "voice": 8.0}
    player = SimpleNamespace(
        timing=SimpleNamespace(own={}, late={}), messages=SimpleNamespace(nodes=nodes),
        listeners=SimpleNamespace(status=lambda: {id: {"inference_p50_ms": ms} for id, ms in spent.items()}),
    )  # fmt: skip
    found = counting.nodes_of(player, {})  # type: ignore[arg-type]
    assert found["tags"] == {"model_ms": 50.0, "model_cpu": pytest.approx(0.2)}
    assert found["voice"]["model_cpu"] == pytest.approx(0.008 / nodes["voice"].hears.seconds)
    assert "waiting" not in found


def test_problems_name_the_nodes_where_they_are(tmp_path: Path) -> None:
    inner = Patch("Voice")
    inner.connect(inner.add("play~", "sample", file="nowhere.wav"), inner.add("out~", "y"))
    inner.save(tmp_path / "voice.ng")
    (tmp_path / "all.ng").write_text(
        '{"nodegraph": 1, "nodes": {"a": {"kind": "voice.ng"}, "b": {"kind": "voice.ng"}, "odd": {"kind": "odd~"},'
        ' "ears": {"kind": "yamnet.tag~"}, "fine": {"kind": "sine~"}}, "cables": []}'
    )
    session = Session(Patch.open(tmp_path / "all.ng"), driver="null")
    answer = Box(session).ask("problems")
    assert answer["revision"] == 0
    at = {item["code"]: item for item in answer["problems"]}
    assert at["unknown-kind"]["nodes"] == ["odd"] and at["unknown-kind"]["what"]
    assert at["missing-file"]["nodes"] == ["a/sample", "b/sample"], at["missing-file"]
    assert "fine" not in {node for item in answer["problems"] for node in item["nodes"]}


def test_a_model_that_is_not_here_is_a_problem_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "store"))
    patch = Patch("Ears")
    patch.connect(patch.add("in~", "mic"), patch.add("yamnet.tag~", "ears"))
    (found,) = Box(Session(patch, driver="null")).ask("problems")["problems"]
    assert found["code"] == "weights-missing" and found["nodes"] == ["ears"] and "nodegraph models" in found["do"]


def test_the_log_tells_faults_from_news(session: Session) -> None:
    box = Box(session)
    box.ask("subscribe", topics=["log"])
    session.say("hall", "is large.")
    session.say("hall", Fault("has collapsed."))
    assert [item.get("fault", False) for item in box.of("log")] == [False, True]
    last = box.ask("log", most=1)["lines"][0]
    assert last["text"] == "has collapsed." and type(last["text"]) is str and last["fault"]


def test_status_says_the_block_and_why_nobody_hears(session: Session) -> None:
    session.play()
    status = Box(session).ask("status")
    assert status["block"] == 256 and status["unheard"] == "", "the null driver was asked for"
    with Session(session.patch, driver="auto") as alone:
        alone.play()
        found = Box(alone).ask("status")
        assert bool(found["unheard"]) == found["driver"].startswith("null driver"), found
