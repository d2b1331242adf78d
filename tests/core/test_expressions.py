"""Expressions: what is written, what it means, and that it means what Python would take it for."""

from __future__ import annotations

import ast
import copy
import inspect
import math
import operator
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.core import PatchError
from nodegraph.core.expressions import Expression, parse, tick_of
from nodegraph.core.expressions.expression import applied, kept
from nodegraph.core.expressions.ticks import NAMES
from nodegraph.core.expressions.tree import Apply, Name, Number, Past, Tree
from nodegraph.core.expressions.words import WORDS, divided, modulo, whole_power
from tests.core.expression_texts import apply, text_of, trees


def computed(text: str, **values: float) -> float:
    """The expression's first sample; what is not given is 0."""
    expression = parse(text)
    return expression.step(dict.fromkeys(expression.takes, 0.0) | {"rate": 48_000.0} | values)[0]


MEANS: list[tuple[str, dict[str, float], float]] = [
    ("x1", {"x1": 3.0}, 3.0),
    ("x", {"x1": 3.0}, 3.0),
    ("1e-3 + .5 + 2. + 1.5E2", {}, 152.501),
    ("x1 + x2 * 3", {"x1": 1.0, "x2": 2.0}, 7.0),
    ("(x1 + x2) * 3", {"x1": 1.0, "x2": 2.0}, 9.0),
    ("7 - 2 - 1", {}, 4.0),
    ("8 / 4 / 2", {}, 1.0),
    ("2 ^ 3 ^ 2", {}, 512.0),
    ("2 ** 3", {}, 8.0),
    ("-x1 ^ 2", {"x1": 3.0}, -9.0),
    ("x1 ^ -2", {"x1": 2.0}, 0.25),
    ("x1 ^ -2", {"x1": 0.0}, 0.0),
    ("x1 ^ 0", {"x1": 0.0}, 1.0),
    ("x1 ^ 3", {"x1": -2.0}, -8.0),
    ("x1 ^ 0.5", {"x1": 9.0}, 3.0),
    ("x1 ^ 0.5", {"x1": -9.0}, 0.0),
    ("pow(x1, a)", {"x1": -2.0, "a": 3.0}, -8.0),
    ("pow(x1, a)", {"x1": -2.0, "a": 4.0}, 16.0),
    ("pow(x1, a)", {"x1": 0.0, "a": 0.0}, 1.0),
    ("pow(x1, a)", {"x1": 0.0, "a": -1.0}, 0.0),
    ("x1 / x2", {"x1": 1.0, "x2": 0.0}, 0.0),
    ("x1 % 3", {"x1": 7.0}, 1.0),
    ("x1 % 3", {"x1": -7.0}, 2.0),
    ("x1 % -3", {"x1": 7.0}, -2.0),
    ("x1 % 0", {"x1": 7.0}, 0.0),
    ("fmod(x1, 3)", {"x1": -7.0}, -1.0),
    ("mod(x1, 3)", {"x1": -7.0}, 2.0),
    ("!x1", {"x1": 0.0}, 1.0),
    ("!x1 == 0", {"x1": 5.0}, 1.0),
    ("not x1 == 0", {"x1": 5.0}, 1.0),
    ("not x1 == 5", {"x1": 5.0}, 0.0),
    ("1 < x1 <= 2", {"x1": 2.0}, 1.0),
    ("1 < x1 < 2", {"x1": 2.0}, 0.0),
    ("x1 > 0 && x2 > 0", {"x1": 1.0, "x2": 2.0}, 1.0),
    ("x1 && 0 || 3", {"x1": 2.0}, 1.0),
    ("x1 > 0 ? 10 : 20", {"x1": 1.0}, 10.0),
    ("x1 > 0 ? 10 : x1 > -5 ? 20 : 30", {"x1": -1.0}, 20.0),
    ("10 if x1 else 20 if x2 else 30", {"x2": 1.0}, 20.0),
    ("if(x1, 5, 6) + select(x1, 1, 2) + where(x1, 0.1, 0.2)", {"x1": 1.0}, 6.1),
    ("(x1 > 2) + (x1 > 3)", {"x1": 4.0}, 2.0),
    ("max($f1\\, 0) + min(3, $v2, 9)", {"x1": -1.0, "x2": 2.0}, 2.0),
    ("$i1 + $i2", {"x1": 2.9, "x2": -2.9}, 0.0),
    ("$x1[-1] + $y[-1] + $y1[-2] + $y", {"_x1_1": 1.0, "_y_1": 20.0, "_y_2": 300.0}, 341.0),
    ("x1[0] + x1[-2]", {"x1": 1.0, "_x1_2": 5.0}, 6.0),
    ("pi + tau + e", {}, math.pi + math.tau + math.e),
    ("440 / rate", {}, 440 / 48_000),
    ("a = x1 * 2; b = a + 1; a * b", {"x1": 2.0}, 20.0),
    ("a = x1 * 2;", {"x1": 2.0}, 4.0),
    ("y = x1 + 1", {"x1": 2.0}, 3.0),
    (" ; a = 3 ;; a ; ", {}, 3.0),
    ("b = a[-1] + x1; a = b * 2; b", {"x1": 1.0, "_a_1": 4.0}, 5.0),
    ("floor(x1) + ceil(x1) * 10 + round(x1) * 100 + trunc(x1) * 1000", {"x1": -2.5}, -3 - 20 - 200 - 2000),
    ("fract(x1)", {"x1": -0.25}, 0.75),
    ("sign(x1) + 10 * sign(x2) + 100 * sign(0)", {"x1": -3.0, "x2": 4.0}, 9.0),
    ("clip(x1, -1, 1) + clamp(x1, 10, 20)", {"x1": 5.0}, 11.0),
    ("sqrt(x1)", {"x1": -4.0}, 0.0),
    ("log(x1) + ln(x1) + log2(x1) + log10(x1)", {"x1": 1.0}, 0.0),
    ("mtof(69) + mtof(81)", {}, 1320.0),
    ("ftom(880)", {}, 81.0),
    ("ftom(0)", {}, -1500.0),
    ("dbtoa(-20)", {}, 0.1),
    ("atodb(x1)", {"x1": 10.0}, 20.0),
    ("sin_pi(x1) + cos_pi(x1)", {"x1": 100.5}, 1.0),
    ("atan2(x1, x2)", {"x1": 1.0, "x2": -1.0}, 0.75 * math.pi),
    ("exp(1000)", {}, math.exp(88)),
]


