"""Whose codes they are: how many frames a second, and from where to where the numbers go."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import did_you_mean, listed, quoted

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
MOST_BITS: Final = 16
MOST_HOP: Final = 65_535
RATES: Final = (1_000, 384_000)
MOST_A_SECOND: Final = 1_000
"""Frames of codes."""


class Codec(NamedTuple):
    """A codec as packets and files name it: the sound's `rate`, the samples of one frame, the bits of one code."""

    name: str
    rate: int
    hop: int
    bits: int

    def seconds(self, frames: int) -> float:
        """How long so many frames are."""
        return frames * self.hop / self.rate

    def engine_frames(self, frames: int, rate: int) -> int:
        """How many frames of an engine at `rate` they are, rounded to whole ones."""
        return (2 * frames * self.hop * rate + self.rate) // (2 * self.rate)


KNOWN: Final = {
    codec.name: codec
    for codec in (
        Codec("encodec-24khz", 24_000, 320, 10),
        Codec("encodec-32khz", 32_000, 640, 11),
        Codec("dac-44khz", 44_100, 512, 10),
    )
}
"""Codecs by the name of their model in the store."""


def codec_of(name: str, rate: float = 0, hop: float = 0, bits: float = 0) -> Codec:
    """The codec of this name; numbers other than 0 are taken in the place of what is known of it.

    Raises PatchError when the name is none, or nothing is known of it and not everything is given.
    """
    if not NAME.fullmatch(name):
        what = f"{quoted(name)} is no name of a codec."
        raise PatchError(Problem("bad-codec", what, "It has small letters, digits, '.', '_' and '-', 40 at most."))
    known = KNOWN.get(name, Codec(name, 0, 0, 0))
    made = Codec(name, int(rate) or known.rate, int(hop) or known.hop, int(bits) or known.bits)
    if not is_sane(made):
        what = f"Not enough is known of the codec {quoted(name)}: rate {made.rate}, hop {made.hop}, bits {made.bits}."
        do = f"Name one of {listed(KNOWN)}, or set rate, hop and bits."
        raise PatchError(Problem("unknown-codec", what, did_you_mean(name, KNOWN, do)))
    return made


def is_sane(codec: Codec) -> bool:
    """Whether its numbers can be those of a codec."""
    return (
        NAME.fullmatch(codec.name) is not None
        and RATES[0] <= codec.rate <= RATES[1]
        and codec.rate / MOST_A_SECOND <= codec.hop <= MOST_HOP
        and 1 <= codec.bits <= MOST_BITS
    )
