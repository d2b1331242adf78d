"""Where sound enters a plan and leaves it: the device, ports of subpatches, listeners, messages of sound nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nodegraph.core.cable import Cable
from nodegraph.core.declare import Total
from nodegraph.core.ports import MOST_CHANNELS, CableKind
from nodegraph.core.view import GraphView, NodeEntry
from nodegraph.runtime.compile.held import HELD
from nodegraph.runtime.compile.units import Channels, Plan, Ref, Tap, Unit, event_outlets
from nodegraph.runtime.kernels.forms import STILL
from nodegraph.runtime.lane.streams import stream_channels, streams


class Ends:
    """The part of the planner that knows the ends of what is played."""

    view: GraphView
    plan: Plan
    sources: dict[tuple[str, str], Channels]
    triggers: dict[tuple[str, str], Channels]
    buses: list[list[Ref]]
    factors: Mapping[str, int]

    def signal(
        self, entry: NodeEntry, port: str, cables: Sequence[Cable], control: bool, width: int | None = None
    ) -> Channels | None:
        """What arrives at an inlet."""
        raise NotImplementedError

    def fitted(self, refs: Channels, width: int, factor: int = 1) -> Channels:
        """A cable at an inlet of fixed width."""
        raise NotImplementedError

    def width(self, entry: NodeEntry, channels: int | str | None, otherwise: int = 1) -> int:
        """A declared channel count."""
        raise NotImplementedError

    def mixed(self, refs: list[Ref], factor: int = 1) -> Ref | None:
        """The sum of signals."""
        raise NotImplementedError

    def keep(self, entry: NodeEntry, first: int, outlets: Sequence[str]) -> None:
        """Keep what a node became for the next plan."""
        raise NotImplementedError

    def too_wide(self, entry: NodeEntry, count: int) -> None:
        """Raise PatchError: so many channels do not fit a cable."""
        raise NotImplementedError

    def through(self, entry: NodeEntry) -> None:
        """A port of a subpatch: what comes in goes out."""
        assert entry.spec is not None
        first = len(self.plan.units)
        cables = self.view.into(entry.id, "x")
        refs = (self.signal(entry, "x", cables, False) if cables else None) or [None]
        width = int(entry.value("channels"))
        if width:
            refs = self.fitted(refs, width, self.factors.get(entry.id, 1))
        self.sources[entry.id, "y"] = refs
        self.plan.channels[entry.id, "y"] = len(refs)
        self.keep(entry, first, ["y"])

    def holding(self, entry: NodeEntry) -> None:
        """The signal outlets of a Python node: a value in each channel."""
        assert entry.spec is not None
        first = len(self.plan.units)
        outlets = [item for item in entry.spec.outlets if item.kind is CableKind.SIGNAL]
        for outlet in outlets:
            refs: Channels = []
            for channel in range(self.width(entry, outlet.channels)):
                unit = Unit("kernel", [], node=entry.id, channel=(outlet.name, channel), spec=HELD, modes=STILL)
                self.plan.units.append(unit)
                refs.append((unit, 0))
            if len(refs) > MOST_CHANNELS:
                self.too_wide(entry, len(refs))
            self.sources[entry.id, outlet.name] = refs
            self.plan.channels[entry.id, outlet.name] = len(refs)
        self.keep(entry, first, [item.name for item in outlets])

    def routed(self, entry: NodeEntry) -> None:
        """A node that puts channels in another order."""
        spec = entry.spec
        assert spec is not None
        first = len(self.plan.units)
        factor = self.factors.get(entry.id, 1)
        given: dict[str, Channels] = {}
        for inlet in spec.inlets:
            cables = self.view.into(entry.id, inlet.name)
            given[inlet.name] = (self.signal(entry, inlet.name, cables, False) if cables else None) or []
        settings = {item.name: entry.value(item.name) for item in spec.settings}
        for name, channels in spec.cls.route(given, settings).items():  # type: ignore[attr-defined]
            refs: Channels = [
                self.mixed([one for one in ref if one is not None], factor) if isinstance(ref, Total) else ref
                for ref in channels
            ] or [None]
            if len(refs) > MOST_CHANNELS:
                self.too_wide(entry, len(refs))
            self.sources[entry.id, name] = refs
            self.plan.channels[entry.id, name] = len(refs)
        self.keep(entry, first, [item.name for item in spec.outlets])

    def device(self, entry: NodeEntry) -> None:
        """`in~` and `out~`."""
        spec = entry.spec
        assert spec is not None
        first = max(0, int(entry.value("channel")) - 1)
        count = max(1, int(entry.value("channels")))
        if first + count > MOST_CHANNELS:
            self.too_wide(entry, first + count)
        if spec.cls.direction == "in":  # type: ignore[attr-defined]
            refs: Channels = []
            for channel in range(count):
                unit = Unit("input", [], node=entry.id, channel=channel, data=first + channel)
                self.plan.units.append(unit)
                refs.append((unit, 0))
            self.sources[entry.id, spec.outlets[0].name] = refs
            self.plan.channels[entry.id, spec.outlets[0].name] = count
            self.plan.inputs = max(self.plan.inputs, first + count)
            return
        while len(self.buses) < first + count:
            self.buses.append([])
        inlet = spec.inlets[0].name
        found = self.signal(entry, inlet, self.view.into(entry.id, inlet), False, count if count > 1 else None)
        if not found:
            return
        for channel in range(count):
            ref = found[0] if len(found) == 1 else found[channel] if channel < len(found) else None
            if ref is not None:
                self.buses[first + channel].append(ref)

    def tap(self, entry: NodeEntry) -> None:
        """A node outside the audio thread that hears."""
        spec = entry.spec
        assert spec is not None
        inlet = next((item for item in spec.inlets if item.kind is CableKind.SIGNAL), None)
        found = None
        if inlet is not None:
            cables = self.view.into(entry.id, inlet.name)
            width = None if inlet.channels is None else self.width(entry, inlet.channels)
            found = self.signal(entry, inlet.name, cables, False, width) if cables else None
            if width is not None:
                found = self.fitted(found, width) if found else [None] * width
        unit = Unit("tap", list(found or [None]), node=entry.id, spec=spec)  # without an inlet it hears silence
        self.plan.units.append(unit)
        self.plan.taps.append(Tap(entry.id, unit))
        if inlet is not None:
            self.plan.channels[entry.id, inlet.name] = len(unit.inputs)
        if streams(spec):
            self.streamed(entry, len(unit.inputs))

    def streamed(self, entry: NodeEntry, heard: int) -> None:
        """The signal outlets of a node whose sound a worker makes of so many channels."""
        spec = entry.spec
        assert spec is not None
        widths = {item.name: self.width(entry, item.channels) for item in spec.outlets if item.kind is CableKind.SIGNAL}
        rows = stream_channels(spec, widths)
        unit = Unit("stream", [], node=entry.id, spec=spec, data=heard, outputs=len(rows))
        self.plan.units.append(unit)
        for number, (name, _) in enumerate(rows):
            self.sources.setdefault((entry.id, name), []).append((unit, number))
        for name, width in widths.items():
            self.plan.channels[entry.id, name] = width

    def event_taps(self, entry: NodeEntry) -> None:
        """Native event outlets, all of them: who watches a patch from outside hears those without a cable, too."""
        assert entry.spec is not None
        for name in event_outlets(entry.spec):
            for ref in self.triggers[entry.id, name]:
                self.plan.units.append(
                    Unit("events", [ref], node=entry.id, data=name, factor=self.factors.get(entry.id, 1))
                )
