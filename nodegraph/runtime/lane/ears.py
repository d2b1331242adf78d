"""From sound in a ring to what a model hears: clips and chunks at the model's own rate.

What comes out depends on the sound and on the frames that were asked for, never on when it was asked: the bits are the
same live and offline.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.listening import Chunks, Clip
from nodegraph.runtime.lane.ring import Ring, SoundLost

Floats = NDArray[np.float32]


class Heard(NamedTuple):
    """What a model is to hear: (samples,) or, from a ring of several channels, (channels, samples); and its end."""

    end_frame: int
    sound: Floats


class Ear(Protocol):
    """`listen` gives everything that is to be heard up to a frame. `fresh`: the model must forget what was before."""

    fresh: bool

    def listen(self, end_frame: int) -> Iterator[Heard]: ...


def make_ear(hears: Clip | Chunks, ring: Ring, rate: int, start_frame: int) -> Ear:
    """The ear for what a node declares. `start_frame`: where a flow of chunks begins."""
    return ClipEar(hears, ring, rate) if isinstance(hears, Clip) else ChunkEar(hears, ring, rate, start_frame)


def clip_frames(hears: Clip | Chunks, rate: int) -> int:
    """Frames at the engine's rate that hold one clip or chunk."""
    samples = hears.samples
    return -(-samples * rate // hears.rate)


@lru_cache
def held_back_frames(hears: Clip | Chunks, rate: int) -> int:
    """By how many of the engine's frames a chunk comes out after its own end at worst, because the resampler waits.

    0 for clips and for equal rates; with others 20 to 80 ms. A node's `answer_s` must leave room for it, for the time
    between two requests, and for the model.
    """
    if isinstance(hears, Clip) or rate == hears.rate:
        return 0
    import soxr

    stream = soxr.ResampleStream(rate, hears.rate, 1, dtype="float32")
    step = np.zeros(16, np.float32)
    came = worst = 0
    for heard in range(len(step), rate + 1, len(step)):
        came += len(stream.resample_chunk(step))
        worst = max(worst, heard - came * rate // hears.rate)
    return worst


class ClipEar:
    """The last `Clip.seconds` before a frame, resampled by itself: exactly `Clip.samples` samples."""

    def __init__(self, hears: Clip, ring: Ring, rate: int) -> None:
        self.fresh = False
        self._hears, self._ring, self._rate = hears, ring, rate
        self._frames = clip_frames(hears, rate)

    def listen(self, end_frame: int) -> Iterator[Heard]:
        try:
            sound = _numbers(self._ring.read(end_frame - self._frames, self._frames))
        except SoundLost:
            self.fresh = True
            raise
        yield Heard(end_frame, _shaped(self._resample(sound)))

    def _resample(self, sound: Floats) -> Floats:
        import soxr

        if self._rate != self._hears.rate:
            sound = _rows(soxr.resample(_columns(sound), self._rate, self._hears.rate))
        return sound[:, : self._hears.samples]


class ChunkEar:
    """All the sound, through one resampler that flows along, in chunks of `Chunks.samples`.

    The resampler holds back some sound (`held_back_frames`), so a chunk may come out with a later request than the
    one that covers its end. It bears its own time all the same.
    """

    def __init__(self, hears: Chunks, ring: Ring, rate: int, start_frame: int) -> None:
        self._hears, self._ring, self._rate = hears, ring, rate
        self._begin(start_frame)

    def _begin(self, start_frame: int) -> None:
        self.fresh = True
        self._start = self._heard = start_frame
        self._chunks = 0
        self._rest = np.zeros((self._ring.channels, 0), np.float32)
        self._stream: Any = None

    def listen(self, end_frame: int) -> Iterator[Heard]:
        if end_frame > self._heard:
            try:
                sound = _numbers(self._ring.read(self._heard, end_frame - self._heard))
            except SoundLost:
                self._begin(end_frame)
                raise
            self._heard = end_frame
            self._rest = np.concatenate([self._rest, self._resample(sound)], axis=1)
        size = self._hears.samples
        while self._rest.shape[1] >= size:
            chunk, self._rest = self._rest[:, :size], self._rest[:, size:]
            self._chunks += 1
            passed = (2 * self._chunks * size * self._rate + self._hears.rate) // (2 * self._hears.rate)
            yield Heard(self._start + passed, _shaped(chunk))

    def _resample(self, sound: Floats) -> Floats:
        if self._rate == self._hears.rate:
            return sound
        if self._stream is None:
            import soxr

            self._stream = soxr.ResampleStream(self._rate, self._hears.rate, sound.shape[0], dtype="float32")
        return _rows(self._stream.resample_chunk(_columns(sound)))


def _numbers(sound: Floats) -> Floats:
    """The sound with silence in place of NaN and infinity: a model with a memory would keep them for ever."""
    flat = sound.ravel()
    if not math.isfinite(flat.dot(flat)):  # a third of the time of asking each number
        sound[~np.isfinite(sound)] = 0.0
    return sound


def _columns(sound: Floats) -> Floats:
    """As soxr takes it: (samples,) or (samples, channels). One channel by itself costs a third less."""
    return sound[0] if len(sound) == 1 else np.ascontiguousarray(sound.T)


def _rows(sound: Floats) -> Floats:
    return sound[None] if sound.ndim == 1 else sound.T


def _shaped(sound: Floats) -> Floats:
    sound = np.ascontiguousarray(sound, np.float32)
    return sound[0] if sound.shape[0] == 1 else sound
