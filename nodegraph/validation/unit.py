"""One instance of a native node by itself: any form of its kernel, run between guard zones, without an engine."""

from __future__ import annotations

import ctypes
import inspect
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.ports import CableKind, Control, Outlet
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.runtime.kernels import forms
from nodegraph.runtime.kernels.memory_words import load_i64, run_kernel
from nodegraph.runtime.native.compiled import address
from nodegraph.validation.comparing import Floats
from nodegraph.validation.memory import PATTERN, Guarded

CALL = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 8)
DTYPES: dict[str, Any] = {"f32": np.float32, "f64": np.float64, "u32": np.uint32, "i64": np.int64}
Port = tuple[Guarded, bool]
"""A port's buffer, and whether the node sees all its channels: ``(channels, frames)``, else ``(frames, lanes)``."""


def is_wide(spec: NodeSpec) -> bool:
    """Whether one instance of it sees all channels."""
    return spec.role is Role.BLOCK and getattr(spec.cls, "spread", "each") == "all"


class Unit:
    """One instance of a native node: its state and arrays, and the form of its kernel for what drives it.

    `run` is given what drives each inlet: a number (a still control) or an array ``(lanes, frames)``, for a port that
    sees all channels ``(channels, frames)``. One row given to sixteen lanes is shared by them. Inlets that are not
    named hear silence, controls have their defaults. `took_s` is the time that the kernel took in the last run.
    """

    def __init__(
        self,
        spec: NodeSpec,
        rate: int = 48_000,
        *,
        lanes: int = 1,
        settings: Mapping[str, Any] | None = None,
        pattern: int = PATTERN,
    ) -> None:
        self.spec, self.rate, self.lanes, self.pattern = spec, rate, lanes, pattern
        self.layout = forms.layout(spec, lanes)
        self.state = self._guarded("the state", np.zeros(self.layout.size, np.uint8))
        self.settings = {item.name: item.default for item in spec.settings} | dict(settings or {})
        self.arrays = {name: self._guarded(f"array '{name}'", made) for name, made in self._arranged().items()}
        self.wide = is_wide(spec)
        self.took_s = 0.0
        self.reset()

    def _guarded(self, what: str, like: NDArray[Any]) -> Guarded:
        return Guarded(what, like, self.pattern)

    def _arranged(self) -> dict[str, NDArray[Any]]:
        made: dict[str, Any] = {}
        arrange = getattr(self.spec.cls, "arrange", None)
        if arrange is not None:
            known = {**self.settings, "rate": self.rate}
            made = arrange(**{name: known[name] for name in inspect.signature(arrange).parameters})
        return {
            item.name: np.ascontiguousarray(made.get(item.name, np.zeros(item.size or 1)), DTYPES[item.element])
            for item in self.spec.memories
            if item.array
        }

    def reset(self) -> None:
        """A fresh state, as when the node is made."""
        self.state.array[:] = 0
        self.field("rate", "f32", 0)[0] = self.rate
        for item in self.spec.settings:
            if item.name in self.layout.constants:
                value = self.settings[item.name]
                self.field(item.name)[:] = item.choices.index(value) if item.type == "choice" else float(value)
        for memory in self.spec.memories:
            if not memory.array:
                self.field(memory.name)[:] = memory.initial
        for name, fresh in self._arranged().items():
            self.arrays[name].array[...] = fresh
            words = self.field(name, "i64", self.layout.arrays[name], 3)
            words[:] = self.arrays[name].address, fresh.shape[-1], fresh.shape[0] if fresh.ndim == 2 else 1

    def field(self, name: str, element: str = "", at: int = -1, count: int = 0) -> NDArray[Any]:
        """A field of the state, one value a lane."""
        dtype = DTYPES[element or self.layout.elements[name]]
        at = self.layout.offsets[name] if at < 0 else at
        size = np.dtype(dtype).itemsize * (count or (1 if name == "rate" else self.lanes))
        return self.state.array[at : at + size].view(dtype)

    def run(
        self,
        frames: int,
        values: Mapping[str, Any] | None = None,
        split: Sequence[int] | None = None,
        messages: Mapping[str, int] | None = None,
    ) -> dict[str, Floats]:
        """Play `frames` frames in blocks of `split` (cycled). `messages` arrive at native event inlets before that.

        Gives each outlet's sound, ``(lanes or channels, frames)``; fixed channels of a tick are ``name.0``, ``name.1``.
        What the node does not write is NaN. Raises Trespass when it wrote beside its memory.
        """
        values = values or {}
        for name, count in (messages or {}).items():
            self.field(name)[:] += count
        modes, inputs = "", []
        for name in forms.signal_inlets(self.spec):
            mode, port = self._input(name, values, frames)
            modes += mode
            if port is not None:
                inputs.append(port)
        kernel = forms.kernel(self.spec, modes, self.lanes)
        named = self._outputs(frames, values)
        outputs = [port for _, port in named]
        counts = np.array(blocks(frames, split), np.int64)
        starts = np.cumsum(counts) - counts
        ins, kept_ins = _tables(inputs, starts)
        outs, kept_outs = _tables(outputs, starts)
        call = CALL(address(run_blocks))
        began = time.perf_counter()
        call(
            kernel, self.state.address, ins.ctypes.data, ins.strides[0], outs.ctypes.data, outs.strides[0],
            counts.ctypes.data, len(counts),
        )  # fmt: skip
        self.took_s = time.perf_counter() - began
        del kept_ins, kept_outs  # the kernel read them until here
        for guarded in (self.state, *self.arrays.values(), *(port for port, _ in (*inputs, *outputs))):
            guarded.check()
        return {
            name: buffer.array.copy() if wide else np.ascontiguousarray(buffer.array.T)
            for name, (buffer, wide) in named
        }

    def _input(self, name: str, values: Mapping[str, Any], frames: int) -> tuple[str, Port | None]:
        port = self.spec.inlet_named[name]
        given = values.get(name)
        if isinstance(port, Control) and (given is None or np.ndim(given) == 0 or np.shape(given) == (self.lanes,)):
            self.field(name)[:] = port.default if given is None else given
            return forms.STILL, None
        wide = self.wide and not isinstance(port, Control)
        rows = np.atleast_2d(np.asarray(np.zeros((self.lanes, frames)) if given is None else given, np.float32))
        if wide:
            return forms.MOVING, (self._guarded(f"inlet '{name}'", rows), True)
        mode = forms.SHARED if len(rows) == 1 < self.lanes else forms.MOVING
        return mode, (self._guarded(f"inlet '{name}'", np.ascontiguousarray(rows.T)), False)

    def _outputs(self, frames: int, values: Mapping[str, Any]) -> list[tuple[str, Port]]:
        found = []
        fill = np.float32(np.nan)  # what is not written is seen
        if self.spec.role is Role.KERNEL:
            listed = forms.outputs(self.spec)
            widths = {name: sum(other == name for other, _ in listed) for name, _ in listed}
            for name, channel in listed:
                label = f"{name}.{channel}" if widths[name] > 1 else name
                found.append(
                    (label, (self._guarded(f"outlet '{label}'", np.full((frames, self.lanes), fill)), False))
                )  # fmt: skip
            return found
        for item in self.spec.outlets:
            wide = self.wide and item.kind is CableKind.SIGNAL
            shape = (self._channels(item, values), frames) if wide else (frames, 1)
            found.append((item.name, (self._guarded(f"outlet '{item.name}'", np.full(shape, fill)), wide)))
        return found

    def _channels(self, item: Outlet, values: Mapping[str, Any]) -> int:
        if isinstance(item.channels, int):
            return item.channels
        if isinstance(item.channels, str):
            return (
                len(self.arrays[item.channels].array)
                if item.channels in self.arrays
                else int(self.settings[item.channels])
            )
        widths = [np.shape(value)[0] for value in values.values() if np.ndim(value) == 2]
        return max(widths, default=1)


