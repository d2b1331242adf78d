"""How controls are turned by hand: by their curve, within their span, and typed with units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from nodegraph.core.errors import PatchError
from nodegraph.core.ports import Control, inlet
from nodegraph.core.registry import registry
from nodegraph.editor.dials import WAY, dragged, part_of, read, rounded, stepped, told, told_between, value_at


def named(control: Control, name: str = "x") -> Control:
    control.name = name
    return control


CUTOFF = named(inlet.control(1000.0, unit="Hz", span=(10.0, 20_000.0), curve="log"), "cutoff")
FREQ = named(inlet.control(440.0, unit="Hz", span=(-20_000.0, 20_000.0), curve="log"), "freq")
GAIN = named(inlet.control(1.0, span=(0.0, 4.0)), "gain")
TIME = named(inlet.control(0.1, unit="s", span=(0.0, 10.0), curve="log"), "time")
COUNT = named(inlet.control(3, span=(1.0, 8.0), curve="integer"), "count")
SWITCH = named(inlet.control(0, curve="switch"), "hold")
LEVEL = named(inlet.control(-6.0, unit="dB", span=(-60.0, 12.0)), "threshold")
ALL = (CUTOFF, FREQ, GAIN, TIME, COUNT, SWITCH, LEVEL)


@given(some.sampled_from(ALL), some.floats(0.0, 1.0))
def test_a_place_on_the_way_is_a_value_and_back(control: Control, part: float) -> None:
    value = value_at(control, part)
    low, high = control.span
    assert low <= value <= high
    assert value_at(control, part_of(control, value)) == pytest.approx(value, rel=1e-9, abs=1e-9 * (high - low))
    if control.curve in ("integer", "switch"):
        assert value == round(value)
    else:
        assert part_of(control, value) == pytest.approx(part, abs=1e-6)


def test_every_control_of_every_kind_has_a_way_from_end_to_end() -> None:
    tried = 0
    for spec in registry():
        for control in spec.controls:
            tried += 1
            ends = value_at(control, 0.0), value_at(control, 1.0)
            assert ends == pytest.approx(control.span), (spec.kind, control.name)
            assert read(control, told(control, control.default)) == pytest.approx(control.default, rel=1e-3), (
                spec.kind, control.name)  # fmt: skip
    assert tried > 100


def test_frequencies_go_in_equal_ratios() -> None:
    for control in (CUTOFF, FREQ):
        parts = [part_of(control, value) for value in (500.0, 1000.0, 2000.0)]
        assert parts[1] - parts[0] == pytest.approx(parts[2] - parts[1], rel=1e-3)
    assert value_at(FREQ, 0.5) == 0.0 and part_of(FREQ, -440.0) == pytest.approx(1.0 - part_of(FREQ, 440.0))


def test_shift_is_slow_and_ctrl_fast() -> None:
    assert dragged(0.5, WAY / 10) == pytest.approx(0.6)
    assert dragged(0.5, WAY / 10, {"shift"}) == pytest.approx(0.51)
    assert dragged(0.5, WAY / 10, {"ctrl"}) == pytest.approx(0.9)
    assert dragged(0.9, WAY) == 1.0 and dragged(0.1, -WAY) == 0.0


def test_a_key_is_a_small_step() -> None:
    assert stepped(COUNT, 3.0, 1.0) == 4.0 and stepped(COUNT, 8.0, 1.0) == 8.0 and stepped(COUNT, 3.0, -1.0) == 2.0
    assert stepped(SWITCH, 0.0, 1.0) == 1.0
    assert stepped(GAIN, 1.0, 1.0) == 1.04
    assert stepped(CUTOFF, 1000.0, 1.0) == pytest.approx(1079, abs=1)
    assert rounded(GAIN, 1e-9) == 0.0 and rounded(CUTOFF, 1234.5678) == 1235.0


@pytest.mark.parametrize(
    ("control", "text", "value"),
    [
        (CUTOFF, "2k", 2000.0), (CUTOFF, "2.5 kHz", 2500.0), (CUTOFF, "440hz", 440.0), (CUTOFF, " 300 ", 300.0),
        (CUTOFF, "1e3", 1000.0), (CUTOFF, "2,5k", 2500.0), (CUTOFF, "90k", 20_000.0), (FREQ, "-1k", -1000.0),
        (TIME, "30 ms", 0.03), (TIME, "30m", 0.03), (TIME, "1.5 s", 1.5), (GAIN, "-6 dB", 10 ** (-6 / 20)),
        (GAIN, "0.25", 0.25), (LEVEL, "-6 dB", -6.0), (LEVEL, "−6", -6.0), (COUNT, "3.6", 4.0), (SWITCH, "on", 1.0),
        (SWITCH, "0", 0.0),
    ],
)  # fmt: skip
def test_a_value_is_typed_with_its_unit(control: Control, text: str, value: float) -> None:
    assert read(control, text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("control", "text"),
    [(CUTOFF, "-6 dB"), (CUTOFF, "2 s"), (TIME, "3 Hz"), (GAIN, "much"), (GAIN, ""), (CUTOFF, "1e999"), (COUNT, "3 dB"),
     (SWITCH, "maybe"), (CUTOFF, "20%")],
)  # fmt: skip
def test_what_is_no_value_says_what_is(control: Control, text: str) -> None:
    with pytest.raises(PatchError, match=control.name) as caught:
        read(control, text)
    assert "Type a number" in caught.value.problems[0].do


def test_values_are_told_with_their_units() -> None:
    assert told(CUTOFF, 440.0) == "440 Hz" and told(FREQ, 12345.6) == "12346 Hz" and told(GAIN, 0.5) == "0.5"
    assert told_between(CUTOFF, 401.34, 1199.6) == "401–1200 Hz" and told_between(CUTOFF, 440.0, 443.0) == "442 Hz"
    assert told_between(GAIN, 0.25, 0.5) == "0.25–0.5" and told_between(SWITCH, 0.0, 1.0) == "off–on"
    assert told(COUNT, 3.0) == "3" and told(SWITCH, 1.0) == "on" and told(SWITCH, 0.0) == "off"
