"""The log has one line a second at most, and strangers get so much and no more. The clock is the test's own."""

from __future__ import annotations

from nodegraph.osc.limits import Bucket, Log
from nodegraph.osc.timebase import DRIFT, JUMP_S, Anchored, EngineTime


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_a_second_with_counts() -> None:
    clock, said = Clock(), list[str]()
    log = Log(said.append, clock)
    for number in range(10_000):
        log.note("malformed packets", f"example {number}")
        if number % 3 == 0:
            log.note("refusals")
        clock.now += 0.0005
    log.tick()
    assert len(said) <= 6
    assert said[0] == "OSC: 1 malformed packets (example 0)."
    assert said[1].startswith("OSC: ") and "refusals" in said[1]
    clock.now += 2
    log.tick()
    log.tick()
    counted = sum(int(part.split()[0]) for line in said for part in line.removeprefix("OSC: ").split("; "))
    assert counted == 10_000 + 3_334


def test_a_bucket_gives_so_many_at_once_and_then_so_many_a_second() -> None:
    clock = Clock()
    bucket = Bucket(10.0, 5.0, clock)
    assert [bucket.take() for _ in range(7)] == [True] * 5 + [False] * 2
    clock.now += 0.25
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    clock.now += 1_000
    assert sum(bucket.take() for _ in range(100)) == 5


def test_an_anchor_is_exact_to_the_frame() -> None:
    time = Anchored(3.9e9, 4_800, 48_000)
    for frame in range(0, 48_000 * 60, 997):
        assert time.frame_of(time.ntp_of(frame)) == frame


def test_the_engine_is_followed_as_it_goes_on_block_by_block() -> None:
    """What is done lags by up to a block of 1024 frames; after a while the frame of a time is right to some frames."""
    clock, rate = Clock(), 48_000
    clock.now = 3.9e9
    begins = clock.now

    def done() -> tuple[int, int]:
        return int((clock.now - begins) * rate) // 1_024 * 1_024, rate

    time = EngineTime(done, clock)
    for _ in range(1_000):
        clock.now += 0.0037
        found = time.frame_of(clock.now)
    assert abs(found - (clock.now - begins) * rate) < 1_024 * 0.1
    assert abs(time.frame_of(time.ntp_of(123_456)) - 123_456) <= 1


def test_a_drifting_clock_is_followed_and_a_jump_is_jumped() -> None:
    clock = Clock()
    clock.now = begins = 3.9e9
    jump = 0.0
    time = EngineTime(lambda: (round((clock.now - begins - jump) * 48_000 * (1 - DRIFT / 2)), 48_000), clock)
    for _ in range(10_000):
        clock.now += 0.1
        ought = (clock.now - begins) * 48_000 * (1 - DRIFT / 2)
        assert abs(time.frame_of(clock.now) - ought) < 10
    jump = 2 * JUMP_S
    assert abs(time.frame_of(clock.now) - (clock.now - begins - jump) * 48_000 * (1 - DRIFT / 2)) < 10
