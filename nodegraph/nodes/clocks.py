"""The time of the patch for others: MIDI clock and MIDI timecode. Plain Python in logical time, exact to the frame."""

from __future__ import annotations

import math
from typing import Any

from nodegraph.core import EventNode, Moment, inlet, node, outlet, setting
from nodegraph.core.messages import MidiOut
from nodegraph.core.timecode import RATES, Timecode

TICKS = 24
SIXTEENTHS = 4
LAST_POSITION = 16_383
TICK, START, CONTINUE, STOP = (bytes((status,)) for status in (0xF8, 0xFA, 0xFB, 0xFC))


@node("midi.clock.out", aliases=("clockout", "MIDIClockOut", "midirealtimeout", "midiclock"))
class MidiClockOut(EventNode):
    """Send MIDI clock: others follow the tempo of the patch.

    24 ticks a beat, each at the frame of its place in the beats of the transport; start, stop and continue as the
    transport starts, stands and goes on, and the song position when it is put elsewhere. A song position counts
    sixteenths: who is put between two of them has the others go on at the next one, with its first tick. `offset`
    sends everything so much later.

    Source: MIDI 1.0 Detailed Specification, "System Real Time Messages" and "Song Position Pointer".
    """

    on = inlet.control(1.0, "1 sends, 0 is silent", span=(0.0, 1.0), curve="switch")
    offset = inlet.control(0.0, "how much later it is sent", unit="s", span=(0.0, 1.0))
    port = setting.text("", "MIDI port to send to; empty is every port")
    sent = outlet.event("start, continue, stop, or a list of 'position' and a number of sixteenths")

    ticket: Any = None

    def start(self, when: Moment) -> None:
        self.waits: int | None = None
        self.runs = False  # whether the others play, or will at the next sixteenth
        if self.on:
            self._begin(when)

    def _begin(self, when: Moment) -> None:
        self.ticket = self.host.clock.every(self, 1.0 / TICKS, self._tick, straight=True)
        self.jumps = self.host.clock.jumps
        if self.host.clock.playing:
            self._go(when)

    def _tell(self, data: bytes, when: Moment) -> None:
        frame = when.frame + round(self.offset * self.host.rate)
        self.host.outside.tell("midi", frame, MidiOut(self.port, data))

    def _tick(self, when: Moment) -> None:
        if self.waits is not None and self.ticket.last >= self.waits:
            self.waits = None
            self._tell(CONTINUE, when)
            self.sent("continue")
        self._tell(TICK, when)

    def _go(self, when: Moment) -> None:
        """The transport goes, from here on: have the others go with it."""
        beat = self.host.clock.beat_at(when.frame)
        self.runs, self.waits = True, None
        sixteenth = self._sixteenth(beat)
        if sixteenth == 0 and beat > -1e-6:
            self._tell(START, when)
            self.sent("start")
        else:
            self._position(sixteenth, when)
            self.waits = sixteenth * TICKS // SIXTEENTHS

    @staticmethod
    def _sixteenth(beat: float) -> int:
        """The first one that is not before a beat."""
        return min(max(math.ceil(beat * SIXTEENTHS - 1e-6), 0), LAST_POSITION)

    def _position(self, sixteenth: int, when: Moment) -> None:
        self._tell(bytes((0xF2, sixteenth & 127, sixteenth >> 7)), when)
        self.sent(("position", sixteenth))

    def _stop(self, when: Moment) -> None:
        self.runs, self.waits = False, None
        self._tell(STOP, when)
        self.sent("stop")

    def tempo_changed(self, when: Moment) -> None:
        if self.ticket is None:
            return
        clock = self.host.clock
        jumped, self.jumps = clock.jumps != self.jumps, clock.jumps
        if self.runs and (jumped or not clock.playing):
            self._stop(when)
        if clock.playing and not self.runs:
            self._go(when)
        elif jumped and not clock.playing:
            self._position(self._sixteenth(clock.beat_at(when.frame)), when)

    def on_on(self, message: float, when: Moment) -> None:
        if message and self.ticket is None:
            self._begin(when)
        elif not message and self.ticket is not None:
            if self.runs:
                self._stop(when)
            self.host.cancel(self.ticket)
            self.ticket = None

    def stop(self) -> None:
        if self.ticket is not None and self.runs:
            self.host.outside.tell("midi", -1, MidiOut(self.port, STOP))


