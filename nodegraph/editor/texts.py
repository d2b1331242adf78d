"""Texts that are to fit: the font has one width for all, so a text is measured in characters."""

from __future__ import annotations


def cut(text: str, most: int, *, left: bool = False) -> str:
    """A text of at most so many characters; of one that is longer the end is left out (with `left` its beginning), and
    "…" stands there. Nothing, where nothing could be read.
    """
    if len(text) <= most:
        return text
    if most < 2:
        return ""
    return "…" + text[1 - most :] if left else text[: most - 1] + "…"


def wrapped(text: str, across: int | None) -> list[str]:
    """The lines of a text, none of them longer than so many characters; a word that is longer is cut."""
    found: list[str] = []
    for line in text.expandtabs(4).split("\n"):
        if across is None or len(line) <= across:
            found.append(line)
            continue
        most, row = max(1, across), ""
        for word in line.split(" "):
            while len(row) + bool(row) + len(word) > most:
                if row:
                    found.append(row)
                    row = ""
                elif len(word) > most:
                    found.append(word[:most])
                    word = word[most:]
            row = f"{row} {word}" if row else word
        found.append(row)
    return found
