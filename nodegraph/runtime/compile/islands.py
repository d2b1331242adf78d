"""Loops of signals: the items of a loop run as one operation of the schedule, sample by sample.

Inside an island every signal is a cell of one sample (or of sixteen lanes) instead of a block. A signal that leads back
is a cell of its own, into which the sample is copied when all have run: so it is one sample old for whoever hears it,
in whatever order they run. Cells keep their samples from block to block, and over edits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from nodegraph.core.order import components
from nodegraph.runtime.compile.emitting import Emitting
from nodegraph.runtime.compile.memory import Arena, Buffers
from nodegraph.runtime.compile.operations import Operation
from nodegraph.runtime.compile.packing import Group
from nodegraph.runtime.compile.places import Places, Ran
from nodegraph.runtime.compile.units import Plan, Ref, Unit
from nodegraph.runtime.kernels.forms import LANES, Layout
from nodegraph.runtime.native import edges
from nodegraph.runtime.native.compiled import address

Item = Any
"""A unit or a group."""


class Island:
    """The items of one loop, or of loops that hang together."""

    def __init__(self, members: list[Item]) -> None:
        self.members = members
        self.inside = {id(item) for item in members}
        self.mono: dict[Ref, int] = {}
        self.lanes: dict[tuple[Group, int], int] = {}
        self.imports: list[tuple[int, int, int]] = []
        self.exports: list[tuple[int, int, int]] = []
        self.latches: list[tuple[int, int, int]] = []
        self.rows: list[Operation] = []
        self.operation: Operation | None = None
        self.factor = members[0].factor if isinstance(members[0], Unit) else members[0].first.factor


def item_of(unit: Unit) -> Item:
    """What runs a unit: itself, or its group."""
    return unit.group or unit


def members_of(item: Item) -> list[Unit]:
    """The units that an item runs."""
    return [unit for unit in item.lanes if unit is not None] if isinstance(item, Group) else [item]


def islands_of(plan: Plan) -> list[Island]:
    """The loops of a plan. Groups that stand in one another's way inside a loop are given up."""
    if not plan.backs:
        return []
    while True:
        items, before, back = _links(plan)
        part = components(len(items), [*before, *back])
        sizes: dict[int, list[int]] = {}
        for index, name in enumerate(part):
            sizes.setdefault(name, []).append(index)
        forward = components(len(items), before)
        tangled = {forward[a] for a, b in before if a != b and forward[a] == forward[b]}
        if not tangled and all(a != b for a, b in before):
            break
        for index, item in enumerate(items):
            if isinstance(item, Group) and (forward[index] in tangled or (index, index) in before):
                for unit in members_of(item):
                    unit.group = None
    looped = {part[a] for a, b in back if part[a] == part[b]}
    return [Island([items[index] for index in sizes[name]]) for name in sorted(looped)]


def _links(plan: Plan) -> tuple[list[Item], list[tuple[int, int]], list[tuple[int, int]]]:
    """The items, and who feeds whom: in this sample, and from one sample to the next."""
    number: dict[int, int] = {}
    items: list[Item] = []
    for unit in plan.units:
        item = item_of(unit)
        if id(item) not in number:
            number[id(item)] = len(items)
            items.append(item)
    before = {
        (number[id(item_of(ref[0]))], number[id(item_of(unit))]) for unit in plan.units for ref in unit.refs()
    }  # fmt: skip
    back = {
        (number[id(item_of(unit.link[0]))], number[id(item_of(unit))]) for unit in plan.backs if unit.link is not None
    }
    return items, sorted(before), sorted(back)


class Cells(Buffers):
    """Gives cells where a schedule would take buffers."""

    def __init__(self, outer: Buffers, states: Arena) -> None:
        self.arena, self.frames, self.outer, self.states = outer.arena, outer.frames, outer, states

    def new(self, lanes: int = 1, factor: int = 1) -> int:
        return self.states.block(4 * lanes, 64 if lanes > 1 else 4)[0]

    def scratch(self, lanes: int, which: int = 0) -> int:
        return self.outer.scratch(lanes, which)

    def lanes_of(self, buffer: int) -> int:
        return 1


