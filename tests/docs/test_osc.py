"""docs/osc.md keeps its word: its programs run, its tables and figures are those of the code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from nodegraph.osc import feedback, own, packets
from nodegraph.osc.door import HORIZON_S, Door
from nodegraph.osc.handling import NOTE_INLETS
from nodegraph.osc.limits import Counters
from nodegraph.runtime.player import LOOKAHEAD_S

TEXT = (Path(__file__).parents[2] / "docs" / "osc.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """The rows of the tables below a heading, without their heads."""
    part = TEXT.split(f"## {title}\n")[1].split("\n## ")[0]
    found = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines() if line.startswith("|")
    ]
    return [row for row in found if row[0].startswith("`")]


def test_its_programs_run_one_after_another() -> None:
    space: dict[str, object] = {}
    found = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(found) == 5 and all("assert" in program for program in found[1:])
    try:
        for program in found:
            exec(compile(program, "osc.md", "exec"), space)
    finally:
        for name in ("door", "session"):
            if name in space:
                space[name].close()  # type: ignore[attr-defined]
        if "client" in space:
            space["client"]._sock.close()  # type: ignore[attr-defined]


def test_its_addresses_are_those_of_the_door() -> None:
    named = {row[0].strip("`") for row in rows("Transport, session, listeners")}
    assert named == set(re.findall(r"``(/[\w/]+)``", own.__doc__ or ""))
    assert all(f"`{name}`" in TEXT for name in NOTE_INLETS)


def test_its_options_and_counters_are_those_of_the_code() -> None:
    table = rows("Who may come, and where nodes may send")
    parameters = inspect.signature(Door).parameters
    options = {row[0].strip("`"): row[1] for row in table if len(row) == 3}
    assert list(options) == [name for name in parameters if name != "session"]
    for name, default in options.items():
        value = parameters[name].default
        assert default == ("none" if value == () else f"{value:g}" if isinstance(value, float) else str(value)), name
    counters = [name for row in table if len(row) == 2 for name in re.findall(r"`(\w+)`", row[0])]
    assert counters == [*Counters().as_data(), "lost"]


def test_its_figures_are_those_of_the_code() -> None:
    assert f"{packets.LARGEST} bytes, {packets.MOST_MESSAGES} messages and {packets.MOST_ARGS} arguments" in TEXT
    assert f"at most {packets.DEEPEST} deep" in TEXT and f"{feedback.MOST} may listen" in TEXT
    assert f"for {feedback.LASTS_S:.0f} seconds" in TEXT and f"at most {1 / feedback.PERIOD_S:.0f} times" in TEXT
    assert f"more than {HORIZON_S:.0f} seconds ahead" in TEXT
    assert f"handled {LOOKAHEAD_S * 1_000:.0f} ms before" in TEXT
