"""What comes out of a native node is finite, whatever sound goes in, and it forgets what was none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nodegraph.core.ports import CableKind, Control
from nodegraph.validation.comparing import Floats, Sounds, first_not_finite
from nodegraph.validation.driving import cut, drive, promised, signals
from nodegraph.validation.finding import Finding
from nodegraph.validation.subject import USUAL_RATE, Subject
from nodegraph.validation.unit import Unit, is_wide, play

BAD = {"NaN": np.nan, "infinity": np.inf, "minus infinity": -np.inf, "denormals": 1e-40}
POISONED = 64
"""Frames of what is no sound, and the block after which it must be forgotten."""
NOT_FINITE = "what comes out is not finite"


def silence(subject: Subject) -> Iterator[Finding]:
    """Silence in gives finite sound out, and every frame of every outlet is written."""
    for rate in subject.rates:
        sound = _signals(subject, np.zeros((2, subject.frames), np.float32))
        yield from _finite(subject, sound | _fixed(subject), f"silence at {rate} Hz", rate)


def impulse(subject: Subject) -> Iterator[Finding]:
    """An impulse in gives finite sound out."""
    for rate in subject.rates:
        sound = np.zeros((2, subject.frames), np.float32)
        sound[:, 0] = 1.0
        yield from _finite(subject, _signals(subject, sound) | _fixed(subject), f"an impulse at {rate} Hz", rate)


def white_noise(subject: Subject) -> Iterator[Finding]:
    """White noise in gives finite sound out, with controls by chance, still and moving."""
    for turn in subject.rounds:
        for moving in (False, True):
            values = drive(subject.spec, subject.frames, subject.seeds("noise", turn), moving=moving)
            when = f"noise, controls {'moving' if moving else 'still'}"
            yield from _finite(subject, values, when, USUAL_RATE)


def sweep(subject: Subject) -> Iterator[Finding]:
    """A sweep from 20 Hz to half the rate gives finite sound out."""
    for rate in subject.rates:
        time = np.arange(subject.frames) / rate
        length, top = subject.frames / rate, 0.49 * rate
        phase = 2.0 * np.pi * 20.0 * length / np.log(top / 20.0) * ((top / 20.0) ** (time / length) - 1.0)
        sound = np.tile(np.sin(phase).astype(np.float32), (2, 1))
        still = {
            name: value
            for name, value in drive(subject.spec, 1, subject.seeds("sweep", rate)).items()
            if isinstance(subject.spec.inlet_named[name], Control)
        }
        yield from _finite(subject, _signals(subject, sound) | still, f"a sweep at {rate} Hz", rate)


def recovery(subject: Subject) -> Iterator[Finding]:
    """NaN, infinity and denormals are forgotten within a block, and the sound goes on."""
    spec = subject.spec
    frames = subject.frames
    for turn in subject.rounds:
        for name, bad in BAD.items():
            for moving in (False, True):
                when = f"{POISONED} frames of {name} from frame {POISONED}, controls {'moving' if moving else 'still'}"
                good = drive(spec, frames, subject.seeds("recovery", turn), moving=moving)
                poison = {
                    key: np.full_like(value[:, :POISONED], bad) if np.ndim(value) == 2 else value
                    for key, value in good.items()
                }
                unit = Unit(spec, settings=subject.settings())
                unit.run(POISONED, cut(good, 0, POISONED))
                during = unit.run(POISONED, poison)
                if name == "denormals" and not promised(spec) and (found := first_not_finite(during)):
                    yield Finding.of("a denormal is a number, and what comes out is none", found, when)
                    return
                after = unit.run(frames - 2 * POISONED, cut(good, 2 * POISONED), [64])
                found = first_not_finite(after)
                if found is not None:
                    found = found._replace(frame=2 * POISONED + (found.frame or 0))
                    yield Finding.of("it does not forget what was no number within a block", found, when)
                    return
                yield from _silenced(subject, good, after, when)


def _silenced(subject: Subject, good: dict[str, Any], after: Sounds, when: str) -> Iterator[Finding]:
    """What would sound all the time without the poison must not be silent for ever after it."""
    clean = play(subject.spec, subject.frames, good, settings=subject.settings(), split=[64])
    last = subject.frames // 4
    for item in subject.spec.outlets:
        if item.kind is not CableKind.SIGNAL:
            continue
        for name in (key for key in clean if key.split(".")[0] == item.name):
            sounding = (clean[name][:, -last:] != 0.0).mean(axis=1)
            silent = ~after[name][:, -last:].any(axis=1)
            stuck = np.flatnonzero((sounding > 0.5) & silent)
            if len(stuck):
                values = "0.0", str(clean[name][stuck[0], -1])
                yield Finding("it stays silent for ever", name, int(stuck[0]), subject.frames - 1, values, when)
                return


def _signals(subject: Subject, sound: Floats) -> dict[str, Any]:
    """`sound` at every signal inlet: two channels where a node sees all, else one."""
    rows = sound if is_wide(subject.spec) else sound[:1]
    return dict.fromkeys(signals(subject.spec), rows)


def _fixed(subject: Subject) -> dict[str, Any]:
    return {name: value for name, value in promised(subject.spec).items() if name in subject.spec.inlet_named}


def _finite(subject: Subject, values: dict[str, Any], when: str, rate: int) -> Iterator[Finding]:
    found = first_not_finite(play(subject.spec, subject.frames, values, rate=rate, settings=subject.settings()))
    if found is not None:
        yield Finding.of(NOT_FINITE, found, when)
