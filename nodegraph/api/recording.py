"""What is played, kept: in a file, in memory, or both. At one rate, even when the engine's rate changes meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from nodegraph.api.sounds import Floats, writer
from nodegraph.runtime.capture import Capture
from nodegraph.runtime.engine import Engine

MOST_KEPT_S: Final = 600


class Recording:
    """A recording of an engine's outputs. All methods are called from the player's thread."""

    def __init__(self, engine: Engine, path: Path | None, text: str, *, keep: bool, seconds: float | None) -> None:
        """`seconds`: just so much, when it was asked for; else until `finish`. Raises MediaError."""
        self.rate = engine.rate
        self.written = self.lost = 0
        self.kept: list[Floats] | None = [] if keep else None
        self._frames = None if seconds is None else round(seconds * engine.rate)
        self._capture = Capture(engine) if path is not None or keep else None
        self._writer = None if path is None else writer(path, engine.rate, engine.outputs, text)
        self._lost_before = 0
        self._resampler: Any = None

    def write(self, until: int | None = None) -> None:
        """Take what was played since the last call, up to the engine's frame `until`."""
        if self._capture is None:
            return
        sound = self._capture.drain(until)
        self.lost = self._lost_before + self._capture.lost
        if self._resampler is not None and sound.shape[1]:
            sound = self._resampler.resample_chunk(np.ascontiguousarray(sound.T)).T
        self._keep(sound)

    def _keep(self, sound: Floats) -> None:
        if self._frames is not None:
            sound = sound[:, : max(0, self._frames - self.written)]
        if not sound.shape[1]:
            return
        self.written += sound.shape[1]
        if self._writer is not None:
            self._writer.write(sound)
        if self.kept is not None and self.written <= MOST_KEPT_S * self.rate:
            self.kept.append(sound)

    def go_on(self, engine: Engine) -> None:
        """Another engine plays from now on; its sound is brought to the recording's rate."""
        if self._capture is None:
            return
        self._rest()
        self._lost_before = self.lost
        self._capture = Capture(engine)
        if engine.rate != self.rate:
            import soxr

            self._resampler = soxr.ResampleStream(
                engine.rate, self.rate, engine.outputs, dtype="float32", quality="VHQ"
            )

    def _rest(self) -> None:
        """What the resampler still holds."""
        if self._resampler is not None:
            none = np.zeros((0, self._capture.engine.outputs if self._capture else 0), np.float32)
            self._keep(self._resampler.resample_chunk(none, last=True).T)
            self._resampler = None

    def finish(self) -> None:
        """Close the file; one that got nothing is not left."""
        try:
            self.write()
            self._rest()
        finally:
            if self._writer is not None and self.written:
                self._writer.close()
            elif self._writer is not None:
                self._writer.abandon()
