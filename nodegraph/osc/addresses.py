"""Patterns of OSC addresses: which of many addresses one matches, in a time that grows with their length alone.

=============  ==================================================================
in a pattern   it stands for
=============  ==================================================================
``?``          one character
``*``          any number of characters, none too
``[a-f]``      one of these; ``[!a-f]``: one of all others
``{in,out}``   one of these texts
``//``         a ``/``, or any number of levels between two
=============  ==================================================================

But for ``//`` nothing of it stands for a ``/``. A pattern becomes a machine whose states are found as they are needed
and kept, so no pattern can make it think for long.

Source: OSC 1.0, "OSC Message Dispatching and Pattern Matching"; OSC 1.1 (`nodegraph.osc.packets`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from nodegraph.core.errors import Problem
from nodegraph.osc.packets import LONGEST_ADDRESS, OscError

SPECIAL: Final = frozenset("?*[]{}")
MOST_STATES: Final = 1_024
"""Of the machine that are kept; then it begins to find them anew."""
MOST_PATTERNS: Final = 256
Test = Callable[[str], bool]


def is_pattern(address: str) -> bool:
    """Whether it may stand for several addresses."""
    return not SPECIAL.isdisjoint(address) or "//" in address


class Pattern:
    """One pattern, ready to be asked. Raises OscError when it is none."""

    def __init__(self, text: str) -> None:
        if not text.startswith("/") or len(text) > LONGEST_ADDRESS:
            raise _bad(text, "It begins with '/' and has at most 512 characters.")
        self.text = text
        self._steps: list[list[tuple[Test | str, int]]] = [[]]
        self._free: list[list[int]] = [[]]
        cuts = [text.find(sign) for sign in (*SPECIAL, "//") if sign in text]
        self._head = text[: min(cuts)] if cuts else text
        self._last = self._compile(text)
        self._first = self._closure({0})
        self._known: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, address: str) -> bool:
        """Whether it stands for this address."""
        if not address.startswith(self._head) or len(address) > LONGEST_ADDRESS:
            return False
        state, known = self._first, self._known
        for letter in address:
            after = known.get((state, letter))
            if after is None:
                if len(known) >= MOST_STATES:
                    known.clear()
                after = known[state, letter] = self._after(state, letter)
            if not after:
                return False
            state = after
        return self._last in state

    def _after(self, state: frozenset[int], letter: str) -> frozenset[int]:
        found = set()
        for place in state:
            for test, target in self._steps[place]:
                if test == letter if isinstance(test, str) else test(letter):
                    found.add(target)
        return self._closure(found)

    def _closure(self, places: set[int]) -> frozenset[int]:
        todo = list(places)
        while todo:
            for target in self._free[todo.pop()]:
                if target not in places:
                    places.add(target)
                    todo.append(target)
        return frozenset(places)

    # -- a text into a machine

    def _place(self) -> int:
        self._steps.append([])
        self._free.append([])
        return len(self._steps) - 1

    def _step(self, place: int, test: Test | str) -> int:
        after = self._place()
        self._steps[place].append((test, after))
        return after

    def _compile(self, text: str) -> int:
        at, place = 0, 0
        while at < len(text):
            sign = text[at]
            if sign == "?":
                place = self._step(place, _no_slash)
            elif sign == "*":
                loop = self._place()
                self._free[place].append(loop)
                self._steps[loop].append((_no_slash, loop))
                place = loop
            elif sign == "[":
                end = text.find("]", at + 1)
                if end < 0:
                    raise _bad(text, "A '[' has no ']'.")
                place = self._step(place, _one_of(text[at + 1 : end]))
                at = end
            elif sign == "{":
                end = text.find("}", at + 1)
                if end < 0:
                    raise _bad(text, "A '{' has no '}'.")
                place = self._alternatives(place, text[at + 1 : end].split(","))
                at = end
            elif text.startswith("//", at):
                place = self._levels(place)
                at += 1
            elif sign in "]}":
                raise _bad(text, f"A '{sign}' ends what has not begun.")
            else:
                place = self._step(place, sign)
            at += 1
        return place

    def _alternatives(self, place: int, words: Iterable[str]) -> int:
        end = self._place()
        for word in words:
            here = place
            for letter in word:
                here = self._step(here, letter)
            self._free[here].append(end)
        return end

    def _levels(self, place: int) -> int:
        """A '/', then any number of levels, each with a '/' behind it."""
        after = self._step(place, "/")
        level = self._place()
        self._steps[after].append((_no_slash, level))
        self._steps[level] += [(_no_slash, level), ("/", after)]
        return after


def _no_slash(letter: str) -> bool:
    return letter != "/"


def _one_of(text: str) -> Test:
    """The test for what stands in brackets."""
    no = text.startswith("!")
    if no:
        text = text[1:]
    singles, spans, at = set(), [], 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            spans.append((text[at], text[at + 2]))
            at += 3
        else:
            singles.add(text[at])
            at += 1

    def test(letter: str) -> bool:
        there = letter in singles or any(low <= letter <= high for low, high in spans)
        return there is not no and letter != "/"

    return test


class Addresses:
    """Many addresses that patterns are matched against. What a pattern matches is kept until they change."""

    def __init__(self, addresses: Iterable[str] = ()) -> None:
        self.every: dict[str, Any] = dict.fromkeys(addresses)
        self._found: dict[str, tuple[str, ...]] = {}

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Those that it matches, in their order; one that is no pattern matches itself. Raises OscError."""
        if not is_pattern(pattern):
            return (pattern,) if pattern in self.every else ()
        found = self._found.get(pattern)
        if found is None:
            matches = Pattern(pattern).matches
            found = tuple(address for address in self.every if matches(address))
            if len(self._found) >= MOST_PATTERNS:
                self._found.clear()
            self._found[pattern] = found
        return found


def _bad(text: str, do: str) -> OscError:
    return OscError(Problem("bad-pattern", f"{text[:60]!r} is no pattern of addresses.", do))
