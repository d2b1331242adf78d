"""Channels put together, taken apart, added and spread."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph.core.errors import PatchError
from nodegraph.core.graph import Graph
from tests.runtime.playing import assert_same
from tests.runtime.playing import render as rendered

FRAMES = 500
SOUND = np.random.default_rng(4).uniform(-0.1, 0.1, (6, FRAMES)).astype(np.float32)


def render(graph: Graph, frames: int, ins: np.ndarray = SOUND) -> np.ndarray:
    """Played with six channels of input."""
    return rendered(graph, frames, ins=ins, inputs=len(ins))


def graph_of(kind: str, ins: dict[str, tuple[int, int]], outs: list[str], wide: int, **params: object) -> Graph:
    """A node between channels of the device: inlet to (first channel, count); outlets to channels one after another."""
    graph = Graph()
    graph.add(kind, "it", **params)
    for inlet, (first, count) in ins.items():
        graph.add("in~", f"mic_{inlet}", channel=first, channels=count)
        graph.connect(f"mic_{inlet}.y", f"it.{inlet}")
    for number, outlet in enumerate(outs):
        graph.add("out~", f"out_{outlet}", channel=1 + number * wide, channels=wide)
        graph.connect(f"it.{outlet}", f"out_{outlet}.x")
    return graph


def test_pack_puts_cables_side_by_side() -> None:
    graph = graph_of("pack~", {"x1": (1, 2), "x3": (3, 3)}, ["y"], 6, inlets=3)
    found = render(graph, FRAMES, ins=SOUND)
    assert_same(found[:2], SOUND[:2], "x1")
    assert not found[2].any(), "x2 has no cable: one silent channel"
    assert_same(found[3:6], SOUND[2:5], "x3")


def test_unpack_takes_them_apart() -> None:
    found = render(graph_of("unpack~", {"x": (1, 3)}, ["y1", "y3", "y4"], 1, outlets=4), FRAMES, ins=SOUND)
    assert_same(found[:2], SOUND[[0, 2]], "channels 1 and 3")
    assert not found[2].any(), "there is no fourth"


def test_ports_come_and_go_with_their_number() -> None:
    graph = graph_of("pack~", {"x1": (1, 1), "x2": (2, 1)}, ["y"], 2)
    assert [item.name for item in graph.nodes["it"].spec.inlets] == ["x1", "x2"]
    graph.set("it", "inlets", 5)
    assert [item.name for item in graph.nodes["it"].spec.inlets] == [f"x{k}" for k in range(1, 6)]
    assert len(graph.into("it", "x2")) == 1, "cables that fit stay"
    dropped = graph.set("it", "inlets", 1)
    assert [str(cable) for cable in dropped] == ["mic_x2.y -> it.x2"]
    with pytest.raises(PatchError, match="1 to 64"):
        graph.set("it", "inlets", 65)


def test_sum_adds_channels_and_dup_repeats_them() -> None:
    found = render(graph_of("sum~", {"x": (1, 6)}, ["y"], 1), FRAMES, ins=SOUND)
    assert np.abs(found[0] - SOUND.sum(axis=0)).max() < 1e-6
    assert not render(graph_of("sum~", {}, ["y"], 1), FRAMES).any()
    found = render(graph_of("dup~", {"x": (1, 2)}, ["y"], 5, count=5), FRAMES, ins=SOUND)
    assert_same(found, SOUND[[0, 1, 0, 1, 0]], "repeated")


def test_what_is_packed_and_taken_apart_is_as_it_was() -> None:
    graph = Graph()
    graph.add("pack~", "p", inlets=4)
    graph.add("unpack~", "u", outlets=4)
    graph.connect("p", "u")
    for k in range(1, 5):
        graph.add("in~", f"mic{k}", channel=k)
        graph.add("out~", f"out{k}", channel=k, channels=1)
        graph.connect(f"mic{k}.y", f"p.x{k}")
        graph.connect(f"u.y{k}", f"out{k}.x")
    assert_same(render(graph, FRAMES, ins=SOUND), SOUND[:4], "there and back")


@pytest.mark.parametrize(("count", "width", "center"), [(1, 1.0, 0.0), (2, 1.0, 0.0), (5, 0.6, 0.3), (6, 1.0, -1.0)])
def test_spread_places_channels_at_equal_power(count: int, width: float, center: float) -> None:
    found = render(graph_of("spread~", {"x": (1, count)}, ["y"], 2, width=width, center=center), FRAMES, ins=SOUND)
    place = np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
    angle = (np.clip(center + width * place, -1, 1) + 1) * np.pi / 4
    loud = 1 / np.sqrt(max(count / 2, 1.0))
    expected = loud * np.stack([np.cos(angle) @ SOUND[:count], np.sin(angle) @ SOUND[:count]])
    assert np.abs(found - expected).max() < 1e-6
