"""A node in a patch: sound in front of it, ears behind it, messages at their frames. What the engine makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.document import Document
from nodegraph.core.flatten import address, flatten
from nodegraph.core.graph import Graph
from nodegraph.core.listening import Workers
from nodegraph.core.messages import Event
from nodegraph.core.ports import MOST_CHANNELS, CableKind
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.runtime.lane import Lanes
from nodegraph.runtime.player import Player
from nodegraph.validation.comparing import Floats
from nodegraph.validation.driving import promised, signals, within
from nodegraph.validation.subject import USUAL_RATE, Subject

IT: Final = "it"
QUIET: Final = 2.0**-10
"""What goes out is made so much softer that the safety limiter leaves it alone; a power of two changes no other bit."""
Post = tuple[int, str, str, Any]
"""A message from outside: its frame, node, inlet and value."""
LOUD: Final = (CableKind.EVENT, CableKind.TENSOR)


@dataclass
class Heard:
    """What came of playing a patch: the sound of the device's channels, the messages of the node's outlets, and what
    was reported, with the frame at which it was."""

    audio: Floats
    events: list[Event] = field(default_factory=list)
    reports: list[tuple[int, str, str]] = field(default_factory=list)


def patch_around(
    subject: Subject,
    params: Mapping[str, Any] | None = None,
    *,
    channels: int = 1,
    moving: bool = False,
    outlets: Iterable[str] | None = None,
) -> Document:
    """The node alone in a patch, as `it`: `in~` in front of every signal inlet, `out~` behind every signal outlet.

    `moving`: each control is moved by the sound of `in~`, over its whole span. `outlets`: those that are heard, all as
    far as the device's channels go.
    """
    graph = Graph(subject.kinds)
    graph.add(subject.spec.kind, IT, **stored(subject, params))
    spec = graph.nodes[IT].spec or subject.spec  # its ports may depend on its settings
    hearing = signals(spec)
    if hearing or moving:
        graph.add("in~", "in", channels=channels)
    for name in hearing:
        graph.connect("in.y", f"{IT}.{name}")
    if moving and subject.native:
        for control in (item for item in spec.controls if item.name not in promised(spec)):
            low, high = (min(max(value, -1e6), 1e6) for value in control.span)
            graph.add("scale~", f"move-{control.name}", mul=(high - low) / 2.0, add=(high + low) / 2.0)
            graph.connect("in.y", f"move-{control.name}.x")
            graph.connect(f"move-{control.name}.y", f"{IT}.{control.name}")
    listen(graph, spec, IT, channels, outlets)
    return document_of(subject, graph)


def listen(graph: Graph, spec: NodeSpec, node: str, channels: int, outlets: Iterable[str] | None = None) -> None:
    """Lay every signal outlet of a node to device channels of its own, as far as they go."""
    first = 1
    for item in spec.outlets:
        if item.kind is not CableKind.SIGNAL or (outlets is not None and item.name not in outlets):
            continue
        width = max(channels, item.channels if isinstance(item.channels, int) else 2)
        if first + width - 1 > MOST_CHANNELS:
            return
        level, out = f"level-{node}-{item.name}", f"out-{node}-{item.name}"
        graph.add("*~", level, b=QUIET)
        graph.add("out~", out, channel=first, channels=width)
        graph.connect(f"{node}.{item.name}", f"{level}.x")
        graph.connect(f"{level}.y", f"{out}.x")
        first += width


def stored(subject: Subject, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The node's values for a patch; files as texts that lead from the patch's folder."""
    found: dict[str, Any] = dict(subject.settings()) | dict(params or {})
    return {
        name: value.relative_to(subject.folder).as_posix() if isinstance(value, Path) else value
        for name, value in found.items()
    }


def document_of(subject: Subject, graph: Graph) -> Document:
    """The graph as a document in the subject's folder."""
    return Document(graph, path=subject.folder / "rig.ng")


