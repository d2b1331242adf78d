"""docs/listening.md runs as it stands, and names the nodes that there are."""

from __future__ import annotations

import re
from pathlib import Path

from nodegraph.core.registry import registry

TEXT = (Path(__file__).parents[2] / "docs" / "listening.md").read_text(encoding="utf-8")


def test_its_programs_run_one_after_another() -> None:
    space: dict[str, object] = {}
    programs = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(programs) == 3
    for program in programs:
        assert "assert" in program
        exec(compile(program, "listening.md", "exec"), space)


def test_its_tables_name_every_node_of_both_families() -> None:
    listed = set(re.findall(r"^\| `([\w.]+)` \|", TEXT, re.MULTILINE))
    assert listed == {spec.kind for spec in registry() if spec.kind.startswith(("tags.", "vector."))}
    for kind in re.findall(r"`([\w.]+~)`", TEXT):
        assert registry().get(kind) is not None, kind
