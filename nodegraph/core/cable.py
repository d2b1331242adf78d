"""Cables, the ids of nodes, and their one canonical order."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import quoted

MOST_ID: Final = 64
ID: Final = re.compile(r"\w(?:[\w-]*\w)?")
PORT: Final = re.compile(r"[^\W\d]\w*")
_CABLE: Final = re.compile(rf"\s*({ID.pattern})\.({PORT.pattern})\s*->\s*({ID.pattern})\.({PORT.pattern})\s*")
_DIGITS: Final = re.compile(r"([0-9]+)")
Key = tuple[Any, ...]


@lru_cache(maxsize=65536)
def natural(text: str) -> Key:
    """The sort key under which ``osc2`` comes before ``osc10``. No two texts share a key."""
    parts: list[Any] = _DIGITS.split(text)
    if len(parts) == 1:
        return (text,), text
    for index in range(1, len(parts), 2):  # a number's key is (length, digits): no int() of a thousand digits
        digits = parts[index].lstrip("0")
        parts[index] = (len(digits), digits)
    return tuple(parts), text


class Cable(NamedTuple):
    """From an outlet to an inlet. Cables sort in natural order: ``osc2.y`` before ``osc10.y``."""

    from_node: str
    from_port: str
    to_node: str
    to_port: str

    @property
    def key(self) -> Key:
        """The sort key of the canonical order; faster than comparing cables."""
        return natural(self[0]), self[1], natural(self[2]), self[3]

    @property
    def outlet(self) -> str:
        """``osc.y``"""
        return f"{self[0]}.{self[1]}"

    @property
    def inlet(self) -> str:
        """``cut.x``"""
        return f"{self[2]}.{self[3]}"

    def __str__(self) -> str:
        return f"{self[0]}.{self[1]} -> {self[2]}.{self[3]}"

    def __lt__(self, other: tuple[Any, ...]) -> bool:
        return self.key < Cable(*other).key

    def __le__(self, other: tuple[Any, ...]) -> bool:
        return self.key <= Cable(*other).key

    def __gt__(self, other: tuple[Any, ...]) -> bool:
        return self.key > Cable(*other).key

    def __ge__(self, other: tuple[Any, ...]) -> bool:
        return self.key >= Cable(*other).key

    @classmethod
    def parse(cls, text: str) -> Cable:
        """``"osc.y -> cut.x"`` as a cable. Raises PatchError that says which part is wrong."""
        found = _CABLE.fullmatch(text)
        if found is None or max(len(part) for part in found.groups()) > MOST_ID:
            raise PatchError(Problem("bad-cable", *_why_not_a_cable(text)))
        return cls(*found.groups())


def _why_not_a_cable(text: str) -> tuple[str, str]:
    do = 'Write it as "osc.y -> cut.x": node, dot, outlet, arrow, node, dot, inlet.'
    ends = text.split("->")
    if len(ends) != 2:
        arrows = "has no arrow" if len(ends) == 1 else f"has {len(ends) - 1} arrows"
        return f"The cable {quoted(text)} {arrows}.", do
    for end, port in zip(ends, ("outlet", "inlet"), strict=True):
        end = end.strip()
        side = "before" if port == "outlet" else "after"
        if not end:
            return f"The cable {quoted(text)} names nothing {side} the arrow.", do
        parts = end.split(".")
        if len(parts) != 2:
            missing = f"names no {port}" if len(parts) == 1 else "has more than one dot"
            return f"In the cable {quoted(text)}, {quoted(end)} {missing}.", do
        wrong = why_not_an_id(parts[0])
        if wrong:
            return f"In the cable {quoted(text)}, {quoted(parts[0])} is no node id: {wrong}.", do
        if not PORT.fullmatch(parts[1]) or len(parts[1]) > MOST_ID:
            return f"In the cable {quoted(text)}, {quoted(parts[1])} is no name of an {port}.", do
    return f"The cable {quoted(text)} cannot be read.", do


def why_not_an_id(text: str) -> str:
    """Why this cannot be a node's id, in words; empty when it can."""
    if not text:
        return "it is empty"
    if len(text) > MOST_ID:
        return f"it has {len(text)} characters and may have {MOST_ID}"
    if not ID.fullmatch(text):
        return "an id is made of letters, digits, '_' and inner '-'"
    return ""
