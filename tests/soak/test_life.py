"""An installation that is killed, stopped and killed while it saves: it comes back as it was, in time."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.headless.conftest import ROOT, TONE, Service, until
from tests.soak.length import WHOLE, length, report

KILLS: Final = length(5, 100)
STOPS: Final = length(3, 100)
SAVES: Final = length(50, 1_000)
BACK_S: Final = 5.0
"""Measured in the whole length, on a machine that does nothing else; a loaded one is only asked to come back."""
MOVED: Final = {"/patch/osc/freq": 441.5, "/patch/level/gain": 0.125}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    patch = tmp_path / "tone.ng"
    patch.write_text(TONE)
    found = Service(patch, tmp_path / "state")
    yield found
    found.close()


def advancing(service: Service, restarts: int) -> dict[str, object]:
    """What an engine says that was started again so often, and whose sound goes on."""
    health = service.health()
    if health.get("restarts", -1) < restarts or health["mode"] != "playing" or health["frames"] < 4_800:
        return {}
    return health


@pytest.mark.parametrize(("number", "times"), [(signal.SIGKILL, KILLS), (signal.SIGSTOP, STOPS)], ids=["kill", "stop"])
def test_the_sound_comes_back_as_it_was(service: Service, number: int, times: int) -> None:
    service.start("--autostart")
    service.playing()
    assert service.end()[0] == 0
    clock = {"on": 1.0, "tempo": 97.0, "beat": 0.0}
    kept = service.state() | {"values": MOVED, "preset": "dawn", "clock": clock}
    service.place.state.write_text(json.dumps(kept))
    patience = () if WHOLE else ("--patience", "4")
    service.start("--autostart", "--safe-after", "0", "--autosave", "0.5", *patience)
    service.playing()
    took: list[float] = []
    restarts = 0
    for _ in range(times):
        # installations do not die twice a second
        until(lambda next=restarts + 1: service.spare_ready(next), "a spare engine", 120.0)
        before = service.state()["at"]
        began = time.monotonic()
        os.kill(service.engine(), number)
        health = until(lambda least=restarts + 1: advancing(service, least), f"sound; {service.log()}", 120.0)
        took.append(time.monotonic() - began)
        restarts = int(str(health["restarts"]))
        assert health["preset"] == "dawn"
        state = until(lambda old=before: (found := service.state())["at"] > old and found, "a state of the new engine")
        assert state["values"] == MOVED and state["preset"] == "dawn" and state["clock"]["tempo"] == 97.0
    took.sort()
    report(
        f"{signal.Signals(number).name}, {times} times: sound back after {took[0]:.2f} to {took[-1]:.2f} s,"
        f" median {took[len(took) // 2]:.2f} s, {sum(one >= BACK_S for one in took)} of them {BACK_S:g} s or more"
    )
    if WHOLE:
        assert took[-1] < BACK_S, took
        assert restarts == times, "no engine was ended that nobody had harmed"
    assert service.end()[0] == 0
    assert service.state()["values"] == MOVED


KILLED_SAVES = """
import json, mmap, os, random, signal, sys, time
from pathlib import Path
from nodegraph import Patch
from nodegraph.headless.keeping import Keeper
from nodegraph.headless.state import Snapshots, read
from nodegraph.session.session import Session

path, patch, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
chance = random.Random(7)
told = mmap.mmap(-1, 8)  # shared with the one that saves: how far it has got for certain
session = Session(Patch.open(patch))
session.parameters
unreadable, lost, first = 0, 0, 0
for number in range(times):
    os.sched_yield()
    ready, ready_end = os.pipe()
    child = os.fork()
    if not child:
        keeper = Keeper(Snapshots(session), path, lambda level, text: os.write(2, text.encode()))
        count = first
        while True:
            count += 1
            session.set("osc.freq", 20.0 + count * 0.001)
            if count % 7 == 0:
                session.edit([{"do": "set", "node": "level", "values": {"gain": (count % 100) / 100}}])
            if keeper.keep():
                told[:] = count.to_bytes(8, "little")
            if count == first + 1:
                os.write(ready_end, b"x")
    os.read(ready, 1)
    time.sleep(chance.uniform(0.0, 0.012))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready)
    os.close(ready_end)
    certain = int.from_bytes(told[:], "little")
    try:
        state = read(path)
        found = round((state.values["/patch/osc/freq"] - 20.0) / 0.001)
        lost += found < certain
        first = max(found, certain)
    except Exception as error:
        unreadable += 1
        sys.stderr.write(f"{error}\\n")
left = len(list(path.parent.glob(".state.json.*.tmp")))
print(json.dumps({"unreadable": unreadable, "lost": lost, "saves": first, "left": left}))
"""


def test_a_death_while_it_saves_loses_no_state(tmp_path: Path) -> None:
    (tmp_path / "tone.ng").write_text(TONE)
    (tmp_path / "state").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLED_SAVES, str(tmp_path / "state/state.json"), str(tmp_path / "tone.ng"), str(SAVES)],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    report(f"{SAVES} deaths among {found['saves']} saves: {found['unreadable']} files unreadable, {found['lost']} lost")
    assert found["saves"] >= SAVES
    assert (found["unreadable"], found["lost"]) == (0, 0), done.stderr
    assert found["left"] <= 1, "what a killed one leaves beside is removed by the next"


def test_at_most_one_interval_is_lost(tmp_path: Path) -> None:
    """The engine is killed at any time after a change: what is kept is not older than one interval (and the save)."""
    patch = tmp_path / "counter.ng"
    patch.write_text(
        '{"nodegraph": 1, "nodes": {"clock": {"kind": "every", "beats": 0.125},'
        ' "osc": {"kind": "sine~"}, "out": {"kind": "out~"}}, "cables": ["clock.count -> osc.freq", "osc.y -> out.x"]}'
    )
    service = Service(patch, tmp_path / "state")
    interval = 0.5
    try:
        service.start("--autostart", "--safe-after", "0", "--autosave", str(interval))
        ages = []
        chance = random.Random(5)
        for restarts in range(length(2, 20)):
            service.playing(restarts=restarts)
            first = service.state()["at"]
            until(lambda old=first: service.state()["at"] > old, "a state that is newer")
            time.sleep(chance.uniform(0.0, 2.0 * interval))  # at any time, to be unkind
            os.kill(service.engine(), signal.SIGKILL)
            ages.append(time.time() - service.state()["at"])
        report(f"kept states were {max(ages):.2f} s old at most, of an interval of {interval} s")
        if WHOLE:
            assert max(ages) < 2 * interval
    finally:
        service.close()
