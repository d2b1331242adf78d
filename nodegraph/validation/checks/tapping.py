"""Taps: they get sound in chunks, silence and NaN among it, of any number of channels."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from nodegraph.validation.checks.talking import finite_answers
from nodegraph.validation.comparing import Floats
from nodegraph.validation.finding import Finding, Note
from nodegraph.validation.messages import raised, unfit
from nodegraph.validation.rig import Heard, noise, patch_around, play
from nodegraph.validation.subject import USUAL_RATE, Subject

ODD = 177
"""Frames beyond whole chunks: the last chunk is shorter."""
CHUNKS = 3
MOST_FRAMES = 200_000


def chunks(subject: Subject) -> Iterator[Finding | Note]:
    """It hears silence, noise and NaN, of 1 to 64 channels, in whole chunks and a short last one."""
    spec = subject.spec
    for settings in subject.extremes():
        found, frames = _length(subject, settings)
        if found is not None:
            yield found
            return
        for channels in subject.channels:
            for name, sound in _sounds(subject, channels, frames).items():
                document = patch_around(subject, settings, channels=channels)
                heard = play(subject, document, frames, ins=sound)
                when = f"{name}, {channels} channels"
                found = raised(heard, when=when) or _legal(subject, heard, when)
                if found is None and name != "NaN":
                    found = finite_answers(spec, heard, when)
                if found is not None:
                    yield found
                    return
    yield _cost(subject)


def _length(subject: Subject, settings: dict[str, Any]) -> tuple[Finding | None, int]:
    """How many frames it takes with these settings until a few chunks are answered."""
    node: Any = subject.spec.cls()
    node.settings = {item.name: item.default for item in subject.spec.settings} | settings
    node.controls = {item.name: item.default for item in subject.spec.controls}
    node.host = SimpleNamespace(rate=USUAL_RATE)
    stride = node.stride()
    if not isinstance(stride, int) or isinstance(stride, bool) or stride < 1:
        return Finding("stride() gives no count of frames", values=(repr(stride), "1 or more")), 0
    return None, min(CHUNKS * stride, MOST_FRAMES) + ODD + round(node.answer_s * USUAL_RATE)


def _sounds(subject: Subject, channels: int, frames: int) -> dict[str, Floats]:
    random = subject.random("chunks", channels)
    broken = noise(random, channels, frames)
    broken[:, frames // 3 : frames // 2] = np.nan
    broken[:, frames // 2 : frames // 2 + 10] = np.inf
    return {
        "silence": np.zeros((channels, frames), np.float32),
        "noise": noise(random, channels, frames),
        "full scale": np.sign(noise(random, channels, frames)),
        "NaN": broken,
    }


def _legal(subject: Subject, heard: Heard, when: str) -> Finding | None:
    for event in heard.events:
        why = unfit(event, subject.spec.outlet_named[event.port])
        if why:
            return Finding(f"it sends what is no message: {why}", event.port, None, event.frame, when=when)
    return None


def _cost(subject: Subject) -> Note:
    """What a chunk costs, from a run of a second."""
    document = patch_around(subject)
    sound = noise(subject.random("cost"), 1, USUAL_RATE)
    began = time.perf_counter()
    play(subject, document, USUAL_RATE, ins=sound)
    took = time.perf_counter() - began
    return Note(f"{1e3 * took:.1f} ms a second of sound", "ms_per_second", round(1e3 * took, 3))
