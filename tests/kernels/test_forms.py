"""All forms of a kernel agree bit for bit: mono and lanes, controls still, moving or shared, however the sound is
cut."""

from itertools import pairwise
from math import copysign, exp, floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.core import BlockNode, KernelNode, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import f32, rarely, rows, signed, sin_pi, u32, where
from nodegraph.runtime.kernels import forms
from tests.contracts.harness import Unit, play, same_bits

FRAMES = 192


@node("everything~")
class Everything(KernelNode):
    """A tick that uses what rounds, branches and wraps."""

    x = inlet.signal("in")
    freq = inlet.control(300.0, "f", span=(1.0, 20_000.0))
    shape = inlet.control(0.3, "s")
    kick = inlet.event("k")
    mode = setting.choice("b", "m", ("a", "b"))
    low = outlet.signal("l")
    pair = outlet.signal("p", channels=2)
    z1 = memory(0.25)
    z2 = memory(0.0)
    phase = memory(7)
    kicks = memory(0.0)

    @staticmethod
    def prepare(freq, rate):
        return 1.0 - exp(-6.2831853 * freq / rate), u32(freq / rate * 4294967296.0)

    @staticmethod
    def tick(x, a, step, shape, kick, mode, z1, z2, phase, kicks):
        if rarely(kick != kicks):
            z1 = 1.0
            kicks = kick
        if x > shape:
            z1 = z1 + a * (x - z1)
            if z1 > 0.5:
                z2 = z2 * 0.9
        else:
            z2 = z1 * shape + z2 * 0.25
        phase = phase + step
        wave = sin_pi(signed(phase) * 2.0**-31)
        y = where(mode > 0.5, wave * z1 + z2, copysign(wave, x) / (1.0 + z2 * z2) - floor(z1 * 8.0))
        return y, y * 0.5 + x, abs(y) - shape, z1, z2, phase, kicks


SPEC = Everything.spec


def sounds(seed, lanes=16, frames=FRAMES):
    random = np.random.default_rng(seed)
    return {
        "x": random.standard_normal((lanes, frames)).astype(np.float32),
        "freq": random.uniform(1, 20_000, lanes).astype(np.float32),
        "shape": random.uniform(-1, 1, lanes).astype(np.float32),
    }


def lane(values, number):
    return {name: value[number : number + 1] for name, value in values.items()}


def moving(values, name):
    return {**values, name: np.repeat(values[name][:, None], FRAMES, axis=1)}


splits = st.lists(st.integers(1, 100), min_size=1, max_size=12)
mode = st.sampled_from(["a", "b"])


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), split=splits, mode=mode, number=st.integers(0, 15))
def test_a_lane_is_a_mono_kernel(seed, split, mode, number):
    values, options = sounds(seed), {"settings": {"mode": mode}}
    together = play(SPEC, FRAMES, values, lanes=16, split=split, **options)
    alone = play(SPEC, FRAMES, lane(values, number), **options)
    assert not same_bits({name: found[number : number + 1] for name, found in together.items()}, alone)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), split=splits, names=st.sets(st.sampled_from(["freq", "shape"]), min_size=1))
@pytest.mark.parametrize("lanes", [1, 16])
def test_a_control_that_is_a_constant_signal_changes_no_bit(lanes, seed, split, names):
    values = sounds(seed, lanes)
    still = play(SPEC, FRAMES, values, lanes=lanes)
    for name in names:
        values = moving(values, name)
    assert not same_bits(still, play(SPEC, FRAMES, values, lanes=lanes, split=split))


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), names=st.sets(st.sampled_from(["x", "freq", "shape"]), min_size=1))
def test_one_signal_shared_by_all_lanes_is_as_good_as_sixteen(seed, names):
    values = moving(moving(sounds(seed), "freq"), "shape")
    shared = {name: value[:1] if name in names else value for name, value in values.items()}
    spread = {name: np.repeat(value, 16, axis=0) if len(value) == 1 else value for name, value in shared.items()}
    assert not same_bits(play(SPEC, FRAMES, spread, lanes=16), play(SPEC, FRAMES, shared, lanes=16))


