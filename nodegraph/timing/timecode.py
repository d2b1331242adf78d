"""MIDI timecode that comes in: quarter frames, and full frames by System Exclusive.

Eight quarter frames carry one timecode, that of the moment of the first; so two frames have passed when it is known. A
full frame says where the sender stands: it has jumped, and does not run until quarter frames come.

Source: MIDI 1.0 Detailed Specification, "MIDI Time Code" (MMA 4.2), as far as it tells time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nodegraph.core.messages import MidiIn
from nodegraph.core.timecode import Timecode
from nodegraph.runtime.acts import Act
from nodegraph.timing.places import Here, Place, SecondsToBeats
from nodegraph.timing.ticks import Ticks

QUARTER: Final = 0xF1
FULL: Final = bytes((0xF0, 0x7F))
PIECES: Final = 8
MEMORY: Final = 200
"""Quarter frames: two seconds."""
STOPS_S: Final = 0.1
"""Without a quarter frame for so long the sender has stopped."""
TOLERATED_S: Final = 0.1
"""A timecode that is further from where the last ones lead is a jump."""


class MidiTimecode:
    """Follows MIDI timecode; 00:00:00:00 is beat 0, at the tempo that the patch has (`SecondsToBeats`)."""

    leads = True  # the tempo is the patch's own; who changes it changes how seconds become beats
    door = "midi"

    def __init__(self, port: str = "") -> None:
        self.named = port
        self.port = port
        self._ticks: Ticks | None = None
        self._pieces: list[int] = []
        self._base: tuple[int, float] | None = None
        """The number of a quarter frame, and the second that it stands for."""
        self._nominal = 0.01
        """Seconds from quarter frame to quarter frame."""
        self._code: Timecode | None = None
        self._beats: SecondsToBeats | None = None
        self._second = self._first = 0.0
        self._run = 0
        self._playing = False
        self._speed = 1.0

    def begin(self, here: Here) -> None:
        self._ticks = Ticks(here.rate, MEMORY, STOPS_S)
        self._pieces.clear()
        self._base = None
        if self._beats is None:
            self._beats = SecondsToBeats(here.clock.tempo_at(here.frame))

    def hear(self, act: Act, here: Here) -> bool:
        if act.what != "arrive" or act.args[0] != "midi" or not isinstance(act.args[1], MidiIn):
            return False
        port, data = act.args[1]
        full = Timecode.of_full_frame(data) if data[:2] == FULL else None
        if full is None and not (len(data) == 2 and data[0] == QUARTER):
            return False
        if port != self.port:
            if self.named or (self.port and self._playing):
                return False
            self.port = port
        if full is not None:
            return self._located(full)
        return self._quarter(data[1], here.done if act.frame < 0 else act.frame - here.lookahead)

    def _located(self, code: Timecode) -> bool:
        self._code, self._second = code, code.seconds
        self._stop()
        self._run += 1
        assert self._beats is not None
        self._beats.jump()
        return True

    def _stop(self) -> None:
        self._playing = False
        self._base = None
        self._pieces.clear()
        if self._ticks is not None:
            self._ticks.forget()

    def _quarter(self, data: int, frame: int) -> bool:
        ticks = self._ticks
        assert ticks is not None
        if ticks.number >= 0 and frame - ticks.frame > STOPS_S * ticks.rate:
            self._stop()
        ticks.take(frame)
        piece = data >> 4
        if piece == 0:
            self._pieces = [data]
        elif len(self._pieces) == piece:
            self._pieces.append(data)
        else:
            self._pieces.clear()  # backwards, or some were lost: wait for the next whole one
        if len(self._pieces) < PIECES:
            return False
        code = Timecode.of_quarter_frames(self._pieces)
        self._pieces.clear()
        return code is not None and self._told(code, ticks.number)

    def _told(self, code: Timecode, number: int) -> bool:
        """A whole timecode: that of the moment of its first quarter frame. Whether the sender is elsewhere."""
        self._code = code
        self._nominal = 1.0 / (4.0 * code.fps)
        first = number - (PIECES - 1)
        went_on = self._base is not None and (
            abs(self._base[1] + (first - self._base[0]) * self._nominal - code.seconds) < TOLERATED_S
        )
        self._base = first, code.seconds
        if self._playing and went_on:
            return False
        self._playing = True
        self._run += 1
        assert self._beats is not None
        self._beats.jump()
        self._first = code.seconds + (PIECES - 1) * self._nominal
        return True

    def place(self, here: Here, frame: float) -> Place | None:
        ticks, beats = self._ticks, self._beats
        if ticks is None or beats is None or not self._run:
            return None
        if self._playing and here.frame - ticks.frame > 2 * STOPS_S * ticks.rate:
            self._second = self._seconds_at(ticks.frame)
            self._stop()
            self._run += 1
        if self._playing:
            self._second = self._seconds_at(frame)
            if ticks.spacing is not None:
                self._speed = self._nominal * ticks.rate / ticks.spacing
        return Place(
            beats.beat(self._second), beats.bpm * self._speed, self._playing, self._run, beats.beat(self._first)
        )  # fmt: skip

    def _seconds_at(self, frame: float) -> float:
        assert self._ticks is not None and self._base is not None
        number, second = self._base
        index = self._ticks.index_at(frame)
        return second if index is None else second + (index - number) * self._nominal

    def tell(
        self, here: Here, *, bpm: float | None = None, playing: bool | None = None, beat: float | None = None
    ) -> None:
        if bpm is not None and self._beats is not None:
            self._beats.change(bpm, self._second)

    def status(self) -> Mapping[str, Any]:
        code = None if self._code is None else str(self._code.after(self._second - self._code.seconds))
        return {"source": "mtc", "port": self.port, "heard": self._code is not None, "timecode": code}

    def close(self) -> None:
        pass
