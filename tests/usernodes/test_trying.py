"""A node of the user's own is tried in another process: what is wrong is told at his own line, and nothing waits for
ever."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from nodegraph.core.errors import DeclarationError, Problem
from nodegraph.core.ownfiles import OwnFile, own_file, told
from nodegraph.runtime.kernels import forms
from nodegraph.runtime.kernels.jit import cache_folder, jit
from nodegraph.usernodes import reading
from nodegraph.usernodes.loading import load
from tests.contracts.harness import Unit
from tests.usernodes.files import COUNT, ECHO, TONE, WOBBLE, write


def file_of(folder: Path, text: str, name: str = "mine.py") -> OwnFile:
    write(folder / name, text)
    return own_file(folder, name)


def refusal(folder: Path, text: str) -> Problem:
    with pytest.raises(DeclarationError) as caught:
        reading.read(file_of(folder, text), "mine.py")
    return caught.value.problems[0]


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize("text", [WOBBLE, TONE, ECHO, COUNT])
def test_a_good_node_says_what_it_declares_and_nothing_of_it_is_here(tmp_path: Path, text: str) -> None:
    file = file_of(tmp_path, text + "\nprint('a word of its own')\n")
    spec = told(reading.read(file, "mine.py"))
    assert spec.help and spec.outlets
    assert not hasattr(spec.cls, "tick") and not hasattr(spec.cls, "process"), "what came back are data"


def test_its_machine_code_lies_in_the_cache_for_this_process(tmp_path: Path) -> None:
    file = file_of(tmp_path, WOBBLE)
    use = {"signals": ["x", "depth"], "heard": ["y"]}
    reading.read(file, "mine.py", uses=[use])
    assert any(cache_folder().iterdir())
    from dataclasses import replace

    spec = replace(load(file), kind="mine.py")
    before = jit().compiled
    for modes in ("lcc", "lll", "lcl"):
        for lanes in (1, forms.LANES):
            forms.kernel(spec, modes, lanes, 1)
    assert jit().compiled == before, "nothing was compiled here"


TICK = "return x * (1.0 - depth * (dip * dip)), angle + u32(step)"


@pytest.mark.parametrize(
    ("old", "new", "part", "says"),
    [
        (TICK, f"y = sorted(x)\n        {TICK}", "sorted(x)", "'sorted' cannot be called in a kernel"),
        (TICK, f"while x > 2.0:\n            x -= 1.0\n        {TICK}", "while x", "a tick has no 'while'"),
        (TICK, "return x, 'text'", "'text'", "text"),
        ("dip = sin_pi(", "dip = sin_pie(", "sin_pie", "'sin_pie' is not known here"),
        ("def tick(x, step", "def tick((x, step", "def tick", "is not Python"),
        ("def tick(x, step,", "def tick(x, step, other,", "def tick", "prepare returns 1 values"),
        ("@node(", "import os\n@node(", "import os", "imports 'os'"),
        ("@node(", "from .other import thing\n@node(", "from .other", "imports '.other'"),
        ("@node(", "from nodegraph.runtime import engine\n@node(", "from nodegraph.runtime", "nodegraph.runtime"),
        ("@node(", "spare = [1][5]\n@node(", "spare", "IndexError: list index out of range"),
        ("@node(", "raise SystemExit(3)\n@node(", "raise SystemExit", "SystemExit: 3"),
        ("@node(", "while 1:\n    k = 2\n@node(", "while 1", "this loop never ends"),
    ],
)
def test_what_is_wrong_is_told_at_the_author_s_line(tmp_path: Path, old: str, new: str, part: str, says: str) -> None:
    text = WOBBLE.replace(old, new)
    problem = refusal(tmp_path, text)
    assert says in problem.what
    line = text.splitlines()[line_of(text, part) - 1]
    if "def tick(x" not in part or problem.line is not None:
        shown = text.splitlines()[(problem.line or 0) - 1]
        assert problem.file == str(tmp_path / "mine.py") and problem.source == shown
        assert shown == line or "@staticmethod" in shown, problem
    assert problem.do and "Traceback" not in problem.describe()


def test_the_caret_stands_below_the_fault(tmp_path: Path) -> None:
    problem = refusal(tmp_path, WOBBLE.replace(TICK, f"y = 2.0 + sorted(x)\n        {TICK}"))
    line, caret = problem.excerpt().splitlines()
    assert line.strip() == "y = 2.0 + sorted(x)" and line[caret.index("^") :] == "sorted(x)"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1\n", "declares no node"),
        (WOBBLE + ECHO, r"declares 2 nodes ('Wobble', 'Echo')"),
        (
            "from nodegraph.core import DeviceNode, node\n@node('d~')\nclass D(DeviceNode):\n    '''D.'''\n",
            "cannot stand",
        ),
    ],
)
def test_a_file_holds_one_node_of_a_sort_that_may_stand_there(tmp_path: Path, text: str, says: str) -> None:
    assert says in refusal(tmp_path, text).what


def test_no_text_and_half_a_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_bytes(b"x = 1\n# \xff\n")
    with pytest.raises(DeclarationError, match=r"mine.py:2: .* UTF-8"):
        reading.read(own_file(tmp_path, "mine.py"), "mine.py")


def hangs(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch, step: str) -> Problem:
    monkeypatch.setitem(reading.LIMITS, step, 2.0)
    start = time.monotonic()
    problem = refusal(folder, text)
    assert time.monotonic() - start < 60.0
    assert problem.code == "endless-node" and "within 2 s" in problem.what
    return problem


def test_a_loop_at_import_is_ended_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = hangs(tmp_path, WOBBLE + "\nk = [1]\nwhile k:\n    k[0] += 1\n", monkeypatch, "import")
    assert "was not imported" in problem.what and problem.source in ("while k:", "    k[0] += 1")


def test_a_loop_in_machine_code_is_ended_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = ECHO.replace(
        "past = line[at]", "while at < 1_000_000:\n                at = at * 1\n            past = line[0]"
    )
    problem = hangs(tmp_path, text, monkeypatch, "trial")
    assert problem.source is not None and problem.source.strip() == "while at < 1_000_000:"


def test_a_loop_that_only_some_sound_makes_endless_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Infinity minus a thousand is infinity."""
    text = ECHO.replace("past = line[at]", "v = x[i]\n            while v > 1.0:\n                v = v - 1000.0\n"
                        "            past = line[at]")  # fmt: skip
    assert "while v > 1.0" in str(hangs(tmp_path, text, monkeypatch, "trial").source)


