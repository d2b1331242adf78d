"""MIDI clock that comes in: 24 ticks a beat, start, stop, continue, and the song position pointer.

Start and continue count from the tick that comes next, as the MIDI 1.0 specification says ("System Real Time
Messages"). The clock of a sender that does not play gives its tempo already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nodegraph.core.messages import MidiIn
from nodegraph.runtime.acts import Act
from nodegraph.timing.places import Here, Place
from nodegraph.timing.ticks import Ticks

A_BEAT: Final = 24
A_SIXTEENTH: Final = 6
MEMORY: Final = 192
"""Ticks: eight beats."""
LONGEST_S: Final = 0.5
"""Ten beats a minute are 0.25 s from tick to tick."""
POSITION, TICK, START, CONTINUE, STOP = 0xF2, 0xF8, 0xFA, 0xFB, 0xFC


class MidiClock:
    """Follows the clock at one MIDI port: the one that is named, or the first at which a clock comes."""

    leads = False
    door = "midi"

    def __init__(self, port: str = "") -> None:
        self.named = port
        self.port = port
        self._next = 0
        """Ticks from the start of the song to the tick that comes next."""
        self._ready = False
        """Whether it begins to play with the tick that comes next."""
        self._loose = False
        """Whether that tick may be anywhere: a sender that jumps may begin a new row of ticks."""
        self._playing = False
        self._run = 0
        self._first = 0.0
        self._origin = 0
        """What is to be taken from a tick's number for its place in the song."""
        self._ticks: Ticks | None = None
        self._place = Place(0.0, 0.0, False)

    def begin(self, here: Here) -> None:
        # what came is counted in another rate's frames; the tempo stays until the next two ticks have come
        self._ticks = Ticks(here.rate, MEMORY, LONGEST_S)
        self._origin = -self._next

    def hear(self, act: Act, here: Here) -> bool:
        if act.what != "arrive" or act.args[0] != "midi" or not isinstance(act.args[1], MidiIn):
            return False
        port, data = act.args[1]
        if not data or data[0] not in (POSITION, TICK, START, CONTINUE, STOP):
            return False
        if port != self.port:
            if self.named or (self.port and not self.silent(here)):
                return False
            self.port = port
        return self._take(data, here.done if act.frame < 0 else act.frame - here.lookahead)

    def silent(self, here: Here) -> bool:
        """Whether no tick has come for a while."""
        return self._ticks is None or self._ticks.number < 0 or here.frame - self._ticks.frame > 2 * self._ticks.longest

    def _take(self, data: bytes, frame: int) -> bool:
        status = data[0]
        if status == TICK:
            return self._tick(frame)
        self._loose = True
        if status == START:
            self._next, self._ready = 0, True
        elif status == CONTINUE:
            self._ready = not self._playing
        elif status == STOP and (self._playing or self._ready):
            self._ready, was, self._playing = False, self._playing, False
            self._run += was
            return was
        elif status == POSITION and len(data) >= 3:
            self._next = A_SIXTEENTH * (data[1] + 128 * data[2])
            self._ready = self._ready or self._playing
            if not self._playing:
                self._run += 1
                return True
        return False

    def _tick(self, frame: int) -> bool:
        ticks = self._ticks
        assert ticks is not None
        ticks.take(frame, self._loose or self._ready)
        self._loose = False
        if not self._playing and not self._ready:
            return False
        begins, self._ready = self._ready, False
        if begins:
            self._origin = ticks.number - self._next
            self._playing = True
            self._first = self._next / A_BEAT
            self._run += 1
        self._next += 1
        return begins

    def place(self, here: Here, frame: float) -> Place | None:
        ticks = self._ticks
        if ticks is None or (ticks.number < 0 and self._playing):
            return None  # nothing was heard yet, or nothing at this rate
        if ticks.spacing is not None:
            bpm = 60.0 * here.rate / (A_BEAT * ticks.spacing)
        elif self._place.bpm:
            bpm = self._place.bpm
        else:
            bpm = here.clock.tempo_at(here.frame)
        if not self._playing:
            beat = self._next / A_BEAT
            if not self._run and ticks.spacing is None:
                return None
        else:
            index = ticks.index_at(frame)
            if index is None:  # the first tick of a run, with nothing before it
                index = ticks.number + (frame - ticks.frame) * bpm * A_BEAT / (60.0 * here.rate)
            beat = (index - self._origin) / A_BEAT
        self._place = Place(beat, bpm, self._playing, self._run, self._first)
        return self._place

    def tell(
        self, here: Here, *, bpm: float | None = None, playing: bool | None = None, beat: float | None = None
    ) -> None:
        pass  # who sends a clock takes none

    def status(self) -> Mapping[str, Any]:
        spacing = None if self._ticks is None else self._ticks.spacing
        return {"source": "midi", "port": self.port, "heard": spacing is not None, "tempo": self._place.bpm or None}

    def close(self) -> None:
        pass
