"""docs/validating.md keeps its word: its example fails and is mended as it says, its tables are what the code has."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from nodegraph.commands import validate
from nodegraph.core import registry
from nodegraph.core.spec import Role
from nodegraph.nodes.filters import Biquad
from nodegraph.validation.catalogue import CHECKS
from nodegraph.validation.pool import LIMIT_S
from nodegraph.validation.subject import LEVELS, USUAL_LEVEL, Subject
from tests.cli.conftest import Command, nodegraph

__all__ = ["nodegraph"]
TEXT = (Path(__file__).parents[2] / "docs" / "validating.md").read_text(encoding="utf-8")
FAULTY, MENDED = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
(SAID,) = re.findall(r"^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def part(title: str) -> str:
    """The text below a heading."""
    return TEXT.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The rows of its table, without the head."""
    lines = [line for line in part(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the reader is: the page's file, the same in a package, and a patch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_nodes.py").write_text(FAULTY)
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "__init__.py").write_text("")
    (tmp_path / "my_package" / "nodes.py").write_text(FAULTY)
    (tmp_path / "my_patch.ng").write_text(
        '{"nodegraph": 1, "nodes": {"x": {"kind": "inlet~"}, "y": {"kind": "outlet~"}}, "cables": ["x.y -> y.x"]}'
    )
    yield tmp_path
    for name in ("my_nodes", "my_package", "my_package.nodes"):
        sys.modules.pop(name, None)


def test_its_example_fails_as_it_says_and_is_mended_as_it_says(nodegraph: Command, here: Path) -> None:
    said = nodegraph("validate", "my_nodes.py")
    assert said.code == 2 and said.out.endswith(f"\n{SAID}")
    line, imported = MENDED.strip().split("  # ")
    text = re.sub(r"line\[at\] = now$", line, FAULTY, flags=re.MULTILINE)
    (here / "my_nodes.py").write_text(f"{imported}\n{text}")
    said = nodegraph("validate", "my_nodes.py")
    assert said.code == 0 and said.out.endswith("level 5, seed 1: 23 passed\n")


COMMANDS = [
    line.split("#")[0].split() for line in re.findall(r"^(?:- run: )?nodegraph (validate .*)", TEXT, re.MULTILINE)
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_its_commands_are_understood(nodegraph: Command, here: Path, words: list[str]) -> None:
    """Each is run, the long ones for one check."""
    less = [] if "--checks" in words else ["--check", "ports", "--json"]
    said = nodegraph(*words, *less)
    assert said.code == 0, said.err
    if less:
        kinds = [node["kind"] for node in json.loads(said.out)["nodes"]]
        every = [spec.kind for spec in registry()]
        word = words[1]
        own = "my_patch.ng" if word.endswith(".ng") else "svf~" if word == "svf~" else "echoes~"
        assert kinds == (every if word == "--all" else [own])


def test_without_its_class_a_module_is_all_that_it_declares(nodegraph: Command, here: Path) -> None:
    said = nodegraph("validate", "my_package.nodes", "--check", "help", "--json")
    assert [node["kind"] for node in json.loads(said.out)["nodes"]] == ["echoes~"]


def test_its_checks_are_those_that_there_are() -> None:
    assert rows("What is checked") == [
        [f"`{check.name}`", str(check.level), check.whom, check.promise] for check in CHECKS
    ]
    known = set(re.findall(r"`(\w+)`", part("What is checked").split("The roles are")[1]))
    assert {role.value for role in Role} <= known


def test_its_levels_are_those_that_there_are() -> None:
    spec = registry().get("svf~")
    assert spec is not None
    found = []
    for level in LEVELS:
        subject = Subject(spec, registry(), Path(), level)
        counts = (
            level, sum(check.level <= level for check in CHECKS), len(subject.rounds), subject.frames,
            len(subject.rates), len(subject.channels), len(list(subject.cuts())),
        )  # fmt: skip
        found.append([f"{count:,}".replace(",", " ") for count in counts])
    assert rows("Levels") == found
    assert f"Level {USUAL_LEVEL} is the usual one" in TEXT and f"({LIMIT_S:.0f} seconds for one check)" in TEXT


def test_the_promises_with_a_condition_are_those_of_a_real_filter() -> None:
    stated = re.search(r"validate_with = (\{.*?\})", TEXT)
    assert stated and json.loads(stated[1]).items() <= Biquad.validate_with.items()


def test_programs_find_the_keys_that_it_names(nodegraph: Command, here: Path) -> None:
    told = part("For programs")
    said = json.loads(nodegraph("validate", "my_nodes.py", "--json").out)
    assert set(said) == {"level", "seed", "failed", "nodes"}
    (node,) = said["nodes"]
    assert set(node) == {"kind", "role", "checks"}
    checks = {check["check"]: check for check in node["checks"]}
    assert set(checks["blocks"]) == {"check", "state", "took_s", "findings", "notes"}
    assert set(checks["recovery"]) == {*checks["blocks"], "repeat"}
    (finding,) = checks["recovery"]["findings"]
    assert set(finding) == {"what", "port", "channel", "frame", "values", "when"}
    names = {*said, *node, *checks["recovery"], *finding, "why", checks["cost"]["notes"][0]["name"], *validate.MARKS}
    assert names <= set(re.findall(r"`(\w+)`", told))
    assert nodegraph("validate", "svf~", "--check", "help").code == 0
    assert nodegraph("validate", "nothing~").code == 2
