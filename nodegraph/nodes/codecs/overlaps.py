"""Networks that hear a window of frames at once, over a stream of them: windows overlap, and fade into one another."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nodegraph.nodes.codecs.flowing import Floats


class Window(NamedTuple):
    """How many frames are heard at once: those that are answered now, what stood before them, and what comes after.

    Each answer fades over `fade` frames into the one that the next window gives to them.
    """

    before: int
    step: int
    ahead: int
    fade: int

    @property
    def whole(self) -> int:
        """Frames of a window."""
        return self.before + self.step + self.ahead


class Overlapping:
    """Frames, a step at a time → what a network says of them, `Window.ahead` frames later.

    `run` gets a window ``(rows, frames · grain)`` and says ``(rows, frames · n)``, for whatever n it likes. `begins` is
    what stood before the first frame, as far as it is heard: with none of it the first windows are shorter, as the
    original's are at the edge of a sound, and `blank` ``(rows, 1)`` is said of what lies before.
    """

    def __init__(
        self, window: Window, run: Callable[[Floats], Floats], begins: Floats, blank: Floats, grain: int = 1
    ) -> None:
        self.window, self.grain = window, grain
        self._run, self._begins, self._blank = run, begins, blank
        self.forget()

    def forget(self) -> None:
        """A new sound begins."""
        self._heard = self._begins
        self._tail: Floats | None = None

    def hear(self, piece: Floats) -> Floats:
        """The next step. What is said of it comes with the steps after it."""
        window = self.window
        heard = np.concatenate([self._heard, piece], axis=1)[:, -window.whole * self.grain :]
        self._heard = heard
        made = self._run(heard)
        each = made.shape[1] * self.grain // heard.shape[1]
        end = made.shape[1] - window.ahead * each
        start = end - window.step * each
        said = made[:, max(start, 0) : end].copy()
        if start < 0:
            said = np.concatenate([np.repeat(self._blank, -start, axis=1), said], axis=1)
        if self._tail is not None:
            length = self._tail.shape[1]
            rise = (np.arange(1, length + 1, dtype=np.float32) / np.float32(length + 1)).astype(np.float32)
            said[:, :length] = said[:, :length] * rise + self._tail * (np.float32(1.0) - rise)
        self._tail = made[:, end : end + window.fade * each]
        return said
