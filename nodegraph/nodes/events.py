"""Messages: clocks, numbers, chance, routing. Plain Python in logical time, exact to the sample."""

from __future__ import annotations

import math
import random
from typing import Any

from nodegraph.core import BANG, At, EventNode, Moment, Note, Tag, inlet, node, outlet, setting
from nodegraph.core.messages import as_number

WIDE = (-1_000_000_000.0, 1_000_000_000.0)
LONGEST_S = 86_400.0


def atoms(text: str) -> Any:
    """A message written as words: ``440``, ``0.8 60``, ``note on``, ``bang``; several words make a list."""
    words = tuple(_atom(word) for word in text.split())
    return words[0] if len(words) == 1 else words or BANG


def _atom(word: str) -> Any:
    if word == "bang":
        return BANG
    for kind in (int, float):
        try:
            number = kind(word)
        except ValueError:
            continue
        return number if math.isfinite(number) else word
    return word


def mapped(message: Any, change: Any) -> Any:
    """`change` applied to a number, to each number of a list, or to the pitch of a note; None when there is none."""
    if isinstance(message, tuple) and not isinstance(message, (Note, Tag, At)):
        items = [mapped(item, change) for item in message]
        return tuple(item for item in items if item is not None) or None
    number = as_number(message)
    return None if number is None else change(number)


@node("metro", aliases=("Metro", "Impulse", "clock"))
class Metronome(EventNode):
    """Send bangs at equal distances.

    The first when it starts: with the patch, or when `on` becomes 1. Times do not drift: each is counted from the
    first, to the nearest sample. A new `interval` counts from the last bang.

    Source: definition, as in Max and Pd.
    """

    interval = inlet.control(0.5, "time from bang to bang", unit="s", span=(0.001, 3_600.0), curve="log")
    on = inlet.control(1.0, "1 runs, 0 stands still", span=(0.0, 1.0), curve="switch")
    bang = outlet.event("bang")

    def start(self, when: Moment) -> None:
        self.ticket: object = None
        if self.on:
            self._begin(when)

    def _begin(self, when: Moment) -> None:
        self.first, self.count = when.time, 0
        self._beat(when)

    def _beat(self, when: Moment) -> None:
        self.bang(BANG)
        self.last = self.first + self.count * self.interval
        self.count += 1
        self._next(when)

    def _next(self, when: Moment) -> None:
        due = self.first + self.count * self.interval
        self.ticket = self.host.after(self, max(due - when.time, 0.0), self._beat)

    def on_on(self, message: float, when: Moment) -> None:
        if message and self.ticket is None:
            self._begin(when)
        elif not message and self.ticket is not None:
            self.host.cancel(self.ticket)
            self.ticket = None

    def on_interval(self, when: Moment) -> None:
        if self.ticket is not None:
            self.host.cancel(self.ticket)
            self.first, self.count = self.last, 1
            self._next(when)


@node("loadbang", aliases=("LoadBang",))
class LoadBang(EventNode):
    """Send one bang when the patch starts, or when the node joins it.

    Source: definition, as in Max and Pd.
    """

    bang = outlet.event("bang")

    def start(self, when: Moment) -> None:
        self.bang(BANG)


@node("number", aliases=("floatatom", "flonum", "float", "int", "f", "i", "nbx"))
class Number(EventNode):
    """Keep a number: shows what passes, and sends it again on a bang.

    `value` is what is stored, and what is set by hand or from outside; setting it sends it.

    Source: definition, as in Max and Pd.
    """

    x = inlet.event("a number is stored and sent on; a bang sends the stored one")
    value = inlet.control(0.0, "the stored number", span=WIDE, ramp_s=0.0)
    y = outlet.event("the number")

    def on_x(self, message: Any) -> None:
        number = as_number(message)
        if number is not None:
            self.controls["value"] = number
        self.y(self.value)

    def on_value(self, message: float) -> None:
        self.y(message)


