"""What travels along event cables.

A message is a number, a text, a list (a Python tuple), `BANG`, a `Note` or a `Tag`.
It always has an exact time: the sample at which it acts (`Event.frame`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from nodegraph.core.osc import OscIn


class _Bang:
    """The message that says only: now."""

    _only: _Bang | None = None

    def __new__(cls) -> _Bang:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "bang"


BANG: Final = _Bang()


class Tag(NamedTuple):
    """A label and how sure the listener is of it (0 to 1)."""

    label: str
    score: float


class Note(NamedTuple):
    """A note: MIDI pitch (fractions allowed), velocity 0 to 1 (0 ends it), length in seconds None when held."""

    pitch: float
    velocity: float
    duration_s: float | None = None


class NoteExpression(NamedTuple):
    """What happens to a note that sounds (MPE): ``bend`` in semitones, ``pressure`` or ``timbre`` from 0 to 1.

    `pitch` is the MIDI pitch with which the note began.
    """

    pitch: float
    what: str
    value: float


class Ramp(NamedTuple):
    """For a control: go to `value` within `seconds`, instead of the time that the control itself takes."""

    value: float
    seconds: float


class MidiIn(NamedTuple):
    """A MIDI message that came in at a port, as bytes."""

    port: str
    data: bytes


class MidiOut(NamedTuple):
    """A MIDI message that is to leave by a port, as bytes; an empty port is every port."""

    port: str
    data: bytes


Message = float | int | str | tuple[Any, ...] | _Bang | Tag | Note | NoteExpression


@dataclass(frozen=True, slots=True)
class Event:
    """A message at its sample. `time` is in seconds from the start of the patch.

    The fields of a `Tag` or `Note` can be read from the event itself: ``event.label``.
    """

    frame: int
    time: float
    value: Any
    node: str = ""
    port: str = ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.value, name)


class At(NamedTuple):
    """In a listener's answer: this message belongs `offset_s` seconds after the start of the clip."""

    offset_s: float
    message: Any


def as_number(message: object) -> float | None:
    """The number in a message, or None: a bang has none, a note gives its pitch, a list its first item."""
    if isinstance(message, bool):
        return float(message)
    if isinstance(message, (int, float)):
        try:
            return float(message)
        except OverflowError:  # a whole number may have any size
            return math.inf if message > 0 else -math.inf
    if isinstance(message, Tag):
        return message.score
    if isinstance(message, tuple) and message:
        return as_number(message[0])
    if isinstance(message, str):
        try:
            return float(message)
        except ValueError:
            return None
    return None


def to_wire(message: object) -> object:
    """A message as plain msgpack/JSON data, for other processes and for files."""
    if message is BANG:
        return {"bang": True}
    if isinstance(message, Tag):
        return {"tag": [message.label, message.score]}
    if isinstance(message, Note):
        return {"note": [message.pitch, message.velocity, message.duration_s]}
    if isinstance(message, NoteExpression):
        return {"expression": [message.pitch, message.what, message.value]}
    if isinstance(message, Ramp):
        return {"ramp": [message.value, message.seconds]}
    if isinstance(message, OscIn):
        return {"osc": [message.address, to_wire(message.args)]}
    if isinstance(message, MidiIn):
        return {"midi": [message.port, message.data.hex()]}
    if isinstance(message, bytes):
        return {"bytes": message.hex()}
    if isinstance(message, At):
        return {"at": [message.offset_s, to_wire(message.message)]}
    if isinstance(message, (tuple, list)):
        return [to_wire(item) for item in message]
    return message


def from_wire(data: object) -> Any:
    """The inverse of `to_wire`. Lists come back as tuples."""
    if isinstance(data, dict) and len(data) == 1:
        ((key, value),) = data.items()
        if key == "bang":
            return BANG
        if key == "tag":
            return Tag(str(value[0]), float(value[1]))
        if key == "note":
            return Note(float(value[0]), float(value[1]), None if value[2] is None else float(value[2]))
        if key == "expression":
            return NoteExpression(float(value[0]), str(value[1]), float(value[2]))
        if key == "ramp":
            return Ramp(float(value[0]), float(value[1]))
        if key == "osc":
            return OscIn(str(value[0]), from_wire(value[1]))
        if key == "midi":
            return MidiIn(str(value[0]), bytes.fromhex(value[1]))
        if key == "bytes":
            return bytes.fromhex(value)
        if key == "at":
            return At(float(value[0]), from_wire(value[1]))
    if isinstance(data, (list, tuple)):
        return tuple(from_wire(item) for item in data)
    return data
