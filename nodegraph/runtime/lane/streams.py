"""Sound on its way back from a worker: where it lies, when it is played, and what becomes of gaps.

It lies in a ring of shared memory like the one in which it went out (`lane.ring`). The frames that are there are told
by three words of its header: everything from BEGIN to WRITTEN, and what is left of the segment before, up to BEFORE.
A segment ends when the flow is broken (a worker that died, sound that was lost, an inference that failed). The audio
thread plays frame ``now - latency``, fades towards the end of what is there, and up again in what comes after.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.declare import InferenceNode
from nodegraph.core.listening import Chunks
from nodegraph.core.ports import CableKind
from nodegraph.core.streams import StreamNode
from nodegraph.runtime.lane.ears import held_back_frames
from nodegraph.runtime.lane.ring import LONGEST_BLOCK, Ring

if TYPE_CHECKING:
    from nodegraph.core.spec import NodeSpec

Floats = NDArray[np.float32]
BEFORE, BEGIN, GAIN, MISSED, FALLS, PLAYED = 1, 2, 3, 4, 5, 6
"""Words of the ring's header, behind WRITTEN. The audio thread's own are the last four."""
ROOM_S: Final = 0.02
"""What a flow's answer time leaves beyond the resamplers' lag: for the worker to see it, and to be through."""
FADE_S: Final = 0.005
SPARE_S: Final = 1.0


def streams(spec: NodeSpec) -> bool:
    """Whether a node of this kind answers with sound."""
    return issubclass(spec.cls, StreamNode) and any(item.kind is CableKind.SIGNAL for item in spec.outlets)


lag_of = cache(held_back_frames)


@cache
def lag_back(hears: Chunks, rate: int) -> int:
    """By how many of the engine's frames sound comes back late at worst, because the resampler waits."""
    return (
        held_back_frames(Chunks(hears.samples, rate), hears.rate) * rate // hears.rate + 1 if rate != hears.rate else 0
    )


def answer_frames(cls: type[InferenceNode], rate: int) -> int:
    """From the end of what a node heard to where its answer stands, in the engine's frames.

    A flow of chunks is asked once a chunk, so a chunk may wait for the next request; and its resampler holds back.
    """
    answer = round(cls.answer_s * rate)
    if not isinstance(cls.hears, Chunks):
        return answer
    lag = lag_of(cls.hears, rate)
    if issubclass(cls, StreamNode):
        lag += lag_back(cls.hears, rate)
    return round(cls.hears.seconds * rate) + max(answer, lag + round(ROOM_S * rate))


def latency_frames(cls: type[StreamNode], rate: int) -> int:
    """By how many of the engine's frames its sound lags what it heard, the model's own delay included."""
    return answer_frames(cls, rate) + round(cls.delay * rate / cls.hears.rate)


def fade_frames(rate: int) -> int:
    """Over so many frames a stream fades."""
    return max(1, round(FADE_S * rate))


def stream_ring(channels: int, cls: type[StreamNode], rate: int) -> Ring:
    """A ring for what comes back. Raises WorkerError."""
    need = answer_frames(cls, rate) + int((cls.hears.seconds + SPARE_S) * rate) + 2 * LONGEST_BLOCK
    return Ring(channels, 1 << need.bit_length())


def width(channels: int | str | None, value: Callable[[str], Any]) -> int:
    """A declared channel count of a node that hears or says sound: a number, or a setting's `value`; else one."""
    if isinstance(channels, str):
        return max(1, int(value(channels)))
    return channels or 1


def said_channels(spec: NodeSpec, value: Callable[[str], Any]) -> int:
    """How many channels of sound a node says in all."""
    return sum(width(item.channels, value) for item in spec.outlets if item.kind is CableKind.SIGNAL)


def begun(ring: Ring, frame: int) -> Ring:
    """A ring of which nothing is there before `frame`; one that is in use stays as it is."""
    words = header(ring)
    if not words[0]:
        words[BEFORE] = words[BEGIN] = words[0] = frame
    return ring


def stream_channels(spec: NodeSpec, widths: dict[str, int]) -> list[tuple[str, int]]:
    """Outlet and channel of each row of the ring; `widths` are channels by outlet."""
    return [
        (outlet.name, channel)
        for outlet in spec.outlets
        if outlet.kind is CableKind.SIGNAL
        for channel in range(widths[outlet.name])
    ]


def header(ring: Ring) -> NDArray[np.int64]:
    """The words of a ring's header."""
    return ring._words


class Outflow:
    """The worker's end: what a model says, laid into the ring at the engine's rate."""

    def __init__(self, ring: Ring, hears: Chunks, rate: int) -> None:
        self.ring, self._hears, self._rate = ring, hears, rate
        self._resampler: Any = None
        self._at = 0

    def begin(self, frame: int) -> None:
        """A segment begins: what is said next belongs to the sound from `frame` on. What is there already stays."""
        words = header(self.ring)
        written = int(words[0])
        self._at = frame
        if words[BEGIN] <= words[PLAYED]:  # else the gap before is still to come: it reaches up to here now
            words[BEFORE] = written
        words[BEGIN] = max(frame, written)
        self.ring._barrier()
        words[0] = max(frame, written)
        self._resampler = None

    def say(self, sound: Floats) -> None:
        """The next sound of the segment: (channels, samples) at the model's rate."""
        if not np.isfinite(sound).all():
            sound = np.where(np.isfinite(sound), sound, np.float32(0.0))
        if self._rate != self._hears.rate:
            sound = self._resampled(sound)
        start = self._at
        self._at += sound.shape[1]
        known = max(0, int(header(self.ring)[BEGIN]) - start)  # it was said in the segment before
        if sound.shape[1] > known:
            self.ring.write(start + known, sound[:, known:])

    def _resampled(self, sound: Floats) -> Floats:
        import soxr

        if self._resampler is None:
            self._resampler = soxr.ResampleStream(self._hears.rate, self._rate, sound.shape[0], dtype="float32")
        given = np.ascontiguousarray(sound[0] if len(sound) == 1 else sound.T)
        made = self._resampler.resample_chunk(given)
        return np.ascontiguousarray(made[None] if made.ndim == 1 else made.T)


def taken_sound(spec: NodeSpec, answer: dict[str, Any], channels: int, samples: int) -> Floats:
    """The sound in an answer, out of it: (channels, samples), outlets one after another. Raises ValueError when it does
    not have the declared shape."""
    rows: list[Floats] = []
    for outlet in spec.outlets:
        if outlet.kind is not CableKind.SIGNAL:
            continue
        sound = answer.pop(outlet.name, None)
        if sound is None:
            raise ValueError(f"infer gave no sound for '{outlet.name}'")
        found = np.atleast_2d(np.asarray(sound, np.float32))
        if found.ndim != 2 or found.shape[1] != samples:
            raise ValueError(f"'{outlet.name}' has {np.shape(sound)} samples; it heard {samples}")
        rows.append(found)
    made = np.concatenate(rows)
    if len(made) != channels:
        raise ValueError(f"infer gave {len(made)} channels of sound, and {channels} are declared")
    return made
