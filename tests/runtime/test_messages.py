"""Messages: at their sample, in the order of the graph, the same at every block."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.core import BANG, EventNode, KernelNode, inlet, memory, node, outlet
from nodegraph.core.graph import Graph
from nodegraph.core.registry import Registry, registry
from nodegraph.runtime.player import TRIGGER_S, Player
from tests.runtime.playing import assert_same, render


@node("step~")
class Step(KernelNode):
    """A control as a signal, without any ramp."""

    level = inlet.control(0.0, "value", span=(-10.0, 10.0), ramp_s=0.0)
    y = outlet.signal("value")

    @staticmethod
    def tick(level):
        return level


@node("slope~")
class Slope(KernelNode):
    """A control as a signal, ramped over 10 ms."""

    level = inlet.control(0.0, "value", span=(-10.0, 10.0), ramp_s=0.01)
    y = outlet.signal("value")

    @staticmethod
    def tick(level):
        return level


@node("counter~")
class CounterNode(KernelNode):
    """Count messages."""

    count = inlet.event("message")
    y = outlet.signal("messages so far")

    @staticmethod
    def tick(count):
        return count


@node("crossing~")
class Crossing(KernelNode):
    """Say when a signal rises above zero."""

    x = inlet.signal("signal")
    up = outlet.event("its new value")
    before = memory(0.0)

    @staticmethod
    def tick(x, before):
        up = x if (before <= 0.0 and x > 0.0) else 0.0
        return up, x


@node("sum")
class Sum(EventNode):
    """Add two numbers; keeps what it was told."""

    a = inlet.event("first")
    b = inlet.event("second")
    y = outlet.event("sum, each time either came")

    def __init__(self) -> None:
        super().__init__()
        self.first = self.second = 0.0
        self.order: list[str] = []

    def on_a(self, message, when):
        self.order.append("a")
        self.first = message

    def on_b(self, message, when):
        self.order.append("b")
        self.second = message
        self.y(self.first + self.second)


@node("double")
class Double(EventNode):
    """Twice a number."""

    x = inlet.event("number")
    y = outlet.event("twice it")

    def on_x(self, message, when):
        self.y(2 * message)


@node("faulty")
class Faulty(EventNode):
    """Fails on every message."""

    x = inlet.event("anything")

    def on_x(self, message):
        raise RuntimeError("this node is broken")


KINDS = Registry([*(spec.cls for spec in registry()), Step, Slope, CounterNode, Crossing, Sum, Double, Faulty])


def out_of(kind: str, **params: float) -> Graph:
    graph = Graph(KINDS)
    graph.add(kind, "it", **params)
    graph.add("*~", "small", b=0.01)
    graph.add("out~", "out", channels=1)
    graph.connect("it.y", "small.x")
    graph.connect("small.y", "out.x")
    return graph


@pytest.mark.parametrize("block", [1, 17, 64, 256])
def test_two_events_a_sample_apart_act_a_sample_apart(block: int) -> None:
    def start(player: Player) -> None:
        player.messages.post(1_000, "it", "level", 3.0)
        player.messages.post(1_001, "it", "level", 5.0)
        player.messages.post(1_003, "it", "level", -2.0)

    sound = render(out_of("step~"), 1_200, steps=[(0, start)], block=block)[0] * 100
    assert np.allclose(sound[996:1_006], [0, 0, 0, 0, 3, 5, 5, -2, -2, -2], atol=1e-6), sound[996:1_006]


def test_a_control_ramps_in_a_straight_line_and_arrives() -> None:
    def start(player: Player) -> None:
        player.messages.post(1_000, "it", "level", 4.8)

    sound = render(out_of("slope~"), 2_000, steps=[(0, start)])[0] * 100
    expected = np.clip((np.arange(2_000) - 1_000) / 480.0, 0.0, 1.0) * 4.8
    assert np.abs(sound - expected).max() < 1e-5
    assert sound[1_480] == pytest.approx(4.8, abs=1e-6)


def test_a_ramp_that_is_overtaken_bends_without_a_jump() -> None:
    def start(player: Player) -> None:
        player.messages.post(1_000, "it", "level", 4.8)
        player.messages.post(1_240, "it", "level", -2.4)

    sound = render(out_of("slope~"), 3_000, steps=[(0, start)])[0] * 100
    assert np.abs(np.diff(sound)).max() < 4.8 / 480 * 1.6
    assert sound[1_240] == pytest.approx(2.4, abs=0.02)
    assert sound[-1] == pytest.approx(-2.4, abs=1e-6)


def test_messages_to_native_nodes_are_counted() -> None:
    def start(player: Player) -> None:
        for frame in (100, 101, 5_000):
            player.messages.post(frame, "it", "count", BANG)

    sound = render(out_of("counter~"), 6_000, steps=[(0, start)])[0] * 100
    assert [round(float(sound[k])) for k in (99, 100, 101, 4_999, 5_000)] == [0, 1, 2, 2, 3]


def diamond() -> Graph:
    """One number reaches `sum.a` straight and `sum.b` by way of two nodes."""
    graph = Graph(KINDS)
    graph.add("number", "n")
    graph.add("double", "d1")
    graph.add("double", "d2")
    graph.add("sum", "s")
    graph.add("out~", "out")
    for a, b in (("n.y", "s.a"), ("n.y", "d1.x"), ("d1.y", "d2.x"), ("d2.y", "s.b")):
        graph.connect(a, b)
    return graph


def test_a_diamond_is_glitch_free() -> None:
    found: list[float] = []
    graph = diamond()

    def start(player: Player) -> None:
        player.watch("s", "y", lambda event: found.append(event.value))
        player.messages.post(100, "n", graph.node("n").spec.inlets[0].name, 3.0)
        player.messages.post(200, "n", graph.node("n").spec.inlets[0].name, 5.0)

    render(graph, 2_000, steps=[(0, start)])
    assert found == [15.0, 25.0], "each number once, with both halves of the same instant"


def test_native_triggers_act_after_a_fixed_time() -> None:
    """A native node's message reaches Python and comes back into the sound at the same frame at every block."""
    graph = Graph(KINDS)
    graph.add("sine~", "slow", freq=25.0)
    graph.add("crossing~", "cross")
    graph.add("counter~", "it")
    graph.add("*~", "small", b=0.01)
    graph.add("out~", "out", channels=1)
    for a, b in (("slow.y", "cross.x"), ("cross.up", "it.count"), ("it.y", "small.x"), ("small.y", "out.x")):
        graph.connect(a, b)
    frames: list[int] = []

    def start(player: Player) -> None:
        player.watch("cross", "up", lambda event: frames.append(event.frame))

    reference = render(graph, 24_000, steps=[(0, start)], block=64)
    first = list(frames)
    assert first[:11] == [1 + round(TRIGGER_S * 48_000) + 1_920 * k for k in range(11)], first
    for block in (1, 500, 4_096):
        frames.clear()
        assert_same(render(graph, 24_000, steps=[(0, start)], block=block), reference, f"blocks of {block}")
        assert frames[:11] == first[:11]


