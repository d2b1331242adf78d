"""The operations of native nodes: their kernels, their states, and the ramps of their controls."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nodegraph.core.spec import NodeSpec
from nodegraph.core.view import GraphView, NodeEntry
from nodegraph.runtime.compile.emitting import Emitting
from nodegraph.runtime.compile.held import HELD, held_name
from nodegraph.runtime.compile.memory import Arena, Buffers
from nodegraph.runtime.compile.operations import Operation
from nodegraph.runtime.compile.places import Places, Ran
from nodegraph.runtime.compile.plan import Arrays
from nodegraph.runtime.compile.templates import Template, native_value, template
from nodegraph.runtime.compile.units import Unit
from nodegraph.runtime.kernels.forms import LANES
from nodegraph.runtime.native import words as w


class NodeOperations(Emitting):
    """The part of a schedule that knows node kinds. `Schedule` adds the order, the edges and the tables."""

    view: GraphView
    rate: int
    arena: Arena
    states: Arena
    buffers: Buffers
    places: Places
    entries: array[int]
    arrays: Callable[[NodeEntry, int, int], Arrays]
    slots: Callable[[str, NodeSpec], int]
    _ramps: list[tuple[Operation, int, Any, list[Any]]]
    _keep: list[Any]

    def native(
        self,
        spec: NodeSpec,
        modes: str,
        lanes: int,
        used: int,
        units: Sequence[Unit | None],
        ins: list[Any],
        outs: list[Any],
        factor: int = 1,
    ) -> None:
        """A kernel over one unit, or over the units of a group."""
        form = template(spec, modes, lanes, used, self.rate * factor)
        state = self._state(form, units, factor)
        names = tuple(["" if unit is None else unit.node for unit in units])
        made = self.operation(form.function, state, ins, outs, names, factor)
        made.form = form
        made.about = form, state
        block = self._ramp(form, made, state, ins, factor) if form.still else 0
        keys = tuple([None if unit is None else (unit.node, unit.channel) for unit in units])
        self.places.add(Ran(keys, form.about, state, form.still, block + form.ramp_numbers))
        if not form.slots:
            return
        entries, slots = self.entries, self.slots
        for lane, unit in enumerate(units):
            if unit is None:
                continue
            name = unit.node if spec is not HELD else held_name(unit.node, *unit.channel)
            first = slots(name, spec)
            for index, slot in form.positions:
                entries.extend((first + slot, block, index, lane))
            for slot, offset in form.counters:
                entries.extend((first + slot, state + offset + 4 * lane, -1, 0))

    def _state(self, form: Template, units: Sequence[Unit | None], factor: int) -> int:
        """A state as the stored values want it."""
        state, block = self.states.block(form.about.size, form.align)
        block[:] = form.image
        nodes = self.view._store.nodes
        numbers: Any = None
        for lane, unit in enumerate(units):
            if unit is None:
                continue
            params = nodes[unit.node].params
            if not params or form.spec is HELD:
                continue
            if numbers is None:
                numbers = block[: len(block) // 4 * 4].view(np.float32)
            for name, at in form.controls:
                if name in params:
                    numbers[at + lane] = params[name]
            for setting, at in form.constants:
                if setting.name in params:
                    numbers[at + lane] = native_value(setting, params[setting.name])
        if form.about.arrays:
            first = next(unit for unit in units if unit is not None)
            self._arrays(form, self.arrays(nodes[first.node], first.channel, factor), block)
        return state

    def _arrays(self, form: Template, arrays: Arrays, block: np.ndarray[Any, Any]) -> None:
        """The addresses of a node's arrays."""
        for name, offset in form.about.arrays.items():
            made = arrays[name]
            self._keep.append(made)
            rows = made.shape[0] if made.ndim == 2 else 1
            block[offset : offset + 24].view(np.int64)[:] = (made.ctypes.data, made.shape[-1], rows)

    def _ramp(self, form: Template, made: Operation, state: int, ins: list[Any], factor: int) -> int:
        """The block that lets an operation's still controls ramp."""
        count, lanes = len(form.still), form.lanes
        buffers = [self.buffers.scratch(lanes * factor, LANES + index) for index in range(count)]
        given = iter(ins)
        moving = [next(given) if index < 0 else buffers[index] for index in form.ramped]
        place, block = self.arena.block(form.ramp_bytes)
        words = block[: 8 * (w.RAMP_WORDS + 2 * count)].view(np.int64)
        numbers, step = place + form.ramp_numbers, 4 * count * lanes
        found = [0] * w.RAMP_WORDS
        found[w.R_STILL] = form.function
        found[w.R_MOVING] = form.moving
        found[w.R_STATE] = state
        found[w.R_CONTROLS] = count
        found[w.R_LANES] = lanes
        found[w.R_FACTOR] = factor
        found[w.R_OFFSETS] = place + 8 * w.RAMP_WORDS
        found[w.R_BUFFERS] = place + 8 * (w.RAMP_WORDS + count)
        found[w.R_TARGET] = numbers
        found[w.R_STEP] = numbers + step
        found[w.R_LEFT] = numbers + 2 * step
        words[:] = [*found, *form.offsets, *buffers]
        self._ramps.append((made, place, words, moving))
        return place
