"""Presets of the patch, recalled from within it: by sequencers, MIDI, OSC. Plain Python in logical time."""

from __future__ import annotations

from typing import Any, Final

from nodegraph.core import BANG, EventNode, Moment, inlet, node, outlet, setting
from nodegraph.core.messages import as_number
from nodegraph.core.presets import TIME_CURVES, corners, missing_line, morphed, randomised

MOST_AT_ONCE: Final = 16
"""A preset that moves what recalls it again goes round in a loop: after so many times at one frame it is left."""
DRAWS: Final = 1 << 32
"""More than one node ever draws: another seed gives others."""


@node("preset", aliases=("presets", "pattrstorage", "autopattr", "snapshot", "snapshots"))
class Preset(EventNode):
    """Recall the presets of the patch in which it stands.

    A number is a preset's place in the list, from 0; a text is its name; a list gives the seconds behind it, in place
    of `time`; a bang recalls the last one again. Controls go there within `time`: those of curve log in equal ratios,
    whole numbers and switches when half the way is done. With 0 they take their own short ramps.

    `x` and `y` stand among the presets that `among` names: two lie left and right, four in the corners of a square
    (left and right below, left and right above), three with the last in the middle above. `randomise` moves what the
    presets hold by chance, so far from where the last one has it (0 to 1); each message draws anew, and a render
    repeats.
    What a preset holds of nodes that are gone is left out, and told once.

    Source: definition, as Max's preset and pattrstorage. Bilinear interpolation.
    """

    among = setting.list([], "names of up to four presets, for `x` and `y`")
    curve = setting.choice("linear", "how the way goes by time", TIME_CURVES)
    seed = setting.number(0, "which chance; each whole number is another", span=(0, 1_000_000))
    recall = inlet.event("a preset's number from 0, or its name; a bang recalls the last one again")
    time = inlet.control(0.0, "how long the way there takes", unit="s", span=(0.0, 3_600.0))
    x = inlet.control(0.0, "place from left to right", span=(0.0, 1.0))
    y = inlet.control(0.0, "place from below to above", span=(0.0, 1.0))
    randomise = inlet.event("how far by chance, 0 to 1")
    name = outlet.event("the name of the preset that is recalled")
    number = outlet.event("its number, from 0")

    def start(self, when: Moment) -> None:
        self.last = ""
        self.draws = 0
        self.told: set[str] = set()
        self.frame, self.times = -1, 0

    def on_recall(self, message: Any, when: Moment) -> None:
        seconds = self.time
        if type(message) is tuple and len(message) > 1:
            given = as_number(message[1])
            seconds = seconds if given is None or given != given else max(given, 0.0)
            message = message[0]
        names = self.host.presets(self).names
        found = self._named(message, names)
        if found is None or self._too_often(when):
            return
        self._tell_missing(found)
        presets = self.host.presets(self)
        self.last = found
        self.host.recall(self, presets.placed(presets.presets[found]), seconds, self.curve)
        self.number(names.index(found))
        self.name(found)

    def _named(self, message: Any, names: tuple[str, ...]) -> str | None:
        if message is BANG:
            message = self.last or 0
        if isinstance(message, str) and message in names:
            return message
        number = as_number(message)
        if number is not None and 0 <= number < len(names):
            return names[int(number)]
        self._say(f"There is no preset {message!r}; there are {len(names)}.")
        return None

    def on_x(self, when: Moment) -> None:
        self._morph(when)

    def on_y(self, when: Moment) -> None:
        self._morph(when)

    def _morph(self, when: Moment) -> None:
        presets = self.host.presets(self)
        names = [name for name in self.among[:4] if isinstance(name, str)]
        for gone in (name for name in names if name not in presets.presets):
            self._say(f"There is no preset {gone!r} to stand among.")
        corner = corners(len(names), self.x, self.y)
        known = [(name, weight) for name, weight in zip(names, corner, strict=True) if name in presets.presets]
        if not known or self._too_often(when):
            return
        for name, _ in known:
            self._tell_missing(name)
        values = morphed([presets.presets[name] for name, _ in known], [one for _, one in known], presets.controls)
        self.host.recall(self, presets.placed(values), self.time, self.curve)

    def on_randomise(self, message: Any, when: Moment) -> None:
        amount = 1.0 if message is BANG else as_number(message)
        if amount is None or amount != amount or self._too_often(when):
            return
        presets = self.host.presets(self)
        base = {port: value for values in presets.presets.values() for port, value in values.items()}
        values = base | dict(presets.presets.get(self.last, {}))
        self.draws += 1
        drawn = randomised(values, presets.controls, amount, int(self.seed) * DRAWS + self.draws)
        self.host.recall(self, presets.placed(drawn), self.time, self.curve)

    def _too_often(self, when: Moment) -> bool:
        self.times = self.times + 1 if when.frame == self.frame else 0
        self.frame = when.frame
        if self.times >= MOST_AT_ONCE:
            self._say("What it recalls recalls it again, in a loop; it is left there.")
        return self.times >= MOST_AT_ONCE

    def _tell_missing(self, name: str) -> None:
        gone = self.host.presets(self).missing.get(name)
        if gone:
            self._say(missing_line(name, gone))

    def _say(self, text: str) -> None:
        """A line for the log, each once."""
        if text not in self.told and len(self.told) < 100:
            self.told.add(text)
            self.host.log(self, text)
