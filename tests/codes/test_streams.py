"""Codes that a network loses, holds up, doubles and mixes up come out at exact frames, and what they sound like never
clicks. Offline: what arrives are acts at frames."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tests.codes.fake_codec as fakes
from nodegraph.codes.kinds import Codec
from nodegraph.codes.packets import DOOR, Packet, build, parse
from nodegraph.codes.waiting import FARTHEST_S, MOST_WAITING, Waiting
from nodegraph.core.graph import Graph
from nodegraph.runtime.player import Player
from tests.codes.fake_codec import CHUNK, CODEC, FRAMES, HOP
from tests.codes.network import PORT, received, sent, through
from tests.runtime.playing import assert_same, discontinuity

RATE = 48_000
BOUND = 3.2e-5
"""-90 dBFS, as for edits."""
OPTIONS: dict[str, Any] = {"weights": lambda name: {}, "modules": ["tests.codes.fake_codec"]}
BITS = Codec("test-bits", fakes.RATE, HOP, 16)
ENCODEC = Codec("encodec-24khz", 24_000, 320, 10)


def sender() -> Graph:
    graph = Graph(fakes.KINDS)
    graph.add("in~", "in", channels=1)
    graph.add("test.coded~", "code")
    graph.add("codes.send", "send", **CODEC)
    graph.add("out~", "out")
    graph.connect("in.y", "code.x")
    graph.connect("code.codes", "send.codes")
    return graph


def receiver(**values: Any) -> Graph:
    graph = Graph(fakes.KINDS)
    graph.add("codes.receive", "get", port=PORT, **CODEC, **values)
    graph.add("test.decoded~", "decode")
    graph.add("out~", "out")
    graph.connect("get.codes", "decode.codes")
    graph.connect("decode.y", "out.x")
    return graph


def sine(seconds: float) -> Any:
    """750 Hz, whose period is one frame of codes to the bit: a frame that is said again goes on with the wave."""
    period = (0.5 * np.sin(2.0 * np.pi * np.arange(HOP) / HOP)).astype(np.float32)
    return np.tile(period, round(seconds * RATE / HOP))[None]


def noise(seconds: float) -> Any:
    count = round(seconds * RATE / CHUNK) * CHUNK
    return (0.2 * np.random.default_rng(1).standard_normal((1, count))).astype(np.float32)


def test_through_a_network_that_holds_up_and_mixes_up_the_sound_comes_whole() -> None:
    """Up to 60 ms late, so that packets overtake one another, some come twice; the buffer has 100 ms."""
    sound = noise(1.5)
    packets = sent(sender(), sound.shape[1], sound, **OPTIONS)
    arrivals = through(packets, jitter=round(0.06 * RATE), twice=0.1)
    assert [parse(data).sequence for _, data in arrivals] != sorted(parse(data).sequence for _, data in arrivals)
    made, events, _ = received(receiver(), sound.shape[1], arrivals, **OPTIONS)
    codes = [value for _, port, value in events if port == "codes"]
    assert len(codes) > 100 and not [event for event in events if event[1] == "lost"]
    for number, found in enumerate(codes):
        np.testing.assert_array_equal(found, fakes.coded(sound[0, number * CHUNK : (number + 1) * CHUNK]))
    frames = [frame for frame, port, _ in events if port == "codes"]
    assert set(np.diff(frames)) == {CHUNK}, "at exact frames"
    begin = int(np.flatnonzero(made[0])[0])
    at = begin + CHUNK
    place = next(
        start for start in range(2 * CHUNK) if np.array_equal(made[0, at : at + 64], sound[0, start : start + 64])
    )
    length = sound.shape[1] - at - 2 * CHUNK
    assert_same(made[:1, at : at + length], sound[:, place : place + length], "the sound, later")


@pytest.mark.parametrize("loss", [0.05, 0.3])
def test_what_is_lost_is_said_again_and_the_sound_goes_on(loss: float) -> None:
    sound = sine(3.0)
    packets = sent(sender(), sound.shape[1], sound, **OPTIONS)
    arrivals = through(packets, seed=3, loss=loss, jitter=round(0.03 * RATE))
    made, events, _ = received(receiver(), sound.shape[1], arrivals, **OPTIONS)
    got = {parse(data).sequence for _, data in arrivals}
    missing = [number for number in range(min(got), max(got)) if number not in got]
    assert len(missing) > 5
    told = [value for _, port, value in events if port == "lost"]
    assert told == sorted(told) and 0 <= len(missing) - told[-1] <= 6, "the last ones may still wait"
    assert discontinuity(made) <= BOUND
    began = int(np.flatnonzero(made[0])[0]) + 300
    assert_same(made[:1, began + HOP : -HOP], made[:1, began : -2 * HOP], "one period after another, without a gap")


@pytest.mark.parametrize("hold", [0.0, 0.05, 0.2])
def test_after_the_hold_it_fades_and_comes_back_without_a_click(hold: float) -> None:
    """Half a second, and then two seconds, of which nothing comes."""
    sound = sine(5.0)

    def missing(packet: Packet) -> bool:
        at = packet.first * HOP / RATE
        return 1.0 <= at < 1.5 or 2.0 <= at < 4.0

    packets = sent(sender(), sound.shape[1], sound, **OPTIONS)
    arrivals = through(packets, seed=3, jitter=round(0.03 * RATE), missing=missing)
    made, events, _ = received(receiver(hold=hold), sound.shape[1], arrivals, **OPTIONS)
    assert discontinuity(made) <= BOUND
    frames = np.array([frame for frame, port, _ in events if port == "codes"])
    gaps = np.diff(frames)[np.diff(frames) > CHUNK] / RATE
    assert len(gaps) == 2 and abs(gaps[0] - (0.5 - hold)) < 0.02 and 2.0 - hold - 0.05 < gaps[1] < 2.1 - hold
    levels = np.abs(made[0, : made.shape[1] // 480 * 480].reshape(-1, 480)).max(axis=1)
    began = int(np.flatnonzero(levels > 0.4)[0])
    quiet = np.flatnonzero(levels[began:] == 0.0) / 100
    assert quiet.size and levels[-3:].min() > 0.49, "it is silent, and comes back"
    assert abs(quiet.size / 100 - (2.5 - 2 * hold)) < 0.15


@pytest.mark.parametrize("clock", [0.997, 1.003])
def test_frames_that_are_left_out_or_said_twice_make_no_click(clock: float) -> None:
    """Far more than clocks differ by, so that it happens within seconds."""
    sound = sine(14.0)[0]
    packets = [
        (number * CHUNK, build(Packet(BITS, 1, number, number * FRAMES, fakes.coded(piece))))
        for number, piece in enumerate(sound[: len(sound) // CHUNK * CHUNK].reshape(-1, CHUNK))
    ]
    arrivals = through(packets, clock=clock, jitter=480)
    made, events, _ = received(receiver(), round(13.0 * RATE), arrivals, **OPTIONS)
    lengths = {np.shape(value)[1] for _, port, value in events if port == "codes"}
    assert lengths == {FRAMES, FRAMES - 1 if clock < 1.0 else FRAMES + 1}
    frames = [(frame, np.shape(value)[1]) for frame, port, value in events if port == "codes"]
    assert all(later - frame == count * HOP for (frame, count), (later, _) in pairwise(frames)), (
        "one behind the other, exactly"
    )
    assert discontinuity(made) <= BOUND


def test_what_comes_twice_is_no_late_one_and_a_hold_is_exact_to_the_frame() -> None:
    line = Waiting(RATE)
    line.arrive(packet(7), 0, 0.0)
    said = say_all(line, 0)
    line.arrive(packet(7), 10, 0.0)
    assert (line.twice, line.late) == (1, 0) and said[0][1] is not None
    said += say_all(line, 3 * RATE, hold_s=0.068)  # five frames of 13.3 ms
    assert [codes.shape[1] for _, codes, _ in said if codes is not None] == [3, 3, 2]
    assert line.due is None, "and then it is over"


def test_without_a_buffer_codes_are_said_as_they_come() -> None:
    line = Waiting(RATE)
    said = []
    for number in range(5):
        line.arrive(packet(number), 1_000 + number * 1_920, 0.0)
        said += say_all(line, 1_000 + number * 1_920)
    assert [due for due, codes, _ in said if codes is not None] == [1_000 + number * 1_920 for number in range(5)]


def test_the_stand_in_would_show_a_click() -> None:
    """With a hold of nothing and no fade a hole reads as far more than the bound."""
    sound = sine(1.0)
    assert discontinuity(sound) <= BOUND
    sound[:, 20_000:24_000] = 0.0
    sound[:, 10_008] *= 1.01
    assert discontinuity(sound) > 20 * BOUND


def packet(number: int, stream: int = 1, frames: int = 3) -> Packet:
    return Packet(ENCODEC, stream, number, number * frames, np.full((2, frames), number % 1024))


def say_all(line: Waiting, until: int, hold_s: float = 0.2) -> list[tuple[int, Any, int]]:
    found = []
    while (due := line.due) is not None and due <= until:
        codes, lost = line.say(due, hold_s)
        found.append((due, codes, lost))
    return found


@pytest.mark.parametrize(("millionths", "frames", "seconds"), [(-200, 3, 3_600), (50, 3, 3_600), (-400, 1, 600)])
def test_two_clocks_drift_apart_and_nothing_grows(millionths: int, frames: int, seconds: int) -> None:
    """An hour, with 20 ms of jitter: what waits stays as long as the buffer; a frame is corrected when it must be."""
    chance = np.random.default_rng(5)
    line = Waiting(RATE)
    early, lost, held = [], 0, 0
    for number in range(seconds * 75 // frames):
        frame = round(number * 640 * frames * (1 + millionths * 1e-6) + chance.integers(0, 960))
        for _, _, gone in say_all(line, frame):
            lost += gone
        line.arrive(packet(number, frames=frames), frame, 0.1)
        held = max(held, len(line._packets))
        if number > 1_000:
            early.append(line._place(line._said + number * frames - line._next) - frame)
    wanted = abs(millionths) * 1e-6 * seconds / (320 / 24_000)
    assert abs(line.corrected - wanted) <= 3, (line.corrected, wanted)
    assert lost == 0 and held <= 5 * 3 / frames and line.late == 0
    assert np.min(early) > 0.06 * RATE and np.max(early) < 0.14 * RATE


def test_a_way_that_becomes_longer_is_followed_and_one_burst_is_not() -> None:
    line = Waiting(RATE)
    said = []
    for number in range(500):
        late = 14_400 if number > 200 else 0  # 0.3 s more from there on
        frame = number * 1_920 + late
        said += say_all(line, frame)
        line.arrive(packet(number), frame, 0.1)
    numbers = [int(codes[0, 0]) for _, codes, _ in said if codes is not None]
    assert numbers[-1] >= 495 and line.late <= 10
    line = Waiting(RATE)
    for number in range(500):
        frame = max(number, 212 if 200 < number <= 212 else 0) * 1_920  # half a second is held up, and comes at once
        say_all(line, frame)
        line.arrive(packet(number), frame, 0.1)
    assert line.corrected == 0 and line._place(line._said + 499 * 3 - line._next) - 499 * 1_920 == 4_800


def test_another_stream_takes_over_when_the_first_is_silent() -> None:
    line = Waiting(RATE)
    for number in range(10):
        line.arrive(packet(number), number * 1_920, 0.1)
        line.arrive(packet(900 + number, stream=2), number * 1_920 + 5, 0.1)
    assert line.foreign == 10
    said = say_all(line, 30_000)
    line.arrive(packet(5, stream=2), 9 * 1_920 + RATE // 2 + 1, 0.1)
    said += say_all(line, 100_000)
    frames = [due for due, codes, _ in said if codes is not None]
    assert line.foreign == 10 and said[-1][0] > 50_000 and frames == sorted(set(frames))
    assert {int(codes[0, 0]) for _, codes, _ in said if codes is not None} == set(range(10))


def test_who_sends_nonsense_takes_no_memory() -> None:
    chance = np.random.default_rng(1)
    line = Waiting(RATE)
    for count in range(20_000):
        number = int(chance.integers(0, 1 << 31))
        line.arrive(Packet(ENCODEC, 1, number, number, np.zeros((1, 3), np.int64)), count, 5.0)
        say_all(line, count)
    assert len(line._packets) <= MOST_WAITING and len(line._early) <= MOST_WAITING
    assert line.astray + line.late > 10_000 and FARTHEST_S < 10


def test_a_packet_is_header_name_and_bits_and_no_more() -> None:
    """The figures of the help: kilobits a second of codes and of headers, at 25 packets a second."""
    for kbps, stages in ((1.5, 2), (3.0, 4), (6.0, 8), (12.0, 16), (24.0, 32)):
        data = build(Packet(ENCODEC, 1, 2, 3, np.full((stages, 3), 1023)))
        head = 28 + len("encodec-24khz")
        assert head * 8 * 25 / 1_000 == 8.2
        assert (len(data) - head) * 8 * 25 / 1_000 == pytest.approx(kbps, abs=0.101), "a packet is whole bytes"
    assert len(build(Packet(ENCODEC, 1, 2, 3, np.zeros((8, 3), np.int64)))) == 71


def test_a_pause_of_the_sender_is_a_pause_and_no_loss() -> None:
    graph = Graph(fakes.KINDS)
    graph.add("codes.send", "send", **CODEC)
    graph.add("out~", "out")

    found: list[Packet] = []
    player = Player(graph.view, RATE)
    player.messages.outside.sink(DOOR, lambda frame, out: found.append(parse(out.packet)))
    for frame in (1_000, 1_000 + CHUNK, 1_003 + 2 * CHUNK, 1_000 + 10 * CHUNK):
        player.act("set", "send", "codes", np.zeros((128, FRAMES), np.int64), frame=frame)
    player.render(np.zeros((player.engine.outputs, 20_000), np.float32), None, block=64)
    player.close()
    assert [item.first // FRAMES for item in found] == [0, 1, 2, 10]
    assert [item.sequence for item in found] == [0, 1, 2, 3]


def test_what_is_no_codes_is_told_once() -> None:
    graph = Graph(fakes.KINDS)
    graph.add("codes.send", "send")
    graph.add("codes.send", "other", codec="something-else")
    graph.add("out~", "out")

    found: list[Any] = []
    log: list[str] = []
    player = Player(graph.view, RATE, report=lambda node, text: log.append(text))
    player.messages.outside.sink(DOOR, lambda frame, out: found.append(out))
    bad: list[Any] = [
        "word", 0.5, None, (), np.zeros((0, 3)), np.full((2, 3), -1), np.full((2, 3), 1024), np.full((2, 3), 0.5),
        np.full((2, 3), np.nan), np.zeros((2, 2, 2)), np.zeros((200, 3)), np.zeros((1, 2_000)), {"a": 1},
    ]  # fmt: skip
    for number, message in enumerate(bad):
        player.act("set", "send", "codes", message, frame=100 + number)
    player.render(np.zeros((player.engine.outputs, 2_000), np.float32), None, block=64)
    player.close()
    assert not found
    assert len([line for line in log if "not sent" in line]) == 1
    assert len([line for line in log if "rate, hop and bits" in line]) == 1
