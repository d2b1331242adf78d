"""What the way to a worker and back adds to a call of the model: a large listener (AST, full size, 8-bit, random
weights) and a tiny one (Silero's VAD, a chunk of 32 ms), 16 kHz both, from an engine at 48 kHz.

Through the lane each call goes through a ring, a socket, a worker process and back, one after another. The control is
the same node called bare: in this process, by turns with the lane, with the same sound, which it has to bring to the
model's rate as well. A tiny model is called back to back, and with pauses of 5 ms, after which processors that slept
take longer over everything, the model included. What is added outside the model, in the lane's own calls, stands
beside it: there bringing the sound to the model's rate counts as the lane's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.ears import prepared
from bench.lane import RATE
from bench.report import Row, row

NAME: Final = "overheads"
PIECE: Final = 4_096
PAUSE_S: Final = 0.005


class Case(NamedTuple):
    """A listener: how many calls in a round, with which pauses, and what it is to stay below."""

    kind: str
    calls: int
    pause_s: float
    goal: str


CASES: Final = (
    Case("ast.tag~", 4, 0.0, "goal: below 5 % of it"),
    Case("vad~", 150, 0.0, "goal: below 0.3 ms"),
    Case("vad~", 150, PAUSE_S, "goal: below 0.3 ms"),
)


class Times(NamedTuple):
    """Medians in milliseconds: a call through the lane, what of it was not the model, a bare call."""

    lane: float
    outside: float
    bare: float


def run(rounds: int) -> list[Row]:
    """What the way adds to a bare call, in milliseconds and in parts of it."""
    found = []
    for case in CASES:
        times, count = measured(case, rounds), case.calls * rounds
        name = f"{case.kind}, {'calls 5 ms apart' if case.pause_s else 'back to back'}"
        adds, whole = times.lane - times.bare, f"{times.lane:.4g} ms with it, {times.bare:.4g} ms bare"
        found.append(row(f"{name}: the way adds to a call", adds, "ms, median", f"{whole}; {case.goal}", count))
        found.append(row(f"{name}: of a bare call", 100.0 * adds / times.bare, "%", whole, count))
        what = "waking, sending, and bringing the sound to the model's rate"
        found.append(row(f"{name}: outside the model", times.outside, "ms, median", what, count))
    return found


def measured(case: Case, rounds: int) -> Times:
    """The lane and the bare model by turns."""
    from nodegraph.core import registry
    from nodegraph.models import Store

    spec: Any = registry().get(case.kind)
    files = {"model": prepared("ast")} if case.kind == "ast.tag~" else Store().files("silero-vad")
    lane: list[float] = []
    outside: list[float] = []
    bare: list[float] = []
    through, by_itself = Through(spec, files), Bare(spec, files)
    try:
        for _ in range(rounds):
            for _ in range(case.calls):
                took, inside = through.call(case.pause_s)
                if inside > 0.0:  # the resampler holds the first one back
                    lane.append(took)
                    outside.append(took - inside)
            bare += filter(None, (by_itself.call(case.pause_s) for _ in range(case.calls)))
    finally:
        through.close()
    return Times(*(1e3 * float(np.median(times)) for times in (lane, outside, bare)))


class Sound:
    """Noise, one step of a listener at a time."""

    def __init__(self, hears: Any) -> None:
        self._step = round(hears.seconds * RATE)
        self._random = np.random.default_rng(1)

    def next(self) -> NDArray[np.float32]:
        sound: NDArray[np.float32] = self._random.uniform(-0.3, 0.3, self._step).astype(np.float32)
        return sound


class Through:
    """The way through the lane."""

    def __init__(self, spec: Any, files: Any) -> None:
        from nodegraph.runtime.lane import Lane, Ring, ring_frames

        hears = spec.cls.hears
        self._sound, self._end, self._number = Sound(hears), 0, 0
        self._ring, self._lane = Ring(1, ring_frames(hears, RATE)), Lane(RATE, lambda name: files)
        self._lane.add("it", spec, {}, {item.name: item.default for item in spec.controls}, self._ring)
        assert self._lane.wait_ready(120.0) and self._lane.status()["it"].state == "ready", self._lane.status()

    def call(self, pause_s: float) -> tuple[float, float]:
        """Seconds that it took, and seconds of them in the model; 0 where it was not called yet."""
        sound = self._sound.next()
        for piece in np.array_split(sound, -(-len(sound) // PIECE)):
            self._ring.write(self._end, piece[None])
            self._end += len(piece)
        _pause(pause_s)
        began = time.perf_counter()
        self._lane.request("it", self._number, self._end, {})
        while not (answers := self._lane.poll()):
            self._lane.wait(30.0)
        self._number += 1
        return time.perf_counter() - began, answers[0].infer_s

    def close(self) -> None:
        self._lane.close()
        self._ring.close()


class Bare:
    """The same node, called by hand."""

    def __init__(self, spec: Any, files: Any) -> None:
        import soxr

        from nodegraph.core.listening import Clip

        self._hears = hears = spec.cls.hears
        self._sound = Sound(hears)
        self._node = spec.cls()
        self._node.controls = {item.name: item.default for item in spec.controls}
        self._node.settings = {item.name: item.default for item in spec.settings}
        self._node.load(files, "cpu")
        self._rest = np.zeros(0, np.float32)
        self._resampled: Callable[[NDArray[np.float32]], Any]
        if isinstance(hears, Clip):
            self._resampled = lambda sound: soxr.resample(sound, RATE, hears.rate)
        else:
            self._resampled = soxr.ResampleStream(RATE, hears.rate, 1, dtype="float32").resample_chunk

    def call(self, pause_s: float) -> float:
        """Seconds that it took; 0 where the resampler held the sound back."""
        sound = self._sound.next()
        _pause(pause_s)
        began = time.perf_counter()
        self._rest = np.concatenate([self._rest, self._resampled(sound)])
        if len(self._rest) < self._hears.samples:
            return 0.0
        heard, self._rest = self._rest[: self._hears.samples], self._rest[self._hears.samples :]
        self._node.infer(heard)
        return time.perf_counter() - began


def _pause(seconds: float) -> None:
    if seconds > 0.0:
        time.sleep(seconds)
