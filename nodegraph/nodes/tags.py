"""What taggers say, made fit for playing: labels that begin and end, calmer scores, the likeliest, other messages.

A tagger sends the tags of one answer at one instant, and leaves out what it does not hear; so a label that is not named
in an answer counts as not heard there. What needs the whole answer comes one sample after it.
"""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from typing import Any, Final

from nodegraph.core import EventNode, Moment, Tag, inlet, node, outlet, setting
from nodegraph.core.messages import as_number
from nodegraph.nodes.events import LONGEST_S, atoms

MOST_LABELS: Final = 4_096
"""Labels that a node keeps in mind; a tagger has some hundreds."""
SURE: Final = 1.0
HUGE: Final = 1e9
"""Scores are probabilities as a rule; what some program sends instead is held within this."""


def tag_of(message: Any) -> Tag | None:
    """A tag, a text (which is sure), or a list of a text and a number; None for anything else."""
    if isinstance(message, Tag):
        label, score = message
    elif isinstance(message, str):
        label, score = message, SURE
    elif isinstance(message, tuple) and len(message) == 2 and isinstance(message[0], str):
        label, score = message
    else:
        return None
    number = as_number(score)
    if not isinstance(label, str) or number is None or not math.isfinite(number):
        return None
    return Tag(label, min(max(float(number), -HUGE), HUGE))


class Answers(EventNode):
    """Gathers the tags of one instant; `answer` gets them one sample later. Not a node by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.gathered: dict[str, float] = {}

    def gather(self, message: Any, when: Moment) -> None:
        """Another tag of this instant's answer."""
        tag = tag_of(message)
        if tag is None:
            return
        gathered = self.gathered
        if not gathered:
            self.host.after(self, 0.0, self._whole)
        if len(gathered) < MOST_LABELS:
            gathered[tag.label] = max(tag.score, gathered.get(tag.label, -math.inf))

    def _whole(self, when: Moment) -> None:
        gathered, self.gathered = self.gathered, {}
        self.answer(gathered, when)

    def answer(self, scores: dict[str, float], when: Moment) -> None:
        """All labels of one answer and their scores."""
        raise NotImplementedError


@node("tags.gate", aliases=("tag.gate", "hysteresis"))
class TagGate(EventNode):
    """Say when a label begins and when it has ended, without flutter.

    A label begins when its score reaches `on`, and has ended when for `hold` seconds none of its scores was `off` or
    more. A tagger repeats a label with every answer: let `hold` be longer than its hop. Takes tags, texts (which are
    sure) and lists of a text and a number; other messages stop here.

    Source: definition; the two thresholds are those of O. H. Schmitt's trigger, 1938.
    """

    x = inlet.event("tags, as a tagger sends them")
    on = inlet.control(0.5, "score at which a label begins", span=(0.0, 1.0))
    off = inlet.control(0.35, "score that keeps a label going", span=(0.0, 1.0))
    hold = inlet.control(1.5, "how long a label goes on without one", unit="s", span=(0.0, LONGEST_S))
    begins = outlet.event("a tag that begins")
    ends = outlet.event("a tag that has ended, with its last score")
    count = outlet.event("how many labels are going on, when it changes")

    def start(self, when: Moment) -> None:
        self.going: dict[str, tuple[float, object]] = {}

    def on_x(self, message: Any, when: Moment) -> None:
        tag = tag_of(message)
        if tag is None:
            return
        known = self.going.get(tag.label)
        if known is None:
            if tag.score < self.on or len(self.going) >= MOST_LABELS:
                return
        elif tag.score < min(self.off, self.on):
            self.going[tag.label] = tag.score, known[1]
            return
        else:
            self.host.cancel(known[1])
        ticket = self.host.after(self, self.hold, lambda when: self._end(tag.label))
        self.going[tag.label] = tag.score, ticket
        if known is None:
            self.begins(tag)
            self.count(len(self.going))

    def _end(self, label: str) -> None:
        score, _ = self.going.pop(label)
        self.ends(Tag(label, score))
        self.count(len(self.going))


