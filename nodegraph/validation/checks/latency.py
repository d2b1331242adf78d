"""How late a node is, measured: two sounds that differ from one frame on must differ at the outlets so much later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from nodegraph.validation.driving import drive, promised, signals
from nodegraph.validation.finding import Finding, NotApplicable
from nodegraph.validation.subject import Subject
from nodegraph.validation.unit import is_wide, play

SPARE = 4_096
"""Frames that are looked at after the declared latency."""
QUIET, LOUD = 1e-3, 1.0
WAYS = ((QUIET, False), (LOUD, False), (LOUD, True))
"""How large the change is, and whether controls move meanwhile. At first so soft that what looks ahead for loud sounds
does not act; where nothing of that is heard (it rounds, it waits for a stroke), loud; then with controls that move, for
what acts only when one of them does."""


class Measured(NamedTuple):
    """So many frames later the outlets differ, first at this outlet and channel."""

    frames: int
    port: str
    channel: int


class Trial(NamedTuple):
    """When the change comes, and how the node stands."""

    at: int
    settings: dict[str, Any]
    controls: dict[str, Any]


def latency(subject: Subject) -> Iterator[Finding]:
    """The declared latency is the measured one.

    Where all trials (other moments, controls, settings) come out equally late, that is the latency. Where they do not,
    or where a trial's change is not heard, the delay is the node's effect: then it only says that the latency is not
    longer than that.
    """
    spec = subject.spec
    names = signals(spec)
    if not names:
        if spec.cls.latency(48_000) != 0:
            values = str(spec.cls.latency(48_000)), "0"
            yield Finding("nothing comes in that could come out late, and a latency is declared", values=values)
        return
    measured_any = False
    trials = list(_trials(subject))
    for rate in subject.rates:
        declared = spec.cls.latency(rate)
        for size, moving in WAYS:
            measured = [_measure(subject, rate, declared, trial, size, moving) for trial in trials]
            found = [item for item in measured if item is not None]
            if len(found) >= 2:
                break
        else:
            continue
        measured_any = True
        latest = max(found)
        if latest.frames < declared:
            yield _finding("it comes out earlier than declared", latest, declared, f"at {rate} Hz")
            return
        if latest.frames > declared and min(found).frames == latest.frames and len(found) == len(trials):
            yield _finding("it comes out later than declared", latest, declared, f"at {rate} Hz")
            return
    if not measured_any:
        raise NotApplicable("nothing that comes in is heard at the outlets within the time that was looked at")


def _finding(what: str, measured: Measured, declared: int, when: str) -> Finding:
    values = f"{measured.frames} frames", f"{declared} frames"
    return Finding(what, measured.port, measured.channel, measured.frames, values, when)


def _trials(subject: Subject) -> Iterator[Trial]:
    """Other moments, then other controls and settings."""
    spec = subject.spec
    base = subject.settings()
    fixed = {name: value for name, value in promised(spec).items() if name in spec.inlet_named}
    for at in (100, 137, 451):
        yield Trial(at, base, fixed)
    for number, settings in enumerate(subject.extremes()):
        if number < 4:
            driven = drive(spec, 1, subject.seeds("latency", number)).items()
            yield Trial(
                200 + number, settings, {name: value for name, value in driven if name not in signals(spec)} | fixed
            )


def _measure(subject: Subject, rate: int, declared: int, trial: Trial, size: float, moving: bool) -> Measured | None:
    """By how many frames the outlets lag behind a change of this size, or None when they do not differ."""
    spec, at = subject.spec, trial.at
    frames = at + declared + SPARE
    random = subject.random("latency", at)
    x = (0.3 * size * random.standard_normal((2 if is_wide(spec) else 1, frames))).astype(np.float32)
    other = x.copy()
    other[:, at:] += size
    controls = dict(trial.controls)
    if moving:
        driven = drive(spec, frames, subject.seeds("latency moving", at), moving=True)
        controls = {name: value for name, value in driven.items() if name not in signals(spec)}
    first, second = (
        play(spec, frames, controls | dict.fromkeys(signals(spec), sound), rate=rate, settings=trial.settings)
        for sound in (x, other)
    )
    found: Measured | None = None
    for name in first:
        wrong = np.argwhere(first[name].view(np.int32) != second[name].view(np.int32))
        if len(wrong):
            channel, frame = map(int, wrong[wrong[:, 1].argmin()])
            if found is None or frame - at < found.frames:
                found = Measured(frame - at, name, channel)
    return found
