"""The engine: the memory that the audio thread works on, and what may be asked of it from Python.

Python never waits for the audio thread and the audio thread never waits for Python. Commands go through one ring of
events, each with the sample at which it acts; a new schedule is such an event too.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodegraph.core.cable import Cable
from nodegraph.core.spec import NodeSpec
from nodegraph.core.view import GraphView, Store
from nodegraph.runtime.compile.held import HELD, held_name
from nodegraph.runtime.compile.memory import touched
from nodegraph.runtime.compile.order import Order, order_of
from nodegraph.runtime.compile.packing import LEAST
from nodegraph.runtime.compile.plan import Fading, Planned, Planner
from nodegraph.runtime.compile.schedule import Schedule
from nodegraph.runtime.compile.templates import slot_numbers
from nodegraph.runtime.compile.timing import Timing, timing_of
from nodegraph.runtime.compile.units import Plan
from nodegraph.runtime.crew import Crew
from nodegraph.runtime.machine import cycles_per_second, libc, native_render, pointers
from nodegraph.runtime.native import dispatch
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.compiled import address
from nodegraph.runtime.numbers import Numbers
from nodegraph.runtime.probes import Probes
from nodegraph.runtime.renaming import Names
from nodegraph.runtime.resources import Resources

MONOTONIC = 8 if sys.platform == "darwin" else 1
"""The system's number of the clock that `time.monotonic` reads."""
RING = 1 << 15
LONGEST_BLOCK = 8192
NOW = 0
"""As an event's frame: at the next block."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Peak and RMS of one channel since the last look (linear, 1.0 is full scale)."""

    peak: float
    rms: float


@dataclass(frozen=True, slots=True)
class Trigger:
    """A native node's message: its frame, and the outlet that it came from."""

    frame: int
    node: str
    outlet: str
    value: float


Array = np.ndarray[Any, Any]


