"""What EnCodec's decoder costs while it streams: the full size of facebook/encodec_24khz, random weights, one thread,
codes of eight stages, a few frames at a time with what it remembers. The shares are of real time.

A large part of each call is reading thirty megabytes of weights, so long pieces are cheaper. Beside it stands what it
takes on the same processor to multiply a vector by as many numbers.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from bench.ears import HERE, random_weight
from bench.report import Row, row

NAME: Final = "codecs"
FRAMES: Final = (1, 3, 6)
FRAME_S: Final = 320 / 24_000
STAGES: Final = 8
CALLS: Final = 75
GOAL: Final = "goal 0.12"


def run(rounds: int) -> list[Row]:
    """The median of a call, in parts of the sound that it makes."""
    from nodegraph.models.convert.networks.encodec import encodec_decoder

    about = json.loads((HERE / "shapes" / "encodec.json").read_text(encoding="utf-8"))
    weights = {name: random_weight(name, shape) for name, shape in about["shapes"].items()}
    session = _opened(encodec_decoder(weights, about["config"]).SerializeToString())
    size = sum(value.size for name, value in weights.items() if name.startswith("decoder."))
    matrix = np.ones((size // 1_024, 1_024), np.float32)
    found = []
    reading = []
    for frames in FRAMES:
        took = []
        for _ in range(rounds):
            took.append(_call(session, frames))
            reading.append(_times(lambda: matrix @ matrix[0]))
        share = median(took) / (frames * FRAME_S)
        what = f"encodec.decode~, {1e3 * frames * FRAME_S:.0f} ms at a time"
        found.append(row(what, share, "of real time", f"{1e3 * median(took):.2f} ms; {GOAL}", rounds * CALLS))
    megabytes = matrix.nbytes / 1e6
    found.append(row(f"a vector times {megabytes:.0f} MB", 1e3 * median(reading), "ms", "NumPy", len(reading)))
    return found


def _opened(graph: bytes) -> Any:
    import onnxruntime

    from nodegraph.providers import session_options

    return onnxruntime.InferenceSession(graph, session_options(Path()))


def _call(session: Any, frames: int) -> float:
    """Seconds of a call, in a stream of many."""
    random = np.random.default_rng(1)
    inlets = {item.name: item.shape for item in session.get_inputs()}
    outlets = [item.name for item in session.get_outputs()]
    feed: dict[str, Any] = {
        name: np.zeros([size if isinstance(size, int) else 1 for size in shape], np.float32)
        for name, shape in inlets.items()
    }
    feed["latent"] = np.zeros((1, inlets["latent"][1], frames), np.float32)
    states = [name for name in inlets if name.startswith("state")]

    def call() -> None:
        feed["codes"] = random.integers(0, 1_024, (STAGES, frames))
        said = dict(zip(outlets, session.run(None, feed), strict=True))
        assert np.isfinite(said["sound"]).all()
        feed.update({name: said[f"{name}_next"] for name in states})

    call()
    return _times(call)


def _times(call: Any) -> float:
    took = []
    for _ in range(CALLS):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return median(took)
