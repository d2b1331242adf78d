"""Packets that come again and again with other numbers in them: looked at once, then read in one go.

A surface or a sequencer that sends two hundred faders a hundred times a second sends the same bytes each time, but for
the numbers and the time tag. Such a bundle is compared with what is known as a whole, and its numbers are taken out as
an array; a single number is found by the bytes before it.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodegraph.osc.packets import BUNDLE, Timed, seconds_of
from nodegraph.session.layout import Selection

FEWEST: Final = 4
"""Messages of a bundle that is worth it."""
MOST: Final = 16
"""Layouts that are kept; those that were used least recently go."""
MOST_SINGLES: Final = 8_192
FLOAT: Final = b",f\0\0"
_U64 = Struct(">Q")
_F32 = Struct(">f")


class Layout(NamedTuple):
    """A bundle but for its numbers: `words` of 32 bits, of which those under `mask` count; `places` of the numbers."""

    words: bytes
    mask: NDArray[np.uint32]
    places: NDArray[np.intp]
    controls: Selection


class Numbers(NamedTuple):
    """What was taken out of a bundle."""

    time: float | None
    controls: Selection
    values: NDArray[np.float64]


class Layouts:
    """What is known of one revision of a patch."""

    def __init__(self) -> None:
        self.singles: dict[bytes, str] = {}
        self._bundles: dict[int, list[Layout]] = {}
        self._count = 0

    # -- reading

    def single(self, data: bytes) -> tuple[str, float] | None:
        """Address and number of a message that is known to move a control."""
        if data[-8:-4] != FLOAT:
            return None
        address = self.singles.get(data[:-4])
        return None if address is None else (address, _F32.unpack_from(data, len(data) - 4)[0])

    def bundle(self, data: bytes) -> Numbers | None:
        """The numbers of a bundle that is known; None when it is not, or they are no numbers."""
        layouts = self._bundles.get(len(data))
        if layouts is None:
            return None
        words = np.frombuffer(data, np.uint32)
        for number, layout in enumerate(layouts):
            if (words & layout.mask).tobytes() == layout.words:
                if number:
                    layouts.insert(0, layouts.pop(number))
                values = words[layout.places].byteswap().view(np.float32)
                if not np.isfinite(values).all():
                    return None
                time = seconds_of(_U64.unpack_from(data, 8)[0])
                return Numbers(time, layout.controls, values.astype(np.float64))
        return None

    # -- learning

    def learn_single(self, data: bytes, address: str) -> None:
        """This message, and no other before its number, moves a control."""
        if data[-8:-4] == FLOAT and data[:8] != BUNDLE:
            if len(self.singles) >= MOST_SINGLES:
                self.singles.clear()
            self.singles[data[:-4]] = address

    def learn_bundle(self, data: bytes, controls: Selection) -> None:
        """This bundle moves these controls, one number each."""
        places = number_places(data)
        if places is None or len(places) != len(controls.addresses):
            return
        if self._count >= MOST:
            self._bundles.clear()
            self._count = 0
        mask = np.full(len(data) // 4, 0xFFFFFFFF, np.uint32)
        mask[places] = 0
        mask[2:4] = 0
        words = (np.frombuffer(data, np.uint32) & mask).tobytes()
        self._bundles.setdefault(len(data), []).insert(0, Layout(words, mask, places, controls))
        self._count += 1


def worth_it(data: bytes, messages: list[Timed]) -> bool:
    """Whether a bundle has the shape that can be known: one number a message, no bundle in it."""
    return (
        len(messages) >= FEWEST
        and data[:8] == BUNDLE
        and all(len(message.args) == 1 and type(message.args[0]) is float for message in messages)
    )


def number_places(data: bytes) -> NDArray[np.intp] | None:
    """Which words of a bundle are the numbers of its messages, if each has just one; None otherwise."""
    at, found = 16, []
    while at + 4 <= len(data):
        after = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if after > len(data) or data[after - 8 : after - 4] != FLOAT or data[at + 4 : at + 5] != b"/":
            return None
        found.append(after // 4 - 1)
        at = after
    return np.array(found, np.intp)
