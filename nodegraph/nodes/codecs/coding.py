"""The two halves of a codec: sound to codes, and codes to sound."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import WorkerError
from nodegraph.nodes.codecs.flowing import Floats, Flowing, sane

Codes = NDArray[np.int64]
LOST = -1
"""In the place of a code: this frame did not arrive."""
FADE_FRAMES = 6
"""After so many lost frames there is silence."""


def stages_of(bandwidth: float, each: float) -> int:
    """As many stages as go through so many kilobits a second, one at least; `each` is what one takes."""
    return max(1, int(bandwidth / each + 1e-6))


class Encoder:
    """Sound at the model's rate → codes, some frames at a time."""

    def __init__(self, path: Path, device: str = "cpu") -> None:
        self.network = Flowing(path, device)
        self.hop, self.stages = self.network.number("hop"), self.network.number("stages")

    def forget(self, mirrored: bool = False) -> None:
        self.network.forget(mirrored)

    def encode(self, sound: Floats, stages: int) -> tuple[Codes, Floats]:
        """Sound ``(samples,)`` or ``(channels, samples)`` → codes ``(stages, frames)``, and the latent that they stand
        for, ``(width, frames)``. Samples are a multiple of the hop."""
        feed = {"sound": np.atleast_2d(sane(sound))[None], "stages": np.array(min(max(stages, 1), self.stages))}
        codes, latent = self.network.hear(["codes", "latent"], feed)
        return codes, latent[0]


class Decoder:
    """Codes → sound at the model's rate."""

    def __init__(self, path: Path, device: str = "cpu") -> None:
        self.network = Flowing(path, device)
        self.stages, self.entries = self.network.number("stages"), self.network.number("entries")
        (self.width,) = (item.shape[1] for item in self.network.session.get_inputs() if item.name == "latent")
        self.forget()

    def forget(self, mirrored: bool = False) -> None:
        self.network.forget(mirrored)
        self._last: Codes | None = None
        self._lost = 0
        self._gain: float | None = None

    def decode(self, codes: Codes, latent: Floats | None = None) -> Floats:
        """Codes ``(stages, frames)`` → sound ``(channels, samples)``. A latent ``(width, frames)`` is added to what
        they stand for: with no stages at all it is decoded itself. Raises WorkerError for codes of another model."""
        self._check(codes)
        added = np.zeros((1, self.width, codes.shape[1]), np.float32) if latent is None else latent[None]
        (sound,) = self.network.hear(["sound"], {"codes": np.asarray(codes, np.int64), "latent": added})
        found: Floats = sound[0]
        return found

    def _check(self, codes: Codes) -> None:
        if codes.ndim != 2 or len(codes) > self.stages:
            what = f"codes have the shape {codes.shape}"
            raise WorkerError(f"{what}; this model takes (stages, frames) with {self.stages} stages at most.")
        if codes.size and (codes.min() < 0 or codes.max() >= self.entries):
            raise WorkerError(f"codes go from {codes.min()} to {codes.max()}; this model has 0 to {self.entries - 1}.")

    def conceal(self, codes: Codes) -> Floats:
        """As `decode`, for codes some of whose frames are `LOST`: such a frame is the last one again, and fades away
        over `FADE_FRAMES`; what comes after fades in over one. The network's own memory keeps the wave whole."""
        codes = np.asarray(codes, np.int64)
        lost = (codes == LOST).any(axis=0) if codes.size else np.zeros(codes.shape[1], bool)
        self._check(np.where(lost, 0, codes))
        filled = codes.copy()
        gains = [] if self._gain is None else [self._gain]
        for frame, gone in enumerate(lost):
            if gone:
                known = self._last if self._last is not None and len(self._last) == len(codes) else None
                filled[:, frame] = 0 if known is None else known
                self._lost += 1
                gain = max(0.0, 1.0 - self._lost / FADE_FRAMES) if known is not None else 0.0
            else:
                self._last, self._lost, gain = codes[:, frame], 0, 1.0
            gains += [gain] if self._gain is not None else [gain, gain]
            self._gain = gain
        sound = self.decode(filled)
        if min(gains) == 1.0:
            return sound
        hop = sound.shape[1] // codes.shape[1]
        ramps = [np.linspace(a, b, hop, endpoint=False, dtype=np.float32) for a, b in pairwise(gains)]
        found: Floats = sound * np.concatenate(ramps)
        return found