@pytest.mark.parametrize("lanes", [1, 16])
def test_outlets_that_nobody_reads_change_nothing(lanes):
    import ctypes

    unit, values = Unit(SPEC, lanes=lanes), sounds(5, lanes)
    full = unit.run(FRAMES, values)
    for used, names in ((0b001, ["low"]), (0b110, ["pair.0", "pair.1"]), (0b100, ["pair.1"])):
        unit.reset()
        for name in ("freq", "shape"):
            unit.field(name)[:] = values[name]
        state = unit.state
        x = np.ascontiguousarray(values["x"].T)
        block = np.zeros(x.size + 16, np.float32)
        x64 = block[(-block.ctypes.data % 64) // 4 :][: x.size]
        x64[:] = x.ravel()
        raw = [np.zeros(x.size + 16, np.float32) for _ in names]
        outs = [item[(-item.ctypes.data % 64) // 4 :][: x.size] for item in raw]
        ins = np.array([x64.ctypes.data], np.int64)
        table = np.array([item.ctypes.data for item in outs], np.int64)
        kernel = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 4)(forms.kernel(SPEC, "lcc", lanes, used))
        kernel(state.address, ins.ctypes.data, table.ctypes.data, FRAMES)
        found = {
            name: np.ascontiguousarray(item.reshape(FRAMES, lanes).T) for name, item in zip(names, outs, strict=True)
        }
        assert not same_bits(found, {name: full[name] for name in names}), f"used {used:b}"


def test_a_message_counts_for_the_block_that_follows():
    unit = Unit(SPEC)
    quiet = {"x": np.zeros((1, 8)), "shape": 1.0}
    unit.run(8, quiet)
    assert unit.field("z1")[0] == np.float32(0.25)
    unit.run(8, quiet, messages={"kick": 1})
    assert unit.field("z1")[0] == 1.0


def test_forms_take_over_from_each_other():
    """Still, then moving, then still again, block by block: as if one form had played it all."""
    values = sounds(9, 1)
    whole = play(SPEC, FRAMES, values)
    unit, found = Unit(SPEC), []
    for k, start in enumerate(range(0, FRAMES, 32)):
        part = {"x": values["x"][:, start : start + 32], "freq": values["freq"], "shape": values["shape"]}
        if k % 2:
            part["freq"] = np.repeat(values["freq"][:, None], 32, axis=1)
        if k % 3:
            part["shape"] = np.repeat(values["shape"][:, None], 32, axis=1)
        found.append(unit.run(32, part))
    assert not same_bits(whole, {name: np.concatenate([one[name] for one in found], axis=1) for name in whole})


@pytest.mark.parametrize("lanes", [1, 16])
def test_a_memory_that_is_lost_begins_anew_in_the_next_block(lanes):
    unit = Unit(SPEC, lanes=lanes)
    bad = np.full((lanes, 16), np.float32(np.inf))
    unit.run(16, {"x": bad})
    assert (unit.field("z1") == np.float32(0.25)).all() or np.isfinite(unit.field("z1")).all()
    after = unit.run(16, {"x": np.zeros((lanes, 16))})
    assert all(np.isfinite(found).all() for found in after.values())


@node("wide~")
class Wide(BlockNode):
    """All channels in one instance."""

    x = inlet.signal("in")
    gain = inlet.control(1.0, "g")
    y = outlet.signal("out")
    spread = "all"

    @staticmethod
    def process(x, gain, y, frames):
        for c in range(rows(x)):
            for i in range(frames):
                y[c, i] = x[c, i] * gain[i] + f32(c)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_a_node_that_sees_all_channels_gets_them_in_order(channels):
    x = np.random.default_rng(0).standard_normal((channels, 50)).astype(np.float32)
    found = play(Wide.spec, 50, {"x": x, "gain": 0.5}, split=[7])["y"]
    np.testing.assert_array_equal(found, x * np.float32(0.5) + np.arange(channels, dtype=np.float32)[:, None])


def test_state_fields_do_not_overlap():
    for lanes in (1, 16):
        about = forms.layout(SPEC, lanes)
        size = {"f32": 4, "u32": 4, "f64": 8, "i64": 8}
        places = sorted((at, at + size[about.elements[name]] * lanes) for name, at in about.offsets.items())
        assert all(end <= start for (_, end), (start, _) in pairwise(places))
        assert places[0][0] >= 4 * lanes and places[-1][1] <= about.size
