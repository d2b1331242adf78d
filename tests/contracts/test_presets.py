"""`preset`: what it recalls acts at its frame, by the curves of controls and of time; a render repeats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.api.rendering import Rendering
from nodegraph.core.messages import BANG, Note

RATE = 48_000


def rig(**settings: Any) -> Patch:
    """A constant on `level` and a number behind it, two presets, and the node that recalls them."""
    patch = Patch()
    patch.connect(
        patch.add("scale~", "one", mul=0, add=1), patch.add("gain~", "level", gain=0), patch.add("out~", "out")
    )
    patch.add("number", "shown")
    patch.add("svf~", "osc", cutoff=100)
    patch.add("counter", "steps", modulo=2)
    soft = {"level.gain": 0.25, "shown.value": 3, "osc.cutoff": 200, "steps.modulo": 4}
    loud = {"level.gain": 0.75, "shown.value": 7, "osc.cutoff": 800, "steps.modulo": 8}
    patch.do({"do": "store-preset", "preset": "soft", "values": soft})
    patch.do({"do": "store-preset", "preset": "loud", "values": loud})
    patch.add("preset", "it", **settings)
    return patch


def heard(patch: Patch, acts: list[tuple[int, str, Any]], seconds: float = 0.5, block: int = 64) -> Rendering:
    """Played, with messages to inlets of the node at frames. `moved` says which controls moved."""
    rendering = Rendering(patch, seconds, block=block)
    rendering.moved = []  # type: ignore[attr-defined]
    messages = rendering.player.messages
    messages.moved = lambda *what: rendering.moved.append((messages.now, *what))  # type: ignore[attr-defined]
    for frame, inlet, message in acts:
        rendering.player.act("set", "it", inlet, message, frame=frame)
    rendering.sound = np.concatenate(list(rendering), axis=1)[0]  # type: ignore[attr-defined]
    return rendering


def reached(found: Any, node: str) -> list[tuple[int, float]]:
    return [(frame, value) for frame, id, _, value in found.moved if id == node]


@pytest.mark.parametrize("message", [1, 1.0, "loud", Note(1, 0.5), ("loud", 0.0), (1,)])
def test_a_number_or_a_name_recalls_at_its_frame(message: Any) -> None:
    found = heard(rig(), [(1_000, "recall", message)])
    assert {(frame, node) for frame, node, *_ in found.moved} >= {(1_000, "level"), (1_000, "shown"), (1_000, "osc")}
    assert found.sound[1_000 - 1] == 0.0 and found.sound[1_000 + 480] == pytest.approx(0.75)
    events = [(event.frame, event.port, event.value) for event in found.events() if event.node == "it"]
    assert events == [(1_000, "number", 1), (1_000, "name", "loud")]


def test_a_bang_recalls_the_last_one_again_and_at_first_the_first() -> None:
    found = heard(rig(), [(0, "recall", BANG), (2_000, "recall", "loud"), (4_000, "recall", BANG)])
    assert [event.value for event in found.events() if event.port == "name"] == ["soft", "loud", "loud"]


def test_a_way_takes_its_time_exact_to_the_sample() -> None:
    found = heard(rig(time=0.1), [(1_000, "recall", "loud")])
    way = 0.75 * np.arange(4_801) / 4_800
    assert np.abs(found.sound[1_000:5_801] - way).max() < 1e-6
    assert len(reached(found, "level")) == 1, "one ramp"


def test_seconds_in_the_message_go_before_those_of_the_inlet() -> None:
    found = heard(rig(time=9), [(1_000, "recall", ("loud", 0.1))])
    assert found.sound[1_000 + 4_800] == pytest.approx(0.75)


def test_a_log_control_goes_in_equal_ratios() -> None:
    found = heard(rig(time=0.4), [(0, "recall", "loud")])
    places = dict(reached(found, "osc"))
    assert len(places) == 40
    ends = [(frame + 480, value) for frame, value in places.items()]  # each ramp is there at the next one's begin
    for frame, value in ends:
        assert value == pytest.approx(100.0 * 8.0 ** (frame / 19_200), rel=1e-9)


def test_whole_numbers_change_when_half_the_way_is_done() -> None:
    found = heard(rig(time=0.2), [(1_000, "recall", "loud")])
    assert reached(found, "steps") == [(1_000 + 4_800, 8.0)]


def test_a_control_in_python_steps_and_is_there_in_time() -> None:
    steps = reached(heard(rig(time=0.1), [(0, "recall", "loud")]), "shown")
    assert [value for _, value in steps] == pytest.approx([0.7 * number for number in range(1, 11)])


@pytest.mark.parametrize(("curve", "half"), [("smooth", 0.5), ("exponential", 0.0759)])
def test_time_curves_bend_the_way(curve: str, half: float) -> None:
    found = heard(rig(time=0.2, curve=curve), [(0, "recall", "loud")])
    assert found.sound[4_800] == pytest.approx(0.75 * half, abs=2e-3)
    assert found.sound[9_600] == pytest.approx(0.75)
    assert np.abs(np.diff(found.sound)).max() < 1e-3, "no step is heard"


def test_who_moves_a_control_meanwhile_has_it() -> None:
    patch = rig(time=0.2, curve="smooth")
    rendering = Rendering(patch, 0.4)
    rendering.player.act("set", "it", "recall", "loud", frame=0)
    rendering.player.act("set", "level", "gain", 0.1, frame=4_000)
    sound = np.concatenate(list(rendering), axis=1)[0]
    assert sound[6_000:] == pytest.approx(0.1), "the rest of its way is left out"


def test_a_later_recall_takes_over_from_wherever_controls_are() -> None:
    acts = [(0, "recall", "loud"), (4_800, "recall", "soft")]
    found = heard(rig(time=0.2, curve="smooth"), acts)
    assert np.abs(np.diff(found.sound)).max() < 1e-3 and found.sound[15_000] == pytest.approx(0.25)


def test_x_stands_between_two_and_x_and_y_among_four() -> None:
    found = heard(rig(among=["soft", "loud"]), [(1_000, "x", 0.5)])
    assert found.sound[2_000] == pytest.approx(0.5)
    assert reached(found, "osc") == [(1_000, pytest.approx(400.0))], "in the middle of the ratios"
    patch = rig(among=["soft", "loud", "loud", "soft"])
    found = heard(patch, [(1_000, "x", 1.0), (4_000, "y", 1.0), (8_000, "x", 0.5)])
    assert [found.sound[frame] for frame in (3_000, 7_000, 10_000)] == pytest.approx([0.75, 0.25, 0.5])


def test_chance_repeats_and_draws_anew_each_time() -> None:
    acts = [(0, "randomise", 0.3), (5_000, "randomise", 0.3)]
    first, second, other = (heard(rig(seed=seed), acts) for seed in (1, 1, 2))
    assert first.moved == second.moved != other.moved
    values = [value for _, value in reached(first, "osc")]
    assert len(values) == 2 and values[0] != values[1]


def test_what_is_gone_is_left_out_and_told_once() -> None:
    patch = rig()
    patch.remove("osc")
    found = heard(patch, [(0, "recall", "loud"), (2_000, "recall", "loud"), (4_000, "recall", 7)])
    assert [text for node, text in found.log if node == "it"] == [
        "The preset 'loud' holds osc.cutoff, which the patch does not have; the rest is recalled.",
        "There is no preset 7; there are 2.",
    ]
    assert found.sound[1_000] == pytest.approx(0.75)


def test_a_preset_never_moves_what_recalls_it() -> None:
    patch = rig()
    patch.do({"do": "store-preset", "preset": "me", "values": {"it.time": 5, "level.gain": 1}})
    found = heard(patch, [(0, "recall", "me")])
    assert not reached(found, "it") and found.sound[1_000] == pytest.approx(1.0)


def test_a_preset_that_recalls_itself_by_a_cable_is_left_and_told() -> None:
    patch = rig()
    patch.connect("shown.y", "it.recall")
    found = heard(patch, [(0, "recall", "loud")])
    assert any("in a loop" in text for _, text in found.log) or len(found.log) == 1


@pytest.mark.parametrize("block", [1, 37, 512])
def test_the_same_bits_at_any_block(block: int) -> None:
    acts = [(100, "recall", ("loud", 0.1)), (3_333, "recall", ("soft", 0.05)), (9_000, "randomise", 0.5)]
    whole, parts = (heard(rig(curve="smooth"), acts, block=size) for size in (64, block))
    assert np.array_equal(whole.sound, parts.sound) and whole.moved == parts.moved


def test_a_sequencer_recalls_and_the_patch_is_the_same_every_time() -> None:
    patch = rig(time=0.1)
    patch.connect(patch.add("metro", "clock", interval=0.2), patch.add("counter", "place", modulo=2), "it.recall")
    first, second = patch.render(seconds=1), patch.render(seconds=1, block=100)
    assert np.array_equal(first.audio, second.audio)
    assert [event.value for event in first["it.name"]] == ["soft", "loud", "soft", "loud", "soft"]
    assert [event.frame for event in first["it.name"]] == [9_600 * number for number in range(5)]


def test_presets_of_a_patch_inside_are_its_own(tmp_path) -> None:
    inner = rig()
    inner.remove("out")
    inner.connect("level", inner.add("outlet~", "y"))
    inner.connect(inner.add("inlet", "which"), "it.recall")
    inner.save(tmp_path / "inner.ng")
    outer = Patch()
    outer.save(tmp_path / "outer.ng")
    outer.connect(outer.add("inner.ng", "in1"), outer.add("out~", "out"))
    outer.connect(outer.add("loadbang"), outer.add("message", text="loud"), "in1.which")
    assert outer.render(seconds=0.1).audio[0, 2_000] == pytest.approx(0.75)
