"""docs/listening.md runs as it stands, and names the nodes that there are."""

from __future__ import annotations

import re

from nodegraph.core.registry import registry
from tests.docs.programs import programs_of, run_programs, text_of

TEXT = text_of("listening")


def test_its_programs_run_one_after_another() -> None:
    run_programs("listening", 3)
    assert all("assert" in program for program in programs_of("listening"))


def test_its_tables_name_every_node_of_both_families() -> None:
    listed = set(re.findall(r"^\| `([\w.]+)` \|", TEXT, re.MULTILINE))
    assert listed == {spec.kind for spec in registry() if spec.kind.startswith(("tags.", "vector."))}
    for kind in re.findall(r"`([\w.]+~)`", TEXT):
        assert registry().get(kind) is not None, kind
