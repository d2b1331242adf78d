"""The second half of a good message: "Did you mean …?", and what is legal, in words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

MOST_LISTED: Final = 12
MOST_SHOWN: Final = 60


def close(word: str, options: Iterable[str], most: int = 3) -> list[str]:
    """The options that look like a misspelt `word`, likeliest first."""
    import difflib

    folded: dict[str, str] = {}
    for option in sorted(options):
        folded.setdefault(option.casefold(), option)
    found = difflib.get_close_matches(word.casefold()[:MOST_SHOWN], folded, most, 0.6)
    return [folded[item] for item in found]


def did_you_mean(word: str, options: Iterable[str], otherwise: str = "") -> str:
    """``Did you mean 'cutoff'?``, or the other advice when nothing comes near."""
    found = close(word, options)
    return f"Did you mean {' or '.join(quoted(item) for item in found)}?" if found else otherwise


def listed(names: Iterable[str], none: str = "none") -> str:
    """``'x', 'cutoff'``; a long list is cut and says so."""
    every = list(names)
    text = ", ".join(quoted(name) for name in every[:MOST_LISTED])
    rest = len(every) - MOST_LISTED
    return (f"{text} and {rest} more" if rest > 0 else text) or none


def quoted(text: str) -> str:
    """The text in quotes, with control characters escaped and a long one cut."""
    shown = text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"
    return f"'{shown}'" if shown.isprintable() else ascii(shown)


def shown(value: Any) -> str:
    """A value as it would stand in a patch file, cut when it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"
