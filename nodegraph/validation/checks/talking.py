"""Messages: a node takes whatever comes, and sends nothing but messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from nodegraph.core.errors import NodegraphError
from nodegraph.core.ports import CableKind, Control, Inlet
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.validation.checks.patch import frames_for, needs_weights
from nodegraph.validation.driving import promised
from nodegraph.validation.finding import Finding
from nodegraph.validation.messages import finite, raised, shown, unfit
from nodegraph.validation.rig import IT, Heard, Post, legal_values, noise, patch_around, play
from nodegraph.validation.shrinking import fewest, told
from nodegraph.validation.stimuli import HOSTILE, hostile, takes_messages
from nodegraph.validation.subject import Subject

APART = 37
"""Frames from one message to the next."""
TOGETHER = 24
"""Messages of one instant."""


def messages(subject: Subject) -> Iterator[Finding]:
    """Every sort of message into every inlet: huge, none, texts, lists, notes, tags, bangs. It raises nothing."""
    needs_weights(subject)
    for turn in subject.rounds if subject.spec.role is not Role.INFERENCE else range(1):
        random = subject.random("messages", turn)
        params = {} if turn == 0 else legal_values(subject, random)
        document = patch_around(subject, params)
        spec = document.graph.nodes[IT].spec or subject.spec
        posts = _one_by_one(spec, random) + _together(subject, spec, random)
        found = _played(subject, params, posts, "")
        if found is not None:
            yield found
            return
    if subject.spec.role in (Role.EVENT, Role.TAP):
        yield from _with_all_settings(subject)


def _one_by_one(spec: NodeSpec, random: Any) -> list[Post]:
    """Each message into each inlet, so far apart that it is seen which one does harm."""
    every = [(item, value) for item in spec.inlets if takes_messages(item) for value in hostile(item, random)]
    return [(APART * (number + 1), IT, item.name, value) for number, (item, value) in enumerate(every)]


def _together(subject: Subject, spec: NodeSpec, random: Any) -> list[Post]:
    """Heaps of messages in one instant, several inlets at once."""
    inlets = [item for item in spec.inlets if takes_messages(item)]
    if not inlets:
        return []
    first = APART * (1 + sum(1 for item in inlets for _ in hostile(item, random)))
    posts: list[Post] = []
    for heap in range(4 * subject.level):
        for _ in range(TOGETHER):
            inlet = inlets[int(random.integers(len(inlets)))]
            posts.append((first + APART * heap, IT, inlet.name, _one(inlet, random)))
    return posts


def _one(inlet: Inlet, random: Any) -> Any:
    if inlet.kind is CableKind.TENSOR:
        every = list(hostile(inlet, random))
        return every[int(random.integers(len(every)))]
    if isinstance(inlet, Control) and random.random() < 0.5:
        return float(random.uniform(*inlet.span))
    return HOSTILE[int(random.integers(len(HOSTILE)))]


def _played(subject: Subject, params: dict[str, Any], posts: list[Post], when: str) -> Finding | None:
    document = patch_around(subject, params)
    spec = document.graph.nodes[IT].spec or subject.spec
    frames = (posts[-1][0] if posts else 0) + frames_for(subject)  # for what the last message has set going
    sound = noise(subject.random("sound"), 1, frames)

    def heard_of(posts: list[Post]) -> Heard:
        return play(subject, document, frames, ins=sound, posts=posts)

    try:
        heard = heard_of(posts)
    except NodegraphError as error:
        return Finding(f"a message ends the patch: {error}", when=when)
    except Exception as error:
        return Finding(f"a message stops the engine: {type(error).__name__}: {error}", when=when)
    found = raised(heard, when=when)
    return _fewest(found, posts, heard_of, when) if found is not None else _sent(spec, heard, when)


def _fewest(found: Finding, posts: list[Post], heard_of: Callable[[list[Post]], Heard], when: str) -> Finding:
    """The same finding with no more messages than it takes."""

    def harm(fewer: list[Post]) -> bool:
        again = raised(heard_of(fewer), when=when)
        return again is not None and (again.what, again.frame) == (found.what, found.frame)

    before = [post for post in posts if found.frame is not None and post[0] <= found.frame]
    few = fewest(before, harm) if before and harm(before) else before
    return replace(found, when=", ".join(text for text in (told(few), when) if text))


def _sent(spec: NodeSpec, heard: Heard, when: str) -> Finding | None:
    """What it sent must be messages."""
    for event in heard.events:
        outlet = spec.outlet_named.get(event.port)
        why = unfit(event, outlet) if outlet is not None else ""
        if why:
            return Finding(f"it sends what is no message: {why}", event.port, None, event.frame, when=when)
    return None


def _with_all_settings(subject: Subject) -> Iterator[Finding]:
    """Once more with every setting at its ends."""
    spec = subject.spec
    for settings in subject.extremes(shaping=True):
        odd = {name: value for name, value in settings.items() if name not in promised(spec)}
        if subject.kinds.why_not_shaped(spec.kind, odd):
            continue
        shaped = patch_around(subject, odd).graph.nodes[IT].spec or spec
        posts = _one_by_one(shaped, subject.random("settings"))
        found = _played(subject, odd, posts, ", ".join(f"{name} = {shown(value)}" for name, value in odd.items()))
        if found is not None:
            yield found
            return


def finite_answers(spec: NodeSpec, heard: Heard, when: str) -> Finding | None:
    """Of finite sound only finite numbers are told."""
    for event in heard.events:
        if not finite(event.value):
            values = shown(event.value), "finite numbers"
            return Finding("it answers with what is no number", event.port, None, event.frame, values, when)
    return None