def test_a_handler_that_never_returns_is_found_at_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = COUNT.replace("self.y(self.number)", "while self.number:\n            self.number += 1")
    problem = hangs(tmp_path, text, monkeypatch, "trial")
    assert problem.source is not None and problem.source.strip() in ("while self.number:", "self.number += 1")


def test_a_crash_takes_only_the_trial_with_it(tmp_path: Path) -> None:
    text = WOBBLE + "\nnp.lib.stride_tricks.as_strided(np.zeros(1), (1 << 40,), (8,)).sum()\n"
    problem = refusal(tmp_path, text)
    assert problem.code == "crashed-node" and "SIG" in problem.what and problem.line == len(text.splitlines())


def test_arrange_is_tried_too(tmp_path: Path) -> None:
    problem = refusal(tmp_path, ECHO.replace('"shape": np.full(4, 0.6)', '"shape": np.full(4, 0.6) + [1, 2]'))
    assert "ValueError" in problem.what and problem.source is not None and "return" in problem.source


def test_the_values_of_the_patch_are_tried(tmp_path: Path) -> None:
    text = ECHO.replace('return {"line"', 'assert time < 1.0\n        return {"line"')
    file = file_of(tmp_path, text)
    reading.read(file, "mine.py", values=[{"time": 0.5}])
    with pytest.raises(DeclarationError, match="AssertionError"):
        reading.read(file, "mine.py", values=[{"time": 2.0}])


def test_the_trial_writes_no_recording(tmp_path: Path) -> None:
    """A file that the patch names for writing is left alone."""
    text = COUNT.replace("x = inlet", 'out = setting.file("takes", writes=True)\n    x = inlet').replace(
        "self.number = 0", "self.number = 0\n        if self.out:\n            open(self.out, 'w')")  # fmt: skip
    write(tmp_path / "take.txt", "precious")
    reading.read(file_of(tmp_path, text), "mine.py", values=[{"out": "take.txt"}])
    assert (tmp_path / "take.txt").read_text() == "precious"


def test_memory_has_an_end(tmp_path: Path) -> None:
    problem = refusal(tmp_path, WOBBLE + "\nk = bytearray(1 << 40)\n")
    assert "MemoryError" in problem.what and problem.source == "k = bytearray(1 << 40)"


def test_who_gives_up_waits_no_longer(tmp_path: Path) -> None:
    with pytest.raises(reading.Abandoned):
        reading.read(file_of(tmp_path, WOBBLE), "mine.py", abandoned=lambda: True)


def test_no_index_leads_out_of_an_array(tmp_path: Path) -> None:
    """What the trial cannot know is made harmless: the guard zones beside every block of memory stay untouched."""
    text = ECHO.replace("past = line[at]", "line[at - 1_000_000_000] = 1.0\n            line[at * 4096 + 77] = 2.0\n"
                        "            past = line[i64(x[i] * 1e9)]")  # fmt: skip
    spec = load(file_of(tmp_path, text))
    unit = Unit(spec)
    found = unit.run(512, {"x": np.random.default_rng(1).standard_normal((1, 512)).astype(np.float32)})
    assert np.isfinite(found["y"]).all()
    assert unit.arrays["line"].array[0] != 0.0 and unit.arrays["line"].array[-1] != 0.0, "the ends took it"


def test_an_old_version_keeps_its_source(tmp_path: Path) -> None:
    """Another form of it may be compiled when the file says something else, or is gone."""
    spec = load(file_of(tmp_path, WOBBLE))
    file_of(tmp_path, "# nothing is left\n" * 60)
    forms.module(spec, "lcc")
    (tmp_path / "mine.py").unlink()
    forms.module(spec, "lll", forms.LANES)


def test_a_file_with_a_dataclass_and_helpers_loads(tmp_path: Path) -> None:
    text = WOBBLE.replace("dip = sin_pi(signed(angle) * 2.0**-32)", "dip = bent(angle)").replace(
        "@node(",
        "from dataclasses import dataclass\n\n@dataclass\nclass Place:\n    x: float = 0.0\n\n"
        "def bent(angle):\n    return sin_pi(signed(angle) * 2.0**-32)\n\n@node(",
        1,
    )
    reading.read(file_of(tmp_path, "from __future__ import annotations\n" + text.split('"""', 2)[2]), "mine.py")
