"""What an inference lane costs over calling the model oneself: YAMNet, the same clips, in turns.

*Bare* is onnxruntime's `run` alone, on an input that was made before. *Direct* is what has to be done anyhow: resample
the clip, call the node. *Lane* is the same through a ring, a worker process and back. Bare and direct run in a process
of their own that has the worker's thread limits and niceness, so that the way is all that differs.

The model itself runs up to 1.6 times faster or slower from one moment to the next and from process to process (what
else the core does, its clock). So what the lane adds is told from the time *outside* the model: wall time of a clip
less the time in `infer`, through the lane and directly. CPU time counts the engine's and the worker's processes.
"""

import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bench.report import Row, row
from nodegraph.runtime.lane.process import environment
from nodegraph.runtime.lane.worker import NICENESS

NAME: Final = "lane"
RATE: Final = 48_000
CLIPS: Final = 100
BLOCK: Final = 256
MODEL: Final = "yamnet"


def run(rounds: int) -> list[Row]:
    """Times a clip in milliseconds, overheads, and how soon a killed worker answers again."""
    from nodegraph.core.errors import NodegraphError
    from nodegraph.models import Store

    try:
        files = Store().files(MODEL)
    except NodegraphError as error:
        return [row(f"a YAMNet clip through a lane costs over a direct call {what}", None, "ms", str(error)) for what in
                ("wall p50", "CPU")]  # fmt: skip
    return _measured(files, rounds)


def _measured(files: dict[str, Any], rounds: int) -> list[Row]:
    from nodegraph.nodes.analysis.taggers import YamnetTagger
    from nodegraph.runtime.lane import Lane, Ring, ring_frames

    yardstick = Yardstick(files)
    began = time.perf_counter()
    lane = Lane(RATE, lambda name: files)
    ring = Ring(1, ring_frames(YamnetTagger.hears, RATE))
    try:
        lane.add("ears", YamnetTagger.spec, {}, {}, ring)
        if not lane.wait_ready(60.0) or lane.status()["ears"].state != "ready":
            return [row("the lane starts", None, "ms", lane.status()["ears"].error)]
        ready_ms = 1e3 * (time.perf_counter() - began)
        ring.write(0, _sound())
        bare: list[Clip] = []
        direct: list[Clip] = []
        through: list[Clip] = []
        direct_cpu: list[float] = []
        engine_cpu: list[float] = []
        worker_cpu: list[float] = []
        for number in range(rounds):
            bare += yardstick.measure("bare")[0]
            clips, cpu_ms = yardstick.measure("direct")
            direct += clips
            direct_cpu.append(cpu_ms - statistics.mean(clip.model for clip in clips))
            cpu, theirs = time.process_time(), _cpu_of(lane.pid)
            clips = _through(lane, number)
            through += clips
            engine_cpu.append(1e3 * (time.process_time() - cpu) / CLIPS)
            if theirs is not None and (after := _cpu_of(lane.pid)) is not None:
                worker_cpu.append(1e3 * (after - theirs) / CLIPS - statistics.mean(clip.model for clip in clips))
        waiting = _live(lane, ring, rounds)
        back = [_kill(lane, ring.written) for _ in range(min(rounds, 2))]  # a third within 10 s would have to wait
    finally:
        yardstick.close()
        lane.close()
        ring.close()

    count = rounds * CLIPS
    rows = []
    for name, clips in (("bare onnxruntime", bare), ("direct: resample and infer", direct), ("lane", through)):
        rows += [row(f"a clip, {name}: wall p{p}", _wall(clips, p), "ms", runs=count) for p in (50, 99)]
    for p in (50, 99):
        over = _outside(through, p) - _outside(direct, p)
        rows.append(row(f"the lane adds a clip, wall p{p}", over, "ms", "direct call, both outside the model", count))
    engine_ms = statistics.median(engine_cpu)
    rows.append(row("a clip, lane: CPU in the engine process", engine_ms, "ms", runs=rounds))
    added = statistics.median(worker_cpu) + engine_ms - statistics.median(direct_cpu) if worker_cpu else None
    against = "direct call, both outside the model" if worker_cpu else "measured on Linux only"
    rows.append(row("the lane adds a clip, CPU of both processes", added, "ms", against, rounds))
    for p in (50, 99):
        what = f"live: from the block that completes a clip to its answer, outside the model, p{p}"
        rows.append(row(what, _outside(waiting, p), "ms", runs=len(waiting)))
    rows.append(row("from nothing to a loaded and warmed-up model", ready_ms, "ms"))
    rows.append(row("from kill -9 to the next answer", 1e3 * max(back), "ms", "promised: 3000", len(back)))
    return rows


class Clip(NamedTuple):
    """Milliseconds that one clip took, and those of them that were spent in the model."""

    wall: float
    model: float


def _wall(clips: list[Clip], percent: int) -> float:
    return float(np.percentile([clip.wall for clip in clips], percent))


