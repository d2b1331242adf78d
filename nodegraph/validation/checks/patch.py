"""A node in a patch: what the engine makes of it is finite, repeats, and does not depend on how it is played."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError
from nodegraph.core.graph import Graph
from nodegraph.core.listening import OwnModel
from nodegraph.core.patchfile import dumps, loads
from nodegraph.core.ports import CableKind
from nodegraph.core.spec import Role
from nodegraph.runtime.engine import LONGEST_BLOCK
from nodegraph.validation.comparing import Difference, Floats, first_difference
from nodegraph.validation.driving import signals
from nodegraph.validation.finding import Finding, NotApplicable
from nodegraph.validation.messages import event_difference, raised
from nodegraph.validation.rig import (
    IT,
    QUIET,
    Heard,
    Post,
    document_of,
    legal_values,
    listen,
    noise,
    patch_around,
    play,
    stored,
)
from nodegraph.validation.stimuli import ordinary
from nodegraph.validation.subject import USUAL_RATE, Subject

BLOCKS = (1, 17, 512, 1_024)
BEYOND, BEYOND_RATE = LONGEST_BLOCK + 808, 192_000
"""A block for which the engine has no room at once, and a rate at which so much is granted to a device that waits."""
SECONDS = {Role.INFERENCE: 1.5, Role.EVENT: 1.0, Role.TAP: 0.5}
"""How long a node must be played to say something: what is heard is told later, messages wait."""
TRIGGER_S = 0.25
"""The same for a native node that sends messages."""
ONES = 8
"""How many like chains stand side by side when packing is looked at: enough to be packed."""


class Playing:
    """One way of driving a node in a patch: noise in, ordinary messages at their frames."""

    def __init__(self, subject: Subject, *names: Any, channels: int = 1, moving: bool = False) -> None:
        needs_weights(subject)
        self.subject = subject
        random = subject.random(*names)
        self.frames = frames_for(subject)
        self.document = patch_around(subject, legal_values(subject, random, channels), channels=channels, moving=moving)
        spec = self.document.graph.nodes[IT].spec
        assert spec is not None
        self.posts: list[Post] = ordinary(spec, random, self.frames)
        self.ins: Floats = noise(random, channels, self.frames)

    def lengthen(self, frames: int) -> None:
        """Go on for so many frames at least, with the same sound again."""
        self.frames = max(self.frames, frames)
        self.ins = np.resize(self.ins, (len(self.ins), self.frames))

    def play(self, **options: Any) -> Heard:
        """Play it. `options` as of `rig.play`."""
        document: Document = options.pop("document", self.document)
        return play(self.subject, document, self.frames, ins=self.ins, posts=self.posts, **options)


def frames_for(subject: Subject) -> int:
    """How long a run is, so that what the node has to say is said."""
    sends = subject.native and any(item.kind is CableKind.EVENT for item in subject.spec.outlets)
    seconds = SECONDS.get(subject.spec.role, TRIGGER_S if sends else 0.0)
    return max(subject.frames, round(seconds * USUAL_RATE))


def has_own_model(subject: Subject) -> bool:
    """Whether its model is a file of the user's own."""
    return isinstance(getattr(subject.spec.cls, "weights", None), OwnModel)


def needs_weights(subject: Subject) -> None:
    """Raises NotApplicable when the node's model is not in the store. One whose model is a file of the user's own is
    tried without: it must stand that, too."""
    if subject.spec.role is not Role.INFERENCE or has_own_model(subject):
        return
    from nodegraph.api.places import weights
    from nodegraph.core.errors import ModelError

    name: str = subject.spec.cls.weights.of(subject.settings(), subject.spec.settings)  # type: ignore[attr-defined]
    try:
        weights(name)
    except ModelError:
        raise NotApplicable(f"the model '{name}' is not in the store (nodegraph models fetch {name})") from None


def difference(what: str, a: Heard, b: Heard, when: str = "") -> Finding | None:
    """A finding about the first bit or message in which two runs differ."""
    found = first_difference({"out": a.audio}, {"out": b.audio})
    if found is not None:
        return Finding.of(what, found, when)
    return event_difference(what, a, b, when)


