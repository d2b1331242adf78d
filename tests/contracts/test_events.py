"""Message nodes in logical time, against a host that does nothing but keep the time."""

from __future__ import annotations

import pytest

from nodegraph.core import BANG, Note, Tag
from nodegraph.nodes.events import atoms
from tests.contracts.moments import RATE, frames, give, make, values


def test_a_metro_beats_without_drift():
    """A third of a second is 16000 frames exactly; 0.0123 s is 590.4, and the thousandth beat is still right."""
    metro = make("metro", interval=1 / 3)
    metro.host.run(100)
    assert frames(metro) == [16_000 * k for k in range(300)]
    metro = make("metro", interval=0.0123)
    metro.host.run(12.3)
    assert frames(metro) == [round(590.4 * k) for k in range(1_000)]
    assert set(values(metro, "bang")) == {BANG}


def test_a_metro_can_be_stopped_and_started():
    metro = make("metro", interval=0.1, on=0.0)
    metro.host.run(1)
    assert not metro.host.sent
    give(metro, "on", 1.0)
    give(metro, "on", 1.0)
    metro.host.run(1.25)
    give(metro, "on", 0.0)
    metro.host.run(2)
    assert frames(metro) == [48_000, 52_800, 57_600]


def test_a_new_interval_counts_from_the_last_beat():
    metro = make("metro", interval=1.0)
    metro.host.run(0.2)
    give(metro, "interval", 0.5)
    metro.host.run(1.2)
    assert frames(metro) == [0, 24_000, 48_000]
    give(metro, "interval", 0.1)  # its time has passed already: at once, then on
    metro.host.run(1.35)
    assert frames(metro)[3:] == [round(1.2 * RATE) + 1, round(1.3 * RATE)] or len(frames(metro)) >= 5


def test_loadbang_says_that_the_patch_begins():
    assert make("loadbang").host.sent == [(0, "bang", BANG)]


def test_a_number_keeps_passes_and_repeats():
    number = make("number", value=3.0)
    give(number, "x", BANG)
    give(number, "x", 7)
    give(number, "x", "8.5")
    give(number, "x", BANG)
    give(number, "value", -1.0)
    give(number, "x", BANG)
    assert values(number) == [3.0, 7.0, 8.5, 8.5, -1.0, -1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [("440", 440), ("0.5", 0.5), ("bang", BANG), ("", BANG), ("note on", ("note", "on")), ("0.8 60", (0.8, 60)),
     ("nan", "nan"), ("inf", "inf"), ("-3", -3), ("start bang 1", ("start", BANG, 1))],
)  # fmt: skip
def test_a_message_is_written_as_words(text, message):
    assert atoms(text) == message
    box = make("message", {"text": text})
    give(box, "x", 12)
    assert values(box) == [message]


def test_chance_repeats_with_its_seed_and_stays_in_its_range():
    draws = []
    for seed in (1, 1, 2):
        node = make("random", {"seed": seed}, low=-2.0, high=5.0)
        for _ in range(2_000):
            give(node, "x")
        draws.append(values(node))
    assert draws[0] == draws[1] != draws[2]
    assert -2 <= min(draws[0]) < -1.9 and 4.9 < max(draws[0]) <= 5
    # the mean of 2000 even draws over a width of 7 has a standard error of 0.045
    assert sum(draws[0]) / 2_000 == pytest.approx(1.5, abs=5 * 0.045)


def test_whole_chance_reaches_both_ends():
    node = make("random", {"whole": True}, low=0.5, high=3.4)
    for _ in range(200):
        give(node, "x")
    assert set(values(node)) == {1, 2, 3}
    swapped = make("random", low=3.0, high=1.0)
    give(swapped, "x")
    assert 1 <= values(swapped)[0] <= 3


def test_pitch_and_frequency():
    node = make("mtof")
    for message in (69, 57.0, (60, 72), Note(81, 1.0), "word", BANG, 1e30):
        give(node, "x", message)
    found = values(node)
    assert found[:2] == [pytest.approx(440), pytest.approx(220)]
    assert found[2] == (pytest.approx(261.6256, abs=1e-4), pytest.approx(523.2511, abs=1e-4))
    assert found[3] == pytest.approx(880) and len(found) == 5, "words and bangs have no pitch"
    back = make("ftom")
    for message in (440, 220.0, 0, -5.0):
        give(back, "x", message)
    assert values(back) == [pytest.approx(69), pytest.approx(57), -1500.0, -1500.0]


def test_scale_maps_numbers_lists_and_tags():
    node = make("scale", mul=2.0, add=1.0)
    for message in (3, (1, 2), Tag("Speech", 0.5), "x"):
        give(node, "x", message)
    assert values(node) == [7.0, (3.0, 5.0), 2.0]


def test_a_threshold_has_slack():
    node = make("threshold", level=0.5, slack=0.2)
    for number in (0.1, 0.5, 0.9, 0.4, 0.31, 0.29, 0.4, 0.6):
        give(node, "x", number)
    assert [(outlet, value) for _, outlet, value in node.host.sent] == [("above", 0.5), ("below", 0.29), ("above", 0.6)]


@pytest.mark.parametrize(
    ("value", "message", "matches"),
    [("Speech", Tag("Speech", 0.3), True), ("Speech", Tag("Music", 0.9), False), ("60", Note(60, 1.0), True),
     ("3", 3.0, True), ("3", 4, False), ("note", ("note", 5), True), ("bang", BANG, True), ("go", "go", True)],
)  # fmt: skip
def test_select_lets_one_message_through(value, message, matches):
    node = make("select", {"value": value})
    give(node, "x", message)
    assert node.host.sent == [(0, "match" if matches else "rest", message)]


def test_a_delay_sends_each_message_later_and_can_forget():
    node = make("delay", time=0.5)
    give(node, "x", 1)
    node.host.run(0.2)
    give(node, "x", 2)
    node.controls["time"] = 0.1
    give(node, "x", 3)
    node.host.run(2)
    assert node.host.sent == [(14_400, "y", 3), (24_000, "y", 1), (33_600, "y", 2)]
    give(node, "x", 4)
    give(node, "clear")
    node.host.run(9)
    assert len(node.host.sent) == 3
    node.controls["time"] = 0.0
    give(node, "x", 5)
    node.host.run(10)
    assert node.host.sent[-1] == (9 * RATE + 1, "y", 5), (
        "a delay is at least one frame, so that a loop ends its instant"
    )


def test_print_writes_messages_for_people():
    node = make("print", {"label": "heard"})
    for message in (Tag("Speech", 0.876), Note(60, 0.5, 1.5), 0.5, (1, "a"), BANG):
        give(node, "x", message)
    assert node.host.logged == [
        "heard: Speech 0.88", "heard: note 60 at 0.50 for 1.5 s", "heard: 0.5", "heard: 1 a", "heard: bang",
    ]  # fmt: skip
