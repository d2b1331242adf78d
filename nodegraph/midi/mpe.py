"""MIDI Polyphonic Expression: zones of channels, one note a channel, each bent and pressed by itself.

A zone has a master channel (1 or 16), which moves all of its notes, and member channels beside it. Channels that are in
no zone are plain: what moves them moves all of their notes.

Source: MIDI Polyphonic Expression 1.0, MMA and AMEI, 2018.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from nodegraph.core.messages import Note, NoteExpression
from nodegraph.midi import words
from nodegraph.midi.gathering import Controls, Moved
from nodegraph.midi.holding import Pedals

Zone = Literal["lower", "upper"]
Message = Note | NoteExpression
LOWER_MASTER, UPPER_MASTER = 1, 16
MOST_MEMBERS: Final = 15
BEND_RANGE, CONFIGURATION = 0, 6
"""Registered parameters."""
MEMBER_BEND_ST, PLAIN_BEND_ST = 48.0, 2.0


@dataclass
class _Channel:
    bend: float = 0.0
    range_st: float = PLAIN_BEND_ST
    pressure: float = 0.0
    timbre: float = 0.5
    pitches: dict[int, None] = field(default_factory=dict)

    @property
    def bent_st(self) -> float:
        return self.bend * self.range_st


class Mpe:
    """MIDI messages in; notes and what happens to them out, as `voices~` takes them.

    `lower` and `upper` are the member channels of the zones as long as nobody configures them; 0: there is none.
    """

    def __init__(self, lower: int = MOST_MEMBERS, upper: int = 0) -> None:
        self._controls = Controls()
        self._pedals = Pedals()
        self._channels = [_Channel() for _ in range(words.CHANNELS + 1)]
        self.members: dict[Zone, int] = {"lower": 0, "upper": 0}
        self._configure("upper", upper)
        self._configure("lower", lower)

    def zone_of(self, channel: int) -> Zone | None:
        """The zone that a channel belongs to, as its master or a member."""
        lower, upper = self.members["lower"], self.members["upper"]
        if lower and LOWER_MASTER <= channel <= LOWER_MASTER + lower:
            return "lower"
        if upper and UPPER_MASTER - upper <= channel <= UPPER_MASTER:
            return "upper"
        return None

    def feed(self, message: bytes) -> list[Message]:
        """What a message says of notes."""
        kind, channel = words.kind_of(message), words.channel_of(message)
        if not channel:
            return []
        state = self._channels[channel]
        if kind == words.NOTE_ON and message[2]:
            return self._begin(channel, message[1], message[2] / words.MOST_7)
        if kind in (words.NOTE_ON, words.NOTE_OFF):
            return self._let_go(channel, message[1])
        if kind == words.BEND:
            state.bend = words.bent(message[1] | message[2] << 7)
            return self._expressed(channel, "bend")
        if kind == words.PRESSURE:
            state.pressure = message[1] / words.MOST_7
            return self._expressed(channel, "pressure")
        if kind == words.POLY_PRESSURE:
            held = message[1] in state.pitches
            return [NoteExpression(float(message[1]), "pressure", message[2] / words.MOST_7)] if held else []
        found: list[Message] = []
        for moved in self._controls.feed(message):
            found += self._moved(moved)
        return found

    def end(self) -> list[Message]:
        """Everything ends."""
        return [item for channel in range(1, words.CHANNELS + 1) for item in self._ended(channel)]

    # -- notes

    def _begin(self, channel: int, pitch: int, velocity: float) -> list[Message]:
        state, master = self._channels[channel], self._master(channel)
        self._pedals.begins(self._pedal(channel), pitch)
        state.pitches[pitch] = None
        found: list[Message] = [Note(float(pitch), velocity)]
        bend = state.bent_st + (0.0 if master is None else master.bent_st)
        pressure = max(state.pressure, 0.0 if master is None else master.pressure)
        for what, value, usual in (("bend", bend, 0.0), ("pressure", pressure, 0.0), ("timbre", state.timbre, 0.5)):
            if value != usual:
                found.append(NoteExpression(float(pitch), what, value))
        return found

    def _let_go(self, channel: int, pitch: int) -> list[Message]:
        if pitch not in self._channels[channel].pitches or not self._pedals.ends(self._pedal(channel), pitch):
            return []
        return self._ended(channel, pitch)

    def _ended(self, channel: int, pitch: int | None = None) -> list[Message]:
        """The end of a note of a channel, or of all; one that another channel holds as well sounds on."""
        state = self._channels[channel]
        ended = list(state.pitches) if pitch is None else [pitch] if pitch in state.pitches else []
        for item in ended:
            del state.pitches[item]
        return [Note(float(item), 0.0) for item in ended if not any(item in other.pitches for other in self._channels)]

    # -- what moves them

    def _moved(self, moved: Moved) -> list[Message]:
        channel = moved.channel
        if moved.kind == "rpn":
            return self._registered(moved)
        if moved.kind != "7 bit":
            return []
        if moved.number == words.TIMBRE:
            self._channels[channel].timbre = moved.share
            return self._expressed(channel, "timbre")
        if moved.number == words.PEDAL:
            ended = self._pedals.moves(self._pedal(channel), moved.value >= 64)
            return [item for pitch in ended for other in self._sharing(channel) for item in self._ended(other, pitch)]
        if moved.number in (words.SOUND_OFF, words.NOTES_OFF):
            self._pedals.forget(self._pedal(channel))
            return [item for other in self._moves(channel) for item in self._ended(other)]
        return []

    def _expressed(self, channel: int, what: str) -> list[Message]:
        """A channel's own notes, or all of its zone, are bent, pressed, or coloured."""
        found: list[Message] = []
        own = self._channels[channel]
        for other in self._moves(channel):
            state, master = self._channels[other], self._master(other)
            if what == "bend":
                value = state.bent_st + (0.0 if master is None else master.bent_st)
            elif what == "pressure":
                value = max(state.pressure, 0.0 if master is None else master.pressure)
            else:
                value = own.timbre
            found += [NoteExpression(float(pitch), what, value) for pitch in state.pitches]
        return found

    def _registered(self, moved: Moved) -> list[Message]:
        channel = moved.channel
        if moved.number == CONFIGURATION and channel in (LOWER_MASTER, UPPER_MASTER):
            ended = self.end()
            self._configure("lower" if channel == LOWER_MASTER else "upper", min(moved.value >> 7, MOST_MEMBERS))
            return ended
        if moved.number != BEND_RANGE:
            return []
        range_st = (moved.value >> 7) + min(moved.value & 127, 99) / 100.0
        for other in [channel] if self._is_master(channel) else self._members_beside(channel):
            self._channels[other].range_st = range_st
        return self._expressed(channel, "bend")

    # -- zones

    def _configure(self, zone: Zone, members: int) -> None:
        """A zone of so many members; the other one gives way to it, and has 14 with it at most."""
        other: Zone = "upper" if zone == "lower" else "lower"
        self.members[zone] = members
        if members:
            self.members[other] = max(0, min(self.members[other], MOST_MEMBERS - 1 - members))
        for channel in range(1, words.CHANNELS + 1):
            if self.zone_of(channel) in (zone, None):
                in_zone = self.zone_of(channel) is not None and not self._is_master(channel)
                pitches = self._channels[channel].pitches
                range_st = MEMBER_BEND_ST if in_zone else PLAIN_BEND_ST
                self._channels[channel] = _Channel(range_st=range_st, pitches=pitches)

    def _is_master(self, channel: int) -> bool:
        zone = self.zone_of(channel)
        return (zone == "lower" and channel == LOWER_MASTER) or (zone == "upper" and channel == UPPER_MASTER)

    def _master(self, channel: int) -> _Channel | None:
        """The master of a member channel."""
        zone = self.zone_of(channel)
        if zone is None or self._is_master(channel):
            return None
        return self._channels[LOWER_MASTER if zone == "lower" else UPPER_MASTER]

    def _members_beside(self, channel: int) -> list[int]:
        """A member and all others of its zone; a plain channel alone."""
        zone = self.zone_of(channel)
        if zone is None:
            return [channel]
        every = range(1, words.CHANNELS + 1)
        return [other for other in every if self.zone_of(other) == zone and not self._is_master(other)]

    def _moves(self, channel: int) -> list[int]:
        """The channels whose notes a channel moves: a master all of its zone, another its own."""
        return [channel, *self._members_beside(channel)] if self._is_master(channel) else [channel]

    def _pedal(self, channel: int) -> object:
        """A zone has one pedal, a plain channel its own."""
        return self.zone_of(channel) or channel

    def _sharing(self, channel: int) -> list[int]:
        """The channels that share its pedal."""
        pedal = self._pedal(channel)
        return [other for other in range(1, words.CHANNELS + 1) if self._pedal(other) == pedal]
