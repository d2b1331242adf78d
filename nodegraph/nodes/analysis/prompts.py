"""Descriptions that somebody writes, as a list with bounds."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

MOST: Final = 64
LONGEST: Final = 300


class Prompts(NamedTuple):
    """`texts`: each once, in their order. `left_out`: what was too much, in words; empty when nothing was."""

    texts: tuple[str, ...]
    left_out: str = ""

    @classmethod
    def of(cls, message: Any) -> Prompts:
        """The prompts in a message: one a line, or between ``|``."""
        found = dict.fromkeys(
            text for item in re.split(r"[\n|]", words_of(message)) if (text := " ".join(item.split()))
        )
        long = [text for text in found if len(text) > LONGEST]
        texts = tuple(dict.fromkeys(text[:LONGEST].rstrip() for text in found))
        notes = []
        if long:
            shown = f"{len(long)} prompts are" if len(long) > 1 else f"a prompt of {len(long[0])} letters is"
            notes.append(f"{shown} cut to {LONGEST} letters (it begins with '{long[0][:30]}')")
        if len(texts) > MOST:
            notes.append(f"of {len(texts)} prompts the first {MOST} are asked")
        return cls(texts[:MOST], "; ".join(notes) + "." if notes else "")


def words_of(message: Any) -> str:
    """A message as text: a list is a sentence, as `message` makes one of words; a bang says nothing."""
    if isinstance(message, str):
        return message
    if isinstance(message, (tuple, list)):
        return " ".join(words for item in message if (words := words_of(item)))
    return f"{message:g}" if isinstance(message, (int, float)) else ""