class Engine:
    """One engine at one rate. `inputs` and `outputs` are the device's channels."""

    def __init__(
        self,
        rate: int,
        inputs: int,
        outputs: int,
        *,
        packing: bool = True,
        least: int = LEAST,
        fade_s: float = 0.005,
        resources: Resources | None = None,
        threads: int = 1,
    ) -> None:
        self.rate = rate
        self.inputs = inputs
        self.outputs = outputs
        self.packing = packing
        self.least = least
        self.fade_frames = max(1, round(fade_s * rate))
        self.resources = resources or Resources(rate)
        self.numbers = Numbers()
        self._heard_epoch = 0
        self._waiting: deque[tuple[int, int, int, float | int]] = deque()
        self.gathered: list[tuple[int, int, int, float | int]] | None = None
        """Instead of the audio thread this gets what is pushed, while it is a list."""
        self._planned: dict[str, Planned] = {}
        self._studies: deque[tuple[Store, Order, Timing]] = deque(maxlen=4)
        self._retired: deque[tuple[int, Schedule]] = deque()
        self._epoch = 0
        self._metered = 0
        self._loaded = 0, 0
        self.schedule: Schedule | None = None
        self._memory()
        self.probes = Probes(self.words)
        self.threads = threads
        self.crew = Crew(threads - 1) if threads > 1 else None
        if self.crew is not None:
            self.words[w.CREW] = self.crew.address

    def _memory(self) -> None:
        raw = np.zeros(w.ENGINE_WORDS + 8, np.int64)
        skip = (-raw.ctypes.data % 64) // 8
        self._raw = raw
        self.words = raw[skip : skip + w.ENGINE_WORDS]
        self.address = self.words.ctypes.data
        self._ring = np.zeros((RING, w.EVENT_WORDS), np.int64)
        self._ring_values = self._ring.view(np.float64)
        channels = self.inputs + self.outputs
        self._meters = np.zeros((max(1, channels), 2), np.float32)
        self.in_buffers = touched(np.zeros((max(1, self.inputs), LONGEST_BLOCK), np.float32))
        self.out_buffers = touched(np.zeros((max(1, self.outputs), LONGEST_BLOCK), np.float32))
        self.in_pointers = pointers(self.in_buffers)
        self.out_pointers = pointers(self.out_buffers)
        self._empty = np.zeros(w.SCHEDULE_WORDS, np.int64)
        self._empty[w.LONGEST] = LONGEST_BLOCK
        self._event_header = np.zeros(24, np.int64)
        self._events = touched(np.zeros((RING, 3), np.int64))
        self._event_values = self._events.view(np.float64)
        words, floats = self.words, self.words.view(np.float32)
        words[w.SCHEDULE] = self._empty.ctypes.data
        words[w.RING] = self._ring.ctypes.data
        words[w.RING_MASK] = RING - 1
        words[w.RAMP_FUNCTION] = address(dispatch.ramp_kernel)
        words[w.SLEEP] = libc("usleep")
        words[w.CLOCK] = libc("clock_gettime")
        words[w.CLOCK_ID] = MONOTONIC
        words[w.IN_CHANNELS] = self.inputs
        words[w.OUT_CHANNELS] = self.outputs
        words[w.METERS] = self._meters.ctypes.data
        words[w.SCRATCH_FRAMES] = LONGEST_BLOCK
        words[w.IN_POINTERS] = self.in_pointers.ctypes.data
        words[w.OUT_POINTERS] = self.out_pointers.ctypes.data
        floats[2 * w.GAIN] = 1.0
        floats[2 * w.MASTER] = 1.0
        floats[2 * w.MASTER_STEP] = 1.0 / (0.02 * self.rate)
        floats[2 * w.RELEASE] = 1.0 - np.exp(-1.0 / (0.1 * self.rate))

    # -- schedules

    def order(self, view: GraphView) -> Order:
        """The order in which a graph's nodes run, and the cables that lead back."""
        return self._studied(view)[0]

    def timing(self, view: GraphView) -> Timing:
        """How late every node of a graph is, and what must wait for it."""
        return self._studied(view)[1]

    def _studied(self, view: GraphView) -> tuple[Order, Timing]:
        """Order and timing of a graph. The last few are remembered: a graph that was asked about must not change."""
        for store, order, timing in self._studies:
            if store is view._store:
                return order, timing
        order = order_of(view)
        timing = timing_of(view, order, self.rate, view._store.factors)
        self._studies.append((view._store, order, timing))
        return order, timing

    def plan(
        self,
        view: GraphView,
        fading: Fading | None = None,
        *,
        order: Order | None = None,
        waits: Mapping[Cable, int] | None = None,
    ) -> Plan:
        """Expand a graph. `order` and `waits` are its own unless they are given.

        Raises PatchError (too many channels, a loop through several rates) and MediaError.
        """
        order = self.order(view) if order is None else order
        waits = self.timing(view).waits if waits is None else waits
        planner = Planner(view, order, waits, self.resources.arrays, fading, self.fade_frames, self._planned)
        return planner.make()

    def compile(self, view: GraphView, plan: Plan) -> Schedule:
        """Compile a plan for this engine. Raises KernelError."""
        return Schedule(
            view,
            plan,
            rate=self.rate,
            engine=self.address,
            arrays=self.resources.arrays,
            line=self.resources.line,
            slots=self.numbers.slots,
            ring=self.resources.ring,
            stream=self.resources.stream,
            event_ring=(self._event_header.ctypes.data, self._events.ctypes.data, RING),
            source=self.numbers.source,
            packing=self.packing,
            least=self.least,
            threads=self.threads,
            watched=self.probes.watched,
        )

    def install(
        self,
        schedule: Schedule,
        frame: int = NOW,
        *,
        changed: frozenset[str] = frozenset(),
        origin: Mapping[str, str] | None = None,
    ) -> int:
        """Play `schedule` from `frame` on; gives its epoch.

        Nodes keep their state, but for `changed` ones; `origin` names the node whose state another one takes.
        """
        if self.schedule is not None:
            schedule.take_over(self.schedule, changed, origin)
            self._retired.append((self._epoch + 1, self.schedule))
        self._epoch += 1
        self.schedule = schedule
        self.probes.follow(schedule.gauges, self._epoch)
        self.push(frame, 0, w.SWAP, schedule.address)
        return self._epoch

    def rename(self, names: Names) -> None:
        """Nodes have other ids from now on. Nothing is heard of that."""
        self.numbers.rename(names)
        self.probes.rename(names)
        for id in {*names, *names.values()}:
            self._planned.pop(id, None)
        self._studies.clear()
        self.resources.rename(names)
        if self.schedule is not None:
            self.schedule.rename(names)

    def forget(self, view: GraphView) -> None:
        """Give up what nodes owned that are not in this graph, whose schedule was installed last."""
        self.resources.forget(set(view._store.nodes))
        self.numbers.keep(view._store.nodes, self._epoch, int(self.words[w.WRITE]) + len(self._waiting))
        for id in self._planned.keys() - view._store.nodes.keys():
            del self._planned[id]

    def retire(self) -> None:
        """Let go of the schedules that the audio thread has left."""
        seen = int(self.words[w.EPOCH_SEEN])
        self.numbers.release(self._heard_epoch, int(self.words[w.READ]))
        while self._retired and self._retired[0][0] <= seen:
            self._retired.popleft()
        self.probes.release(seen)
        if not self._retired:
            self.resources.release()
        if self.crew is not None:
            self.crew.follow()

    @property
    def epoch_played(self) -> int:
        """The epoch of the schedule that the last block was played with."""
        return int(self.words[w.EPOCH_SEEN])

    @property
    def epoch_began(self) -> int:
        """The frame at which the schedule that plays began; read it once `epoch_played` says that it plays."""
        return int(self.words[w.SWAPPED])

    # -- events

    def control(self, frame: int, node: str, spec: NodeSpec, port: str, value: float, ramp_frames: int) -> None:
        """Move a control from `frame` on, within `ramp_frames`."""
        self.push(frame, self.slot(node, spec, port), ramp_frames, value)

    def slot(self, node: str, spec: NodeSpec, port: str) -> int:
        """The number under which the audio thread knows a control or a message inlet, as long as its node is there."""
        return self.numbers.slots(node, spec) + slot_numbers(spec)[port]

    def controls(self, frame: int, slots: Array, ramps: Array, values: Array) -> None:
        """Move many controls from `frame` on, by their numbers (`slot`): each within its own ramp, in frames."""
        count, written = len(slots), int(self.words[w.WRITE])
        row = written & (RING - 1)
        room = row + count <= RING and written + count - int(self.words[w.READ]) <= RING
        if self.gathered is not None or self._waiting or not room:
            for slot, ramp, value in zip(slots.tolist(), ramps.tolist(), values.tolist(), strict=True):
                self.push(frame, slot, ramp, value)
            return
        rows = self._ring[row : row + count]
        rows[:, 0], rows[:, 1], rows[:, 2] = frame, slots, ramps
        self._ring_values[row : row + count, 3] = values
        self.words[w.WRITE] = written + count

    def hold(self, frame: int, node: str, outlet: str, channel: int, value: float, ramp_frames: int) -> None:
        """Move what a Python node's signal outlet holds in one channel."""
        self.control(frame, held_name(node, outlet, channel), HELD, "value", value, ramp_frames)

    def message(self, frame: int, node: str, spec: NodeSpec, port: str) -> None:
        """A message for an event inlet of a native node."""
        self.push(frame, self.slot(node, spec, port), w.MESSAGE, 0.0)

    def push(self, frame: int, slot: int, what: int, value: float | int) -> None:
        """An event for the audio thread (`native.words`)."""
        if self.gathered is not None:
            self.gathered.append((frame, slot, what, value))
        elif self._waiting or not self._write(frame, slot, what, value):
            self._waiting.append((frame, slot, what, value))

    def _write(self, frame: int, slot: int, what: int, value: float | int) -> bool:
        written = int(self.words[w.WRITE])
        if written - int(self.words[w.READ]) >= RING:
            return False
        row = written & (RING - 1)
        self._ring[row, 0] = frame
        self._ring[row, 1] = slot
        self._ring[row, 2] = what
        if what == w.SWAP:
            self._ring[row, 3] = value
        else:
            self._ring_values[row, 3] = value
        self.words[w.WRITE] = written + 1
        return True

    def flush(self) -> None:
        """Write the events that the ring had no room for."""
        while self._waiting and self._write(*self._waiting[0]):
            self._waiting.popleft()

    def known(self, handled: int) -> int:
        """Up to which frame the audio thread has all its events, when messages up to `handled` have been handled: some
        may still wait for room in the ring. More than that holds at one frame go on with the next one."""
        return min(handled, max(self._waiting[0][0], self.done + 1)) if self._waiting else handled

    def triggers(self) -> Iterable[Trigger]:
        """What native nodes have sent since the last look."""
        self._heard_epoch = int(self.words[w.EPOCH_SEEN])  # before: of later schedules nothing may have been read
        written, read = int(self._event_header[0]), int(self._event_header[8])
        while read < written:
            row = read & (RING - 1)
            node, outlet = self.numbers.source_name(int(self._events[row, 1]))
            yield Trigger(int(self._events[row, 0]), node, outlet, float(self._event_values[row, 2]))
            read += 1
            self._event_header[8] = read

    # -- playing

    def process(self, ins: np.ndarray[Any, Any] | None, outs: np.ndarray[Any, Any], block: int = LONGEST_BLOCK) -> None:
        """Play blocks of `block` frames, the last as long as is left: float32 ``(channels, frames)``; `outs` is filled.

        Any length; one that is longer than was prepared for is played in pieces.
        """
        frames = outs.shape[1]
        native = native_render()
        block = min(block, LONGEST_BLOCK)
        whole = LONGEST_BLOCK // block * block
        for start in range(0, frames, whole):
            count = min(whole, frames - start)
            if ins is not None and self.inputs:
                self.in_buffers[:, :count] = ins[:, start : start + count]
            native(self.address, self.in_pointers.ctypes.data, self.out_pointers.ctypes.data, count, block)
            outs[:, start : start + count] = self.out_buffers[: outs.shape[0], :count]

    @property
    def done(self) -> int:
        """Frames played."""
        return int(self.words[w.DONE])

    def stamp(self) -> tuple[int, float] | None:
        """The first frame of the device's last block, and when the device asked for it (`time.monotonic`).

        None before the first, and while the audio thread writes the next one.
        """
        words = self.words
        before = int(words[w.STAMPS])
        frame, seconds, nanoseconds = (int(word) for word in words[w.STAMP_FRAME : w.STAMP_TIME + 2])
        if before == 0 or before & 1 or before != int(words[w.STAMPS]):
            return None
        return frame, seconds + 1e-9 * nanoseconds

    def begin_at(self, frame: int) -> None:
        """Count frames from here: this engine goes on where another one stopped. Before it plays."""
        self.words[w.NOW] = self.words[w.DONE] = self.words[w.GRANT] = self._metered = frame
        self._loaded = (0, frame)

    def grant(self, frame: int) -> None:
        """Every event before `frame` is known: who waits (offline, freewheeling) may play that far."""
        if frame > int(self.words[w.GRANT]):
            self.words[w.GRANT] = frame

    @property
    def waiting(self) -> bool:
        """Whether the device waits for the grant instead of for the clock."""
        return bool(self.words[w.WAIT])

    @waiting.setter
    def waiting(self, on: bool) -> None:
        self.words[w.WAIT] = int(on)

    def stop(self) -> None:
        """Fade everything out within 20 ms and stay silent."""
        self.words[w.STOPPING] = 1

    @property
    def silent(self) -> bool:
        """Whether the final fade is over."""
        return bool(self.words.view(np.float32)[2 * w.MASTER] <= 0.0)

    # -- looking

    def meters(self) -> tuple[list[Meter], list[Meter]]:
        """Inputs and outputs since the last look."""
        frames = max(1, self.done - self._metered)
        self._metered = self.done
        found = [Meter(float(peak), float(np.sqrt(power / frames))) for peak, power in self._meters]
        self._meters[:] = 0.0
        return found[: self.inputs], found[self.inputs : self.inputs + self.outputs]

    def counters(self) -> dict[str, int]:
        """Late events, xruns, callbacks, segments with NaN, segments that the safety limiter held."""
        return {
            "late": int(self.words[w.LATE]), "xruns": int(self.words[w.XRUNS]),
            "callbacks": int(self.words[w.CALLBACKS]), "bad": int(self.words[w.BAD]),
            "limited": int(self.words[w.LIMITED]), "lost": int(self._event_header[16]),
        }  # fmt: skip

    def load(self) -> float:
        """The share of one core's time that the callback took since the last look (1.0: all of it)."""
        busy, done = int(self.words[w.BUSY]), self.done
        before, self._loaded = self._loaded, (busy, done)
        frames = done - before[1]
        return (busy - before[0]) / cycles_per_second() / (frames / self.rate) if frames else 0.0

    def sharing(self) -> dict[str, int]:
        """How many threads play at most, into how many tasks the schedule is cut for them (0: one thread plays it), and
        how often the audio thread has waited too long for another."""
        tasks = self.schedule.tasks if self.schedule is not None else None
        return {
            "threads": self.threads, "tasks": len(tasks.spans) if tasks is not None else 0,
            "held_up": self.crew.held_up if self.crew is not None else 0,
        }  # fmt: skip

    def close(self) -> None:
        """End the threads that help the audio thread. It may still play, by itself."""
        if self.crew is not None:
            self.crew.close()

    def blamed(self) -> str | None:
        """The node that made NaN or Inf, once."""
        number = int(self.words[w.BLAMED])
        if not number or self.schedule is None:
            return None
        lane = int(self.words[w.BLAMED_LANE])
        self.words[w.BLAMED] = 0
        names = self.schedule.operations[number - 1].names if number <= len(self.schedule.operations) else ()
        return names[lane % len(names)] if names else None
