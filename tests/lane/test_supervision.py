"""Whatever befalls a worker, answers come back, nobody waits for ever, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soxr

from tests.lane.company import PATIENCE_S, RATE, alive, noise, soon_s, until
from tests.lane.fake_listeners import ChunkListener, ClipListener, LoadTrouble, Trouble

ROOT = Path(__file__).parents[2]


def test_after_kill_9_open_requests_fail_and_answers_come_back_within_3_s(make) -> None:
    company = make()
    company.add("ears", ClipListener.spec)
    company.add("waits", ClipListener.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    assert company.answer("ears", 1, 4_800).ok
    company.ask("waits", 1, 4_800)  # its sound never comes
    pid = company.lane.pid
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    (lost,) = company.collect(1)
    assert (lost.node, lost.number, lost.ok) == ("waits", 1, False)
    assert lost.error == "the worker was ended by SIGKILL"
    company.ask("ears", 2, 4_801)
    (answer,) = company.collect(1)
    assert answer.ok and answer.number == 2
    back = time.monotonic() - killed
    assert back < soon_s("numpy, soxr"), f"answers came back after {back:.1f} s"
    assert company.lane.pid != pid
    status = company.lane.status()
    assert {node: (item.state, item.restarts) for node, item in status.items()} == {
        "ears": ("ready", 1), "waits": ("ready", 1),
    }  # fmt: skip
    assert status["waits"].misses == 1


def test_after_a_restart_a_flow_of_chunks_goes_on_from_the_last_request(make) -> None:
    company = make()
    company.add("flow", ChunkListener.spec)
    company.ready()
    sound = noise(RATE)
    company.hear("flow", sound)
    before = company.answer("flow", 1, 10_000)
    os.kill(company.lane.pid, signal.SIGKILL)
    until(lambda: company.lane.status()["flow"].restarts == 1, "the crash was seen")
    after = company.answer("flow", 2, 40_000)
    assert before.ok and after.ok
    counts = [(stamp, value) for outlet, stamp, value in after.items if outlet == "count"]
    assert counts[:2] == [(10_000 + 1_536, 1), (10_000 + 2 * 1_536, 2)], "it was not told to forget, or began elsewhere"
    chunks = np.concatenate([value for outlet, _, value in after.items if outlet == "chunk"])
    np.testing.assert_array_equal(chunks, soxr.resample(sound[0, 10_000:], RATE, 16_000)[: len(chunks)])


@pytest.mark.parametrize("how", ["stopped", "endless"])
def test_a_worker_that_hangs_is_ended_and_comes_back(make, how) -> None:
    company = make(hang_s=1.5 if how == "endless" else PATIENCE_S)
    company.add("ears", Trouble.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    pid = company.lane.pid
    if how == "stopped":
        os.kill(pid, signal.SIGSTOP)
    company.ask("ears", 1, 4_800, what=0 if how == "stopped" else 3)
    (lost,) = company.collect(1)
    told = "gave no answer" if how == "endless" else "was held up from outside"
    assert not lost.ok and f"the worker {told} for 1.5 s" in lost.error
    assert ("while 'ears' heard the sound up to frame 4800" in lost.error) == (how == "endless")
    assert not alive(pid)
    assert company.answers_again("ears", 2, 4_801).ok
    assert company.lane.status()["ears"].restarts >= 1


def test_a_model_that_wants_more_memory_than_there_is_is_told_and_answers_again(make) -> None:
    company = make()
    company.add("ears", Trouble.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    lost = company.answer("ears", 1, 4_800, what=8)
    assert not lost.ok and "MemoryError" in lost.error
    assert company.answer("ears", 2, 4_801).ok


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can say it")
def test_where_memory_runs_out_the_worker_goes_first(make) -> None:
    company = make()
    company.add("ears", ClipListener.spec)
    company.ready()
    scores = [int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in (company.lane.pid, os.getpid())]
    assert scores[0] == 500 > scores[1]


def test_waiting_for_sound_is_no_hang(make) -> None:
    hang_s = 0.1
    company = make(hang_s=hang_s)
    company.add("waits", ClipListener.spec)
    company.ready()
    company.ask("waits", 0, 4_800)
    assert not company.lane.wait(5 * hang_s), "something happened while there was nothing to answer"
    status = company.lane.status()["waits"]
    assert (status.restarts, status.pending, status.state) == (0, 1, "ready")


def test_a_crash_in_a_model_names_the_node_and_quotes_what_it_printed(make) -> None:
    company = make()
    company.add("ears", Trouble.spec)
    company.add("fine", ClipListener.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    company.hear("fine", noise(RATE))
    lost = company.answer("ears", 1, 4_800, what=2)
    assert not lost.ok
    assert lost.error.startswith("the worker was ended by SIGSEGV: ")
    assert "Fatal Python error: Segmentation fault" in lost.error
    assert lost.error.endswith("(while 'ears' heard the sound up to frame 4800)")
    assert "about to crash" in company.lane.log()
    assert company.answer("fine", 1, 4_800).ok
    assert "while" not in company.lane.status()["fine"].error, "the other node is not to blame"


def test_a_node_that_crashes_every_time_is_left_out_and_the_others_go_on(make) -> None:
    company = make()
    company.add("ears", Trouble.spec)
    company.add("fine", ClipListener.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    company.hear("fine", noise(RATE))
    for number in range(3):
        assert not company.answer("ears", number, 4_800 + number, what=2).ok
    assert company.state("ears") == "failed"
    assert "3 times in a row and is left out from now on" in company.lane.status()["ears"].error
    assert company.answer("fine", 1, 4_800).ok
    assert not company.answer("ears", 3, 4_803).ok
    assert company.state("fine") == "ready"


def test_an_answer_in_between_wipes_the_slate(make) -> None:
    company = make()
    company.add("ears", Trouble.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    for number, what in enumerate((2, 2, 0, 2, 0)):
        assert company.answer("ears", number, 4_800 + number, what=what).ok == (what == 0)
    assert company.state("ears") == "ready"


def test_a_model_that_crashes_the_worker_while_loading_is_left_out(make, weights) -> None:
    weights.write_text("crash")
    company = make()
    company.add("bad", LoadTrouble.spec)
    company.add("good", ClipListener.spec)
    company.ready()
    assert company.state("bad") == "failed" and company.state("good") == "ready"
    assert company.lane.status()["bad"].restarts == 3
    company.hear("good", noise(4_800))
    assert company.answer("good", 1, 4_800).ok


def test_three_crashes_in_a_row_make_the_next_start_wait(make) -> None:
    company = make()
    company.add("ears", ClipListener.spec)
    company.ready()
    for crash in range(1, 4):
        until(lambda: company.lane.pid is not None, "there is a worker")
        killed = time.monotonic()
        os.kill(company.lane.pid, signal.SIGKILL)
        until(lambda: company.lane.status()["ears"].restarts == crash, "the crash was seen")  # noqa: B023
    assert company.state("ears") == "restarting"
    company.ready()
    assert time.monotonic() - killed >= 1.0, "a crash loop must not eat the processor"


def test_a_worker_that_never_finishes_loading_is_ended(make) -> None:
    company = make(load_s=0.004)
    company.add("ears", ClipListener.spec)
    company.lane.start()
    until(lambda: company.lane.status()["ears"].restarts or company.lane._supervisor._crashes, "it was ended")


def test_ctrl_c_is_the_engines_matter(make) -> None:
    company = make()
    company.add("ears", ClipListener.spec)
    company.ready()
    company.hear("ears", noise(4_800))
    pid = company.lane.pid
    os.kill(pid, signal.SIGINT)
    assert company.answer("ears", 1, 4_800).ok
    assert company.lane.pid == pid


def test_closing_leaves_no_process_no_memory_and_no_open_file(make) -> None:
    before = set(os.listdir("/dev/fd"))
    company = make()
    company.add("ears", Trouble.spec)
    company.add("clip", ClipListener.spec)
    company.ready()
    pid = company.lane.pid
    company.hear("ears", noise(RATE))
    company.ask("ears", 1, 4_800, what=3)  # it never returns
    company.lane.close()
    assert not alive(pid)
    for ring in company.rings.values():
        ring.close()
    assert set(os.listdir("/dev/fd")) == before
    if sys.platform == "linux":
        assert "nodegraph-ring" not in Path("/proc/self/maps").read_text()


ENGINE = """
import sys
from pathlib import Path
import numpy as np
from nodegraph.runtime.lane import Lane, Ring
from tests.lane.fake_listeners import Trouble
lane = Lane(48_000, lambda name: {"text": Path(sys.argv[1])}, modules=["tests.lane.fake_listeners"])
ring = Ring(1, 1 << 18)
lane.add("ears", Trouble.spec, {}, {}, ring)
assert lane.wait_ready(30.0)
if sys.argv[2] == "busy":
    ring.write(0, np.ones((1, 4_800), np.float32))
    lane.request("ears", 1, 4_800, {"what": 3.0})
    while not ring.busy:
        pass
print(lane.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("doing", ["idle", "busy"])
def test_the_worker_ends_with_the_engine_however_that_ends(weights, doing) -> None:
    shared = Path("/dev/shm")
    before = set(shared.iterdir()) if shared.exists() else set()
    command = [sys.executable, "-c", ENGINE, str(weights), doing]
    engine = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert engine.stdout is not None
        pid = int(engine.stdout.readline())
        assert alive(pid)
        engine.send_signal(signal.SIGKILL)
        engine.wait(PATIENCE_S)
        until(lambda: not alive(pid), "the worker has followed the engine")
        assert (set(shared.iterdir()) if shared.exists() else set()) <= before, "shared memory was left behind"
    finally:
        engine.kill()
        engine.communicate()