@node("tags.smooth", aliases=("tag.smooth",))
class TagSmooth(Answers):
    """Make scores calmer: each label's score follows what the tagger says within `time` seconds.

    A label that an answer does not name counts as 0 there, and is forgotten below `least`. After every answer all
    labels with `least` or more are sent, the likeliest first.

    Source: definition: exponential smoothing, ``y += (1 - exp(-dt / time)) (x - y)``.
    """

    x = inlet.event("tags, as a tagger sends them")
    time = inlet.control(1.0, "time constant; 0 changes nothing", unit="s", span=(0.0, 600.0))
    least = inlet.control(0.05, "least score that is sent", span=(0.001, 1.0), curve="log")
    y = outlet.event("tags with smoothed scores")

    def start(self, when: Moment) -> None:
        self.scores: dict[str, float] = {}
        self.last: float | None = None

    def on_x(self, message: Any, when: Moment) -> None:
        self.gather(message, when)

    def answer(self, scores: dict[str, float], when: Moment) -> None:
        passed = math.inf if self.last is None else when.time - self.last
        self.last = when.time
        share = 1.0 if self.time <= 0.0 else 1.0 - math.exp(-passed / self.time)
        for label in list(self.scores.keys() | scores.keys()):
            now = self.scores.get(label, 0.0)
            self.scores[label] = now + share * (scores.get(label, 0.0) - now)
        kept = sorted(self.scores.items(), key=lambda item: (-item[1], item[0]))[:MOST_LABELS]
        self.scores = {label: score for label, score in kept if score >= self.least}
        for label, score in self.scores.items():
            self.y(Tag(label, score))


@node("tags.top", aliases=("tag.top", "topk"))
class TagTop(Answers):
    """Let the likeliest tags of each answer through.

    `most` of them, the likeliest first; of two that are as likely the one that comes first in the alphabet. With
    `changes`, only when they are other labels, or in another order, than the last time.

    Source: definition.
    """

    changes = setting.flag(False, "only when the labels are others")
    x = inlet.event("tags, as a tagger sends them")
    most = inlet.control(1.0, "how many", span=(1.0, 100.0), curve="integer")
    y = outlet.event("the likeliest tags, likeliest first")

    def start(self, when: Moment) -> None:
        self.told: list[str] = []

    def on_x(self, message: Any, when: Moment) -> None:
        self.gather(message, when)

    def answer(self, scores: dict[str, float], when: Moment) -> None:
        found = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[: int(self.most)]
        labels = [label for label, _ in found]
        if self.changes and labels == self.told:
            return
        self.told = labels
        for label, score in found:
            self.y(Tag(label, score))


@node("tags.map", aliases=("tag.map",))
class TagMap(EventNode):
    """Turn labels into messages of your own.

    `map` has rules ``label = message``, apart by semicolons or in lines: ``Dog = 1; Speech = note 60; Sing* = $score``.
    A label may have ``*`` for anything and ``?`` for any letter; capitals do not matter; the first rule that fits
    counts. A message is a number, a word, several of them, or ``bang``; ``$score`` and ``$label`` stand for the tag's.
    Tags below `least` stop here, and those that no rule fits leave at `rest`.

    Source: definition, as select and route in Max and Pd.
    """

    map = setting.text("", "rules: label = message; …")
    x = inlet.event("tags, texts, or lists of a text and a number")
    least = inlet.control(0.0, "least score", span=(0.0, 1.0))
    y = outlet.event("the message of the first rule that fits")
    rest = outlet.event("tags that no rule fits")

    def start(self, when: Moment) -> None:
        self.rules: list[tuple[str, str]] = []
        for line in self.map.replace(";", "\n").splitlines():
            label, equals, message = line.partition("=")
            if equals and label.strip():
                self.rules.append((label.strip().casefold().replace("[", "[[]"), message.strip()))
            elif line.strip():
                self.host.log(self, f"'{line.strip()}' is no rule: write label = message.")

    def on_x(self, message: Any, when: Moment) -> None:
        tag = tag_of(message)
        if tag is None or tag.score < self.least:
            return
        label = tag.label.casefold()
        for pattern, wanted in self.rules:
            if fnmatchcase(label, pattern):
                self.y(self._made(wanted, tag))
                return
        self.rest(tag)

    @staticmethod
    def _made(wanted: str, tag: Tag) -> Any:
        parts = {"$score": tag.score, "$label": tag.label}
        made = atoms(wanted)
        if isinstance(made, tuple):
            return tuple(parts.get(item, item) if isinstance(item, str) else item for item in made)
        return parts.get(made, made) if isinstance(made, str) else made
