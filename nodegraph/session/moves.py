"""Where the controls of a session stand, and what has moved since it was told last. On the player's thread, mostly."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from nodegraph.core.messages import as_number
from nodegraph.runtime.acts import Act, as_tuple
from nodegraph.runtime.many import Many, Places
from nodegraph.runtime.recall import Floats, Place
from nodegraph.session.layout import FEW, KEPT, Gathered, Selection, Together, selection
from nodegraph.session.parameters import Parameter, by_place

MOST_ASKED: Final = 10_000
MANY_ASKED: Final = 64
MANY_S: Final = 0.04
"""Many values at a high rate are for the eye."""


class Chosen:
    """The controls at some places, and what they were moved to last."""

    def __init__(self, places: Places, known: Mapping[Place, Parameter]) -> None:
        self.places, self.known = places, known
        self.which = np.array([index for index, place in enumerate(places) if place in known], np.int64)
        self.controls: Selection = selection(known[places[index]] for index in self.which.tolist())
        self.distinct = len(set(self.controls.addresses)) == len(self.controls.addresses)
        self.values = np.full(len(self.which), np.nan)
        self.turn = -1


class Noted(NamedTuple):
    """Many that were moved, and have not been looked at yet."""

    chosen: Chosen
    values: Floats
    by: str


class Moves:
    """Values by address, of controls that were moved away from what the patch stores.

    Who moves many controls does so often, and who looks where they are does so seldom: moves of many are only noted,
    and worked out when somebody looks, or is told.
    """

    def __init__(self) -> None:
        self._live: dict[str, float] = {}
        self._lock = threading.RLock()
        self._noted: list[Noted] = []
        self._next_s = 0.0
        """Before this time many that move are not told again."""
        self._by: dict[str, str] = {}
        """By address: who asked for it."""
        self._by_many: dict[int, tuple[Places, str]] = {}
        self._authors: set[str] = set()
        self._places: dict[Place, Parameter] = {}
        self._chosen: dict[int, Chosen] = {}
        self._batch = Gathered()
        self._turn = 0

    @property
    def live(self) -> dict[str, float]:
        """Address → value. Any thread."""
        if self._noted:
            self._settle()
        return self._live

    @live.setter
    def live(self, values: dict[str, float]) -> None:
        with self._lock:
            self._noted.clear()
            self._live = values
            self._turn += 1

    def follow(self, parameters: Mapping[str, Parameter]) -> None:
        """The patch has these parameters from now on."""
        self._places = by_place(parameters)

    def asked(self, address: str, by: str) -> None:
        """Somebody is about to move a control: it is told as his doing."""
        self._by[address] = by
        if len(self._by) > MOST_ASKED:  # they were asked for in vain
            self._by.clear()

    def asked_many(self, places: Places, by: str) -> None:
        """The same of many at once."""
        if id(places) not in self._by_many and len(self._by_many) >= MANY_ASKED:
            self._by_many.pop(next(iter(self._by_many)), None)
        self._by_many[id(places)] = places, by

    # -- moving

    def move(self, node: str, inlet: str, value: float) -> None:
        """A control was moved, by a client or from within the patch."""
        found = self._places.get((node, inlet))
        if found is None:
            return
        with self._lock:
            live = self.live
            if live.get(found.address) != value:
                live[found.address] = value
                self._tell({found.address: value}, self._by.pop(found.address, ""))

    def move_many(self, places: Places, values: Floats) -> None:
        """As `move`, for many at once; the values are numbers."""
        chosen = self._chosen.get(id(places))
        if chosen is None or chosen.places is not places or chosen.known is not self._places:
            while len(self._chosen) >= KEPT:
                del self._chosen[next(iter(self._chosen))]
            chosen = self._chosen[id(places)] = Chosen(places, self._places)
        noted = Noted(chosen, values, self._author(places))
        with self._lock:
            if self._noted and self._noted[-1].chosen is chosen and self._noted[-1].by == noted.by:
                self._noted[-1] = noted
            else:
                self._noted.append(noted)
                if len(self._noted) > KEPT:
                    self._settle()

    def arrived(self, places: Places, values: Floats) -> None:
        """Many that were asked for act now. They were noted then; if nothing else has moved since, all is said."""
        with self._lock:
            noted = self._noted
            last = noted[-1].chosen if noted else self._chosen.get(id(places))
            fresh = last is not None and last.places is places and (noted or last.turn == self._turn)
        if not fresh:
            self.move_many(places, values)

    def _settle(self) -> None:
        """Work out what was noted."""
        with self._lock:
            noted, self._noted = self._noted, []
            for chosen, values, by in noted:
                self._work_out(chosen, values, by)

    def _work_out(self, chosen: Chosen, values: Floats, by: str) -> None:
        live, controls = self._live, chosen.controls
        held = controls.nearest(values if len(chosen.which) == len(chosen.places) else values[chosen.which])
        if chosen.turn != self._turn:
            chosen.values = np.array([live.get(address, np.nan) for address in controls.addresses])
        moved = held != chosen.values
        if moved.all() and chosen.distinct and len(moved):
            together = Together(controls, held)
            live.update(together.as_dict())
            self._tell(together, by)
        elif moved.any():
            which, addresses = np.flatnonzero(moved).tolist(), controls.addresses
            found = {addresses[index]: float(held[index]) for index in which}
            live.update(found)
            self._tell(found, by)
        chosen.turn, chosen.values = self._turn, held

    def _author(self, places: Places) -> str:
        asked = self._by_many.get(id(places))
        return asked[1] if asked is not None and asked[0] is places else ""

    def _tell(self, moved: Mapping[str, float], by: str) -> None:
        self._batch.add(moved)
        self._authors.add(by)
        self._turn += 1

    # -- what is heard of it

    def note(self, act: Act) -> None:
        """Something was asked for from outside, and was taken. Its number is known before it is heard."""
        if act.what == "set":
            self._note(act.args[:2], act.args[2])
        elif act.what == "sets":
            places, messages = act.args
            numbers = Many.numbers(messages)
            if numbers is not None:
                self.move_many(places, numbers)
                return
            for place, message in zip(places, as_tuple(messages), strict=True):
                self._note(place, message)

    def _note(self, place: Place, message: Any) -> None:
        found = self._places.get(place)
        number = as_number(message)
        if found is not None and found.control is not None and number is not None and number == number:
            low, high = found.control.span
            self.move(*place, min(max(number, low), high))

    def taken(self) -> tuple[str, Mapping[str, float]]:
        """What has moved since the last call, and who did it, if it was one. Many that move time and again are told
        every `MANY_S` seconds."""
        if self._noted and (self._batch or time.monotonic() >= self._next_s or self._few()):
            self._settle()
            self._next_s = time.monotonic() + MANY_S
        if not self._batch:
            return "", {}
        with self._lock:
            batch, authors = self._batch.take(), self._authors
            self._authors = set()
        return (authors.pop() if len(authors) == 1 else ""), batch

    def _few(self) -> bool:
        """Whether some of what was noted is told at once."""
        return any(len(noted.chosen.which) <= FEW for noted in self._noted)

    def stored(self, addresses: Iterable[str]) -> None:
        """The patch stores other values for these: what it stores is what sounds."""
        with self._lock:
            live = self.live
            for address in addresses:
                live.pop(address, None)
            self._turn += 1
