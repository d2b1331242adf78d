"""The contract of native nodes, held by every one that is registered."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from nodegraph.runtime.kernels import forms
from nodegraph.validation.comparing import first_not_finite
from nodegraph.validation.driving import counters, cut, extreme_settings
from nodegraph.validation.unit import is_wide as wide
from tests.contracts.drive import NASTY, NATIVE, TICKS, drive, kind, promised, settings_for
from tests.contracts.harness import Unit, play, same_bits

RATES = [44_100, 48_000, 96_000]
BLOCKS = [1, 17, 64, 512, 1024]
FRAMES = 2_048

every = pytest.mark.parametrize("spec", NATIVE, ids=kind)
every_tick = pytest.mark.parametrize("spec", TICKS, ids=kind)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("sounds")


def finite(found) -> str:
    """Empty, or the first outlet and frame that is not finite (an outlet that was not written is NaN)."""
    return str(first_not_finite(found) or "")


@every
def test_silence_in_is_finite_out(spec, folder):
    found = play(spec, FRAMES, {"x": np.zeros((2, FRAMES))} if "x" in forms.signal_inlets(spec) and wide(spec) else {},
                 settings=settings_for(spec, folder))  # fmt: skip
    assert not finite(found)


@every
@pytest.mark.parametrize("rate", RATES)
def test_any_cut_into_blocks_gives_the_same_bits(spec, rate, folder):
    options = {"rate": rate, "settings": settings_for(spec, folder)}
    for moving in (False, True):
        values = drive(spec, FRAMES, rate, moving=moving)
        whole = play(spec, FRAMES, values, **options)
        assert not finite(whole)
        for split in ([1], [17], [64], [512], [1024], [3, 64, 1, 300]):
            difference = same_bits(whole, play(spec, FRAMES, values, split=split, **options))
            assert not difference, (
                f"blocks of {split} at {rate} Hz, controls {'moving' if moving else 'still'}: {difference}"
            )


@every
def test_a_still_control_is_as_good_as_a_constant_signal(spec, folder):
    values, options = drive(spec, FRAMES, 3), {"settings": settings_for(spec, folder)}
    constant = {item.name: np.repeat(values[item.name][:, None], FRAMES, axis=1) for item in spec.controls}
    still = play(spec, FRAMES, values, **options)
    difference = same_bits(still, play(spec, FRAMES, values | constant, split=[64], **options))
    assert not difference, difference


@every
def test_a_fresh_state_repeats_exactly(spec, folder):
    values = drive(spec, FRAMES, 4, moving=True)
    unit = Unit(spec, settings=settings_for(spec, folder))
    first = unit.run(FRAMES, values)
    unit.reset()
    assert not same_bits(first, unit.run(FRAMES, values, [64]))


@every_tick
@pytest.mark.parametrize("moving", [False, True], ids=["still", "moving"])
def test_sixteen_lanes_are_sixteen_monos(spec, moving):
    values = drive(spec, 512, 5, lanes=16, moving=moving)
    together = play(spec, 512, values, lanes=16, split=[64, 1, 33])
    for lane in range(16):
        alone = play(spec, 512, {name: value[lane : lane + 1] for name, value in values.items()})
        difference = same_bits({name: sound[lane : lane + 1] for name, sound in together.items()}, alone)
        assert not difference, f"lane {lane}: {difference}"


@every_tick
def test_a_signal_for_all_lanes_is_a_signal_for_each(spec):
    values = drive(spec, 512, 6, lanes=1, moving=True)
    shared = play(spec, 512, values, lanes=16) if values else play(spec, 512, lanes=16)
    alone = play(spec, 512, values)
    for lane in range(16):
        assert not same_bits({name: sound[lane : lane + 1] for name, sound in shared.items()}, alone)


@every
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e-40], ids=str)
def test_what_is_not_a_number_is_forgotten_with_its_block(spec, bad, folder):
    """Sound, then 64 frames of it in every signal inlet (controls too), then sound: finite in the first block after."""
    for moving in (False, True):
        unit = Unit(spec, settings=settings_for(spec, folder))
        good = drive(spec, 256, 8, moving=moving)
        poison = {
            name: np.full_like(value[:, :64], bad) if np.ndim(value) == 2 else value for name, value in good.items()
        }
        unit.run(64, cut(good, 0, 64))
        during = unit.run(64, poison)
        if bad == 1e-40 and not promised(spec):
            assert not finite(during), "a denormal is a number"
        after = unit.run(64, cut(good, 64, 128))
        assert not finite(after), f"after {bad}, {'moving' if moving else 'still'} controls: {finite(after)}"


# The delay that is a node's effect, in frames at 48 kHz and with default controls. Latency is what comes on top.
EFFECT = {"comb~": 1_440, "delay~": 12_000}
# What y tells of x does not come with every frame: onset~ answers at the end of its 4 ms hop, whenever there is
# something to tell, and sah~ when it is asked.
ANSWERS = {"onset~", "sah~"}


@every
@pytest.mark.parametrize("rate", RATES)
def test_the_declared_latency_is_the_measured_one(spec, rate, folder):
    """Two sounds that differ from one frame on: the outlets must differ from that frame plus the latency on."""
    declared = spec.cls.latency(rate)
    if "x" not in forms.signal_inlets(spec) or spec.kind in ANSWERS:
        assert declared == 0, "nothing comes in that could come out late"
        return
    frames, at = 16_000 if rate == 48_000 and spec.kind in EFFECT else 2_048, 100
    x = (0.1 * np.random.default_rng(1).standard_normal((2 if wide(spec) else 1, frames))).astype(np.float32)
    other = x.copy()
    other[:, at:] += 0.25
    settings = settings_for(spec, folder)
    first, second = (play(spec, frames, {"x": sound}, rate=rate, settings=settings) for sound in (x, other))
    differs = np.zeros(frames, bool)
    for name in first:
        differs |= (first[name] != second[name]).any(axis=0)
    if spec.kind in EFFECT and rate != 48_000:
        assert declared == 0
        return
    assert int(np.argmax(differs)) == at + declared + EFFECT.get(spec.kind, 0)


@every
def test_no_value_makes_it_write_beside_its_memory(spec, folder):
    """Guard zones beside every array, buffer and state, with controls at both ends of their spans and far outside."""
    random = np.random.default_rng(2)
    ends = list(itertools.product(*(item.span for item in spec.controls)))
    for settings in extreme_settings(spec, folder):
        for rate in (8_000, 192_000):
            unit = Unit(spec, rate, settings=settings)
            values = drive(spec, 700, 9)
            for corner in ends if len(ends) <= 16 else [ends[k] for k in random.choice(len(ends), 16, replace=False)]:
                unit.run(
                    150,
                    cut(values, 0, 150) | dict(zip((c.name for c in spec.controls), corner, strict=True)),
                    [1, 64, 85],
                )
            nasty = {item.name: random.choice(NASTY, (1, 700)) for item in spec.controls}
            unit.run(700, values | nasty, [1, 90, 700], messages=dict.fromkeys(unit.layout.counters, 1))
            unit.run(700, {n: random.choice(NASTY, v.shape) for n, v in values.items() if np.ndim(v) == 2} | nasty)


@every
def test_a_message_acts_at_its_block_in_every_cut(spec, folder):
    """Native event inlets: the dispatcher cuts the block where a message comes."""
    values = drive(spec, 600, 11)
    found = []
    for split in ([64], [1, 100]):
        unit = Unit(spec, settings=settings_for(spec, folder))
        before = unit.run(300, cut(values, 0, 300), split)
        after = unit.run(300, cut(values, 300), split, messages=dict.fromkeys(counters(spec), 1))
        found.append({name: np.concatenate([before[name], after[name]], axis=1) for name in before})
    assert not same_bits(*found)
