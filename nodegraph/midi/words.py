"""MIDI messages as bytes, and numbers to and from them. Channels count from 1 to 16; what is too large is held within.

Source: MIDI 1.0 Detailed Specification 4.2 (1996).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

CHANNELS: Final = 16
MOST_7, MOST_14 = 127, 16_383
NOTE_OFF, NOTE_ON, POLY_PRESSURE, CONTROL, PROGRAM, PRESSURE, BEND = (kind << 4 for kind in range(8, 15))
SYSEX, SYSEX_END = 0xF0, 0xF7
BANK, DATA, PEDAL, TIMBRE = 0, 6, 64, 74
FINE: Final = 32
"""A coarse controller's number plus this is that of the fine one."""
UP, DOWN, NRPN_FINE, NRPN_COARSE, RPN_FINE, RPN_COARSE = 96, 97, 98, 99, 100, 101
SOUND_OFF, NOTES_OFF = 120, 123
NOTHING: Final = 127 << 7 | 127
"""The registered parameter that is none."""
STILL: Final = 8_192
"""A bend of nothing."""


def whole(value: float, most: int = MOST_7) -> int:
    """The nearest whole number from 0 to `most`; NaN is 0."""
    return 0 if math.isnan(value) else min(max(round(min(max(value, -1e9), 1e9)), 0), most)


def _status(kind: int, channel: float) -> int:
    return kind | (min(max(int(channel), 1), CHANNELS) - 1)


def note_on(channel: int, pitch: float, velocity: float) -> bytes:
    """Velocity 1 to 127: 0 would be an end."""
    return bytes((_status(NOTE_ON, channel), whole(pitch), max(whole(velocity), 1)))


def note_off(channel: int, pitch: float, velocity: float = 64) -> bytes:
    return bytes((_status(NOTE_OFF, channel), whole(pitch), whole(velocity)))


def control(channel: int, number: int, value: float) -> bytes:
    return bytes((_status(CONTROL, channel), whole(number), whole(value)))


def control_14(channel: int, number: int, value: float) -> list[bytes]:
    """A fine controller: `number` from 0 to 31, value from 0 to 16383."""
    found = whole(value, MOST_14)
    return [control(channel, whole(number, 31), found >> 7), control(channel, whole(number, 31) + FINE, found & 127)]


def parameter(channel: int, number: int, value: float, *, registered: bool = False) -> list[bytes]:
    """A (non-)registered parameter, NRPN or RPN: both numbers from 0 to 16383."""
    coarse, fine = (RPN_COARSE, RPN_FINE) if registered else (NRPN_COARSE, NRPN_FINE)
    place, found = whole(number, MOST_14), whole(value, MOST_14)
    pairs = ((coarse, place >> 7), (fine, place & 127), (DATA, found >> 7), (DATA + FINE, found & 127))
    return [control(channel, controller, part) for controller, part in pairs]


def program(channel: int, number: float) -> bytes:
    return bytes((_status(PROGRAM, channel), whole(number)))


def pressure(channel: int, value: float) -> bytes:
    return bytes((_status(PRESSURE, channel), whole(value)))


def poly_pressure(channel: int, pitch: float, value: float) -> bytes:
    return bytes((_status(POLY_PRESSURE, channel), whole(pitch), whole(value)))


def bend(channel: int, value: float) -> bytes:
    """`value` from -1 to 1."""
    found = whole(STILL + value * (STILL if value < 0.0 else STILL - 1), MOST_14)
    return bytes((_status(BEND, channel), found & 127, found >> 7))


def bent(raw: int) -> float:
    """A bend of 0 to 16383 as -1 to 1; 8192 is 0, and both ends are reached."""
    return (raw - STILL) / (STILL if raw < STILL else STILL - 1)


def sysex(data: Iterable[float]) -> bytes:
    """A system exclusive message of these data bytes; its ends may be given, or not."""
    found = bytes(whole(item) for item in data if item not in (SYSEX, SYSEX_END))
    return bytes((SYSEX,)) + found + bytes((SYSEX_END,))


def kind_of(message: bytes) -> int:
    """What it is, without its channel: `NOTE_ON`, …; of system messages the first byte."""
    return message[0] if message[0] >= 0xF0 else message[0] & 0xF0


def channel_of(message: bytes) -> int:
    """From 1 to 16; 0 of a system message."""
    return 0 if message[0] >= 0xF0 else (message[0] & 0x0F) + 1


def described(message: bytes) -> str:
    """A message in words for a log."""
    kinds: dict[int, Any] = {
        NOTE_OFF: "note off", NOTE_ON: "note on", POLY_PRESSURE: "key pressure", CONTROL: "control",
        PROGRAM: "program", PRESSURE: "pressure", BEND: "bend", SYSEX: "system exclusive",
    }  # fmt: skip
    numbers = " ".join(str(byte) for byte in message[1:5])
    where = f" on channel {channel_of(message)}" if channel_of(message) else ""
    return f"{kinds.get(kind_of(message), hex(message[0]))} {numbers}{where}".strip()
