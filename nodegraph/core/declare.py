"""How a node is declared: `@node("kind~")` over a class whose attributes are its ports.

Five bases say how a node lives:

- `KernelNode`: per-sample arithmetic in `tick`, made into native code. One instance a channel.
- `BlockNode`: a block function `process`, made into native code: delay lines, sound files, networks.
- `EventNode`: plain Python that answers messages in logical time (`on_<inlet>`).
- `TapNode`: plain Python that gets the sound in equal chunks a little later (`hear`): analysis, recording.
- `InferenceNode`: a model in a worker process (`load`, `infer`).

Arguments of `tick`, `prepare` and `process` bind by name; a name that is nothing here fails when the module is
imported.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from nodegraph.core.errors import DeclarationError, Problem
from nodegraph.core.host import Host, Moment
from nodegraph.core.listening import Chunks, Clip, Weights
from nodegraph.core.messages import Message
from nodegraph.core.ports import CableKind, Inlet, Memory, Outlet, Setting
from nodegraph.core.spec import NodeSpec, Role


class Node:
    """What all nodes share. Do not derive from it directly."""

    spec: ClassVar[NodeSpec]
    role: ClassVar[Role]

    shapes: ClassVar[tuple[str, ...]] = ()
    """Settings that decide which ports a node has; `shaped` makes the spec for their values."""

    own_file: ClassVar[Path | None] = None
    """The file beside a patch in which the class stands, if it is one of the user's own (`core.ownfiles`)."""

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    """Values of `shapes` that show what the kind can be: contract tests and the real-time lint look at them, too."""

    @staticmethod
    def latency(rate: int) -> int:
        """Frames by which the outlets lag the inlets. Override it to declare a latency."""
        return 0

    @classmethod
    def shaped(cls, settings: Mapping[str, Any]) -> NodeSpec:
        """The spec of a node with these settings: the same object for the same values of `shapes`.

        Raises PatchError when the values make no node.
        """
        return cls.spec


class KernelNode(Node):
    """Per-sample arithmetic.

    ``tick(inlets…, coefficients…, memories…, rate)`` returns the outlets in order (each channel of a fixed-channel
    outlet by itself), then the memories in order. An optional ``prepare(controls…, rate)`` returns coefficients, which
    `tick` takes under names of its own choice, in order: it runs once a block while its controls are still, and per
    sample when one moves.
    """

    role = Role.KERNEL


class BlockNode(Node):
    """A block function: ``process(ports…, memories…, settings…, rate, frames)``.

    Signal ports, control inlets and event outlets are indexed by frame (``x[i]``). With ``spread = "each"`` there is
    one instance a channel; with ``"all"`` one instance sees every channel: ``x[c, i]``, ``rows(x)``. Scalar memories
    are read and assigned by name and keep their value. Array memories without a size come from
    ``arrange(settings…, rate)``, a static method that runs in Python when the node is made; a setting of type file
    arrives there as a resolved Path.
    """

    role = Role.BLOCK
    spread: ClassVar[str] = "each"


class PythonNode(Node):
    """What event, tap and inference nodes share."""

    def __init__(self) -> None:
        self.controls: dict[str, float] = {}
        self.settings: dict[str, Any] = {}
        self.host: Host
        self.id = ""
        self.folder: Path | None = None

    def start(self, when: Moment) -> None:
        """Called once, when the patch starts or the node joins it."""

    def stop(self) -> None:
        """Called once, when the patch ends or the node leaves it. Closes what was opened."""

    def tempo_changed(self, when: Moment) -> None:
        """Called when the clock of the patch goes at another tempo, stops, goes on, or is put elsewhere."""


class EventNode(PythonNode):
    """Plain Python in logical time.

    ``on_<inlet>(self, message, when)`` answers a message; either argument may be left out. Send with
    ``self.<outlet>(value)``; act later with ``self.host.after(self, seconds, call)``. A signal outlet holds a value in
    each channel, and moves it with ``self.<outlet>(value, channel, ramp_s)``, exact to the sample. Musical time:
    ``self.host.clock.at(self, beat, call)``, ``.every(self, beats, call)``.
    """

    role = Role.EVENT
    lasting: ClassVar[tuple[str, ...]] = ()
    """Inlets whose last message holds until another comes: of what comes at one frame, theirs is answered first."""


class TapNode(PythonNode):
    """Plain Python that hears the sound in chunks of `stride` frames, some milliseconds after it was played.

    What it sends bears the time of the chunk's end plus `answer_s`, live and offline alike.
    """

    role = Role.TAP
    answer_s: ClassVar[float] = 0.06

    def stride(self) -> int:
        """Frames a chunk."""
        return 1024

    def hear(self, sound: Any, when: Moment) -> None:
        """One chunk, float32 ``(channels, frames)``; `when` is its first frame. The last may be shorter."""
        raise NotImplementedError


