"""What is done to latents: against arithmetic that stands beside it, and what must not upset it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.spatial.transform import Rotation, Slerp

from nodegraph import Patch
from nodegraph.core import BANG, registry
from tests.contracts.moments import give, make, values

RANDOM = np.random.default_rng(9)
ARRAYS = RANDOM.standard_normal((12, 6)).astype(np.float32)
LATENT = ARRAYS[0]
ONE = {"latent.plane": "latent", "latent.mix": "a"}
"""The inlet for the latent, where it is not x."""


def test_a_bias_moves_one_dimension_or_all_and_an_array_moves_each():
    node = make("latent.bias", bias=0.5)
    give(node, "x", LATENT)
    node.controls["dimension"] = 2.0
    give(node, "x", LATENT)
    give(node, "offsets", (1.0, 2.0, 3.0))
    give(node, "x", LATENT)
    node.controls["dimension"] = 99.0
    give(node, "offsets", BANG)
    give(node, "x", LATENT)
    only = np.eye(6)[2] * 0.5
    wanted = [LATENT + 0.5, LATENT + only, LATENT + only + [1, 2, 3, 0, 0, 0], LATENT]
    assert np.allclose(values(node), wanted, atol=1e-6)


def test_a_scale_turns_round_its_centre():
    node = make("latent.scale", scale=-2.0, centre=0.25)
    give(node, "x", LATENT)
    node.controls["dimension"] = 0.0
    give(node, "x", LATENT)
    wanted = 0.25 - 2.0 * (LATENT - 0.25)
    assert np.allclose(values(node), [wanted, [wanted[0], *LATENT[1:]]], atol=1e-6)


def test_a_mix_is_straight_or_round():
    for way in ("linear", "round"):
        node = make("latent.mix", {"way": way}, mix=0.0)
        give(node, "a", ARRAYS[1])
        give(node, "b", ARRAYS[2][:3])
        give(node, "a", ARRAYS[1])
        assert np.array_equal(values(node), [ARRAYS[1], ARRAYS[1]]), "without b, or one of its length"
        give(node, "b", ARRAYS[2])
        for mix in (0.0, 0.3, 1.0):
            give_mix(node, mix)
        mixed = values(node)[2:]
        assert np.allclose(mixed[0], ARRAYS[1], atol=1e-6) and np.allclose(mixed[2], ARRAYS[2], atol=1e-6)
        if way == "linear":
            assert np.allclose(mixed[1], 0.7 * ARRAYS[1] + 0.3 * ARRAYS[2], atol=1e-6)
        else:
            lengths = [np.linalg.norm(ARRAYS[1]), np.linalg.norm(ARRAYS[2])]
            assert np.linalg.norm(mixed[1]) == pytest.approx(0.7 * lengths[0] + 0.3 * lengths[1], rel=1e-6)


def test_a_mix_hears_both_of_one_instant():
    """As two encoders answer; b is declared behind a, and heard before it."""
    patch = Patch("Mix")
    patch.connect(patch.add("loadbang", "start"), patch.add("message", "zero", text="0"))
    patch.add("latent.mix", "mix", mix=0.25)
    for inlet, latent in (("a", [4.0, 8.0]), ("b", [0.0, -8.0])):
        patch.connect("zero", patch.add("latent.anchors", inlet, anchors=[latent]).at)
        patch.connect(inlet, f"mix.{inlet}")
    (event,) = patch.render(seconds=0.1)["mix.y"]
    assert list(event.value) == [3.0, 4.0]


def give_mix(node, mix):
    node.controls["mix"] = mix
    give(node, "a", ARRAYS[1])


def test_the_round_way_is_scipys():
    """Unit vectors in space: the arc from one direction to the other, at a steady pace."""
    one, other = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.6, 0.8])
    axis = np.cross(one, other)
    turn = Rotation.from_rotvec(axis / np.linalg.norm(axis) * np.arccos(one @ other))
    between = Slerp([0.0, 1.0], Rotation.concatenate([Rotation.identity(), turn]))
    node = make("latent.mix", {"way": "round"})
    give(node, "b", other.astype(np.float32))
    for mix in (0.1, 0.5, 0.9):
        node.controls["mix"] = mix
        give(node, "a", one.astype(np.float32))
        assert np.allclose(values(node)[-1], between(mix).apply(one), atol=1e-6)


def test_noise_repeats_by_its_seed_and_is_as_strong_as_it_says():
    def shaken(seed, smooth=0.0, count=4_000):
        node = make("latent.noise", {"seed": seed}, amount=0.5, smooth=smooth)
        for _ in range(count):
            give(node, "x", LATENT)
        return np.array(values(node)) - LATENT

    assert np.array_equal(shaken(3, count=9), shaken(3, count=9)) and not np.array_equal(
        shaken(3, count=9), shaken(4, count=9)
    )
    for smooth in (0.0, 0.9):
        noise = shaken(1, smooth)
        assert noise.std() == pytest.approx(0.5, rel=0.05)
        beside = np.mean(noise[1:] * noise[:-1]) / np.mean(noise**2)
        assert beside == pytest.approx(smooth, abs=0.05)


def test_it_follows_as_a_filter_does_and_never_faster_than_its_speed():
    node, at = make("latent.slew", time=2.0), ARRAYS[0].astype(float)
    limited = make("latent.slew", time=0.0, speed=0.5)
    for number, vector in enumerate(ARRAYS):
        for one in (node, limited):
            one.host.run(0.5 * number)
            give(one, "x", vector)
        at = at + (1.0 - np.exp(-0.25)) * (vector - at) * (number > 0)
        assert np.allclose(values(node)[-1], at, atol=1e-5)
    steps = np.abs(np.diff(values(limited), axis=0))
    assert steps.max() == pytest.approx(0.25, abs=1e-6), "half a second of it"
    give(node, "x", ARRAYS[3][:2])
    assert np.array_equal(values(node)[-1], ARRAYS[3][:2]), "another length begins anew"


def test_dimensions_are_exchanged():
    node = make("latent.swap", {"order": [5, 0, 0, 99]})
    give(node, "x", LATENT)
    give(node, "change", (1.0, 0.0))
    give(node, "x", LATENT)
    give(node, "change", BANG)
    give(node, "x", LATENT)
    first = [LATENT[5], LATENT[0], LATENT[0], *LATENT[3:]]
    assert np.array_equal(values(node), np.array([first, [LATENT[1], LATENT[0], *LATENT[2:]], first], np.float32))


def test_anchors_are_gone_through_and_replaced_and_forgotten():
    node = make("latent.anchors", {"anchors": [[0.0, 1.0], [2.0, 3.0], [9.0], "no"]})
    give(node, "x", np.array([4.0, 7.0], np.float32))
    give(node, "keep")
    between = interp1d([0, 1, 2], [[0.0, 1.0], [2.0, 3.0], [4.0, 7.0]], axis=0)
    for place in (0.0, 0.25, 1.0, 1.5, 2.0):
        give(node, "at", place)
        assert np.allclose(values(node)[-1], between(place), atol=1e-6)
    give(node, "at", 100.0)
    assert np.array_equal(values(node)[-1], [4.0, 7.0])
    give(node, "keep", 0.0)
    give(node, "at", 0.0)
    assert np.array_equal(values(node)[-1], [4.0, 7.0])
    give(node, "forget", 1.0)
    give(node, "forget", 7.0)
    give(node, "forget", BANG)
    give(node, "at", 0.5)
    assert values(node, "count") == [3, 3, 2, 0]


def test_a_plane_of_anchors_is_each_of_them_where_it_stands_and_their_mean_between():
    node = make("latent.plane", {"anchors": [[-1.0, 0.0, 1.0, 10.0], [1.0, 0.0, 3.0, 30.0]]}, power=2.0)
    move(node, 0.0, 1.0)
    give(node, "latent", np.array([7.0, 70.0], np.float32))
    give(node, "keep")
    for x, y, wanted in ((-1.0, 0.0, [1.0, 10.0]), (1.0, 0.0, [3.0, 30.0]), (0.0, 1.0, [7.0, 70.0])):
        move(node, x, y)
        assert np.allclose(values(node, "mixed")[-1], wanted)
    move(node, 0.0, 0.0)  # all three are as far
    assert np.allclose(values(node, "mixed")[-1], [11 / 3, 110 / 3])
    move(node, 0.5, 0.5)
    weights = 1.0 / np.array([2.5, 0.5, 0.5])
    assert np.allclose(values(node, "mixed")[-1], weights @ [[1, 10], [3, 30], [7, 70]] / weights.sum(), rtol=1e-6)
    give(node, "forget", 1.0)
    give(node, "forget", BANG)
    give(node, "forget", BANG)
    sent = len(values(node, "mixed"))
    move(node, 0.1, 0.1)
    assert values(node, "count") == [3, 2, 0] and len(values(node, "mixed")) == sent


def move(node, x, y):
    node.controls["x"], node.controls["y"] = x, y
    give(node, "x", x)


FILES = {"latent.record", "latent.replay"}
KINDS = [spec.kind for spec in registry() if spec.kind.startswith("latent.") and spec.kind not in FILES]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_latent_is_nothing_and_numbers_stay_numbers(kind):
    assert len(KINDS) == 9
    node = make(kind)
    port = ONE.get(kind, "x")
    for message in (BANG, "words", (), ("a", 1.0), np.zeros(0, np.float32)):
        give(node, port, message)
    odd = np.array([np.nan, np.inf, -np.inf, 1e38, 0.0, 1.0], np.float32)
    give(node, port, odd)
    give(node, port, odd.reshape(2, 3))
    if "keep" in node.spec.inlet_named:
        give(node, "keep")
        give(node, "at" if kind == "latent.anchors" else "x", 0.0)
    sent = [value for _, name, value in node.host.sent if name in ("y", "mixed")]
    assert sent and all(
        value.dtype == np.float32 and value.shape == (6,) and np.isfinite(value).all() for value in sent
    )
