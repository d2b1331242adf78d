"""Reading a description: values out of JSON that somebody wrote, each within its bounds, or a sentence that says why
not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from nodegraph.core.errors import ModelError, Problem
from nodegraph.core.hints import close, listed, quoted, shown

MOST_TEXT: Final = 10_000
"""Letters of a licence, and of a source."""


def bad_description(what: str, do: str, key: str = "") -> ModelError:
    """The error for a description that does not say what it must; `key` is where."""
    where = f" at '{key}'" if key else ""
    return ModelError(Problem("bad-description", f"Its description is wrong{where}: {what}.", do))


@dataclass(frozen=True, slots=True)
class Description:
    """An object of a description. Every method gives what stands under a key, or raises ModelError
    (``bad-description``); keys that nobody asks for are left alone. `otherwise` is what counts where nothing stands."""

    values: dict[str, Any]
    at: str = ""

    @classmethod
    def of(cls, values: dict[str, Any]) -> Description:
        """The whole of it."""
        return cls(values)

    def whole(self, key: str, span: tuple[int, int], otherwise: int | None = None) -> int:
        """A whole number."""
        value = self._value(key, f"a whole number from {span[0]} to {span[1]}", otherwise)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
            raise self._wrong(key, value, f"a whole number from {span[0]} to {span[1]}")
        if not span[0] <= value <= span[1]:
            raise self._wrong(key, value, f"a whole number from {span[0]} to {span[1]}")
        return int(value)

    def number(self, key: str, span: tuple[float, float], otherwise: float | None = None) -> float:
        """A number."""
        words = f"a number from {span[0]:g} to {span[1]:g}"
        value = self._value(key, words, otherwise)
        known = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not known or not span[0] <= value <= span[1]:  # NaN is in no span
            raise self._wrong(key, value, words)
        return float(value)

    def choice(self, key: str, choices: tuple[str, ...], otherwise: str | None = None) -> str:
        """One of a few words."""
        words = f"one of {listed(choices)}" if len(choices) > 1 else quoted(choices[0])
        value = self._value(key, words, otherwise)
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(key, value, words)
        return value

    def text(self, key: str) -> str:
        """A text; empty where none stands."""
        value = self.values.get(key, "")
        if not isinstance(value, str) or len(value) > MOST_TEXT:
            raise self._wrong(key, value, f"a text of {MOST_TEXT} letters at most")
        return value

    def labels(self, key: str, most: int, longest: int) -> tuple[str, ...]:
        """Names, each another one."""
        words = f"a list of 1 to {most} different names"
        value = self._value(key, words, None)
        if not isinstance(value, list) or not 0 < len(value) <= most:
            raise self._wrong(key, value, words)
        seen: set[str] = set()
        for number, label in enumerate(value):
            if not isinstance(label, str) or not label.strip() or len(label) > longest or not label.isprintable():
                raise self._wrong(key, label, f"a name of 1 to {longest} letters, in place {number}")
            if label in seen:
                raise bad_description(f"{quoted(label)} stands there twice", "Give each its own name.", self._key(key))
            seen.add(label)
        return tuple(value)

    def pairs(self, key: str, most: int) -> tuple[tuple[str, str], ...]:
        """Pairs of names."""
        words = f'a list of up to {most} pairs ["input", "output"]'
        value = self._value(key, words, None)
        if not isinstance(value, list) or len(value) > most:
            raise self._wrong(key, value, words)
        for pair in value:
            if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(name, str) for name in pair):
                raise self._wrong(key, pair, words)
        return tuple((into, out) for into, out in value)

    def inner(self, key: str) -> Description:
        """An object within."""
        value = self._value(key, "an object {…}", None)
        if not isinstance(value, dict):
            raise self._wrong(key, value, "an object {…}")
        return Description(value, self._key(key))

    def _value(self, key: str, words: str, otherwise: Any) -> Any:
        value = self.values.get(key, otherwise)
        if value is None:
            near = close(key, (name for name in self.values if isinstance(name, str)), 1)
            do = (
                f"Did you mean it where you wrote {quoted(near[0])}?"
                if near and near[0] != key
                else f"Give it {words}."
            )
            raise bad_description("nothing stands there", do, self._key(key))
        return value

    def _wrong(self, key: str, value: Any, words: str) -> ModelError:
        return bad_description(f"{shown(value)} stands there", f"Give it {words}.", self._key(key))

    def _key(self, key: str) -> str:
        return f"{self.at}.{key}" if self.at else key
