"""Something that the editor asks in a field, with a list of answers below it: find, the palette, a cable, a value.

What is asked is the same with a window and without one: `Question` says what its list is and what an answer does;
`gui.picker` shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nodegraph.editor.finding import fit

ROWS: Final = 9
LAST: Final = (100, 0)


@dataclass(frozen=True, slots=True)
class Row:
    """One answer that is offered: its text, what stands at its right, and what it means."""

    text: str
    more: str = ""
    value: Any = None


class Question:
    """One question. `before` is typed already; `value` stands in the field, and goes when something is typed."""

    title = ""
    hint = ""
    most = ROWS
    """So many rows are seen at once; 0: none, and the arrows step all the same."""

    def __init__(self, before: str = "", value: str = "") -> None:
        self.before, self.value = before, value
        self.rows: Sequence[Row] = ()
        self.at = 0
        """Which of the rows is chosen."""
        self.wrong = ""
        """What is wrong with the answer that was given."""
        self._asked: Any = None

    # -- what a question of its own says

    def offers(self, text: str) -> Sequence[Row]:
        """What is offered for a text, likeliest first."""
        return ()

    def answer(self, text: str, row: Row | None) -> bool | str:
        """Enter: do it. Whether the question is answered, and goes; a text: it goes on with that in its field."""
        return True

    def completed(self, text: str, row: Row | None) -> str | None:
        """Tab: what the text becomes; None: it stays."""
        return None if row is None else row.text

    def note(self) -> str:
        """A line below the field."""
        return self.wrong

    def into(self) -> bool:
        """Go inside what the chosen row stands for, and ask on there. Whether there is an inside."""
        return False

    def chosen(self) -> None:
        """Another row is chosen, or there are other rows."""

    def closed(self) -> None:
        """It is gone, answered or not."""

    def state(self) -> Any:
        """What the list depends on besides the text: when it is another, the list is made anew."""
        return None

    # -- what whoever shows it does

    def typed(self, text: str) -> bool:
        """The text is this now. Whether the list is another."""
        asked = (text, self.state())
        if asked == self._asked:
            return False
        fresh = self._asked is None or self._asked[0] != text
        self._asked = asked
        self.wrong = ""
        self.rows = self.offers(text)
        self.at = 0 if fresh else min(self.at, max(0, len(self.rows) - 1))
        self.chosen()
        return True

    def step(self, by: int) -> None:
        """Choose the next row, or one before."""
        if self.rows:
            self.at = (self.at + by) % len(self.rows)
            self.chosen()

    @property
    def row(self) -> Row | None:
        """The row that is chosen."""
        return self.rows[self.at] if self.at < len(self.rows) else None

    def seen(self) -> range:
        """Which of the rows are seen: those around the chosen one."""
        first = max(0, min(self.at - self.most // 2, len(self.rows) - self.most))
        return range(first, min(len(self.rows), first + self.most))


def ranked(text: str, rows: Iterable[tuple[Row, Sequence[str]]], recent: Sequence[Any] = ()) -> list[Row]:
    """The rows in whose words a text is found, those first where it fits best; of equals those used lately first. Rows
    without words were found elsewhere, and are the last.
    """
    words = text.split()
    late = {value: index for index, value in enumerate(recent)}
    found: list[tuple[tuple[Any, ...], Row]] = []
    for number, (row, names) in enumerate(rows):
        best = min((hit for name in names if (hit := fit(name, words)) is not None), default=None if names else LAST)
        if best is not None:
            tier, rank = best if words else (0, 0)
            found.append(((tier, late.get(row.value, len(late)), rank, number), row))
    return [row for _, row in sorted(found, key=lambda item: item[0])]
