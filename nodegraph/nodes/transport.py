"""Musical time: the transport of a patch, and what goes by its beats. Plain Python in logical time."""

from __future__ import annotations

import math
from typing import Any

from nodegraph.core import BANG, BeatTicket, EventNode, Moment, inlet, node, outlet
from nodegraph.core.messages import as_number

LONGEST_BEATS = 1_024.0
FARTHEST = 1_000_000_000.0
"""So many beats from the first the clock is still exact to the frame."""


@node("transport", aliases=("transport~", "TempoClock", "TempoBusClock"))
class Transport(EventNode):
    """Set the tempo of the patch, and tell its beats and bars.

    One clock goes through the whole patch: `every`, `phase~` and `beats` follow it. Without a transport it goes at 120
    beats a minute in bars of four. A new `tempo` is reached in `glide` seconds, in a straight line. Of two notes of
    `swing_beats` beats the first takes up the share `swing`: 0.5 is even, 0.667 falls where the third of three would.
    `locate` puts the clock at a beat, counted from 0, at most a billion. Beats are exact to the frame and do not drift.
    Of two transports the one that hears something last decides.

    Source: definition, as Max's transport and SuperCollider's TempoClock.
    """

    tempo = inlet.control(120.0, "beats a minute", unit="BPM", span=(1.0, 1_000.0), curve="log", ramp_s=0.0)
    glide = inlet.control(0.0, "time to the next tempo", unit="s", span=(0.0, 600.0))
    play = inlet.control(1.0, "1 goes on, 0 stands still", span=(0.0, 1.0), curve="switch")
    meter = inlet.control(4.0, "beats a bar", span=(1.0, 64.0), curve="integer")
    swing = inlet.control(0.5, "the share of the first of two notes", span=(0.5, 0.9), ramp_s=0.0)
    swing_beats = inlet.control(0.5, "beats of a note that swings", span=(0.0625, 1.0), ramp_s=0.0)
    locate = inlet.event("go to this beat; a bang goes to the first")
    beat = outlet.event("the number of each beat in its bar, from 1")
    bar = outlet.event("the number of each bar, from 1")

    def start(self, when: Moment) -> None:
        self._measure()
        self.host.clock.go(self.tempo)
        self.host.clock.run(bool(self.play))
        self.ticket = self.host.clock.every(self, 1.0, self._beat, straight=True)

    def _beat(self, when: Moment) -> None:
        bar, beat = divmod(self.ticket.last, int(self.meter))
        if beat == 0:
            self.bar(bar + 1)
        self.beat(beat + 1)

    def _measure(self) -> None:
        self.host.clock.measure(int(self.meter), self.swing, self.swing_beats)

    def on_tempo(self, message: float) -> None:
        self.host.clock.go(message, self.glide)

    def on_play(self, message: float) -> None:
        self.host.clock.run(bool(message))

    def on_meter(self) -> None:
        self._measure()

    def on_swing(self) -> None:
        self._measure()

    def on_swing_beats(self) -> None:
        self._measure()

    def on_locate(self, message: Any) -> None:
        number = 0.0 if message is BANG else as_number(message)
        if number is None or math.isnan(number):
            self.host.log(self, f"'locate' takes a beat or a bang, not {message!r}.")
        else:
            self.host.clock.locate(min(max(number, -FARTHEST), FARTHEST))


@node("every", aliases=("metro.beats", "quantize", "Pdur"))
class Every(EventNode):
    """Send a bang every so many beats.

    On the grid of the transport, counted from beat `offset`: 1 is every beat, 0.5 eighth notes, 4 every bar of four.
    Bangs swing as the transport says.

    Source: definition, as the intervals of Max's metro in note values.
    """

    beats = inlet.control(1.0, "beats from bang to bang", span=(1.0 / 64.0, LONGEST_BEATS), curve="log", ramp_s=0.0)
    offset = inlet.control(0.0, "beats by which the grid is later", span=(-LONGEST_BEATS, LONGEST_BEATS))
    on = inlet.control(1.0, "1 runs, 0 stands still", span=(0.0, 1.0), curve="switch")
    bang = outlet.event("bang")
    count = outlet.event("its place in the grid, from 0 at `offset`; sent before the bang")

    def start(self, when: Moment) -> None:
        self.ticket: BeatTicket | None = None
        self._again()

    def _again(self) -> None:
        if self.ticket is not None:
            self.host.cancel(self.ticket)
            self.ticket = None
        if self.on:
            self.ticket = self.host.clock.every(self, self.beats, self._hit, self.offset)

    def _hit(self, when: Moment) -> None:
        assert self.ticket is not None
        self.count(self.ticket.last)
        self.bang(BANG)

    def on_beats(self) -> None:
        self._again()

    def on_offset(self) -> None:
        self._again()

    def on_on(self) -> None:
        self._again()


