"""Several threads play the same bits as one: any graph, any cut, any block, any timing, through edits and ramps."""

from __future__ import annotations

import ctypes
import functools
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench import ours
from nodegraph.core.errors import PatchError
from nodegraph.core.graph import Graph
from nodegraph.runtime import crew as crews
from nodegraph.runtime import engine as engines
from nodegraph.runtime.crew import Crew, thread_count
from nodegraph.runtime.drivers import open_driver
from nodegraph.runtime.native import crew as native_crew
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.compiled import address
from nodegraph.runtime.player import Player
from tests.runtime import dawdling
from tests.runtime.editing import random_edit, two_paths
from tests.runtime.playing import Sound, assert_same, voices
from tests.runtime.tangles import reckless, tangle

FRAMES = 4_000
Heard = list[tuple[int, str, float]]


def played(
    graph: Graph, threads: int, *, block: int = 64, frames: int = FRAMES, packing: bool = True, seed: int = 0
) -> tuple[Sound, Heard, Player]:
    """What a graph sounds like and says, with controls that ramp and jump inside blocks."""
    player = Player(graph.view, 48_000, inputs=1, outputs=2, threads=threads, packing=packing)
    heard: Heard = []
    choose = random.Random(seed)
    for id, entry in graph.nodes.items():
        if entry.kind == "onset~":
            player.watch(id, "onset", lambda event, id=id: heard.append((event.frame, id, float(event.value))))
        for name in ("cutoff", "freq", "gain", "b"):
            if entry.spec and name in entry.spec.inlet_named and not graph.into(id, name):
                for _ in range(2):
                    value = choose.uniform(0.1, 0.6) * (1.0 if name in ("gain", "b") else 1_000.0)
                    player.messages.post(choose.randrange(frames), id, name, value)
    ins = np.random.default_rng(2).uniform(-0.3, 0.3, (1, frames)).astype(np.float32)
    out = np.zeros((2, frames), np.float32)
    try:
        player.render(out, ins, block=block)
        for trigger in player.engine.triggers():
            heard.append((trigger.frame, trigger.node, trigger.value))
    finally:
        player.close()
    return out, heard, player


def patient(monkeypatch: pytest.MonkeyPatch, life: Callable[..., Any] | None = None) -> None:
    """The audio thread never gives up on a helper: on a busy machine it would play most of it by itself."""
    made = functools.partial(Crew, life=None if life is None else address(life), patience_s=60.0, recovery=0)
    monkeypatch.setattr(engines, "Crew", made)


