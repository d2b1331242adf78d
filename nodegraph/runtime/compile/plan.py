"""From a graph to units.

Channels expand as follows (the rules are in docs/channels.md): a node whose inlets are open has as many channels as the
widest cable into them; a mono cable goes to every channel; a narrower cable leaves the further channels silent; several
cables into a signal inlet are summed channel by channel. An inlet of fixed width takes the first channels of a wider
cable; one of width 1 takes the mean of all; each cable is fitted before the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodegraph.core.cable import Cable
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.ports import MOST_CHANNELS, CableKind
from nodegraph.core.spec import Role
from nodegraph.core.view import GraphView, NodeEntry
from nodegraph.runtime.compile.ends import Ends
from nodegraph.runtime.compile.joining import Joining
from nodegraph.runtime.compile.order import Order
from nodegraph.runtime.compile.units import (
    Channels,
    Plan,
    Ref,
    Signature,
    Unit,
    signature,
    sound_outlets,
)
from nodegraph.runtime.kernels.forms import MOVING, STILL
from nodegraph.runtime.lane.streams import streams

Arrays = dict[str, np.ndarray[Any, Any]]
FADE_IN, FADE_OUT = 1, -1


_NOTHING: dict[str, Any] = {}


def _same_shape(old: NodeEntry, new: NodeEntry) -> bool:
    """Whether two entries differ in the values of controls at most."""
    if old.spec is not new.spec or new.spec is None:
        return False
    return all(old.params.get(item.name) == new.params.get(item.name) for item in new.spec.settings)


@dataclass(slots=True)
class Planned:
    """What a node became, and of what: while that is the same, an edit elsewhere takes it over as it is."""

    entry: NodeEntry
    ports: Mapping[str, Sequence[Cable]]
    factor: int
    heard: list[tuple[Channels | None, int]]
    units: list[Unit]
    outlets: list[tuple[str, Channels]]


@dataclass(frozen=True, slots=True)
class Fading:
    """What an edit changes: cables that come (FADE_IN) and go (FADE_OUT), how long each cable waited before, and after
    how many frames the fades begin."""

    cables: Mapping[Cable, int]
    waited: Mapping[Cable, int]
    lead: int


class Planner(Joining, Ends):
    """Makes one plan. `arrays` gives the arrays of a node's memory.

    `order` and `waits` are the graph's; `fading` is what an edit under way changes. `known` carries nodes over from the
    plan before; it is brought up to date.
    """

    def __init__(
        self,
        view: GraphView,
        order: Order,
        waits: Mapping[Cable, int],
        arrays: Callable[[NodeEntry, int], Arrays],
        fading: Fading | None = None,
        fade_frames: int = 240,
        known: dict[str, Planned] | None = None,
    ) -> None:
        self.known = {} if known is None else known
        self.view = view
        self.order = order
        self.waits = waits
        self.waited = waits if fading is None else fading.waited
        self.arrays = arrays
        self.fading = {} if fading is None else fading.cables
        self.faded_inlets = {cable[2] for cable in self.fading}
        if self.waited is not waits:
            self.faded_inlets |= {
                cable[2] for cable in (*waits, *self.waited) if waits.get(cable, 0) != self.waited.get(cable, 0)
            }
        self.fade_frames = fade_frames
        self.fade_lead = 0 if fading is None else fading.lead
        self.factors = view._store.factors
        self.plan = Plan()
        self.sources: dict[tuple[str, str], Channels] = {}
        self.triggers: dict[tuple[str, str], Channels] = {}
        self.buses: list[list[Ref]] = []
        self.backs: dict[tuple[str, str], list[Unit]] = {}
        self.into = view._store.into

    def make(self) -> Plan:
        """The plan of the whole graph."""
        for number, row in enumerate(self.order.rows):
            if number in self.order.knots:
                self.knot(row)
            elif not self.as_before(row[0]):
                self.node(row[0])
        for refs in self.buses:
            ref = self.mixed(refs)
            if ref is not None:
                ref[0].used |= 1 << ref[1]
            self.plan.buses.append(ref)
        self.plan.outputs = len(self.buses)
        self.plan.sources = self.sources
        return self.plan

    # -- loops

    def knot(self, row: Sequence[NodeEntry]) -> None:
        """Nodes that hear one another. How many channels lead back is found by trying: they only ever grow."""
        self._one_rate(row)
        self._at_once(row)
        first = len(self.plan.units)
        widths = dict.fromkeys(
            ((cable[0], cable[1]) for cable in self.order.back if cable[0] in {e.id for e in row}), 1
        )
        while True:
            del self.plan.units[first:]
            self.backs = {key: self._backs(key, width) for key, width in widths.items()}
            for entry in row:
                self.node(entry)
                self.known.pop(entry.id, None)
            found = {key: len(self.sources[key]) for key in widths}
            if found == widths:
                break
            widths = found
        for key, units in self.backs.items():
            for unit, ref in zip(units, self.sources[key], strict=True):
                unit.link = ref
                if ref is not None:
                    ref[0].used |= 1 << ref[1]
            self.plan.backs += units
        self.backs = {}

    def _backs(self, key: tuple[str, str], width: int) -> list[Unit]:
        """The signals of an outlet, one sample ago."""
        entry = self.view._store.nodes[key[0]]
        factor = self.factors.get(key[0], 1)
        units = [
            Unit("back", [], node=key[0], channel=channel, data=(entry.kind, key[1]), factor=factor)
            for channel in range(width)
        ]
        self.plan.units += units
        return units

    def back(self, cable: Cable) -> Channels | None:
        if cable not in self.order.back:
            return None
        return [(unit, 0) for unit in self.backs[cable[0], cable[1]]]

    def _one_rate(self, row: Sequence[NodeEntry]) -> None:
        factors = {self.factors.get(entry.id, 1) for entry in row}
        if len(factors) > 1:
            loop = " -> ".join(entry.id for entry in row)
            what = f"A loop of signals leads through nodes that run at different rates: {loop}."
            do = "Put the whole loop into the oversampled subpatch, or leave it out."
            raise PatchError(Problem("loop-of-rates", what, do, node=row[0].id, line=row[0].line))

    @staticmethod
    def _at_once(row: Sequence[NodeEntry]) -> None:
        """A loop goes through every sample; a worker answers much later."""
        for entry in row:
            if entry.spec is not None and streams(entry.spec):
                what = f"A loop of signals leads through '{entry.id}', whose sound a worker makes: it comes much later."
                do = "Take it out of the loop."
                raise PatchError(Problem("loop-through-worker", what, do, node=entry.id, line=entry.line))

    # -- nodes

    def node(self, entry: NodeEntry) -> None:
        """Expand one node into its units."""
        spec = entry.spec
        if spec is None:
            return
        if spec.role in (Role.KERNEL, Role.BLOCK):
            about = signature(spec)
            first = len(self.plan.units)
            if about.wide:
                self.wide(entry, about)
            else:
                self.expand(entry, about)
            if about.sends:  # whose messages are tapped is made anew
                self.known.pop(entry.id, None)
            else:
                self.keep(entry, first, about.sound_outlets)
            self.event_taps(entry)
        elif spec.role is Role.DEVICE:
            self.device(entry)
        elif spec.role is Role.PORT:
            self.through(entry)
        elif spec.role is Role.ROUTE:
            self.routed(entry)
        elif spec.role is Role.EVENT and sound_outlets(spec):
            self.holding(entry)
        elif spec.role in (Role.TAP, Role.INFERENCE):
            self.tap(entry)

    def as_before(self, entry: NodeEntry) -> bool:
        """Take a node over from the plan before, if nothing that it is made of has changed."""
        id = entry.id
        known = self.known.get(id)
        if known is None or id in self.faded_inlets or known.factor != self.factors.get(id, 1):
            return False
        ports = self.into.get(id, _NOTHING)
        if known.entry is not entry and not _same_shape(known.entry, entry):
            return False
        if known.ports is not ports and known.ports != ports:
            return False
        if self.heard(ports) != known.heard:
            return False
        self.plan.units += known.units
        for name, refs in known.outlets:
            self.sources[id, name] = refs
            self.plan.channels[id, name] = len(refs)
        return True

    def heard(self, ports: Mapping[str, Sequence[Cable]]) -> list[tuple[Channels | None, int]]:
        """What comes along every cable into a node, and how long it waits; lists that are the same object stand for the
        same signals."""
        sources, waits = self.sources, self.waits
        if not waits:
            return [(sources.get((cable[0], cable[1])), 0) for cables in ports.values() for cable in cables]
        return [
            (sources.get((cable[0], cable[1])), waits.get(cable, 0)) for cables in ports.values() for cable in cables
        ]

    def keep(self, entry: NodeEntry, first: int, outlets: Sequence[str]) -> None:
        """Keep what a node became for the next plan. Nodes that fade are made anew."""
        if entry.id in self.faded_inlets:
            self.known.pop(entry.id, None)
            return
        ports = self.into.get(entry.id, _NOTHING)
        found = [(name, self.sources[entry.id, name]) for name in outlets]
        self.known[entry.id] = Planned(
            entry, ports, self.factors.get(entry.id, 1), self.heard(ports), self.plan.units[first:], found
        )

    def expand(self, entry: NodeEntry, about: Signature) -> None:
        """A node with one unit a channel."""
        ports = self.into.get(entry.id)
        id = entry.id
        arriving: dict[int, Channels] = {}
        moving: tuple[int, ...] = ()
        count = 1
        if ports:
            for port, cables in ports.items():
                number = about.index.get(port)
                if number is None:
                    continue
                fixed = None if about.is_control[number] else about.inlets[number].channels
                width = None if fixed is None else self.width(entry, fixed)
                found = self.signal(entry, port, cables, about.is_control[number], width)
                if not found:
                    continue
                if about.is_control[number]:
                    moving = (*moving, number)
                elif width is not None:
                    found = self.fitted(found, width, self.factors.get(id, 1))
                    arriving[number] = found
                    continue
                arriving[number] = found
                if len(found) > count:
                    count = len(found)
        factor = self.factors.get(id, 1)
        modes, order = about.form(tuple(sorted(moving)) if len(moving) > 1 else moving)
        if count > MOST_CHANNELS:
            self.too_wide(entry, count)
        units = []
        for channel in range(count):
            inputs: list[Ref | None] = []
            for number in order:
                refs = arriving.get(number)
                if refs is None:
                    inputs.append(None)
                elif len(refs) == 1:
                    inputs.append(refs[0])
                else:
                    inputs.append(refs[channel] if channel < len(refs) else None)
            units.append(
                Unit(
                    "kernel",
                    inputs,
                    node=id,
                    channel=channel,
                    spec=about.spec,
                    modes=modes,
                    outputs=about.output_count,
                    factor=factor,
                )
            )
        self.plan.units += units
        for name, first, width, sound in about.outlets:
            refs = (
                [(unit, first + k) for unit in units for k in range(width)]
                if width > 1
                else [(unit, first) for unit in units]
            )
            (self.sources if sound else self.triggers)[id, name] = refs
            self.plan.channels[id, name] = len(refs)

    def wide(self, entry: NodeEntry, about: Signature) -> None:
        """A block node that sees all its channels at once."""
        spec = about.spec
        ports = self.into.get(entry.id) or {}
        factor = self.factors.get(entry.id, 1)
        inputs: list[Any] = []
        modes = ""
        widest = 1
        for inlet, control in zip(about.inlets, about.is_control, strict=True):
            cables = ports.get(inlet.name)
            fixed = None if control or inlet.channels is None else self.width(entry, inlet.channels)
            found = self.signal(entry, inlet.name, cables, control, fixed) if cables else None
            if control:
                modes += MOVING if found else STILL
                if found:
                    inputs.append(self.fitted(found, 1, factor)[0])
                continue
            modes += MOVING
            if fixed is not None:
                found = self.fitted(found, fixed, factor) if found else [None] * fixed
            elif found is None:
                found = [None]
            widest = max(widest, len(found))
            inputs.append(found)
        counts = [
            self.width(entry, outlet.channels, widest) if outlet.kind is CableKind.SIGNAL else 1
            for outlet in spec.outlets
        ]
        if max(counts, default=1) > MOST_CHANNELS:
            self.too_wide(entry, max(counts))
        unit = Unit(
            "wide", inputs, node=entry.id, spec=spec, modes=modes, outputs=sum(counts), data=counts, factor=factor
        )
        self.plan.units.append(unit)
        first = 0
        for outlet, count in zip(spec.outlets, counts, strict=True):
            refs: Channels = [(unit, first + k) for k in range(count)]
            (self.sources if outlet.kind is CableKind.SIGNAL else self.triggers)[entry.id, outlet.name] = refs
            self.plan.channels[entry.id, outlet.name] = count
            first += count

    def width(self, entry: NodeEntry, channels: int | str | None, otherwise: int = 1) -> int:
        """A declared channel count: a number, a setting's value, the rows of an array, or what the cables bring."""
        if channels is None:
            return otherwise
        if isinstance(channels, int):
            return channels
        assert entry.spec is not None
        if channels in entry.spec.setting_named:
            return max(1, int(entry.value(channels)))
        return int(self.arrays(entry, 0)[channels].shape[0])

    def too_wide(self, entry: NodeEntry, count: int) -> None:
        raise PatchError(
            Problem(
                "channels", f"'{entry.id}' would have {count} channels.", f"A cable carries at most {MOST_CHANNELS}.",
                node=entry.id, line=entry.line,
            )
        )  # fmt: skip
