"""An expression that was read, and what it computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nodegraph.core.expressions.tree import Apply, Name, Number, Past, Tree
from nodegraph.core.expressions.words import MOST_POWER, WORDS, divided, whole_power

RESULT = "y"


@dataclass(frozen=True)
class Expression:
    """Statements in order, the last of which gives ``y``. Those with the same meaning are equal, however spaced.

    `inputs` are the inlets ``x1`` … that are used, `parameters` the free names in the order of their first use,
    `histories` the names whose past is used, each with how many samples of it.
    """

    statements: tuple[tuple[str, Tree], ...]
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    histories: tuple[tuple[str, int], ...]
    uses_rate: bool
    text: str = field(compare=False)

    @cached_property
    def memories(self) -> tuple[str, ...]:
        """The samples that are kept, the newest of each name first."""
        return tuple(kept(name, back) for name, most in self.histories for back in range(1, most + 1))

    @cached_property
    def takes(self) -> tuple[str, ...]:
        """All that `step` has to be given."""
        return (*self.inputs, *self.parameters, *(("rate",) if self.uses_rate else ()), *self.memories)

    def step(self, values: Mapping[str, float]) -> tuple[float, ...]:
        """One sample: ``y``, then what every memory holds afterwards. Never raises."""
        known = dict(values)
        for name, tree in self.statements:
            known[name] = float(_value(tree, known))
        after = [known[RESULT]]
        for name, most in self.histories:
            after += [known[name], *(known[kept(name, back)] for back in range(1, most))]
        return tuple(after)


def kept(name: str, back: int) -> str:
    """The memory of a name `back` samples ago. No name of an expression begins with ``_``."""
    return f"_{name}_{back}"


def _value(tree: Tree, known: Mapping[str, float]) -> float:
    if isinstance(tree, Apply):
        args = []
        for item in tree.args:
            args.append(_value(item, known))
        return applied(tree.word, args)
    if isinstance(tree, Number):
        return tree.number
    return known[kept(tree.name, tree.back) if isinstance(tree, Past) else tree.name]


def applied(word: str, args: list[float]) -> float:
    """An operator or function applied to numbers."""
    if word == "^" and (whole := whole_exponent(args[1])) is not None:
        found: float = 1.0 if whole == 0 else whole_power(args[0], abs(whole))
        return found if whole >= 0 else divided(1.0, found)
    result: float = WORDS[word].meaning(*args)
    return result


def whole_exponent(number: float) -> int | None:
    """The exponent as a whole number, if it is one for which multiplying is the way."""
    return int(number) if abs(number) <= MOST_POWER and number == int(number) else None


__all__ = ["RESULT", "Apply", "Expression", "Name", "Number", "Past", "applied", "kept", "whole_exponent"]
