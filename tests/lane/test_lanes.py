"""Two workers: one for what must answer soon, one for what takes its time. They do not wait for one another."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nodegraph.core.listening import Chunks, Clip, Workers
from nodegraph.core.registry import registry
from nodegraph.runtime.lane import Answer, Lanes, Ring, ring_frames
from nodegraph.runtime.lane.lanes import in_haste, threads_for
from tests.lane.company import PATIENCE_S, RATE, alive, noise, until
from tests.lane.fake_listeners import ChunkListener, Trouble

MODULES = ["tests.lane.fake_listeners"]


class Both:
    """A listener that thinks as long as it wants, and one that has little time."""

    def __init__(self, weights: Path, workers: Workers) -> None:
        self.lanes = Lanes(RATE, lambda name: {"text": weights}, workers, MODULES)
        self.rings: dict[str, Ring] = {}
        self.answers: list[Answer] = []

    def add(self, node: str, cls: Any) -> None:
        ring = self.rings[node] = Ring(1, ring_frames(cls.hears, RATE))
        self.lanes.add(node, cls.spec, cls.hears, {}, {"what": 0.0}, ring)
        ring.write(0, noise(RATE // 8))

    def ask(self, node: str, number: int, end_frame: int, **controls: float) -> None:
        self.lanes.request(node, number, end_frame, controls)

    def answered(self, node: str) -> bool:
        self.answers += self.lanes.poll()
        return any(answer.node == node for answer in self.answers)

    def close(self) -> None:
        self.lanes.close()
        for ring in self.rings.values():
            ring.close()


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    (tmp_path / "weights.txt").write_text("bell", encoding="utf-8")
    found = Both(tmp_path / "weights.txt", Workers())
    found.add("slow", Trouble)
    found.add("quick", ChunkListener)
    assert found.lanes.wait_ready(PATIENCE_S), found.lanes.status()
    yield found
    found.close()


def test_who_has_little_time_waits_for_nobody_who_thinks(both: Both, tmp_path: Path) -> None:
    both.ask("slow", 1, 4_800, what=9.0)
    both.ask("quick", 1, 4_800)
    until(lambda: both.answered("quick"), "the quick one answers")
    assert not both.answered("slow"), "the other one thinks still"
    (tmp_path / "go").touch()
    until(lambda: both.answered("slow"), "the slow one answers")
    assert all(answer.ok for answer in both.answers), both.answers


def test_one_dies_and_the_other_does_not(both: Both) -> None:
    quick, slow = (both.lanes._of[node].pid for node in ("quick", "slow"))
    assert quick and slow and quick != slow and sorted(both.lanes.pids) == sorted([quick, slow])
    os.kill(slow, signal.SIGKILL)
    both.ask("quick", 1, 4_800)
    until(lambda: both.answered("quick"), "the quick one answers")
    until(lambda: both.lanes.status()["slow"].restarts == 1, "the slow one comes back")
    assert both.lanes.status()["quick"].restarts == 0 and alive(quick) and both.answers[-1].ok
    until(lambda: len(both.lanes.pids) == 2, "both are there")
    assert slow not in both.lanes.pids and quick in both.lanes.pids


def test_each_worker_says_whom_it_serves_and_how_it_is(both: Both) -> None:
    soon, steady = both.lanes.workers_status()
    assert (soon["lane"], soon["nodes"], soon["threads"]) == ("soon", ["quick"], 1)
    assert (steady["lane"], steady["nodes"]) == ("steady", ["slow"]) and steady["pid"] in both.lanes.pids
    assert soon["restarts"] == steady["restarts"] == 0 and steady["memory_mb"] >= 0.0
    os.kill(steady["pid"], signal.SIGKILL)
    until(lambda: both.lanes.workers_status()[1]["restarts"] == 1, "the slow one comes back")
    assert both.lanes.workers_status()[0]["restarts"] == 0
    both.lanes.remove("quick")
    assert both.lanes.workers_status()[0]["nodes"] == []


def test_they_may_hold_their_memory_together(both: Both, tmp_path: Path) -> None:
    held = both.lanes.resident_bytes / 1e6
    if held == 0:
        pytest.skip("this system does not say what a process holds")
    tight = Both(tmp_path / "weights.txt", Workers(memory_mb=0.75 * held))
    try:
        tight.add("slow", Trouble)
        assert tight.lanes.wait_ready(PATIENCE_S) and tight.lanes.status()["slow"].state == "ready"
        tight.add("quick", ChunkListener)
        assert tight.lanes.wait_ready(PATIENCE_S) and tight.lanes.status()["quick"].state == "unloaded"
        assert "--models-memory" in tight.lanes.status()["quick"].error
        assert both.lanes.status()["slow"].state == "ready", "others have memory of their own"
    finally:
        tight.close()


def test_names_follow_and_what_goes_is_gone(both: Both) -> None:
    both.lanes.rename({"quick": "fast"})
    both.ask("fast", 1, 4_800)
    until(lambda: both.answered("fast"), "it answers by its new name")
    both.lanes.remove("fast")
    both.lanes.remove("fast")
    assert set(both.lanes.status()) == {"slow"}


def test_little_time_has_who_hears_small_pieces() -> None:
    assert in_haste(Chunks(samples=480, rate=48_000)) and not in_haste(Chunks(samples=48_000, rate=48_000))
    assert not in_haste(Clip(seconds=0.1, rate=16_000, hop_s=0.05))
    hasty = {spec.kind for spec in registry() if in_haste(getattr(spec.cls, "hears", None))}
    assert {"denoise~", "rave~", "nn~", "encodec~", "encodec.decode~", "vad~", "pitch.swift~"} <= hasty
    assert not hasty & {"ast.tag~", "clap.query~", "wav2vec2~", "encodec48.encode~", "yamnet.tag~", "text.embed"}


def test_the_sound_keeps_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, wanted in ((1, 1), (2, 1), (3, 2), (5, 4), (64, 4)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)), raising=False)
        assert threads_for(False, None) == wanted and threads_for(True, None) == 1
    assert threads_for(False, 6) == 6 and threads_for(True, 6) == 1
