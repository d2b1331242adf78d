"""What the MIDI nodes share: the port and the channel that they hear, or send to."""

from __future__ import annotations

import math
from typing import Any

from nodegraph.core import EventNode, Moment, outlet, setting
from nodegraph.core.messages import as_number
from nodegraph.midi import words
from nodegraph.midi.messages import DOOR, MidiOut, named, taken

AT_ONCE = -1
"""As a frame for the door: as soon as may be."""


class MidiNode(EventNode):
    """What all of these nodes share: whoever plays a patch with one of them opens the door."""

    door = DOOR
    port = setting.text("", "only ports whose name has this in it; empty: all")


class MidiEar(MidiNode):
    """Hears what comes by the ports that it is set to."""

    def start(self, when: Moment) -> None:
        self.host.outside.listen(self, DOOR, self._arrived)

    def _arrived(self, value: Any, when: Moment) -> None:
        found = taken(value)
        if found is not None and named(found[0], self.port):
            self.hear(found[1], when)

    def hear(self, data: bytes, when: Moment) -> None:
        """One whole message."""
        raise NotImplementedError


class ChannelEar(MidiEar):
    """Hears one channel, or all."""

    channel = setting.number(0, "only this channel, 1 to 16; 0: all", span=(0, words.CHANNELS))
    from_channel = outlet.event("the channel, 1 to 16, of what comes; sent first")

    def hear(self, data: bytes, when: Moment) -> None:
        channel = words.channel_of(data)
        if channel and int(self.channel) in (0, channel):
            self.hear_channel(data, channel)

    def hear_channel(self, data: bytes, channel: int) -> None:
        """One channel message."""
        raise NotImplementedError


class MidiMouth(MidiNode):
    """Sends by the ports that it is set to."""

    channel = setting.number(1, "the channel, 1 to 16", span=(1, words.CHANNELS))

    def tell(self, when: Moment | None, *messages: bytes) -> None:
        """Send messages now, in logical time; without a moment, as soon as may be."""
        for data in messages:
            self.host.outside.tell(DOOR, AT_ONCE if when is None else when.frame, MidiOut(self.port, data))


def number_in(message: Any) -> float | None:
    """The number of a message, if it is finite."""
    number = as_number(message)
    return number if number is not None and math.isfinite(number) else None
