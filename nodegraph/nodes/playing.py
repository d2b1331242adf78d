"""Notes: made of pitches, played one at a time, one after another."""

from __future__ import annotations

import math
import random
from functools import partial
from typing import Any, Final

from nodegraph.core import EventNode, Moment, Note, NoteExpression, Tag, inlet, node, outlet, setting
from nodegraph.core.messages import as_number
from nodegraph.nodes.polyphony import as_note

ORDERS: Final = ("up", "down", "up and down", "as played", "random")


def pitches(message: Any) -> list[float]:
    """The pitches in a message: of a number, of a note, of each number in a list."""
    if isinstance(message, (Tag, NoteExpression)):
        return []
    if isinstance(message, tuple) and not isinstance(message, Note):
        return [pitch for item in message for pitch in pitches(item)]
    number = as_number(message)
    return [] if number is None or not math.isfinite(number) else [number]


@node("makenote", aliases=("note", "Pbind"))
class MakeNote(EventNode):
    """Make notes of pitches, and end each in time.

    A number sends a note of that pitch with `velocity`, and after `duration` the note's end: the same pitch with
    velocity 0. A list is a chord. A note that comes in keeps its velocity, and its length if it has one; a note's end
    is let through. A pitch that sounds already is ended first. A message to `release` ends all that sounds.

    Source: definition, as in Max and Pd; velocities are 0 to 1 here.
    """

    x = inlet.event("MIDI pitch, a list of them, or a note")
    velocity = inlet.control(0.8, "how hard it is struck", span=(0.0, 1.0), ramp_s=0.0)
    duration = inlet.control(0.25, "how long it lasts", unit="s", span=(0.001, 3_600.0), curve="log", ramp_s=0.0)
    release = inlet.event("end all notes")
    y = outlet.event("notes and their ends")

    def start(self, when: Moment) -> None:
        self.sounding: dict[float, object] = {}

    def on_x(self, message: Any) -> None:
        if isinstance(message, NoteExpression):
            self.y(message)
        given = isinstance(message, Note)
        velocity = message.velocity if given else self.velocity
        length = message.duration_s if given and message.duration_s is not None else self.duration
        for pitch in pitches(message):
            self._end(pitch)
            if velocity > 0.0:
                self.y(Note(pitch, velocity))
                self.sounding[pitch] = self.host.after(self, length, partial(self._end, pitch))

    def _end(self, pitch: float, when: Moment | None = None) -> None:
        ticket = self.sounding.pop(pitch, None)
        if ticket is not None:
            self.host.cancel(ticket)
            self.y(Note(pitch, 0.0))

    def on_release(self) -> None:
        for pitch in list(self.sounding):
            self._end(pitch)