@pytest.mark.parametrize("seed", range(12))
def test_any_graph_is_the_same_bits_with_any_number_of_threads(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = tangle(seed)
    packing = seed % 3 != 0
    expected, said, _ = played(graph, 1, packing=packing, seed=seed)
    assert np.abs(expected).max() > 1e-4, "silence proves nothing"
    patient(monkeypatch)
    reckless(monkeypatch, None if seed % 2 else seed)
    for threads, block in ((2, 16), (2, 64), (3, 100), (4, 512)):
        found, heard, player = played(graph, threads, block=block, packing=packing, seed=seed)
        assert player.engine.sharing()["tasks"] > 1, "one thread played it"
        assert_same(found, expected, f"graph {seed}, {threads} threads, blocks of {block}")
        assert heard == said, f"messages of graph {seed}, {threads} threads, blocks of {block}"


@pytest.mark.parametrize("late", ["slow", "idle"])
@pytest.mark.parametrize("seed", range(6))
def test_threads_that_dawdle_change_nothing(seed: int, late: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Helpers, and the audio thread itself, stop anywhere for a while; or the audio thread leaves all to the others."""
    graph = tangle(100 + seed)
    expected, said, _ = played(graph, 1, seed=seed)
    finish, render = (
        (dawdling.slow_finish, dawdling.slow_render) if late == "slow" else (dawdling.idle_finish, dawdling.idle_render)
    )
    with monkeypatch.context() as patched:
        patched.setattr(native_crew, "finish", finish)
        slow = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)(address(render))
    monkeypatch.setattr(engines, "native_render", lambda: slow)
    patient(monkeypatch, dawdling.dawdler if late == "slow" else None)
    reckless(monkeypatch, seed)
    for threads in (2, 4):
        found, heard, player = played(graph, threads, seed=seed)
        assert_same(found, expected, f"graph {seed}, {threads} threads that dawdle")
        assert heard == said
        assert player.engine.crew is not None and player.engine.crew.done() > 0, "the helpers did nothing"


@pytest.mark.parametrize("patch", ["b2", "b3", "b5"])
def test_the_benchmark_patches_as_they_are_cut_in_earnest(patch: str) -> None:
    graph = ours.graph(patch)
    expected, _, _ = played(graph, 1, packing=False)
    for threads in (2, 4):
        found, _, _ = played(graph, threads, packing=False)
        assert_same(found, expected, f"{patch}, {threads} threads")


@pytest.mark.parametrize("seed", range(3))
def test_edits_with_fades_are_the_same_bits(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes, cables and modulation come and go; every schedule is cut anew while the last one's tasks are done."""

    def edited(threads: int) -> Sound:
        graph, choose = two_paths(), random.Random(seed)
        player = Player(graph.view, 48_000, outputs=2, threads=threads)
        out = np.zeros((2, 24_000), np.float32)
        try:
            for number, start in enumerate(range(0, out.shape[1], 600)):
                random_edit(graph, choose, number)
                player.edit(graph.view)
                player.render(out[:, start : start + 600], block=choose.choice((16, 64, 200, 512)))
        finally:
            player.close()
        return out

    expected = edited(1)
    patient(monkeypatch)
    reckless(monkeypatch, seed)
    for threads in (2, 3):
        assert_same(edited(threads), expected, f"{threads} threads")


def test_edits_while_a_device_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real time, helpers that dawdle, hundreds of schedules: each is let go of while threads are about."""
    patient(monkeypatch, dawdling.dawdler)
    reckless(monkeypatch, 1)
    graph, choose = two_paths(), random.Random(1)
    player = Player(graph.view, 48_000, outputs=2, threads=3)
    driver = open_driver("null", player.engine, block=64)
    driver.start()
    edits, began = 0, time.monotonic()

    def each() -> None:
        nonlocal edits
        if not player.editing:
            random_edit(graph, choose, edits)
            player.edit(graph.view)
            edits += 1

    try:
        player.live(lambda: time.monotonic() < began + 6.0, each)
    finally:
        driver.stop()
        player.close()
    crew = player.engine.crew
    assert crew is not None
    assert crew.done() > 100
    assert edits > 20
    assert player.engine.counters()["bad"] == 0
    assert not player.engine._retired or len(player.engine._retired) < 10


# -- what it takes


def test_nothing_is_shared_out_that_is_not_worth_it() -> None:
    player = Player(voices(4).view, 48_000, threads=4)
    assert player.engine.sharing() == {"threads": 4, "tasks": 0, "held_up": 0}
    out = np.zeros((2, 2_000), np.float32)
    player.render(out)
    player.close()
    assert player.engine.crew is not None and player.engine.crew.done() == 0
    assert player.status()["threads"] == 4


def test_a_chain_stays_with_one_thread() -> None:
    """However dear it is: each waits for the one before."""
    graph = Graph()
    graph.add("noise~", "n0")
    for k in range(1, 200):
        graph.add("ladder~", f"n{k}")
        graph.connect(f"n{k - 1}.y", f"n{k}.x")
    graph.add("out~", "out")
    graph.connect("n199.y", "out.x")
    player = Player(graph.view, 48_000, threads=2)
    assert player.engine.sharing()["tasks"] == 0
    player.close()


def test_one_thread_has_no_crew() -> None:
    player = Player(voices(4).view, 48_000)
    assert player.engine.crew is None
    assert not player.engine.words[w.CREW]
    player.close()


def test_auto_leaves_small_machines_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in ((1, 1), (2, 1), (3, 1), (4, 2), (6, 3), (8, 4), (64, 4)):
        monkeypatch.setattr(crews, "usable_cores", lambda cores=cores: cores)
        assert thread_count("auto") == threads, f"{cores} cores"
        assert thread_count(3) == 3


@pytest.mark.parametrize("threads", [0, -1, 17, 1.5, True, "many"])
def test_what_is_no_number_of_threads_is_refused(threads: Any) -> None:
    with pytest.raises(PatchError, match="Give 1 to 16"):
        thread_count(threads)


def test_a_helper_that_loses_its_core_costs_one_block_and_then_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = tangle(7)
    expected, _, _ = played(graph, 1)
    reckless(monkeypatch)
    made = functools.partial(Crew, life=address(dawdling.lost), patience_s=0.002, recovery=100_000)
    monkeypatch.setattr(engines, "Crew", made)
    monkeypatch.setattr(engines, "native_render", _leaving_some())
    found, _, player = played(graph, 2)
    assert_same(found, expected, "with a helper that is lost")
    assert player.engine.sharing()["held_up"] >= 1
    crew = player.engine.crew
    assert crew is not None and crew.words[w.C_REST] > 90_000, "the audio thread does not play by itself"


def _leaving_some() -> Callable[[], Any]:
    """The renderer, but the audio thread waits for a helper to come first."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(native_crew, "wake", dawdling.wake_and_wait)
        render = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)(address(dawdling.polite_render))
    return lambda: render


# -- beginning and end


def test_a_crew_ends_when_it_is_told_to_and_the_sound_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    reckless(monkeypatch)
    graph = tangle(3)
    expected, _, _ = played(graph, 1)
    player = Player(graph.view, 48_000, inputs=1, outputs=2, threads=4)
    before = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else None
    player.engine.close()
    player.engine.close()
    if before is not None:
        assert len(os.listdir("/proc/self/task")) == before - 3
    player.close()
    monkeypatch.setattr(engines, "Crew", _ended)
    found, _, _ = played(graph, 4)
    assert_same(found, expected, "by the audio thread alone")


def _ended(helpers: int) -> Crew:
    crew = Crew(helpers)
    crew.close()
    return crew


def test_sleeping_helpers_cost_nothing_and_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    patient(monkeypatch)
    reckless(monkeypatch)
    player = Player(voices(40).view, 48_000, threads=2, packing=False)
    out = np.zeros((2, 64), np.float32)
    crew = player.engine.crew
    assert crew is not None
    asleep = w.C_HELPER + w.K_ASLEEP
    for _ in range(20):
        until = time.monotonic() + 5.0
        while not crew.words[asleep] and time.monotonic() < until:
            time.sleep(0.001)
        assert crew.words[asleep] == 1, "it does not go to sleep"
        player.render(out, block=64)
    until = time.monotonic() + 5.0
    while crew.done() == 0 and time.monotonic() < until:
        player.render(out, block=64)
    assert crew.done() > 0, "it does not wake"
    player.close()


PROGRAM = """
import numpy as np
from nodegraph.runtime.player import Player
from tests.runtime.playing import voices
player = Player(voices(40).view, 48_000, threads=3)
player.render(np.zeros((2, 2_000), np.float32))
print("played")
{end}
"""


@pytest.mark.parametrize("end", ["", "player.close()", "raise SystemExit(3)", "import os; os.fork() or os._exit(0)"])
def test_a_process_ends_with_its_helpers(end: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(end=end)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith("played")
    assert done.returncode == (3 if "3" in end else 0), done.stderr


def test_helpers_take_the_audio_threads_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "sched_setscheduler"):
        pytest.skip("this system has no sched_setscheduler")
    given = []
    monkeypatch.setattr(os, "sched_getscheduler", lambda thread: os.SCHED_FIFO)
    monkeypatch.setattr(os, "sched_getparam", lambda thread: os.sched_param(7))
    monkeypatch.setattr(os, "sched_setscheduler", lambda *call: given.append(call))
    player = Player(voices(4).view, 48_000, threads=3)
    player.render(np.zeros((2, 2_000), np.float32))
    until = time.monotonic() + 5.0
    while not given and time.monotonic() < until:
        player.advance()
        time.sleep(0.001)
    threads = {one for one, _, _ in given}
    assert len(threads) == 2 and all(policy == os.SCHED_FIFO for _, policy, _ in given)
    if os.path.isdir("/proc/self/task"):
        assert threads <= {int(name) for name in os.listdir("/proc/self/task")}
    player.close()
