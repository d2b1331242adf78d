"""MIDI files: played on the patch's clock, and made of what comes."""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path
from typing import Any, ClassVar

from nodegraph.core import BANG, EventNode, MediaError, Moment, Note, NoteExpression, inlet, node, outlet, setting
from nodegraph.midi import words
from nodegraph.midi.files import MOST_EVENTS, Played, Song, check_target, read_song, write_song
from nodegraph.midi.parsing import Parser
from nodegraph.nodes.polyphony import as_note

EPSILON = 1e-6
SHORTEST_LOOP = 0.0625
"""Beats."""


@node("midifile", aliases=("seq", "MIDIFileReader", "SimpleMIDIFile"))
class MidiFile(EventNode):
    """Play a standard MIDI file, beat by beat on the clock of the patch.

    It begins with the patch, or when `on` becomes 1; `again` begins again, now. It goes at the tempo of the patch,
    stands when the transport stands, and follows when it is put elsewhere; with `tempo` "file" the patch takes the
    tempo of the file. Every event is exact to the frame. What sounds ends when it stops. All tracks are played, of one
    channel or of all.

    Errors: MediaError for a file that cannot be read, before the patch plays.

    Source: Standard MIDI Files 1.0, MMA, 1996.
    """

    file = setting.file("a standard MIDI file (.mid)")
    loop = setting.flag(False, "begin again at the end")
    channel = setting.number(0, "only this channel, 1 to 16; 0: all", span=(0, words.CHANNELS))
    tempo = setting.choice("patch", "whose tempo it is", ("patch", "file"))
    again = inlet.event("begin again, now")
    on = inlet.control(1.0, "1 plays, 0 does not", span=(0.0, 1.0), curve="switch")
    message = outlet.event("the bytes of each message, as a list; sent before the note")
    notes = outlet.event("notes, for voices~; velocity 0 ends one")
    done = outlet.event("bang at the end, and at the end of each loop")

    def start(self, when: Moment) -> None:
        self.ticket: Any = None
        self.held: dict[tuple[int, int], None] = {}
        self.song = Song((), 0.0)
        self.index, self.origin = 0, 0.0
        if not self.file:
            return
        try:
            self.song = self._own(read_song(Path(self.file)))
        except MediaError as error:  # it was whole when the patch was checked
            self.host.log(self, str(error))
            return
        self.beats = [event.beat for event in self.song.events]
        if self.on:
            self._begin(when)

    def _own(self, song: Song) -> Song:
        channel = int(self.channel)
        if not channel:
            return song
        mine = (event for event in song.events if event.bpm or words.channel_of(event.data) == channel)
        return Song(tuple(mine), song.beats)

    @property
    def _length(self) -> float:
        return max(self.song.beats, SHORTEST_LOOP)

    def on_again(self, when: Moment) -> None:
        if self.on and self.song.events:
            self._begin(when)

    def on_on(self, message: float, when: Moment) -> None:
        if message and self.ticket is None and self.song.events:
            self._begin(when)
        elif not message:
            self._rest()

    def tempo_changed(self, when: Moment) -> None:
        """The clock may have been put elsewhere: then the song goes on from there."""
        if self.ticket is None:
            return
        at = self.host.clock.beat_at(when.frame) - self.origin
        before = self.beats[self.index - 1] if self.index else 0.0
        after = self.beats[self.index] if self.index < len(self.beats) else self._length
        if before - EPSILON <= at <= after + EPSILON:
            return
        self._rest()
        if self.loop:
            turns = at // self._length
            self.origin += turns * self._length
            at -= turns * self._length
        self.index = bisect_left(self.beats, at - EPSILON)
        self._await()

    def _begin(self, when: Moment) -> None:
        self._rest()
        self.index, self.origin = 0, self.host.clock.beat_at(when.frame)
        self._await()

    def _await(self) -> None:
        beat = self.beats[self.index] if self.index < len(self.beats) else self._length
        self.ticket = self.host.clock.at(self, self.origin + beat, self._due)

    def _due(self, when: Moment) -> None:
        if self.index >= len(self.beats):
            self._finish()
            return
        beat = self.beats[self.index]
        while self.index < len(self.beats) and self.beats[self.index] <= beat + EPSILON:
            self._play(self.song.events[self.index])
            self.index += 1
        self._await()

    def _finish(self) -> None:
        self._rest()
        self.done(BANG)
        if self.loop:
            self.origin += self._length
            self.index = 0
            self._await()

    def _play(self, event: Played) -> None:
        if event.bpm:
            if self.tempo == "file":
                self.index += 1  # the clock calls `tempo_changed`
                self.host.clock.go(event.bpm)
                self.index -= 1
            return
        data = event.data
        self.message(tuple(data))
        kind, channel = words.kind_of(data), words.channel_of(data)
        if kind == words.NOTE_ON and data[2]:
            self.held[channel, data[1]] = None
            self.notes(Note(float(data[1]), data[2] / words.MOST_7))
        elif kind in (words.NOTE_ON, words.NOTE_OFF):
            self.held.pop((channel, data[1]), None)
            self.notes(Note(float(data[1]), 0.0))

    def _rest(self) -> None:
        """It plays no more, and what sounds ends."""
        if self.ticket is not None:
            self.host.cancel(self.ticket)
            self.ticket = None
        for channel, pitch in list(self.held):
            self.message(tuple(words.note_off(channel, pitch)))
            self.notes(Note(float(pitch), 0.0))
        self.held.clear()