def test_a_node_that_fails_is_named_and_the_sound_goes_on() -> None:
    said: list[tuple[str, str]] = []
    graph = out_of("step~")
    graph.add("faulty", "bad")

    def start(player: Player) -> None:
        player.messages.post(500, "bad", "x", 1.0)
        player.messages.post(600, "it", "level", 7.0)

    sound = render(graph, 1_000, steps=[(0, start)], report=lambda id, text: said.append((id, text)))
    assert said and said[0][0] == "bad" and "this node is broken" in said[0][1]
    assert sound[0, -1] == pytest.approx(0.07)


def test_a_late_message_is_counted_under_its_node() -> None:
    graph = out_of("step~")
    player = Player(graph.view, 48_000)
    out = np.zeros((2, 9_600), np.float32)
    player.render(out)
    player.messages.emit(10, "it", "y", 1.0)
    assert player.messages.late == {"it": 1}
    player.close()


def test_send_and_receive_join_at_the_same_frame() -> None:
    graph = out_of("step~")
    graph.add("number", "n")
    graph.add("send", "s", name="level")
    graph.add("receive", "r", name="level")
    graph.connect("n.y", "s.x")
    graph.connect("r.y", "it.level")

    def start(player: Player) -> None:
        player.messages.post(321, "n", graph.node("n").spec.inlets[0].name, 2.0)

    sound = render(graph, 500, steps=[(0, start)])[0] * 100
    assert sound[320] == 0.0 and sound[321] == pytest.approx(2.0, abs=1e-6)


@pytest.mark.parametrize("huge", [10**400, -(10**400), (10**400, 1)], ids=["large", "small", "in a list"])
def test_a_whole_number_of_any_size_is_refused_by_a_control_and_the_patch_plays_on(huge) -> None:
    """It does not fit into a float: that must not end the player."""
    graph = Graph()
    graph.add("sine~", "tone", freq=220.0)
    graph.add("mtof", "pitch")
    graph.add("out~", "out", channels=1)
    graph.connect("tone.y", "out.x")
    said: list[tuple[str, str]] = []

    def start(player: Player) -> None:
        player.messages.post(100, "tone", "freq", huge)
        player.messages.post(100, "pitch", "x", huge)

    sound = render(graph, 4_000, steps=[(0, start)], report=lambda node, text: said.append((node, text)))
    assert_same(sound, render(graph, 4_000), "with and without the message")
    assert [node for node, _ in said] == ["tone"] and "takes numbers" in said[0][1]


def test_what_is_to_happen_after_an_infinite_time_never_does() -> None:
    """A note may be infinitely long."""
    called: list[float] = []

    def start(player: Player) -> None:
        node = player.messages.nodes["it"]
        for seconds in (float("inf"), 1e300, 0.01):
            player.messages.after(node, seconds, lambda when, seconds=seconds: called.append(seconds))

    graph = Graph()
    graph.add("delay", "it")
    graph.add("out~", "out")
    render(graph, 4_000, steps=[(0, start)])
    assert called == [0.01]
