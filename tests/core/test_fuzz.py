"""Whatever text comes in, reading it gives a document or a PatchFileError, and checking it gives problems."""

import json
import random

from nodegraph.core import PatchFileError, check, dumps, loads
from tests.core.kinds import KINDS
from tests.core.test_check import GOOD, GOOD_CABLES
from tests.core.test_patchfile import EXAMPLE, OLD, UNKNOWN
from tests.core.test_refusals import REFUSED

TEXTS = 20_000
SEEDS = [
    EXAMPLE, UNKNOWN, OLD,
    json.dumps({"nodegraph": 1, "nodes": GOOD, "cables": GOOD_CABLES, "view": {"cut": [1, 2]}}, indent=2),
    *(text for text, *_ in REFUSED.values() if isinstance(text, str) and len(text) < 2_000),
]  # fmt: skip
PIECES = [
    "{", "}", "[", "]", '"', ":", ",", "\\", "\n", "\0", "\ud800", "\\ud800", "é", "-", "->", ".", "1e999", "NaN",
    "-Infinity", "null", "true", "0", "-0.0", "9" * 400, "nodegraph", '"kind"', '"nodes"', '"cables"', '"view"',
    '{"kind": "svf~"}', '"osc.y -> cut.x"', "\ufeff", "[[[[", "sine~", "\u2028", '"a": ', "\r",
]  # fmt: skip


def mutated(dice: random.Random, text: str) -> str:
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        at = dice.randrange(len(text) + 1)
        to = min(len(text), at + dice.choice((0, 1, 1, 2, 8, 60)))
        what = dice.randrange(5)
        if what == 0:
            text = text[:at] + text[to:]
        elif what == 1:
            text = text[:at] + dice.choice(PIECES) + text[to:]
        elif what == 2:
            text = text[:at] + text[at:to] * 2 + text[to:]
        elif what == 3:
            other = dice.choice(SEEDS)
            begin = dice.randrange(len(other) + 1)
            text = text[:at] + other[begin : begin + to - at] + text[to:]
        else:
            text = text[:at] + chr(dice.choice((dice.randrange(128), dice.randrange(0x10FFFF)))) + text[to:]
    return text


def reshaped(dice: random.Random, data: object, depth: int = 0) -> object:
    """The same data with some values exchanged for others of any type: always JSON, seldom a patch."""
    if dice.random() < 0.004 * (depth + 1):
        return dice.choice(
            [None, True, 0, -1, 2.5, "", "a", "svf~", "a.y -> b.x", [], {}, [1], {"kind": "svf~"}, 10**30]
        )
    if isinstance(data, dict):
        return {(dice.choice(["kind", "", "a b", "x", key]) if dice.random() < 0.01 else key):
                reshaped(dice, value, depth + 1) for key, value in data.items()}  # fmt: skip
    if isinstance(data, list):
        return [reshaped(dice, item, depth + 1) for item in data]
    return data


def test_no_text_breaks_the_reader():
    dice = random.Random(20_260_101)
    shapes = [json.loads(text) for text in SEEDS[:4]]
    read = refused = 0
    for number in range(TEXTS):
        kind = number % 8
        if kind < 4:
            text = mutated(dice, dice.choice(SEEDS[:4] if kind else SEEDS))
        elif kind < 7:
            text = json.dumps(reshaped(dice, dice.choice(shapes)), indent=dice.choice((None, 1)))
        else:
            text = "".join(dice.choice(PIECES) for _ in range(dice.randrange(30)))
        given = text.encode("utf-8", "surrogatepass") if number % 3 == 0 else text
        try:
            document = loads(given, file="fuzz.ng", kinds=KINDS)
        except PatchFileError as error:
            refused += 1
            assert error.problems and all(problem.what and problem.file == "fuzz.ng" for problem in error.problems)
            continue
        except BaseException as error:
            raise AssertionError(f"text {number}: {text!r}") from error
        read += 1
        again = dumps(document)
        assert dumps(loads(again, kinds=KINDS)) == again, f"text {number}: {text!r}"
        if number % 4 == 0:
            check(document, media_folders=[])
    assert read > TEXTS // 10 and refused > TEXTS // 4, f"{read} read, {refused} refused: the texts are too much alike"
