"""MIDI in and out: notes, controllers, bends, pressure, programs.

What comes acts at its own frame, what goes leaves at its own frame. Offline nothing comes, and what goes is gone.
"""

from __future__ import annotations

from typing import Any

from nodegraph.core import Moment, Note, NoteExpression, inlet, node, outlet, setting
from nodegraph.midi import words
from nodegraph.midi.gathering import KINDS, Controls
from nodegraph.midi.holding import Pedals
from nodegraph.nodes.midiends import ChannelEar, MidiMouth, number_in
from nodegraph.nodes.polyphony import as_note


@node("notein", aliases=("MIDIdef.noteOn", "MIDIFunc.noteOn", "MIDIIn.noteOn"))
class NoteIn(ChannelEar):
    """Hear notes from MIDI keyboards and programs.

    `note` is what `voices~` takes: a pitch and a velocity of 0 to 1, and velocity 0 when the key is let go. For one
    note, `from_channel`, `velocity`, `pitch` and `note` are sent in this order. With `pedal`, notes are held as long as
    the sustain pedal (controller 64) is down. "All notes off" (123) and "all sound off" (120) end what is held.

    Source: MIDI 1.0 Specification, 1996; outlets as notein of Max and Pd.
    """

    pedal = setting.flag(False, "the sustain pedal holds notes")
    velocity = outlet.event("velocity, 0 to 127; 0 ends the note")
    pitch = outlet.event("MIDI pitch, 0 to 127")
    note = outlet.event("notes, for voices~")

    def start(self, when: Moment) -> None:
        super().start(when)
        self.pedals = Pedals()
        self.held: dict[tuple[int, int], None] = {}

    def hear_channel(self, data: bytes, channel: int) -> None:
        kind = words.kind_of(data)
        if kind == words.NOTE_ON and data[2]:
            self.pedals.begins(channel, data[1])
            self.held[channel, data[1]] = None
            self._send(channel, data[1], data[2])
        elif kind in (words.NOTE_ON, words.NOTE_OFF):
            if self.pedals.ends(channel, data[1]):
                self._end(channel, data[1])
        elif kind == words.CONTROL and data[1] == words.PEDAL and self.pedal:
            for pitch in self.pedals.moves(channel, data[2] >= 64):
                self._end(channel, pitch)
        elif kind == words.CONTROL and data[1] in (words.NOTES_OFF, words.SOUND_OFF):
            self.pedals.forget(channel)
            for _, pitch in [item for item in self.held if item[0] == channel]:
                self._end(channel, pitch)

    def _end(self, channel: int, pitch: int) -> None:
        self.held.pop((channel, pitch), None)
        self._send(channel, pitch, 0)

    def _send(self, channel: int, pitch: int, velocity: int) -> None:
        self.from_channel(channel)
        self.velocity(velocity)
        self.pitch(pitch)
        self.note(Note(float(pitch), velocity / words.MOST_7))


@node("noteout", aliases=("MIDIOut.noteOn",))
class NoteOut(MidiMouth):
    """Send notes to MIDI instruments and programs.

    Takes what `voices~` takes. Pitches are rounded to the nearest key. A note with a duration ends by itself, another
    one with velocity 0; one that is struck again is let go first. What is held ends when the node or the patch does.

    Source: MIDI 1.0 Specification, 1996; as noteout of Max and Pd.
    """

    notes = inlet.event("notes; lists of pitch and velocity (0 to 1), and a duration in seconds")
    off = inlet.event("end all notes")

    def start(self, when: Moment) -> None:
        self.held: dict[int, object] = {}

    def stop(self) -> None:
        for pitch in list(getattr(self, "held", ())):
            self._end(pitch, None)

    def on_notes(self, message: Any, when: Moment) -> None:
        note = None if isinstance(message, NoteExpression) else as_note(message)
        if note is None:
            return
        pitch = words.whole(note.pitch)
        self._end(pitch, when)
        if note.velocity > 0.0:
            self.tell(when, words.note_on(int(self.channel), pitch, note.velocity * words.MOST_7))
            self.held[pitch] = None
            if note.duration_s is not None:
                self.held[pitch] = self.host.after(self, max(note.duration_s, 0.0), lambda then: self._end(pitch, then))

    def on_off(self, when: Moment) -> None:
        for pitch in list(self.held):
            self._end(pitch, when)

    def _end(self, pitch: int, when: Moment | None) -> None:
        if pitch in self.held:
            ticket = self.held.pop(pitch)
            if ticket is not None:
                self.host.cancel(ticket)
            self.tell(when, words.note_off(int(self.channel), pitch))


