"""When an installation plays: spans on a wall clock, over midnight, and where the clock jumps."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.core.errors import PatchError
from nodegraph.headless.schedule import DAYS, Schedule, clock_time, instant, schedule, week_days

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu"),
    ZoneInfo("America/Sao_Paulo"), ZoneInfo("UTC"),
]  # fmt: skip
# Lord Howe's clock jumps by half an hour; Kathmandu's is 5:45 ahead
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
SCHEDULES = st.builds(
    Schedule, TIMES, TIMES, st.frozensets(st.integers(0, 6), min_size=1), st.sampled_from(ZONES)
)  # fmt: skip
MOMENTS = st.datetimes(datetime(2018, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))


def wall(zone: ZoneInfo, *words: int) -> datetime:
    return datetime(*words, tzinfo=zone)


def test_office_hours() -> None:
    hours = schedule("09:00", "18:00", "mon-fri", "Europe/Berlin")
    assert hours is not None
    assert not hours.plays(wall(BERLIN, 2026, 7, 1, 8, 59))
    assert hours.plays(wall(BERLIN, 2026, 7, 1, 9, 0)) and hours.plays(wall(BERLIN, 2026, 7, 1, 17, 59, 59))
    assert not hours.plays(wall(BERLIN, 2026, 7, 1, 18, 0))
    assert not hours.plays(wall(BERLIN, 2026, 7, 4, 12, 0)), "a Saturday"
    friday = wall(BERLIN, 2026, 7, 3, 20, 0)
    assert hours.next_change(friday) == wall(BERLIN, 2026, 7, 6, 9, 0), "on Monday"


def test_a_night_belongs_to_its_evening() -> None:
    nights = schedule("22:00", "04:00", "fri", "Europe/Berlin")
    assert nights is not None
    assert nights.plays(wall(BERLIN, 2026, 7, 3, 23, 0)) and nights.plays(wall(BERLIN, 2026, 7, 4, 3, 59))
    assert not nights.plays(wall(BERLIN, 2026, 7, 3, 3, 0)) and not nights.plays(wall(BERLIN, 2026, 7, 4, 23, 0))


def test_the_clock_jumps_forward() -> None:
    """29 March 2026: 02:00 is followed by 03:00."""
    assert instant(date(2026, 3, 29), time(2, 30), BERLIN) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    early = Schedule(time(2, 30), time(5, 0), zone=BERLIN)
    assert not early.plays(wall(BERLIN, 2026, 3, 29, 1, 59, 59)) and early.plays(wall(BERLIN, 2026, 3, 29, 3, 0))
    gone = Schedule(time(2, 15), time(2, 45), zone=BERLIN)
    day = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
    minutes = (day + timedelta(minutes=minute) for minute in range(23 * 60))
    assert not any(gone.plays(moment) for moment in minutes), "such a day has no such hour"


def test_an_hour_comes_twice() -> None:
    """25 October 2026: 03:00 is followed by 02:00."""
    early = Schedule(time(2, 30), time(5, 0), zone=BERLIN)
    begin, end = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 4, 0, tzinfo=UTC)
    minutes = [begin + timedelta(minutes=minute) for minute in range(-60, 300)]
    assert [moment for moment in minutes if early.plays(moment)] == [
        moment for moment in minutes if begin <= moment < end
    ], "once begun it does not stop again when the clock is put back"


@given(SCHEDULES, MOMENTS)
def test_the_next_change_is_a_change_and_nothing_happens_before(found: Schedule, now: datetime) -> None:
    on, change = found.plays(now), found.next_change(now)
    if change is None:
        assert on and found.days == frozenset(range(7)) and found.begin == found.end, "it never ends"
        return
    assert now < change <= now + timedelta(days=9)
    assert found.plays(change) is not on
    assert found.plays(change - timedelta(seconds=1)) is on or change - now <= timedelta(seconds=1)
    for part in range(1, 12):
        assert found.plays(now + (change - now) * part / 12) is on


@given(SCHEDULES, MOMENTS)
def test_it_is_what_the_wall_clock_says_where_that_does_not_jump(found: Schedule, now: datetime) -> None:
    zone = found.zone
    offsets = {(now + timedelta(hours=hours)).astimezone(zone).utcoffset() for hours in range(-49, 50, 1)}
    local = now.astimezone(zone)
    today, at = local.weekday(), local.time()
    yesterday = (today - 1) % 7
    if found.begin < found.end:
        plays = today in found.days and found.begin <= at < found.end
    else:
        plays = (today in found.days and at >= found.begin) or (yesterday in found.days and at < found.end)
    if len(offsets) == 1:
        assert found.plays(now) is plays


@given(st.frozensets(st.integers(0, 6), min_size=1))
def test_days_can_be_written(days: frozenset[int]) -> None:
    assert week_days(",".join(DAYS[day] for day in days)) == days


def test_spans_of_days_go_round_the_week() -> None:
    assert week_days("fri-mon") == {4, 5, 6, 0} and week_days("Mon-Sun") == frozenset(range(7))
    assert week_days("wed-wed") == {2}


def test_midnight_may_be_24() -> None:
    assert clock_time("24:00") == time(0, 0)
    late = schedule("20:00", "24:00", None, "UTC")
    assert late is not None and late.plays(datetime(2026, 1, 1, 23, 59, tzinfo=UTC))
    assert not late.plays(datetime(2026, 1, 2, 0, 0, tzinfo=UTC))


@pytest.mark.parametrize("text", ["", "9", "25:00", "09:60", "09:0", "nine", "-1:00", "24:01", "٠٩:٠٠"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(PatchError, match="is no time"):
        clock_time(text)


@pytest.mark.parametrize("text", ["", "mon-", "monday", "mon,,tue", "-mon", "mon-tue-wed"])
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(PatchError, match="no day"):
        week_days(text)
