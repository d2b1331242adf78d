"""Where the state of every unit of every node lies, and what an edit must copy to carry it over."""

from __future__ import annotations

import ctypes
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from nodegraph.core.ownfiles import carried_on
from nodegraph.runtime.carrying import carried
from nodegraph.runtime.kernels.forms import Layout

Key = tuple[str, Any]
"""A node's id, and which of its units (or which signal of it that leads back)."""
Row = tuple[int, int, int, int, int]
"""From, to, stride from, stride to, words of 4 bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """One operation: the units that it runs, lane by lane, their state, and the ramps of its still controls."""

    keys: tuple[Key | None, ...]
    about: Layout
    state: int
    still: tuple[str, ...]
    ramp: int


class Place(NamedTuple):
    """Where one unit's state lies: its lane of an operation."""

    ran: Ran
    lane: int


class Places:
    """The places of one schedule."""

    def __init__(self) -> None:
        self._ran: dict[tuple[Key | None, ...], Ran] = {}
        self._of: dict[Key, Place] | None = None
        self.too_long: list[tuple[str, str]] = []
        """Arrays of nodes that an edit could not carry over."""

    def add(self, ran: Ran) -> None:
        """Another operation."""
        self._ran[ran.keys] = ran
        self._of = None

    def of(self, key: Key) -> Place | None:
        """Where a unit's state lies."""
        if self._of is None:
            self._of = {
                key: Place(ran, lane)
                for ran in self._ran.values()
                for lane, key in enumerate(ran.keys)
                if key is not None
            }
        return self._of.get(key)

    def keys_of(self, ids: Container[str] | None) -> list[Key]:
        """The keys of the units of some nodes, or of all."""
        return [key for keys in self._ran for key in keys if key is not None and (ids is None or key[0] in ids)]

    def rename(self, names: Mapping[str, str]) -> None:
        """Nodes have other ids from now on."""

        def new(key: Key | None) -> Key | None:
            return key if key is None else (names.get(key[0], key[0]), key[1])

        self._ran = {
            keys: replace(ran, keys=keys)
            for keys, ran in ((tuple(new(key) for key in ran.keys), ran) for ran in self._ran.values())
        }
        self._of = None

    def moves_from(self, old: Places, changed: Container[str], origin: Mapping[str, str]) -> np.ndarray[Any, Any]:
        """The rows of an edit. An operation that runs the same units as before is copied whole."""
        rows: list[Row] = []
        for keys, new in self._ran.items():
            was = old._ran.get(keys)
            if was is not None and was.about is new.about and was.still == new.still and self._stays(keys, changed):
                rows += _whole(was, new)
                continue
            for lane, key in enumerate(keys):
                if key is None:
                    continue
                if key[0] in changed:
                    rows += self._carried(key, old, Place(new, lane))
                    continue
                before = old.of((origin[key[0]], key[1]) if key[0] in origin else key)
                if before is not None and before.ran.about.spec is new.about.spec:
                    rows += _lane(before, Place(new, lane))
        return np.array(rows, np.int64).reshape(-1, 5)

    def _carried(self, key: Key, old: Places, place: Place) -> list[Row]:
        """The rows of a node that is another version of what it was; none for one that is something else."""
        before = old.of(key)
        if before is None or not carried_on(before.ran.about.spec, place.ran.about.spec):
            return []
        rows, too_long = carried(before, place)
        self.too_long += [(key[0], name) for name in too_long]
        return rows

    @staticmethod
    def _stays(keys: tuple[Key | None, ...], changed: Container[str]) -> bool:
        return not changed or not any(key is not None and key[0] in changed for key in keys)


def live_value(place: Place, name: str) -> float | None:
    """The value of a control, or the one that it is on its way to; None when a signal moves it."""
    ran, lane = place
    if name not in ran.still:
        return None
    lanes, count = ran.about.lanes, len(ran.still)
    at = ran.still.index(name) * lanes + lane
    if ctypes.c_uint32.from_address(ran.ramp + 4 * (2 * count * lanes + at)).value:
        return ctypes.c_float.from_address(ran.ramp + 4 * at).value
    return ctypes.c_float.from_address(ran.state + ran.about.offsets[name] + 4 * lane).value


def begin_with(place: Place, name: str, value: float) -> None:
    """Let a control of a schedule that does not play yet begin with a value."""
    ran, lane = place
    ctypes.c_float.from_address(ran.state + ran.about.offsets[name] + 4 * lane).value = value


def _whole(was: Ran, new: Ran) -> list[Row]:
    """All fields of all lanes lie side by side."""
    about, lanes = new.about, new.about.lanes
    rows: list[Row] = []
    first, count = about.narrow
    if count:
        rows.append((was.state + first, new.state + first, 4, 4, count * lanes))
    if new.still:
        rows.append((was.ramp, new.ramp, 4, 4, 3 * len(new.still) * lanes))
    first, count = about.wide
    if count:
        rows.append((was.state + first, new.state + first, 4, 4, 2 * count * lanes))
    return rows


def _lane(was: Place, new: Place) -> list[Row]:
    """One lane of an operation."""
    rows: list[Row] = []
    about0, about = was.ran.about, new.ran.about
    stride0, stride = 4 * about0.lanes, 4 * about.lanes
    first, count = about.narrow
    at0, at = was.ran.state + about0.narrow[0] + 4 * was.lane, new.ran.state + first + 4 * new.lane
    if new.ran.still == was.ran.still:
        if count:
            rows.append((at0, at, stride0, stride, count))
        if new.ran.still:
            ramps = 3 * len(new.ran.still)
            rows.append((was.ran.ramp + 4 * was.lane, new.ran.ramp + 4 * new.lane, stride0, stride, ramps))
    else:
        # a control that was a signal until now starts from its stored value, which the new state holds
        skip = len(about.controls)
        for number, name in enumerate(about.controls):
            if name in new.ran.still and name in was.ran.still:
                rows.append((at0 + number * stride0, at + number * stride, stride0, stride, 1))
        if count > skip:
            rows.append((at0 + skip * stride0, at + skip * stride, stride0, stride, count - skip))
    (wide0, count), (wide, _) = about0.wide, about.wide
    wide0 += was.ran.state + 8 * was.lane
    wide += new.ran.state + 8 * new.lane
    rows += [(wide0 + 8 * k * about0.lanes, wide + 8 * k * about.lanes, 4, 4, 2) for k in range(count)]
    return rows
