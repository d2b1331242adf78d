"""docs/adding-a-node.md runs as it stands: its Python blocks, in order, are one module."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from nodegraph.cli import main
from nodegraph.core import NodeSpec, registry
from nodegraph.core.spec import Role
from nodegraph.runtime import lint
from nodegraph.runtime.kernels.builtins import _WORDS
from nodegraph.validation.naming import resolve
from nodegraph.validation.pool import validate_all

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-node.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page as an imported module: its asserts have held when this is done."""
    path = tmp_path_factory.mktemp("page") / "my_nodes.py"
    path.write_text("\n\n".join(BLOCKS), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("my_nodes", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["my_nodes"] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules["my_nodes"]


def specs(page) -> list[NodeSpec]:
    found = [getattr(value, "spec", None) for value in vars(page).values() if isinstance(value, type)]
    return [item for item in found if isinstance(item, NodeSpec) and item.cls.__module__ == "my_nodes"]


def test_the_page_runs_and_has_an_example_of_each_kind(page):
    roles = sorted(item.role.value for item in specs(page))
    assert roles == ["block", "event", "event", "inference", "kernel", "route", "route", "tap"]
    assert all(item.cls.examples for item in specs(page) if item.cls.shapes)
    assert not any(item.kind in registry() for item in specs(page)), "an example has the name of a real node"


def test_the_examples_pass_the_validator_and_their_kernels_call_nothing(page):
    """The listener's model is not in the store, so of it only the declaration is looked at."""
    reports = validate_all(resolve([page.__file__]), level=6, seed=1)
    assert sorted(report.role for report in reports) == sorted(item.role.value for item in specs(page))
    for report in reports:
        assert not [finding.describe() for outcome in report.failed for finding in outcome.findings], report.kind
        assert sum(outcome.state == "passed" for outcome in report.outcomes) >= 4, report.kind
    native = [spec for spec in specs(page) if spec.role in (Role.KERNEL, Role.BLOCK)]
    assert len(native) == 2 and not lint.lint(native, []).findings


def test_the_commands_that_the_page_shows_are_understood(page, capsys):
    """`my_package.nodes` is the reader's own; the others are run, at the lowest level."""
    lines = re.findall(r"^nodegraph (validate [^#\n]*)", TEXT, re.MULTILINE)
    assert len(lines) >= 3
    for words in map(str.split, lines):
        if "my_package.nodes:Reverse" in words:
            words[words.index("my_package.nodes:Reverse")] = "my_nodes.py:Reverse"
        given = [word.replace("my_nodes.py", page.__file__) for word in words]
        assert main([*given, "--level", "1", "--check", "ports"]) == 0, capsys.readouterr()


def test_the_listening_example_tells_low_from_high(page, tmp_path):
    said = page.tried(tmp_path)
    assert said["tag"][0].label == "oo" and said["tag"][0].score > 0.9
    assert said["scores"].shape == (2,) and said["scores"].dtype == np.float32


def test_the_words_that_the_page_lists_are_those_of_the_language():
    part = TEXT[TEXT.index("`abs min max") : TEXT.index("numbers and functions of your module")]
    listed = {word for quoted in re.findall(r"`([a-z_0-9 ]+)`", part) for word in quoted.split()}
    known = {function.__name__ for function in _WORDS}
    of_arrays = {"len", "rows", "still", "vector", "beside", "swap_places", "swap_quads"}
    on_blocks = TEXT[TEXT.index("## A block node") : TEXT.index("## An event node")]
    told = {word for quoted in re.findall(r"`([a-z_]+)(?:\(.*?\))?`", on_blocks) for word in quoted.split()}
    assert of_arrays <= told, f"the part on block nodes says nothing of {of_arrays - told}"
    renamed = {"float", "int"}  # Python's names for f32 and i64
    assert listed == known - of_arrays - renamed


def test_links_to_files_lead_somewhere():
    for path in re.findall(r"`(nodegraph/[\w/]+/)`", TEXT):
        assert (PAGE.parents[1] / path).is_dir(), path
