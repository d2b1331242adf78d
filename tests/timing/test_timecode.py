"""MIDI timecode: what it counts, what is sent, and a patch that follows it."""

from __future__ import annotations

import pytest

from nodegraph.core.graph import Graph
from nodegraph.core.timecode import DROP, RATES, Timecode
from nodegraph.runtime.acts import Act
from nodegraph.runtime.player import Player
from nodegraph.timing.follower import Follower
from nodegraph.timing.timecode import MidiTimecode
from tests.timing.following import RATE, Came, follow, sent

FPS = {"24": 24.0, "25": 25.0, "29.97 drop": 30_000 / 1_001, "30": 30.0}


@pytest.mark.parametrize("rate", range(4))
def test_every_timecode_of_an_hour_is_numbered_once_and_survives_midi(rate: int) -> None:
    for number in range(0, 120_000, 7):
        code = Timecode.numbered(number, rate)
        assert code.number == number
        assert Timecode.at(code.seconds, rate) == code
        assert Timecode.of_full_frame(code.full_frame()) == code
        assert Timecode.of_quarter_frames([code.quarter_frame(piece)[1] for piece in range(8)]) == code
        assert [code.quarter_frame(piece)[1] >> 4 for piece in range(8)] == list(range(8))


def test_drop_frame_leaves_out_two_numbers_a_minute_but_for_each_tenth() -> None:
    """An hour of it is 3.6 ms short of an hour, as SMPTE ST 12-1 says."""
    assert str(Timecode.numbered(1_799, DROP)) == "00:00:59;29"
    assert str(Timecode.numbered(1_800, DROP)) == "00:01:00;02"
    assert str(Timecode.numbered(17_982, DROP)) == "00:10:00;00"
    assert str(Timecode.numbered(107_892, DROP)) == "01:00:00;00"
    assert Timecode(1, 0, 0, 0, DROP).seconds == pytest.approx(3_599.996_4)
    for number in range(0, 200_000):
        code = Timecode.numbered(number, DROP)
        assert not (code.frame < 2 and code.second == 0 and code.minutes % 10)


def test_a_day_begins_again() -> None:
    for rate, name in enumerate(RATES):
        day = Timecode(23, 59, 59, 23, rate)
        assert (str(Timecode.numbered(day.number + 8, rate)) < "00:00:01") == (FPS[name] < 31)


def test_bytes_that_are_no_timecode_are_none() -> None:
    assert Timecode.of_full_frame(b"\xf0\x7f\x7f\x01\x01\x1f\x00\x00\x00\xf7") is None, "31 o'clock"
    assert Timecode.of_full_frame(b"\xf0\x7f\x7f\x06\x01\x00\x00\x00\x00\xf7") is None, "machine control"
    assert Timecode.of_full_frame(b"\xf0\x7f") is None
    assert Timecode.of_quarter_frames([0x0F, 0x1F, 0x2F, 0x3F, 0x4F, 0x5F, 0x6F, 0x7F]) is None


def conductor(fps: str) -> Graph:
    graph = Graph()
    graph.add("midi.timecode.out", "code", fps=fps)
    graph.add("transport", "t", tempo=120.0)
    return graph


@pytest.mark.parametrize("fps", RATES)
def test_quarter_frames_leave_at_their_exact_frame(fps: str) -> None:
    found = [(frame, data) for frame, data in sent(conductor(fps), 10.0) if data[0] == 0xF1]
    assert len(found) == pytest.approx(40 * FPS[fps], abs=1.0)
    for number, (frame, data) in enumerate(found):
        due = number * RATE / (4.0 * FPS[fps])
        assert 0.0 <= frame - due < 1.0, "the first frame that is not before it"
        assert data[1] >> 4 == number % 8
    pieces = [data[1] for _, data in found[8 * 33 : 8 * 34]]
    assert Timecode.of_quarter_frames(pieces) == Timecode.numbered(66, RATES.index(fps))


def test_where_the_transport_is_put_a_full_frame_says_it() -> None:
    steps = [Act(RATE, "clock", ("run", False)), Act(2 * RATE, "clock", ("locate", 240.0))]
    found = sent(conductor("25"), 3.0, steps)
    assert not [frame for frame, data in found if data[0] == 0xF1 and frame > RATE], "it stands"
    frame, data = found[-1]
    assert frame == 2 * RATE and Timecode.of_full_frame(data) == Timecode(0, 2, 0, 0, 1)


@pytest.mark.parametrize("fps", RATES)
def test_a_patch_follows_what_another_sends(fps: str) -> None:
    """Through a jump, a stop and a start: to the frame of the engine."""
    steps = [
        Act(4 * RATE, "clock", ("locate", 240.0)), Act(6 * RATE, "clock", ("run", False)),
        Act(7 * RATE, "clock", ("run", True)),
    ]  # fmt: skip
    came: list[Came] = [(frame / RATE, data) for frame, data in sent(conductor(fps), 10.0, steps)]
    made = follow(MidiTimecode(), came, 9.9)
    for second, beat, on in (
        (2.0, 4.0, True),
        (3.9, 7.8, True),
        (5.9, 243.8, True),
        (6.5, 244.0, False),
        (9.5, 249, True),
    ):
        place = made.at(second)
        expected = beat + (made.frames[place] / RATE - second) * (2.0 if on else 0.0)
        assert made.on[place] == on
        assert made.beats[place] == pytest.approx(expected, abs=0.000_5 if on else 0.05), second
    assert made.jumps == 0


def test_a_tempo_of_the_patchs_own_is_kept_and_the_music_goes_on_from_where_it_is() -> None:
    came: list[Came] = [(frame / RATE, data) for frame, data in sent(conductor("30"), 8.0)]

    changed: list[int] = []

    def change(player: Player, follower: Follower) -> None:
        if player.messages.handled > 4 * RATE and not changed:
            changed.append(player.messages.handled)
            player.acts.do(Act(changed[0], "clock", ("go", 60.0)))

    made = follow(MidiTimecode(), came, 7.9, each=change, sounds=False)
    assert made.tempi[-1] == pytest.approx(60.0, abs=0.01)
    place = made.at(7.5)
    assert made.beats[place] == pytest.approx(8.0 + (made.frames[place] / RATE - 4.0), abs=0.05)
    assert made.jumps == 0


def test_pieces_that_are_lost_or_come_backwards_are_waited_out() -> None:
    came: list[Came] = [(frame / RATE, data) for frame, data in sent(conductor("25"), 6.0)]
    lost = [item for number, item in enumerate(came) if number % 97 != 50]
    made = follow(MidiTimecode(), [*lost, (3.0, b"\xf1"), (3.1, b"\xf1\x7f"), (3.2, b"\xf0\x7f\xf7")], 5.5)
    place = made.at(5.4)
    assert made.on[place] and made.beats[place] == pytest.approx(made.frames[place] / RATE * 2.0, abs=0.1)
