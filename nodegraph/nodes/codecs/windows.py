"""Codecs that hear a window at once, and the windows overlap: normalised by its loudness, joined by crossfades."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nodegraph.nodes.codecs.coding import Codes, Decoder, Encoder
from nodegraph.nodes.codecs.flowing import Floats

FAINT = 1e-8


class WindowEncoder:
    """Sound, a step at a time → the codes of a window: the step, and as much before it as windows overlap."""

    def __init__(self, path: Path, device: str = "cpu") -> None:
        self.half = Encoder(path, device)
        self.network = self.half.network
        self.overlap = self.network.number("whole") - self.network.number("step")
        self.forget()

    def forget(self) -> None:
        self._before: Floats | None = None

    def encode(self, sound: Floats, stages: int) -> tuple[Codes, float]:
        """Sound ``(channels, step)`` → codes ``(stages, frames)``, and how loud it is."""
        if self._before is None:
            self._before = np.zeros((len(sound), self.overlap), np.float32)
        window = np.concatenate([self._before, sound], axis=1)
        self._before = window[:, -self.overlap :] if self.overlap else window[:, :0]
        scale = 1.0
        if self.network.number("normalize"):
            scale = float(np.sqrt(np.mean(np.square(window.mean(axis=0, dtype=np.float32))))) + FAINT
            window = window / np.float32(scale)
        return self.half.encode(window, stages)[0], scale


class WindowDecoder:
    """The codes of a window → the sound of a step: each window fades over the one before where they overlap.

    What comes out begins where the window does, and ends where the next one begins.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        self.half = Decoder(path, device)
        self.network = self.half.network
        self.step = self.network.number("step")
        overlap = self.network.number("whole") - self.step
        self._rise: Floats = (np.arange(1, overlap + 1) / (overlap + 1)).astype(np.float32)
        self.forget()

    def forget(self) -> None:
        self._tail: Floats | None = None

    def decode(self, codes: Codes, scale: float) -> Floats:
        """Sound ``(channels, step)``. Raises WorkerError for codes of another model."""
        sound = self.half.decode(codes) * np.float32(scale)
        length = len(self._rise)
        if self._tail is not None and self._tail.shape[1] == length:
            sound[:, :length] = sound[:, :length] * self._rise + self._tail * (np.float32(1.0) - self._rise)
        self._tail = sound[:, self.step :]
        return sound[:, : self.step]
