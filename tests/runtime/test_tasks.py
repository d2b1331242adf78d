"""How a schedule is shared out: what may run at once shares no memory, cuts are where branches end, costs are kept."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import ours
from nodegraph.core.graph import Graph
from nodegraph.runtime.compile import costs, tasks
from nodegraph.runtime.compile.schedule import Schedule
from nodegraph.runtime.compile.tasks import Links, Tasks, flat
from nodegraph.runtime.engine import Engine
from nodegraph.runtime.native import edges
from nodegraph.runtime.native.compiled import address
from tests.runtime.tangles import OUTLET, reckless, tangle


def compiled(graph: Graph, threads: int, packing: bool = True) -> Schedule:
    engine = Engine(48_000, 1, 2, packing=packing, threads=threads)
    engine.close()
    schedule = engine.compile(graph.view, engine.plan(graph.view))
    schedule.keeps = engine  # type: ignore[attr-defined]
    return schedule


def done_before(found: Tasks) -> list[set[int]]:
    """Per task, those that are done when it begins."""
    known: list[set[int]] = []
    for before in found.before:
        known.append(before.union(*(known[other] for other in before)))
    return known


@pytest.mark.parametrize("seed", range(20))
def test_what_may_run_at_once_shares_no_memory(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reckless(monkeypatch, seed if seed % 4 else None)
    schedule = compiled(tangle(seed, 60), 3, packing=seed % 2 == 0)
    found = schedule.tasks
    assert found is not None
    known = done_before(found)
    places = schedule.buffers.at
    touched: dict[int, list[tuple[int, bool]]] = {}
    for one, task in zip(schedule.operations, found.task_of, strict=True):
        for buffers, writes in ((one.ins, False), (one.outs, True)):
            for buffer in flat(buffers):
                place = places[-buffer] if buffer < 0 else buffer
                touched.setdefault(place, []).append((task, writes))
    assert any(len({task for task, _ in row}) > 2 for row in touched.values()), "no memory is used again"
    for place, row in touched.items():
        for task, writes in row:
            for other, also in row:
                if (writes or also) and other < task:
                    assert other in known[task], f"tasks {other} and {task} at {place:x}"


@pytest.mark.parametrize("seed", range(8))
def test_tasks_are_all_operations_once_and_wait_for_all_they_hear(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reckless(monkeypatch, seed if seed % 2 else None)
    graph = tangle(seed)
    for number, id in enumerate([id for id in graph.nodes if id.startswith("n")][:20]):
        graph.add("onset~", f"more{number}")
        graph.connect(f"{id}.{OUTLET.get(graph.nodes[id].kind, 'y')}", f"more{number}.x")
    schedule = compiled(graph, 4)
    found = schedule.tasks
    assert found is not None
    assert [number for first, end in found.spans for number in range(first, end)] == list(
        range(len(schedule.operations))
    )
    links = tasks.linked(schedule.operations)
    for number, needs in enumerate(links.before):
        for source in needs:
            task, other = found.task_of[number], found.task_of[source]
            assert other == task or other in found.before[task]
    assert all(other < task for task, row in enumerate(found.before) for other in row)
    senders = [number for number, one in enumerate(schedule.operations) if one.function == address(edges.event_tap)]
    assert len(senders) >= 20 and len({found.task_of[number] for number in senders}) == 1


def row_of(count: int, price: float, before: dict[int, set[int]]) -> tuple[list[float], Links]:
    needs = [before.get(number, set()) for number in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for number, row in enumerate(needs):
        for source in sorted(row):
            after[source].append(number)
    return [price] * count, Links(needs, after)


def test_voices_are_cut_between_voices() -> None:
    """32 voices of four operations and a mix: no task holds half a voice."""
    before = {4 * k + j: {4 * k + j - 1} for k in range(32) for j in range(1, 4)}
    before[128] = {4 * k + 3 for k in range(32)}
    price, links = row_of(129, 1_000.0, before)
    found = tasks.best(price, links, 2, 129)
    assert found is not None
    assert all(first % 4 == 0 for first, _ in found.spans)
    assert found.length < 0.6 * found.work
    four = tasks.best(price, links, 4, 129)
    assert four is not None and four.length < 0.35 * four.work


def test_what_many_hear_is_a_task_of_its_own() -> None:
    """One source for 16 dear branches."""
    before = {1 + 4 * k + j: ({4 * k + j} if j else {0}) for k in range(16) for j in range(4)}
    before[65] = {4 + 4 * k for k in range(16)}
    price, links = row_of(66, 2_000.0, before)
    found = tasks.best(price, links, 4, 66)
    assert found is not None
    assert found.spans[0] == (0, 1)
    assert found.length < 0.35 * found.work


def test_more_threads_than_branches_are_not_woken() -> None:
    before = {10 * k + j: {10 * k + j - 1} for k in range(2) for j in range(1, 10)}
    price, links = row_of(20, 2_000.0, before)
    found = tasks.best(price, links, 4, 20)
    assert found is not None and found.helpers == 1


def test_short_segments_are_played_by_one_thread() -> None:
    graph = ours.graph("b3")
    for k in range(20):
        graph.add("reverb~", f"room{k}")
        graph.connect(f"r{k}.y", f"room{k}.x")
        graph.connect(f"room{k}.y", "sum.x")
    found = compiled(graph, 2).tasks
    assert found is not None
    assert found.frames == min(64, max(1, round(64 * tasks.WORTH_NS / found.work)))
    assert found.frames < 64


def test_costs_are_measured_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr("nodegraph.runtime.kernels.jit.cache_folder", lambda: tmp_path)
    monkeypatch.setattr(costs, "_known", {})
    graph = tangle(5)
    compiled(graph, 2)
    files = {path.name: path.read_text() for path in tmp_path.glob("*.cost")}
    assert len(files) > 5
    measured: list[Any] = []
    monkeypatch.setattr(costs, "measure", lambda *call: measured.append(call) or 1.0)
    monkeypatch.setattr(costs, "_known", {})
    compiled(graph, 2)
    assert not measured, "a cost that was kept was measured again"
    for path in tmp_path.glob("*.cost"):
        path.write_text("broken")
    monkeypatch.setattr(costs, "_known", {})
    compiled(graph, 2)
    assert len(measured) >= len(files), "a damaged file was believed"


def test_measuring_touches_no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """The arrays of nodes that play are left alone, and so is the state."""
    monkeypatch.setattr(costs, "_known", {})
    monkeypatch.setattr(costs, "cache_folder", lambda: Path("/nowhere"))
    graph = Graph()
    graph.add("noise~", "n")
    graph.add("comb~", "c", time=0.01)
    graph.add("out~", "out")
    graph.connect("n.y", "c.x")
    graph.connect("c.y", "out.x")
    engine = Engine(48_000, 0, 2, threads=2)
    schedule = engine.compile(graph.view, engine.plan(graph.view))
    (comb,) = (one for one in schedule.operations if one.names == ("c",))
    assert costs.cost(comb) > 10.0
    arrays = engine.resources.arrays(graph.view._store.nodes["c"], 0)
    assert all(not made.any() for made in arrays.values())
    engine.close()


def test_what_is_estimated_is_near_what_it_takes() -> None:
    """Within a factor of three: a share of the work is what cuts are made by, and other processes run beside us."""
    graph = ours.graph("b5")
    schedule = compiled(graph, 2, packing=False)
    expected = sum(costs.costs(schedule.operations))
    engine = Engine(48_000, 0, 2, packing=False)
    engine.install(engine.compile(graph.view, engine.plan(graph.view)))
    out = np.zeros((2, 64 * 200), np.float32)
    took = []
    for _ in range(8):
        began = time.thread_time()
        engine.process(None, out)
        took.append((time.thread_time() - began) * 1e9 / 200)
    assert expected / 3 < min(took) < expected * 3, f"{expected:.0f} ns expected, {min(took):.0f} ns taken"
