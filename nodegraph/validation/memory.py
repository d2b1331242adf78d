"""Memory between guard zones: what a node writes beside its arrays is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

GUARD = 4096
"""Bytes on each side."""
PATTERN = 0xA5
LINE = 64


class Trespass(Exception):
    """Memory beside an array was written to. `at` counts the bytes from its start (negative) or its end."""

    def __init__(self, what: str, side: str, at: int) -> None:
        super().__init__(f"memory {side} {what} was written to, {abs(at)} bytes {'before' if at < 0 else 'after'} it")
        self.what, self.side, self.at = what, side, at


class Guarded:
    """A copy of `like` with a guard zone on both sides, on a cache line's start. `what` names it in findings.

    `pattern` fills the zones. A node that reads them gives other sounds with another pattern.
    """

    def __init__(self, what: str, like: NDArray[Any], pattern: int = PATTERN) -> None:
        size = (like.nbytes + LINE - 1) // LINE * LINE
        self.raw = np.full(size + 2 * GUARD + LINE, pattern, np.uint8)
        start = GUARD + (-(self.raw.ctypes.data + GUARD)) % LINE
        self.what, self.pattern, self.start, self.end = what, pattern, start, start + like.nbytes
        self.array: NDArray[Any] = self.raw[start : self.end].view(like.dtype).reshape(like.shape)
        self.array[...] = like
        self.address = int(self.raw.ctypes.data) + start

    def check(self) -> None:
        """Raises Trespass when a guard zone is not as it was."""
        before, after = self.raw[: self.start], self.raw[self.end :]
        if (before != self.pattern).any():
            raise Trespass(self.what, "before", int(np.flatnonzero(before != self.pattern)[-1]) - self.start)
        if (after != self.pattern).any():
            raise Trespass(self.what, "after", int(np.flatnonzero(after != self.pattern)[0]))
