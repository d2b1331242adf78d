"""Many controls moved at one instant sound exactly as when they are moved one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nodegraph.core.graph import Graph
from nodegraph.core.messages import Ramp
from nodegraph.runtime.acts import Act, as_tuple
from nodegraph.runtime.engine import RING
from nodegraph.runtime.player import Player
from tests.runtime.playing import assert_same, render, voices

PLACES = tuple((f"{kind}{k}", port) for k in range(24) for kind, port in (("osc", "freq"), ("cut", "cutoff")))


def banks(count: int, seed: int = 4) -> list[tuple[int, list[float]]]:
    random = np.random.default_rng(seed)
    return [(int(frame), random.uniform(30, 4_000, len(PLACES)).tolist()) for frame in random.integers(0, 9_000, count)]


def one_by_one(player: Player) -> None:
    for frame, values in banks(12):
        for (node, port), value in zip(PLACES, values, strict=True):
            player.act("set", node, port, value, frame=frame)


def at_once(player: Player) -> None:
    for frame, values in banks(12):
        player.act("sets", PLACES, tuple(values), frame=frame)


def as_numbers(player: Player) -> None:
    for frame, values in banks(12):
        player.act("sets", PLACES, np.array(values), frame=frame)


@pytest.mark.parametrize("block", [1, 64, 333])
@pytest.mark.parametrize("way", [at_once, as_numbers])
def test_the_sound_is_the_same_to_the_bit(block: int, way: Any) -> None:
    wanted = render(voices(), 12_000, steps=[(0, one_by_one)])
    assert_same(render(voices(), 12_000, steps=[(0, way)], block=block), wanted, "moved at once or one by one")


def test_what_was_noted_done_again_gives_the_same_bits() -> None:
    noted: list[Act] = []

    def first(player: Player) -> None:
        player.acts.noted.append(noted.append)
        as_numbers(player)

    def again(player: Player) -> None:
        for act in noted:
            player.act(act.what, *act.args, frame=act.frame)

    wanted = render(voices(), 12_000, steps=[(0, first)])
    assert len(noted) == 12 and all(type(value) is float for act in noted for value in as_tuple(act.args[1]))
    assert_same(render(voices(), 12_000, steps=[(0, again)]), wanted, "moved at once or one by one")


@pytest.mark.parametrize(
    "order",
    [
        ("set", "sets"), ("sets", "set"), ("sets", "ramps", "set", "sets"),
        ("recall", "set"), ("set", "recall"), ("recall", "sets"), ("sets", "recall", "sets", "set"),
    ],
)  # fmt: skip
def test_the_last_one_at_a_frame_counts_however_it_came(order: tuple[str, ...]) -> None:
    """At one frame and one control, in the order in which they were asked for."""

    def do(player: Player) -> None:
        for number, what in enumerate(order):
            value = 100.0 + 50.0 * number
            if what == "set":
                player.act("set", "osc0", "freq", value, frame=1_000)
            elif what == "sets":
                player.act("sets", (("osc0", "freq"), ("cut0", "cutoff")), (value, 2_000.0), frame=1_000)
            elif what == "recall":
                player.act("recall", [("osc0", "freq", value)], 0.0, "linear", frame=1_000)
            else:
                player.act("sets", (("osc0", "freq"),), (Ramp(value, 0.2),), frame=1_000)

    def plain(player: Player) -> None:
        for number, what in enumerate(order):
            value = 100.0 + 50.0 * number
            player.act("set", "osc0", "freq", Ramp(value, 0.2) if what == "ramps" else value, frame=1_000)
            if what == "sets":
                player.act("set", "cut0", "cutoff", 2_000.0, frame=1_000)

    assert_same(
        render(voices(2), 9_000, steps=[(0, do)]),
        render(voices(2), 9_000, steps=[(0, plain)]),
        "moved at once or one by one",
    )


@pytest.mark.parametrize("what", ["set", "sets"])
def test_what_is_moved_after_an_edit_stays_where_it_was_moved_to(what: str) -> None:
    """Both at one frame: what the edit stores for a control does not come after what was asked for later."""
    graph = voices(2)
    moved: list[tuple[str, str, float]] = []

    def do(player: Player) -> None:
        player.messages.moved = lambda *place: moved.append(place)
        graph.set("osc0", "freq", 500.0)
        player.edit(graph.view)
        if what == "set":
            player.act("set", "osc0", "freq", 600.0)
        else:
            player.act("sets", (("osc0", "freq"), ("cut0", "cutoff")), (600.0, 2_000.0))

    render(graph, 9_000, steps=[(1_000, do)])
    assert [value for node, _, value in moved if node == "osc0"] == [500.0, 600.0]


def test_nodes_in_python_messages_and_strangers_are_served_too() -> None:
    graph = Graph()
    graph.add("metro", "clock", interval=0.5)
    graph.add("counter", "count")
    graph.add("sine~", "osc")
    graph.add("out~", "out")
    graph.connect("osc.y", "out.x")
    graph.connect("clock.bang", "count.x")
    player = Player(graph.view, 48_000)
    moved: list[tuple[str, str, float]] = []
    player.messages.moved = lambda *what: moved.append(what)
    places = (("clock", "interval"), ("osc", "freq"), ("nobody", "x"), ("osc", "nothing"), ("osc", "freq"))
    player.act("sets", places, (0.1, 1e9, 1.0, 2.0, 300.0), frame=100)
    player.act("sets", (("osc", "freq"),), (float("nan"),), frame=200)
    player.act("sets", (), ())
    out = np.zeros((2, 9_600), np.float32)
    player.render(out)
    try:
        assert player.messages.nodes["clock"].controls["interval"] == 0.1
        high = graph.view.node("osc").spec.inlet_named["freq"].span[1]  # type: ignore[union-attr]
        assert moved == [("osc", "freq", high), ("clock", "interval", 0.1), ("osc", "freq", 300.0)] or moved == [
            ("osc", "freq", high), ("osc", "freq", 300.0), ("clock", "interval", 0.1),
        ]  # fmt: skip
        assert any("takes numbers" in text for _, text in player.log)
    finally:
        player.close()


def test_the_ring_goes_round_in_the_middle_of_a_bank() -> None:
    count = RING // len(PLACES) + 60
    assert RING % len(PLACES), "so one bank lies across its end"
    values = np.random.default_rng(8).uniform(30, 4_000, (count, len(PLACES)))

    def at_once(player: Player) -> None:
        for number in range(count):
            player.act("sets", PLACES, values[number], frame=20 * number)

    def one_by_one(player: Player) -> None:
        for number in range(count):
            for (node, port), value in zip(PLACES, values[number].tolist(), strict=True):
                player.act("set", node, port, value, frame=20 * number)

    frames = 20 * count + 1_000
    wanted = render(voices(), frames, steps=[(0, one_by_one)])
    assert_same(render(voices(), frames, steps=[(0, at_once)]), wanted, "moved at once or one by one")
