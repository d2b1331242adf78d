"""Strict JSON that knows on which line everything stands.

Refused, each with its line: syntax errors, keys that stand twice in one object, NaN and Infinity, numbers that no
float can hold, texts larger than 64 MiB and nesting deeper than 100.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Any, Final

from nodegraph.core.errors import PatchFileError, Problem
from nodegraph.core.hints import quoted

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_DEPTH: Final = 100
PLACES_DEPTH: Final = 3  # "nodes", an id, a parameter

_STRING: Final = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKEN: Final = re.compile(rf"{_STRING}|[\[\]{{}},]", re.DOTALL)
_NUMBER: Final = re.compile(rf"{_STRING}|-?Infinity|NaN|-?[0-9][0-9.eE+-]*", re.DOTALL)
_SPACE: Final = re.compile(r"\s*")
Path = tuple[str | int, ...]


class Places:
    """Where the keys and items of a JSON text stand, down to the third level."""

    def __init__(self, text: str = "") -> None:
        self.offsets: dict[Path, int] = {}
        self._lines = [found.end() for found in re.finditer("\n", text)]

    def line(self, *path: str | int) -> int | None:
        """The line of this key or item; of the nearest one around it when it has no place of its own."""
        while path and path not in self.offsets:
            path = path[:-1]
        return self.line_at(self.offsets[path]) if path else None

    def line_at(self, offset: int) -> int:
        return bisect_right(self._lines, offset) + 1


def parse(text: str, file: str | None = None) -> tuple[Any, Places, list[Problem]]:
    """The data, the places, and what can be told without giving up: the duplicate keys.

    Raises PatchFileError when the text is no JSON, or holds what is refused.
    """
    if len(text) > MOST_BYTES:
        raise PatchFileError(too_large(len(text), file))
    try:
        data = json.loads(text, parse_constant=_constant, parse_float=_float, parse_int=_int)
    except json.JSONDecodeError as error:
        raise PatchFileError(_syntax(error, file)) from None
    except RecursionError:
        raise PatchFileError(_too_deep(file, None)) from None
    except _Unfit:
        raise PatchFileError(_unfit_number(text, file)) from None
    places, problems = scan(text, file)
    return data, places, problems


def too_large(size: int, file: str | None) -> Problem:
    most = MOST_BYTES // 1024 // 1024
    what = f"The text is {size / 1024 / 1024:.1f} MiB long; a patch may have {most} MiB."
    return Problem("too-large", what, "Keep sound and data in files of their own.", file)


def scan(text: str, file: str | None = None) -> tuple[Places, list[Problem]]:
    """The places in a text that is known to be JSON, and the keys that stand twice."""
    places = Places(text)
    offsets = places.offsets
    problems: list[Problem] = []
    path: list[str | int] = []  # of the containers that are open: the key or index in each
    keys: list[dict[str, int] | None] = []  # the keys of each open object so far; None for an array
    expects_key = False
    for found in _TOKEN.finditer(text):
        token = found.group()
        first = token[0]
        if first == '"':
            if not expects_key:
                continue
            expects_key = False
            key = json.loads(token) if "\\" in token else token[1:-1]
            path[-1] = key
            seen = keys[-1]
            assert seen is not None  # only objects expect keys
            if key in seen:
                line, before = places.line_at(found.start()), places.line_at(seen[key])
                what = f"The key {quoted(key)} stands twice in one object, on line {before} and here."
                problems.append(Problem("duplicate-key", what, "Take one of them out.", file, line))
            seen[key] = found.start()
            if len(path) <= PLACES_DEPTH:
                offsets[tuple(path)] = found.start()
        elif first == ",":
            if keys[-1] is not None:
                expects_key = True
            else:
                path[-1] += 1  # type: ignore[operator]  # an array's is its index
                _item(text, found.end(), path, offsets)
        elif first == "{":
            path.append("")
            keys.append({})
            expects_key = True
        elif first == "[":
            path.append(0)
            keys.append(None)
            expects_key = False
            _item(text, found.end(), path, offsets)
        else:
            path.pop()
            keys.pop()
            expects_key = False
        if len(path) > MOST_DEPTH:
            raise PatchFileError(_too_deep(file, places.line_at(found.start())))
    return places, problems


def _item(text: str, after: int, path: list[str | int], offsets: dict[Path, int]) -> None:
    if len(path) <= PLACES_DEPTH:
        space = _SPACE.match(text, after)
        offsets[tuple(path)] = space.end() if space else after


class _Unfit(Exception):
    """A number that no patch may hold."""


def _constant(text: str) -> float:
    raise _Unfit


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _Unfit
    return value


def _int(text: str) -> int:
    if len(text) > 15:
        if len(text) > 310:
            raise _Unfit
        _float(text)
    return int(text)


def _unfit_number(text: str, file: str | None) -> Problem:
    for found in _NUMBER.finditer(text):
        token = found.group()
        if token[0] == '"':
            continue
        try:
            (_int if token.lstrip("-").isdecimal() else _float)(token if token[-1] not in "yN" else "inf")
        except (_Unfit, ValueError):
            line = text.count("\n", 0, found.start()) + 1
            what = f"{token if len(token) < 40 else token[:36] + '…'} is no number that a patch may hold."
            return Problem("not-finite", what, "Give a finite number, below 1.8e308.", file, line)
    return Problem("not-finite", "There is a number that a patch may not hold.", "Give finite numbers.", file)


def _too_deep(file: str | None, line: int | None) -> Problem:
    what = f"Lists and objects are nested more than {MOST_DEPTH} deep."
    return Problem("too-deep", what, "No patch needs that; it may not be a patch.", file, line)


def _syntax(error: json.JSONDecodeError, file: str | None) -> Problem:
    text, at = error.doc, error.pos
    if not text.strip():
        return Problem("not-json", "The file is empty.", 'The least patch is {"nodegraph": 1}.', file, 1)
    line_start = text.rfind("\n", 0, at) + 1
    rest = text[line_start : line_start + 7]
    before = text[:at].rstrip()[-1:]
    here = text[at : at + 1]
    what = f"This is not JSON: {error.msg[:1].lower()}{error.msg[1:]}, at column {error.colno}."
    do = "Correct it there, or just before."
    line = error.lineno
    if rest in ("<<<<<<<", "=======", ">>>>>>>"):
        what, do = "A merge left its conflict marks here.", "Choose one side and remove the marks."
    elif (before == "," and here and here in "}]") or "trailing comma" in error.msg:
        comma = at if here == "," else len(text[:at].rstrip()) - 1  # newer Pythons point at it, older ones behind it
        line, column = text.count("\n", 0, comma) + 1, comma - text.rfind("\n", 0, comma)
        what, do = f"This is not JSON: a comma stands before the closing bracket, at column {column}.", "Remove it."
    elif "',' delimiter" in error.msg and here in '"{[' and here:
        what = f"This is not JSON: a comma is missing before column {error.colno}."
        do = "Add one at the end of the item before."
    elif here in "/#" and here:
        what, do = f"This is not JSON: it has no comments, as at column {error.colno}.", "Move it into 'about'."
    elif at >= len(text.rstrip()):
        what, do = "This is not JSON: the text ends too early.", "The file may be cut off; get a whole copy."
    return Problem("not-json", what, do, file, line)
