"""From a plan to a flat table of (function, state, inputs, outputs) that native code walks.

Memory of a schedule: its operations, the states of its nodes, their ramps, and signal buffers that are used again after
their last reader. Arrays (delay lines, sounds) belong to the nodes and outlive schedules.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nodegraph.core.cable import Cable
from nodegraph.core.ports import Control
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.core.view import GraphView, NodeEntry
from nodegraph.runtime.compile.apart import ApartBuffers, write_tasks
from nodegraph.runtime.compile.chains import Chaining, chains_of, spans_of
from nodegraph.runtime.compile.gauges import Gauges, Gauging
from nodegraph.runtime.compile.held import HELD
from nodegraph.runtime.compile.islands import Island, Looping, islands_of, item_of
from nodegraph.runtime.compile.memory import Arena, Buffers
from nodegraph.runtime.compile.mixing import Mixing, Part, sources
from nodegraph.runtime.compile.node_operations import NodeOperations
from nodegraph.runtime.compile.operations import Operation
from nodegraph.runtime.compile.packing import LEAST, Group, pack
from nodegraph.runtime.compile.places import Places, begin_with, live_value
from nodegraph.runtime.compile.plan import Arrays
from nodegraph.runtime.compile.tasks import Tasks, planned
from nodegraph.runtime.compile.units import Plan, Ref, Unit
from nodegraph.runtime.compile.wiring import Wiring
from nodegraph.runtime.kernels.forms import LANES, MOVING, SHARED, STILL
from nodegraph.runtime.native import chains, edges
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.compiled import address
from nodegraph.runtime.renaming import renamed

Block = int
"""Frames that one pass over the operations computes: small enough that buffers stay in the nearest cache."""
LONGEST: Block = 64
MOST_FACTOR = 8


class Schedule(NodeOperations, Mixing, Wiring, Looping, Chaining, Gauging):
    """A compiled graph, ready to be played. Keep it alive until the engine has let go of it."""

    def __init__(
        self,
        view: GraphView,
        plan: Plan,
        *,
        rate: int,
        engine: int,
        arrays: Callable[[NodeEntry, int, int], Arrays],
        line: Callable[[Cable, int, str, int], np.ndarray[Any, Any]],
        slots: Callable[[str, NodeSpec], int],
        ring: Callable[[str, NodeSpec, int], Any],
        stream: Callable[[str, NodeSpec, int], Any],
        event_ring: tuple[int, int, int],
        source: Callable[[str, str], int],
        packing: bool = True,
        least: int = LEAST,
        threads: int = 1,
        watched: bool = False,
    ) -> None:
        """`watched`: every signal with a cable has a gauge."""
        self.view = view
        self.plan = plan
        self.rate = rate
        self.packing = packing
        self.engine = engine
        self.arrays = arrays
        self.line = line
        self.slots = slots
        self.ring = ring
        self.stream = stream
        self.event_ring = event_ring
        self.source = source
        self.arena = Arena()
        self.states = Arena()  # in the order in which they run, with nothing in between
        self.threads = threads
        self.tasks: Tasks | None = None
        self.buffers: Buffers = (Buffers if threads < 2 else ApartBuffers)(self.arena, LONGEST)
        self.places = Places()
        self.operations: list[Operation] = []
        self.counted: np.ndarray[Any, Any]
        """Frames whose costs were counted, then cycles spent in each row (`native.watching`)."""
        self.spans: list[tuple[int, int]] = []
        """The first operation of each row that is walked, and the one behind its last."""
        self.island: Island | None = None
        self.zeros = self.arena.take(4 * LONGEST * LANES * MOST_FACTOR)
        self.entries = array("q")
        self._ramps: list[tuple[Operation, int, Any, list[Any]]] = []
        self._mono: dict[Ref, int] = {}
        self._lanes: dict[tuple[Group, int], int] = {}
        self._masked: dict[tuple[int, tuple[int, ...]], int] = {}
        self._parts: dict[Unit, tuple[Part, list[Ref]]] = {}
        self._sums: dict[Part, int] = {}
        self._keep: list[Any] = []
        self.handed_over = False
        """Whether a node began with the value that another one's control had when this was made."""
        self._seen: dict[int, bool] = {}
        self._island_blocks = []
        self.chain_states = []
        self._outer = self.buffers, self.operations
        self.groups = pack(plan, least) if packing else unpacked(plan)
        self._islands: dict[int, Island] = {
            id(item): island for island in islands_of(plan) for item in island.members
        }  # fmt: skip
        self.gauges: Gauges | None = None
        ports = self.cabled() if watched else []
        self._emit(ports)
        if watched:
            self.gauges = self.gauged(ports)
        self._finish()

    @property
    def names(self) -> list[tuple[str, ...]]:
        """The nodes that each operation runs."""
        return [one.names for one in self.operations]

    # -- order

    def _emit(self, ports: Sequence[tuple[str, str]]) -> None:
        wanted: list[Unit] = [ref[0] for ref in self.plan.buses if ref is not None]
        wanted += [unit for unit in self.plan.units if unit.op in ("tap", "events")]
        # nodes that nobody hears keep their time: an oscillator that is plugged in later is where it would have been
        wanted += [unit for unit in self.plan.units if unit.spec is not None and unit.spec.memories]
        wanted += self.shown(ports)
        self.walk(unit.group or unit for unit in wanted)

    def walk(self, wanted: Iterable[Any]) -> None:
        islands = self._islands
        for sink in wanted:
            stack: list[Any] = [sink]
            while stack:
                item = stack[-1]
                if islands and self.island is None:
                    item = islands.get(id(item), item)
                seen = self._seen.get(id(item))
                if seen is None:
                    self._seen[id(item)] = False
                    stack += [found for found in reversed(self.before(item)) if id(found) not in self._seen]
                    continue
                stack.pop()
                if seen:
                    continue
                self._seen[id(item)] = True
                self.emit(item)

    def before(self, item: Any) -> list[Any]:
        if isinstance(item, Part):
            return item.sources()
        if isinstance(item, Island):
            return self.outside(item)
        if isinstance(item, Group):
            found = {id(one): one for unit in item.lanes if unit is not None for one in sources(unit.refs())}
            needed = list(found.values())
        elif item.op == "mix" and self.island is None:
            return self.mix_sources(item)
        else:
            needed = sources(item.refs())
        return needed if self.island is None else [one for one in needed if id(one) in self.island.inside]

    def emit(self, item: Any) -> None:
        if isinstance(item, Group):
            self._group(item)
        elif isinstance(item, Part):
            self._part(item)
        elif isinstance(item, Island):
            self._island(item)
        else:
            getattr(self, "_" + item.op)(item)

    # -- operations

    def operation(
        self, function: int, state: int, ins: list[Any], outs: list[Any], names: tuple[str, ...], factor: int = 1
    ) -> Operation:
        """Append an operation that runs at `factor` times the engine's rate."""
        made = Operation(function, state, ins, outs, names, factor)
        if factor > 1 and self.island is None:
            # the operation as the dispatcher sees it calls the one that is meant, with so many frames more
            made.row = made.state = self.words(function, state, factor)
            made.function = address(edges.oversampled)
        self.operations.append(made)
        return made

    def mono(self, ref: Ref | None) -> int:
        """The buffer of a signal in mono form; inside an island its cell."""
        if ref is None:
            return self.zeros
        known = self._mono if self.island is None else self.island.mono
        found = known.get(ref)
        if found is None:
            found = known[ref] = self._made_mono(ref)
        return found

    def _made_mono(self, ref: Ref) -> int:
        """Bring a signal to where it is wanted in mono form: out of an island, into one, out of lanes."""
        unit, output = ref
        home = self._islands.get(id(item_of(unit))) if self._islands else None
        if self.island is not None and home is not self.island:
            with self.ashore():
                buffer = self.mono(ref)
            return self.imported(buffer, 1)
        if self.island is None and home is not None and ref in home.mono:
            return self.exported(home, home.mono[ref], 1)
        assert unit.group is not None, unit.op
        source = self.side(unit.group, output)
        found = self.buffers.new(1, unit.factor)
        self.operation(address(edges.unpack), self.words(unit.lane), [source], [found], (unit.node,), unit.factor)
        return found

    def side(self, group: Group, output: int) -> int:
        """The buffer of a group's output; inside an island its cell."""
        known = self._lanes if self.island is None else self.island.lanes
        found = known.get((group, output))
        if found is None:
            if self.island is not None:
                with self.ashore():
                    buffer = self.side(group, output)
                found = self.imported(buffer, LANES)
            else:
                home = self._islands[id(group)]
                found = self.exported(home, home.lanes[group, output], LANES)
            known[group, output] = found
        return found

    def out_mono(self, unit: Unit, output: int) -> int:
        """The buffer, or cell, that a unit's output is written to."""
        known = self._mono if self.island is None else self.island.mono
        found = known[unit, output] = self.buffers.new(1, unit.factor)
        return found

    def out_lanes(self, group: Group, output: int) -> int:
        """The same for a group."""
        known = self._lanes if self.island is None else self.island.lanes
        found = known[group, output] = self.buffers.new(LANES, group.first.factor)
        return found

    def words(self, *values: int) -> int:
        """A state made of 64-bit words."""
        place, block = self.arena.block(8 * len(values))
        block.view(np.int64)[: len(values)] = values
        return place

    def _kernel(self, unit: Unit) -> None:
        assert unit.spec is not None
        ins = [self.mono(ref) for ref in unit.inputs]
        used = -1 if unit.spec.role is Role.BLOCK else unit.used  # a block function writes every outlet
        outs = [self.out_mono(unit, number) for number in range(unit.outputs) if used >> number & 1]
        self.native(unit.spec, unit.modes, 1, used, [unit], ins, outs, unit.factor)

    def _wide(self, unit: Unit) -> None:
        assert unit.spec is not None
        ins = [[self.mono(ref) for ref in item] if isinstance(item, list) else self.mono(item) for item in unit.inputs]
        outs: list[Any] = []
        first = 0
        for outlet, count in zip(unit.spec.outlets, unit.data, strict=True):
            row = [self.out_mono(unit, first + number) for number in range(count)]
            outs.append(row if outlet.kind.value == "signal" else row[0])
            first += count
        self.native(unit.spec, unit.modes, 1, -1, [unit], ins, outs, unit.factor)

    def _group(self, group: Group) -> None:
        first = group.first
        if first.op == "back":
            return  # its cell is there already
        if first.spec is None:
            self._mix_side_by_side(group)
            return
        modes = ""
        ins: list[Any] = []
        position = 0
        for mode in first.modes:
            if mode == STILL:
                modes += STILL
                continue
            row = [None if unit is None else unit.inputs[position] for unit in group.lanes]
            position += 1
            present = [ref for unit, ref in zip(group.lanes, row, strict=True) if unit is not None]
            if all(ref == present[0] for ref in present):
                modes += SHARED
                ins.append(self.mono(present[0]))
            else:
                modes += MOVING
                ins.append(self._side_by_side(row))
        outs = [self.out_lanes(group, output) for output in range(first.outputs) if group.used >> output & 1]
        self.native(first.spec, modes, LANES, group.used, group.lanes, ins, outs, first.factor)

    def _back(self, unit: Unit) -> None:
        """Its cell is there already."""

    # -- tables

    def _finish(self) -> None:
        buses = [0 if ref is None else self.mono(ref) for ref in self.plan.buses]
        self.finish_islands()
        operations, ramps = self.operations, self._ramps
        self.tasks = planned(operations, self.threads)
        if self.tasks is not None and isinstance(self.buffers, ApartBuffers):
            self.buffers.assign_apart(operations, buses, self.tasks)
        else:
            self.buffers.assign(operations, buses)
        tables = [table for one in operations for table in (one.ins, one.outs)]
        places = self.buffers.written([*tables, *(moving for _, _, _, moving in ramps), buses])
        found = chains_of(operations, buses) if self.packing and self.tasks is None else []
        rows = self.rows_walked(found, places)
        self.spans = spans_of(len(operations), found)
        counted, room = self.arena.block(8 * (1 + len(rows)))
        self.counted = room.view(np.int64)
        table, block = self.arena.block(32 * max(1, len(rows)))
        if rows:
            block.view(np.int64)[: 4 * len(rows)].reshape(-1, 4)[:] = rows
        self.rows_placed(found, table)
        for (one, _, words, _), place in zip(ramps, places[2 * len(operations) :], strict=False):
            words[w.R_OPERATION] = one.row
            words[w.R_INS] = place
            words[w.R_CHAIN] = one.chain
        self.address, block = self.arena.block(8 * w.SCHEDULE_WORDS)
        self.block = block.view(np.int64)
        self.block[w.OPERATIONS] = table
        self.block[w.COUNT] = len(rows)
        self.block[w.CHAIN] = address(chains.chain)
        self.block[w.COSTS] = counted
        self.block[w.SHAPES] = self.words(*(self._shape(one) for one in operations), 0)
        self.block[w.LONGEST] = LONGEST
        self.block[w.BUSES] = places[-1]
        self.block[w.BUS_COUNT] = len(self.plan.buses)
        self.block[w.RAMPS] = self.words(*(place for _, place, _, _ in ramps), 0)
        self.block[w.RAMP_COUNT] = len(ramps)
        if self.tasks is not None:
            write_tasks(self.block, self.tasks, self.arena, self.words)
        self._slots()

    def _shape(self, one: Operation) -> int:
        """How many outputs of how many lanes an operation has, for the search for NaN; 0: it is not searched."""
        outs = one.outs
        if not outs or any(isinstance(item, list) for item in outs):
            return 0
        sizes = {self.buffers.lanes_of(item) for item in outs}
        return len(outs) * 65536 + sizes.pop() if len(sizes) == 1 else 0

    def _slots(self) -> None:
        """The entries of each control's slot, one after another."""
        table = np.frombuffer(self.entries, np.int64).reshape(-1, 4)
        slots = table[:, 0]
        highest = int(slots.max()) + 1 if len(slots) else 0
        counts = np.bincount(slots, minlength=max(1, highest))
        starts = np.empty((len(counts), 2), np.int64)
        starts[:, 0] = np.cumsum(counts) - counts
        starts[:, 1] = counts
        entries = np.ascontiguousarray(table[np.argsort(slots, kind="stable"), 1:])
        self._keep += [starts, entries]
        self.block[w.SLOTS] = starts.ctypes.data
        self.block[w.SLOT_COUNT] = highest
        self.block[w.ENTRIES] = entries.ctypes.data

    def rename(self, names: Mapping[str, str]) -> None:
        """Nodes have other ids from now on."""
        self.places.rename(names)
        if self.gauges is not None:
            self.gauges.rename(names)
        self.view = renamed(self.view, names)
        for one in self.operations:
            one.names = tuple(names.get(name, name) for name in one.names)

    def take_over(
        self, old: Schedule, changed: frozenset[str] = frozenset(), origin: Mapping[str, str] | None = None
    ) -> None:
        """Prepare the moves that carry the old schedule's state over.

        `changed` nodes start afresh; `origin` names, for a node, the one in the old schedule whose state it takes.
        """
        moves = self.places.moves_from(old.places, changed, origin or {})
        if changed:
            self._hand_over(changed, old)
        self._keep.append(moves)
        self.block[w.MOVES] = moves.ctypes.data
        self.block[w.MOVE_COUNT] = len(moves)

    def _hand_over(self, changed: frozenset[str], old: Schedule) -> None:
        """A node that becomes another begins with the values that its controls have now, not with the stored ones."""
        for key in self.places.keys_of(changed):
            place, entry = self.places.of(key), self.view._store.nodes[key[0]]
            was, before = old.view._store.nodes.get(key[0]), old.places.of(key) or old.places.of((key[0], 0))
            if place is None or before is None or was is None or entry.spec is None or place.ran.about.spec is HELD:
                continue
            for name in place.ran.about.controls:
                value = live_value(before, name) if name in before.ran.about.controls else None
                if value is not None and value != np.float32(was.value(name)):
                    control = entry.spec.inlet_named[name]
                    assert isinstance(control, Control)
                    begin_with(place, name, min(max(value, control.span[0]), control.span[1]))
                    self.handed_over = True


def unpacked(plan: Plan) -> list[Group]:
    """No groups: units may come from an earlier plan."""
    for unit in plan.units:
        unit.group = None
    return []
