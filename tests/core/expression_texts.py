"""Random expressions: trees of which the parser folds nothing, and texts that mean them."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from nodegraph.core.expressions.tree import Apply, Name, Number, Past, Tree, height
from nodegraph.core.expressions.words import FUNCTIONS

INFIX = {"||": 2, "&&": 3, "<": 5, "<=": 5, ">": 5, ">=": 5, "==": 5, "!=": 5, "+": 6, "-": 6, "*": 7, "/": 7, "%": 7}
CHAINS = ["< <", "< <=", "<= <", "> >=", ">= >="]
SPELT = {"||": ("||", "or"), "&&": ("&&", "and"), "^": ("^", "**")}


def apply(word: str, *args: Tree) -> Apply:
    return Apply(word, args, 1 + max(map(height, args)))


numbers = st.one_of(st.integers(0, 40).map(float), st.floats(0.001, 1e6)).map(Number)
values = st.one_of(
    st.sampled_from(["x1", "x2", "x8", "drive", "Q2", "rate"]).map(Name),
    st.builds(Past, st.sampled_from(["x1", "x3", "y"]), st.integers(1, 5)),
)


def _operations(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """The first argument is never a number, so that nothing is known before it is played."""
    other = st.one_of(inner, numbers)
    binary = st.builds(apply, st.sampled_from([*INFIX, "^"]), inner, other)
    unary = st.builds(apply, st.sampled_from(["-x", "!"]), inner)
    chain = st.builds(apply, st.sampled_from(CHAINS), inner, other, other)

    @st.composite
    def call(draw: st.DrawFn) -> Tree:
        name = draw(st.sampled_from(list(FUNCTIONS)))
        count = draw(st.integers(FUNCTIONS[name].least, min(FUNCTIONS[name].most, 4)))
        return apply(name, draw(inner), *(draw(other) for _ in range(count - 1)))

    return st.one_of(binary, binary, unary, chain, call())


trees = st.recursive(values, _operations, max_leaves=12)


def text_of(tree: Tree, dice: Random) -> str:
    """A text that means the tree: spaces, brackets and ways of spelling by chance."""
    return _text(tree, 1, dice)


def _space(dice: Random) -> str:
    return dice.choice(("", "", " ", "  ", "\n", "\t"))


def _text(tree: Tree, least: int, dice: Random) -> str:
    power, text = _written(tree, dice)
    if power < least or dice.random() < 0.05:
        text = f"({_space(dice)}{text}{_space(dice)})"
    return text


def _written(tree: Tree, dice: Random) -> tuple[int, str]:
    """The text, and how tightly it binds."""
    if isinstance(tree, Number):
        return 10, repr(tree.number)
    if isinstance(tree, Name):
        return 10, dice.choice(("x", "$v1", "$f1", "$x1")) if tree.name == "x1" and dice.random() < 0.3 else tree.name
    if isinstance(tree, Past):
        return 10, f"{tree.name}[{_space(dice)}-{tree.back}]"
    word, args = tree.word, tree.args
    space = _space(dice)
    if word == "-x":
        return 8, f"-{space}{_text(args[0], 8, dice)}"
    if word == "!":
        return (4, f"not {_text(args[0], 4, dice)}") if dice.random() < 0.3 else (8, f"!{_text(args[0], 8, dice)}")
    if word == "^":
        return 9, f"{_text(args[0], 10, dice)}{space}{dice.choice(SPELT['^'])}{space}{_text(args[1], 8, dice)}"
    if word in CHAINS:
        first, second = word.split()
        return 5, f"{_text(args[0], 6, dice)} {first} {_text(args[1], 6, dice)}{space}{second}{_text(args[2], 6, dice)}"
    if word in INFIX:
        power, sign = INFIX[word], dice.choice(SPELT.get(word, (word,)))
        # a comparison on the left would be a chain
        left = _text(args[0], power + (power == 5), dice)
        return power, f"{left} {sign} {_text(args[1], power + 1, dice)}"
    if word == "where" and dice.random() < 0.6:
        test, yes, no = (_text(args[0], 2, dice), _text(args[1], 1, dice), _text(args[2], 1, dice))
        if dice.random() < 0.5:
            return 1, f"{_text(args[1], 2, dice)} if {test} else {no}"
        return 1, f"{test} ? {yes} : {no}"
    listed = f"{space},{space}".join(_text(item, 1, dice) for item in args)
    return 10, f"{word}({listed})"
