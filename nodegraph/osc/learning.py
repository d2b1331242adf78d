"""Addresses of other programs that were learned: ``/1/fader3`` moves ``/patch/cut/cutoff``.

They are kept in the patch's file, in readable form::

    "learned": {"osc": [{"address": "/1/fader3", "to": "/patch/cut/cutoff", "from": [0, 1], "span": [20, 20000]}]}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.values import finite
from nodegraph.session.parameters import Number

KEY, PART = "learned", "osc"
MOST: Final = 4_096


@dataclass(frozen=True, slots=True)
class Binding:
    """`address` moves the parameter `to`: from `low` to `high` of what comes, from `first` to `last` of what it gets.

    `arg` is which of the message's arguments it is. `log`: equal ways of the fader are equal ratios.
    """

    address: str
    to: str
    low: float = 0.0
    high: float = 1.0
    first: float | None = None
    last: float | None = None
    log: bool = False
    arg: int = 0

    def value(self, number: float) -> float:
        """What the parameter gets for a number that came in. Without a span it gets the number itself."""
        if self.first is None or self.last is None:
            return number
        place = min(max((number - self.low) / (self.high - self.low), 0.0), 1.0)
        if self.log:
            return float(self.first * (self.last / self.first) ** place)
        return self.first + (self.last - self.first) * place

    def as_data(self) -> dict[str, Any]:
        """As it stands in a file."""
        found: dict[str, Any] = {"address": self.address, "to": self.to}
        if self.first is not None:
            found |= {"from": [self.low, self.high], "span": [self.first, self.last]}
        if self.log:
            found["curve"] = "log"
        if self.arg:
            found["arg"] = self.arg
        return found

    @classmethod
    def from_data(cls, data: Any) -> Binding:
        """The inverse. Raises PatchError."""
        if not isinstance(data, Mapping):
            raise _bad(data)
        address, to, arg = data.get("address"), data.get("to"), data.get("arg", 0)
        if not isinstance(address, str) or not isinstance(to, str) or not address.startswith("/"):
            raise _bad(data)
        if not isinstance(arg, int) or not 0 <= arg < 1_024:
            raise _bad(data)
        if "span" not in data:
            return cls(address, to, arg=arg)
        (low, high), (first, last) = _pair(data, "from"), _pair(data, "span")
        log = data.get("curve") == "log"
        if low == high or (log and not first * last > 0.0):
            raise _bad(data)
        return cls(address, to, low, high, first, last, log, arg)


def _pair(data: Mapping[str, Any], key: str) -> tuple[float, float]:
    pair = data.get(key)
    if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not all(finite(item) for item in pair):
        raise _bad(data)
    return float(pair[0]), float(pair[1])


def _bad(data: Any) -> PatchError:
    what = f"{quoted(str(data))} is no learned address."
    return PatchError(Problem("bad-learned", what, "It has an address, what it goes to, from and span as two numbers."))


def binding_for(address: str, to: str, control: Number | None, came: tuple[float, float], arg: int = 0) -> Binding:
    """A binding over the whole span of a control, as its curve goes; what takes messages gets what comes."""
    if control is None:
        return Binding(address, to, arg=arg)
    first, last = control.span
    return Binding(address, to, *came, first, last, control.curve == "log" and first > 0.0, arg)


class Learned:
    """What was learned, by address."""

    def __init__(self, bindings: Iterable[Binding] = ()) -> None:
        self._by_address: dict[str, tuple[Binding, ...]] = {}
        for binding in bindings:
            self.add(binding)

    def of(self, address: str) -> tuple[Binding, ...]:
        """The bindings of an address that comes in."""
        return self._by_address.get(address, ())

    def __iter__(self) -> Iterator[Binding]:
        return (binding for found in self._by_address.values() for binding in found)

    def __len__(self) -> int:
        return sum(len(found) for found in self._by_address.values())

    def add(self, binding: Binding) -> None:
        """One more; it takes the place of one between the same two. Raises PatchError when there are too many."""
        if len(self) >= MOST:
            raise PatchError(Problem("too-many-learned", f"More than {MOST} addresses are learned.", "Forget some."))
        kept = (item for item in self.of(binding.address) if (item.to, item.arg) != (binding.to, binding.arg))
        self._by_address[binding.address] = (*kept, binding)

    def forget(self, address: str | None = None, to: str | None = None) -> int:
        """Forget what an address does, or what moves a parameter, or one of both; all without any. How many it were."""
        before = len(self)
        kept = [item for item in self if address not in (None, item.address) or to not in (None, item.to)]
        self._by_address = {}
        for item in kept:
            self.add(item)
        return before - len(self)

    def as_data(self) -> list[dict[str, Any]]:
        """As it stands in a file."""
        return [binding.as_data() for binding in self]

    # -- in a patch

    @classmethod
    def of_document(cls, document: Document) -> tuple[Learned, list[Problem]]:
        """What a patch's file holds, and what was wrong with it; the rest of it counts."""
        part = document.extra.get(KEY)
        data = part.get(PART) if isinstance(part, dict) else None
        found = cls()
        problems: list[Problem] = []
        for item in data if isinstance(data, list) else ():
            try:
                found.add(Binding.from_data(item))
            except PatchError as error:
                problems += error.problems
        return found, problems

    def keep_in(self, document: Document) -> None:
        """Have it stand in the patch's file when that is saved next. What others keep there stays."""
        part = document.extra.get(KEY)
        part = {key: value for key, value in part.items() if key != PART} if isinstance(part, dict) else {}
        if len(self):
            part[PART] = self.as_data()
        if part:
            document.extra[KEY] = part
        else:
            document.extra.pop(KEY, None)
