"""The programs that stand in a page of docs/, and their runs."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def text_of(page: str) -> str:
    """A page as it is written."""
    return (DOCS / f"{page}.md").read_text(encoding="utf-8")


def programs_of(page: str) -> list[str]:
    """Its Python programs."""
    return re.findall(r"^```python\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL)


def run_programs(page: str, count: int) -> None:
    """Run them one after another: there are so many, and the last one holds all of it to something."""
    programs, space = programs_of(page), dict[str, object]()
    assert len(programs) == count and "assert" in programs[-1]
    for program in programs:
        exec(compile(program, f"{page}.md", "exec"), space)
