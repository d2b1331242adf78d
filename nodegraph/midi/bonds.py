"""Bonds between knobs and parameters, as data.

What is learned is plain data in the patch's file, under ``learned`` → ``midi``:

::

    {"address": "/patch/cut/cutoff", "what": "7 bit", "channel": 1, "number": 74, "takeover": "pickup"}

===========  ==========================================================================================================
key          value
===========  ==========================================================================================================
`address`    of the parameter
`what`       ``7 bit``, ``14 bit``, ``nrpn``, ``rpn`` (`midi.gathering`), ``note``, ``bend``, ``pressure``, ``key``
`channel`    1 to 16; 0: any
`number`     of the controller, parameter or key
`port`       a part of the name of the port; left out: any
`span`       the parameter's value at both ends; left out: its own span. The first may be the greater one
`curve`      ``linear`` or ``log``; left out: the parameter's own
`takeover`   ``jump``: the knob moves the parameter wherever it is. ``pickup``: only when it has passed the parameter's
             value. ``scale``: at once, by as much as both have left to the end
===========  ==========================================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, Problem
from nodegraph.midi import words
from nodegraph.midi.gathering import Controls
from nodegraph.midi.messages import DOOR, named
from nodegraph.session.parameters import ROOT, Parameter

KEY: Final = "learned"
WHATS: Final = ("7 bit", "14 bit", "nrpn", "rpn", "note", "bend", "pressure", "key")
TAKEOVERS: Final = ("jump", "pickup", "scale")
CURVES: Final = ("", "linear", "log")


class Knob(NamedTuple):
    """Something that was moved on a controller, to `share` of its way (0 to 1)."""

    what: str
    channel: int
    number: int
    share: float


@dataclass(frozen=True)
class Learned:
    """One bond between a knob and a parameter."""

    address: str
    what: str
    channel: int
    number: int
    port: str = ""
    span: tuple[float, float] | None = None
    curve: str = ""
    takeover: str = "pickup"

    def means(self, port: str, knob: Knob) -> bool:
        """Whether it is bound to this knob."""
        return (
            (self.what, self.number) == (knob.what, knob.number)
            and self.channel in (0, knob.channel)
            and named(port, self.port)
        )

    def value(self, parameter: Parameter, share: float) -> float:
        """The parameter's value with the knob at `share` of its way."""
        low, high, log = self._way(parameter)
        made = low * (high / low) ** share if log else low + (high - low) * share
        control = parameter.control
        assert control is not None
        if control.curve == "integer":
            made = float(round(made))
        elif control.curve == "switch":
            made = control.span[share >= 0.5]
        return min(max(made, control.span[0]), control.span[1])

    def share(self, parameter: Parameter, value: float) -> float:
        """Where the knob would stand for a value: the inverse of `value`, held within 0 and 1."""
        low, high, log = self._way(parameter)
        if low == high:
            return 0.0
        if log:
            found = math.log(value / low) / math.log(high / low) if value / low > 0.0 else 0.0
        else:
            found = (value - low) / (high - low)
        return min(max(found, 0.0), 1.0)

    def _way(self, parameter: Parameter) -> tuple[float, float, bool]:
        control = parameter.control
        assert control is not None
        low, high = self.span or control.span
        log = (self.curve or control.curve) == "log" and low > 0.0 and high > 0.0 and low != high
        return low, high, log

    def as_data(self) -> dict[str, Any]:
        """It as it stands in the file."""
        found: dict[str, Any] = {"address": self.address, "what": self.what, "channel": self.channel}
        found |= {"number": self.number}
        if self.port:
            found["port"] = self.port
        if self.span is not None:
            found["span"] = list(self.span)
        if self.curve:
            found["curve"] = self.curve
        return found | {"takeover": self.takeover}

    @classmethod
    def of(cls, data: Any) -> Learned:
        """The inverse of `as_data`. Raises PatchError when it is not such data."""
        try:
            span = data.get("span")
            made = cls(
                str(data["address"]), str(data["what"]), int(data.get("channel", 0)), int(data.get("number", 0)),
                str(data.get("port", "")), None if span is None else (float(span[0]), float(span[1])),
                str(data.get("curve", "")), str(data.get("takeover", "pickup")),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            raise _bad(data) from error
        finite = made.span is None or all(map(math.isfinite, made.span))
        legal = made.what in WHATS and made.takeover in TAKEOVERS and made.curve in CURVES and finite
        if not legal or not 0 <= made.channel <= words.CHANNELS or not 0 <= made.number <= words.MOST_14:
            raise _bad(data)
        return made


def _bad(data: Any) -> PatchError:
    what = f"This is no learned knob: {str(data)[:80]}."
    return PatchError(Problem("bad-learned", what, "See docs/midi.md for what one looks like."))


def learned_in(document: Document) -> list[Learned]:
    """What a patch has learned; what cannot be read is left out here, and stays in the file."""
    found = []
    for data in stored(document):
        try:
            found.append(Learned.of(data))
        except PatchError:
            continue
    return found


def stored(document: Document) -> list[Any]:
    """What the patch has under `learned`, as it stands there."""
    held = document.extra.get(KEY)
    kept = held.get(DOOR) if isinstance(held, Mapping) else None
    return list(kept) if isinstance(kept, list) else []


def knobs(controls: Controls, data: bytes) -> list[Knob]:
    """What a message moves."""
    kind, channel = words.kind_of(data), words.channel_of(data)
    if kind == words.CONTROL:
        return [Knob(item.kind, item.channel, item.number, item.share) for item in controls.feed(data)]
    if kind in (words.NOTE_ON, words.NOTE_OFF):
        velocity = data[2] if kind == words.NOTE_ON else 0
        return [Knob("note", channel, data[1], velocity / words.MOST_7)]
    if kind == words.BEND:
        return [Knob("bend", channel, 0, 0.5 + 0.5 * words.bent(data[1] | data[2] << 7))]
    if kind == words.PRESSURE:
        return [Knob("pressure", channel, 0, data[1] / words.MOST_7)]
    if kind == words.POLY_PRESSURE:
        return [Knob("key", channel, data[1], data[2] / words.MOST_7)]
    return []


def learnable(found: list[Knob]) -> Knob | None:
    """What somebody means who moves this: the parameter, not the controllers that it is sent with."""
    for knob in found:
        if knob.what in ("nrpn", "rpn"):
            return knob
    for knob in found:
        if knob.what in ("7 bit", "14 bit") and words.UP <= knob.number <= words.RPN_COARSE:
            return None
        if knob.what == "note" and knob.share == 0.0:
            return None
        return knob
    return None


def reads(data: Any) -> bool:
    """Whether this is a bond as data."""
    try:
        Learned.of(data)
    except PatchError:
        return False
    return True


def renamed(bond: Learned, names: Iterable[tuple[str, str]]) -> Learned:
    """The bond when nodes have other ids, one after another; those inside a subpatch with what stands before them."""
    for old, new in names:
        if bond.address.startswith(f"{ROOT}/{old}/"):
            bond = replace(bond, address=f"{ROOT}/{new}{bond.address.removeprefix(f'{ROOT}/{old}')}")
    return bond
