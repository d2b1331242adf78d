"""An expression as the `tick` of a node: a tree in the kernel language, with no text in between."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any, Final

from nodegraph.core.arithmetic import where
from nodegraph.core.expressions.expression import RESULT, Expression, kept, whole_exponent
from nodegraph.core.expressions.tree import Apply, Name, Number, Past, Tree
from nodegraph.core.expressions.words import WORDS
from nodegraph.core.hints import quoted

DEEPEST: Final = 10
"""What is deeper gets a name of its own on the way: the compiler walks trees by recursion, and has more to do a level
than anybody else."""
_BINARY: Final[dict[str, type[ast.operator]]] = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult}
_BOTH: Final[dict[str, type[ast.operator]]] = {"&&": ast.BitAnd, "||": ast.BitOr}
_COMPARE: Final[dict[str, type[ast.cmpop]]] = {
    "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE, "==": ast.Eq, "!=": ast.NotEq,
}  # fmt: skip
_SIGNS: Final = {"/": "divided", "%": "modulo", "^": "power"}
NAMES: Final[dict[str, Callable[..., Any]]] = {
    f"_{_SIGNS.get(name, name)}": word.kernel or word.meaning
    for name, word in WORDS.items()
    if name in _SIGNS or name.isidentifier()
} | {"_where": where}
"""What the trees call. Names of expressions do not begin with ``_``, so none stands for two things."""


def tick_of(expression: Expression) -> Callable[..., Any]:
    """The function: inlets, parameters and memories by name, as `Expression.takes` lists them; gives y and then the
    memories.

    In Python it interprets the expression. The kernel compiler takes its tree, ``kernel_tree``.
    """

    def tick(*args: float) -> Any:
        found = expression.step(dict(zip(expression.takes, args, strict=True)))
        return found if len(found) > 1 else found[0]

    about = {
        "__signature__": inspect.Signature(
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in expression.takes]
        ),
        "kernel_tree": function_def(expression),
        "kernel_names": NAMES,
        "kernel_title": f"the expression {quoted(expression.text)}",
    }
    vars(tick).update(about)
    return tick


def function_def(expression: Expression) -> ast.FunctionDef:
    """The syntax tree of the tick."""
    writer = _Writer()
    for name, tree in expression.statements:
        writer.assign(name, writer.number(tree)[0])
    returned = [RESULT]
    for name, most in expression.histories:
        returned += [name, *(kept(name, back) for back in range(1, most))]
    values = [_name(name) for name in returned]
    writer.body.append(ast.Return(values[0] if len(values) == 1 else ast.Tuple(list(values), ast.Load())))
    made = ast.FunctionDef(
        name="tick",
        args=ast.arguments(
            posonlyargs=[], args=[ast.arg(name) for name in expression.takes], kwonlyargs=[], kw_defaults=[],
            defaults=[],
        ),
        body=writer.body,
        decorator_list=[],
    )  # fmt: skip
    return ast.fix_missing_locations(made)


Written = tuple[ast.expr, int]
"""A syntax tree, and how deep it is."""


class _Writer:
    """Writes statements. Truths and numbers are kept apart: what is yes or no becomes 1.0 or 0.0 where it is counted
    with, so that no operation meets a type that it treats otherwise."""

    def __init__(self) -> None:
        self.body: list[ast.stmt] = []
        self.named = 0

    def assign(self, name: str, value: ast.expr) -> None:
        self.body.append(ast.Assign([ast.Name(name, ast.Store())], value))

    def number(self, tree: Tree) -> Written:
        """A tree as a number."""
        if isinstance(tree, Number):
            return ast.Constant(tree.number), 0
        if isinstance(tree, Name):
            return _name(tree.name), 0
        if isinstance(tree, Past):
            return _name(kept(tree.name, tree.back)), 0
        found, depth = self.applied(tree)
        if WORDS[tree.word].truth:
            found, depth = _call("_where", found, ast.Constant(1.0), ast.Constant(0.0)), depth + 1
        return self.shallow(found, depth)

    def truth(self, tree: Tree) -> Written:
        """A tree as yes or no."""
        if isinstance(tree, Apply) and WORDS[tree.word].truth:
            return self.shallow(*self.applied(tree))
        found, depth = self.number(tree)
        return ast.Compare(found, [ast.NotEq()], [ast.Constant(0.0)]), depth + 1

    def applied(self, tree: Apply) -> Written:
        word = tree.word
        args: list[ast.expr] = []
        deepest = 0
        for number, item in enumerate(tree.args):
            found, depth = self.truth(item) if number < WORDS[word].asks else self.number(item)
            args.append(found)
            deepest = max(deepest, depth)
        return self.operation(word, args), deepest + 1

    def operation(self, word: str, args: list[ast.expr]) -> ast.expr:
        if word in _BINARY:
            return ast.BinOp(args[0], _BINARY[word](), args[1])
        if word in _BOTH:  # without a jump, which would keep a loop from becoming vector code
            return ast.BinOp(args[0], _BOTH[word](), args[1])
        if word == "-x":
            return ast.UnaryOp(ast.USub(), args[0])
        if word == "!":
            return ast.UnaryOp(ast.Not(), args[0])
        if word == "^" and isinstance(args[1], ast.Constant):
            whole = whole_exponent(float(args[1].value))  # type: ignore[arg-type]
            if whole is not None:
                return self.whole_power(args[0], whole)
        signs = word.split(" ")
        if signs[0] in _COMPARE:
            return ast.Compare(args[0], [_COMPARE[sign]() for sign in signs], args[1:])
        return _call(f"_{_SIGNS.get(word, word)}", *args)

    @staticmethod
    def whole_power(base: ast.expr, whole: int) -> ast.expr:
        if whole == 0:
            return ast.Constant(1.0)
        found = base if abs(whole) == 1 else ast.BinOp(base, ast.Pow(), ast.Constant(abs(whole)))
        return found if whole > 0 else _call("_divided", ast.Constant(1.0), found)

    def shallow(self, value: ast.expr, depth: int) -> Written:
        """The value as it is, or under a name when it is deep."""
        if depth < DEEPEST:
            return value, depth
        self.named += 1
        name = f"_{self.named}"
        self.assign(name, value)
        return _name(name), 0


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _call(name: str, *args: ast.expr) -> ast.expr:
    return ast.Call(_name(name), list(args), [])