@node("ctlin", aliases=("MIDIdef.cc", "MIDIFunc.cc", "MIDIIn.control"))
class ControlIn(ChannelEar):
    """Hear knobs, faders and pedals: controllers of 7 and 14 bits, NRPN, RPN.

    `what` says what is heard. Of "14 bit" controllers 0 to 31 the coarse part counts at once and 32 to 63 refine it;
    parameters (NRPN, RPN) take data entry, and steps up and down. For one change `from_channel`, `number`, `value` and
    `y` are sent in this order.

    Source: MIDI 1.0 Specification, 1996; as ctlin of Max and Pd.
    """

    what = setting.choice("7 bit", "7 or 14 bits, or parameters", KINDS)
    controller = setting.number(-1, "only this controller or parameter; -1: all", span=(-1, words.MOST_14))
    number = outlet.event("the number of the controller or parameter")
    value = outlet.event("its value, 0 to 127 or to 16383")
    y = outlet.event("its value, 0 to 1")

    def start(self, when: Moment) -> None:
        super().start(when)
        self.parts = Controls()

    def hear_channel(self, data: bytes, channel: int) -> None:
        for moved in self.parts.feed(data):
            if moved.kind == self.what and int(self.controller) in (-1, moved.number):
                self.from_channel(channel)
                self.number(moved.number)
                self.value(moved.value)
                self.y(moved.share)


@node("ctlout", aliases=("MIDIOut.control",))
class ControlOut(MidiMouth):
    """Send controllers of 7 or 14 bits, NRPN or RPN.

    `y` is a knob: 0 to 1 over the whole range. `value` takes the number itself: 0 to 127, or to 16383 of "14 bit",
    "nrpn" and "rpn". Nothing is sent before one of them moves.

    Source: MIDI 1.0 Specification, 1996; as ctlout of Max and Pd.
    """

    what = setting.choice("7 bit", "7 or 14 bits, or parameters", KINDS)
    controller = setting.number(1, "the controller or parameter", span=(0, words.MOST_14))
    y = inlet.control(0.0, "the value, 0 to 1", ramp_s=0.0)
    value = inlet.event("the value as a number, 0 to 127 or to 16383")

    def on_y(self, message: float, when: Moment) -> None:
        self._send(message * (words.MOST_7 if self.what == "7 bit" else words.MOST_14), when)

    def on_value(self, message: Any, when: Moment) -> None:
        number = number_in(message)
        if number is not None:
            self._send(number, when)

    def _send(self, value: float, when: Moment) -> None:
        channel, number = int(self.channel), int(self.controller)
        if self.what == "7 bit":
            self.tell(when, words.control(channel, number, value))
        elif self.what == "14 bit":
            self.tell(when, *words.control_14(channel, number, value))
        else:
            self.tell(when, *words.parameter(channel, number, value, registered=self.what == "rpn"))


@node("bendin", aliases=("xbendin", "MIDIdef.bend", "MIDIFunc.bend"))
class BendIn(ChannelEar):
    """Hear pitch bends, in 14 bits.

    `y` goes from -1 to 1 and is 0 in the middle; `semitones` is that times `range`: lay it to `voices~.bend`.

    Source: MIDI 1.0 Specification, 1996; as xbendin of Max and bendin of Pd.
    """

    range = inlet.control(2.0, "semitones of a whole bend", unit="st", span=(0.0, 96.0), ramp_s=0.0)
    y = outlet.event("the bend, -1 to 1")
    semitones = outlet.event("the bend in semitones")

    def hear_channel(self, data: bytes, channel: int) -> None:
        if words.kind_of(data) == words.BEND:
            bend = words.bent(data[1] | data[2] << 7)
            self.from_channel(channel)
            self.y(bend)
            self.semitones(bend * self.range)


@node("bendout", aliases=("xbendout", "MIDIOut.bend"))
class BendOut(MidiMouth):
    """Send pitch bends, in 14 bits.

    -1 to 1 reach both ends; 0 is the middle exactly.

    Source: MIDI 1.0 Specification, 1996; as xbendout of Max and bendout of Pd.
    """

    bend = inlet.control(0.0, "the bend", span=(-1.0, 1.0), ramp_s=0.0)

    def on_bend(self, message: float, when: Moment) -> None:
        self.tell(when, words.bend(int(self.channel), message))