@node("midi.timecode.out", aliases=("timecode", "MTC", "mtcout", "SMPTE"))
class MidiTimecodeOut(EventNode):
    """Send MIDI timecode: others follow the position of the patch.

    Four quarter frames a frame, each at its exact frame of the engine, while the transport goes; where it is put
    elsewhere, a full frame by System Exclusive. Beat 0 is 00:00:00:00, moved by `origin`; from there the clock on the
    wall counts, whatever the tempo does, until the transport is put elsewhere: that beat is then where it is at the
    tempo of the moment. A day begins again at 00:00:00:00.

    Source: MIDI 1.0 Detailed Specification, "MIDI Time Code". SMPTE ST 12-1 for 29.97 drop.
    """

    on = inlet.control(1.0, "1 sends, 0 is silent", span=(0.0, 1.0), curve="switch")
    origin = inlet.control(0.0, "timecode of beat 0", unit="s", span=(0.0, 86_400.0), ramp_s=0.0)
    fps = setting.choice("25", "frames a second", RATES)
    port = setting.text("", "MIDI port to send to; empty is every port")
    code = outlet.event("the timecode, as text, once a second and when it jumps")

    jumps: int | None = None

    def start(self, when: Moment) -> None:
        self.ticket: object = None
        self.rate = RATES.index(self.fps)
        self.step = 1.0 / (4.0 * Timecode(0, 0, 0, 0, self.rate).fps)
        self.goes = self.host.clock.playing
        self.jumps = self.host.clock.jumps
        self._locate(when)
        self._again(when)

    def _tell(self, data: bytes, when: Moment) -> None:
        self.host.outside.tell("midi", when.frame, MidiOut(self.port, data))

    def _locate(self, when: Moment) -> None:
        """Count from here: the place of this beat at the tempo of the moment."""
        clock = self.host.clock
        self.frame = when.frame
        self.seconds = self.origin + clock.beat_at(when.frame) * 60.0 / clock.tempo_at(when.frame)
        if self.on:
            code = Timecode.at(self.seconds, self.rate)
            self._tell(code.full_frame(), when)
            self.code(str(code))

    def _count(self, when: Moment) -> None:
        """Go on counting from this frame."""
        if self.goes:
            self.seconds += (when.frame - self.frame) / self.host.rate
        self.frame = when.frame

    def _again(self, when: Moment) -> None:
        """Quarter frames from here on, the first one with an even timecode; none while it stands."""
        if self.ticket is not None:
            self.host.cancel(self.ticket)
            self.ticket = None
        if self.goes and self.on:
            self.quarter = 8 * math.ceil(self.seconds / (8.0 * self.step) - 1e-6)
            self._next(when)

    def _next(self, when: Moment) -> None:
        due = self.frame + math.ceil((self.quarter * self.step - self.seconds) * self.host.rate - 1e-6)
        if due <= when.frame:
            self._quarter(when)
        else:
            self.ticket = self.host.after(self, (due - when.frame) / self.host.rate, self._quarter)

    def _quarter(self, when: Moment) -> None:
        number, piece = divmod(self.quarter, 8)
        code = Timecode.numbered(2 * number, self.rate)
        self._tell(code.quarter_frame(piece), when)
        if piece == 0 and code.frame < 2:
            self.code(str(code))
        self.quarter += 1
        self._next(when)

    def tempo_changed(self, when: Moment) -> None:
        clock = self.host.clock
        if self.jumps is None:  # another node has started before this one
            return
        jumped, self.jumps = clock.jumps != self.jumps, clock.jumps
        if not jumped and clock.playing == self.goes:
            return
        self._count(when)
        self.goes = clock.playing
        if jumped:
            self._locate(when)
        self._again(when)

    def on_on(self, message: float, when: Moment) -> None:
        self._count(when)
        self._again(when)

    def on_origin(self, when: Moment) -> None:
        self._locate(when)
        self._again(when)
