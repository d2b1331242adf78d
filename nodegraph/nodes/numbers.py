"""Numbers as messages: arithmetic, limits, means, scales, time."""

from __future__ import annotations

import math
from collections import deque
from statistics import fmean, median
from typing import Any, Final

from nodegraph.core import EventNode, Moment, Note, NoteExpression, inlet, node, outlet, setting
from nodegraph.core.messages import as_number
from nodegraph.nodes.events import WIDE, mapped

SCALES: Final = {
    "chromatic": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
}
MOST_AVERAGED: Final = 10_000


def repitched(message: Any, change: Any) -> Any:
    """`mapped`, but a note, and what is expressed on one, stays what it is: `change` is applied to its pitch."""
    if isinstance(message, (Note, NoteExpression)):
        return message._replace(pitch=change(float(message.pitch)))
    return mapped(message, change)


@node("+", aliases=("plus", "add"))
class AddMessage(EventNode):
    """Add to a number, or transpose a note.

    ``y = x + b``. Takes numbers, lists (each number) and notes (their pitch); other messages stop here. A new `b` acts
    on what comes next, and on what comes at the same instant.

    Source: definition, as in Max and Pd.
    """

    x = inlet.event("number")
    b = inlet.control(0.0, "what is added", span=WIDE)
    y = outlet.event("x + b")

    def on_x(self, message: Any) -> None:
        made = repitched(message, lambda number: number + self.b)
        if made is not None:
            self.y(made)


@node("-", aliases=("minus", "sub"))
class SubtractMessage(EventNode):
    """Subtract from a number, or transpose a note down.

    ``y = x - b``. Takes what `+` takes.

    Source: definition, as in Max and Pd.
    """

    x = inlet.event("number")
    b = inlet.control(0.0, "what is taken away", span=WIDE)
    y = outlet.event("x - b")

    def on_x(self, message: Any) -> None:
        made = repitched(message, lambda number: number - self.b)
        if made is not None:
            self.y(made)


@node("*", aliases=("times", "mul"))
class MultiplyMessage(EventNode):
    """Multiply a number.

    ``y = x * b``. Takes numbers, lists (each number), tags (their probability) and notes (their pitch, as a number);
    other messages stop here.

    Source: definition, as in Max and Pd.
    """

    x = inlet.event("number")
    b = inlet.control(1.0, "the factor", span=WIDE)
    y = outlet.event("x * b")

    def on_x(self, message: Any) -> None:
        made = mapped(message, lambda number: number * self.b)
        if made is not None:
            self.y(made)


@node("/", aliases=("div", "divide"))
class DivideMessage(EventNode):
    """Divide a number.

    ``y = x / b``; where `b` is 0, y is 0. Takes what `*` takes.

    Source: definition, as in Max and Pd.
    """

    x = inlet.event("number")
    b = inlet.control(1.0, "the divisor", span=WIDE)
    y = outlet.event("x / b")

    def on_x(self, message: Any) -> None:
        made = mapped(message, lambda number: number / self.b if self.b else 0.0)
        if made is not None:
            self.y(made)


@node("mod", aliases=("%", "modulo"))
class Remainder(EventNode):
    """Give what is left when a number is divided: a pitch within its octave, a count within its bar.

    ``y = x - b floor(x / b)``, from 0 on and below `b` for negative x, too; where `b` is 0, y is 0. Takes what `*`
    takes.

    Source: definition; as SuperCollider's mod, and unlike Max's %, for negative numbers.
    """

    x = inlet.event("number")
    b = inlet.control(12.0, "the divisor", span=WIDE)
    y = outlet.event("the remainder")

    def on_x(self, message: Any) -> None:
        made = mapped(message, lambda number: number % self.b if self.b and math.isfinite(number) else 0.0)
        if made is not None:
            self.y(made)


@node("clip", aliases=("clamp", "minimum", "maximum"))
class ClipMessage(EventNode):
    """Keep a number between two limits.

    ``y = min(max(x, low), high)``. Takes what `*` takes.

    Source: definition, as in Max and Pd.
    """

    x = inlet.event("number")
    low = inlet.control(0.0, "least value", span=WIDE)
    high = inlet.control(1.0, "greatest value", span=WIDE)
    y = outlet.event("the number within its limits")

    def on_x(self, message: Any) -> None:
        made = mapped(message, lambda number: min(max(number, self.low), self.high))
        if made is not None:
            self.y(made)


def distance(a: float, b: float) -> float:
    """How far two numbers are apart; infinitely far where one is a whole number that no float can hold."""
    try:
        return abs(a - b)
    except OverflowError:
        return math.inf


