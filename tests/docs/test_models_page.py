"""docs/models.md lists the models that there are, with their licences, and the bounds and commands that hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nodegraph.cli import parser
from nodegraph.models import Manifest
from nodegraph.models.catalogue import BEGIN, END, renewed
from nodegraph.models.manifest import shipped
from nodegraph.models.optimize import GAIN, LABELS, MEAN, TO, WORST
from nodegraph.models.users import users
from nodegraph.runtime.lane.budget import IDLE_S

TEXT = (Path(__file__).parents[2] / "docs/models.md").read_text(encoding="utf-8")
TABLE = TEXT.partition(BEGIN)[2].partition(END)[0]


def test_its_table_is_what_manifests_and_nodes_say() -> None:
    assert renewed(TEXT) == TEXT, "run: scripts/catalogue"


@pytest.mark.parametrize("manifest", [item for item in shipped() if item.kind == "model"], ids=lambda item: item.name)
def test_every_model_states_its_licence_and_whether_it_may_be_sold(manifest: Manifest) -> None:
    """Read from the page by itself, so that a table made wrongly is noticed."""
    (row,) = [line for line in TABLE.splitlines() if line.startswith(f"| `{manifest.name}` |")]
    assert manifest.licence in row and ("not for commercial use" in row) == manifest.non_commercial
    for user in users().get(manifest.name, ()):
        assert f"`{user.kind}`" in row


def test_every_model_that_a_node_wants_is_in_the_store() -> None:
    assert set(users()) <= {manifest.name for manifest in shipped()}


def test_its_bounds_are_those_that_hold() -> None:
    for words in (
        f"{GAIN:g} times as fast", f"{100 * WORST:g} %", f"{100 * MEAN:g} %", f"{100 * LABELS:g} %", f"{IDLE_S:g} s",
    ):  # fmt: skip
        assert words in TEXT, words


def test_its_commands_are_understood() -> None:
    commands = re.findall(r"^nodegraph (.*)$", TEXT, re.MULTILINE)
    assert {f"--to {to}" for to in TO} <= {word for line in commands for word in re.findall(r"--to \w+", line)}
    for line in commands:
        words = line.split()
        parser(words).parse_args(words)