def _outside(clips: list[Clip], percent: int) -> float:
    return float(np.percentile([clip.wall - clip.model for clip in clips], percent))


def _ends() -> Iterable[int]:
    return range(RATE - CLIPS, RATE)


def _sound() -> Any:
    return np.random.default_rng(1).uniform(-0.5, 0.5, (1, RATE)).astype(np.float32)


class Yardstick:
    """The process in which the model is called without a lane."""

    def __init__(self, files: dict[str, Any]) -> None:
        arguments = [json.dumps({name: str(path) for name, path in files.items()})]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.lane", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(1),
            text=True,
        )
        self.measure("direct")  # warms up

    def measure(self, what: str) -> tuple[list[Clip], float]:
        """Each clip, and CPU milliseconds a clip."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        clips, cpu_ms = json.loads(self._process.stdout.readline())
        return [Clip(*clip) for clip in clips], cpu_ms

    def close(self) -> None:
        self._process.communicate()


def _answer_yardstick() -> None:
    """The other side of it: read a word a line, measure, print."""
    from nodegraph.nodes.analysis.taggers import YamnetTagger

    os.nice(NICENESS)
    node = YamnetTagger()
    node.load({name: Path(path) for name, path in json.loads(sys.argv[1]).items()}, "cpu")
    sound = _sound()[0]
    for line in sys.stdin:
        cpu = time.process_time()
        clips = _bare(node, sound) if line.strip() == "bare" else _direct(node, sound)
        print(json.dumps([clips, 1e3 * (time.process_time() - cpu) / CLIPS]), flush=True)


def _bare(node: Any, sound: Any) -> list[Clip]:
    import soxr

    from nodegraph.nodes.analysis.taggers import EMBEDDING, LOGITS, log_mel, quantise

    clips = []
    for end in _ends():
        given = quantise(log_mel(soxr.resample(sound[end - 46_800 : end], RATE, 16_000)))[None, None]
        began = time.perf_counter()
        node.session.run([LOGITS, EMBEDDING], {"audio": given})
        took = 1e3 * (time.perf_counter() - began)
        clips.append(Clip(took, took))
    return clips


def _direct(node: Any, sound: Any) -> list[Clip]:
    import soxr

    clips = []
    for end in _ends():
        began = time.perf_counter()
        clip = soxr.resample(sound[end - 46_800 : end], RATE, 16_000)
        before = time.perf_counter()
        node.infer(clip)
        done = time.perf_counter()
        clips.append(Clip(1e3 * (done - began), 1e3 * (done - before)))
    return clips


def _through(lane: Any, number: int) -> list[Clip]:
    clips = []
    for end in _ends():
        began = time.perf_counter()
        lane.request("ears", number * RATE + end, end, {})
        answer = _answer(lane)
        clips.append(Clip(1e3 * (time.perf_counter() - began), 1e3 * answer.infer_s))
    return clips


def _live(lane: Any, ring: Any, rounds: int) -> list[Clip]:
    """Requests stand before their sound is there, and the sound comes block by block in its own time."""
    clips = []
    done: dict[int, float] = {}
    written = ring.written
    silence = np.zeros((1, BLOCK), np.float32)
    count = 8 * rounds
    hop = 40 * BLOCK  # 0.2 s
    due = [written + hop * (k + 1) for k in range(count)]

    def play() -> None:
        start = time.perf_counter()
        for block in range(hop * count // BLOCK):
            at = written + block * BLOCK
            pause = start + (at + BLOCK - written) / RATE - time.perf_counter()
            if pause > 0:
                time.sleep(pause)
            ring.write(at, silence)
            done[at + BLOCK] = time.perf_counter()

    player = threading.Thread(target=play)
    player.start()
    for number, end in enumerate(due):
        lane.request("ears", -1 - number, end, {})
        answer = _answer(lane)
        clips.append(Clip(1e3 * (time.perf_counter() - done[end]), 1e3 * answer.infer_s))
    player.join()
    return clips


def _kill(lane: Any, end: int) -> float:
    """Seconds from the kill to the first good answer; a request is open at every moment."""
    began = time.perf_counter()
    os.kill(lane.pid, signal.SIGKILL)
    for number in itertools.count():
        lane.request("ears", -(1 << 20) - number, end, {})
        if _answer(lane).ok:
            break
    return time.perf_counter() - began


def _answer(lane: Any) -> Any:
    while not (answers := lane.poll()):
        if not lane.wait(30.0):
            raise TimeoutError(f"no answer within 30 s: {lane.status()}")
    return answers[0]


def _cpu_of(pid: int) -> float | None:
    """CPU seconds of another process so far, to the nanosecond; None where the system has no such clock."""
    if sys.platform != "linux":
        return None
    return time.clock_gettime(~pid << 3 | 2)  # make_process_cpuclock(pid, CPUCLOCK_SCHED), linux/posix-timers_types.h


if __name__ == "__main__":
    _answer_yardstick()
