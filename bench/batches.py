"""What it would gain to run equal models as one batch: the time for one of `many` sounds that are given at once,
against one sound alone, on one thread; and whether the first of them gets the same bits. Real weights.

docs/decisions/0031 stands on it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.report import Row, row

NAME: Final = "batches"
SHAPES: Final = {
    "sound-effects": (100, 96),
    "musicnn-mtt": (187, 96),
    "crepe-tiny": (1_024,),
    "voice-encoder": (160, 40),
}
"""Models that take any number of sounds at once, and what they are given of each."""
MANY: Final = 4
CALLS: Final = 10


def run(rounds: int) -> list[Row]:
    """Time a sound in a batch, in parts of the time of one alone; the least of each round's calls."""
    found = []
    for name, shape in SHAPES.items():
        session, inlet = _session(name)
        sounds = np.random.default_rng(1).uniform(0.0, 1.0, (MANY, *shape)).astype(np.float32)
        alone, together = session.run(None, {inlet: sounds[:1]}), session.run(None, {inlet: sounds})
        same = all(np.array_equal(one[0], many[0]) for one, many in zip(alone, together, strict=True))
        ratios = []
        for _ in range(rounds):
            one, many = (_least(session, inlet, given) for given in (sounds[:1], sounds))
            ratios.append(many / (MANY * one))
        bits = "the same bits" if same else "other bits"
        found.append(row(f"{name}: one of {MANY} at once", float(np.median(ratios)), "of one alone", bits, rounds))
    return found


def _session(name: str) -> tuple[Any, str]:
    import onnxruntime

    from nodegraph.models import Store
    from nodegraph.providers import session_options

    path = Path(Store().files(name)["model"])
    session = onnxruntime.InferenceSession(path.read_bytes(), session_options(path.parent))
    return session, session.get_inputs()[0].name


def _least(session: Any, inlet: str, sounds: Any) -> float:
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        session.run(None, {inlet: sounds})
        times.append(time.perf_counter() - began)
    return min(times)
