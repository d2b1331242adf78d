"""The way between MIDI of a device, exact to the frame, and a player: what comes acts a fixed time after it came, what
goes leaves at its own frame.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final, Protocol

from nodegraph.midi.holding import Sounding
from nodegraph.midi.messages import DOOR, MidiIn, named
from nodegraph.midi.parsing import Parser
from nodegraph.runtime.acts import Act
from nodegraph.runtime.player import Player

MOST_WAITING: Final = 65_536
"""Messages that may wait for their frame."""


class DeviceMidi(Protocol):
    """MIDI with frames (`runtime.drivers.jack_midi.JackMidi`)."""

    names: tuple[str, str]

    def read(self) -> list[tuple[int, bytes]]: ...
    def write(self, frame: int, data: bytes) -> bool: ...
    @property
    def given(self) -> bool: ...
    def counters(self) -> dict[str, int]: ...


class DeviceLine:
    """A player's way to the MIDI of its device, whichever plays it now. On the player's thread."""

    def __init__(self, find: Callable[[], DeviceMidi | None]) -> None:
        """`find` gives the MIDI of the device that plays, or None."""
        self._find = find
        self.device: DeviceMidi | None = None
        self.received = self.sent = self.lost = 0
        self.parser = Parser()
        self._held, self._sounding = Sounding(), Sounding()
        self._heap: list[tuple[int, int, bytes]] = []
        self._count = 0
        self._closed = False

    # -- runtime.player.Line

    def hear(self, player: Player, done: int) -> None:
        device = self._find()
        if device is not self.device:
            before, self.device = self.device, device
            if before is not None:  # nobody lets go of keys that were held
                for message in self._held.ends():
                    player.acts.do(Act(-1, "arrive", (DOOR, MidiIn(before.names[0], message))))
            self.parser.reset()
            self._sounding = Sounding()
        if device is None:
            return
        for frame, data in device.read():
            for message in self.parser.feed(data):
                self.received += 1
                self._held.note(message)
                player.acts.do(Act(frame + player.lookahead, "arrive", (DOOR, MidiIn(device.names[0], message))))

    def hand_over(self, player: Player, handled: int) -> None:
        heap = self._heap
        while heap and heap[0][0] < handled:
            frame, _, data = heapq.heappop(heap)
            self._write(frame, data)

    # -- what goes

    def send(self, frame: int, port: str, data: bytes) -> None:
        """Send a message when frame `frame` sounds, if this device's port is meant."""
        if self.device is None or self._closed or not named(self.device.names[1], port):
            return
        if len(self._heap) >= MOST_WAITING:
            self.lost += 1
            return
        self._count += 1
        heapq.heappush(self._heap, (frame, self._count, data))

    def _write(self, frame: int, data: bytes) -> None:
        if self.device is None or not self.device.write(frame, data):
            self.lost += 1
            return
        self._sounding.note(data)
        self.sent += 1

    def end(self, frame: int) -> bool:
        """Nothing goes any more, and what sounds ends. Whether all of that has left."""
        if not self._closed:
            self._closed = True
            self._heap.clear()
            for message in self._sounding.ends():
                self._write(frame, message)
        return self.device is None or self.device.given

    def counters(self) -> dict[str, int]:
        """Messages, and what went wrong with them."""
        found = {"received": self.received, "sent": self.sent, "lost": self.lost, "broken": self.parser.broken}
        found["skipped_bytes"] = self.parser.skipped
        return found | (self.device.counters() if self.device is not None else {})
