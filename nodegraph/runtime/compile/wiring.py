"""What stands along the cables of a schedule: fades, waits, filters between rates, and the ends of what is played."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nodegraph.core.cable import Cable
from nodegraph.core.spec import NodeSpec
from nodegraph.core.streams import StreamNode
from nodegraph.core.view import GraphView
from nodegraph.runtime.compile.crossing import half_band, memory
from nodegraph.runtime.compile.emitting import Emitting
from nodegraph.runtime.compile.islands import Island
from nodegraph.runtime.compile.memory import Arena, Buffers
from nodegraph.runtime.compile.units import Ref, Unit
from nodegraph.runtime.lane.streams import answer_frames, fade_frames
from nodegraph.runtime.native import edges, halfband, streaming
from nodegraph.runtime.native.compiled import address


class Wiring(Emitting):
    """The part of a schedule that knows what is no node."""

    arena: Arena
    buffers: Buffers
    engine: int
    island: Island | None
    line: Callable[[Cable, int, str, int], np.ndarray[Any, Any]]
    ring: Callable[[str, NodeSpec, int], Any]
    stream: Callable[[str, NodeSpec, int], Any]
    rate: int
    view: GraphView
    event_ring: tuple[int, int, int]
    source: Callable[[str, str], int]
    _mono: dict[Ref, int]
    _keep: list[Any]

    def _fade(self, unit: Unit) -> None:
        ins = [self.mono(ref) for ref in unit.inputs]
        state = self.words(0, *unit.data)
        self.operation(address(edges.fade), state, ins, [self.out_mono(unit, 0)], (unit.node,), unit.factor)

    def _scale(self, unit: Unit) -> None:
        place, block = self.arena.block(8)
        block.view(np.float32)[0] = unit.data
        ins = [self.mono(unit.inputs[0])]
        self.operation(address(edges.scale), place, ins, [self.out_mono(unit, 0)], (unit.node,), unit.factor)

    def _wait(self, unit: Unit) -> None:
        cable, samples = unit.data
        made = self.line(cable, unit.channel, f"wait {samples}", samples + 16)
        self._keep.append(made)
        ins = [self.mono(unit.inputs[0])]
        state = self.words(made.ctypes.data, samples)
        wait = self.operation(address(edges.wait), state, ins, [self.out_mono(unit, 0)], (unit.node,), unit.factor)
        wait.memory = made.ctypes.data

    def _up(self, unit: Unit) -> None:
        self._cross(unit, address(halfband.double), 2 * unit.factor)

    def _down(self, unit: Unit) -> None:
        self._cross(unit, address(halfband.halve), unit.factor)

    def _cross(self, unit: Unit, function: int, factor: int) -> None:
        """A half-band filter: it runs at the lower rate, and its output has `factor`."""
        cable, lower = unit.data
        kept = self.line(cable, unit.channel, f"{unit.op} {lower}", len(memory()))
        filter = half_band(lower)
        self._keep += [kept, filter]
        ins = [self.mono(unit.inputs[0])]
        buffer = self._mono[unit, 0] = self.buffers.new(1, factor)
        state = self.words(filter.ctypes.data, kept.ctypes.data)
        crossing = self.operation(function, state, ins, [buffer], (unit.node,), unit.factor)
        crossing.memory = kept.ctypes.data

    def _hold(self, unit: Unit) -> None:
        place, block = self.arena.block(4 * self.buffers.frames * unit.factor)
        block.view(np.float32)[:] = unit.data
        (self._mono if self.island is None else self.island.mono)[unit, 0] = place

    def _input(self, unit: Unit) -> None:
        state = self.words(self.engine, unit.data)
        self.operation(address(edges.device_input), state, [], [self.out_mono(unit, 0)], (unit.node,))

    def _tap(self, unit: Unit) -> None:
        assert unit.spec is not None
        ring = self.ring(unit.node, unit.spec, len(unit.inputs))
        self._keep.append(ring)
        state = self.words(self.engine, len(unit.inputs), ring.header_address, ring.data_address, ring.size)
        self.operation(address(edges.tap), state, [self.mono(ref) for ref in unit.inputs], [], (unit.node,))

    def _stream(self, unit: Unit) -> None:
        assert unit.spec is not None and issubclass(unit.spec.cls, StreamNode)
        cls, heard = unit.spec.cls, self.ring(unit.node, unit.spec, unit.data)
        ring = self.stream(unit.node, unit.spec, unit.outputs)
        self._keep += [ring, heard]
        entry = self.view._store.nodes[unit.node]
        dry = (heard.data_address, heard.size, heard.channels) if entry.value("late") == "dry" else (0, 1, 1)
        state = self.words(
            self.engine, unit.outputs, ring.header_address, ring.data_address, ring.size, answer_frames(cls, self.rate),
            fade_frames(self.rate), *dry,
        )  # fmt: skip
        outs = [self.out_mono(unit, number) for number in range(unit.outputs)]
        self.operation(address(streaming.stream), state, [], outs, (unit.node,))

    def _events(self, unit: Unit) -> None:
        state = self.words(self.engine, self.source(unit.node, unit.data), *self.event_ring, unit.factor)
        self.operation(address(edges.event_tap), state, [self.mono(unit.inputs[0])], [], (unit.node,))
