"""MIDI in and out, message by message: system exclusive, raw bytes, MPE."""

from __future__ import annotations

from typing import Any

from nodegraph.core import Moment, inlet, node, outlet, setting
from nodegraph.midi import words
from nodegraph.midi.mpe import Mpe
from nodegraph.midi.parsing import Parser
from nodegraph.nodes.midiends import MidiEar, MidiMouth, number_in


@node("sysexin", aliases=("MIDIdef.sysex", "MIDIFunc.sysex"))
class SysexIn(MidiEar):
    """Hear system exclusive messages.

    `data` is a list of the bytes between F0 and F7: the maker's number, and whatever the maker likes. At most 64 KiB.

    Source: MIDI 1.0 Specification, 1996; as sysexin of Max and Pd.
    """

    data = outlet.event("the bytes between both ends, 0 to 127")

    def hear(self, data: bytes, when: Moment) -> None:
        if data[0] == words.SYSEX:
            self.data(tuple(data[1:-1]))


@node("sysexout", aliases=("MIDIOut.sysex",))
class SysexOut(MidiMouth):
    """Send system exclusive messages.

    A list of data bytes, 0 to 127; its ends, F0 and F7, may be given or not.

    Source: MIDI 1.0 Specification, 1996.
    """

    data = inlet.event("list of bytes")

    def on_data(self, message: Any, when: Moment) -> None:
        items = message if isinstance(message, tuple) else (message,)
        numbers = [number_in(item) for item in items]
        if any(number is None for number in numbers):
            self.host.log(self, "'data' takes lists of numbers from 0 to 127.")
            return
        self.tell(when, words.sysex(number for number in numbers if number is not None))


@node("midiin", aliases=("midirealtimein", "MIDIIn.sysrt"))
class RawIn(MidiEar):
    """Hear whole MIDI messages as they are.

    Each is a list of its bytes. With `realtime` also clock, start, stop and the like, a byte each.

    Source: MIDI 1.0 Specification, 1996; as midiin of Max and Pd, but a message at a time.
    """

    realtime = setting.flag(False, "hear real-time messages, too")
    message = outlet.event("the bytes of a message, as a list")

    def hear(self, data: bytes, when: Moment) -> None:
        if data[0] < 0xF8 or self.realtime:
            self.message(tuple(data))


@node("midiout", aliases=("MIDIOut",))
class RawOut(MidiMouth):
    """Send bytes as MIDI messages.

    A list is some bytes, a number is one; they go as soon as a message is whole. What makes none is left out.

    Source: MIDI 1.0 Specification, 1996; as midiout of Max and Pd.
    """

    x = inlet.event("bytes, 0 to 255: a list, or one by one")

    def start(self, when: Moment) -> None:
        self.parser = Parser()

    def on_x(self, message: Any, when: Moment) -> None:
        items = message if isinstance(message, tuple) else (message,)
        numbers = [number_in(item) for item in items]
        data = bytes(int(number) for number in numbers if number is not None and 0 <= number <= 255)
        self.tell(when, *self.parser.feed(data))


@node("mpein", aliases=("mpe", "polymidiin"))
class MpeIn(MidiEar):
    """Hear MPE controllers: notes that are bent and pressed one by one.

    Lay `notes` to `voices~.notes`. A member channel carries a note with its bend (48 semitones, or what the controller
    says by RPN 0), pressure and timbre (controller 74); the master channel moves all notes of its zone, and has the
    zone's sustain pedal. `zone` and `members` are what is assumed until the controller configures its zones (RPN 6).
    Channels that are in no zone are heard as usual, with a bend of 2 semitones.

    Source: MIDI Polyphonic Expression 1.0, MMA, 2018.
    """

    zone = setting.choice(
        "lower", "the zone that is assumed: master channel 1, 16, or both", ("lower", "upper", "both")
    )
    members = setting.number(15, "its member channels; of both zones, 7 each at most", span=(1, 15))
    off = inlet.event("end all notes")
    notes = outlet.event("notes and note expressions, for voices~")

    def start(self, when: Moment) -> None:
        super().start(when)
        members = int(self.members)
        if self.zone == "both":
            members = min(members, 7)
        self.mpe = Mpe(0 if self.zone == "upper" else members, 0 if self.zone == "lower" else members)

    def hear(self, data: bytes, when: Moment) -> None:
        for message in self.mpe.feed(data):
            self.notes(message)

    def on_off(self) -> None:
        for message in self.mpe.end():
            self.notes(message)
