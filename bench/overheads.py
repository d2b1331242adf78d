"""What the way to a worker and back adds to a call of the model: a large listener (AST, full size, 8-bit, random
weights) and a tiny one (Silero's VAD, a chunk of 32 ms), 16 kHz both, from an engine at 48 kHz.

Each call goes through a ring, a socket, a worker process and back, one after another; what is told is its wall-clock
time less the time in `infer`: waking, resampling and sending included. The model by itself is the control, measured in
the same calls.
"""

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np

from bench.ears import prepared
from bench.lane import RATE
from bench.report import Row, row

NAME: Final = "overheads"
PIECE: Final = 4_096
CALLS: Final = {"ast.tag~": 8, "vad~": 300}
GOALS: Final = {"ast.tag~": "goal: below 5 % of the model", "vad~": "goal: below 0.3 ms"}


def run(rounds: int) -> list[Row]:
    """The median of what the way adds, in milliseconds and in parts of the model's own time."""
    found = []
    for kind, calls in CALLS.items():
        count = calls * max(1, rounds // 2)
        adds, model = measured(kind, count)
        found.append(row(f"{kind}: the way adds to a call", adds, "ms, median", GOALS[kind], count))
        found.append(row(f"{kind}: of the model's own time", 100.0 * adds / model, "%", f"{model:.3g} ms in the model"))
    return found


def measured(kind: str, count: int) -> tuple[float, float]:
    """Milliseconds outside the model and in it."""
    from nodegraph.core import registry
    from nodegraph.models import Store
    from nodegraph.runtime.lane import Lane, Ring, ring_frames

    spec: Any = registry().get(kind)
    files = {"model": prepared("ast")} if kind == "ast.tag~" else Store().files("silero-vad")
    hears = spec.cls.hears
    step = round(hears.seconds * RATE)
    ring, lane = Ring(1, ring_frames(hears, RATE)), Lane(RATE, lambda name: files)
    outside, inside = [], []
    try:
        lane.add("it", spec, {}, {item.name: item.default for item in spec.controls}, ring)
        assert lane.wait_ready(120.0) and lane.status()["it"].state == "ready", lane.status()
        random = np.random.default_rng(1)
        end = 0
        for number in range(count):
            for piece in np.array_split(random.uniform(-0.3, 0.3, step).astype(np.float32), -(-step // PIECE)):
                ring.write(end, piece[None])
                end += len(piece)
            time.sleep(0.005)  # as between two calls of a patch that plays: the worker sleeps
            began = time.perf_counter()
            lane.request("it", number, end, {})
            while not (answers := lane.poll()):
                lane.wait(30.0)
            took = time.perf_counter() - began
            if answers[0].infer_s > 0.0:  # the resampler holds the first one back
                outside.append(1e3 * (took - answers[0].infer_s))
                inside.append(1e3 * answers[0].infer_s)
    finally:
        lane.close()
        ring.close()
    return float(np.median(outside)), float(np.median(inside))