@pytest.mark.parametrize(("text", "values", "wanted"), MEANS, ids=[item[0] for item in MEANS])
def test_what_an_expression_means(text: str, values: dict[str, float], wanted: float) -> None:
    assert computed(text, **values) == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_what_an_expression_uses_is_told() -> None:
    expression = parse("w = tanh(drive * x2) + bias; w[-1] + $v1[-2] + y[-3] * rate + drive")
    assert expression.inputs == ("x1", "x2")
    assert expression.parameters == ("drive", "bias")
    assert expression.histories == (("w", 1), ("x1", 2), ("y", 3))
    assert expression.uses_rate
    assert expression.takes == (
        "x1", "x2", "drive", "bias", "rate", "_w_1", "_x1_1", "_x1_2", "_y_1", "_y_2", "_y_3",
    )  # fmt: skip


def test_memories_are_shifted_each_sample() -> None:
    expression = parse("x1 + x1[-3]")
    held = dict.fromkeys(expression.memories, 0.0)
    heard = []
    for sample in (1.0, 2.0, 3.0, 4.0, 5.0):
        y, *after = expression.step({"x1": sample, **held})
        held = dict(zip(expression.memories, after, strict=True))
        heard.append(y)
    assert heard == [1.0, 2.0, 3.0, 5.0, 7.0]


