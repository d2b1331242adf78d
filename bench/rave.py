"""A genuine export of RAVE through `rave~`: bit by bit what PyTorch alone makes? How late, and how long does it take?

    PYTHONPATH=.torch/torch python bench/rave.py EXPORT.ts [SECONDS]

The file is trusted for the time of the run only, in a config folder of its own.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

FRAMES = 2_048


def main() -> None:
    path, seconds = Path(sys.argv[1]).resolve(), float((sys.argv[2:] or ["4"])[0])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NODEGRAPH_CONFIG"] = folder
        measure(path, seconds, Path(folder))


def measure(path: Path, seconds: float, folder: Path) -> None:
    from nodegraph.core import trust
    from nodegraph.models.torchscript import script_of
    from nodegraph.runtime.lane.streams import latency_frames
    from nodegraph.runtime.player import Player
    from tests.nn.playing import Job, alone, assert_comes_back, noise, patch, spec

    os.chdir(path.parent)
    trust.trust(path, trust.MOST_MODEL_BYTES)
    rate = script_of(path).rate or 48_000
    sound = noise(round(seconds * rate))
    made = patch("rave~", file=path.name, buffer=FRAMES, seed=7)
    latency = latency_frames(spec(made).cls, rate)
    player = Player(made.graph.view, rate, resolve=Path)
    try:
        heard = np.zeros((player.engine.outputs, sound.shape[1]), np.float32)
        player.render(heard, sound)
        status = player.listeners.status()["model"]
    finally:
        player.close()
    torch = next((Path(item) for item in sys.path if (Path(item) / "torch").is_dir()), None)
    whole = sound[:, : sound.shape[1] // FRAMES * FRAMES]
    (wanted,) = alone(torch, folder, Job(path, "forward", whole[None], FRAMES, 7))
    assert_comes_back(heard[:1], wanted[0], latency, path.name)
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, {rate} Hz, {seconds:g} s in chunks of {FRAMES}")
    print("bit by bit what PyTorch alone makes of the same chunks")
    print(f"latency {latency} frames, {1e3 * latency / rate:.1f} ms; nn~ at its usual buffer: 8128 frames")
    print({name: value for name, value in status.items() if "inference" in name or "queue" in name or name == "misses"})


if __name__ == "__main__":
    main()
