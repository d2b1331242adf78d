"""Sums in a schedule, and what they are made of: signals side by side, lanes that are kept, partial sums.

A sum over many packed signals is taken in parts of 64 signals, each right behind the operations that make them, while
those are still in the nearest cache. Every partial sum still gets its signals in their order, so no bit depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nodegraph.runtime.compile.emitting import Emitting
from nodegraph.runtime.compile.memory import Arena, Buffers
from nodegraph.runtime.compile.packing import Group
from nodegraph.runtime.compile.units import Ref, Unit
from nodegraph.runtime.kernels.forms import LANES
from nodegraph.runtime.native import edges
from nodegraph.runtime.native.compiled import address

PART = 4 * LANES
"""Signals of a partial sum: four packed ones of 4 KiB, which fit the nearest cache beside the sum itself."""


class Part:
    """The sum of a mix's signals up to a place: of those before `first`, which another part has, and the next 64."""

    __slots__ = ("before", "factor", "refs")

    def __init__(self, refs: list[Ref], before: Part | None, factor: int) -> None:
        self.refs = refs
        self.before = before
        self.factor = factor

    def sources(self) -> list[Any]:
        """What must be computed before, in this order."""
        found: list[Any] = [] if self.before is None else [self.before]
        return found + sources(self.refs)


def sources(refs: Sequence[Ref]) -> list[Any]:
    """The units or groups that make these signals."""
    return [ref[0].group or ref[0] for ref in refs]


class Mixing(Emitting):
    """The part of a schedule that joins signals."""

    arena: Arena
    buffers: Buffers
    zeros: int
    _masked: dict[tuple[int, tuple[int, ...]], int]
    _parts: dict[Unit, tuple[Part, list[Ref]]]
    _sums: dict[Part, int]

    # -- in parts

    def mix_sources(self, unit: Unit) -> list[Any]:
        """What a mix needs: everything it sums, or the sum of most of it and the rest."""
        refs: list[Ref] = unit.inputs
        if len(refs) <= PART or all(ref[0].group is None for ref in refs):
            return sources(refs)
        part: Part | None = None
        last = (len(refs) - 1) // PART * PART
        for first in range(0, last, PART):
            part = Part(refs[first : first + PART], part, unit.factor)
        assert part is not None
        self._parts[unit] = part, refs[last:]
        return [part, *sources(refs[last:])]

    def _part(self, part: Part) -> None:
        before = self.zeros if part.before is None else self._sums[part.before]
        rows = self._packed(part.refs, part.factor)
        buffer = self.buffers.new(LANES, part.factor)
        state = self.words(len(rows))
        self.operation(address(edges.add_lanes), state, [before, *rows], [buffer], (), part.factor)
        self._sums[part] = buffer

    def _mix(self, unit: Unit) -> None:
        refs: list[Ref] = unit.inputs
        factor = unit.factor
        if unit in self._parts or any(ref[0].group is not None for ref in refs):
            part, rest = self._parts.get(unit, (None, refs))
            ins = self._packed(rest, factor)
            if part is not None:
                ins = [self._sums[part], *ins]
            function, state = address(edges.mix_lanes), self.words(len(ins))
        else:
            ins = [self.mono(ref) for ref in refs]
            function, state = address(edges.mix_two), 0
            if len(refs) > 2:
                scratch = self.buffers.scratch(LANES * factor)
                function, state = address(edges.mix), self.words(len(refs), scratch, 4 * self.buffers.frames * factor)
        self.operation(function, state, ins, [self.out_mono(unit, 0)], (unit.node,), factor)

    def _mix_side_by_side(self, group: Group) -> None:
        """The sums inside sixteen voices: the same order as in one, over sixteen times the samples."""
        ins = []
        factor = group.first.factor
        for position in range(len(group.first.inputs)):
            ins.append(self._side_by_side([None if unit is None else unit.inputs[position] for unit in group.lanes]))
        function, state = address(edges.mix_two_wide), 0
        if len(ins) > 2:
            scratch = self.buffers.scratch(LANES * LANES * factor)
            pitch = 4 * self.buffers.frames * LANES * factor
            function, state = address(edges.mix_wide), self.words(len(ins), scratch, pitch)
        self.operation(function, state, ins, [self.out_lanes(group, 0)], (), factor)

    # -- packed signals

    def _side_by_side(self, row: Sequence[Ref | None]) -> int:
        """Signals as lanes: straight from the group that made them if they stand there in the same order."""
        group: Group | None = None
        output = 0
        for lane, ref in enumerate(row):
            if ref is None:
                continue
            unit = ref[0]
            if (
                unit.group is None
                or unit.lane != lane
                or (group is not None and (unit.group is not group or ref[1] != output))
            ):
                group = None
                break
            group, output = unit.group, ref[1]
        if group is not None:
            return self.side(group, output)
        factor = next((ref[0].factor for ref in row if ref is not None), 1)
        return self._pack([0 if ref is None else self.mono(ref) for ref in row], factor)

    def _pack(self, ins: list[int], factor: int) -> int:
        """Mono signals (0: none) as one packed signal."""
        buffer = self.buffers.new(LANES, factor)
        self.operation(address(edges.pack), 0, ins + [0] * (LANES - len(ins)), [buffer], (), factor)
        return buffer

    def _packed(self, refs: Sequence[Ref], factor: int) -> list[int]:
        """Signals of a mix as packed signals: of each sixteen one per group in it, and one for all that stand alone."""
        rows = []
        for first in range(0, len(refs), LANES):
            chunk = refs[first : first + LANES]
            groups: dict[tuple[Group, int], list[int]] = {}
            alone: list[int] = []
            for lane, (unit, output) in enumerate(chunk):
                if unit.group is not None and unit.lane == lane:
                    groups.setdefault((unit.group, output), []).append(lane)
                else:
                    alone.append(lane)
            for (group, output), lanes in groups.items():
                buffer = self.side(group, output)
                rows.append(buffer if len(lanes) == LANES else self._keep_lanes(buffer, tuple(lanes), factor))
            if alone:
                ins = [self.mono(chunk[lane]) if lane in alone else 0 for lane in range(len(chunk))]
                rows.append(self._pack(ins, factor))
        return rows

    def _keep_lanes(self, buffer: int, lanes: tuple[int, ...], factor: int) -> int:
        found = self._masked.get((buffer, lanes))
        if found is None:
            place, block = self.arena.block(64 + 4 * LANES)
            block.view(np.float32)[[16 + lane for lane in lanes]] = 1.0
            found = self.buffers.new(LANES, factor)
            self.operation(address(edges.mask_lanes), place, [buffer], [found], (), factor)
            self._masked[buffer, lanes] = found
        return found