def repeat(subject: Subject) -> Iterator[Finding]:
    """Played twice, a patch with it gives the same bits and the same messages, and it raises nothing."""
    for turn in subject.rounds if subject.spec.role is not Role.INFERENCE else range(1):
        playing = Playing(subject, "repeat", turn)
        first = playing.play()
        found = raised(first, playing.posts) or difference("played again, it is not the same", first, playing.play())
        if found is not None:
            yield found
            return


def callbacks(subject: Subject) -> Iterator[Finding]:
    """The device's block, of 1 frame or of more than was prepared for, changes no bit and no message."""
    listens = subject.spec.role is Role.INFERENCE
    playing = Playing(subject, "callbacks", moving=subject.level > 6)
    whole = playing.play(block=64)
    for block in BLOCKS[2:3] if listens else BLOCKS:
        found = difference(
            "the device's block changes it", whole, playing.play(block=block), f"blocks of 64 and {block}"
        )
        if found is not None:
            yield found
            return
    if not listens:
        yield from _beyond(playing)


def _beyond(playing: Playing) -> Iterator[Finding]:
    """Blocks larger than the engine has prepared for: it plays them in pieces."""
    playing.lengthen(BEYOND + 192)
    usual, longer = (playing.play(block=block, rate=BEYOND_RATE) for block in (64, BEYOND))
    when = f"blocks of 64 and {BEYOND} at {BEYOND_RATE} Hz"
    found = difference("the device's block changes it", usual, longer, when)
    if found is not None:
        yield found


def rates(subject: Subject) -> Iterator[Finding]:
    """It plays at every rate, and coming back to one it is what it was there."""
    listens = subject.spec.role is Role.INFERENCE  # in a new process each time, in which nothing can have stayed
    playing = Playing(subject, "rates")
    before = None if listens else playing.play()
    for rate in (44_100, 96_000) if listens else subject.rates:
        heard = playing.play(rate=rate)
        found = raised(heard, playing.posts, f"at {rate} Hz") or _not_finite(heard, f"at {rate} Hz")
        if found is not None:
            yield found
            return
    if before is None:
        return
    found = difference("after other rates it is not what it was", before, playing.play(), f"{USUAL_RATE} Hz again")
    if found is not None:
        yield found


def output(subject: Subject) -> Iterator[Finding]:
    """Whatever it is given, no number that is none leaves a patch, and nothing above full scale."""
    for turn in subject.rounds:
        for moving in (False, True):
            playing = Playing(subject, "output", turn, channels=2, moving=moving)
            random = subject.random("poison", turn)
            bad = random.choice(np.array([np.nan, np.inf, -np.inf, 1e38, 1e-40], np.float32), playing.ins.shape)
            playing.ins = np.where(random.random(playing.ins.shape) < 0.02, bad, playing.ins).astype(np.float32)
            heard = playing.play()
            when = f"NaN and infinity in the input, controls {'moving' if moving else 'still'}"
            found = _not_finite(heard, when) or raised(heard, playing.posts, when)
            if found is not None:
                yield found
                return


def _not_finite(heard: Heard, when: str) -> Finding | None:
    wrong = np.argwhere(~(np.abs(heard.audio) <= 1.0))
    if not len(wrong):
        return None
    channel, frame = map(int, wrong[wrong[:, 1].argmin()])
    value = str(heard.audio[channel, frame])
    return Finding("a number leaves the patch that should not", "out", channel, frame, (value, "-1 to 1"), when)


def channels(subject: Subject) -> Iterator[Finding]:
    """Of 1 to 64 channels each sounds as it does by itself."""
    spec = subject.spec
    if not signals(spec):
        return
    alike = spec.role is Role.KERNEL or (spec.role is Role.BLOCK and getattr(spec.cls, "spread", "each") == "each")
    alike = alike and all(item.channels is None for item in (*_sounds(subject), *_ends(subject)))
    outlets = [item.name for item in _ends(subject)] or [""]
    frames = min(frames_for(subject), 1_024) if alike else frames_for(subject)
    for number, count in enumerate(subject.channels):
        outlet = outlets[number % len(outlets)]
        random = subject.random("channels", count)
        params, sound = legal_values(subject, random), noise(random, count, frames)
        wide = patch_around(subject, params, channels=count, outlets=[outlet])
        when = f"{count} channels"
        try:
            heard = play(subject, wide, frames, ins=sound)
        except PatchError as error:
            if {problem.code for problem in error.problems} == {"channels"}:
                continue  # its settings make more channels than a cable carries: said to the user as it should be
            raise
        found = raised(heard, when=when) or _not_finite(heard, when)
        if found is None and alike:
            monos = play(subject, _monos(subject, params, count, outlet), frames, ins=sound, packing=False)
            rows = {f"{outlet}": heard.audio[:count]}, {f"{outlet}": monos.audio[:count]}
            different: Difference | None = first_difference(*rows)
            found = different and Finding.of("many channels are not many monos", different, when)
        if found is not None:
            yield found
            return


