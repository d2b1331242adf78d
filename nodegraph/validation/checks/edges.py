"""`in~` and `out~`: the sound goes through them as it is, to the channels that their settings say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nodegraph.core.graph import Graph
from nodegraph.core.ports import MOST_CHANNELS
from nodegraph.validation.comparing import first_difference
from nodegraph.validation.finding import Finding
from nodegraph.validation.rig import document_of, noise, play
from nodegraph.validation.subject import Subject

FRAMES = 1_024


def through(subject: Subject) -> Iterator[Finding]:
    """What comes in goes out, bit for bit, on the channels that are asked for."""
    direction: str = subject.spec.cls.direction  # type: ignore[attr-defined]
    for count in subject.channels:
        for first in sorted({1, 2, MOST_CHANNELS - count + 1}):
            if first + count - 1 > MOST_CHANNELS:
                continue
            graph = Graph(subject.kinds)
            graph.add(subject.spec.kind if direction == "in" else "in~", "in", channel=first, channels=count)
            graph.add(subject.spec.kind if direction == "out" else "out~", "out", channel=first, channels=count)
            graph.connect("in", "out")
            sound = noise(subject.random("through", count, first), first + count - 1, FRAMES, 0.1)
            heard = play(subject, document_of(subject, graph), FRAMES, ins=sound)
            wanted = np.zeros_like(heard.audio)
            wanted[first - 1 : first - 1 + count] = sound[first - 1 :]
            found = first_difference({"out": heard.audio}, {"out": wanted})
            if found is not None:
                when = f"{count} channels from number {first}"
                yield Finding.of("what goes out is not what came in", found, when)
                return
