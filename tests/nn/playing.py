"""Patches around models, and what PyTorch alone makes of the same sound."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph import Patch
from nodegraph.runtime.lane.streams import latency_frames
from tests.nn.conftest import HERE, run

Floats = NDArray[np.float32]
RATE = 48_000
SOFT = np.float32(0.0625)
"""What is heard is made softer by a power of two, which changes no other bit, so that no limiter does."""


def noise(frames: int, channels: int = 1, seed: int = 1) -> Floats:
    return (0.2 * np.random.default_rng(seed).standard_normal((channels, frames))).astype(np.float32)


def patch(kind: str, channels: int = 1, **params: Any) -> Patch:
    """``in~ -> model -> *~ -> out~``, as wide as the model."""
    made = Patch()
    made.add("in~", "in", channels=channels)
    model(made, "model", kind, 1, **params)
    return made


def model(made: Patch, name: str, kind: str, channel: int, source: str = "in.y", **params: Any) -> int:
    """Add a model with its sound in the channels from this one on; gives the next channel after it."""
    made.add(kind, name, **params)
    made.add("*~", f"{name}-soft", b=float(SOFT))
    width = int(spec(made, name).outlet_named["y"].channels)
    made.add("out~", f"{name}-out", channel=channel, channels=width)
    made.connect(source, f"{name}.x")
    made.connect(f"{name}.y", f"{name}-soft.x")
    made.connect(f"{name}-soft.y", f"{name}-out.x")
    return channel + width


def spec(made: Patch, node: str = "model") -> Any:
    return made.graph.view.nodes[node].spec


def late(made: Patch, node: str = "model", rate: int = RATE) -> int:
    return latency_frames(spec(made, node).cls, rate)


@dataclass
class Job:
    """Something for PyTorch alone: sound (batch, channels, frames), so many frames of it at a time."""

    file: Path
    method: str
    sound: Floats
    frames: int
    seed: int = 0


def alone(folder: Path | None, tmp: Path, *jobs: Job) -> list[Floats]:
    """What PyTorch alone makes of them."""
    told = []
    for number, job in enumerate(jobs):
        heard, said = tmp / f"heard{number}.npy", tmp / f"said{number}.npy"
        np.save(heard, job.sound)
        told.append(
            {"file": str(job.file), "method": job.method, "frames": job.frames, "seed": job.seed}
            | {"heard": str(heard), "said": str(said)}
        )
    (tmp / "jobs.json").write_text(json.dumps(told))
    run(folder, HERE / "reference.py", tmp / "jobs.json")
    return [np.load(item["said"]) for item in told]


def assert_comes_back(heard: Floats, wanted: Floats, latency: int, what: str) -> None:
    """What was heard is what was wanted, so many frames later, bit by bit; but for the first fade."""
    fade = 500
    count = min(heard.shape[1] - latency, wanted.shape[1])
    assert count > 10_000, "too short to tell"
    one, two = heard[:, latency + fade : latency + count], SOFT * wanted[:, fade:count]
    differing = np.argwhere(one != two)
    assert not len(differing), f"{what}: {len(differing)} differ, first {differing[0]}, {np.abs(one - two).max()}"
    assert np.abs(two).max() > 1e-4, "silence proves nothing"
    assert not np.any(heard[:, :latency]), "sound before its time"
