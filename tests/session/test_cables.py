"""What clients see of the cables: levels, messages that pass, single outlets closely."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.server.outbox import Outbox
from nodegraph.session.session import Session
from tests.session.test_protocol import Box, until


def sounding() -> Patch:
    patch = Patch("Seen")
    osc = patch.add("sine~", "osc", freq=440)
    patch.connect(osc, patch.add("gain~", "level", gain=0.5), patch.add("out~", "out"))
    patch.connect(osc, patch.add("spectrum~", "bins"))
    patch.connect(patch.add("metro", "clock", interval=0.02), patch.add("counter", "count"))
    return patch


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(sounding(), driver="null") as made:
        yield made


class Eye(Box):
    """A client that looks at the cables."""

    now = 0.0
    number = -1
    outlets: list[str]

    def look(self) -> dict[str, float]:
        """Levels by address: what was told since the last look."""
        before = len(self.heard)
        self.now += 1.0
        self.client.tick(1e6 + self.now)
        found: dict[str, float] = {}
        for topic, data in self.heard[before:]:
            if topic == "cables":
                if "outlets" in data:
                    self.number, self.outlets = data["number"], data["outlets"]
                assert data["number"] == self.number and len(data["levels"]) == len(self.outlets)
                found |= dict(zip(self.outlets, data["levels"], strict=True))
        return found

    def passed(self, outlet: str) -> int:
        """How many messages have left an outlet."""
        self.look()
        return sum(data["events"].get(outlet, 0) for data in self.of("cables"))

    def closely(self, node: str) -> dict[str, Any]:
        self.now += 1.0
        self.client.tick(1e6 + self.now)
        probes = [item for item in self.of("probe")[-1]["probes"] if item["node"] == node]
        return probes[0] if probes else {}


def test_levels_and_messages_since_the_last_look(session: Session) -> None:
    eye, other = Eye(session), Eye(session)
    session.play()
    assert session.playing is not None
    engine = session.playing.player.engine
    assert engine.probes.gauges is None, "nobody looks"
    for one in (eye, other):
        one.ask("subscribe", topics=["cables"])
    until(lambda: eye.look().get("/patch/osc/y", 0.0) > 0.9)
    until(lambda: 0.4 < eye.look().get("/patch/level/y", 0.0) < 0.51)
    assert eye.outlets == ["/patch/level/y", "/patch/osc/y"]
    until(lambda: eye.passed("/patch/clock/bang") > 3)
    until(lambda: eye.passed("/patch/bins/column") > 0)
    assert other.look()["/patch/osc/y"] > 0.9, "each has its own peaks"
    eye.ask("edit", commands=[{"do": "add", "node": "soft", "kind": "gain~"},
                              {"do": "connect", "cable": "osc.y -> soft.x"},
                              {"do": "connect", "cable": "soft.y -> out.x"}])  # fmt: skip
    until(lambda: "/patch/soft/y" in eye.look())
    until(lambda: eye.look().get("/patch/soft/y", 0.0) > 0.9)
    assert not any("leaving" in name for data in eye.of("cables") for name in data.get("outlets", ()))
    eye.ask("unsubscribe", topics=["cables"])
    other.client.close()
    until(lambda: engine.probes.gauges is None)


def test_silence_is_told_once(session: Session) -> None:
    eye = Eye(session)
    eye.ask("subscribe", topics=["cables"])
    eye.look()
    eye.look()
    assert eye.of("cables") == [{"number": 0, "levels": [], "events": {}, "outlets": []}]
    session.play()
    until(lambda: eye.look().get("/patch/osc/y", 0.0) > 0.9)
    session.stop()
    until(lambda: not eye.look())
    before = len(eye.of("cables"))
    eye.look()
    assert len(eye.of("cables")) == before


def test_an_outlet_is_looked_at_closely(session: Session) -> None:
    eye = Eye(session)
    assert eye.ask("probe", node="osc", port="y") == {"kind": "signal"}
    assert eye.ask("probe", node="clock", port="bang") == {"kind": "event"}
    assert eye.ask("probe", node="bins", port="column") == {"kind": "tensor"}
    session.play()
    until(lambda: len(eye.closely("osc").get("samples", b"")) == 4 * 2_048)
    seen = eye.closely("osc")
    samples = np.frombuffer(seen["samples"], "<f4")
    assert seen["channels"] == 1 and seen["rate"] == 48_000
    assert np.argmax(np.abs(np.fft.rfft(samples))) == round(440 * 2_048 / 48_000)
    until(lambda: eye.closely("clock")["per_s"] > 10)
    clock = eye.closely("clock")
    assert clock["value"] == {"bang": True} and clock["ago"] < 5.0
    until(lambda: "values" in eye.closely("bins"))
    tensor = eye.closely("bins")
    assert 0 < len(tensor["values"]) <= 512 and np.prod(tensor["shape"]) >= len(tensor["values"])
    assert json.dumps([clock, tensor])
    for node, port in (("osc", "y"), ("clock", "bang"), ("bins", "column")):
        eye.ask("probe", node=node, port=port, stop=True)
    assert eye.client.tick() is None
    until(lambda: session.playing is not None and session.playing.player.engine.probes.gauges is None)
    assert session.playing is not None and not len(session.playing.player.engine.probes._probes)


def test_a_probe_goes_on_at_another_rate_and_is_not_of_what_has_no_cable(session: Session) -> None:
    eye = Eye(session)
    session.play()
    eye.ask("edit", commands=[{"do": "add", "node": "alone", "kind": "sine~"}])
    eye.ask("probe", node="osc", port="y")
    eye.ask("probe", node="alone", port="y")
    until(lambda: eye.closely("osc").get("channels") == 1)
    assert eye.closely("alone")["channels"] == 0 and eye.closely("alone")["samples"] == b""
    assert session.playing is not None
    session.playing.switch(rate=44_100)
    until(lambda: eye.closely("osc")["rate"] == 44_100 and len(eye.closely("osc")["samples"]) == 4 * 2_048)
    session.stop()
    eye.client.tick(9e9)
    assert eye.of("probe")[-1] == {"playing": False, "probes": []}


def test_the_last_message_before_somebody_looked_is_told(session: Session) -> None:
    eye = Eye(session)
    session.play()
    assert session.playing is not None
    until(lambda: any(event.node == "count" for event in session.playing.heard.taken()))  # type: ignore[union-attr]
    eye.ask("set", values={"clock.on": 0})
    eye.ask("probe", node="count", port="y")
    assert eye.closely("count")["value"] is not None


def test_what_cannot_be_looked_at(session: Session) -> None:
    eye = Eye(session)
    assert eye.code("probe", node="osk", port="y") == "unknown-node"
    assert eye.code("probe", node="osc", port="z") == "unknown-port"
    (found,) = eye.ask("probe", node="osc", port="z")
    assert (found["node"], found["port"], found["do"]) == ("osc", "z", "Its outlets are 'y'.")
    for number in range(9):
        session.patch.add("sine~", f"more{number}")
    for number in range(8):
        eye.ask("probe", node=f"more{number}", port="y")
    assert eye.code("probe", node="more8", port="y") == "too-many-probes"
    assert eye.ask("probe", node="more7", port="y") == {"kind": "signal"}, "it is looked at already"


def test_a_node_whose_kind_is_not_here_cannot_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "old.ng").write_text(json.dumps({"nodegraph": 1, "nodes": {"far": {"kind": "sine~~"}}}))
    with Session(Patch.open(tmp_path / "old.ng"), driver="null") as session:
        assert Eye(session).code("probe", node="far", port="y") == "unknown-kind"


def test_cables_inside_a_subpatch_have_their_place(tmp_path: Path) -> None:
    inner = {"x": {"kind": "inlet~"}, "g": {"kind": "gain~", "gain": 0.5}, "y": {"kind": "outlet~"}}
    (tmp_path / "half.ng").write_text(
        json.dumps({"nodegraph": 1, "nodes": inner, "cables": ["x.y -> g.x", "g.y -> y.x"]})
    )
    nodes = {"osc": {"kind": "sine~"}, "half": {"kind": "half.ng"}, "out": {"kind": "out~"}}
    (tmp_path / "main.ng").write_text(
        json.dumps({"nodegraph": 1, "nodes": nodes, "cables": ["osc.y -> half.x", "half.y -> out.x"]})
    )
    with Session(Patch.open(tmp_path / "main.ng"), driver="null") as session:
        eye = Eye(session)
        eye.ask("subscribe", topics=["cables"])
        session.play()
        until(lambda: eye.look().get("/patch/half/y", 0.0) > 0.4)
        assert eye.outlets == ["/patch/half/g/y", "/patch/half/x/y", "/patch/half/y", "/patch/osc/y"]
        for node, port in (("half", "y"), ("half/g", "y")):
            eye.ask("probe", node=node, port=port)
            until(lambda node=node: len(eye.closely(node)["samples"]) == 4 * 2_048)


def test_the_list_of_outlets_is_never_lost_to_a_client_that_reads_slowly() -> None:
    box = Outbox(lambda data: json.dumps(data), lambda data: iter(()))
    box.push("cables", {"number": 1, "levels": [0.5], "outlets": ["/patch/osc/y"]})
    box.push("cables", {"number": 1, "levels": [0.6]})
    box.push("cables", {"number": 1, "levels": [0.7]})
    told = [json.loads(str(box.take())) for _ in range(2)]
    assert "outlets" in told[0] and told[1]["levels"] == [0.7] and box.take() is None
