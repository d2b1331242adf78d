"""What operations cost, in nanoseconds a block of 64 frames: measured once on this machine, kept beside the code.

A kernel is run on a copy of a node's state, over noise. What it costs with settings that native code sees, and with
arrays of these sizes, is kept in a file of its own in the kernel cache. What is no node is estimated by its size.
"""

from __future__ import annotations

import ctypes
import hashlib
import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from nodegraph.core.ports import Control
from nodegraph.runtime.compile.operations import Operation
from nodegraph.runtime.compile.templates import Template
from nodegraph.runtime.kernels.forms import LANES, STILL, signal_inlets
from nodegraph.runtime.kernels.jit import cache_folder, jit, keep
from nodegraph.runtime.kernels.values import SIZES
from nodegraph.runtime.native import edges, gauges, halfband, timing
from nodegraph.runtime.native.compiled import address

FRAMES: Final = 64
SAMPLE_NS: Final = 6.0
"""What each operation of an island costs a sample besides its share of a block."""
LEAST_NS: Final = 4.0
UNKNOWN_NS: Final = 500.0
MOST_COPIED: Final = 1 << 22
_ROUNDS: Final = 3
_ROUND_NS: Final = 60_000
_LEAST_TIMES: Final = 32
"""Blocks of one measurement at least: some kernels work only now and then, a spectrum once a hop."""

_ESTIMATES: Final = {
    # per operation, and per signal that it reads
    edges.mix_two: (10.0, 0.0), edges.mix: (10.0, 12.0), edges.mix_two_wide: (120.0, 0.0),
    edges.mix_wide: (60.0, 120.0), edges.mix_lanes: (150.0, 80.0), edges.add_lanes: (60.0, 80.0),
    edges.mask_lanes: (100.0, 0.0), edges.pack: (500.0, 0.0), edges.unpack: (40.0, 0.0),
    edges.device_input: (12.0, 0.0), edges.scale: (10.0, 0.0), edges.fade: (150.0, 0.0), edges.wait: (25.0, 0.0),
    edges.tap: (20.0, 15.0), edges.event_tap: (60.0, 0.0), halfband.double: (400.0, 0.0), halfband.halve: (400.0, 0.0),
    gauges.gauge: (12.0, 0.0), gauges.gauge_lanes: (60.0, 0.0),
}  # fmt: skip

_known: dict[Any, float] = {}


@cache
def _estimates() -> dict[int, tuple[float, float]]:
    return {address(function): cost for function, cost in _ESTIMATES.items()}


def cost(one: Operation) -> float:
    """What an operation costs."""
    about = one.about
    if about is None:
        first, each = _estimates().get(one.function, (UNKNOWN_NS, 0.0))
        return (first + each * len(one.ins)) * one.factor
    if isinstance(about, list):
        inside: list[Operation] = about
        return one.factor * sum((FRAMES * SAMPLE_NS + cost(inner) / inner.factor for inner in inside), 4.0 * FRAMES)
    form, state = about
    return _form_cost(form, state, one) * one.factor


def _form_cost(form: Template, state: int, one: Operation) -> float:
    about = form.about
    plain = not about.arrays and not form.constants and not any(isinstance(item, list) for item in one.ins)
    # plain forms, which are most, are looked up without looking at the state
    key: Any = form if plain else (form, _particulars(form, state, one))
    found = _known.get(key)
    if found is None:
        found = _known[key] = _kept(form, state, one, b"" if plain else key[1])
    return found


def _particulars(form: Template, state: int, one: Operation) -> bytes:
    """What one operation of a form may have other than the next, and costs accordingly."""
    about = form.about
    parts = [str([len(item) if isinstance(item, list) else 1 for item in (*one.ins, *one.outs)]).encode()]
    parts += [ctypes.string_at(state + about.offsets[setting.name], 4) for setting, _ in form.constants]
    parts += [ctypes.string_at(state + offset + 8, 16) for offset in about.arrays.values()]
    return b"\0".join(parts)


def _kept(form: Template, state: int, one: Operation, particulars: bytes) -> float:
    key = jit().keys.get(form.function)
    digest = hashlib.sha256(particulars).hexdigest()[:16] if particulars else "plain"
    name = f"{key}-{digest}.cost"
    if key is not None:
        try:
            found = float((cache_folder() / name).read_text(encoding="ascii"))
            if 0.0 < found < 1e9:
                return found
        except (OSError, ValueError):
            pass
    measured = max(LEAST_NS, measure(form, state, one))
    if key is not None:
        keep(name, f"{measured:.1f}\n".encode())
    return measured


def measure(form: Template, state: int, one: Operation) -> float:
    """Nanoseconds a block."""
    bench = _Bench()
    ins: list[int] = []
    given = iter(one.ins)
    for name, mode in zip(signal_inlets(form.spec), form.modes, strict=True):
        if mode != STILL:
            inlet = form.spec.inlet_named[name]
            level = inlet.default if isinstance(inlet, Control) else None
            item = next(given)
            ins.append(bench.row(len(item), level) if isinstance(item, list) else bench.signal(level))
    outs = [bench.row(len(item), 0.0) if isinstance(item, list) else bench.signal(0.0) for item in one.outs]
    arguments = (form.function, bench.state(form, state), bench.table(ins), bench.table(outs), FRAMES)
    run = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 6)(address(timing.repeat))
    run(*arguments, 2)
    began = time.perf_counter_ns()
    run(*arguments, 4)
    times = min(max(4 * _ROUND_NS // max(time.perf_counter_ns() - began, 1), _LEAST_TIMES), 2_000)
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.perf_counter_ns()
        run(*arguments, times)
        best = min(best, (time.perf_counter_ns() - began) / times)
    return best


class _Bench:
    """Memory for one measurement, kept until it is over."""

    def __init__(self) -> None:
        self._kept: list[Any] = []
        self._random = np.random.default_rng(1)

    def _place(self, array: np.ndarray[Any, Any]) -> int:
        self._kept.append(array)
        return int(array.ctypes.data)

    def _aligned(self, size: int) -> np.ndarray[Any, Any]:
        raw = np.zeros(size + 64, np.uint8)
        self._kept.append(raw)
        skip = -raw.ctypes.data % 64
        return raw[skip : skip + size]

    def signal(self, level: float | None) -> int:
        """A block, sixteen lanes wide: of one level, or of noise."""
        block = self._aligned(4 * FRAMES * LANES).view(np.float32)
        block[:] = self._random.uniform(-0.1, 0.1, len(block)) if level is None else level
        return self._place(block)

    def row(self, count: int, level: float | None) -> int:
        """Channels of a node that sees all at once."""
        return self.table([count, *(self.signal(level) for _ in range(count))])

    def table(self, words: Sequence[int]) -> int:
        return self._place(np.array([*words, 0], np.int64))

    def state(self, form: Template, state: int) -> int:
        """A copy of a state that does not play yet, with arrays of its own."""
        about = form.about
        copy = self._aligned(about.size)
        copy[:] = np.frombuffer(ctypes.string_at(state, about.size), np.uint8)
        for memory in form.spec.memories:
            if memory.array:
                offset = about.arrays[memory.name]
                words = copy[offset : offset + 24].view(np.int64)
                size = SIZES[memory.element] * int(words[1]) * int(words[2])
                content = ctypes.string_at(int(words[0]), size) if size <= MOST_COPIED else bytes(size)
                words[0] = self._place(np.frombuffer(content, np.uint8).copy())
        return self._place(copy)


def costs(operations: Iterable[Operation]) -> list[float]:
    """What each of these costs."""
    return [cost(one) for one in operations]
