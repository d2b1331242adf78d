"""Several controls moved at once, in logical time: presets, morphs, chance.

A control of a native node with a straight way gets one ramp, exact to the sample. Where its curve bends (a ``log``
control, a time curve) it gets pieces of straight ramps, at most `PIECES`, and a control in Python steps at the same
frames. ``integer`` and ``switch`` change once, when half the way is done. Who moves a control meanwhile has it: the
rest of its way is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nodegraph.core.messages import Ramp
from nodegraph.core.ports import Control
from nodegraph.core.presets import TIME_CURVES, between, eased
from nodegraph.core.spec import Role

if TYPE_CHECKING:
    from nodegraph.runtime.messages import Messages

PIECES: Final = 128
PIECE_S: Final = 0.01
"""The shortest piece of a bent way."""
LONGEST_S: Final = 3_600.0
Place = tuple[str, str]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(slots=True)
class Way:
    """Where a control is: from `frame` on it goes from `start` to `end` in a straight line, within `frames`."""

    frame: int
    start: float
    end: float
    frames: int

    def at(self, frame: int) -> float:
        """Its value at a frame from `frame` on."""
        passed = frame - self.frame
        if passed >= self.frames:
            return self.end
        return self.start + (self.end - self.start) * max(passed, 0) / self.frames


@dataclass(slots=True)
class Bank:
    """The ways of controls that are moved together again and again, as arrays: a row for each of `places`."""

    places: tuple[Place, ...]
    frame: int
    start: Floats
    end: Floats
    frames: Numbers
    longest: int

    def go_on(self, now: int, values: Floats) -> None:
        """Each goes somewhere else, from where it is now."""
        passed = max(now - self.frame, 0)
        if passed >= self.longest:  # all have arrived
            self.frame, self.start, self.end = now, self.end, values
            return
        along = self.start + (self.end - self.start) * passed / np.maximum(self.frames, 1)
        self.start = np.where(passed >= self.frames, self.end, along)
        self.frame, self.end = now, values


class Recalls:
    """Moves controls of one running graph. On the player's thread."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._kept: dict[Place, Way] = {}
        self._bank: Bank | None = None

    # -- where controls are

    @property
    def _ways(self) -> dict[Place, Way]:
        """The way of every control that was moved; those that were moved together are laid to the others for it."""
        bank = self._bank
        if bank is not None:
            self._bank = None
            for place, start, end, frames in zip(
                bank.places, bank.start.tolist(), bank.end.tolist(), bank.frames.tolist(), strict=True
            ):
                self._kept[place] = Way(bank.frame, start, end, frames)
        return self._kept

    def moved(self, node: str, inlet: str, value: float, frames: int, stored: float) -> None:
        """A control goes somewhere, from now on."""
        now = self._messages.now
        way = self._ways.get((node, inlet))
        start = stored if way is None else way.at(now)
        self._kept[node, inlet] = Way(now, start, value, frames)

    def moved_all(self, places: tuple[Place, ...], values: Floats, frames: Numbers, stored: Sequence[float]) -> None:
        """Controls of native nodes go somewhere, from now on. As a rule they are the same as the last time."""
        now = self._messages.now
        if self._bank is None or self._bank.places is not places:
            ways = [self._ways.get(place) for place in places]
            start = [at if way is None else way.at(now) for way, at in zip(ways, stored, strict=True)]
            self._bank = Bank(places, now, np.array(start), values, frames, int(frames.max(initial=0)))
        else:
            self._bank.go_on(now, values)

    def rename(self, names: Mapping[str, str]) -> None:
        """Nodes have other ids from now on."""
        self._kept = {(names.get(node, node), inlet): way for (node, inlet), way in self._ways.items()}

    def keep(self, entries: Mapping[str, Any]) -> None:
        """Forget the nodes that are not among these."""
        for place in [place for place in self._ways if place[0] not in entries]:
            del self._kept[place]

    def value(self, node: str, inlet: str) -> float | None:
        """Where a control is now; None when there is none."""
        entry = self._messages.entries.get(node)
        if entry is None or entry.spec is None or not isinstance(entry.spec.inlet_named.get(inlet), Control):
            return None
        python = self._messages.nodes.get(node)
        if python is not None:
            return float(python.controls[inlet])
        way = self._ways.get((node, inlet))
        return float(entry.value(inlet)) if way is None else way.at(self._messages.now)

    # -- moving them

    def recall(self, values: Iterable[tuple[str, str, float]], seconds: float = 0.0, curve: str = "linear") -> None:
        """Move controls, ``(node, inlet, value)``, now; each is there after so many seconds, or after its own ramp.

        What is not there is left out.
        """
        messages = self._messages
        seconds = min(max(seconds, 0.0), LONGEST_S) if seconds == seconds else 0.0
        frames = round(seconds * messages.rate)
        bent: dict[Place, tuple[float, float]] = {}
        snapping: list[tuple[str, str, float]] = []
        for node, inlet, value in values:
            start = self.value(node, inlet)
            if start is None or not math.isfinite(value):
                continue
            entry = messages.entries[node]
            assert entry.spec is not None
            control = entry.spec.inlet_named[inlet]
            assert isinstance(control, Control)
            if frames <= 0:
                messages.post(messages.now, node, inlet, float(value))
            elif control.curve in ("integer", "switch"):
                snapping.append((node, inlet, float(value)))
            elif entry.spec.role in (Role.KERNEL, Role.BLOCK) and curve == "linear" and control.curve == "linear":
                messages.post(messages.now, node, inlet, Ramp(float(value), seconds))
            else:
                bent[node, inlet] = (start, float(value))
        if snapping:
            messages.at(messages.now + _middle(frames, curve), lambda when: self._snap(snapping))
        if bent:
            pieces = max(1, min(PIECES, frames, round(seconds / PIECE_S)))
            self._bend(_Glide(bent, messages.now, frames, curve if curve in TIME_CURVES else "linear", pieces))

    def _snap(self, values: list[tuple[str, str, float]]) -> None:
        for node, inlet, value in values:
            self._messages.post(self._messages.now, node, inlet, value)

    def _bend(self, glide: _Glide) -> None:
        """The next piece of all the ways that are still to be gone."""
        messages = self._messages
        now = messages.now
        if glide.number:  # the first piece begins wherever the control is
            for place in [place for place in glide.ways if not self._ours(place, glide)]:
                del glide.ways[place]
        if glide.number == glide.pieces or not glide.ways:
            return
        glide.number += 1
        glide.end = end = glide.frame + glide.frames * glide.number // glide.pieces
        share = eased(glide.number / glide.pieces, glide.curve)
        for place, (start, goal) in glide.ways.items():
            entry = messages.entries[place[0]]
            assert entry.spec is not None
            control = entry.spec.inlet_named[place[1]]
            assert isinstance(control, Control)
            value = between(start, goal, share, control)
            glide.last[place] = value
            native = entry.spec.role in (Role.KERNEL, Role.BLOCK)
            messages.post(now, *place, Ramp(value, (end - now) / messages.rate) if native else value)
        messages.at(end, lambda when: self._bend(glide))

    def _ours(self, place: Place, glide: _Glide) -> bool:
        """Whether nobody has moved a control since the last piece."""
        value = self.value(*place)
        if value is None:
            return False
        way = self._ways.get(place)
        if way is None:
            return value == glide.last[place]
        return way.end == glide.last[place] and way.frame + way.frames == glide.end


@dataclass(slots=True)
class _Glide:
    """Controls on bent ways: where each began and goes, from `frame` on within `frames`, in so many `pieces`."""

    ways: dict[Place, tuple[float, float]]
    frame: int
    frames: int
    curve: str
    pieces: int
    last: dict[Place, float] = field(default_factory=dict)
    number: int = 0
    end: int = 0


def _middle(frames: int, curve: str) -> int:
    """When half of a way is gone."""
    low, high = 0, frames
    while low < high:
        half = (low + high) // 2
        low, high = (low, half) if eased(half / frames, curve) >= 0.5 else (half + 1, high)
    return low
