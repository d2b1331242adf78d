"""A patch as a Python object: build it, change it, check it, save it, render it, play it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodegraph.api.refs import NodeRef, PortRef, Ref
from nodegraph.core.cable import Cable
from nodegraph.core.commands import Add, Command, Connect, Disconnect, Move, Remove, Rename, Replace, Set
from nodegraph.core.commands import commands as commands_of
from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.graph import Graph
from nodegraph.core.hints import quoted
from nodegraph.core.history import History
from nodegraph.core.ownfiles import SUFFIX
from nodegraph.core.patchfile import dumps, load, save
from nodegraph.core.registry import Registry, registry
from nodegraph.core.subpatches import PatchKinds

if TYPE_CHECKING:
    from nodegraph.api.playing import Playing
    from nodegraph.api.rendering import Rendered, Sound
    from nodegraph.runtime.crew import Threads


class Patch:
    """A patch.

    ::

        patch = Patch()
        patch.connect(patch.add("sine~", freq=220), patch.add("gain~", gain=0.2), patch.add("out~"))
        patch.render(seconds=1).save("tone.wav")

    `media` are folders besides its own in which it may name files.
    """

    def __init__(
        self,
        title: str = "",
        about: str = "",
        *,
        media: Iterable[str | os.PathLike[str]] = (),
        kinds: Registry | None = None,
        document: Document | None = None,
    ) -> None:
        self.document = Document(Graph(kinds), title, about) if document is None else document
        self.history = History(self.document)
        self.media = self.document.graph.registry.media  # it finds the patch files that are nodes there, too
        self.media += [Path(folder) for folder in media]

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, media: Iterable[str | os.PathLike[str]] = ()) -> Patch:
        """Read a patch file, or the patch inside a sound that was rendered from one (.wav, .flac).

        Raises PatchFileError with every problem of its form; `check` finds those of its meaning. Runs no code of it.
        """
        kinds = PatchKinds(registry(), media=[Path(folder) for folder in media])
        kinds.lie_in(Path(path))
        if os.fspath(path).lower().endswith((".wav", ".flac")):
            from nodegraph.api.sounds import document_in

            return cls(document=document_in(Path(path), kinds))
        return cls(document=load(path, kinds=kinds))

    # What it holds.

    @property
    def graph(self) -> Graph:
        """Its nodes and cables."""
        return self.document.graph

    @property
    def title(self) -> str:
        """What it is called."""
        return self.document.title

    @property
    def about(self) -> str:
        """What to listen for."""
        return self.document.about

    @property
    def path(self) -> Path | None:
        """The file that it was read from or saved to last."""
        return self.document.path

    def __len__(self) -> int:
        return len(self.graph)

    def __iter__(self) -> Iterator[NodeRef]:
        return (NodeRef(self, id) for id in list(self.graph.nodes))

    def __contains__(self, id: object) -> bool:
        return (id.id if isinstance(id, NodeRef) else id) in self.graph

    def __getitem__(self, id: str) -> NodeRef:
        """The node under this id. Raises PatchError."""
        self.graph.node(id)
        return NodeRef(self, id)

    def __str__(self) -> str:
        """The text of its file."""
        return dumps(self.document)

    def __repr__(self) -> str:
        name = self.path or self.title or "untitled"
        return f"<Patch {name}: {len(self.graph)} nodes, {len(self.graph.cables)} cables>"

    # Changing it.

    def add(self, kind: str, id: str | None = None, **params: Any) -> NodeRef:
        """Add a node: ``add("svf~", cutoff=800)``. Words of Max, Pd and SuperCollider work too: ``add("cycle~")``.

        Raises PatchError with every value that is not legal.
        """
        if kind.endswith(SUFFIX):
            from nodegraph.usernodes.bringing import bring_kind

            bring_kind(self.graph.registry, kind)
        if id is None:
            id = self.graph.free_id(Path(kind).stem if kind.endswith(SUFFIX) else self.graph.registry.resolve(kind))
        self.history.do(Add(id, kind, params))
        return NodeRef(self, id)

    def connect(self, *refs: Ref) -> tuple[Cable, ...]:
        """Join nodes one after another: ``connect(voice, cut, out)``.

        Each is a node, a port (``cut.low``, ``"cut.low"``) or an id. Of a node alone the first outlet is meant, and
        the first inlet that takes what comes. A port in the middle names where to enter or where to leave.
        Raises PatchError, and lays none of the cables then.
        """
        if len(refs) < 2:
            raise PatchError(Problem("bad-cable", "A cable has two ends.", "Give two nodes or more."))
        last = len(refs) - 2
        found = [
            self.graph.cable_between(
                self._end(refs[index], leaving=True, middle=index > 0),
                self._end(refs[index + 1], leaving=False, middle=index < last),
            )
            for index in range(len(refs) - 1)
        ]
        self.history.do(*(Connect(str(cable)) for cable in found))
        return tuple(found)

    def disconnect(self, outlet: Ref | Cable, inlet: Ref | None = None) -> None:
        """Take away a cable (``"osc.y -> cut.x"``, or its two ends), or every cable between two nodes."""
        if isinstance(outlet, Cable) or inlet is None:
            self.history.do(Disconnect(str(outlet)))
            return
        source, target = _text(outlet), _text(inlet)
        from_node, _, from_port = source.partition(".")
        to_node, _, to_port = target.partition(".")
        found = [
            cable
            for cable in self.graph.cables_out_of(self.graph.node(from_node).id)
            if cable.to_node == self.graph.node(to_node).id
            and from_port in ("", cable.from_port)
            and to_port in ("", cable.to_port)
        ]
        if not found:
            what = f"There is no cable from {quoted(source)} to {quoted(target)}."
            raise PatchError(Problem("unknown-cable", what))
        self.history.do(*(Disconnect(str(cable)) for cable in found))

    def remove(self, node: NodeRef | str) -> None:
        """Remove a node with its cables."""
        self.history.do(Remove(_text(node)))

    def rename(self, node: NodeRef | str, new: str) -> NodeRef:
        """Give a node another id. Its cables follow; while the patch plays it sounds on."""
        self.history.do(Rename(_text(node), new))
        return NodeRef(self, new)

    def replace(self, node: NodeRef | str, kind: str) -> None:
        """Make a node another kind. Values and cables that fit there stay."""
        self.history.do(Replace(_text(node), kind))

    def move(self, node: NodeRef | str, x: float, y: float) -> None:
        """Put a node's box elsewhere, in points."""
        self.history.do(Move({_text(node): [x, y]}))

    def set(self, port: PortRef | str, value: Any) -> None:
        """Store a value: ``set("cut.cutoff", 900)``; None puts the default back. Raises PatchError."""
        node, name = split(port)
        self.set_values(node, {name: value})

    def set_values(self, node: str, values: Mapping[str, Any]) -> None:
        """Store several values of one node, all or none of them. Raises PatchError with every one that is not legal."""
        self.history.do(Set(node, values))

    def do(self, *commands: Command | Mapping[str, Any], label: str = "", merge: object = None) -> None:
        """Carry out commands as one step, all or none: objects of `nodegraph.core.commands`, or the same as data.

        ``do({"do": "add", "node": "osc", "kind": "sine~"}, {"do": "connect", "cable": "osc.y -> out.x"})``.
        Steps one after another with the same `merge` (such as a drag) are undone as one. Raises PatchError.
        """
        made = [item if isinstance(item, Command) else commands_of([item])[0] for item in commands]
        self.history.do(*made, label=label, merge=merge)

    def undo(self) -> str | None:
        """Take the last change back. Returns what it was, in words, or None when there is nothing to take back."""
        return self.history.undo()

    def redo(self) -> str | None:
        """Do again what was taken back last."""
        return self.history.redo()

    def _end(self, ref: Ref, *, leaving: bool, middle: bool) -> str:
        """A ref as `Graph.connect` takes it. In the middle of a chain a port of the other side stands for its node."""
        text = _text(ref)
        node, _, port = text.partition(".")
        if middle and port and (spec := self.graph.node(node).spec) is not None:
            other = spec.inlet_named if leaving else spec.outlet_named
            if port in other:
                return node
        return text

    # Keeping it.

    def check(self) -> list[Problem]:
        """Everything that stands between it and its sound: values, cables, loops, files, models. None: it plays."""
        from nodegraph.api.checking import problems

        return problems(self.document, self.media)

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write it to a file in one step, by default to that it came from. Raises PatchFileError."""
        saved = save(self.document, path)
        self.history.saved()
        return saved

    # Hearing it.

    def render(
        self,
        seconds: float | None = None,
        *,
        rate: int = 48_000,
        block: int = 64,
        input: Sound | None = None,
        progress: Callable[[float, float], bool | None] | None = None,
        threads: Threads = "auto",
        performance: str | os.PathLike[str] | None = None,
    ) -> Rendered:
        """Play it into memory as fast as it goes. The same patch always gives the same bits, at any `block`.

        `seconds` defaults to the length of what it plays (and its input) and a tail of 2 s, or to 10 s. `input` is
        what `in~` hears: a sound file, or an array ``(channels, frames)`` at `rate`. `progress` is called with the
        seconds done and in all; it ends the render early by returning False. `threads` share the work where that pays:
        a number, or ``auto``, half the cores but at most 4, and 1 on fewer than 4 cores.
        `performance` is a file (.ngp) of what was done to it while it was played, which is done again at the same
        samples; `seconds` defaults to its length.
        Raises PatchError, MediaError, WeightsMissing with every problem that `check` finds.
        """
        from nodegraph.api.rendering import Rendered, Rendering

        rendering = Rendering(
            self, seconds, rate=rate, block=block, input=input, threads=threads, performance=performance
        )
        return Rendered.of(rendering, progress)

    def play(
        self,
        seconds: float | None = None,
        *,
        driver: str = "auto",
        device: str | int | None = None,
        input_device: str | int | None = None,
        rate: int = 48_000,
        block: int = 256,
        input: Sound | None = None,
        record: str | os.PathLike[str] | None = None,
        threads: Threads = "auto",
        performance: str | os.PathLike[str] | None = None,
        keep_performance: str | os.PathLike[str] | None = None,
    ) -> Playing:
        """Play it now, for `seconds` or until it is stopped; does not wait.

        `driver` is ``auto`` (the default sound device, or none), ``portaudio``, ``jack`` or ``null`` (real time, no
        device). `record` is a sound file (.wav, .flac) that gets what the device gets. `threads` is as in `render`.
        `keep_performance` is a file (.ngp) that gets all that is done to it while it plays; `performance` is one whose
        acts are done again.
        Use it with ``with``: it stops at the end, with the sound faded out. Raises as `render` does, and DeviceError.
        """
        from nodegraph.api.playing import Playing

        return Playing(
            self, seconds, driver=driver, device=device, input_device=input_device, rate=rate, block=block,
            input=input, record=record, threads=threads, performance=performance, keep_performance=keep_performance,
        )  # fmt: skip


def _text(ref: Ref) -> str:
    return ref.id if isinstance(ref, NodeRef) else ".".join(part.strip() for part in str(ref).split("."))


def split(port: PortRef | str) -> tuple[str, str]:
    """``"cut.cutoff"`` as node and port. Raises PatchError."""
    node, dot, name = str(port).partition(".")
    if not dot or not node or not name:
        raise PatchError(Problem("bad-port", f"{quoted(str(port))} is not a port.", "Write it as node.port."))
    return node, name
