"""The words of an object box: where each stands, and what it says as a number, a text, a flag or a list."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Final

from nodegraph.core.ports import Control, Setting
from nodegraph.core.values import argument_in

FLAGS: Final = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
_NAMED: Final = re.compile(r"([^\W\d]\w*)=(?!=)")
_NUMBER: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([^\W\d]\S*|%)?")
_WHOLE: Final = re.compile(r"[+-]?\d{1,300}")
_PARTS: Final = {"ms": ("s", 1e3, False), "khz": ("Hz", 1e3, True)}
"""Units that people write for others: how many of one make the other, and whether it is the larger."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it was typed: ``800``, ``freq=220``, ``"two words"``, ``levels=[1 0.5]``.

    It stands at ``[start, end)`` of the box's text. `name` is what stands before its ``=``, `text` what is said,
    without quotes; `form` is ``plain``, ``quoted`` or ``list``. `open` is the sign that it lacks: a quote or a bracket.
    """

    start: int
    end: int
    text: str
    form: str = "plain"
    name: str | None = None
    open: str = ""

    def flat(self, text: str) -> Word:
        """The same word, its name being no argument's: what stands before the ``=`` is a part of what it says."""
        return self if self.name is None else Word(self.start, self.end, text[self.start : self.end])


def split(text: str) -> list[Word]:
    """The words of a box. Quotes and brackets hold together what has spaces in it."""
    words: list[Word] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return words
        words.append(_word(text, at, named=bool(words)))
        at = words[-1].end


def _word(text: str, start: int, *, named: bool) -> Word:
    found = _NAMED.match(text, start) if named else None
    name = found[1] if found else None
    at = found.end() if found else start
    if text.startswith('"', at):
        end = _after_quote(text, at)
        if end is None:
            return Word(start, len(text), _unescaped(text[at + 1 :]), "quoted", name, '"')
        if end == len(text) or text[end].isspace():
            return Word(start, end, _unescaped(text[at + 1 : end - 1]), "quoted", name)
    elif text.startswith("[", at):
        end = _after_bracket(text, at)
        if end is None:
            return Word(start, len(text), text[at:], "list", name, "]")
        if end == len(text) or text[end].isspace():
            return Word(start, end, text[at:end], "list", name)
    end = at
    while end < len(text) and not text[end].isspace():
        end += 1
    return Word(start, end, text[at:end], "plain", name)


def _after_quote(text: str, at: int) -> int | None:
    at += 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == '"':
            return at + 1
        at += 1
    return None


def _after_bracket(text: str, at: int) -> int | None:
    deep = 0
    while at < len(text):
        if text[at] == '"':
            end = _after_quote(text, at)
            if end is None:
                return None
            at = end
            continue
        deep += {"[": 1, "]": -1}.get(text[at], 0)
        at += 1
        if deep == 0:
            return at
    return None


def _unescaped(text: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", text)


def escaped(text: str) -> str:
    """The text in quotes, as `split` reads it."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def number(word: Word, unit: str = "") -> int | float | None:
    """The number that a word says, in this unit: ``800``, ``0.4``, ``800Hz``; ``250ms`` where seconds are meant."""
    found = _NUMBER.fullmatch(word.text) if word.form == "plain" else None
    if found is None:
        return None
    digits, said = found[1], found[2] or ""
    value: int | float = int(digits) if _WHOLE.fullmatch(digits) else float(digits)
    if not math.isfinite(value):
        return None
    if not said or said.casefold() == unit.casefold():
        return value
    of, many, is_larger = _PARTS.get(said.casefold(), ("", 1.0, False))
    if not of or of != unit:
        return None
    return value * many if is_larger else value / many


def list_of(word: Word) -> list[Any] | None:
    """The values of a list: ``[1, 0.5]`` as in a patch file, or ``[1 0.5 c4]``."""
    if word.open:
        return None
    try:
        found = json.loads(word.text, parse_constant=_refused)
        if isinstance(found, list):
            return found
    except (ValueError, RecursionError):
        pass
    items = split(word.text[1:-1].replace(",", " "))
    return None if any(item.form == "list" or item.open for item in items) else [item_of(item) for item in items]


def _refused(constant: str) -> Any:
    raise ValueError(constant)


def item_of(word: Word) -> Any:
    """What a word says by itself: a number, true or false, or a text."""
    if word.form == "list":
        return list_of(word)
    if word.form == "plain" and word.text in ("true", "false"):
        return word.text == "true"
    value = number(word)
    return word.text if value is None else value


def value_of(parameter: Control | Setting, word: Word) -> Any:
    """What a word says to a parameter. Where it is not of the parameter's type it stays the text, which is no legal
    value then: `core.values.misfit` says so."""
    if isinstance(parameter, Setting) and word.form == "plain" and argument_in(word.text):
        return word.text
    value: Any = None
    if isinstance(parameter, Control) or parameter.type == "number":
        value = number(word, parameter.unit)
        if value is None and is_switch(parameter) and word.form == "plain":
            value = FLAGS.get(word.text.casefold())
    elif parameter.type == "flag" and word.form == "plain":
        value = FLAGS.get(word.text.casefold())
    elif parameter.type == "choice":
        value = next((item for item in parameter.choices if item.casefold() == word.text.casefold()), None)
    elif parameter.type == "any":
        value = item_of(word)
    elif parameter.type == "list" and word.form == "list":
        value = list_of(word)
    return word.text if value is None else value


def is_switch(parameter: Control | Setting) -> bool:
    """Whether it is a control that is on or off."""
    return isinstance(parameter, Control) and parameter.curve == "switch"


def takes(parameter: Control | Setting, word: Word) -> bool:
    """Whether a word without a name may be meant for a parameter: numbers for those that take numbers, and so on."""
    if isinstance(parameter, Control):
        return number(word, parameter.unit) is not None or (is_switch(parameter) and word.text.casefold() in FLAGS)
    if word.form == "plain" and argument_in(word.text):
        return True
    match parameter.type:
        case "number":
            return number(word, parameter.unit) is not None
        case "flag":
            return word.form == "plain" and word.text.casefold() in FLAGS
        case "choice":
            return word.form != "list" and (number(word) is None or word.text in parameter.choices)
        case "list":
            return word.form == "list"
        case "any":
            return word.form != "list"
        case _:
            return word.form == "quoted" or (word.form == "plain" and number(word) is None)