def play(
    subject: Subject,
    document: Document,
    frames: int,
    *,
    rate: int = USUAL_RATE,
    block: int = 64,
    ins: NDArray[np.float32] | None = None,
    posts: Iterable[Post] = (),
    packing: bool = True,
) -> Heard:
    """Render a document. Raises NodegraphError as the player does."""
    from nodegraph.api.places import resolver, weights

    heard = Heard(np.zeros((0, frames), np.float32))
    player: Player | None = None

    def report(node: str, text: str) -> None:
        heard.reports.append((player.messages.now if player is not None else 0, node, text))

    with _lent(subject, rate) as lanes:
        player = Player(
            flatten(document),
            rate,
            inputs=None if ins is None else ins.shape[0],
            packing=packing,
            resolve=resolver(document, [subject.folder, subject.home]),
            weights=weights,
            modules=subject.modules,
            report=report,
            lanes=lanes,
        )
        try:
            for name in loud_outlets(document):
                player.watch(*address(document.graph.view, IT, name), heard.events.append)
            for frame, node, inlet, value in posts:
                player.messages.post(frame, *address(document.graph.view, node, inlet), value)
            heard.audio = np.zeros((player.engine.outputs, frames), np.float32)
            player.render(heard.audio, ins, block=block)
            if any(one["state"] != "ready" or one["restarts"] for one in player.listeners.status().values()):
                _discard(subject, rate)
        finally:
            player.close()
    heard.events = [event for event in heard.events if event.frame < frames]  # Python runs ahead of the sound
    return heard


@contextmanager
def _lent(subject: Subject, rate: int) -> Iterator[Lanes | None]:
    """Workers for one run: those of earlier ones that went well, so that not every run starts a process."""
    from nodegraph.api.places import weights

    if subject.lanes is None or subject.spec.role is not Role.INFERENCE or rate != USUAL_RATE:
        yield None
        return
    lanes = subject.lanes.get(rate)
    if lanes is None:
        lanes = subject.lanes[rate] = Lanes(rate, weights, Workers(), subject.modules)
    try:
        yield lanes
    except BaseException:
        _discard(subject, rate)
        raise


def _discard(subject: Subject, rate: int) -> None:
    """Who has died or failed serves no other run."""
    lanes = (subject.lanes or {}).pop(rate, None)
    if lanes is not None:
        lanes.close()


def loud_outlets(document: Document) -> list[str]:
    """The outlets of `it` that send messages."""
    entry = document.graph.nodes.get(IT)
    return [item.name for item in entry.spec.outlets if item.kind in LOUD] if entry and entry.spec else []


def noise(random: np.random.Generator, channels: int, frames: int, level: float = 0.3) -> Floats:
    """White noise in each channel."""
    return (level * random.standard_normal((channels, frames))).astype(np.float32)


def legal_values(subject: Subject, random: np.random.Generator, channels: int = 1) -> dict[str, Any]:
    """A legal value of every control and setting of the node, by chance; files and texts keep what they are.

    Where `channels` come in, a setting that counts channels stays so low that they fit into a cable together.
    """
    spec = subject.spec
    found: dict[str, Any] = {}
    fixed = promised(spec)
    for item in spec.settings:
        if item.name in fixed or item.name in subject.shape or spec.role is Role.DEVICE:
            continue
        if item.type == "number" and item.span and item.unit != "s":
            most = MOST_CHANNELS // channels if item.span[1] == MOST_CHANNELS else int(item.span[1])
            found[item.name] = int(random.integers(int(np.ceil(item.span[0])), most + 1))
        elif item.type == "choice":
            found[item.name] = item.choices[int(random.integers(len(item.choices)))]
        elif item.type == "flag":
            found[item.name] = bool(random.integers(2))
    if subject.kinds.why_not_shaped(spec.kind, {**subject.shape, **found}):
        found = {name: value for name, value in found.items() if name not in spec.cls.shapes}
    shaped = subject.kinds.shaped(spec.kind, {**subject.shape, **found}) or spec
    for control in shaped.controls:
        value = fixed.get(control.name, float(within(control, random, (1,))[0]))
        found[control.name] = min(max(value, control.span[0]), control.span[1])
    return found
