"""Many voices: notes are given to the channels of signals, and everything behind them sounds once a channel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from nodegraph.core import EventNode, Moment, Note, NoteExpression, inlet, node, outlet, setting
from nodegraph.core.messages import as_number
from nodegraph.core.ports import MOST_CHANNELS

HELD_S = 0.003
"""What changes while a note sounds moves in so long."""


@dataclass
class Voice:
    """One channel: the pitch that it plays, since when, how loud, and whether the note is still held."""

    channel: int
    pitch: float = 60.0
    velocity: float = 0.0
    bend: float = 0.0
    since: int = -1
    held: bool = False
    released: int = -1
    ticket: object = None


@node("voices~", aliases=("poly~", "poly", "clone", "mc.noteallocator~", "mpeparse"))
class Voices(EventNode):
    """Give notes to voices: pitch, gate and touch of each are one channel of a signal.

    Lay `freq` to oscillators, `gate` to envelopes: every node behind them has as many channels as there are voices, and
    `sum~` or `spread~` makes one sound of them. A note with a duration ends by itself; else the same pitch with
    velocity 0 ends it. A pitch that is struck again while it is held takes its own voice again. A note finds a voice
    that has fallen silent (`tail` seconds after its note ended), else the one whose note ended first; when all are
    held, `steal` says which gives way: the oldest, the quietest (the softest stroke), or none, and the new note is not
    heard. A voice that is taken over has its gate down for a frame, so that envelopes begin anew, from where they are.

    MPE: `NoteExpression` messages bend one note (semitones), and move its `pressure` and `timbre`. ``freq = 440
    2^((pitch + bend - 69) / 12)``. Everything acts at the exact frame of its message.

    Source: MIDI 1.0 Specification, 1996; MIDI Polyphonic Expression, MMA, 2018.
    """

    count = setting.number(8, "how many voices", span=(1, MOST_CHANNELS))
    steal = setting.choice("oldest", "which note gives way when all are held", ("oldest", "quietest", "none"))
    notes = inlet.event("notes; lists of pitch and velocity (0 to 1), and a duration in seconds; note expressions")
    off = inlet.event("end all notes")
    bend = inlet.control(0.0, "bend of all notes", unit="st", span=(-48.0, 48.0), ramp_s=0.0)
    glide = inlet.control(0.0, "time in which a voice moves to its next pitch", unit="s", span=(0.0, 10.0))
    tail = inlet.control(1.0, "how long a voice sounds on after its note", unit="s", span=(0.0, 60.0))
    freq = outlet.signal("frequency in Hz of each voice", channels="count")
    gate = outlet.signal("velocity while a voice's note is held, then 0", channels="count")
    velocity = outlet.signal("velocity of each voice's last note", channels="count")
    pressure = outlet.signal("0 to 1, of each voice", channels="count")
    timbre = outlet.signal("0 to 1, of each voice", channels="count")
    sounding = outlet.event("how many notes are held, whenever it changes")

    def start(self, when: Moment) -> None:
        self.voices = [Voice(channel) for channel in range(int(self.count))]
        for voice in self.voices:
            self._tune(voice, 0.0)

    def on_notes(self, message: Any, when: Moment) -> None:
        if isinstance(message, NoteExpression):
            if math.isfinite(message.value):
                self._express(message)
            return
        note = as_note(message)
        if note is None:
            return
        if note.velocity <= 0.0:
            for voice in self.voices:
                if voice.held and voice.pitch == note.pitch:
                    self._end(voice, when)
            return
        self._begin(note, when)

    def on_off(self, when: Moment) -> None:
        for voice in self.voices:
            if voice.held:
                self._end(voice, when)

    def on_bend(self) -> None:
        for voice in self.voices:
            self._tune(voice, HELD_S)

    def _begin(self, note: Note, when: Moment) -> None:
        voice = self._voice_for(note, when)
        if voice is None:
            return
        again = voice.held
        if voice.ticket is not None:
            self.host.cancel(voice.ticket)
            voice.ticket = None
        fresh = voice.since < 0 or self._silent(voice, when)
        voice.pitch, voice.velocity, voice.bend = note.pitch, note.velocity, 0.0
        voice.since, voice.held = when.frame, True
        self._tune(voice, 0.0 if fresh and not self.glide else self.glide)
        self.velocity(note.velocity, voice.channel)
        self.pressure(0.0, voice.channel)
        self.timbre(0.5, voice.channel)
        if again:
            self.gate(0.0, voice.channel)
            self.host.after(self, 1.0 / self.host.rate, lambda _when: self._open(voice))
        else:
            self.gate(note.velocity, voice.channel)
        if note.duration_s is not None:
            voice.ticket = self.host.after(self, note.duration_s, lambda moment: self._end(voice, moment))
        self._tell()

    def _open(self, voice: Voice) -> None:
        """The gate of a voice that was taken over, a frame later: if its note is still held."""
        if voice.held:
            self.gate(voice.velocity, voice.channel)

    def _end(self, voice: Voice, when: Moment) -> None:
        voice.held, voice.released = False, when.frame
        if voice.ticket is not None:
            self.host.cancel(voice.ticket)
            voice.ticket = None
        self.gate(0.0, voice.channel)
        self._tell()

    def _voice_for(self, note: Note, when: Moment) -> Voice | None:
        """The voice that plays a note, or None when it is not to be heard."""
        for voice in self.voices:
            if voice.pitch == note.pitch and voice.held:
                return voice
        free = [voice for voice in self.voices if not voice.held]
        if free:
            silent = [voice for voice in free if self._silent(voice, when)]
            return min(silent or free, key=lambda voice: (voice.released, voice.channel))
        if self.steal == "none":
            return None
        if self.steal == "quietest":
            return min(self.voices, key=lambda voice: (voice.velocity, voice.since, voice.channel))
        return min(self.voices, key=lambda voice: (voice.since, voice.channel))

    def _silent(self, voice: Voice, when: Moment) -> bool:
        return not voice.held and when.frame - voice.released >= self.tail * self.host.rate

    def _express(self, message: NoteExpression) -> None:
        for voice in self.voices:
            if voice.since < 0 or voice.pitch != message.pitch:
                continue
            if message.what == "bend":
                voice.bend = message.value
                self._tune(voice, HELD_S)
            elif message.what == "pressure":
                self.pressure(min(max(message.value, 0.0), 1.0), voice.channel, HELD_S)
            elif message.what == "timbre":
                self.timbre(min(max(message.value, 0.0), 1.0), voice.channel, HELD_S)

    def _tune(self, voice: Voice, seconds: float) -> None:
        pitch = min(max(voice.pitch + voice.bend + self.bend, -200.0), 200.0)
        self.freq(440.0 * 2.0 ** ((pitch - 69.0) / 12.0), voice.channel, seconds)

    def _tell(self) -> None:
        self.sounding(sum(voice.held for voice in self.voices))


def as_note(message: Any) -> Note | None:
    """A message as a note: a note, or a list of pitch, velocity and perhaps duration; a number is a pitch at 0.8.

    None when it is none, or when one of its numbers is NaN or infinite.
    """
    if isinstance(message, Note):
        return message if all(number is None or math.isfinite(number) for number in message) else None
    items = message if isinstance(message, tuple) else (message,)
    numbers = [as_number(item) for item in items[:3]]
    if not numbers or any(number is None or not math.isfinite(number) for number in numbers):
        return None
    pitch, velocity, duration = (*numbers, *(None, None))[:3]
    assert pitch is not None
    return Note(pitch, 0.8 if velocity is None else min(max(velocity, 0.0), 1.0), duration)
