"""One thread and two: the same heavy patch by turns, and what threads cost where they are of no use.

Times are wall-clock times of single blocks of 64 frames, played as fast as it goes, in short bursts by turns. The
fastest hundredth says what the engine does when it has its cores for itself, the median and the mean what it does on
this machine with all that runs beside it. A device leaves pauses between blocks, in which the helpers fall asleep and
out of which they must be woken: that is measured apart.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from bench import ours
from bench.report import Row, row
from nodegraph.runtime.native import words as w

NAME = "threads"
VOICES = 64
FRAMES = 64
BURST, WAKING = 45, 5
TURNS_S = 1.0
RATE = 48_000


def run(rounds: int) -> list[Row]:
    """All rows."""
    return [*gain(rounds), *useless(rounds), *alone(rounds), *live(rounds)]


def heavy() -> Any:
    """Voices of a saw, a ladder, a comb and a chorus each."""
    from nodegraph.core.graph import Graph

    made = Graph()
    made.add("out~", "out", channels=1)
    made.add("gain~", "sum", gain=0.01)
    made.connect("sum.y", "out.x")
    for k in range(VOICES):
        made.add("saw~", f"o{k}", freq=50.0 + 7.0 * k)
        made.add("ladder~", f"l{k}", cutoff=500.0 + 30.0 * k)
        made.add("comb~", f"c{k}", time=0.01 + 0.0003 * k, feedback=0.6)
        made.add("chorus~", f"h{k}")
        for cable in (f"o{k}.y l{k}.x", f"l{k}.y c{k}.x", f"c{k}.y h{k}.x", f"h{k}.y sum.x"):
            made.connect(*cable.split())
    return made


def engine(graph: Any, threads: int) -> Any:
    """An engine that plays a graph."""
    from nodegraph.runtime.engine import Engine

    made = Engine(RATE, 0, 1, threads=threads)
    view = graph.view
    made.install(made.compile(view, made.plan(view)))
    return made


def by_turns(first: Any, second: Any, rounds: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Seconds of every block of two engines, in bursts by turns: the first blocks of each, in which helpers wake, are
    left out."""
    bursts: tuple[list[Any], list[Any]] = ([], [])
    usual = min(float(burst(first).min()) for _ in range(10))
    for _ in range(min(max(200, round(TURNS_S * rounds / usual / BURST)), 4_000)):
        for one, times in zip((first, second), bursts, strict=True):
            times.append(burst(one)[WAKING:])
    return np.concatenate(bursts[0]), np.concatenate(bursts[1])


def burst(one: Any, frames: int = FRAMES, count: int = BURST) -> np.ndarray[Any, Any]:
    """Seconds of each block of a burst."""
    from nodegraph.runtime.machine import native_render

    play, arguments = native_render(), (one.address, one.in_pointers.ctypes.data, one.out_pointers.ctypes.data, frames)
    times = [time.perf_counter()]
    for _ in range(count):
        play(*arguments)
        times.append(time.perf_counter())
    return np.diff(times)


def gain(rounds: int) -> list[Row]:
    """Two threads where it is worth it."""
    one, two = engine(heavy(), 1), engine(heavy(), 2)
    two.crew.words[w.C_RECOVERY] = 0  # every block is shared, also on a machine that takes the helper's core away
    single, double = by_turns(one, two, rounds)
    assert two.sharing()["tasks"] > 1
    what = f"{VOICES} heavy voices, {FRAMES} frames"
    rows = []
    for name, of in (("fastest 1 %", fastest), ("median", np.median), ("mean", np.mean)):
        for threads, times in (("one thread", single), ("two threads", double)):
            rows.append(row(f"{what}: {threads}", 1e6 * of(times), "µs a block", f"{name}, by turns", len(times)))
        rows.append(row(f"gain of two threads, {name}", of(single) / of(double), "×", "by turns", len(double)))
    share = 100.0 * two.crew.done() / (two.sharing()["tasks"] * two.done / FRAMES)
    return [*rows, row("tasks that the helper did", share, "%", "50 is half", len(double))]


def fastest(times: np.ndarray[Any, Any]) -> float:
    """What is left when nobody else wants the cores."""
    return float(np.percentile(times, 1.0))


def useless(rounds: int) -> list[Row]:
    """Threads are on, and the patch is not worth sharing."""
    graph = ours.graph("b2")
    one, two = engine(graph, 1), engine(graph, 2)
    assert two.sharing()["tasks"] == 0
    single, double = by_turns(one, two, rounds)
    what = "200 voices that one thread plays"
    return [
        row(f"{what}: threads off", 1e6 * fastest(single), "µs a block", "fastest 1 %", len(single)),
        row(f"{what}: cost of threads on", _cost(single, double), "%", "fastest 1 %, by turns", len(double)),
    ]


def alone(rounds: int) -> list[Row]:
    """The patch is shared out, and no helper comes: the audio thread does every task itself."""
    one, two = engine(heavy(), 1), engine(heavy(), 2)
    two.close()
    single, double = by_turns(one, two, rounds)
    what = "shared out, but no helper comes: cost"
    return [row(what, _cost(single, double), "%", "fastest 1 %, by turns", len(double))]


def live(rounds: int) -> list[Row]:
    """Blocks with the pauses that a device leaves between them, in which the helper falls asleep."""
    one, two = engine(heavy(), 1), engine(heavy(), 2)
    two.crew.words[w.C_RECOVERY] = 0
    rows = []
    for frames in (64, 256):
        taken: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(200 * rounds):
            for threads, played in ((1, one), (2, two)):
                time.sleep(0.5 * frames / RATE)
                taken[threads].append(float(burst(played, frames, 1)[0]))
        for name, of in (("fastest 5 %", awake), ("median", np.median)):
            single, double = of(taken[1]), of(taken[2])
            what = f"with pauses, blocks of {frames}"
            rows.append(row(f"{what}: one thread", 1e6 * single, "µs a block", f"{name}, by turns", len(taken[1])))
            rows.append(row(f"{what}: two threads", 1e6 * double, "µs a block", f"{name}, by turns", len(taken[2])))
            rows.append(row(f"{what}: gain, {name}", single / double, "×", "by turns", len(taken[2])))
    return rows


def awake(times: list[float]) -> float:
    """What is left when nobody else wants the cores; waking is part of it."""
    return float(np.percentile(times, 5.0))


def _cost(single: np.ndarray[Any, Any], double: np.ndarray[Any, Any]) -> float:
    return 100.0 * (fastest(double) / fastest(single) - 1.0)
