"""Models give their memory back when their node goes, and idle ones go for others when there is a budget."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import tests.lane.fake_streams as fakes
from nodegraph.core.listening import Files
from nodegraph.models import Store
from nodegraph.nodes.analysis.embeddings import SoundEffectEmbedding
from nodegraph.nodes.analysis.voice import VoiceActivity
from nodegraph.runtime.lane import Lane, Ring
from nodegraph.runtime.lane.budget import IDLE_S, Keeper, file_bytes
from nodegraph.runtime.lane.listener import Listener
from nodegraph.runtime.lane.streams import header, stream_ring
from nodegraph.runtime.lane.worker import Worker
from tests.lane.company import RATE, Company, noise, until
from tests.lane.fake_listeners import Heavy
from tests.models.weights import fetched

MB = 150.0

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux says what a process holds")


@pytest.fixture
def resolve(tmp_path: Path) -> Any:
    """Two models of 150 MB each."""
    for which in ("heavy-a", "heavy-b"):
        (tmp_path / which).write_text(f"{MB:g}")
    return lambda name: {"text": tmp_path / name}


def heavy(company: Company, node: str, which: str) -> None:
    ring = company.rings[node] = Ring(1, 1 << 17)
    company.lane.add(node, Heavy.spec, {"which": which}, {}, ring)
    company.hear(node, noise(RATE))


def holds(company: Company) -> float:
    return company.lane.resident_bytes / 1e6


def said(answer: Any) -> list[Any]:
    assert answer.ok, answer.error
    return [value for outlet, _, value in answer.items if outlet == "holds"]


def test_a_node_that_goes_gives_its_memory_back(make: Any, resolve: Any) -> None:
    company = make(resolve)
    heavy(company, "one", "a")
    heavy(company, "two", "b")
    company.ready()
    both = holds(company)
    company.lane.remove("two")
    until(lambda: holds(company) < both - 0.9 * MB, f"the worker holds less than {both:.0f} MB")
    assert said(company.answer("one", 1, 4_800)) == [MB]


def test_a_real_model_goes_with_its_last_node() -> None:
    """Two nodes share one model of 19 MB: it is there once, and stays while one of them does."""
    store = Store()
    for name in ("sound-effects", "silero-vad"):
        fetched(store, name)
    size = file_bytes([str(store.files("sound-effects")["model"])]) / 1e6
    company = Company(Lane(RATE, store.files))
    try:
        for node, spec in (("voice", VoiceActivity.spec), ("one", SoundEffectEmbedding.spec)):
            company.add(node, spec)
        company.ready()
        one = holds(company)
        company.add("two", SoundEffectEmbedding.spec)
        company.ready()
        assert holds(company) < one + 0.3 * size, "they share it"
        company.lane.remove("one")
        company.hear("two", noise(3 * RATE))
        assert company.answer("two", 1, 3 * RATE).ok
        company.lane.remove("two")
        until(lambda: holds(company) < one - 0.8 * size, f"the worker holds {0.8 * size:.0f} MB less than {one:.0f}")
        company.hear("voice", noise(RATE))
        assert company.answer("voice", 1, RATE).ok
    finally:
        company.lane.close()
        for ring in company.rings.values():
            ring.close()


def test_what_does_not_fit_waits_until_another_one_is_idle(make: Any, resolve: Any) -> None:
    probe = make(resolve)
    heavy(probe, "one", "a")
    probe.ready()
    budget = holds(probe) + 0.5 * MB  # one fits, two do not
    probe.lane.close()

    company = make(resolve, memory_mb=budget)
    heavy(company, "one", "a")
    company.ready()
    assert said(company.answer("one", 1, 4_800)) == [MB]
    heavy(company, "two", "b")
    assert company.lane.wait_ready(60.0)
    assert company.state("two") == "unloaded" and company.state("one") == "ready"
    refused = company.answer("two", 1, 4_800)
    assert not refused.ok and "no room for its model" in refused.error and "--models-memory" in refused.error
    assert "no room" in company.lane.status()["two"].error and company.lane.status()["two"].misses == 1
    assert holds(company) <= budget
    assert said(company.answer("one", 2, 4_801)) == [MB], "the other one goes on"

    time.sleep(IDLE_S + 0.1)
    assert said(company.answer("two", 2, 4_801)) == [MB], "its place was taken: it had been idle"
    assert company.state("one") == "unloaded" and "idle" in company.lane.status()["one"].error
    assert holds(company) <= budget
    assert not company.answer("one", 3, 4_802).ok
    time.sleep(IDLE_S + 0.1)
    assert said(company.answer("one", 4, 4_803)) == [MB], "and back"
    assert company.lane.status()["one"].misses == 1 and company.lane.status()["one"].restarts == 0
    assert holds(company) <= budget


def test_one_that_can_never_fit_says_so(make: Any, resolve: Any) -> None:
    company = make(resolve, memory_mb=60.0)
    heavy(company, "one", "a")
    assert company.lane.wait_ready(60.0) and company.state("one") == "unloaded"
    answer = company.answer("one", 1, 4_800)
    assert not answer.ok and "may hold 60 MB" in answer.error
    assert holds(company) < MB


class Told:
    """A door that takes all that is said."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def send(self, message: Any) -> bool:
        self.said.append(message)
        return True


