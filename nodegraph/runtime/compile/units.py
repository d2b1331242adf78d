"""The pieces of a plan. A unit computes one channel (or, if wide, all channels) of one node, or joins signals.

A signal is a `Ref`: a unit and one of its outputs.
None is the signal of an inlet without a cable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nodegraph.core.ports import CableKind, Control, Inlet, Outlet
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.runtime.kernels.forms import MOVING, STILL, outputs, signal_inlets

Ref = tuple["Unit", int]


class Unit:
    """One operation of the schedule before packing.

    `op` is ``kernel``, ``wide``, ``mix``, ``fade``, ``scale``, ``hold``, ``input``, ``back`` (a signal one sample ago,
    in a loop; `link` is that signal), ``wait`` (a delay), ``up``, ``down`` (another rate), ``tap`` , ``events`` or
    ``stream`` (what a worker made).
    `inputs` are refs; for a wide unit lists of refs. `factor` is how many times the engine's rate it runs at. `shape`
    is equal for units whose whole upstream is alike, so that they may run side by side; `depth` is the longest way from
    a source.
    """

    __slots__ = (
        "channel",
        "data",
        "depth",
        "factor",
        "group",
        "inputs",
        "lane",
        "link",
        "modes",
        "node",
        "op",
        "outputs",
        "reads",
        "shape",
        "spec",
        "used",
    )

    def __init__(
        self, op: str, inputs: list[Any], *, node: str = "", channel: Any = 0, spec: NodeSpec | None = None,
        modes: str = "", outputs: int = 1, data: Any = None, factor: int = 1,
    ) -> None:  # fmt: skip
        self.op = op
        self.inputs = inputs
        self.node = node
        self.channel = channel
        self.spec = spec
        self.modes = modes
        self.outputs = outputs
        self.data = data
        self.factor = factor
        self.link: Ref | None = None
        self.used = 0
        self.group: Any = None
        self.lane = 0
        self.reads: list[Ref] | None = None
        depth = 0
        if op in ("kernel", "mix"):
            shapes: list[Any] = [id(spec), modes, factor]
            for ref in inputs:
                if ref is None:
                    shapes.append(0)
                else:
                    unit, output = ref
                    unit.used |= 1 << output
                    shapes.append((unit.shape, output))
                    if unit.depth >= depth:
                        depth = unit.depth + 1
            self.depth = depth
            self.shape = hash(tuple(shapes))
            return
        for ref in self.refs():
            unit, output = ref
            unit.used |= 1 << output
            if unit.depth >= depth:
                depth = unit.depth + 1
        self.depth = depth
        self.shape = hash((op, data)) if op == "back" else hash((op, depth))

    def refs(self) -> list[Ref]:
        """Every signal that it reads. The inputs never change, so they are looked through once."""
        found = self.reads
        if found is None:
            found = []
            for item in self.inputs:
                if isinstance(item, list):
                    found += [ref for ref in item if ref is not None]
                elif item is not None:
                    found.append(item)
            self.reads = found
        return found


Channels = list[Ref | None]
"""One signal a channel; None is silence."""


@dataclass(frozen=True, slots=True)
class Tap:
    """A node that reads sound outside the audio thread: its unit's inputs are its channels."""

    node: str
    unit: Unit


@dataclass
class Plan:
    """Units in an order in which each stands behind what it reads."""

    units: list[Unit] = field(default_factory=list)
    buses: list[Ref | None] = field(default_factory=list)
    taps: list[Tap] = field(default_factory=list)
    backs: list[Unit] = field(default_factory=list)
    inputs: int = 0
    outputs: int = 0
    channels: dict[tuple[str, str], int] = field(default_factory=dict)
    sources: dict[tuple[str, str], Channels] = field(default_factory=dict)
    """The signals of every outlet."""


Form = tuple[str, tuple[int, ...]]
"""A mode string, and the numbers of the inlets that are signals in it."""


class Signature:
    """What the planner wants to know of a kind, read from its spec once."""

    def __init__(self, spec: NodeSpec) -> None:
        names = signal_inlets(spec)
        self.spec = spec
        self.inlets: tuple[Inlet, ...] = tuple(spec.inlet_named[name] for name in names)
        self.index = {name: number for number, name in enumerate(names)}
        self.is_control = tuple(isinstance(item, Control) for item in self.inlets)
        self.wide = spec.role is Role.BLOCK and getattr(spec.cls, "spread", "each") == "all"
        self.tick = spec.role is Role.KERNEL
        listed = outputs(spec)
        self.output_count = len(listed)
        first = {name: number for number, (name, channel) in reversed(list(enumerate(listed))) if channel == 0}
        self.outlets = tuple(
            (item.name, first[item.name], _width(item), item.kind is CableKind.SIGNAL)
            for item in spec.outlets
            if item.name in first
        )
        self.sends = any(item.kind is CableKind.EVENT for item in spec.outlets)
        self.sound_outlets = tuple(item.name for item in spec.outlets if item.kind is CableKind.SIGNAL)
        self._forms: dict[tuple[int, ...], Form] = {}

    def form(self, moving: tuple[int, ...] = ()) -> Form:
        """The form in which the controls of these numbers are signals."""
        found = self._forms.get(moving)
        if found is None:
            modes = "".join(
                STILL if control and number not in moving else MOVING for number, control in enumerate(self.is_control)
            )
            found = self._forms[moving] = modes, tuple(number for number, mode in enumerate(modes) if mode == MOVING)
        return found


def _width(item: Outlet) -> int:
    return item.channels if isinstance(item.channels, int) and item.kind is CableKind.SIGNAL else 1


@cache
def signature(spec: NodeSpec) -> Signature:
    """The signature of a kind."""
    return Signature(spec)


def event_outlets(spec: NodeSpec) -> list[str]:
    """The event outlets of a native kind."""
    return [item.name for item in spec.outlets if item.kind is CableKind.EVENT]


_sound: dict[NodeSpec, frozenset[str]] = {}


def sound_outlets(spec: NodeSpec) -> frozenset[str]:
    """The names of a kind's signal outlets."""
    found = _sound.get(spec)
    if found is None:
        found = _sound[spec] = frozenset(item.name for item in spec.outlets if item.kind is CableKind.SIGNAL)
    return found
