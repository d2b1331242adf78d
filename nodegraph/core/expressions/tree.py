"""An expression as a tree. Nodes are never written in place, and like trees are equal."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is known."""

    number: float


@dataclass(frozen=True, slots=True)
class Name:
    """The value of an inlet, a parameter, an earlier statement, or ``rate``."""

    name: str


@dataclass(frozen=True, slots=True)
class Past:
    """The value that a name had some samples ago."""

    name: str
    back: int


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator or function (a key of `words.WORDS`) and what it is applied to."""

    word: str
    args: tuple[Tree, ...]
    height: int = field(compare=False)
    """How many operations stand one upon another here."""


Tree = Number | Name | Past | Apply


def height(tree: Tree) -> int:
    """0 for what is no operation."""
    return tree.height if isinstance(tree, Apply) else 0


def names(tree: Tree, found: list[str]) -> None:
    """Append the names whose present value a tree uses, from left to right."""
    if isinstance(tree, Apply):
        for item in tree.args:
            names(item, found)
    elif isinstance(tree, Name):
        found.append(tree.name)
