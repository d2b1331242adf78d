"""The gauges of a schedule: behind every operation whose signal has a cable, one that reads its peak.

They are there only while somebody watches; a schedule without them is as if there were none. What they read they leave
as it is, so the sound is the same to the bit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.ports import CableKind
from nodegraph.core.view import GraphView
from nodegraph.runtime.compile.emitting import Emitting
from nodegraph.runtime.compile.islands import Island, item_of
from nodegraph.runtime.compile.memory import Arena, Buffers, touched
from nodegraph.runtime.compile.operations import Operation
from nodegraph.runtime.compile.packing import Group
from nodegraph.runtime.compile.tasks import flat
from nodegraph.runtime.compile.units import Plan, Ref, Unit
from nodegraph.runtime.kernels.forms import LANES
from nodegraph.runtime.native import gauges
from nodegraph.runtime.native.compiled import address
from nodegraph.runtime.renaming import renamed

Port = tuple[str, str]
"""A node and its outlet."""
PROBED: Final = 1 << 13
"""Samples that a probe keeps."""
KEPT: Final = 1 << 10
"""Probes whose words stay in memory after they were left out: the audio thread may still look at them."""
LOUDEST: Final = 1e6
"""Higher peaks are told as this: infinity is no number for everybody."""


class Probe:
    """Keeps the last samples of one outlet's first channel, as long as it is among a schedule's probes."""

    def __init__(self, port: Port, engine: int) -> None:
        self.port = port
        self.channels = 0
        """Of its outlet; 0 where nothing is computed."""
        self.factor = 1
        self._data = touched(np.zeros(PROBED, np.float32))
        self._header = np.zeros(8, np.int64)
        self._ring = engine, self._header.ctypes.data, self._data.ctypes.data, PROBED

    def words(self, lane: int, behind: int) -> NDArray[np.int64]:
        """How a gauge knows it: which lane it hears, and the probe behind it."""
        return np.array([*self._ring, lane, self.factor, behind], np.int64)

    def read(self, count: int) -> NDArray[np.float32]:
        """The last `count` samples; fewer before there are so many without a gap."""
        written, whole = int(self._header[0]), int(self._header[1])
        at = np.arange(max(whole, written - count), written) & (PROBED - 1)
        found: NDArray[np.float32] = self._data[at]
        return found


class Gauges:
    """What the gauges of one schedule say. It may be read on any thread."""

    def __init__(
        self, view: GraphView, ports: Mapping[Port, list[tuple[int, int]]], peaks: NDArray[np.float32], states: Any
    ) -> None:
        """`ports`: of every channel that is computed the place of its peak, and its lane; `states` gives, for the
        place of a peak, the words of its gauge."""
        self.view = view
        self.ports = dict(ports)
        self._peaks = peaks
        self._states = states
        self._heard: set[int] = set()
        self._kept: deque[NDArray[np.int64]] = deque(maxlen=KEPT)
        loud = [port for port, places in ports.items() if places]
        self._which = np.array([number for number, port in enumerate(ports) if ports[port]], np.intp)
        counts = [len(ports[port]) for port in loud]
        self._starts = np.cumsum([0, *counts])[:-1]
        self._order = np.array([place for port in loud for place, _ in ports[port]], np.intp)

    def read(self) -> NDArray[np.float32]:
        """The peak of every outlet since the last look, in the order of `ports`."""
        found = np.zeros(len(self.ports), np.float32)
        if len(self._order):
            peaks = self._peaks[self._order]
            self._peaks[:] = 0.0
            found[self._which] = np.minimum(np.maximum.reduceat(peaks, self._starts), LOUDEST)
        return found

    def probe(self, probe: Probe) -> None:
        """Let it hear its outlet from now on."""
        places = self.ports.get(probe.port, ())
        probe.channels = len(places)
        if places:
            place, lane = places[0]
            self._heard.add(place)
            words, probe.factor = self._states[place]
            made = probe.words(lane, int(words[1]))
            self._kept.append(made)
            words[1] = made.ctypes.data

    def only(self, probes: Sequence[Probe]) -> None:
        """Let these hear and no others. One that is left out may be written to for a block more."""
        for place in self._heard:
            self._states[place][0][1] = 0
        self._heard.clear()
        for probe in probes:
            self.probe(probe)

    def rename(self, names: Mapping[str, str]) -> None:
        """Nodes have other ids from now on."""
        self.view = renamed(self.view, names)
        self.ports = {(names.get(node, node), outlet): places for (node, outlet), places in self.ports.items()}


class Gauging(Emitting):
    """The part of a schedule that makes gauges."""

    arena: Arena
    buffers: Buffers
    plan: Plan
    view: GraphView
    operations: list[Operation]
    _mono: dict[Ref, int]
    _lanes: dict[tuple[Group, int], int]
    _islands: dict[int, Island]

    def cabled(self) -> list[Port]:
        """The signal outlets that have cables."""
        found = {(cable[0], cable[1]) for cable in self.view.cables if self.view.cable_kind(cable) is CableKind.SIGNAL}
        return sorted(found)

    def shown(self, ports: Sequence[Port]) -> list[Unit]:
        """The units that make the signals of these outlets: they are computed though nobody hears them."""
        return [ref[0] for port in ports for ref in self.plan.sources.get(port, ()) if ref is not None]

    def gauged(self, ports: Sequence[Port]) -> Gauges:
        """Put a gauge behind every operation that makes one of these outlets' signals."""
        signals: dict[Any, tuple[int, int, int]] = {}  # buffer, lanes, place of the first peak
        found: dict[Port, list[tuple[int, int]]] = {}
        count = 0
        for port in ports:
            places = found[port] = []
            for ref in self.plan.sources.get(port, ()):
                buffer = None if ref is None else self._signal(ref)
                if ref is None or buffer is None:
                    continue
                unit = ref[0]
                lanes = 1 if unit.group is None else LANES
                if buffer not in signals:
                    count = -(-count // lanes) * lanes
                    signals[buffer] = lanes, unit.factor, count
                    count += lanes
                lane = 0 if unit.group is None else unit.lane
                places.append((signals[buffer][2] + lane, lane))
        place, block = self.arena.block(max(4 * count, 64))
        states: dict[int, Any] = {}
        made: dict[int, Operation] = {}
        before = len(self.operations)
        for buffer, (lanes, factor, first) in signals.items():
            state, room = self.arena.block(16)
            room.view(np.int64)[0] = place + 4 * first
            for lane in range(lanes):
                states[first + lane] = room.view(np.int64), factor
            function = address(gauges.gauge if lanes == 1 else gauges.gauge_lanes)
            made[buffer] = self.operation(function, state, [buffer], [], (), factor)
        self._stand_behind(before, made)
        return Gauges(self.view, found, block.view(np.float32)[:count], states)

    def _signal(self, ref: Ref) -> int | None:
        """The buffer in which a signal lies, as it is computed; None when it is not."""
        unit, output = ref
        home = self._islands.get(id(item_of(unit))) if self._islands else None
        if unit.group is not None:
            known = self._lanes if home is None else home.lanes
            return self.side(unit.group, output) if (unit.group, output) in known else None
        cells = self._mono if home is None else home.mono
        return self.mono(ref) if ref in cells else None

    def _stand_behind(self, before: int, made: dict[int, Operation]) -> None:
        """Move each gauge right behind the operation that writes its buffer: there it is still near."""
        rows: list[Operation] = []
        left = dict(made)
        for one in self.operations[:before]:
            rows.append(one)
            for buffer in flat(one.outs):
                gauge = left.pop(buffer, None)
                if gauge is not None:
                    rows.append(gauge)
        self.operations[:] = [*left.values(), *rows]  # what is held all the time is written by nobody
