"""How much strangers may cause: so many things a second, one line in the log a second, and counters of it all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counters:
    """What came in, and what became of it."""

    received: int = 0
    """Packets."""
    messages: int = 0
    malformed: int = 0
    """Packets that are no OSC."""
    refused: int = 0
    """Packets and connections from where nobody is allowed, and messages for later than the horizon."""
    dropped: int = 0
    """Packets and messages that were too many."""
    late: int = 0
    """Messages whose time had passed when they came; they acted at once."""
    unmatched: int = 0
    """Messages for which nothing is there."""
    errors: int = 0
    """Messages that were for something, and made no sense to it."""
    sent: int = 0
    """Packets that left."""
    unsent: int = 0
    """Packets that could not leave: nobody takes them, or too slowly, or the target is not allowed."""

    def as_data(self) -> dict[str, int]:
        """By name."""
        return asdict(self)


class Bucket:
    """So many things a second, and so many at once after a rest."""

    def __init__(self, a_second: float, at_once: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.a_second, self.at_once = a_second, at_once
        self._clock = clock
        self._left, self._at = at_once, clock()

    def take(self, count: int = 1) -> bool:
        """Whether one more may be."""
        if self._left < count:
            now = self._clock()
            self._left = min(self.at_once, self._left + (now - self._at) * self.a_second)
            self._at = now
            if self._left < count:
                return False
        self._left -= count
        return True


class Log:
    """Lines for the log, one a second at most; what was held back is counted in the next line."""

    EVERY_S = 1.0

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic, word: str = "OSC: "
    ) -> None:
        """`word`: how each line begins."""
        self._say, self._clock, self._word = say, clock, word
        self._next = -1e9
        self._held: Counter[str] = Counter()
        self._example: dict[str, str] = {}

    def note(self, what: str, example: str = "") -> None:
        """Something of a kind (``malformed packets``) has happened; `example` is what is told of it."""
        self._held[what] += 1
        if example:
            self._example.setdefault(what, example)
        if self._clock() >= self._next:
            self.flush()

    def flush(self) -> None:
        """Say what was held back."""
        if self._held:
            self._next = self._clock() + self.EVERY_S
            parts = []
            for what, count in self._held.items():
                example = self._example.get(what, "")
                parts.append(f"{count} {what}{f' ({example})' if example else ''}")
            self._held.clear()
            self._example.clear()
            self._say(f"{self._word}{'; '.join(parts)}.")

    def tick(self) -> None:
        """Called now and then: what was held back does not wait for the next thing to happen."""
        if self._held and self._clock() >= self._next:
            self.flush()