@node("midirecord", aliases=("SimpleMIDIFile.write", "midiflush"))
class MidiRecord(EventNode):
    """Record notes and MIDI messages into a standard MIDI file.

    From the beginning of the patch, or from when `on` becomes 1, until `on` becomes 0 or the patch ends: then the file
    is written, in one step. Time is kept in beats of the patch, with its tempo and each change of it, 960 ticks a beat;
    a transport that stands does not stop it. `notes` take what `voices~` takes, `message` whole messages as lists.

    Errors: MediaError for a file that cannot be written. A recording without a message leaves no file.

    Source: Standard MIDI Files 1.0, MMA, 1996.
    """

    file = setting.file("the file to make (.mid)", writes=True)
    channel = setting.number(1, "the channel of the notes, 1 to 16", span=(1, words.CHANNELS))
    notes = inlet.event("notes; lists of pitch and velocity (0 to 1), and a duration in seconds; note expressions")
    message = inlet.event("whole MIDI messages, as lists of bytes")
    on = inlet.control(1.0, "1 records, 0 does not", span=(0.0, 1.0), curve="switch")
    check_target = staticmethod(check_target)
    validate_with: ClassVar = {"file": "made.mid"}

    def start(self, when: Moment) -> None:
        self.events: list[Played] = []
        self.held: dict[int, object] = {}
        self.count = 0
        self.beat, self.frame, self.bpm = 0.0, when.frame, self._bpm(when)
        self.clock_beat = self.host.clock.beat_at(when.frame)
        if self.on:
            self._tempo()

    def stop(self) -> None:
        if getattr(self, "events", None):
            self._write()

    def on_on(self, message: float, when: Moment) -> None:
        self._go_on(when)
        if message and not self.events:
            self.beat = 0.0
            self._tempo()
        elif not message and self.events:
            for pitch in list(self.held):
                self._end(pitch, when)
            try:
                self._write()
            except MediaError as error:
                self.host.log(self, str(error))
            self.events, self.count = [], 0

    def on_notes(self, message: Any, when: Moment) -> None:
        if isinstance(message, NoteExpression) or not self.on:
            return
        note = as_note(message)
        if note is None:
            return
        pitch = words.whole(note.pitch)
        self._end(pitch, when)
        if note.velocity > 0.0:
            self._keep(words.note_on(int(self.channel), pitch, note.velocity * words.MOST_7), when)
            ticket: object = None
            if note.duration_s is not None:
                ticket = self.host.after(self, max(note.duration_s, 0.0), lambda then: self._end(pitch, then))
            self.held[pitch] = ticket

    def on_message(self, message: Any, when: Moment) -> None:
        if not self.on or not isinstance(message, tuple) or not all(isinstance(item, (int, float)) for item in message):
            return
        if all(0 <= item <= 255 for item in message):
            for data in Parser().feed(bytes(int(item) for item in message)):
                if data[0] < 0xF1:
                    self._keep(data, when)

    def tempo_changed(self, when: Moment) -> None:
        if not hasattr(self, "events"):
            return
        self._go_on(when)
        if self.events and self.bpm != self.events_bpm:
            self._tempo()

    def _bpm(self, when: Moment) -> float:
        return self.host.clock.tempo_at(when.frame)

    def _go_on(self, when: Moment) -> None:
        """The beat up to now: what the clock has come on by; where it stood or jumped, the time at its tempo."""
        clock, bpm = self.host.clock, self._bpm(when)
        minutes = (when.frame - self.frame) / self.host.rate / 60.0
        now = clock.beat_at(when.frame)
        passed = now - self.clock_beat
        slow, fast = sorted((self.bpm * minutes, bpm * minutes))
        went = slow - 1e-6 <= passed <= fast + 1e-6
        self.beat += passed if went else self.bpm * minutes
        self.frame, self.bpm, self.clock_beat = when.frame, bpm, now

    def _tempo(self) -> None:
        self.events_bpm = self.bpm
        self.events.append(Played(self.beat, b"", self.bpm))

    def _keep(self, data: bytes, when: Moment) -> None:
        if self.count >= MOST_EVENTS:
            return
        self._go_on(when)
        if self.bpm != self.events_bpm:
            self._tempo()
        self.events.append(Played(self.beat, data))
        self.count += 1
        if self.count == MOST_EVENTS:
            self.host.log(self, f"{Path(self.file).name} is full: it holds {MOST_EVENTS} messages.")

    def _end(self, pitch: int, when: Moment) -> None:
        if pitch in self.held:
            ticket = self.held.pop(pitch)
            if ticket is not None:
                self.host.cancel(ticket)
            self._keep(words.note_off(int(self.channel), pitch), when)

    def _write(self) -> None:
        if not self.count or not self.file:
            return
        ends = [Played(self.beat, words.note_off(int(self.channel), pitch)) for pitch in self.held]
        write_song(Path(self.file), [*self.events, *ends], self.beat)