def test_texts_that_mean_the_same_are_equal() -> None:
    same = ["x1*2+drive", " $v1 * 2.0 +\n( drive )", "x * (1 + 1) + drive"]
    assert len({parse(text) for text in same}) == 1
    assert parse("x1 * 2") != parse("x1 * 2.5") and parse("a + b") != parse("b + a")


# The tick.


def test_the_tick_takes_and_gives_what_a_tick_does() -> None:
    tick = tick_of(parse("x1 + a * y[-1]"))
    assert list(inspect.signature(tick).parameters) == ["x1", "a", "_y_1"]
    assert tick(1.0, 0.5, 4.0) == (3.0, 3.0)
    assert tick_of(parse("x1 * 2"))(4.0) == 8.0, "without a memory it gives its value alone"


def in_python(expression: Expression) -> Callable[..., Any]:
    """The tick's tree run by Python itself, with powers multiplied as a kernel multiplies them."""
    space: dict[str, Any] = dict(NAMES) | {"multiplied": whole_power}
    tick: Any = tick_of(expression)
    tick.kernel_tree.type_params = []  # Python 3.12 wants it said
    module = ast.fix_missing_locations(ast.Module([Multiplied().visit(copy.deepcopy(tick.kernel_tree))], []))
    exec(compile(module, "tick", "exec"), space)
    made: Callable[..., Any] = space["tick"]
    return made


class Multiplied(ast.NodeTransformer):
    """Whole powers as calls."""

    def visit_BinOp(self, tree: ast.BinOp) -> ast.AST:
        self.generic_visit(tree)
        if not isinstance(tree.op, ast.Pow):
            return tree
        return ast.Call(ast.Name("multiplied", ast.Load()), [tree.left, tree.right], [])


def has_approximations(tree: Tree) -> bool:
    """Whether a kernel computes some of it in its own way."""
    if not isinstance(tree, Apply):
        return False
    multiplied = tree.word == "^" and isinstance(tree.args[1], Number) and tree.args[1].number in range(-16, 17)
    return (WORDS[tree.word].kernel is not None and not multiplied) or any(map(has_approximations, tree.args))


@settings(max_examples=400, deadline=None)
@given(trees, st.randoms(use_true_random=False), st.lists(st.floats(-100, 100, width=32), min_size=40, max_size=40))
def test_the_tree_of_the_tick_means_what_the_interpreter_says(
    tree: Tree, dice: random.Random, numbers: list[float]
) -> None:
    expression = parse(text_of(tree, dice))
    values = dict(zip(expression.takes, numbers, strict=False))
    wanted = expression.step(values)
    found = in_python(expression)(*values.values())
    found = found if isinstance(found, tuple) else (found,)
    close = has_approximations(tree)
    for one, other in zip(found, wanted, strict=True):
        same = float(one) == other or (math.isnan(one) and math.isnan(other))
        assert same or close, (expression.text, values, found, wanted)


# The grammar.


@settings(max_examples=1_000, deadline=None)
@given(trees, st.randoms(use_true_random=False))
def test_a_tree_that_is_written_down_is_read_again(tree: Tree, dice: random.Random) -> None:
    text = text_of(tree, dice)
    expression = parse(text)
    assert expression.statements == (("y", tree),), text
    assert expression == parse(text_of(tree, dice))


PYTHON: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: divided, ast.Mod: modulo,
    ast.Pow: lambda a, b: applied("^", [a, b]), ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip


class NotOurs(Exception):
    """Python has it, expressions have not."""


def by_python(node: ast.expr, values: dict[str, float]) -> Any:
    """A value along the tree into which Python itself reads the text."""

    def of(item: ast.expr) -> Any:
        return by_python(item, values)

    match node:
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.BinOp(left=left, op=op, right=right):
            return PYTHON[type(op)](of(left), of(right))
        case ast.UnaryOp(op=op, operand=operand):
            return PYTHON[type(op)](of(operand))
        case ast.BoolOp(op=ast.And(), values=items):
            return all(list(map(of, items)))
        case ast.BoolOp(values=items):
            return any(list(map(of, items)))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yes, no = of(body), of(orelse)
            return yes if of(test) else no
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [of(left), *map(of, others)]
            return all(PYTHON[type(op)](sides[k], sides[k + 1]) for k, op in enumerate(ops))
        case ast.Call(func=ast.Name(id="min" | "max" as name), args=args, keywords=[]) if 2 <= len(args) <= 16:
            return {"min": min, "max": max}[name](*map(of, args))
    raise NotOurs


