"""Taps and listeners hear what is no number, and must forget it: what they tell later is of the sound again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nodegraph.core.messages import Event
from nodegraph.core.spec import Role
from nodegraph.validation.checks.patch import needs_weights
from nodegraph.validation.finding import Finding
from nodegraph.validation.messages import finite, raised, shown
from nodegraph.validation.rig import Heard, noise, patch_around, play
from nodegraph.validation.subject import USUAL_RATE, Subject

BAD = {"NaN": (np.nan, 0.1, 0.15), "infinity": (np.inf, 0.2, 0.25)}
"""The poison, and where it is, in parts of the whole. What is told in the last third must be as if it had not been."""
OFTEN = 5
"""Messages of the last third from which on none at all is a sign: chance may keep back a few."""
TAP_S, LISTENER_S = 1.5, 4.0


def forgetting(subject: Subject) -> Iterator[Finding]:
    """NaN and infinity that it has heard are forgotten: later it tells of the sound again, in numbers."""
    needs_weights(subject)
    frames = round((LISTENER_S if subject.spec.role is Role.INFERENCE else TAP_S) * USUAL_RATE)
    document = patch_around(subject)
    sound = noise(subject.random("forgetting"), 1, frames)
    clean = play(subject, document, frames, ins=sound)
    poisoned, words = sound.copy(), []
    for name, (bad, *ends) in BAD.items():
        first, last = (round(end * frames) for end in ends)
        poisoned[:, first:last] = bad
        words.append(f"{name} from frame {first} to {last}")
    heard = play(subject, document, frames, ins=poisoned)
    when = ", ".join(words)
    found = raised(heard, when=when) or _told(_late(clean, frames), _late(heard, frames), when)
    if found is not None:
        yield found


def _late(heard: Heard, frames: int) -> list[Event]:
    """What is told in the last third."""
    return [event for event in heard.events if event.frame > 2 * frames // 3]


def _told(clean: list[Event], poisoned: list[Event], when: str) -> Finding | None:
    for event in poisoned:
        if not finite(event.value):
            values = shown(event.value), "finite numbers"
            return Finding("it still answers with what is no number", event.port, None, event.frame, values, when)
    for port in {event.port for event in clean}:
        counts = [sum(event.port == port for event in events) for events in (poisoned, clean)]
        if counts[0] == 0 and counts[1] >= OFTEN:
            values = "no message", f"{counts[1]} messages"
            return Finding("it has fallen silent for ever", port, values=values, when=when)
    return None
