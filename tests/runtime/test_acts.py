"""What is done from outside happens at a frame, and again at that frame when it is done again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nodegraph.core.declare import EventNode, node
from nodegraph.core.graph import Graph
from nodegraph.core.messages import Ramp
from nodegraph.core.ports import outlet, setting
from nodegraph.core.registry import Registry
from nodegraph.runtime.acts import Act
from nodegraph.runtime.player import LOOKAHEAD_S, Player
from tests.runtime.playing import render, same_bits

RATE = 48_000


def tone() -> Graph:
    graph = Graph()
    graph.add("sine~", "osc", freq=330.0)
    graph.add("gain~", "level", gain=0.25)
    graph.add("out~", "out")
    graph.connect("osc.y", "level.x")
    graph.connect("level.y", "out.x")
    return graph


def test_two_acts_one_sample_apart_act_one_sample_apart() -> None:
    graph = Graph()
    graph.add("in~", "one", channels=1)
    graph.add("gain~", "shape", gain=0.0)
    graph.add("out~", "out", channels=1)
    graph.connect("one.y", "shape.x")
    graph.connect("shape.y", "out.x")

    def act(player: Player) -> None:
        player.act("set", "shape", "gain", Ramp(0.5, 0.0), frame=5_000)
        player.act("set", "shape", "gain", Ramp(0.25, 0.0), frame=5_001)
        player.act("set", "shape", "gain", Ramp(0.5, 1_000 / RATE), frame=6_000)

    sound = render(graph, 8_000, steps=[(0, act)], ins=np.ones((1, 8_000), np.float32))[0]
    assert sound[4_999] == 0.0 and sound[5_000] == 0.5 and sound[5_001] == 0.25
    assert np.abs(sound[6_000:7_000] - np.linspace(0.25, 0.5, 1_001)[:-1]).max() < 1e-5, "a ramp of 1000 frames"


def test_a_late_act_acts_as_soon_as_may_be_and_is_counted() -> None:
    player = Player(tone().view, RATE)
    noted: list[Act] = []
    player.acts.noted.append(noted.append)
    player.messages.run(10_000)
    player.act("set", "osc", "freq", 440.0, frame=2_000)
    player.act("set", "osc", "freq", 441.0)
    player.act("set", "osc", "freq", 442.0, frame=20_000)
    player.advance()
    player.close()
    assert [act.frame for act in noted] == [10_000, 10_000, 20_000] and player.acts.late == 1


@pytest.mark.parametrize("most", [40, 70_000])
def test_more_acts_than_the_audio_threads_queue_holds_are_played(most: int) -> None:
    """`most`: how many of them act at one frame."""

    def act(player: Player) -> None:
        for number in range(70_000):
            player.act("set", "osc", "freq", 200.0 + number % 300, frame=number // most)

    assert np.abs(render(tone(), 4_800, steps=[(0, act)])).max() > 0.2


def test_acts_of_a_live_run_done_again_offline_give_the_same_bits() -> None:
    """The live run takes its acts whenever they come; the second is told them beforehand, with their frames."""
    graph = tone()
    graph.add("transport", "time")
    graph.add("every", "beat", beats=0.25)
    graph.add("random", "chance", low=200.0, high=900.0)
    graph.connect("beat.bang", "chance.x")
    graph.connect("chance.y", "osc.freq")
    random = np.random.default_rng(7)
    noted: list[Act] = []
    player = Player(graph.view, RATE, outputs=2)
    player.acts.noted.append(noted.append)
    blocks = []
    lookahead = round(LOOKAHEAD_S * RATE)
    for _ in range(600):
        for _ in range(random.integers(0, 4)):
            what: list[tuple[Any, ...]] = [
                ("set", "level", "gain", random.random()),
                ("set", "level", "gain", Ramp(random.random(), random.random() * 0.1)),
                ("set", "osc", "phase", random.random()),
                ("set", "chance", "low", 100.0 + 100.0 * random.random()),
                ("clock", "go", 60.0 + 120.0 * random.random(), 0.2 * random.random()),
                ("clock", "locate", random.integers(0, 16)),
            ]
            player.act(*what[random.integers(0, len(what))], frame=int(random.choice([-1, player.engine.done + 3_000])))
        player.advance()
        assert player.messages.handled <= player.engine.done + 2 * lookahead + 3_000
        block = np.zeros((2, int(random.integers(16, 300))), np.float32)
        player.engine.process(None, block)
        blocks.append(block)
    player.close()
    live = np.concatenate(blocks, axis=1)

    def again(other: Player) -> None:
        for act in noted:
            other.act(act.what, *act.args, frame=act.frame)

    offline = render(graph, live.shape[1], steps=[(0, again)], outputs=2)
    assert len(noted) > 300 and same_bits(live, offline)


@node("door.test")
class AtTheDoor(EventNode):
    """Sends on what comes in by a door, and out again what it sent."""

    door = setting.text("test", "the door's name")
    y = outlet.event("what came")

    def start(self, when: Any) -> None:
        self.host.outside.listen(self, self.door, self._take)

    def _take(self, value: Any, when: Any) -> None:
        self.y(value)
        self.host.outside.tell(self.door, when.frame, ("out", value))


def test_nodes_reach_the_world_by_doors_and_leave_them_when_they_go() -> None:
    kinds = Registry([AtTheDoor])
    graph = Graph(kinds)
    graph.add("door.test", "a")
    graph.add("door.test", "b", door="other")
    player = Player(graph.view, RATE)
    left: list[tuple[int, Any]] = []
    heard: list[tuple[int, Any]] = []

    def sink(frame: int, value: Any) -> None:
        left.append((frame, value))

    player.watch("a", "y", lambda event: heard.append((event.frame, event.value)))
    player.messages.outside.sink("test", sink)
    player.act("arrive", "test", 1, frame=480)
    player.act("arrive", "nobody", 1, frame=480)
    sound = np.zeros((2, 960), np.float32)
    player.render(sound)
    assert heard == [(480, 1)] and left == [(480, ("out", 1))]
    player.messages.outside.unsink("test", sink)
    player.act("arrive", "test", 2, frame=5_000)
    player.render(np.zeros((2, 6_000), np.float32))
    assert heard[-1] == (5_000, 2) and len(left) == 1
    graph.remove("a")
    player.edit(graph.view)
    player.act("arrive", "test", 3, frame=12_000)
    player.render(np.zeros((2, 9_600), np.float32))
    player.close()
    assert len(heard) == 2


def test_an_act_that_nobody_can_do_is_refused() -> None:
    player = Player(tone().view, RATE)
    with pytest.raises(ValueError, match="no such act"):
        player.acts.do(Act(0, "dance", ()))
    player.close()
