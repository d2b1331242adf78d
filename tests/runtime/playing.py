"""Graphs and ways of playing them that the engine's tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nodegraph.core.graph import Graph
from nodegraph.runtime.player import Player

Sound = np.ndarray[Any, np.dtype[np.float32]]


def voices(count: int = 24) -> Graph:
    """Saws through state-variable filters, summed: packs into lanes, with memory everywhere."""
    graph = Graph()
    graph.add("gain~", "sum", gain=0.02)
    graph.add("out~", "out")
    graph.connect("sum.y", "out.x")
    for k in range(count):
        graph.add("saw~", f"osc{k}", freq=55.0 * 2 ** (k / 12))
        graph.add("svf~", f"cut{k}", cutoff=600.0 + 40.0 * k)
        graph.connect(f"osc{k}.y", f"cut{k}.x")
        graph.connect(f"cut{k}.low", "sum.x")
    return graph


def render(
    graph: Graph,
    frames: int,
    *,
    block: int = 64,
    steps: Sequence[tuple[int, Callable[[Player], None]]] = (),
    ins: Sound | None = None,
    **options: Any,
) -> Sound:
    """Render a graph; before the given frames, do something to the player."""
    player = Player(graph.view, options.pop("rate", 48_000), **options)
    out = np.zeros((player.engine.outputs, frames), np.float32)
    at = 0
    try:
        for frame, do in [*steps, (frames, lambda player: None)]:
            if frame > at:
                player.render(out[:, at:frame], None if ins is None else ins[:, at:frame], block=block)
                at = frame
            do(player)
    finally:
        player.close()
    return out


def same_bits(a: Sound, b: Sound) -> bool:
    """Whether two sounds are the same, sign of zero included."""
    return a.shape == b.shape and bool(np.array_equal(a.view(np.int32), b.view(np.int32)))


def first_difference(a: Sound, b: Sound) -> str:
    """Where two sounds part, for a failing test."""
    if a.shape != b.shape:
        return f"shapes {a.shape} and {b.shape}"
    where = np.argwhere(a.view(np.int32) != b.view(np.int32))
    if not len(where):
        return "none"
    channel, frame = where[0]
    return f"channel {channel}, frame {frame}: {a[channel, frame]!r} and {b[channel, frame]!r}, {len(where)} in all"


def assert_same(a: Sound, b: Sound, what: str) -> None:
    """Fail with the first difference."""
    assert same_bits(a, b), f"{what}: {first_difference(a, b)}"


def click(sound: Sound) -> float:
    """The largest jump that a smooth sound does not have: the fourth difference, in which low sines almost vanish."""
    return float(np.max(np.abs(np.diff(sound.astype(np.float64), 4, axis=-1)))) if sound.shape[-1] > 4 else 0.0


def discontinuity(sound: Sound) -> float:
    """The largest jump in a sound of low frequencies: a step of h reads as h, over what the sound itself reads as."""
    return click(sound) / 3.0