BETWEEN = [*"+-*/%<>" * 2, "**", "**", "<=", ">=", "==", "!=", "and", "or", "and", "or"]


def likely(dice: random.Random) -> list[str]:
    """Tokens that both languages know, in an order that is often one of an expression."""
    tokens: list[str] = []
    for _ in range(dice.randrange(1, 7)):
        tokens += dice.choices(("-", "+", "not", "(", "min("), (6, 1, 3, 6, 1), k=dice.choice((0, 0, 0, 1, 1, 2)))
        tokens += dice.choice((["a"], ["b"], ["x1"], ["(", "a", dice.choice(BETWEEN), "b", ")"]))
        tokens += [")"] * dice.choice((0, 0, 0, 0, 1, 1, 2))
        tokens += dice.choices((dice.choice(BETWEEN), "if", "else", ","), (20, 1, 1, 1))
    tokens.pop()
    if dice.random() < 0.1:
        choice = ["if", "a", ">", "b", "else"]
        tokens += [*choice, "x1"]
    if "if" in tokens and "else" not in tokens:
        tokens += ["else", "b"]
    missing = sum(token.endswith("(") for token in tokens) - tokens.count(")")
    tokens += [")"] * max(0, missing)
    if dice.random() < 0.1:
        tokens[dice.randrange(len(tokens))] = dice.choice((*BETWEEN, "a", "(", ")", "not", ","))
    return tokens


VALUES = {"a": 1.75, "b": -0.5, "x1": 3.0}


def test_what_python_can_read_is_read_alike() -> None:
    """Random tokens: what one refuses the other refuses, and what both read has the same value."""
    dice = random.Random(20_261_124)
    read = refused = 0
    for _ in range(30_000):
        text = " ".join(likely(dice))
        try:
            wanted = float(by_python(ast.parse(text, mode="eval").body, VALUES))
        except (SyntaxError, NotOurs, KeyError):
            wanted = None
        except TypeError:  # a power of a negative number, compared
            continue
        try:
            found = computed(text, **VALUES)
        except PatchError as error:
            assert wanted is None or "compar" in str(error), text
            refused += 1
        else:
            assert wanted is not None, f"Python refuses it: {text}"
            assert found == wanted, text
            read += len(text) > 12
    assert read > 3_000 and refused > 5_000, (read, refused)


def test_known_numbers_are_computed_while_the_text_is_read() -> None:
    expression = parse("x1 * (2 * pi * 440 + sin(0) + (3 > 2)) + drive")
    product = apply("*", Name("x1"), Number(2 * math.pi * 440 + 1))
    assert expression.statements == (("y", apply("+", product, Name("drive"))),)


@settings(max_examples=300, deadline=None)
@given(trees, st.randoms(use_true_random=False), st.lists(st.floats(), min_size=40, max_size=40))
def test_no_number_makes_it_raise(tree: Tree, dice: random.Random, numbers: list[float]) -> None:
    """NaN, infinities, the largest and the smallest."""
    expression = parse(text_of(tree, dice))
    for value in expression.step(dict(zip(expression.takes, numbers, strict=False))):
        assert isinstance(value, float)


def test_names_of_memories_stand_for_nothing_else() -> None:
    expression = parse("a_1 = x1; a = x1; a_1[-2] + a[-1] + t + t_1")
    assert len(set(expression.takes)) == len(expression.takes)
    assert kept("a_1", 2) in expression.takes and kept("a", 1) in expression.takes
    assert parse("x1[-1]").statements == (("y", Past("x1", 1)),)
