"""A native node gives the same bits in every form: cut, reset, in lanes, with still controls or constant signals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nodegraph.core.spec import Role
from nodegraph.runtime.kernels.forms import LANES
from nodegraph.validation.comparing import Floats, Sounds, first_difference
from nodegraph.validation.driving import counters, cut, drive, promised
from nodegraph.validation.finding import Finding
from nodegraph.validation.subject import USUAL_RATE, Subject
from nodegraph.validation.unit import Unit, play

LANE_FRAMES = 512


def blocks(subject: Subject) -> Iterator[Finding]:
    """Any cut into blocks gives the same bits: one frame, odd lengths, more than usual."""
    for turn in subject.rounds:
        for rate in subject.rates if turn == 0 else (USUAL_RATE,):
            for moving in (False, True):
                found = _cut(subject, turn, rate, moving)
                if found is not None:
                    yield found
                    return
    yield from _messages_cut(subject)


def _cut(subject: Subject, turn: int, rate: int, moving: bool) -> Finding | None:
    values = drive(subject.spec, subject.frames, subject.seeds("blocks", turn, rate), moving=moving)
    options: dict[str, Any] = {"rate": rate, "settings": subject.settings()}
    whole = play(subject.spec, subject.frames, values, **options)
    for split in subject.cuts("blocks", turn, rate):
        different = first_difference(whole, play(subject.spec, subject.frames, values, split=split, **options))
        if different is not None:
            when = f"one block and blocks of {split} at {rate} Hz, controls {'moving' if moving else 'still'}"
            return Finding.of("the sound depends on how it is cut into blocks", different, when)
    return None


def _messages_cut(subject: Subject) -> Iterator[Finding]:
    """A message acts at its frame, however what comes before and after it is cut."""
    names = counters(subject.spec)
    if not names:
        return
    frames, at = 600, 300
    values = drive(subject.spec, frames, subject.seeds("messages"))
    found: list[dict[str, Floats]] = []
    for split in ([64], [1, 100]):
        unit = Unit(subject.spec, settings=subject.settings())
        before = unit.run(at, cut(values, 0, at), split)
        after = unit.run(frames - at, cut(values, at), split, messages=dict.fromkeys(names, 1))
        found.append({name: np.concatenate([before[name], after[name]], axis=1) for name in before})
    different = first_difference(*found)
    if different is not None:
        yield Finding.of("what a message does depends on the cut into blocks", different, f"messages at frame {at}")


def still(subject: Subject) -> Iterator[Finding]:
    """A control that stands still is as good as a constant signal, and as one that moves only later."""
    spec, frames = subject.spec, subject.frames
    for turn in subject.rounds:
        values = drive(spec, frames, subject.seeds("still", turn))
        constant = {item.name: np.repeat(values[item.name][:, None], frames, axis=1) for item in spec.controls}
        # a node may take another way when a control moves anywhere in a block: up to there it must come to the same
        later = {name: signal.copy() for name, signal in constant.items()}
        for control in spec.controls:
            if control.name not in promised(spec):
                later[control.name][:, -1] = control.default
        options: dict[str, Any] = {"settings": subject.settings()}
        first = play(spec, frames, values, **options)
        for signals, when in ((constant, "constant signals"), (later, "signals that move in the last frame")):
            again = play(spec, frames, values | signals, split=[64] if signals is constant else None, **options)
            different = first_difference(_but_the_last(first), _but_the_last(again))
            if different is not None:
                yield Finding.of("still controls and constant signals sound different", different, when)
                return


def _but_the_last(sounds: Sounds) -> dict[str, Floats]:
    return {name: np.ascontiguousarray(sound[:, :-1]) for name, sound in sounds.items()}


def reset(subject: Subject) -> Iterator[Finding]:
    """A fresh state repeats exactly, and so does another instance."""
    spec, frames = subject.spec, subject.frames
    for turn in subject.rounds:
        values = drive(spec, frames, subject.seeds("reset", turn), moving=True)
        unit = Unit(spec, settings=subject.settings())
        first = unit.run(frames, values)
        unit.reset()
        for what, again in (
            ("a fresh state does not repeat", unit.run(frames, values, [64])),
            ("another instance sounds different", play(spec, frames, values, settings=subject.settings())),
        ):
            different = first_difference(first, again)
            if different is not None:
                yield Finding.of(what, different)
                return


def lanes(subject: Subject) -> Iterator[Finding]:
    """Sixteen lanes side by side are sixteen of it by themselves; one signal for all is one for each."""
    spec = subject.spec
    assert spec.role is Role.KERNEL
    for turn in subject.rounds:
        for moving in (False, True):
            values = drive(spec, LANE_FRAMES, subject.seeds("lanes", turn), lanes=LANES, moving=moving)
            together = play(spec, LANE_FRAMES, values, lanes=LANES, split=[64, 1, 33])
            for lane in range(LANES):
                alone = play(spec, LANE_FRAMES, {name: value[lane : lane + 1] for name, value in values.items()})
                different = first_difference({name: sound[lane : lane + 1] for name, sound in together.items()}, alone)
                if different is not None:
                    when = f"lane {lane}, controls {'moving' if moving else 'still'}"
                    yield Finding.of("in lanes it sounds different than alone", different, when)
                    return
        values = drive(spec, LANE_FRAMES, subject.seeds("shared", turn), moving=True)
        shared, alone = play(spec, LANE_FRAMES, values, lanes=LANES), play(spec, LANE_FRAMES, values)
        for lane in range(LANES):
            different = first_difference({name: sound[lane : lane + 1] for name, sound in shared.items()}, alone)
            if different is not None:
                yield Finding.of("a signal shared by all lanes sounds different", different, f"lane {lane}")
                return
