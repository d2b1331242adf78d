"""A numbering of parameters, for those who move many of them many times a second.

A client asks for it once and then sends numbers and float32 values; it holds until the patch is another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
        if not np.isfinite(values).all():
            where = self.addresses[int(np.argmin(np.isfinite(values)))]
            raise PatchError(Problem("bad-value", f"{where} takes a number, not one that is infinite or none at all."))
        return np.minimum(np.maximum(values, self.low), self.high)

    def nearest(self, values: Floats | Sequence[float]) -> list[float]:
        """The values within their spans; what is no number stays none."""
        found: list[float] = np.minimum(np.maximum(values, self.low), self.high).tolist()
        return found


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
        return {"layout": self.number, "at": at, "to": np.array(floats, "<f4").tobytes()}, rest