@node("touchin", aliases=("polyin", "polytouchin", "MIDIdef.touch", "MIDIdef.polytouch"))
class TouchIn(ChannelEar):
    """Hear pressure: of a whole channel, and of single keys.

    `y` is the pressure of the channel. That of a key comes as a list of pitch and pressure from `key`, and as a note
    expression for `voices~` from `expression`.

    Source: MIDI 1.0 Specification, 1996; as touchin and polyin of Max, touchin and polytouchin of Pd.
    """

    y = outlet.event("pressure of the channel, 0 to 1")
    key = outlet.event("pitch, and pressure of 0 to 1")
    expression = outlet.event("pressure of a key, for voices~.notes")

    def hear_channel(self, data: bytes, channel: int) -> None:
        kind = words.kind_of(data)
        if kind == words.PRESSURE:
            self.from_channel(channel)
            self.y(data[1] / words.MOST_7)
        elif kind == words.POLY_PRESSURE:
            self.from_channel(channel)
            self.key((data[1], data[2] / words.MOST_7))
            self.expression(NoteExpression(float(data[1]), "pressure", data[2] / words.MOST_7))


@node("touchout", aliases=("polyout", "polytouchout", "MIDIOut.touch", "MIDIOut.polyTouch"))
class TouchOut(MidiMouth):
    """Send pressure: of a whole channel, or of single keys.

    `key` takes lists of pitch and pressure (0 to 1), and the note expressions "pressure" of `mpein`.

    Source: MIDI 1.0 Specification, 1996; as touchout and polyout of Max, touchout and polytouchout of Pd.
    """

    pressure = inlet.control(0.0, "pressure of the channel", ramp_s=0.0)
    key = inlet.event("pitch, and pressure of 0 to 1")

    def on_pressure(self, message: float, when: Moment) -> None:
        self.tell(when, words.pressure(int(self.channel), message * words.MOST_7))

    def on_key(self, message: Any, when: Moment) -> None:
        if isinstance(message, NoteExpression):
            if message.what != "pressure":
                return
            message = (message.pitch, message.value)
        if isinstance(message, tuple) and len(message) >= 2:
            pitch, value = number_in(message[0]), number_in(message[1])
            if pitch is not None and value is not None:
                self.tell(when, words.poly_pressure(int(self.channel), pitch, value * words.MOST_7))


@node("pgmin", aliases=("MIDIdef.program", "MIDIFunc.program"))
class ProgramIn(ChannelEar):
    """Hear program changes.

    `from_channel`, `bank` and `program` are sent in this order; `bank` is what the bank select controllers (0 and 32)
    of the channel have said last. Programs count from 0, as in Max; instruments often show one more.

    Source: MIDI 1.0 Specification, 1996; as pgmin of Max and Pd.
    """

    bank = outlet.event("the bank, 0 to 16383")
    program = outlet.event("the program, 0 to 127")

    def start(self, when: Moment) -> None:
        super().start(when)
        self.parts = Controls()
        self.banks: dict[int, int] = {}

    def hear_channel(self, data: bytes, channel: int) -> None:
        for moved in self.parts.feed(data):
            if moved.kind == "14 bit" and moved.number == words.BANK:
                self.banks[channel] = moved.value
        if words.kind_of(data) == words.PROGRAM:
            self.from_channel(channel)
            self.bank(self.banks.get(channel, 0))
            self.program(data[1])


@node("pgmout", aliases=("MIDIOut.program",))
class ProgramOut(MidiMouth):
    """Send program changes.

    A number is a program, from 0 to 127; a list of two is a bank, from 0 to 16383, and a program.

    Source: MIDI 1.0 Specification, 1996; as pgmout of Max and Pd.
    """

    program = inlet.event("program, or bank and program")

    def on_program(self, message: Any, when: Moment) -> None:
        items = message if isinstance(message, tuple) else (message,)
        numbers = [number for item in items[:2] if (number := number_in(item)) is not None]
        if not numbers or len(numbers) < len(items[:2]):
            return
        if len(numbers) == 2:
            self.tell(when, *words.control_14(int(self.channel), words.BANK, numbers[0]))
        self.tell(when, words.program(int(self.channel), numbers[-1]))