class Looping(Emitting):
    """The part of a schedule that makes islands."""

    arena: Arena
    states: Arena
    buffers: Buffers
    places: Places
    plan: Plan
    island: Island | None
    operations: list[Operation]
    _mono: dict[Ref, int]
    _lanes: dict[tuple[Group, int], int]
    _islands: dict[int, Island]
    _island_blocks: list[tuple[Island, np.ndarray[Any, Any]]]
    _outer: tuple[Buffers, list[Operation]]

    def emit(self, item: Item) -> None:
        """Make the operations of one item."""
        raise NotImplementedError

    def before(self, item: Item) -> list[Item]:
        """What must run before an item, inside an island only what is in it."""
        raise NotImplementedError

    def walk(self, wanted: Iterable[Item]) -> None:
        """Make the operations of items, and before them of what they need."""
        raise NotImplementedError

    def outside(self, island: Island) -> list[Item]:
        """What an island hears from outside."""
        found = {
            id(item): item
            for member in island.members
            for unit in members_of(member)
            for ref in unit.refs()
            if id(item := item_of(ref[0])) not in island.inside
        }
        return list(found.values())

    @contextmanager
    def ashore(self) -> Iterator[None]:
        """What happens now happens outside the island that is being made."""
        island, self.island = self.island, None
        cells, self.buffers = self.buffers, self._outer[0]
        rows, self.operations = self.operations, self._outer[1]
        try:
            yield
        finally:
            self.island, self.buffers, self.operations = island, cells, rows

    def _island(self, island: Island) -> None:
        state, block = self.arena.block(8 * 10)
        self.island, self.operations = island, island.rows
        self.buffers = Cells(self._outer[0], self.states)
        for item in island.members:
            self._back_cells(island, item)
        self.walk(island.members)
        for item in island.members:
            self._latches(island, item)
        self._cells_stay(island)
        self.island = None
        self.buffers, self.operations = self._outer
        names = tuple(dict.fromkeys(unit.node for item in island.members for unit in members_of(item)))
        ins = [buffer for buffer, _, _ in island.imports]
        island.operation = self.operation(address(edges.island), state, ins, [], names, island.factor)
        island.operation.about = island.rows
        self._island_blocks.append((island, block.view(np.int64)))

    # -- what leads back

    def _back_cells(self, island: Island, item: Item) -> None:
        """The cells of signals that lead back, before anything runs that hears them."""
        if isinstance(item, Group):
            if item.first.op == "back":
                island.lanes[item, 0] = self.buffers.new(LANES)
        elif item.op == "back":
            island.mono[item, 0] = self.buffers.new()

    def _latches(self, island: Island, item: Item) -> None:
        """The copies at the end of each sample."""
        if isinstance(item, Group):
            if item.first.op == "back":
                row = [None if unit is None else unit.link for unit in item.lanes]
                island.latches.append((self._side_by_side(row), island.lanes[item, 0], LANES))
        elif item.op == "back":
            island.latches.append((self.mono(item.link), island.mono[item, 0], 1))

    def _side_by_side(self, row: Any) -> int:
        raise NotImplementedError

    def _cells_stay(self, island: Island) -> None:
        """Let edits carry over the samples that lead back."""
        for item in island.members:
            units = members_of(item)
            if units[0].op != "back":
                continue
            lanes = item.lanes if isinstance(item, Group) else (item,)
            keys = tuple(
                None if unit is None else (unit.node, ("back", unit.data[1], unit.channel)) for unit in lanes
            )  # fmt: skip
            cell = island.lanes[item, 0] if isinstance(item, Group) else island.mono[item, 0]
            self.places.add(Ran(keys, _CELL[len(lanes)], cell, (), 0))

    # -- in and out

    def imported(self, buffer: int, lanes: int) -> int:
        """A cell for a signal from outside."""
        island = self.island
        assert island is not None
        cell = self.buffers.new(lanes)
        island.imports.append((buffer, cell, lanes))
        return cell

    def exported(self, island: Island, cell: int, lanes: int) -> int:
        """A buffer for a signal of an island."""
        buffer = self._outer[0].new(lanes, island.factor)
        island.exports.append((buffer, cell, lanes))
        assert island.operation is not None
        island.operation.outs.append(buffer)
        return buffer

    def finish_islands(self) -> None:
        """The tables of islands, when all that leaves them is known."""
        for island, block in self._island_blocks:
            rows = island.rows
            tables = self.buffers.written([table for one in rows for table in (one.ins, one.outs)])
            place, room = self.states.block(32 * max(1, len(rows)))
            view = room.view(np.int64)
            for number, one in enumerate(rows):
                if not one.row:
                    one.row = place + 32 * number
                view[4 * number : 4 * number + 4] = one.function, one.state, tables[2 * number], tables[2 * number + 1]
            block[:10] = (
                place, len(rows),
                len(island.imports), self._pairs((cell, lanes) for _, cell, lanes in island.imports),
                len(island.exports), self._pairs((cell, lanes) for _, cell, lanes in island.exports),
                len(island.latches), self._pairs(island.latches), 0, 0,
            )  # fmt: skip

    def _pairs(self, rows: Iterable[tuple[int, ...]]) -> int:
        return self.words(*(word for row in rows for word in row), 0)


def _cell_layout(lanes: int) -> Layout:
    return Layout(None, lanes, {}, {}, {}, (), (), (), (0, 1), (0, 0), 4 * lanes)  # type: ignore[arg-type]


_CELL = {1: _cell_layout(1), LANES: _cell_layout(LANES)}
