"""A lane answers what it is asked: the same bits however fast things run, and nothing else is disturbed by it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soxr

from nodegraph.core import Note, Tag, WeightsMissing, WorkerError
from nodegraph.nodes.filters import OnePole
from nodegraph.runtime.lane import Lane, Ring
from tests.lane.company import PATIENCE_S, RATE, noise, until
from tests.lane.fake_listeners import ChunkListener, ClipListener, LoadTrouble, Trouble

ROOT = Path(__file__).parents[2]


def as_bytes(items):
    return [
        (outlet, stamp, value.tobytes() if isinstance(value, np.ndarray) else value) for outlet, stamp, value in items
    ]


def test_a_clip_is_answered_with_what_was_heard_and_said(make) -> None:
    company = make()
    company.add("ears", ClipListener.spec, {"gain": 1.0})
    company.ready()
    sound = noise(RATE)
    company.hear("ears", sound)
    answer = company.answer("ears", 7, 24_000, gain=2.5)
    assert answer.ok and answer.error == ""
    clip = soxr.resample(sound[0, 24_000 - 4_800 : 24_000], RATE, 16_000)
    items = answer.items
    assert as_bytes(items[:1]) == [("clip", 24_000, clip.tobytes())]
    level = float(np.sqrt(np.mean(clip**2, dtype=np.float64)))
    assert items[1:] == [
        ("level", 24_000, level),
        ("said", 24_000, Tag("bell", 2.5)),
        ("said", 24_000 + 480, (1, "two")),
        ("said", 24_000 + 2_400, Note(60.0, 0.5)),
    ]


def test_a_flow_of_chunks_is_answered_chunk_by_chunk_at_their_own_times(make) -> None:
    company = make()
    company.add("flow", ChunkListener.spec)
    company.ready()
    sound = noise(RATE)
    company.hear("flow", sound)
    items = []
    for number, end in enumerate((100, 5_000, 30_000, 48_000)):
        items += company.answer("flow", number, end).items
    chunks = [value for outlet, _, value in items if outlet == "chunk"]
    whole = soxr.resample(sound[0], RATE, 16_000)
    np.testing.assert_array_equal(np.concatenate(chunks), whole[: 512 * len(chunks)])
    counts = [(stamp, value) for outlet, stamp, value in items if outlet == "count"]
    assert counts == [(1_536 * k, k) for k in range(1, len(chunks) + 1)]
    assert len(chunks) >= 29, "one second has 31 chunks, and the resampler holds back 37 ms"


@pytest.mark.parametrize("kind", [ClipListener, ChunkListener])
def test_answers_are_the_same_bits_whenever_sound_and_requests_come(make, kind) -> None:
    """Sound first; requests first; both in random pieces."""
    company = make()
    sound = noise(2 * RATE)
    ends = np.cumsum(np.random.default_rng(3).integers(1, 6_000, 30)).tolist()
    sequences = ["sound first", "requests first", "mixed 1", "mixed 2"]
    for node in sequences:
        company.add(node, kind.spec)
    company.ready()
    for node in sequences:
        random = np.random.default_rng(len(node) + ord(node[-1]))
        todo = list(enumerate(ends))
        written = 0
        while todo or written < sound.shape[1]:
            ask = {"sound first": False, "requests first": True}.get(node, bool(random.integers(2)))
            if todo and (ask or written == sound.shape[1]):
                number, end = todo.pop(0)
                company.ask(node, number, end, gain=number / 10)
            elif written < sound.shape[1]:
                frames = int(random.integers(1, 9_000))
                company.hear(node, sound[:, written : written + frames], written)
                written = min(sound.shape[1], written + frames)
                company.lane.wait(0.001 * random.random())
    answers = company.collect(len(sequences) * len(ends))
    said = {
        node: [(answer.number, answer.end_frame, as_bytes(answer.items)) for answer in answers if answer.node == node]
        for node in sequences
    }
    assert [number for number, _, _ in said["sound first"]] == list(range(len(ends))), "answers came out of order"
    assert sum(len(items) for _, _, items in said["sound first"]) >= len(ends)
    for node in sequences[1:]:
        assert said[node] == said["sound first"], f"'{node}' was answered differently"


def test_a_request_waits_for_its_sound(make) -> None:
    company = make()
    company.add("early", ClipListener.spec)
    company.add("other", ClipListener.spec)
    company.ready()
    company.ask("early", 1, 4_800)
    company.hear("other", noise(4_800))
    assert company.answer("other", 1, 4_800).ok, "one that waits for sound must not keep the others waiting"
    assert company.lane.status()["early"].pending == 1
    company.hear("early", noise(4_800))
    (answer,) = company.collect(1)
    assert answer.node == "early" and answer.ok


def test_an_error_in_the_model_is_an_answer_and_the_worker_lives_on(make) -> None:
    company = make()
    company.add("ears", Trouble.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    pid = company.lane.pid
    answer = company.answer("ears", 1, 4_800, what=1)
    assert not answer.ok and answer.items == []
    assert answer.error.startswith("ValueError: this clip is not to my taste (fake_listeners.py:")
    answer = company.answer("ears", 2, 4_801, what=4)
    assert not answer.ok and "'undone', which is no outlet" in answer.error
    answer = company.answer("ears", 3, 4_802, what=6)
    assert not answer.ok and answer.error.startswith("SystemExit: 3")
    assert company.answer("ears", 4, 4_803).items == [("done", 4_803, 0)]
    assert company.lane.pid == pid
    status = company.lane.status()["ears"]
    assert (status.answered, status.misses, status.restarts, status.pending) == (1, 3, 0, 0)
    assert status.error.startswith("SystemExit")
    assert "Traceback" in company.lane.log()


def test_what_a_model_prints_disturbs_nothing_and_is_logged(make) -> None:
    company = make()
    company.add("ears", Trouble.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    assert company.answer("ears", 1, 4_800, what=5).ok
    company.lane.close()
    assert "chatters on standard output" in company.lane.log()


def test_missing_weights_fail_their_node_only(make, weights) -> None:
    def resolve(name: str) -> dict[str, Path]:
        if name == "fake" and weights.exists():
            weights.unlink()
            raise WeightsMissing("model 'fake' is not in the store", "Run: nodegraph models fetch fake")
        weights.write_text("bell")
        return {"text": weights}

    company = make(resolve)
    for node in ("first", "second"):
        company.add(node, ClipListener.spec)
    company.ready()
    states = company.lane.status()
    (failed,) = [status for status in states.values() if status.state == "failed"]
    assert "nodegraph models fetch fake" in failed.error
    (ready,) = [node for node, status in states.items() if status.state == "ready"]
    company.hear(ready, noise(4_800))
    assert company.answer(ready, 1, 4_800).ok


def test_a_model_that_does_not_load_fails_its_node_only(make) -> None:
    company = make()
    company.add("bad", LoadTrouble.spec)
    company.add("good", ClipListener.spec)
    company.ready()
    assert company.state("bad") == "failed"
    assert "RuntimeError: these weights are bell" in company.lane.status()["bad"].error
    answer = company.answer("bad", 1, 0)
    assert not answer.ok and "these weights are bell" in answer.error
    company.hear("good", noise(4_800))
    assert company.answer("good", 1, 4_800).ok


def test_a_worker_leaves_the_processor_to_the_sound_once_its_models_are_there(make) -> None:
    company = make()
    company.add("ears", ClipListener.spec)
    company.ready()
    pid, own = company.lane.pid, os.getpriority(os.PRIO_PROCESS, 0)
    tasks = Path(f"/proc/{pid}/task")
    threads = [int(task.name) for task in tasks.iterdir()] if tasks.exists() else [pid]
    until(lambda: all(os.getpriority(os.PRIO_PROCESS, thread) > own for thread in threads), "every thread stood back")


def test_progress_is_told_while_models_load(make) -> None:
    company = make()
    for number in range(3):
        company.add(f"n{number}", ClipListener.spec)
    told = []
    assert company.lane.wait_ready(PATIENCE_S, lambda *step: told.append(step))
    assert told[-1] == (3, 3, "all models are ready")
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


def test_waiting_for_models_gives_up_in_time(make) -> None:
    company = make()
    company.add("ears", ClipListener.spec)
    assert not company.lane.wait_ready(0.0)


def test_sound_that_is_lost_is_told_and_the_next_clip_is_answered(make) -> None:
    company = make()
    for node, kind in (("clip", ClipListener), ("flow", ChunkListener)):
        company.add(node, kind.spec, frames=1 << 15)
    company.ready()
    for node in ("clip", "flow"):
        company.hear(node, noise(200_000))
        answer = company.answer(node, 1, 100_000)
        assert not answer.ok and "is lost: the ring goes back to frame" in answer.error
        assert company.lane.status()[node].misses == 1
    assert company.answer("clip", 2, 199_000).ok
    company.ask("flow", 2, 199_000)
    company.ask("flow", 3, 199_500)
    answers = company.collect(2)
    assert [answer.ok for answer in answers] == [False, True], "from frame 100000 to 199000 is more than the ring holds"


def test_a_late_clip_is_left_out_when_a_newer_one_is_due(make) -> None:
    company = make()
    company.add("ears", Trouble.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    company.lane.request("ears", 0, 4_800, {"what": 7.0})
    for number in range(1, 5):
        company.lane.request("ears", number, 4_800 + number, {}, late_after=10_000)
    answers = {answer.number: answer for answer in company.collect(5)}
    late = [number for number, answer in answers.items() if not answer.ok]
    assert late == [1, 2, 3], "the newest is always answered"
    assert "too late" in answers[1].error


def test_a_node_that_left_answers_no_more_and_its_id_can_come_back(make) -> None:
    company = make()
    company.add("ears", Trouble.spec)
    company.ready()
    first = company.rings["ears"]
    company.hear("ears", noise(RATE))
    for number in range(5):
        company.ask("ears", number, 4_800 + number, what=7)
    company.lane.remove("ears")
    company.lane.remove("ears")
    assert company.lane.status() == {}
    first.close()
    company.add("ears", ClipListener.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    answer = company.answer("ears", 3, 4_800)
    assert {outlet for outlet, _, _ in answer.items} == {"clip", "level", "said"}, "an answer of the old node came"
    assert company.lane.poll() == []


def test_answers_that_nobody_read_go_with_their_node(make) -> None:
    company = make()
    company.add("ears", ClipListener.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    company.ask("ears", 1, 4_800)
    until(lambda: company.lane.status()["ears"].answered == 1, "it has answered")
    company.lane.remove("ears")
    assert company.lane.poll() == []


def test_nodes_join_while_others_answer(make) -> None:
    company = make()
    company.add("first", ClipListener.spec)
    company.ready()
    company.hear("first", noise(RATE))
    company.add("second", ClipListener.spec)
    company.hear("second", noise(RATE))
    company.ask("second", 1, 4_800)
    for number in range(5):
        company.ask("first", number, 4_800 + number)
    assert sorted((answer.node, answer.number, answer.ok) for answer in company.collect(6)) == [
        *(("first", number, True) for number in range(5)), ("second", 1, True),
    ]  # fmt: skip


def test_wrong_nodes_are_refused_by_name(make) -> None:
    company = make()
    ring = company.add("ears", ClipListener.spec)
    with pytest.raises(WorkerError, match=r"node 'ears': it is in the lane already"):
        company.lane.add("ears", ClipListener.spec, {}, {}, ring)
    with pytest.raises(WorkerError, match=r"node 'low'.*'onepole~' does not listen"):
        company.lane.add("low", OnePole.spec, {}, {}, ring)
    with pytest.raises(WorkerError, match=r"node 'who'"):
        company.lane.request("who", 1, 0, {})
    with pytest.raises(WorkerError, match=r"'nothing~' does not listen"):
        company.lane.add("none", "nothing~", {}, {}, ring)
    short = Ring(1, 1 << 15)
    with pytest.raises(WorkerError, match=r"node 'tag'.*holds 32768 frames, and one clip needs 54993"):
        company.lane.add("tag", "yamnet.tag~", {}, {}, short)
    short.close()


def test_asking_never_blocks_not_even_while_the_worker_stands_still(make) -> None:
    """More requests than a socket takes are kept, and all are answered in the end."""
    company = make(hang_s=PATIENCE_S, stopped_s=PATIENCE_S)
    company.add("ears", Trouble.spec)
    company.ready()
    company.hear("ears", noise(RATE))
    pid = company.lane.pid
    os.kill(pid, signal.SIGSTOP)
    count = 5_000
    began = time.monotonic()
    for number in range(count):
        company.ask("ears", number, 4_800 + number)
    took = time.monotonic() - began
    os.kill(pid, signal.SIGCONT)
    assert took < PATIENCE_S, "asking waited for the worker"
    assert [answer.number for answer in company.collect(count) if answer.ok] == list(range(count))


def test_figures_are_kept(make) -> None:
    company = make()
    company.add("ears", Trouble.spec)
    assert company.lane.status()["ears"].inference_p50_ms is None
    company.ready()
    company.hear("ears", noise(RATE))
    for number in range(3):
        company.answer("ears", number, 4_800 + number, what=7)
    company.lane.miss("ears")
    status = company.lane.status()["ears"]
    assert status.inference_p50_ms >= 50.0, "the model sleeps for 50 ms"
    assert status.inference_p99_ms >= status.inference_p50_ms
    assert status.queue_p99_ms >= 0.0
    assert (status.answered, status.misses, status.pending) == (3, 1, 0)
    assert status.as_dict()["state"] == "ready"


PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from nodegraph.runtime.lane import Lane, Ring
from tests.lane.fake_listeners import ClipListener
if __name__ == "__main__":
    with Lane(48_000, lambda name: {"text": Path(sys.argv[1])}, modules=["tests.lane.fake_listeners"]) as lane:
        ring = Ring(1, 1 << 18)
        lane.add("ears", ClipListener.spec, {}, {}, ring)
        assert lane.wait_ready(30.0)
        ring.write(0, np.ones((1, 4_800), np.float32))
        lane.request("ears", 1, 4_800, {})
        lane.wait(30.0)
        assert lane.poll()[0].ok
    heavy = {"onnxruntime", "torch", "soxr", "scipy", "multiprocessing"} & set(sys.modules)
    print("heavy:", sorted(heavy))
"""


def test_the_engine_process_loads_no_library_of_models(weights, tmp_path) -> None:
    """And the worker never runs the user's program again: it would start workers without end."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + "else:\n    raise SystemExit('the program was imported')\n")
    command = [sys.executable, str(program), str(weights)]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "heavy: []\n"


def test_a_lane_without_nodes_starts_no_process() -> None:
    lane = Lane(RATE, lambda name: {})
    lane.start()
    assert lane.wait_ready(1.0)
    assert lane.pid is None
    lane.close()
    lane.close()
    assert not lane.wait(0.0) or lane.poll() == []


def test_requests_to_a_closed_lane_are_answered_as_failed(make) -> None:
    company = make()
    company.add("ears", ClipListener.spec)
    company.ready()
    company.ask("ears", 1, 4_800)
    company.lane.close()
    company.ask("ears", 2, 4_800)
    answers = company.collect(2)
    assert [(answer.number, answer.ok, answer.error) for answer in answers] == [
        (1, False, "the lane is closed"), (2, False, "the lane is closed"),
    ]  # fmt: skip
    until(lambda: company.lane.pid is None, "the worker is gone")
