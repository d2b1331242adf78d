"""A native node at its limits: controls at the ends of their spans and outside, and memory that is not its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from nodegraph.validation.comparing import first_difference, first_not_finite
from nodegraph.validation.driving import NASTY, counters, cut, drive, promised, within
from nodegraph.validation.finding import Finding
from nodegraph.validation.subject import Subject
from nodegraph.validation.unit import Unit, play

FRAMES = 700
CORNER_FRAMES = 150
CORNERS = 16
OTHER_PATTERN = 0x5A


def parameters(subject: Subject) -> Iterator[Finding]:
    """Controls may jump at audio rate: inside their spans the sound stays finite, outside it recovers."""
    spec = subject.spec
    if not spec.controls:
        return
    for turn in subject.rounds:
        random = subject.random("parameters", turn)
        values = drive(spec, subject.frames, subject.seeds("parameters", turn))
        fixed = promised(spec)
        jumping: dict[str, Any] = {}
        for control in spec.controls:
            ends = np.array([*control.span, control.default], np.float32)
            mixed = within(control, random, (1, subject.frames))
            mixed = np.where(random.random((1, subject.frames)) < 0.3, random.choice(ends, (1, subject.frames)), mixed)
            jumping[control.name] = (
                np.full((1, subject.frames), fixed[control.name], np.float32) if control.name in fixed else mixed
            )
        unit = Unit(spec, settings=subject.settings())
        found = first_not_finite(unit.run(subject.frames, values | jumping, [64]))
        if found is not None:
            yield Finding.of("controls inside their spans make it not finite", found, "every control jumps")
            return
        nasty = {item.name: random.choice(NASTY, (1, 64)) for item in spec.controls}
        unit.run(64, cut(values, 0, 64) | nasty)
        after = first_not_finite(unit.run(subject.frames, values | jumping, [64]))
        if after is not None:
            when = "64 frames of controls far outside their spans, NaN among them, came before"
            yield Finding.of("after controls outside their spans it stays not finite", after, when)
            return


def memory(subject: Subject) -> Iterator[Finding]:
    """It writes into its own memory and reads from it only, whatever its settings and controls are."""
    spec = subject.spec
    ends = list(itertools.product(*(item.span for item in spec.controls)))
    for turn in subject.rounds:
        random = subject.random("memory", turn)
        for settings in subject.extremes():
            for rate in (8_000, 192_000):
                unit = Unit(spec, rate, settings=settings)
                values = drive(spec, FRAMES, subject.seeds("memory", turn))
                few = ends if len(ends) <= CORNERS else [ends[k] for k in random.choice(len(ends), CORNERS, False)]
                for corner in few:
                    controls = dict(zip((item.name for item in spec.controls), corner, strict=True))
                    unit.run(CORNER_FRAMES, cut(values, 0, CORNER_FRAMES) | controls, [1, 64, 85])
                nasty = {item.name: random.choice(NASTY, (1, FRAMES)) for item in spec.controls}
                unit.run(FRAMES, values | nasty, [1, 90, FRAMES], messages=dict.fromkeys(counters(spec), 1))
                poison = {name: random.choice(NASTY, v.shape) for name, v in values.items() if np.ndim(v) == 2}
                unit.run(FRAMES, poison | nasty)
    yield from _reads_beside(subject)


def _reads_beside(subject: Subject) -> Iterator[Finding]:
    """The same sound whatever lies beside its memory: a node that reads there gives another."""
    spec = subject.spec
    for moving, settings in itertools.product((False, True), subject.extremes()):
        values = drive(spec, subject.frames, subject.seeds("beside"), moving=moving)
        first, second = (
            play(spec, subject.frames, values, settings=settings, pattern=pattern) for pattern in (0xA5, OTHER_PATTERN)
        )
        different = first_difference(first, second)
        if different is not None:
            yield Finding.of("the sound depends on memory beside its arrays", different)
            return
