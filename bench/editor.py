"""The editor's cost with 500 objects and 800 cables, drawn in software: a frame while a box is dragged, and a second in
which nothing happens. Processor time of the editor's process alone, all of its threads; the engine plays beside it.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.editor.desktop import Driven, end_engines, screen

NAME = "editor"
NODES, CABLES, ACROSS = 500, 800, 25
DRAGS, STEPS = 4, 40
IDLE_S = 10.0


def patch(nodes: int = NODES, cables: int = CABLES) -> str:
    """A patch of so many nodes in rows, joined downwards."""
    chance = random.Random(1)
    kinds = {f"n{index}": "svf~" if index % 5 == 1 else "gain~" for index in range(nodes)}
    view = {f"n{index}": [index % ACROSS * 130, index // ACROSS * 90] for index in range(nodes)}
    laid: set[str] = set()
    while len(laid) < cables:
        start = chance.randrange(nodes - ACROSS)
        end = min(nodes - 1, start + ACROSS + chance.randrange(-3, 4))
        laid.add(f"n{start}.{'low' if kinds[f'n{start}'] == 'svf~' else 'y'} -> n{end}.x")
    data = {"nodegraph": 1, "nodes": {id: {"kind": kind} for id, kind in kinds.items()}, "cables": sorted(laid)}
    return json.dumps(data | {"view": view})


def busy_s(pid: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(rounds: int) -> list[dict[str, Any]]:
    """Rows for the table."""
    frames: list[float] = []
    idle: list[float] = []
    starts: list[float] = []
    with tempfile.TemporaryDirectory() as name, screen() as display:
        folder = Path(name)
        (folder / "big.ng").write_text(patch())
        for _ in range(rounds):
            editor = Driven(display, folder, ["big.ng", "--driver", "null"])
            try:
                starts.append(editor.usable_s)
                frames.append(_dragging(editor))
                idle.append(_resting(editor))
            finally:
                editor.kill()
                end_engines(folder)
    return [
        {"what": "a frame while boxes are dragged", "ms": 1000 * min(frames), "most": 1000 * max(frames), "goal": 60},
        {"what": "nothing happens, of a core in %", "ms": 100 * min(idle), "most": 100 * max(idle), "goal": 10},
        {"what": "from the command to usable", "ms": 1000 * min(starts), "most": 1000 * max(starts), "goal": 1500},
    ]


def show(rows: list[dict[str, Any]]) -> None:
    """The table."""
    for row in rows:
        print(f"{row['what']:40} {row['ms']:8.1f} to {row['most']:8.1f}   (goal {row['goal']})")


def _dragging(editor: Driven) -> float:
    """Processor seconds of a frame while a box is carried."""
    state = editor.settled()
    x, y = state["boxes"]["n262"]["middle"]
    editor.point((x, y))
    editor._tool("mousedown", "1")
    editor.until(lambda state: state["doing"] == "moving", "that it is moving")
    begun, busy = editor.state["frames"], busy_s(editor.process.pid)
    for step in range(DRAGS * STEPS):
        editor.point((x + 40 + step, y + step % STEPS))  # to and fro in x would shake its cables off
    editor.frames(1)
    spent, frames = busy_s(editor.process.pid) - busy, editor.state["frames"] - begun
    editor._tool("mouseup", "1")
    editor.settled()
    return spent / frames


def _resting(editor: Driven) -> float:
    """The share of a core while nothing happens."""
    editor.point((5, 5))
    time.sleep(2.0)  # what was begun comes to its end
    busy, begun = busy_s(editor.process.pid), time.monotonic()
    time.sleep(IDLE_S)
    return (busy_s(editor.process.pid) - busy) / (time.monotonic() - begun)
