"""Where the controls of a session stand, and what has moved since it was told last. On the player's thread, mostly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from nodegraph.core.messages import as_number
from nodegraph.runtime.acts import Act
from nodegraph.runtime.many import Places
from nodegraph.runtime.recall import Place
from nodegraph.session.layout import KEPT, Selection, selection
from nodegraph.session.parameters import Parameter, by_place

MOST_ASKED: Final = 10_000
MANY_ASKED: Final = 64


class Chosen:
    """The controls at some places, and what they were moved to last."""

    def __init__(self, places: Places, known: Mapping[Place, Parameter]) -> None:
        self.places, self.known = places, known
        self.which = [index for index, place in enumerate(places) if place in known]
        self.controls: Selection = selection(known[places[index]] for index in self.which)
        self.values: list[float] = []
        self.turn = -1


class Moves:
    """Values by address, of controls that were moved away from what the patch stores."""

    def __init__(self) -> None:
        self.live: dict[str, float] = {}
        self._by: dict[str, str] = {}
        """By address: who asked for it."""
        self._by_many: dict[int, tuple[Places, str]] = {}
        self._authors: set[str] = set()
        self._places: dict[Place, Parameter] = {}
        self._chosen: dict[int, Chosen] = {}
        self._batch: dict[str, float] = {}
        self._turn = 0

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

    def move(self, node: str, inlet: str, value: float) -> None:
        """A control was moved, by a client or from within the patch."""
        found = self._places.get((node, inlet))
        if found is not None and self.live.get(found.address) != value:
            self.live[found.address] = self._batch[found.address] = value
            self._authors.add(self._by.pop(found.address, ""))
            self._turn += 1

    def move_many(self, places: Places, values: Sequence[float]) -> None:
        """As `move`, for many at once."""
        chosen = self._chosen.get(id(places))
        if chosen is None or chosen.places is not places or chosen.known is not self._places:
            while len(self._chosen) >= KEPT:
                del self._chosen[next(iter(self._chosen))]
            chosen = self._chosen[id(places)] = Chosen(places, self._places)
        if chosen.turn == self._turn and values == chosen.values:  # it has been noted, and now it acts
            return
        controls, which, live = chosen.controls, chosen.which, self.live
        held = controls.nearest(values if len(which) == len(places) else [values[index] for index in which])
        addresses = controls.addresses
        before = chosen.values if chosen.turn == self._turn else [live.get(address) for address in addresses]
        moved = {
            address: value
            for address, value, was in zip(addresses, held, before, strict=True)
            if value != was and value == value
        }
        if moved:
            live.update(moved)
            if self._batch:
                self._batch.update(moved)
            else:
                self._batch = moved
            asked = self._by_many.get(id(places))
            self._authors.add(asked[1] if asked is not None and asked[0] is places else "")
            self._turn += 1
        chosen.turn, chosen.values = self._turn, held

    def note(self, act: Act) -> None:
        """Something was asked for from outside, and was taken. Its number is known before it is heard."""
        if act.what == "set":
            self._note(act.args[:2], act.args[2])
        elif act.what == "sets":
            places, messages = act.args
            if set(map(type, messages)) == {float}:
                self.move_many(places, messages)
                return
            for place, message in zip(places, messages, strict=True):
                self._note(place, message)

    def _note(self, place: Place, message: Any) -> None:
        found = self._places.get(place)
        number = as_number(message)
        if found is not None and found.control is not None and number is not None and number == number:
            low, high = found.control.span
            self.move(*place, min(max(number, low), high))

    def taken(self) -> tuple[str, dict[str, float]]:
        """What has moved since the last call, and who did it, if it was one."""
        if not self._batch:
            return "", self._batch
        batch, self._batch = self._batch, {}
        authors, self._authors = self._authors, set()
        return (authors.pop() if len(authors) == 1 else ""), batch

    def stored(self, addresses: Iterable[str]) -> None:
        """The patch stores other values for these: what it stores is what sounds."""
        for address in addresses:
            self.live.pop(address, None)
        self._turn += 1
