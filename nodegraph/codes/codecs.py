"""The codecs whose codes travel: what must be known of each to pack its codes, and to play them in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, slots=True)
class Codec:
    """`hop` samples at `rate` are one frame, which has up to `stages` codes of `bits` bits each."""

    name: str
    rate: int
    hop: int
    bits: int
    stages: int

    @property
    def entries(self) -> int:
        """How many codes there are."""
        return int(1 << self.bits)

    @property
    def frame_s(self) -> Fraction:
        """How long one frame lasts."""
        return Fraction(self.hop, self.rate)


CODECS: Final[Mapping[str, Codec]] = {
    codec.name: codec
    for codec in (
        Codec("encodec-24khz", 24_000, 320, 10, 32),
        Codec("encodec-32khz", 32_000, 640, 11, 4),
        Codec("dac-44khz", 44_100, 512, 10, 9),
    )
}
NAMES: Final = tuple(CODECS)
