"""The log has one line a second at most, and strangers get so much and no more. The clock is the test's own."""

from __future__ import annotations

from nodegraph.osc.limits import Bucket, Log
from nodegraph.osc.timebase import NTP_EPOCH, Anchored, DeviceTime
from nodegraph.timing.timebase import TimeBase


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


def test_a_time_tag_is_the_devices_time() -> None:
    base = TimeBase(48_000)
    base.anchor(1_700_000_000.0, 480)
    time = DeviceTime(base)
    assert abs(time.frame_of(1_700_000_000.5 + NTP_EPOCH) - 24_480) <= 1
    assert abs(time.ntp_of(24_480) - 1_700_000_000.5 - NTP_EPOCH) < 1e-4
