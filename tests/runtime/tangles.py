"""Random graphs of everything that can be shared out among threads, and reckless ways of doing so."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any, Final

from nodegraph.core.graph import Graph
from nodegraph.runtime.compile import tasks
from nodegraph.runtime.compile.tasks import Links, Tasks

SOURCES: Final[dict[str, dict[str, Any]]] = {
    "noise~": {}, "saw~": {"freq": (40.0, 900.0)}, "sine~": {"freq": (40.0, 900.0)}, "lfo~": {"freq": (0.5, 20.0)},
    "partials~": {"freq": (60.0, 300.0)}, "pink~": {}, "in~": {},
}  # fmt: skip
THROUGH: Final[dict[str, dict[str, Any]]] = {
    "svf~": {"cutoff": (200.0, 4_000.0)}, "ladder~": {"cutoff": (200.0, 4_000.0)}, "onepole~": {}, "gain~": {},
    "comb~": {"time": (0.001, 0.03)}, "delay~": {"time": (0.0, 0.03)}, "allpass~": {"time": (0.001, 0.03)},
    "chorus~": {}, "compressor~": {}, "reverb~": {}, "pluck~": {"freq": (60.0, 300.0)}, "onset~": {}, "tanh~": {},
    "*~": {}, "+~": {}, "env~": {}, "limiter~": {}, "phaser~": {},
}  # fmt: skip
OUTLET: Final = {"svf~": "low", "onset~": "trigger"}


def tangle(seed: int, size: int = 40) -> Graph:
    """A random graph: chains that fork and meet, loops, wide nodes, other rates, taps, messages of sound nodes."""
    choose = random.Random(seed)
    graph = Graph()
    graph.add("out~", "out", channels=2)
    graph.add("gain~", "sum", gain=0.05)
    graph.connect("sum.y", "out.x")
    made: list[str] = []
    for number in range(size):
        source = number < 3 or choose.random() < 0.25
        kinds = SOURCES if source else THROUGH
        kind = choose.choice(list(kinds))
        values = {name: choose.uniform(*span) for name, span in kinds[kind].items()}
        id = graph.add(kind, f"n{number}", **values)
        if not source:
            for _ in range(choose.choice((1, 1, 2, 5))):
                _connect(graph, choose.choice(made), id, "x")
            if choose.random() < 0.2 and kind == "svf~":
                _connect(graph, choose.choice(made), id, "resonance")
            if choose.random() < 0.3 and kind in ("*~", "+~"):
                _connect(graph, choose.choice(made), id, "b")
        made.append(id)
    for id in made:
        if not any(graph.view.cables_out_of(id)) and choose.random() < 0.9:
            _connect(graph, id, "sum", "x")
    for _ in range(choose.randrange(3)):
        _loop(graph, choose, made)
    for number in range(2):
        _connect(graph, choose.choice(made), graph.add("onset~", f"ear{number}"), "x")
    factors = graph.view._store.factors
    for id in made:
        if choose.random() < 0.1 and graph.nodes[id].kind != "in~":
            factors[id] = choose.choice((2, 4))
    return graph


def _connect(graph: Graph, source: str, target: str, port: str) -> None:
    outlet = OUTLET.get(graph.nodes[source].kind, "y")
    if not any(cable.from_node == source for cable in graph.into(target, port)):
        graph.connect(f"{source}.{outlet}", f"{target}.{port}")


def _loop(graph: Graph, choose: random.Random, made: list[str]) -> None:
    """A loop of its own that hears one of the nodes."""
    name = f"loop{len(graph.nodes)}"
    graph.add("tanh~", name)
    graph.add("gain~", f"soft{name}", gain=0.4)
    kind = choose.choice(("svf~", "onepole~", "delay~", "comb~"))
    graph.add(kind, f"mid{name}")
    _connect(graph, choose.choice(made), name, "x")
    _connect(graph, name, f"mid{name}", "x")
    _connect(graph, f"mid{name}", f"soft{name}", "x")
    graph.connect(f"soft{name}.y", f"{name}.x")
    _connect(graph, f"mid{name}", "sum", "x")


def reckless(monkeypatch: Any, seed: int | None = None) -> None:
    """Share out everything, however small; with a `seed` cut at random, else as the engine would if all were dear."""
    monkeypatch.setattr(tasks, "WORTH_NS", 0.0)
    monkeypatch.setattr(tasks, "LEAST_NS", 0.0)
    monkeypatch.setattr(tasks, "TASK_NS", 0.0)
    monkeypatch.setattr(tasks, "START_NS", 0.0)
    monkeypatch.setattr(tasks, "GAIN", float("inf"))
    if seed is None:
        return
    choose = random.Random(seed)

    def anyhow(price: list[float], links: Links, threads: int, senders: int) -> Tasks | None:
        count = len(price)
        cuts = sorted({*choose.sample(range(1, senders), min(choose.randrange(1, 60), senders - 1)), senders} - {count})
        edges = [0, *cuts, count]
        found = tasks.gathered(list(pairwise(edges)), links, sum(price))
        tasks._time(found, price, threads)
        choose.shuffle(found.open)
        for row in found.after:
            choose.shuffle(row)
        return found

    monkeypatch.setattr(tasks, "best", anyhow)
