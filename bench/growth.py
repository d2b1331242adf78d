"""What a node costs as patches grow, from 10 to 10 000 nodes: while it plays, until it plays, and when it is edited.

Three shapes: voices side by side (what the compiler packs), one long chain of filters (where nothing can be packed),
and one long chain of additions and multiplications (which runs in registers).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from bench.report import Row, row

NAME = "growth"
RATE: Final = 48_000
BLOCK: Final = 64
SIZES: Final = (10, 100, 1_000, 10_000)
COSTS: Final = (("play, a node and block", "ns"), ("compile, a node", "us"), ("edit, a node", "us"))
LINEAR: Final = 1.5
"""How much more a node of 10 000 may cost than one of 1000: more memory is used than the nearest caches hold."""


def voices(count: int) -> Any:
    """Saws through two filters, four nodes a voice, all into one sum."""
    graph = _ending(0.001)
    for k in range(count // 4):
        graph.add("saw~", f"o{k}", freq=55.0 + 0.1 * k)
        graph.add("svf~", f"f{k}", cutoff=500.0 + k % 7)
        graph.add("onepole~", f"p{k}")
        graph.add("*~", f"g{k}", b=0.5)
        for cable in (f"o{k}.y -> f{k}.x", f"f{k}.low -> p{k}.x", f"p{k}.y -> g{k}.x", f"g{k}.y -> sum.x"):
            graph.connect(*cable.split(" -> "))
    return graph


def filters(count: int) -> Any:
    """Noise through filter after filter."""
    return _row(count, (("onepole~", {"cutoff": 18_000.0}), ("biquad~", {"b0": 1.0})))


def sums(count: int) -> Any:
    """Noise through multiplications and additions."""
    return _row(count, (("*~", {"b": 0.9999}), ("+~", {"b": 0.0001})))


SHAPES: Final[dict[str, Callable[[int], Any]]] = {
    "voices side by side": voices, "filters in a row": filters, "sums in a row": sums,
}  # fmt: skip


def _ending(gain: float) -> Any:
    from nodegraph.core.graph import Graph

    graph = Graph()
    graph.add("out~", "out", channels=1)
    graph.add("gain~", "sum", gain=gain)
    graph.connect("sum.y", "out.x")
    return graph


def _row(count: int, kinds: tuple[tuple[str, dict[str, float]], ...]) -> Any:
    graph = _ending(0.1)
    graph.add("noise~", "n")
    before = "n.y"
    for k in range(count):
        kind, numbers = kinds[k % len(kinds)]
        graph.add(kind, f"k{k}", **numbers)
        graph.connect(before, f"k{k}.x")
        before = f"k{k}.y"
    graph.connect(before, "sum.x")
    return graph


def run(rounds: int) -> list[Row]:
    """All rows; each number is the least of the rounds, in CPU time."""
    rows = []
    for shape, make in SHAPES.items():
        found = {count: _least(make(count), rounds) for count in SIZES}
        for index, (what, unit) in enumerate(COSTS):
            for count, costs in found.items():
                rows.append(row(f"{shape}: {what}", costs[index] / count, unit, f"{count} nodes", rounds))
            ratio = found[10_000][index] / found[1_000][index] / 10
            claim = f"{shape}: {what}: 10 000 nodes to 1000"
            rows.append(
                row(claim + ("" if ratio <= LINEAR else ": GROWS FASTER THAN THE PATCH"), ratio, "x", "", rounds)
            )
    return rows


def _least(graph: Any, rounds: int) -> tuple[float, float, float]:
    """Of a whole graph: nanoseconds a block, microseconds until it plays, microseconds of an edit."""
    from nodegraph.runtime.player import Player

    found = []
    for _ in range(max(2, rounds)):
        began = time.process_time()
        player = Player(graph.view, RATE)
        compiling = time.process_time() - began
        player.render(np.zeros((player.engine.outputs, BLOCK), np.float32))
        playing = _played(player, len(graph.nodes))
        found.append((1e9 * playing, 1e6 * compiling, 1e6 * _edited(player, graph)))
        player.close()
    plays, compiles, edits = zip(*found, strict=True)
    return min(plays), min(compiles), min(edits)


def _played(player: Any, nodes: int) -> float:
    """CPU seconds a block."""
    blocks = max(64, 1_000_000 // nodes)
    out = np.zeros((player.engine.outputs, BLOCK * blocks), np.float32)
    best = float("inf")
    for _ in range(3):
        player.engine.grant(player.engine.done + BLOCK * blocks)  # no event comes before that
        began = time.process_time()
        player.engine.process(None, out)
        best = min(best, (time.process_time() - began) / blocks)
    return best


def _edited(player: Any, graph: Any) -> float:
    """CPU seconds of Python for an edit: a sine comes in at the end, and goes again."""
    best = float("inf")
    out = np.zeros((player.engine.outputs, 16 * BLOCK), np.float32)
    for _ in range(2):
        graph.add("sine~", "extra")
        graph.connect("extra.y", "out.x")
        began = time.process_time()
        player.edit(graph.view)
        best = min(best, time.process_time() - began)
        player.render(out)
        graph.remove("extra")
        player.edit(graph.view)
        player.render(out)
    return best
