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
        """The prompts in a text (one a line, or between ``|``) or in a list of texts; a number is its own text."""
        if isinstance(message, str):
            items: list[Any] = re.split(r"[\n|]", message)
        else:
            items = list(message) if isinstance(message, (list, tuple)) else [message]
        found = dict.fromkeys(text for item in items if (text := " ".join(_text(item).split())))
        long = [text for text in found if len(text) > LONGEST]
        texts = tuple(dict.fromkeys(text[:LONGEST].rstrip() for text in found))
        notes = []
        if long:
            shown = f"{len(long)} prompts are" if len(long) > 1 else f"a prompt of {len(long[0])} letters is"
            notes.append(f"{shown} cut to {LONGEST} letters (it begins with '{long[0][:30]}')")
        if len(texts) > MOST:
            notes.append(f"of {len(texts)} prompts the first {MOST} are asked")
        return cls(texts[:MOST], "; ".join(notes) + "." if notes else "")


def _text(item: Any) -> str:
    """One item as text; what is neither text nor number is nothing."""
    if isinstance(item, str):
        return item
    return f"{item:g}" if isinstance(item, (int, float)) else ""
