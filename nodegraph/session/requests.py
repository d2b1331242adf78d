"""Requests as plain data, and what each of them wants: ``{"id": 7, "do": "set", "values": {"cut.cutoff": 900}}``.

A request is declared where it is carried out (`request`). What a client sends is held against the declaration before
anything is done, so whoever carries it out gets what it asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import did_you_mean, listed, quoted, shown

if TYPE_CHECKING:
    from nodegraph.session.protocol import Client

Answer = Mapping[str, Any]
Call = Callable[["Client", Mapping[str, Any]], Answer]
FLAT: Final = frozenset({bytes, str, int, float, bool, type(None)})
DEEPEST: Final = 32
"""Lists within lists, and so on, that a request may have."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a request takes: what fits, in a test and in words."""

    fits: Callable[[Any], bool]
    legal: str
    needed: bool = False


def is_number(value: Any) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf


def _is_texts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


TEXT: Final = Field(lambda value: isinstance(value, str), "a text")
TEXTS: Final = Field(_is_texts, "a list of texts")
NUMBER: Final = Field(is_number, "a number")
FLAG: Final = Field(lambda value: isinstance(value, bool), "true or false")
COUNT: Final = Field(lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0, "a count")
BYTES: Final = Field(lambda value: isinstance(value, bytes), "bytes, which only msgpack has")
OBJECT: Final = Field(
    lambda value: isinstance(value, Mapping) and all(isinstance(key, str) for key in value), "an object"
)
LIST: Final = Field(lambda value: isinstance(value, (list, tuple, Mapping)), "an object or a list of them")
ANY: Final = Field(lambda value: True, "anything")


def needed(field: Field) -> Field:
    """The same, and a request without it is refused."""
    return Field(field.fits, field.legal, True)


@dataclass(frozen=True, slots=True)
class Request:
    """One kind of request. `slow`: it may take long, so it must not be carried out where others wait."""

    name: str
    fields: Mapping[str, Field]
    call: Call
    slow: bool


REQUESTS: Final[dict[str, Request]] = {}


def request(name: str, /, *, slow: bool = False, **fields: Field) -> Callable[[Call], Call]:
    """Declare a request: the function gets the client and what it sent, and gives what is answered."""

    def declare(call: Call) -> Call:
        REQUESTS[name] = Request(name, fields, call, slow)
        return call

    return declare


def read(data: Any) -> tuple[Request, Mapping[str, Any]]:
    """Which request it is, and what it brings. Raises PatchError that names what is legal."""
    if not isinstance(data, Mapping) or not isinstance(data.get("do"), str):
        raise _bad(f"This does not say what to do: {shown(data)}.", 'Send {"id": 1, "do": "hello"}.')
    found = REQUESTS.get(data["do"])
    if found is None:
        what = f"There is no request {quoted(data['do'])}."
        do = did_you_mean(data["do"], REQUESTS, f"There are {', '.join(sorted(REQUESTS))}.")
        raise PatchError(Problem("unknown-request", what, do))
    brought = dict(data)
    brought.pop("id", None)
    del brought["do"]
    fields = found.fields
    problems = []
    for name, value in brought.items():
        field = fields.get(name) if isinstance(name, str) else None
        if field is None:
            takes = f"It takes {listed(found.fields, 'nothing')}."
            what = f"'{found.name}' has no {quoted(str(name))}."
            problems.append(Problem("bad-request", what, did_you_mean(str(name), found.fields, takes)))
        elif not field.fits(value) or (type(value) not in FLAT and _depth(value) > DEEPEST):
            what = f"'{found.name}': {name} is {shown(value)}."
            problems.append(Problem("bad-request", what, f"It should be {field.legal}."))
    for name, field in fields.items():
        if field.needed and name not in brought:
            what = f"'{found.name}' lacks {quoted(name)}."
            problems.append(Problem("bad-request", what, f"Send {field.legal}."))
    if problems:
        raise PatchError(problems)
    return found, brought


def is_slow(data: Any) -> bool:
    """Whether a request may take long."""
    found = REQUESTS.get(data["do"]) if isinstance(data, Mapping) and isinstance(data.get("do"), str) else None
    return found is not None and found.slow


def _depth(value: Any, most: int = DEEPEST) -> int:
    """How deep it nests, as far as `most` + 1."""
    if most < 0 or not isinstance(value, (Mapping, list, tuple)):
        return 0
    items = value.values() if isinstance(value, Mapping) else value
    return 1 + max((_depth(item, most - 1) for item in items), default=0)


def _bad(what: str, do: str) -> PatchError:
    return PatchError(Problem("bad-request", what, do))
