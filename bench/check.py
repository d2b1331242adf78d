"""What it costs a user to have a patch checked: `nodegraph check` from the shell, 4 nodes and 200.

The control, by turns with it, is the same Python that only imports numpy, on which everything here stands. Processor
time counts, user and system, of the whole process; the median over the rounds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bench.report import Row, row

NAME: Final = "check"
ROOT: Final = Path(__file__).parents[1]
MOST_S: Final = 1.0


def run(rounds: int) -> list[Row]:
    """Processor and wall-clock time, and ratios to the control."""
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "control": ["-c", "import numpy"],
            "4 nodes": ["-m", "nodegraph", "check", str(patch(Path(folder) / "small.ng", 1))],
            "200 nodes": ["-m", "nodegraph", "check", str(patch(Path(folder) / "big.ng", 66))],
        }
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(max(3, rounds)):
            for name, command in commands.items():
                took[name].append(timed(command))
    cpu, wall = ({name: statistics.median(pair[k] for pair in pairs) for name, pairs in took.items()} for k in (0, 1))
    many = max(3, rounds)
    return [
        *(row(f"check, {name}, CPU", cpu[name], "s", f"goal: {MOST_S:g} s", many) for name in ("4 nodes", "200 nodes")),
        row("check, 200 nodes, wall clock", wall["200 nodes"], "s", f"goal: {MOST_S:g} s", many),
        row("check, 200 nodes, CPU", cpu["200 nodes"] / cpu["control"], "times", "a process that imports numpy", many),
    ]


def patch(path: Path, voices: int) -> Path:
    """A patch file of saws through filters into a mixer."""
    from nodegraph import Patch

    made = Patch(path.stem)
    mix = made.add("mix~")
    made.connect(mix, made.add("out~"))
    for voice in range(voices):
        saw, cut, level = made.add("saw~", freq=100 + voice), made.add("svf~"), made.add("gain~", gain=0.01)
        made.connect(saw, cut, level, mix)
    return made.save(path)


def timed(command: list[str]) -> tuple[float, float]:
    """Processor time and wall-clock time of a process of Python, in seconds."""
    began, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, *command], check=True, cwd=ROOT, capture_output=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return used, time.perf_counter() - began
