"""What is no expression is refused at once, at the right place, with what to do."""

from __future__ import annotations

import random
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.core import PatchError
from nodegraph.core.expressions import parse
from nodegraph.core.expressions.limits import MOST_HEIGHT, MOST_NESTED, MOST_PARAMETERS, MOST_PAST, MOST_TEXT
from nodegraph.core.expressions.words import ALIASES, FUNCTIONS

FORM, NAME, SIZE, PAST = ("expression-" + word for word in ("form", "name", "size", "past"))
# the text with | in front of the place that must be marked, the code, and words of the message
BAD = [
    ("|", FORM, ["empty", "at its end"]),
    (" ; ;|", FORM, ["empty"]),
    ("x1 +|", FORM, ["is missing", "at its end"]),
    ("x1 * (2 +|)", FORM, ["belongs where ')' is", "at character 10"]),
    ("(x1 + 2|", FORM, ["bracket is not closed", "Write )"]),
    ("x1 + 2|)", FORM, ["')' belongs to nothing"]),
    ("2 |x1", FORM, ["operator is missing before 'x1'", "Write *"]),
    ("2|x1", FORM, ["operator is missing"]),
    ("2 |(x1)", FORM, ["operator is missing before '('"]),
    ("x1 |1.5", FORM, ["operator is missing"]),
    ("1.2|.3", FORM, ["operator is missing before '.3'"]),
    ("x1 |& 3", FORM, ["'&' has no meaning", "Write &&"]),
    ("x1 |~ 3", FORM, ["bits"]),
    ("x1 + |é", FORM, ["'é' has no meaning"]),
    ("x1 + |\0", FORM, ["U+0000"]),
    ("|_a", FORM, ["begin with a letter"]),
    ("x1 ? 2|", FORM, ["other half of '?'", "c ? a : b"]),
    ("x1 if 2|", FORM, ["'else' of this 'if'"]),
    ("1 + |not x1", FORM, ["does not bind", "!"]),
    ("x1 == 2 |== 3", FORM, ["not clear", "brackets"]),
    ("x1 < 2 |> 3", FORM, ["not clear"]),
    ("1 < 2 < 3 |< 4", FORM, ["too many", "&&"]),
    ("|x1 * 2; x1 + 1", FORM, ["Only the last statement", "one outlet"]),
    ("y = x1; |x1 + 1", FORM, ["'y' is the result"]),
    ("x1 + (a |= 3)", FORM, ["'=' does not stand inside", "=="]),
    ("x1[|1.5]", FORM, ["whole number of samples", "x1[-1]"]),
    ("x1|[3]", FORM, ["future", "x1[-3]"]),
    ("x1[-3|", FORM, ["bracket is not closed"]),
    ("x1[-|a]", FORM, ["whole number of samples"]),
    ("|sinn(x1)", NAME, ["no function 'sinn'", "'sin'"]),
    ("|qqqqqq(x1)", NAME, ["no function 'qqqqqq'", "Functions are abs, min"]),
    ("|x1(2)", NAME, ["no function 'x1'", "Write * for times"]),
    ("2 * |sin", NAME, ["'sin' is a function", "sin(…)"]),
    ("|sin()", NAME, ["takes 1 value and gets none"]),
    ("|sin(x1, 2)", NAME, ["takes 1 value and gets 2"]),
    ("|clip(x1, 2)", NAME, ["takes 3 values and gets 2"]),
    ("|max(x1)", NAME, ["takes 2 to 16 values and gets 1"]),
    ("|x9", NAME, ["no inlet 'x9'", "x1 to x8"]),
    ("|x0 + 1", NAME, ["no inlet 'x0'"]),
    ("|$f9", NAME, ["no inlet 'x9'"]),
    ("|$s1", NAME, ["'$s1' has no meaning", "$f1"]),
    ("|$y2[-1]", NAME, ["has no meaning"]),
    ("x1 + |y", NAME, ["'y' is what the expression gives", "y[-1]"]),
    ("|y[0]", NAME, ["'y' is what the expression gives"]),
    ("|x1 = 3", NAME, ["'x1' is an inlet", "=="]),
    ("|$f1 = 3", NAME, ["is an inlet"]),
    ("|sin = 3", NAME, ["a function"]),
    ("|pi = 3", NAME, ["a number that never changes"]),
    ("|rate = 3", NAME, ["the sample rate"]),
    ("x1 * |code", NAME, ["the text of the expression"]),
    ("x1 * |kind", NAME, ["the kind of the node"]),
    ("a = 1; |a = 2; a", NAME, ["has a value already", "a[-1]"]),
    ("a = |a + 1", NAME, ["used before it has a value", "a[-1]"]),
    ("b = |a + 1; a = 2; b", NAME, ["used before it has a value"]),
    ("|drive[-1] * x1", NAME, ["no past of 'drive'"]),
    ("a = x1; |ab[-1] + a", NAME, ["no past of 'ab'", "'a'"]),
    ("|rate[-1]", NAME, ["no past of 'rate'"]),
    ("x1 * |1e999", SIZE, ["too large", "3e+38"]),
    ("x1 * |99e37", SIZE, ["too large"]),
    ("x1 * (3e38 |* 10)", SIZE, ["too large"]),
    ("|x1[-65]", SIZE, ["65 samples ago", "delay~"]),
    ("y[-33] + |x1[-32]", SIZE, ["More than 64 samples", "delay~"]),
    (f"x1 * |{'n' * 33}", SIZE, ["33 characters"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "words"), BAD, ids=[item[0] for item in BAD])
def test_the_place_is_marked(text: str, code: str, words: list[str]) -> None:
    at = text.index("|")
    text = text[:at] + text[at + 1 :]
    with pytest.raises(PatchError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert (problem.code, problem.port) == (code, "code")
    said = problem.describe()
    assert all(word in said for word in words), said
    first, shown, mark = problem.what.split("\n")
    assert first.endswith("at its end:" if at >= len(text) else f"at character {at + 1}:"), said
    assert mark == " " * (len(mark) - 1) + "^"
    assert shown[len(mark) - 1 : len(mark)].strip() == text[at : at + 1].strip().translate({0: "?", 0xE9: "?"}), said
    assert said.splitlines()[-1] == f"{mark} {problem.do}", "the advice stands behind the mark"


def test_a_long_text_is_shown_around_the_place() -> None:
    with pytest.raises(PatchError) as caught:
        parse("x1 + " * 100 + ")" + " + x1" * 100)
    _, shown, mark = caught.value.problems[0].what.split("\n")
    assert len(shown) < 90 and shown.strip().startswith("…") and shown.endswith("…")
    assert shown[len(mark) - 1] == ")"
    with pytest.raises(PatchError) as caught:
        parse("a = x1;\nb = a * * 2;\nb")
    assert caught.value.problems[0].what.split("\n")[1:] == ["    b = a * * 2;", "            ^"], "its line alone"


@pytest.mark.parametrize("text", ["x1[-1]", "y[-1] + x1", "a = x1; a[-2]", "$y", "$x1[-1]"])
def test_messages_have_no_past(text: str) -> None:
    with pytest.raises(PatchError, match="no past") as caught:
        parse(text, history=False)
    assert caught.value.problems[0].code == PAST


# Limits.


def nested(count: int) -> str:
    return "(" * count + "x1" + ")" * count


@pytest.mark.parametrize(
    ("legal", "words"),
    [
        (lambda k: nested(MOST_NESTED + k), "More than 64 brackets"),
        (lambda k: "-" * (MOST_NESTED + k) + "x1", "More than 64 brackets"),
        (lambda k: "sin(" * (MOST_NESTED + k) + "x1" + ")" * (MOST_NESTED + k), "More than 64 brackets"),
        (lambda k: "x1 ^ " * (MOST_NESTED + k) + "x1", "More than 64 brackets"),
        (lambda k: "x1 ? 1 : " * (MOST_NESTED + k) + "x1", "More than 64 brackets"),
        (lambda k: "x1" + " + x1" * (MOST_HEIGHT + k), "More than 200 operations stand one upon another"),
        (lambda k: " + ".join(f"a{n} * x1" for n in range(MOST_PARAMETERS + k)), "More than 32 names are parameters"),
        (lambda k: f"x1[-{MOST_PAST // 2}] + y[-{MOST_PAST // 2 + k}]", "More than 64 samples of the past"),
        (lambda k: " " * (MOST_TEXT + k - 2) + "x1", "10001 characters"),
        (lambda k: ";".join(f"a{n} = sin(x1)" for n in range(200 + k)) + ";x1", "too much to compute"),
    ],
)  # fmt: skip
def test_limits_are_what_they_say(legal, words: str) -> None:
    parse(legal(0))
    with pytest.raises(PatchError, match=words) as caught:
        parse(legal(1))
    assert caught.value.problems[0].code == SIZE


def test_the_deepest_expression_is_read_far_down_in_a_program() -> None:
    deep = "x1" + " + x1" * 100 + " + (x1 * (1 + x1 ^ (2 - x1" * 16 + ")))" * 16

    def below(levels: int) -> None:
        if levels:
            below(levels - 1)
        else:
            hash(parse(deep))

    below(sys.getrecursionlimit() // 2)


# Whatever comes.

HOSTILE = [
    "(" * 9_000, "-" * 9_000, "!" * 9_000, "x" * 10_000, "9" * 10_000, "1e" + "9" * 9_000, "0." + "0" * 9_000 + "1",
    "1+" * 4_999, "x^" * 4_999, "x?" * 4_999, "x?1:" * 2_000, "a<b<" * 2_000, "sin(" * 2_400, "max(" + "x," * 4_000,
    "y[-1]+" * 1_600 + "x", "x[" * 4_000, "a=" * 4_000, "a=x;" * 2_000, "$" * 10_000, "\\" * 10_000, ";" * 10_000,
    "\n" * 10_000, "(((x<x)<x)<x" * 800, "not " * 2_000, "x if " * 1_600, "2^" * 100 + "2", "1e308*" * 1_000 + "1",
    "x" + "%x" * 4_000, ".".join("1" * 5_000), "x1[-" + "9" * 5_000 + "]", "x" * 1_000_000, "\ud800" * 10_000,
    "".join(f"a{n}=x;" for n in range(1_400)) + "x", "9" * 4_000 + "x" + "0" * 4_000, "((" * 32 + "x" + "<x)<x)" * 32,
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_text_is_answered_quickly(number: int) -> None:
    began = time.thread_time()
    try:
        hash(parse(HOSTILE[number]))
    except PatchError as error:
        assert len(str(error)) < 600, "a short answer"
    assert time.thread_time() - began < 0.5


SOUP = [
    *FUNCTIONS, *ALIASES, *"+-*/%^<>!=?:;,()[]", "**", "&&", "||", "<=", "==", "!=", "and", "or", "not", "if", "else",
    *("x", "x1", "x2", "x9", "y", "rate", "pi", "e", "a", "b", "drive", "a =", "b =", "y =") * 3, "$v1", "$i2", "$y",
    "[-1]", "[-2]", "[0]", "[-", "1", "2", "0", "1e3", ".5", "1e999", "(", ")", "(", ")", "\\,", "é", "\n", "_", "#",
]  # fmt: skip


def test_no_tokens_break_it() -> None:
    dice = random.Random(7)
    read = 0
    began = time.process_time()
    for _ in range(20_000):
        text = dice.choice(("", " ")).join(dice.choices(SOUP, k=dice.randrange(1, 14)))
        try:
            parse(text)
            read += 1
        except PatchError as error:
            (problem,) = error.problems
            assert problem.code.startswith("expression-") and problem.do and problem.what.count("\n") == 2, text
    assert read > 500
    assert time.process_time() - began < 20


@settings(max_examples=2_000, deadline=None)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda data: data.decode("latin-1"))))
def test_no_text_breaks_it(text: str) -> None:
    try:
        parse(text)
    except PatchError as error:
        assert error.problems[0].code.startswith("expression-")
