"""A numbering of parameters, for those who move many of them many times a second.

A client asks for it once and then sends numbers and float32 values; it holds until the patch is another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

import numpy as np

from nodegraph.core.errors import PatchError, Problem
from nodegraph.runtime.recall import Floats, Place
from nodegraph.session.parameters import Parameter

FEW: Final = 16
"""Controls at once that are worth a round of the player of their own."""
KEPT: Final = 8
"""Selections of a layout that are kept ready."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Some controls, and what they may be."""

    addresses: tuple[str, ...]
    places: tuple[Place, ...]
    low: Floats
    high: Floats

    def held(self, values: Floats) -> Floats:
        """The values within their spans. Raises PatchError for one that is no number."""
        if not isfinite(np.add.reduce(values)):  # one that is none, or infinite, makes the sum so
            where = self.addresses[int(np.argmin(np.isfinite(values)))]
            raise PatchError(Problem("bad-value", f"{where} takes a number, not one that is infinite or none at all."))
        return np.minimum(np.maximum(values, self.low), self.high)

    def nearest(self, values: Floats) -> Floats:
        """The values within their spans; what is no number stays none."""
        found: Floats = np.minimum(np.maximum(values, self.low), self.high)
        return found


class Together(Mapping[str, float]):
    """Address → value of controls that moved all at once. It is passed on as it is, and looked into seldom."""

    __slots__ = ("_found", "controls", "to")

    def __init__(self, controls: Selection, to: Floats) -> None:
        """The controls are distinct; `to` is what each came to."""
        self.controls, self.to = controls, to
        self._found: dict[str, float] | None = None

    def follows(self, other: Mapping[str, float]) -> bool:
        """Whether nothing is left of the other when this comes after it."""
        return isinstance(other, Together) and other.controls is self.controls

    def as_dict(self) -> dict[str, float]:
        """The same as a dictionary: whoever wants all of it is faster with this one."""
        if self._found is None:
            self._found = dict(zip(self.controls.addresses, self.to.tolist(), strict=True))
        return self._found

    def __getitem__(self, address: str) -> float:
        return self.as_dict()[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self.as_dict())

    def __len__(self) -> int:
        return len(self.controls.addresses)

    def __repr__(self) -> str:
        return repr(self.as_dict())


class Gathered:
    """Values by address until somebody takes them: of each the last. What moves together stays together."""

    def __init__(self) -> None:
        self._values: Mapping[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def add(self, moved: Mapping[str, float]) -> None:
        """These have moved."""
        values = self._values
        if isinstance(moved, Together) and (not values or moved.follows(values)):
            self._values = moved
            return
        if not isinstance(values, dict):
            self._values = values = dict(_plain(values))
        values.update(_plain(moved))

    def take(self) -> Mapping[str, float]:
        """What was gathered; from now on there is nothing."""
        values, self._values = self._values, {}
        return values


def _plain(values: Mapping[str, float]) -> Mapping[str, float]:
    return values.as_dict() if isinstance(values, Together) else values


def selection(found: Iterable[Parameter]) -> Selection:
    """Controls to move at once. Raises PatchError when one is no control."""
    items = tuple(found)
    spans = []
    for item in items:
        if item.control is None:
            raise PatchError(Problem("no-value", f"{item.address} has no value: it is for messages."))
        spans.append(item.control.span)
    low, high = np.array(spans, np.float64).reshape(-1, 2).T
    return Selection(tuple(item.address for item in items), tuple(item.place for item in items), low, high)


class Layout:
    """Controls by number, from 0: in the order in which a client named them."""

    def __init__(self, number: int, found: Iterable[Parameter], parameters: Mapping[str, Parameter]) -> None:
        """`parameters` is the session's table of which they are."""
        self.number = number
        self.items = tuple(found)
        self.all = selection(self.items)
        self.numbers = {address: index for index, address in enumerate(self.all.addresses)}
        self._parameters = parameters
        self._kept: dict[bytes, Selection] = {}
        self._last: tuple[list[str], bytes] = [], b""
        self._together: tuple[Selection | None, bytes] = None, b""

    def holds(self, parameters: Mapping[str, Parameter]) -> bool:
        """Whether the patch still has these parameters."""
        return parameters is self._parameters

    def chosen(self, indices: bytes) -> Selection:
        """The controls with these numbers (uint16, little end first). Raises PatchError for a number too high."""
        found = self._kept.get(indices)
        if found is None:
            numbers = np.frombuffer(indices, "<u2")
            if len(numbers) and int(numbers.max()) >= len(self.items):
                what = f"The layout numbers {len(self.items)} parameters, from 0; {int(numbers.max())} is not one."
                raise PatchError(Problem("bad-layout", what, "Ask for another layout."))
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            found = self._kept[indices] = selection(self.items[number] for number in numbers.tolist())
        return found

    def packed(self, values: Mapping[str, float]) -> tuple[dict[str, Any] | None, dict[str, float]]:
        """Values by address as numbers and float32, and those that it does not number."""
        if isinstance(values, Together) and values.controls is self._together[0]:
            return {"layout": self.number, "at": self._together[1], "to": values.to.astype("<f4").tobytes()}, {}
        addresses = list(values)
        if addresses == self._last[0]:  # as a rule the same ones move again and again
            data = {"layout": self.number, "at": self._last[1], "to": np.array(list(values.values()), "<f4").tobytes()}
            return data, {}
        numbers, rest = self.numbers, {}
        indices, floats = [], []
        for address, value in values.items():
            index = numbers.get(address)
            if index is None:
                rest[address] = value
            else:
                indices.append(index)
                floats.append(value)
        if not indices:
            return None, rest
        at = np.array(indices, "<u2").tobytes()
        if not rest:
            self._last = addresses, at
            if isinstance(values, Together):
                self._together = values.controls, at
        return {"layout": self.number, "at": at, "to": np.array(floats, "<f4").tobytes()}, rest
