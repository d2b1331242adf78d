"""When an installation plays: every day, or on some days of the week, from one time on the clock to another.

The times are those of a wall clock in a place. A span belongs to the day on which it begins, and may end on the next
one. Where the clock jumps forward over a time, that time is the jump; where an hour comes twice, it is the first one.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import quoted

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY: Final = frozenset(range(7))
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """From `begin` to `end` on these `days` (0 is Monday), in `zone`. Equal times are a whole day."""

    begin: time
    end: time
    days: frozenset[int] = EVERY_DAY
    zone: tzinfo = UTC

    def span(self, day: date) -> tuple[datetime, datetime] | None:
        """The span that begins on this day, in UTC, its end not included; None when it is not one of the days."""
        if day.weekday() not in self.days:
            return None
        last = day if self.begin < self.end else day + DAY
        return instant(day, self.begin, self.zone), instant(last, self.end, self.zone)

    def plays(self, now: datetime) -> bool:
        """Whether it plays at this moment, given with its zone."""
        return any(begin <= now < end for begin, end in self._around(now))

    def next_change(self, now: datetime) -> datetime | None:
        """When that changes, in UTC; None when it never does."""
        spans = self._around(now, ahead=9)
        edges = sorted({edge for span in spans for edge in span if edge > now})
        on = self.plays(now)
        return next((edge for edge in edges if self.plays(edge) != on), None)

    def _around(self, now: datetime, ahead: int = 1) -> list[tuple[datetime, datetime]]:
        today = now.astimezone(self.zone).date()
        spans = (self.span(today + number * DAY) for number in range(-2, ahead + 1))
        return [span for span in spans if span is not None]


def instant(day: date, at: time, zone: tzinfo) -> datetime:
    """The first moment of a day at which a wall clock shows this time or a later one, in UTC."""
    wall = datetime.combine(day, at)
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    low, high = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first  # the clock jumps in between
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def schedule(begin: str | None, end: str | None, days: str | None, zone: str | None) -> Schedule | None:
    """What ``--from``, ``--until``, ``--days`` and ``--zone`` say; None when they say nothing. Raises PatchError."""
    if begin is None and end is None and days is None:
        if zone is not None:
            raise PatchError(Problem("bad-schedule", "--zone is about times.", "Give --from and --until, or --days."))
        return None
    if (begin is None) != (end is None):
        raise PatchError(Problem("bad-schedule", "--from and --until belong together.", "Give both."))
    return Schedule(clock_time(begin or "00:00"), clock_time(end or "00:00"), week_days(days), place(zone))


def clock_time(text: str) -> time:
    """``09:00`` as a time; 24:00 is 00:00. Raises PatchError."""
    found = re.fullmatch(r"(\d{1,2}):(\d\d)", text.strip(), re.ASCII)
    hours, minutes = (int(found[1]), int(found[2])) if found else (99, 99)
    if (hours, minutes) == (24, 0):
        hours = 0
    if hours > 23 or minutes > 59:
        raise PatchError(Problem("bad-schedule", f"{quoted(text)} is no time.", "Write it as 09:00 or 18:30."))
    return time(hours, minutes)


def week_days(text: str | None) -> frozenset[int]:
    """``mon-fri``, ``sat,sun`` or ``fri-mon`` as numbers from 0, which is Monday. Raises PatchError."""
    if text is None:
        return EVERY_DAY
    found: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            do = "Write days as mon-fri, or sat,sun."
            raise PatchError(Problem("bad-schedule", f"{quoted(part.strip())} is no day of the week.", do))
        number, end = DAYS.index(first), DAYS.index(last if dash else first)
        found.add(number)
        while number != end:
            number = (number + 1) % 7
            found.add(number)
    return frozenset(found)


def place(name: str | None) -> tzinfo:
    """A time zone by its name, ``Europe/Berlin``; None is that of this machine. Raises PatchError."""
    asked = name if name is not None else os.environ.get("TZ", "").removeprefix(":")
    if asked:
        try:
            return ZoneInfo(asked)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            if name is not None:
                what = f"{quoted(name)} is no time zone that is known here."
                raise PatchError(Problem("bad-schedule", what, "Write it as Europe/Berlin, or UTC.")) from error
    try:
        with Path("/etc/localtime").open("rb") as file:
            return ZoneInfo.from_file(file, key="local")
    except (OSError, ValueError):
        return UTC
