"""Many controls moved at one frame, for little: what a fader bank sends a hundred times a second.

The numbers of native nodes' controls are looked up once for the same places, and go to the audio thread in one piece.
What else there is (messages, ramps, nodes in Python) takes the way of single messages, and so do they all where one
of them was sent such a message for the same frame before; the sound is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nodegraph.core.ports import Control
from nodegraph.runtime.messages import LONGEST_RAMP_S, NATIVE, Messages
from nodegraph.runtime.recall import Floats, Numbers, Place

if TYPE_CHECKING:
    from nodegraph.runtime.engine import Engine

Places = tuple[Place, ...]
KEPT: Final = 16
"""Plans that are kept: as many clients may send at once without anything being looked up anew."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done for the same places: the numbers of those that are native controls (`there`), which are other
    things, and which nodes are missing."""

    places: Places
    entries: dict[str, Any]
    there: Places
    which: Numbers
    slots: Numbers
    ramps: Numbers
    low: Floats
    high: Floats
    stored: list[float]
    others: tuple[int, ...]
    missing: tuple[int, ...]


class Many:
    """Delivers many messages at one frame. On the player's thread."""

    def __init__(self, messages: Messages, engine: Engine) -> None:
        self.messages = messages
        self.engine = engine
        self._plans: dict[int, Plan] = {}

    @staticmethod
    def numbers(values: Sequence[Any] | Floats) -> Floats | None:
        """The messages as numbers, if that is what they all are."""
        if isinstance(values, np.ndarray):
            found = values
        elif set(map(type, values)) == {float}:
            found = np.array(values, np.float64)
        else:
            return None
        if isfinite(found.sum()) or np.isfinite(found).all():  # the sum of many large ones may be infinite
            return found
        return None

    def deliver(self, frame: int, places: Places, numbers: Floats) -> None:
        """Have them arrive, in logical time."""
        plan, messages = self._plan(places), self.messages
        there = numbers if plan.there is places else numbers[plan.which]
        posted = messages.posted(frame)
        if posted and not posted.isdisjoint(plan.there):
            for place, value in zip(plan.there, there.tolist(), strict=True):
                messages.post(frame, *place, value)
        elif len(plan.which):
            self._to_controls(frame, plan, there)
        for index in plan.others:
            messages.post(frame, *places[index], float(numbers[index]))

    def _to_controls(self, frame: int, plan: Plan, numbers: Floats) -> None:
        """Those for native controls."""
        messages = self.messages
        numbers = np.minimum(np.maximum(numbers, plan.low), plan.high)
        self.engine.controls(max(frame, messages.floor), plan.slots, plan.ramps, numbers)
        messages.recalls.moved_all(plan.there, numbers, plan.ramps, plan.stored)
        if messages.moved_all is not None:
            messages.moved_all(plan.there, numbers)
        elif messages.moved is not None:
            for place, value in zip(plan.there, numbers.tolist(), strict=True):
                messages.moved(*place, value)

    def missing(self, places: Places) -> tuple[int, ...]:
        """Which of them the graph does not have."""
        return self._plan(places).missing

    def _plan(self, places: Places) -> Plan:
        """What these places need; it holds until the graph is another."""
        found = self._plans.get(id(places))
        if found is not None and found.places is places and found.entries is self.messages.entries:
            return found
        while len(self._plans) >= KEPT:
            del self._plans[next(iter(self._plans))]
        made = self._plans[id(places)] = self._made(places)
        return made

    def _made(self, places: Places) -> Plan:
        messages, engine = self.messages, self.engine
        which, slots, ramps, spans, stored, others, missing, seen = [], [], [], [], [], [], [], set()
        for index, (node, inlet) in enumerate(places):
            entry = messages.entries.get(node)
            if entry is None:
                missing.append(index)
            spec = entry.spec if entry is not None else None
            port = spec.inlet_named.get(inlet) if spec is not None else None
            if (
                entry is None
                or spec is None
                or spec.role not in NATIVE
                or not isinstance(port, Control)
                or (node, inlet) in seen
            ):
                others.append(index)
                continue
            seen.add((node, inlet))
            which.append(index)
            slots.append(engine.slot(node, spec, inlet))
            ramps.append(round(min(max(port.ramp_s, 0.0), LONGEST_RAMP_S) * messages.rate))
            spans.append(port.span)
            stored.append(float(entry.value(inlet)))
        low, high = np.array(spans, np.float64).reshape(-1, 2).T
        there = places if len(which) == len(places) else tuple(places[index] for index in which)
        return Plan(
            places, messages.entries, there, np.array(which, np.int64),
            np.array(slots, np.int64), np.array(ramps, np.int64), low, high, stored, tuple(others),
            tuple(missing),
        )  # fmt: skip