@node("message", aliases=("msg", "m", "messagebox"))
class MessageBox(EventNode):
    """Send a message that is written in the patch.

    Words become numbers where they can: ``440``, ``note on``, ``0.8 60`` (a list), ``bang``. Anything that arrives at
    `x` sends it.

    Source: definition, as in Max and Pd.
    """

    text = setting.text("bang", "the message: one word, or several for a list")
    x = inlet.event("send it")
    y = outlet.event("the message")

    def on_x(self) -> None:
        self.y(atoms(self.text))


@node("random", aliases=("Rand", "rrand", "TRand", "drunk"))
class Random(EventNode):
    """Draw a number by chance, evenly, on each message.

    From `low` to `high`; with `whole`, whole numbers, both ends included. The sequence follows from `seed`, so that a
    render repeats; two nodes with one seed draw alike.

    Source: M. Matsumoto, T. Nishimura, "Mersenne Twister", 1998 (Python's random).
    """

    seed = setting.number(0, "which sequence; each whole number is another", span=(0, 1_000_000))
    whole = setting.flag(False, "whole numbers only")
    x = inlet.event("draw")
    low = inlet.control(0.0, "least number", span=WIDE)
    high = inlet.control(1.0, "greatest number", span=WIDE)
    y = outlet.event("the number")

    def start(self, when: Moment) -> None:
        self.chance = random.Random(int(self.seed))

    def on_x(self) -> None:
        low, high = sorted((self.low, self.high))
        if self.whole:
            first, last = math.ceil(low), math.floor(high)
            self.y(self.chance.randint(first, last) if first <= last else first)
        else:
            self.y(self.chance.uniform(low, high))


@node("mtof", aliases=("midicps",))
class PitchToFrequency(EventNode):
    """Turn MIDI pitches into frequencies.

    ``y = 440 * 2^((x - 69) / 12)`` Hz. Takes numbers (fractions are cents), lists and notes; other messages stop here.

    Source: MIDI Tuning Standard, 1992.
    """

    x = inlet.event("MIDI pitch; 69 is the A of 440 Hz")
    y = outlet.event("frequency in Hz")

    def on_x(self, message: Any) -> None:
        made = mapped(message, lambda pitch: 440.0 * 2.0 ** (min(max(pitch, -1500.0), 1500.0) / 12.0 - 5.75))
        if made is not None:
            self.y(made)


@node("ftom", aliases=("cpsmidi",))
class FrequencyToPitch(EventNode):
    """Turn frequencies into MIDI pitches.

    ``y = 69 + 12 log2(x / 440)``; fractions are cents. 0 and below give -1500, as in Pd. Takes numbers and lists.

    Source: MIDI Tuning Standard, 1992.
    """

    x = inlet.event("frequency in Hz")
    y = outlet.event("MIDI pitch")

    def on_x(self, message: Any) -> None:
        made = mapped(message, lambda freq: 69.0 + 12.0 * math.log2(freq / 440.0) if freq > 0.0 else -1500.0)
        if made is not None:
            self.y(made)


@node("scale", aliases=("zmap", "linlin"))
class ScaleMessage(EventNode):
    """Multiply a number and add to it.

    ``y = x * mul + add``. Takes numbers, lists and tags (their probability); other messages stop here.

    Source: definition.
    """

    x = inlet.event("number")
    mul = inlet.control(1.0, "factor", span=WIDE)
    add = inlet.control(0.0, "what is added then", span=WIDE)
    y = outlet.event("x * mul + add")

    def on_x(self, message: Any) -> None:
        made = mapped(message, lambda number: number * self.mul + self.add)
        if made is not None:
            self.y(made)


