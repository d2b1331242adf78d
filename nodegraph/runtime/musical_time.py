"""Musical time of a running graph: calls that wait for beats, and are moved when the tempo changes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from nodegraph.runtime.clock import Clock
from nodegraph.runtime.ticket import Ticket

SHORTEST = 1.0 / 1_024.0
"""Beats between two calls of a grid."""


class BeatTicket(Ticket):
    """A call that waits for a beat, or for every beat of a grid (`interval` > 0).

    `index` is the place in its grid of the call that comes next, `last` that of the last one.
    """

    __slots__ = ("beat", "index", "interval", "last", "node", "straight", "waiting", "within")

    def __init__(self, node: Any, call: Callable[[Any], None], beat: float, interval: float, straight: bool) -> None:
        self.call = call
        self.node = node
        self.beat = beat
        self.interval = interval
        self.straight = straight
        self.index = 0
        self.last = 0
        self.waiting: Ticket | None = None
        self.within: dict[BeatTicket, None] = {}

    def cancel(self) -> None:
        """Never call again."""
        self.call = None
        self.within.pop(self, None)
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None


class Logical(Protocol):
    """Where logical time comes from."""

    rate: int
    now: int
    nodes: dict[str, Any]

    def on_beat(self, node: Any, frame: int, call: Callable[[Any], None]) -> Ticket: ...
    def guarded(self, id: str, call: Callable[..., None], *args: Any) -> None: ...
    def instant(self) -> Any: ...


class MusicalTime(Clock):
    """The clock of a running graph, as its nodes see it. What they change, they change now (in logical time)."""

    def __init__(self, logical: Logical) -> None:
        super().__init__(logical.rate)
        self._logical = logical
        self._tickets: dict[BeatTicket, None] = {}
        self.jumps = 0
        """How often it was put elsewhere."""

    # -- waiting

    def at(self, node: Any, beat: float, call: Callable[[Any], None]) -> BeatTicket:
        """Call back at a beat, counted from 0; at once, if it has passed."""
        return self._await(BeatTicket(node, call, max(beat, self.beat_at(self._logical.now)), 0.0, True))

    def every(
        self, node: Any, beats: float, call: Callable[[Any], None], offset: float = 0.0, straight: bool = False
    ) -> BeatTicket:
        """Call back every so many beats, on the grid that goes through beat `offset`; it swings unless `straight`."""
        ticket = BeatTicket(node, call, offset, max(beats, SHORTEST), straight)
        self._first(ticket)
        return self._await(ticket)

    def forget(self, id: str) -> None:
        """Cancel what a node waits for."""
        for ticket in [ticket for ticket in self._tickets if ticket.node.id == id]:
            ticket.cancel()

    # -- changing

    def go(self, bpm: float, seconds: float = 0.0) -> None:
        """Another tempo, reached in so many seconds."""
        self.go_at(self._logical.now, bpm, seconds)
        self._moved()

    def go_through(self, beat: float, there: int, bpm: float) -> None:
        """Bend the tempo so that a beat falls on the frame `there`, and go on at `bpm` (`Clock.go_through_at`)."""
        self.go_through_at(self._logical.now, beat, there, bpm)
        self._moved()

    def run(self, on: bool) -> None:
        """Go on, or stand still."""
        self.run_at(self._logical.now, on)
        self._moved()

    def locate(self, beat: float) -> None:
        """Go to a beat."""
        self.locate_at(self._logical.now, beat)
        self.jumps += 1
        for ticket in self._tickets:
            if ticket.interval:
                self._first(ticket)
        self._moved()

    def measure(self, beats_a_bar: int, swing: float, swing_beats: float) -> None:
        """How many beats a bar has; how notes of `swing_beats` beats swing."""
        self.beats_a_bar, self.swing, self.swing_beats = beats_a_bar, swing, swing_beats
        self._moved()

    def go_on_for(self, other: Clock, frame: int, here: int) -> None:
        """Be at `here`, which is now, what another clock is at its `frame`."""
        super().go_on_for(other, frame, here)
        for ticket in self._tickets:
            if ticket.interval:
                self._first(ticket)
        self._moved()

    # -- within

    def _first(self, ticket: BeatTicket) -> None:
        """The first place of a grid that is not before now."""
        now = self.beat_at(self._logical.now)
        ticket.index = math.ceil((now - ticket.beat) / ticket.interval - 1e-9) - 1
        while self._due(ticket) < now - 1e-9:
            ticket.index += 1

    def _due(self, ticket: BeatTicket) -> float:
        beat = ticket.beat + ticket.index * ticket.interval
        return beat if ticket.straight else self.swung(beat)

    def _await(self, ticket: BeatTicket) -> BeatTicket:
        """Wait for a ticket's beat, as long as the tempo stays."""
        self._tickets[ticket] = None
        ticket.within = self._tickets
        if ticket.waiting is not None:
            ticket.waiting.cancel()
            ticket.waiting = None
        if self.playing:
            # a beat between two frames belongs to the later one, and may have passed when the tempo changes there
            now = self._logical.now
            frame = self.frame_at(self._due(ticket))
            frame = now if frame is None else max(frame, now)
            ticket.waiting = self._logical.on_beat(ticket.node, frame, lambda when: self._on_beat(ticket, when))
        return ticket

    def _on_beat(self, ticket: BeatTicket, when: Any) -> None:
        ticket.waiting = None
        ticket.last = ticket.index
        ticket.index += 1
        call = ticket.call
        if ticket.interval and call is not None:
            self._await(ticket)
        else:
            self._tickets.pop(ticket, None)
        if call is not None:
            call(when)

    def _moved(self) -> None:
        """Beats come at other frames now."""
        for ticket in list(self._tickets):
            self._await(ticket)
        for node in list(self._logical.nodes.values()):
            self._logical.guarded(node.id, node.tempo_changed, self._logical.instant())