@node("mono", aliases=("ddg.mono", "monovoice"))
class Mono(EventNode):
    """Play notes on one voice: the last one sounds, and when it ends the one before that is still held.

    `pitch` and `velocity` come first, then `gate`: 1 with a note, 0 when no note is held. Where a note follows before
    the last has ended the gate falls for one frame, so that an envelope begins anew; not so with `legato`, nor on the
    way back to a note that is still held. Notes with a length end by themselves. A list is pitch, velocity and perhaps
    length; a number is a pitch at 0.8. For several voices at once take `voices~`.

    Source: definition (last-note priority).
    """

    x = inlet.event("notes and their ends; lists of pitch, velocity (0 to 1) and length; pitches")
    legato = inlet.control(0, "1 binds notes that overlap or touch", span=(0, 1), curve="switch")
    release = inlet.event("end all notes")
    pitch = outlet.event("MIDI pitch of the note that sounds")
    velocity = outlet.event("its velocity, 0 to 1")
    gate = outlet.event("1 while a note is held, else 0")

    def start(self, when: Moment) -> None:
        self.held: dict[float, tuple[float, object]] = {}
        self.rising: object = None
        self.up = False
        self.fell = -1  # the frame at which the gate fell last

    def on_x(self, message: Any, when: Moment) -> None:
        note = as_note(message)
        if note is None or not math.isfinite(note.pitch):
            return
        pitch, velocity, length = note
        bound, last = bool(self.held), self._last()
        self._forget(pitch)
        if velocity > 0.0:
            ends = None if length is None else self.host.after(self, length, partial(self.on_x, Note(pitch, 0.0)))
            self.held[pitch] = (velocity, ends)
            self._sound(pitch)
            if bound and not self.legato:
                self._lower(when)
            self._raise(when)
        elif pitch == last:
            last = self._last()
            if last is None:
                self._lower(when)
            else:
                self._sound(last)

    def on_release(self, when: Moment) -> None:
        if self.held:
            for pitch in list(self.held):
                self._forget(pitch)
            self._lower(when)

    def _last(self) -> float | None:
        return next(reversed(self.held), None)

    def _forget(self, pitch: float) -> None:
        _, ends = self.held.pop(pitch, (0.0, None))
        if ends is not None:
            self.host.cancel(ends)

    def _sound(self, pitch: float) -> None:
        self.pitch(pitch)
        self.velocity(self.held[pitch][0])

    def _lower(self, when: Moment) -> None:
        if self.rising is not None:
            self.host.cancel(self.rising)
            self.rising = None
        if self.up:
            self.up, self.fell = False, when.frame
            self.gate(0)

    def _raise(self, when: Moment) -> None:
        """Open the gate; where it fell at this very frame one frame later, or nobody would see that it did."""
        if self.fell == when.frame and not self.legato:
            self.rising = self.rising or self.host.after(self, 0.0, self._raise)
        elif not self.up:
            self.up, self.rising = True, None
            self.gate(1)


@node("arpeggio", aliases=("arpeggiator", "arp", "Ppatlace"))
class Arpeggio(EventNode):
    """Play the notes of a chord one after another.

    A list or a number is the chord from now on; notes join it and leave it as they begin and end. Each message to
    `step` sends the next pitch; without a chord nothing. `octaves` repeats it so many octaves up. "up and down" plays
    the ends once. "random" follows from `seed`. A new chord goes on where the old one was; a message to `reset` begins
    anew.

    Source: definition.
    """

    order = setting.choice("up", "in which order", ORDERS)
    seed = setting.number(0, "which chance; each whole number is another", span=(0, 1_000_000))
    x = inlet.event("chord: a list of MIDI pitches, or notes and their ends")
    step = inlet.event("play the next note")
    octaves = inlet.control(1, "how many octaves", span=(1, 8), curve="integer")
    reset = inlet.event("begin anew")
    y = outlet.event("MIDI pitch")

    def start(self, when: Moment) -> None:
        self.chord: list[float] = []
        self.ends: dict[float, object] = {}
        self.place = 0
        self.draw = random.Random(int(self.seed))

    def on_x(self, message: Any) -> None:
        if isinstance(message, Note):
            pitch = float(message.pitch)
            self._leave(pitch)
            if message.velocity > 0.0:
                self.chord.append(pitch)
                if message.duration_s is not None:
                    self.ends[pitch] = self.host.after(self, message.duration_s, partial(self._leave, pitch))
        elif isinstance(message, (tuple, int, float)) and not isinstance(message, (Tag, NoteExpression)):
            for pitch in list(self.chord):
                self._leave(pitch)
            self.chord = list(dict.fromkeys(pitches(message)))

    def _leave(self, pitch: float, when: Moment | None = None) -> None:
        self.chord = [item for item in self.chord if item != pitch]
        ends = self.ends.pop(pitch, None)
        if ends is not None:
            self.host.cancel(ends)

    def on_step(self) -> None:
        chord = self.chord if self.order == "as played" else sorted(self.chord)
        notes = [pitch + 12.0 * octave for octave in range(max(int(self.octaves), 1)) for pitch in chord]
        if not notes:
            return
        if self.order == "down":
            notes.reverse()
        elif self.order == "up and down":
            notes += notes[-2:0:-1]
        if self.order == "random":
            self.y(self.draw.choice(notes))
        else:
            self.y(notes[self.place % len(notes)])
        self.place = (self.place + 1) % len(notes)

    def on_reset(self) -> None:
        self.place = 0
        self.draw = random.Random(int(self.seed))
