"""Presets in a patch: their form in a file, commands, names that follow; and the ways between them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph import Patch, PatchError, PatchFileError
from nodegraph.core.commands import KINDS, commands
from nodegraph.core.patchfile import dumps, loads
from nodegraph.core.ports import Control, inlet
from nodegraph.core.presets import (
    TIME_CURVES,
    among,
    between,
    book_of,
    books_of,
    corners,
    eased,
    missing,
    morphed,
    randomised,
)

SHARES = st.floats(0.0, 1.0)
LINEAR = inlet.control(0.0, span=(-10.0, 10.0))
LOG = inlet.control(440.0, span=(20.0, 20_000.0), curve="log")
WHOLE = inlet.control(3, span=(0, 12), curve="integer")
SWITCH = inlet.control(0, span=(0, 1), curve="switch")
CONTROLS = {"linear": LINEAR, "log": LOG, "whole": WHOLE, "switch": SWITCH}


def values_of(control: Control) -> st.SearchStrategy[float]:
    low, high = control.span
    if control.curve in ("integer", "switch"):
        return st.integers(int(low), int(high)).map(float)
    return st.floats(low, high)


NAMED = st.sampled_from(list(CONTROLS))
PRESETS = st.fixed_dictionaries({name: values_of(control) for name, control in CONTROLS.items()})


def patch() -> Patch:
    patch = Patch("Two colours")
    patch.connect(patch.add("saw~", "osc"), patch.add("svf~", "cut"), patch.add("out~", "out"))
    patch.do({"do": "store-preset", "preset": "dark", "values": {"cut.cutoff": 300, "cut.resonance": 0.8}})
    patch.do({"do": "store-preset", "preset": "bright", "values": {"cut.cutoff": 9_000.5, "osc.freq": 220}})
    return patch


# in a file


def test_presets_stand_one_a_line_behind_the_cables_and_come_back() -> None:
    text = str(patch())
    assert (
        '  "presets": {\n'
        '    "dark": {"cut.cutoff": 300, "cut.resonance": 0.8},\n'
        '    "bright": {"cut.cutoff": 9000.5, "osc.freq": 220}\n'
        "  }\n"
    ) in text
    assert text.index('"cables"') < text.index('"presets"')
    assert dumps(loads(text)) == text and list(loads(text).presets) == ["dark", "bright"]


def test_a_long_preset_has_one_value_a_line() -> None:
    found = Patch()
    found.do({"do": "store-preset", "preset": "much", "values": {f"node{n}.value": n for n in range(12)}})
    text = str(found)
    assert '    "much": {\n      "node0.value": 0,\n      "node1.value": 1,\n' in text
    assert text.index("node2.value") < text.index("node10.value"), "in natural order"
    assert dumps(loads(text)) == text


def test_a_patch_without_presets_has_no_word_of_them() -> None:
    assert "presets" not in str(Patch("none"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"presets": 3', "is the number 3"),
        ('"presets": {"a": 3}', "it is 3, and should be an object"),
        ('"presets": {"a": {"cutoff": 3}}', "is not node.port"),
        ('"presets": {"a": {"cut.cutoff": "loud"}}', "should be a number"),
        ('"presets": {"a": {"cut.cutoff": true}}', "should be a number"),
        ('"presets": {" ": {}}', "its name should be a text"),
    ],
)
def test_what_is_no_preset_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(PatchFileError, match=said) as caught:
        loads('{\n"nodegraph": 1,\n"nodes": {},\n' + text + "}")
    assert caught.value.problems[0].line == 4


def test_a_preset_of_nodes_that_are_gone_is_kept_and_told() -> None:
    found = patch()
    found.remove("osc")
    assert '"bright": {"cut.cutoff": 9000.5, "osc.freq": 220}' in str(found)
    (problem,) = missing(found.document)
    assert "'bright' holds osc.freq" in problem.what.replace('"', "'")
    assert found.check() == [], "it plays"
    assert book_of(found.document).presets["bright"] == {"cut.cutoff": 9_000.5}


# names and commands


def test_a_node_that_is_renamed_is_renamed_in_presets() -> None:
    found = patch()
    before = str(found)
    found.rename("cut", "filter")
    assert found.document.presets["dark"] == {"filter.cutoff": 300, "filter.resonance": 0.8}
    found.undo()
    assert str(found) == before


def test_a_name_that_a_preset_still_holds_of_a_node_that_is_gone_comes_back_too() -> None:
    found = patch()
    found.do({"do": "store-preset", "preset": "old", "values": {"gone.gain": 1, "cut.cutoff": 50}})
    before = str(found)
    found.rename("cut", "gone")
    assert found.document.presets["old"] == {"gone.cutoff": 50, "cut.gain": 1}
    found.undo()
    assert str(found) == before


def test_presets_of_a_subpatch_follow_its_node() -> None:
    found = Patch()
    found.add("gain~", "voice")
    found.do({"do": "store-preset", "preset": "a", "values": {"voice/cut.cutoff": 1, "voicing.x": 2}})
    found.rename("voice", "lead")
    assert found.document.presets["a"] == {"lead/cut.cutoff": 1, "voicing.x": 2}


def test_commands_are_data_and_are_undone() -> None:
    found = patch()
    texts = [str(found)]
    for data in (
        {"do": "store-preset", "preset": "dark", "values": {"cut.cutoff": 20}},
        {"do": "store-preset", "preset": "new", "values": {"osc.freq": 1}, "number": 0},
        {"do": "rename-preset", "preset": "dark", "to": "darker"},
        {"do": "remove-preset", "preset": "bright"},
        {"do": "remove-preset", "preset": "new"},
    ):
        (made,) = commands([data])
        assert made.as_data() == data and KINDS[data["do"]] is type(made)
        found.do(data)
        texts.append(str(found))
    assert list(found.document.presets) == ["darker"]
    for text in reversed(texts[:-1]):
        found.undo()
        assert str(found) == text
    for text in texts[1:]:
        found.redo()
        assert str(found) == text


@pytest.mark.parametrize(
    "data",
    [
        {"do": "remove-preset", "preset": "drak"},
        {"do": "rename-preset", "preset": "dark", "to": "bright"},
        {"do": "rename-preset", "preset": "dark", "to": ""},
        {"do": "store-preset", "preset": "x", "values": {"cut.cutoff": math.nan}},
        {"do": "store-preset", "preset": "x", "values": {"nowhere": 1}},
        {"do": "store-preset", "preset": "x", "number": -1},
        {"do": "store-preset", "preset": 3},
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(data: dict[str, object]) -> None:
    found = patch()
    before = str(found)
    with pytest.raises(PatchError):
        found.do(data)
    assert str(found) == before


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(PatchError, match="dark"):
        patch().do({"do": "remove-preset", "preset": "drak"})


def test_the_presets_of_patches_inside_act_at_their_places(tmp_path) -> None:
    inner = Patch("voice")
    inner.connect(inner.add("sine~", "osc"), inner.add("outlet~", "y"))
    inner.do({"do": "store-preset", "preset": "high", "values": {"osc.freq": 880}})
    inner.save(tmp_path / "voice.ng")
    outer = Patch()
    outer.save(tmp_path / "outer.ng")
    outer.connect(outer.add("voice.ng", "lead"), outer.add("out~", "out"))
    outer.do({"do": "store-preset", "preset": "deep", "values": {"lead/osc.freq": 55}})
    books = books_of(outer.document)
    assert [(item.node, item.inlet) for item in books["lead/"].placed({"osc.freq": 880})] == [("lead/osc", "freq")]
    assert [(item.node, item.value) for item in books[""].placed({"lead/osc.freq": 55})] == [("lead/osc", 55)]


# the ways between them


@given(NAMED, st.data(), SHARES)
def test_between_two_values_is_never_beyond_them_and_ends_exactly(name: str, data: st.DataObject, share: float) -> None:
    control = CONTROLS[name]
    first, second = data.draw(values_of(control)), data.draw(values_of(control))
    found = between(first, second, share, control)
    assert min(first, second) <= found <= max(first, second)
    assert between(first, second, 0.0, control) == first and between(first, second, 1.0, control) == second
    if control.curve in ("integer", "switch"):
        assert found == (second if share >= 0.5 else first)


@given(values_of(LOG), values_of(LOG), SHARES, SHARES)
def test_a_log_control_moves_in_equal_ratios(first: float, second: float, one: float, other: float) -> None:
    step = math.log(second / first)
    assert math.log(between(first, second, one, LOG) / first) == pytest.approx(one * step, abs=1e-9)
    low, high = sorted((one, other))
    assert math.copysign(1.0, step) * (between(first, second, high, LOG) - between(first, second, low, LOG)) >= -1e-9


@given(st.lists(st.tuples(values_of(LOG), st.floats(0.0, 5.0)), min_size=1, max_size=6))
def test_among_many_values_only_the_shares_of_the_weights_count(pairs: list[tuple[float, float]]) -> None:
    values, weights = [value for value, _ in pairs], [weight for _, weight in pairs]
    if not any(weight > 1e-6 for weight in weights):
        return
    found = among(values, weights, LOG)
    assert min(values) <= found <= max(values)
    assert among(values, [2.0 * weight for weight in weights], LOG) == pytest.approx(found, rel=1e-12)


@given(SHARES, SHARES)
def test_the_weights_of_a_square_are_bilinear(x: float, y: float) -> None:
    for count in (1, 2, 3, 4):
        weights = corners(count, x, y)
        assert len(weights) == count and math.fsum(weights) == pytest.approx(1.0) and min(weights) >= 0.0
    assert corners(4, 0, 0) == (1, 0, 0, 0) and corners(4, 1, 0) == (0, 1, 0, 0)
    assert corners(4, 0, 1) == (0, 0, 1, 0) and corners(4, 1, 1) == (0, 0, 0, 1)


@given(st.tuples(PRESETS, PRESETS, PRESETS, PRESETS))
def test_a_morph_is_at_each_corner_exactly_the_preset_that_stands_there(presets: tuple[dict[str, float], ...]) -> None:
    for number, (x, y) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
        assert morphed(presets, corners(4, x, y), CONTROLS) == presets[number]


def test_what_only_some_presets_hold_stands_among_those() -> None:
    found = morphed([{"linear": 1.0, "log": 100.0}, {"linear": 3.0}, {"whole": 4.0}], (0.5, 0.5, 0.0), CONTROLS)
    assert found == {"linear": 2.0, "log": 100.0}


@given(SHARES, SHARES, st.sampled_from(TIME_CURVES))
def test_time_curves_go_from_start_to_end_and_never_back(one: float, other: float, curve: str) -> None:
    assert eased(0.0, curve) == 0.0 and eased(1.0, curve) == 1.0
    low, high = sorted((one, other))
    assert 0.0 <= eased(low, curve) <= eased(high, curve) <= 1.0


@given(PRESETS, SHARES, st.integers(0, 1_000))
def test_chance_stays_within_spans_and_as_near_as_it_should(values: dict[str, float], amount: float, seed: int) -> None:
    found = randomised(values, CONTROLS, amount, seed)
    assert found == randomised(values, CONTROLS, amount, seed), "the same seed draws the same"
    for name, value in found.items():
        low, high = CONTROLS[name].span
        assert low <= value <= high
        if CONTROLS[name].curve in ("integer", "switch"):
            assert value == int(value)
    assert abs(found["linear"] - values["linear"]) <= amount * 20.0 + 1e-9
    assert abs(math.log(found["log"] / values["log"])) <= amount * math.log(1_000.0) + 1e-9
    if amount == 0.0:
        assert found == values
    few = randomised({"log": values["log"]}, CONTROLS, amount, seed)
    assert few["log"] == found["log"], "what is drawn for one does not depend on the others"


def test_chance_reaches_the_whole_span_by_its_curve() -> None:
    drawn = [randomised({"log": 440.0}, CONTROLS, 1.0, seed)["log"] for seed in range(400)]
    assert min(drawn) < 25.0 and max(drawn) > 16_000.0
    assert 0.4 < sum(value < math.sqrt(20.0 * 20_000.0) for value in drawn) / 400 < 0.6, "half of them in each half"
    whole = {randomised({"whole": 3.0}, CONTROLS, 1.0, seed)["whole"] for seed in range(400)}
    assert whole == set(range(13))