@node("phase~", aliases=("phasor.beats~", "plugphasor~"))
class Phase(EventNode):
    """Give a ramp from 0 to 1 that goes round with the beats of the transport.

    `y` is ``frac((beat - offset) / beats)``: a clock for step sequencers, an LFO that stays in time. It follows the
    tempo in straight lines from beat to beat and stands while the transport does. Latency 0 frames.

    Source: definition, as the phasor~ of Max that is locked to its transport.
    """

    beats = inlet.control(1.0, "beats a round", span=(1.0 / 64.0, LONGEST_BEATS), curve="log", ramp_s=0.0)
    offset = inlet.control(0.0, "beats by which it is later", span=(-LONGEST_BEATS, LONGEST_BEATS))
    y = outlet.signal("0 to 1", channels=1)

    STEP = 0.25  # a straight line lasts no longer than so many beats, so that it follows a gliding tempo

    def start(self, when: Moment) -> None:
        self.ticket: object = None
        self._line(when)

    def tempo_changed(self, when: Moment) -> None:
        self._line(when)

    def on_beats(self, when: Moment) -> None:
        self._line(when)

    def on_offset(self, when: Moment) -> None:
        self._line(when)

    def _line(self, when: Moment) -> None:
        """A straight line to the end of the round, or to where the tempo must be looked at again."""
        if self.ticket is not None:
            self.host.cancel(self.ticket)
            self.ticket = None
        clock = self.host.clock
        beat = clock.beat_at(when.frame)
        place = (beat - self.offset) / self.beats
        inside = place - math.floor(place + 1e-9)
        self.y(max(inside, 0.0))
        end = min(1.0, inside + self.STEP / self.beats) if self.beats > self.STEP else 1.0
        frame = clock.frame_at(beat + (end - inside) * self.beats)
        if frame is None or frame <= when.frame:
            return
        self.y(end, 0, (frame - when.frame) / self.host.rate)
        self.ticket = self.host.after(self, (frame - when.frame) / self.host.rate, self._line)


@node("beats", aliases=("translate", "beats2s", "timeval"))
class Beats(EventNode):
    """Turn lengths in beats into seconds, at the tempo of the transport.

    ``y = x 60 / tempo``. Sends again whenever the tempo changes, and every 20 ms while it glides: lay it to
    `delay~.time` for an echo in time.

    Source: definition, as Max's translate.
    """

    x = inlet.event("beats")
    value = inlet.control(1.0, "the stored length", span=(0.0, LONGEST_BEATS), ramp_s=0.0)
    y = outlet.event("seconds")

    STEP_S = 0.02

    def start(self, when: Moment) -> None:
        self.ticket: object = None
        self._send(when)

    def tempo_changed(self, when: Moment) -> None:
        self._send(when)

    def on_x(self, message: Any, when: Moment) -> None:
        number = as_number(message)
        if number is not None:
            self.controls["value"] = number
        self._send(when)

    def on_value(self, when: Moment) -> None:
        self._send(when)

    def _send(self, when: Moment) -> None:
        if self.ticket is not None:
            self.host.cancel(self.ticket)
            self.ticket = None
        tempo = self.host.clock.tempo_at(when.frame)
        self.y(self.value * 60.0 / tempo)
        if self.host.clock.tempo_at(when.frame + 1) != tempo:
            self.ticket = self.host.after(self, self.STEP_S, self._send)
