"""docs/expressions.md keeps its word: its programs run, its codes play, its tables are those of the language."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core import PatchError
from nodegraph.core.expressions import parse
from nodegraph.core.expressions.limits import MOST_NESTED, MOST_PARAMETERS, MOST_PAST, MOST_TEXT, MOST_WEIGHT
from nodegraph.core.expressions.words import ALIASES, CONSTANTS, FUNCTIONS, OPERATORS
from nodegraph.nodes.expressions import signal_spec
from tests.contracts.drive import drive
from tests.contracts.harness import play

TEXT = (Path(__file__).parents[2] / "docs" / "expressions.md").read_text(encoding="utf-8")


def part(title: str) -> str:
    """The text below a heading."""
    return TEXT.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The rows of its table, without the head."""
    lines = [line for line in part(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_its_programs_run_one_after_another() -> None:
    space: dict[str, object] = {}
    programs = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(programs) == 3
    for program in programs:
        exec(compile(program, "expressions.md", "exec"), space)


@pytest.mark.parametrize("code", [quoted(row[0])[0] for row in rows("To begin with")])
def test_its_codes_play(code: str) -> None:
    spec = signal_spec(code)
    values = drive(spec, 4_800, 1) | {item.name: 0.6 for item in spec.controls}
    sound = play(spec, 4_800, values)["y"]
    assert np.isfinite(sound).all() and np.abs(sound).max() > 1e-3


def test_its_functions_are_all_that_there_are() -> None:
    words = {
        word for cell in rows("Functions") for text in quoted(" ".join(cell)) for word in re.findall(r"[a-z]\w*", text)
    }
    assert {*FUNCTIONS, *ALIASES} <= words
    listed = {text.split("(")[0] for row in rows("Functions") for text in quoted(row[0])}
    assert listed - set(ALIASES) == set(FUNCTIONS), listed ^ set(FUNCTIONS)


def test_its_operators_are_all_that_there_are() -> None:
    signs = " ".join(
        re.findall(
            r"[^\s\w`,<>/]+|[<>]=?|/", html.unescape(part("Operators").replace("</code>", "").replace("<code>", ""))
        )
    )
    assert all(sign.strip("x") in signs for word in OPERATORS for sign in word.split())
    assert set(CONSTANTS) <= set(quoted(part("Names")))


@pytest.mark.parametrize(
    ("code", "number"), [("-1 % 4", 3.0), ("fract(-0.25)", 0.75), ("7 / 2", 3.5), ("-3 ^ 2", -9.0), ("1 / 0", 0.0),
                         ("round(2.5)", 3.0), ("if(0, 1, 2)", 2.0)],
)  # fmt: skip
def test_its_numbers_are_right(code: str, number: float) -> None:
    assert parse(code).step({})[0] == pytest.approx(number)


def test_its_limits_are_those_of_the_parser() -> None:
    said = part("When something is wrong")
    for limit in (MOST_TEXT, MOST_PARAMETERS, MOST_NESTED, MOST_WEIGHT):
        assert re.search(rf"\b{limit}\b", said), limit
    assert f"may remember {MOST_PAST} samples" in part("Statements and the past")
    assert f"x1[-{MOST_PAST}]" in part("Names")


def test_its_message_is_the_one_that_is_given() -> None:
    with pytest.raises(PatchError) as caught:
        Patch().add("expr~", "bend", code="x1 * (2 +)")
    assert f"bend.ng:5, {caught.value}\n" in TEXT
