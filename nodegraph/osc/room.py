"""When a message acts, and whether there is room for it: what waits for the player, and for its frame, is bounded."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final

from nodegraph.osc.limits import Counters, Log
from nodegraph.osc.timebase import Timebase
from nodegraph.runtime.player import Player
from nodegraph.session.session import Session

MOST_ASKED: Final = 4_096
"""Acts that wait for the player; what comes then is dropped."""
MOST_AHEAD: Final = 262_144
"""Numbers and messages that wait for their frames."""


class Room:
    """Of one session. On the door's thread."""

    def __init__(
        self, session: Session, counters: Counters, log: Log, timebase: Callable[[Player], Timebase], horizon_s: float
    ) -> None:
        self.session, self.counters, self.log = session, counters, log
        self.timebase, self.horizon_s = timebase, horizon_s
        self._ahead: list[tuple[int, int]] = []
        self._count = 0
        self._player: Player | None = None

    def frame_at(self, time: float | None, count: int = 1) -> int | None:
        """The frame of a time tag; -1: now. None: it is too far ahead, or too many wait for their frames already."""
        playing = self.session.playing
        if time is None or playing is None or not playing.running:
            return -1
        player = playing.player
        frame, handled = self.timebase(player).frame_of(time), player.messages.handled
        if frame < handled:
            self.counters.late += count
            return -1
        if frame - handled > self.horizon_s * player.rate:
            self.counters.refused += count
            self.log.note("messages for later than can be waited for", f"by {(frame - handled) / player.rate:.0f} s")
            return None
        if player is not self._player:
            self._player, self._ahead, self._count = player, [], 0
        ahead = self._ahead
        while ahead and ahead[0][0] < handled:
            self._count -= heapq.heappop(ahead)[1]
        if self._count + count > MOST_AHEAD:
            self._drop(count)
            return None
        heapq.heappush(ahead, (frame, count))
        self._count += count
        return frame

    def full(self, count: int = 1) -> bool:
        """Whether the player has as much to do as it should; what comes is dropped then."""
        playing = self.session.playing
        if playing is not None and playing.player.asked >= MOST_ASKED:
            self._drop(count)
            return True
        return False

    def _drop(self, count: int) -> None:
        self.counters.dropped += count
        self.log.note("messages dropped, as they came too fast")