@node("threshold", aliases=("thresh", "past", "moses"))
class Threshold(EventNode):
    """Tell when a number rises to a level, and when it falls below it again.

    `above` sends the number that reached `level`, `below` the first that is less than ``level - slack``; nothing in
    between. Takes numbers and tags (their probability).

    Source: O. H. Schmitt, "A thermionic trigger", 1938.
    """

    x = inlet.event("number")
    level = inlet.control(0.5, "where it acts", span=WIDE)
    slack = inlet.control(0.0, "how far below the level it must fall", span=(0.0, 1_000_000_000.0))
    above = outlet.event("the number that rose to the level")
    below = outlet.event("the number that fell below it")

    def start(self, when: Moment) -> None:
        self.high = False

    def on_x(self, message: Any) -> None:
        number = as_number(message)
        if number is None:
            return
        if not self.high and number >= self.level:
            self.high = True
            self.above(message)
        elif self.high and number < self.level - self.slack:
            self.high = False
            self.below(message)


@node("select", aliases=("sel", "route"))
class Select(EventNode):
    """Let one message through at `match`, all others at `rest`.

    A message matches when it is equal to `value`, when it is a tag with that label, or a list that begins with it.

    Source: definition, as in Max and Pd.
    """

    value = setting.text("bang", "a word or a number")
    x = inlet.event("message")
    match = outlet.event("the message, when it matches")
    rest = outlet.event("the message, when it does not")

    def on_x(self, message: Any) -> None:
        (self.match if self._matches(message) else self.rest)(message)

    def _matches(self, message: Any) -> bool:
        wanted = atoms(self.value)
        if isinstance(message, Tag):
            return bool(message.label == self.value)
        if isinstance(message, Note):
            return bool(message.pitch == wanted)
        if isinstance(message, tuple):
            return bool(message == wanted or (message and message[0] == wanted))
        return bool(message == wanted or message == self.value)


@node("delay", aliases=("pipe", "del", "Delay"))
class Delay(EventNode):
    """Send each message on later.

    As many as arrive wait at the same time; a new `time` holds for those that arrive from then on. A loop of messages
    needs one of these: its delay is at least one frame.

    Source: definition, as Max's pipe.
    """

    x = inlet.event("message")
    time = inlet.control(0.5, "how much later", unit="s", span=(0.0, LONGEST_S))
    clear = inlet.event("forget what waits")
    y = outlet.event("the message, later")

    def start(self, when: Moment) -> None:
        self.waiting: dict[int, object] = {}
        self.number = 0

    def on_x(self, message: Any) -> None:
        self.number += 1
        number = self.number

        def send(when: Moment) -> None:
            del self.waiting[number]
            self.y(message)

        self.waiting[number] = self.host.after(self, self.time, send)

    def on_clear(self) -> None:
        for ticket in self.waiting.values():
            self.host.cancel(ticket)
        self.waiting.clear()


@node("print", aliases=("post", "Post"))
class Print(EventNode):
    """Write each message into the log.

    Source: definition, as in Max and Pd.
    """

    label = setting.text("", "a word in front")
    x = inlet.event("message")

    def on_x(self, message: Any) -> None:
        text = described(message)
        self.host.log(self, f"{self.label}: {text}" if self.label else text)


def described(message: Any) -> str:
    """A message as text for people."""
    if isinstance(message, Tag):
        return f"{message.label} {message.score:.2f}"
    if isinstance(message, Note):
        length = "" if message.duration_s is None else f" for {message.duration_s:g} s"
        return f"note {message.pitch:g} at {message.velocity:.2f}{length}"
    if isinstance(message, float):
        return f"{message:g}"
    if isinstance(message, tuple):
        return " ".join(described(item) for item in message)
    shape = getattr(message, "shape", None)
    return f"tensor {shape}" if shape else str(message)


@node("send", aliases=("s",))
class Send(EventNode):
    """Send messages to every `receive` of the same name, without a cable.

    Source: definition, as in Max and Pd.
    """

    name = setting.text("", "the name that both share")
    x = inlet.event("message")


@node("receive", aliases=("r",))
class Receive(EventNode):
    """Get the messages of every `send` of the same name, without a cable.

    Source: definition, as in Max and Pd.
    """

    name = setting.text("", "the name that both share")
    y = outlet.event("message")