class InferenceNode(PythonNode):
    """A model in a worker process.

    The engine side only knows the declaration. `load` and `infer` run in the worker; control inlets read there
    (``self.hop``) have the value they had at the clip's end. `infer` returns a dict by outlet name: one message, a
    list of messages for an event outlet (each may be ``At(offset_s, message)``), an array for a tensor outlet, or a
    list of arrays, each within an ``At``. Answers
    bear the time of the clip's end plus `answer_s`; for a flow of chunks one chunk more, since it is asked once a
    chunk.

    ``on_<inlet>(self, message, offset_s)`` runs in the worker, too, for messages and arrays that came to an event or
    tensor inlet before the end of the clip that is heard next, `offset_s` seconds after the beginning of that clip
    (before it, if negative); either argument may be left out. A node without a signal inlet hears silence: chunks as
    they pass, clips where a message has come.
    """

    role = Role.INFERENCE
    lasting: ClassVar[tuple[str, ...]] = ()
    """Inlets whose last message holds until another comes: a worker that begins anew is told it again. `reset` does not
    touch what they have set."""
    hears: ClassVar[Clip | Chunks]
    weights: ClassVar[Weights]
    answer_s: ClassVar[float] = 0.25
    delay: ClassVar[int] = 0
    """Samples, at the rate of what it hears, by which its model looks ahead: what is said of a chunk speaks of sound so
    much before its end."""

    def __init__(self) -> None:
        super().__init__()
        self.log_lines: list[str] = []

    def log(self, text: str) -> None:
        """A line for the log, from the worker: it goes with the next answer."""
        self.log_lines.append(text)

    def load(self, files: dict[str, Path], device: str) -> None:
        """Open the model. `files` maps the names in the store's manifest to paths."""
        raise NotImplementedError

    def infer(self, clip: Any) -> dict[str, Any]:
        """Answer one clip, float32 ``(samples,)`` at the declared rate."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget what was heard before (the sound began anew, or some of it was lost)."""


class Total(list[Any]):
    """Channels that are added: what `RouteNode.route` puts where one channel is to be."""


class RouteNode(Node):
    """Puts channels in another order, adds them, leaves some out: nothing that costs time.

    ``route(channels, settings)``, a static method, gets a list of channels by inlet (empty without a cable) and the
    settings, and returns a list by outlet, made of the same channels, of None for silence, and of `Total` for sums.
    """

    role = Role.ROUTE


class PortNode(Node):
    """A port of the patch in which it stands, for the patch outside: see `core.subpatches`.

    `direction` is ``in``, ``out``, ``param`` or ``argument``.
    """

    role = Role.PORT
    direction: ClassVar[str]

    @classmethod
    def inside(cls, spec: NodeSpec) -> NodeSpec:
        """The spec of what is played in the place of a port of this spec; the same object for the same spec."""
        raise NotImplementedError


class DeviceNode(Node):
    """`in~` and `out~`: the edge of the engine."""

    role = Role.DEVICE
    direction: ClassVar[str]


Class = TypeVar("Class", bound=type[Node])
Declared = TypeVar("Declared", Inlet, Outlet, Setting, Memory)
CONTEXT = frozenset({"rate", "frames"})


def node(kind: str, *, aliases: tuple[str, ...] = (), extra: str | None = None) -> Callable[[Class], Class]:
    """Declare the class below as the node `kind`.

    `aliases` are the words for the same thing in Max, Pd and SuperCollider. `extra` names the optional packages that
    it needs (``pip install nodegraph[extra]``).
    Raises DeclarationError when the class does not fit together.
    """

    def declare(cls: Class) -> Class:
        found: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if isinstance(value, (Inlet, Outlet, Setting, Memory)):
                    if found.get(name) is value:  # named again in a subclass, it stands where it is named there
                        del found[name]
                    found[name] = value
                elif name in found:
                    del found[name]

        def pick(type_: type[Declared]) -> tuple[Declared, ...]:
            return tuple(item for item in found.values() if isinstance(item, type_))

        cls.spec = NodeSpec(
            kind=kind,
            cls=cls,
            role=cls.role,
            help=inspect.cleandoc(cls.__doc__ or ""),
            inlets=pick(Inlet),
            outlets=pick(Outlet),
            settings=pick(Setting),
            memories=pick(Memory),
            aliases=aliases,
            extra=extra,
        )
        _fits(cls)
        return cls

    return declare


