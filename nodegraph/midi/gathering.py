"""What several MIDI messages say together: fine controllers, NRPN and RPN.

Source: MIDI 1.0 Detailed Specification 4.2 (1996), "Control Change", "Registered and Non-Registered Parameter Numbers".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from nodegraph.midi import words

Kind = Literal["7 bit", "14 bit", "nrpn", "rpn"]
KINDS: Final = ("7 bit", "14 bit", "nrpn", "rpn")


class Moved(NamedTuple):
    """A controller or parameter has moved. `value` goes from 0 to `most`."""

    kind: Kind
    channel: int
    number: int
    value: int

    @property
    def most(self) -> int:
        return words.MOST_7 if self.kind == "7 bit" else words.MOST_14

    @property
    def share(self) -> float:
        """The value from 0 to 1."""
        return self.value / self.most


@dataclass
class _Channel:
    coarse: dict[int, int] = field(default_factory=dict)
    place: tuple[Literal["nrpn", "rpn"], int] | None = None
    values: dict[tuple[Literal["nrpn", "rpn"], int], int] = field(default_factory=dict)


class Controls:
    """Puts control changes together. Coarse parts count at once, as the specification wants; fine ones refine them."""

    MOST_VALUES: Final = 1_024
    """Parameters of a channel whose values are remembered, for ups and downs."""

    def __init__(self) -> None:
        self._channels = [_Channel() for _ in range(words.CHANNELS + 1)]

    def feed(self, message: bytes) -> list[Moved]:
        """What has moved with this message: the controller itself first, then what it is a part of."""
        if words.kind_of(message) != words.CONTROL:
            return []
        channel, number, value = words.channel_of(message), message[1], message[2]
        state = self._channels[channel]
        found = [Moved("7 bit", channel, number, value)]
        if number < words.FINE:
            state.coarse[number] = value
            found.append(Moved("14 bit", channel, number, value << 7))
        elif number < 2 * words.FINE:
            coarse = state.coarse.get(number - words.FINE, 0)
            found.append(Moved("14 bit", channel, number - words.FINE, coarse << 7 | value))
        found += self._parameter(state, channel, number, value)
        return found

    def _parameter(self, state: _Channel, channel: int, number: int, value: int) -> list[Moved]:
        if words.NRPN_FINE <= number <= words.RPN_COARSE:
            kind: Literal["nrpn", "rpn"] = "nrpn" if number <= words.NRPN_COARSE else "rpn"
            before = state.place[1] if state.place is not None and state.place[0] == kind else words.NOTHING
            coarse = number in (words.NRPN_COARSE, words.RPN_COARSE)
            state.place = kind, (value << 7 | before & 127) if coarse else (before & ~127 | value)
            return []
        place = state.place
        if place is None or place[1] == words.NOTHING:
            return []
        was = state.values.get(place, 0)
        if number == words.DATA:
            now = value << 7
        elif number == words.DATA + words.FINE:
            now = was & ~127 | value
        elif number == words.UP:
            now = min(was + 1, words.MOST_14)
        elif number == words.DOWN:
            now = max(was - 1, 0)
        else:
            return []
        if place not in state.values and len(state.values) >= self.MOST_VALUES:
            state.values.clear()
        state.values[place] = now
        return [Moved(place[0], channel, place[1], now)]
