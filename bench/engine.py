"""The engine by itself: dispatch per node, edit to sound, start-up, and the cost of `check`.

Ratios and times are taken in one run, each beside its control: dispatch as the slope between 1000 and 3000 nodes that
do nothing but pass a pointer, an edit as the time from the call until the sound has changed on a running null driver.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench import ours
from bench.report import Row, row

NAME = "engine"
ROOT = Path(__file__).parents[1]


def run(rounds: int) -> list[Row]:
    """All rows."""
    return [*dispatch(rounds), *watching(rounds), *edits(rounds), *start_up(rounds)]


def dispatch(rounds: int) -> list[Row]:
    """Nanoseconds that the dispatcher itself takes for a node and a block, with a kernel that does nothing."""
    cost = [empty_nodes(3_000) - empty_nodes(1_000) for _ in range(max(3, rounds))]
    ns = 1e9 * statistics.median(cost) / 2_000
    return [row("dispatch of one node, one block", ns, "ns", "slope of 1000 and 3000 empty kernels", max(3, rounds))]


def empty_nodes(count: int) -> float:
    """Seconds a block of 64 frames with so many operations that return at once: the least of many."""
    from nodegraph.runtime.engine import Engine
    from nodegraph.runtime.machine import native_render
    from nodegraph.runtime.native import empty
    from nodegraph.runtime.native import words as w
    from nodegraph.runtime.native.compiled import address

    engine = Engine(48_000, 0, 1)
    table = np.zeros((count, 4), np.int64)
    table[:, 0] = address(empty.nothing)
    block = np.zeros(w.SCHEDULE_WORDS, np.int64)
    block[w.OPERATIONS], block[w.COUNT], block[w.LONGEST] = table.ctypes.data, count, 64
    engine.words[w.SCHEDULE] = block.ctypes.data
    play = native_render()
    ins, outs = engine.in_pointers.ctypes.data, engine.out_pointers.ctypes.data
    best = float("inf")
    for _ in range(300):
        began = time.perf_counter()
        play(engine.address, ins, outs, 64)
        best = min(best, time.perf_counter() - began)
    return best


def watching(rounds: int) -> list[Row]:
    """What it costs that somebody sees the level of every cable: 200 nodes, with gauges and without, by turns."""
    from nodegraph.core.graph import Graph
    from nodegraph.runtime.player import Player

    graph = Graph()
    graph.add("gain~", "sum", gain=0.01)
    graph.connect("sum.y", f"{graph.add('out~', 'out')}.x")
    for number in range(99):
        graph.add("saw~", f"osc{number}", freq=50.0 + number)
        graph.add("svf~", f"cut{number}")
        graph.connect(f"osc{number}.y", f"cut{number}.x")
        graph.connect(f"cut{number}.low", "sum.x")
    found = []
    for packing in (True, False):
        player = Player(graph.view, 48_000, packing=packing)
        plain, watched = float("inf"), float("inf")
        for _ in range(max(3, rounds)):
            plain = min(plain, _block(player))
            player.watched = True
            player.advance()
            watched = min(watched, _block(player))
            assert player.engine.probes.gauges is not None
            player.watched = False
            player.advance()
        player.close()
        what = f"200 nodes{'' if packing else ', none packed'}: {1e6 * plain:.1f} us without"
        found.append(row("watching every cable, of a core", 100.0 * (watched - plain) * 48_000 / 64, "%", what))
    return found


def _block(player: Any) -> float:
    """Seconds that a block of 64 frames takes: the least of many."""
    from nodegraph.runtime.machine import native_render

    engine, play = player.engine, native_render()
    best = float("inf")
    for _ in range(2_000):
        began = time.perf_counter()
        play(engine.address, engine.in_pointers.ctypes.data, engine.out_pointers.ctypes.data, 64, 64)
        best = min(best, time.perf_counter() - began)
    return best


def edits(rounds: int) -> list[Row]:
    """Milliseconds from an edit of a playing 1000-node patch until the new schedule has played its first block."""
    from nodegraph.runtime.drivers import open_driver
    from nodegraph.runtime.player import Player

    graph = ours.graph("b2")
    player = Player(graph.view, 48_000)
    driver = open_driver("null", player.engine, block=64)
    driver.start()
    times: list[float] = []
    wanted = max(10, 4 * rounds) + 2

    def edit() -> None:
        if player.editing or len(times) >= wanted:
            return
        began = time.perf_counter()
        cable = f"g{(37 * len(times)) % 200}.y -> sum.x"
        if any(str(item) == cable for item in graph.into("sum", "x")):
            graph.disconnect(cable)
        else:
            graph.connect(*cable.split(" -> "))
        before = player.engine.epoch_played
        player.edit(graph.view)
        while player.engine.epoch_played == before:
            time.sleep(0.0002)
        times.append(1e3 * (time.perf_counter() - began))

    player.live(lambda: len(times) < wanted or player.editing, edit)
    driver.stop()
    player.close()
    settled = times[2:]  # the first edits compile the kernels of the fade
    nodes = f"{len(graph.nodes)} nodes"
    return [
        row("edit heard, median", statistics.median(settled), "ms", nodes, len(settled)),
        row("edit heard, worst", max(settled), "ms", nodes, len(settled)),
    ]


def start_up(rounds: int) -> list[Row]:
    """Seconds of whole processes, kernels cached."""
    folder = ROOT / "bench" / "work"
    folder.mkdir(parents=True, exist_ok=True)
    patch = folder / "two_hundred.ng"
    patch.write_text(json.dumps(two_hundred(), indent=1), encoding="utf-8")
    checks = [_took([sys.executable, "-m", "nodegraph", "check", str(patch)]) for _ in range(rounds)]
    first = [_first_sound(patch) for _ in range(rounds + 1)][1:]
    python = [_took([sys.executable, "-c", "import numpy"]) for _ in range(rounds)]
    return [
        row("check of 200 nodes, process included", statistics.median(checks), "s", "", rounds),
        row("run: process start to first sound, 200 nodes", statistics.median(first), "s", "", rounds),
        row("Python with numpy alone, for comparison", statistics.median(python), "s", "", rounds),
    ]


def two_hundred() -> dict[str, Any]:
    """A patch of 200 nodes."""
    nodes: dict[str, Any] = {"out": {"kind": "out~"}, "sum": {"kind": "gain~", "gain": 0.02}}
    cables = ["sum.y -> out.x"]
    for k in range(66):
        nodes[f"osc{k}"] = {"kind": "saw~", "freq": 55.0 + 3 * k}
        nodes[f"cut{k}"] = {"kind": "svf~", "cutoff": 900}
        nodes[f"vca{k}"] = {"kind": "*~", "b": 0.5}
        cables += [f"osc{k}.y -> cut{k}.x", f"cut{k}.low -> vca{k}.x", f"vca{k}.y -> sum.x"]
    return {"nodegraph": 1, "title": "Two hundred", "nodes": nodes, "cables": cables}


def _took(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _first_sound(patch: Path) -> float:
    """From the start of the process until its first status line, which it prints once sound has been played."""
    command = [sys.executable, "-m", "nodegraph", "run", str(patch), "--driver", "null", "--json", "--seconds", "5"]
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            found = json.loads(line)
            if found.get("time", 0.0) > 0.0:
                took = time.perf_counter() - began - float(found["time"])
                process.terminate()
                return took
    raise RuntimeError("run printed no status with a time")