def test_a_stream_that_comes_back_begins_anew_and_says_nothing_of_its_warm_up() -> None:
    ring, stream = Ring(1, 1 << 16), stream_ring(1, fakes.Halved, RATE)
    order = {
        "kind": "test.halved~", "controls": {}, "settings": {}, "folder": "", "files": {"model": "x"}, "on_gpu": {},
        "version": "", "gpu_version": "", "start": 0, "said": [], "lasting": [],
    }  # fmt: skip
    worker = Worker(cast(Any, Told()), os.getppid())
    worker.rate, worker.device, worker.modules = RATE, "cpu", ["tests.lane.fake_streams"]
    listener = Listener(1, "model", "test.halved~", ring, order, stream=stream)
    worker.listeners[1] = listener
    try:
        worker._load(listener)
        worker._weigh(worker.came.get())
        sound = noise(4_800)
        ring.write(0, sound)
        assert listener.ear and listener.node and listener.outflow
        worker._heed({"do": "listen", "key": 1, "request": [1, 2_400, {}], "sent": 0.0, "late_after": None, "said": []})
        worker._answer(listener)
        assert stream.written == 2_400
        worker._unload(listener.models, "why")
        assert listener.asleep and listener.node is None and not listener.due()
        worker._heed({"do": "listen", "key": 1, "request": [2, 4_800, {}], "sent": 0.0, "late_after": None, "said": []})
        assert worker.to_load.get() is listener and not listener.asleep
        worker._load(listener)
        worker._weigh(worker.came.get())
        assert stream.written == 2_400, "the silence of its warm-up was laid into the sound"
        worker._answer(listener)
        assert stream.written == 4_800 and listener.node.so_far == 5, "it was reset, and went on where it had stopped"
        np.testing.assert_array_equal(stream.read(0, 4_800), 0.5 * sound)
        assert header(stream)[2] == 2_400, "a new segment: the sound fades out and in"
        states = [message["state"] for message in worker.door.said if message["say"] == "state"]  # type: ignore[attr-defined]
        assert states == ["loading", "warming", "ready", "unloaded", "loading", "warming", "ready"]
    finally:
        ring.close()
        stream.close()


def test_what_lasts_is_told_again_to_a_model_that_comes_back() -> None:
    ring = Ring(1, 1 << 16)
    order = {
        "kind": "test.prompted~", "controls": {}, "settings": {}, "folder": "", "files": {"model": "x"}, "on_gpu": {},
        "version": "", "gpu_version": "", "start": 0, "said": [], "lasting": ["say"],
    }  # fmt: skip
    worker = Worker(cast(Any, Told()), os.getppid())
    worker.rate, worker.device, worker.modules = RATE, "cpu", ["tests.lane.fake_streams"]
    listener = worker.listeners[1] = Listener(1, "model", "test.prompted~", ring, order)
    try:
        worker._load(listener)
        worker._weigh(worker.came.get())
        ring.write(0, noise(9_600))
        for number, word in ((1, "one"), (2, None), (3, "three")):
            said = [] if word is None else [["say", 2_400 * number - 1, word]]
            request = {"request": [number, 2_400 * number, {}], "sent": 0.0, "late_after": None, "said": said}
            worker._heed({"do": "listen", "key": 1} | request)
            if number == 2:
                worker._answer(listener)
                worker._answer(listener)
                worker._unload(listener.models, "why")
        assert worker.to_load.get() is listener
        worker._refuse(listener, "no room: what was said with the request is learned all the same")
        worker._load(listener)
        assert cast(Any, listener.node).word[0] == "three"
    finally:
        ring.close()


def one(models: str, used: float, ready: bool = True) -> Any:
    return SimpleNamespace(models=frozenset({models} if models else ()), used=used, ready=ready)


@pytest.mark.parametrize(
    ("loaded", "goes"),
    [
        ([("a", 10.0), ("b", 20.0), ("c", 99.0)], "a"),  # the longest unused
        ([("a", 10.0), ("a", 99.0), ("b", 20.0)], "b"),  # a is shared, and one of its nodes was asked just now
        ([("a", 98.0), ("b", 99.0)], None),  # all are used
        ([("new", 10.0), ("b", 96.0)], None),  # it is the one that came
        ([("", 10.0), ("b", 20.0)], "b"),  # one without files gives nothing back
        ([("a", 10.0, False), ("b", 20.0)], "b"),  # it is being loaded
    ],
)
def test_the_longest_unused_goes(loaded: list[Any], goes: str | None) -> None:
    gone: list[str] = []
    keeper = Keeper(1.0, {}, lambda models, text: gone.append(*models))
    keeper._listeners = dict(enumerate(one(*item) for item in loaded))
    found = keeper._idlest(100.0, frozenset({"new"}))
    assert (found is None) == (goes is None) and (found is None or found == {goes})


def test_without_a_budget_nothing_goes() -> None:
    keeper = Keeper(None, {0: one("a", 0.0)}, lambda models, text: pytest.fail("it went"))
    assert keeper.refused(frozenset("b"), 1e9) == "" and keeper.weighed(frozenset("b"), 1e9) == ""


def test_which_version_a_node_has_is_told(make: Any, tmp_path: Path) -> None:
    """On a GPU that is not there the version for it is not used, and the line says what models run on."""
    (tmp_path / "cpu").write_text("1")
    (tmp_path / "gpu").write_text("2")

    def resolve(name: str) -> Files:
        files = Files({"text": tmp_path / "cpu"})
        files.on_gpu["text"] = tmp_path / "gpu"
        files.version, files.gpu_version, files.note = "int8", "fp16", "something to be said."
        return files

    company = make(resolve, device="cuda:7")
    heavy(company, "one", "a")
    company.ready()
    status = company.lane.status()["one"]
    assert said(company.answer("one", 1, 4_800)) == [1.0] and status.version == "int8"
    assert status.note == "something to be said."
    assert company.lane.runs_on.startswith("cpu: cuda:7 was asked for, but cuda:7")