def _sounds(subject: Subject) -> list[Any]:
    return [subject.spec.inlet_named[name] for name in signals(subject.spec)]


def _ends(subject: Subject) -> list[Any]:
    return [item for item in subject.spec.outlets if item.kind is CableKind.SIGNAL]


def _monos(subject: Subject, params: dict[str, Any], count: int, outlet: str) -> Document:
    """One node a channel, each with an input and an output of its own."""
    graph = Graph(subject.kinds)
    for k in range(count):
        graph.add("in~", f"in{k}", channel=k + 1)
        graph.add(subject.spec.kind, f"{IT}{k}", **stored(subject, params))
        for name in signals(subject.spec):
            graph.connect(f"in{k}.y", f"{IT}{k}.{name}")
        _to_channel(graph, f"{IT}{k}.{outlet}", k)
    return document_of(subject, graph)


def _to_channel(graph: Graph, outlet: str, channel: int) -> None:
    graph.add("*~", f"level{channel}", b=QUIET)
    graph.add("out~", f"out{channel}", channel=channel + 1, channels=1)
    graph.connect(outlet, f"level{channel}.x")
    graph.connect(f"level{channel}.y", f"out{channel}.x")


def packing(subject: Subject) -> Iterator[Finding]:
    """Like voices packed into lanes give the same bits as alone, with messages and moving controls."""
    spec = subject.spec
    assert spec.role is Role.KERNEL
    if not _ends(subject):
        raise NotApplicable("it has no sound to mix")
    for turn in subject.rounds:
        random = subject.random("packing", turn)
        graph = Graph(subject.kinds)
        graph.add("in~", "in", channels=1)
        graph.add("mix~", "mix", gain=1.0)
        posts: list[Post] = []
        for k in range(ONES):
            node = f"{IT}{k}"
            graph.add(spec.kind, node, **stored(subject, legal_values(subject, random)))
            for name in signals(spec):
                graph.connect("in.y", f"{node}.{name}")
            graph.connect(f"{node}.{_ends(subject)[turn % len(_ends(subject))].name}", "mix.x")
            posts += [
                (frame, node, inlet, value) for frame, _, inlet, value in ordinary(spec, random, subject.frames, 6)
            ]
        listen(graph, graph.nodes["mix"].spec, "mix", 1)  # type: ignore[arg-type]
        document, sound = document_of(subject, graph), noise(random, 1, subject.frames)
        packed, alone = (
            play(subject, document, subject.frames, ins=sound, posts=posts, packing=on) for on in (True, False)
        )
        found = difference("packed into lanes it sounds different", packed, alone, f"{ONES} voices")
        if found is not None:
            yield found
            return


def save(subject: Subject) -> Iterator[Finding]:
    """A patch with it survives its file: the same text, the same values, the same bits."""
    for turn in subject.rounds if subject.spec.role is not Role.INFERENCE else range(1):
        playing = Playing(subject, "save", turn)
        text = dumps(playing.document)
        back = loads(text, file=str(subject.folder / "rig.ng"), kinds=playing.document.graph.registry)
        back.path = playing.document.path
        again = dumps(back)
        if again != text:
            line = next(
                i for i, (a, b) in enumerate(zip(text.splitlines(), again.splitlines(), strict=False), 1) if a != b
            )
            values = text.splitlines()[line - 1].strip(), again.splitlines()[line - 1].strip()
            yield Finding(f"saved and read it is written otherwise, in line {line}", values=values)
            return
        for name, value in playing.document.graph.nodes[IT].params.items():
            if back.graph.value(IT, name) != value:
                values = repr(value), repr(back.graph.value(IT, name))
                yield Finding("a value changes when it is saved and read", port=name, values=values)
                return
        if subject.spec.role is Role.INFERENCE:
            continue  # its sound is asked for often enough
        found = difference("saved and read it sounds different", playing.play(), playing.play(document=back))
        if found is not None:
            yield found
            return