def _fits(cls: type[Node]) -> None:
    spec = cls.spec
    names = [item.name for item in (*spec.inlets, *spec.outlets, *spec.settings, *spec.memories)]
    for name in names:
        if name == "kind":
            _refuse(cls, cls, "no port, setting or memory may be called 'kind'")
    if issubclass(cls, KernelNode):
        _fits_kernel(cls)
    elif issubclass(cls, BlockNode):
        process = _function(cls, "process")
        legal = {*names, *CONTEXT}
        _known(cls, process, set(inspect.signature(process).parameters) - legal, legal)
    elif issubclass(cls, RouteNode):
        _function(cls, "route")
    elif issubclass(cls, EventNode):
        inlets = {item.name for item in spec.inlets}
        _fits_handlers(cls, inlets, "when")
        for name in cls.lasting:
            if name not in inlets:
                _refuse(cls, cls, f"'{name}' lasts and is no inlet; inlets are {_listed(inlets)}")
    elif issubclass(cls, InferenceNode):
        messages = {item.name for item in spec.inlets if item.kind in (CableKind.EVENT, CableKind.TENSOR)}
        messages -= {item.name for item in spec.controls}
        _fits_handlers(cls, messages, "offset_s")
        for name in cls.lasting:
            if name not in messages:
                _refuse(cls, cls, f"'{name}' lasts and is no inlet for messages; those are {_listed(messages)}")


def _fits_handlers(cls: type[Node], inlets: set[str], time: str) -> None:
    for name, value in vars(cls).items():
        if not name.startswith("on_") or not callable(value):
            continue
        if name[3:] not in inlets:
            _refuse(cls, value, f"{name} answers no inlet; inlets are {_listed(inlets)}")
        strange = set(inspect.signature(value).parameters) - {"self", "message", time}
        if strange:
            _refuse(cls, value, f"{name} asks for {_listed(strange)}; it may take self, message and {time}")


def _fits_kernel(cls: type[KernelNode]) -> None:
    spec = cls.spec
    tick = _function(cls, "tick")
    prepare = getattr(cls, "prepare", None)
    inlets = {item.name for item in spec.inlets}
    settings = {item.name for item in spec.settings}
    memories = [item.name for item in spec.memories]
    legal = {*inlets, *settings, *memories, *CONTEXT}
    strange = [name for name in inspect.signature(tick).parameters if name not in legal]
    if any(item.array for item in spec.memories):
        _refuse(cls, tick, "a tick keeps scalars only; a node with arrays is a BlockNode")
    if prepare is None:
        _known(cls, tick, set(strange), legal)
    else:
        _known(cls, prepare, set(inspect.signature(prepare).parameters) - inlets - settings - CONTEXT, inlets)
        given = _returned(cls, prepare)
        if given != len(strange):
            _refuse(
                cls, prepare,
                f"prepare returns {given} values, and tick takes {len(strange)} names that are no port or memory "
                f"({_listed(strange) or 'none'})",
            )  # fmt: skip
    outlets = sum(item.channels if isinstance(item.channels, int) else 1 for item in spec.outlets)
    given = _returned(cls, tick)
    if given != outlets + len(memories):
        _refuse(
            cls, tick,
            f"tick returns {given} values; it must return {outlets} for the outlets "
            f"({_listed(item.name for item in spec.outlets)}) and then {len(memories)} for the memories "
            f"({_listed(memories) or 'none'})",
        )  # fmt: skip


def _function(cls: type[Node], name: str) -> Callable[..., Any]:
    found = inspect.getattr_static(cls, name, None)
    if not isinstance(found, staticmethod):
        _refuse(cls, cls, f"the class needs a @staticmethod {name}(…)")
    function: Callable[..., Any] = getattr(cls, name)
    return function


def _returned(cls: type[Node], function: Callable[..., Any]) -> int:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for statement in reversed(list(ast.walk(tree))):
        if isinstance(statement, ast.Return) and statement.value is not None:
            return len(statement.value.elts) if isinstance(statement.value, ast.Tuple) else 1
    _refuse(cls, function, f"{function.__name__} returns nothing")
    return 0


def _known(cls: type[Node], function: Callable[..., Any], strange: set[str], legal: set[str]) -> None:
    if strange:
        _refuse(
            cls, function,
            f"{function.__name__} asks for {_listed(strange)}, which is no port, setting, memory or context here; "
            f"names are {_listed(legal)}",
        )  # fmt: skip


def _listed(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


def _refuse(cls: type[Node], what: Any, text: str) -> None:
    code = getattr(what, "__code__", None)
    file, line = (code.co_filename, code.co_firstlineno) if code else (inspect.getsourcefile(cls), None)
    raise DeclarationError(
        Problem("declaration", f"class {cls.__name__}: {text}.", "See docs/adding-a-node.md.", file=file, line=line)
    )


__all__ = [
    "BlockNode", "DeviceNode", "EventNode", "InferenceNode", "KernelNode", "Message", "Moment", "Node", "TapNode",
    "node",
]  # fmt: skip
