"""Rhythm, step by step: counters, sequences, patterns, chance."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any, Final

from nodegraph.core import BANG, EventNode, Moment, inlet, node, outlet, setting
from nodegraph.core.messages import as_number
from nodegraph.nodes.events import atoms

RESTS: Final = (None, "-", "")


@node("counter", aliases=("Stepper", "PulseCount", "count"))
class Counter(EventNode):
    """Count messages: 0, 1, 2, and so on, and round again.

    With `modulo` m it goes 0 to m - 1 and begins again; 0 counts without end. `step` is what it adds each time, and may
    be negative. `carry` bangs with the message that goes round: it can drive the next counter. After a message to
    `reset` the next one is 0.

    Source: definition, as in Max.
    """

    x = inlet.event("count on")
    modulo = inlet.control(0, "how many steps a round has; 0 for no end", span=(0, 1_000_000_000), curve="integer")
    step = inlet.control(1, "what is added each time", span=(-1_000_000, 1_000_000), curve="integer")
    reset = inlet.event("begin at 0 again")
    y = outlet.event("the count")
    carry = outlet.event("bang when it goes round")

    def start(self, when: Moment) -> None:
        self.place: int | None = None

    def on_x(self) -> None:
        if self.place is None:
            self.place = 0
        else:
            self.place += int(self.step)
            size = int(self.modulo)
            if size and not 0 <= self.place < size:
                self.place %= size
                self.carry(BANG)
        self.y(self.place)

    def on_reset(self) -> None:
        self.place = None


@node("sequence", aliases=("Pseq", "Dseq", "stepseq", "zl.lookup"))
class Sequence(EventNode):
    """Play a list of values, one at a message.

    `values` holds numbers, texts (messages written as words) and lists (chords); ``"-"`` or null is a rest, which sends
    nothing. A bang plays the next step; a number plays the step of that number, counted from 0, round the end, and it
    goes on from there. With `loop` it begins again after the last, without it is silent then. `end` bangs with the last
    step. After a message to `reset` the next step is the first.

    Source: definition, as SuperCollider's Pseq.
    """

    values = setting.list([60, 62, 64, 67], "the steps")
    loop = setting.flag(True, "begin again after the last")
    x = inlet.event("a bang plays the next step, a number that step")
    reset = inlet.event("begin at the first step")
    y = outlet.event("the step's value")
    end = outlet.event("bang with the last step")

    def start(self, when: Moment) -> None:
        self.place = 0

    def on_x(self, message: Any) -> None:
        steps = self.values
        number = as_number(message)
        if number is not None and abs(number) < 1e15 and steps:
            self.place = int(number // 1) % len(steps)
        if self.place >= len(steps):
            if not (self.loop and steps):
                return
            self.place = 0
        value = steps[self.place]
        self.place += 1
        if value not in RESTS:
            self.y(stepped(value))
        if self.place == len(steps):
            self.end(BANG)

    def on_reset(self) -> None:
        self.place = 0


def stepped(value: Any) -> Any:
    """A value of a list setting as a message."""
    if isinstance(value, list):
        return tuple(stepped(item) for item in value if item not in RESTS)
    return atoms(value) if isinstance(value, str) else value


@lru_cache(maxsize=256)
def bjorklund(pulses: int, steps: int) -> tuple[bool, ...]:
    """`pulses` spread over `steps` as evenly as can be, beginning with a pulse.

    Groups of one pulse each take up the rests one by one, then what is left over of the longer or shorter groups, until
    no more than one group is left over.
    """
    pulses = min(max(pulses, 0), steps)
    groups, rest = [[True]] * pulses, [[False]] * (steps - pulses)
    stays = 0  # how many may be left over: in the first round none
    while groups and len(rest) > stays:
        pairs = min(len(groups), len(rest))
        joined = [a + b for a, b in zip(groups, rest, strict=False)]
        rest = groups[pairs:] or rest[pairs:]
        groups, stays = joined, 1
    return tuple(flag for group in (*groups, *rest) for flag in group)


@node("euclid", aliases=("Pbjorklund", "Pbjorklund2", "bjorklund"))
class Euclid(EventNode):
    """Spread pulses as evenly as possible over a number of steps: many rhythms of the world.

    3 over 8 is the tresillo ``x..x..x.``, 5 over 8 the cinquillo ``x.xx.xx.``, 5 over 16 a bossa nova. `rotate` begins
    so many steps later in the pattern. New numbers act at the next step. After a message to `reset` the next step is
    the first.

    Source: E. Bjorklund, "The Theory of Rep-Rate Pattern Generation in the SNS Timing System", 2003; G. Toussaint, "The
    Euclidean Algorithm Generates Traditional Musical Rhythms", 2005.
    """

    step = inlet.event("go one step on")
    pulses = inlet.control(5, "how many pulses", span=(0, 64), curve="integer")
    steps = inlet.control(8, "over how many steps", span=(1, 64), curve="integer")
    rotate = inlet.control(0, "where in the pattern it begins", span=(-64, 64), curve="integer")
    reset = inlet.event("begin again")
    hit = outlet.event("bang on a pulse")
    rest = outlet.event("bang on a step without one")

    def start(self, when: Moment) -> None:
        self.place = 0

    def on_step(self) -> None:
        count = max(int(self.steps), 1)
        pattern = bjorklund(int(self.pulses), count)
        (self.hit if pattern[(self.place + int(self.rotate)) % count] else self.rest)(BANG)
        self.place = (self.place + 1) % count

    def on_reset(self) -> None:
        self.place = 0


@node("chance", aliases=("CoinGate", "decide", "coin"))
class Chance(EventNode):
    """Let a message through by chance; what is not let through goes to `rest`.

    The draws follow from `seed`, so that a render repeats; two nodes with one seed draw alike.

    Source: M. Matsumoto, T. Nishimura, "Mersenne Twister", 1998 (Python's random).
    """

    seed = setting.number(0, "which sequence; each whole number is another", span=(0, 1_000_000))
    x = inlet.event("message")
    probability = inlet.control(0.5, "how likely it passes", span=(0.0, 1.0))
    y = outlet.event("the message, when it passes")
    rest = outlet.event("the message, when it does not")

    def start(self, when: Moment) -> None:
        self.draw = random.Random(int(self.seed))

    def on_x(self, message: Any) -> None:
        (self.y if self.draw.random() < self.probability else self.rest)(message)
