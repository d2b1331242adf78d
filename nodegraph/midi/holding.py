"""Which notes are held: so that a pedal holds them longer, and so that nothing sounds on when a patch is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from nodegraph.midi import words


class Sounding:
    """What has gone out by one port and is not over: notes, and pedals that are down."""

    def __init__(self) -> None:
        self._notes: set[tuple[int, int]] = set()
        self._pedals: set[int] = set()

    def note(self, message: bytes) -> None:
        """A message goes out."""
        kind, channel = words.kind_of(message), words.channel_of(message)
        if kind == words.NOTE_ON and message[2]:
            self._notes.add((channel, message[1]))
        elif kind in (words.NOTE_ON, words.NOTE_OFF):
            self._notes.discard((channel, message[1]))
        elif kind == words.CONTROL and message[1] == words.PEDAL:
            (self._pedals.add if message[2] >= 64 else self._pedals.discard)(channel)
        elif kind == words.CONTROL and message[1] in (words.NOTES_OFF, words.SOUND_OFF):
            self._notes = {item for item in self._notes if item[0] != channel}

    def __bool__(self) -> bool:
        return bool(self._notes or self._pedals)

    def ends(self) -> list[bytes]:
        """What ends all of it; afterwards nothing sounds."""
        found = [words.note_off(channel, pitch) for channel, pitch in sorted(self._notes)]
        found += [words.control(channel, words.PEDAL, 0) for channel in sorted(self._pedals)]
        self._notes, self._pedals = set(), set()
        return found


class Pedals:
    """Sustain pedals: a note whose key is let go while its pedal is down ends when the pedal comes up."""

    def __init__(self) -> None:
        self._down: set[Hashable] = set()
        self._kept: dict[Hashable, Counter[int]] = {}

    def begins(self, pedal: Hashable, pitch: int) -> None:
        """A key is struck: it is held by itself again."""
        self._kept.get(pedal, Counter()).pop(pitch, None)

    def ends(self, pedal: Hashable, pitch: int) -> bool:
        """A key is let go. Whether its note ends now."""
        if pedal not in self._down:
            return True
        self._kept.setdefault(pedal, Counter())[pitch] += 1
        return False

    def moves(self, pedal: Hashable, down: bool) -> list[int]:
        """A pedal moves. The pitches of notes that end with it, each as often as its key was let go."""
        if down:
            self._down.add(pedal)
            return []
        self._down.discard(pedal)
        return sorted(self._kept.pop(pedal, Counter()).elements())

    def forget(self, pedal: Hashable) -> None:
        """All notes of this pedal are over."""
        self._kept.pop(pedal, None)
