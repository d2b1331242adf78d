"""The tokens of an expression, and the complaint that marks a place in its text."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from nodegraph.core.errors import PatchError, Problem

KEYWORDS: Final = frozenset({"and", "or", "not", "if", "else"})
WIDTH: Final = 72
"""So many characters of the text are shown around the place that is meant."""
_TOKEN: Final = re.compile(
    r"""(?P<space> (?: [ \t\r\n\f\v] | \\ (?=[,;$]) )+ )
      | (?P<number> (?: [0-9]+ (?: \. [0-9]* )? | \. [0-9]+ ) (?: [eE] [+-]? [0-9]+ )? )
      | (?P<name> [A-Za-z] [A-Za-z0-9_]* )
      | (?P<dollar> \$ [A-Za-z]? [0-9]* )
      | (?P<sign> \*\* | && | \|\| | <= | >= | == | != | [-+*/%^<>!=?:;,()\[\]] )""",
    re.VERBOSE,
)
_ADVICE: Final = {
    "&": "Write && for 'and'; operations on bits are no part of expressions.",
    "|": "Write || for 'or'; operations on bits are no part of expressions.",
    "~": "Operations on bits are no part of expressions.",
    "_": "Names begin with a letter.",
    "{": "Brackets are round.",
    "}": "Brackets are round.",
    "#": "Expressions have no comments.",
    '"': "Expressions have no texts.",
    "'": "Expressions have no texts.",
}


class Token(NamedTuple):
    """`kind` is ``number``, ``name``, ``dollar`` or ``end``; of a sign or keyword it is the word itself."""

    kind: str
    text: str
    at: int

    def shown(self) -> str:
        """The token for people."""
        return "the end" if self.kind == "end" else f"'{self.text if len(self.text) < 40 else self.text[:39] + '…'}'"


def tokens(text: str) -> list[Token]:
    """The tokens of a text, and one for its end. Raises PatchError at a character that belongs to none."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            character = text[at]
            shown = f"'{character}'" if character.isprintable() else f"the character U+{ord(character):04X}"
            do = _ADVICE.get(character, "Take it out.")
            raise refusal(text, at, "expression-form", f"{shown} has no meaning in an expression", do)
        kind = match.lastgroup or ""
        word = match[0]
        if kind == "sign" or word in KEYWORDS:
            found.append(Token("^" if word == "**" else word, word, at))
        elif kind != "space":
            found.append(Token(kind, word, at))
        at = match.end()
    found.append(Token("end", "", len(text)))
    return found


def refusal(text: str, at: int, code: str, what: str, do: str) -> PatchError:
    """The error that says what is wrong at a place of the text, with a mark below it."""
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)]
    column = at - start
    first = max(0, min(column - WIDTH // 2, len(line) - WIDTH))
    shown = "".join(sign if " " <= sign <= "~" else " " if sign in "\t\r\f\v" else "?" for sign in line[first:][:WIDTH])
    before, after = "…" if first else "", "…" if first + WIDTH < len(line) else ""
    mark = " " * (column - first + len(before)) + "^"
    place = "at its end" if at >= len(text) else f"at character {at + 1}"
    return PatchError(Problem(code, f"{what}, {place}:\n    {before}{shown}{after}\n    {mark}", do, port="code"))