def _tables(ports: Sequence[Port], starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[Any]]:
    """What a kernel is given in each block: the address of each port, one row a block; and what must live meanwhile.

    A port whose channels are all seen is a table of its own: their number, then the address of each.
    """
    table = np.zeros((len(starts), max(1, len(ports))), np.int64)
    keep: list[Any] = []
    for number, (buffer, wide) in enumerate(ports):
        if not wide:
            table[:, number] = buffer.address + starts * buffer.array.strides[0]
            continue
        channels = len(buffer.array)
        rows = np.empty((len(starts), 1 + channels), np.int64)
        rows[:, 0] = channels
        rows[:, 1:] = buffer.address + np.arange(channels) * buffer.array.strides[0] + 4 * starts[:, None]
        keep.append(rows)
        table[:, number] = rows.ctypes.data + np.arange(len(starts)) * rows.strides[0]
    return table, keep


def run_blocks(kernel, state, ins, ins_row, outs, outs_row, counts, many):  # type: ignore[no-untyped-def]
    """Run a kernel block by block, as machine code: a row of either table and a count for each."""
    for number in range(many):
        run_kernel(kernel, state, ins + number * ins_row, outs + number * outs_row, load_i64(counts, 8 * number))


def blocks(frames: int, split: Sequence[int] | None) -> list[int]:
    """Block lengths that add up to `frames`."""
    turn = list(split) if split else [frames]
    whole = turn * (frames // sum(turn)) if frames else []
    left = frames - sum(whole)
    for count in turn:
        if left > 0:
            whole.append(min(count, left))
            left -= count
    return whole


def play(spec: NodeSpec, frames: int, values: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Floats]:
    """A fresh unit's sound. `options`: rate, lanes, settings, pattern, split, messages."""
    made = {name: options[name] for name in ("lanes", "settings", "pattern") if name in options}
    unit = Unit(spec, options.get("rate", 48_000), **made)
    return unit.run(frames, values, options.get("split"), options.get("messages"))