@node("change", aliases=("Changed", "HPZ1", "deduplicate"))
class Change(EventNode):
    """Let a message through only when it is another one than the last.

    A number passes when it is more than `slack` away from the last that passed: so a nervous sensor becomes quiet. The
    first message always passes.

    Source: definition, as in Max and Pd.
    """

    x = inlet.event("message")
    slack = inlet.control(0.0, "how far a number must move", span=(0.0, 1_000_000_000.0))
    y = outlet.event("the message, when it is another one")

    def start(self, when: Moment) -> None:
        self.last: Any = None

    def on_x(self, message: Any) -> None:
        if isinstance(message, (int, float)) and isinstance(self.last, (int, float)):
            if not distance(message, self.last) > self.slack:
                return
        elif message == self.last:
            return
        self.last = message
        self.y(message)


def mean(numbers: deque[float]) -> float:
    """The mean, also of numbers so huge that their sum is none."""
    try:
        return fmean(numbers)
    except OverflowError:
        return MOST_AVERAGED * fmean(number / MOST_AVERAGED for number in numbers)


@node("average", aliases=("mean", "median", "bucket", "zl.median"))
class Average(EventNode):
    """Smooth a stream of numbers: the mean or the median of the last few.

    The median throws single outliers away: a pitch that jumps an octave for a moment. Until `count` numbers have come,
    of those that have. Takes numbers, tags (their probability) and notes (their pitch). A message to `clear` forgets
    them.

    Source: J. W. Tukey, *Exploratory Data Analysis*, 1977 (the running median).
    """

    of = setting.choice("mean", "which middle", ("mean", "median"))
    x = inlet.event("number")
    count = inlet.control(8, "of how many numbers", span=(1, MOST_AVERAGED), curve="integer")
    clear = inlet.event("forget what came")
    y = outlet.event("their middle")

    def start(self, when: Moment) -> None:
        self.recent: deque[float] = deque(maxlen=int(self.count))

    def on_x(self, message: Any) -> None:
        number = as_number(message)
        if number is not None and math.isfinite(number):
            self.recent.append(number)
            self.y((median if self.of == "median" else mean)(self.recent))

    def on_count(self) -> None:
        self.recent = deque(self.recent, maxlen=max(int(self.count), 1))

    def on_clear(self) -> None:
        self.recent.clear()


def nearest(pitch: float, degrees: tuple[float, ...], root: float) -> float:
    """The pitch of a scale that is nearest; the lower of two that are as near."""
    octave = root + 12.0 * math.floor((pitch - root) / 12.0)
    found = [octave + shift + degree for shift in (-12.0, 0.0, 12.0) for degree in degrees]
    return min(found, key=lambda candidate: (abs(candidate - pitch), candidate))


@node("quantise", aliases=("nearestInScale", "scale.quantize", "snapscale"))
class Quantise(EventNode):
    """Move a pitch to the nearest one of a scale; the lower one when it stands between two.

    `degrees`, when it is not empty, is a scale of your own: semitones above the root within an octave, fractions
    allowed. Takes numbers (MIDI pitches), lists and notes, which keep their velocity and length; other messages stop
    here.

    Source: definition.
    """

    scale = setting.choice("major", "which scale", tuple(SCALES))
    degrees = setting.list([], "semitones above the root, instead of a named scale")
    x = inlet.event("MIDI pitch")
    root = inlet.control(0, "root of the scale: 0 is C, 9 is A", span=(0, 11), curve="integer")
    y = outlet.event("pitch of the scale")

    def on_x(self, message: Any) -> None:
        own = tuple(float(item) % 12.0 for item in self.degrees if isinstance(item, (int, float)))
        scale = own or SCALES[self.scale]
        made = repitched(message, lambda p: nearest(p, scale, self.root) if math.isfinite(p) else self.root)
        if made is not None:
            self.y(made)


@node("timer", aliases=("Timer", "clocker", "stopwatch"))
class Timer(EventNode):
    """Measure the time from one message to the next.

    The first message starts it and sends nothing. Exact to the sample. A message to `reset` lets it forget.

    Source: definition, as SuperCollider's Timer.
    """

    x = inlet.event("any message")
    reset = inlet.event("forget the last one")
    y = outlet.event("time since the last message, in seconds")

    def start(self, when: Moment) -> None:
        self.last: int | None = None

    def on_x(self, when: Moment) -> None:
        if self.last is not None:
            self.y((when.frame - self.last) / self.host.rate)
        self.last = when.frame

    def on_reset(self) -> None:
        self.last = None
