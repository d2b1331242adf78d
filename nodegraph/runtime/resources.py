"""What nodes own beyond one schedule: delay lines, tables, sounds, and the rings that carry sound out of the engine."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core.cable import Cable
from nodegraph.core.declare import InferenceNode
from nodegraph.core.errors import NodegraphError
from nodegraph.core.ownfiles import carried_on
from nodegraph.core.spec import NodeSpec
from nodegraph.core.streams import StreamNode
from nodegraph.core.view import NodeEntry
from nodegraph.runtime.carrying import fit, written_arrays
from nodegraph.runtime.compile.memory import touched
from nodegraph.runtime.lane.ring import Ring, ring_frames
from nodegraph.runtime.lane.streams import stream_ring
from nodegraph.runtime.renaming import Names, moved

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]
RING_SECONDS = 8.0
"""How long Python may be held up before a tap loses sound."""
LEAST_SECONDS = 2.5
"""The same for a tap of so many channels that its ring would be larger than `RING_BYTES`."""
RING_BYTES = 32 << 20
_DTYPES = {"f32": np.float32, "f64": np.float64, "u32": np.uint32, "i64": np.int64}


class MemoryRing:
    """A ring in this process's memory, of the same shape as the shared one of a lane.

    Sample k of channel c lies in plane c at ``k mod size``; word 0 of the header holds the frame up to which there is
    sound.
    """

    def __init__(self, channels: int, size: int) -> None:
        self.channels = channels
        self.size = size
        self.header = np.zeros(8, np.int64)
        self.data = touched(np.zeros((channels, size), np.float32))
        self.header_address = self.header.ctypes.data
        self.data_address = self.data.ctypes.data

    @property
    def written(self) -> int:
        """The frame up to which there is sound."""
        return int(self.header[0])

    def read(self, start: int, count: int) -> np.ndarray[Any, Any]:
        """Frames `start` to ``start + count``, float32 ``(channels, count)``."""
        at = np.arange(start, start + count) & (self.size - 1)
        return self.data[:, at]

    def close(self) -> None:
        """Nothing: the memory goes with the object."""


def tap_frames(channels: int, rate: int) -> int:
    """Frames of the ring between a tap and the sound: a power of two."""
    frames = 1 << math.ceil(math.log2(RING_SECONDS * rate))
    while 4 * channels * frames > RING_BYTES and frames // 2 >= LEAST_SECONDS * rate:
        frames //= 2
    return frames


class Resources:
    """The arrays and rings of the nodes of one engine."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.resolve: Callable[[str], Path] = Path
        self.rings: dict[str, Any] = {}
        self.streams: dict[str, Ring] = {}
        self._leaving: list[Any] = []
        self._arrays: dict[tuple[str, int], tuple[Any, Arrays]] = {}
        self._lines: dict[tuple[Cable, int, str], Array] = {}

    def arrays(self, entry: NodeEntry, channel: int, factor: int = 1) -> Arrays:
        """A node's arrays, made when it is first met or when its settings have changed.

        `factor`: how many times the engine's rate it runs at. Raises MediaError when a file cannot be read.
        """
        key = (entry.id, channel)
        rate = self.rate * factor
        made_of = (entry.kind, entry.spec and entry.spec.cls, rate, repr(sorted(self.settings(entry).items())))
        found = self._arrays.get(key)
        if found is None or found[0] != made_of:
            found = self._arrays[key] = (made_of, self._arranged(entry, rate))
        return found[1]

    def goes_on(self, was: NodeEntry, entry: NodeEntry, factor: int) -> bool:
        """Whether a node is another version of one of the user's own, and all that it remembers can be carried over."""
        spec = entry.spec
        if spec is None or not carried_on(was.spec, spec):
            return False
        found = self._arrays.get((entry.id, 0))
        written = written_arrays(spec)
        if found is None or not written:
            return not written
        arrays = self._arranged(entry, self.rate * factor)
        return fit(found[1], arrays, written)

    def line(self, cable: Cable, channel: int, what: str, size: int) -> Array:
        """What the engine itself keeps along a cable (a delay, a filter's past): float32, zeroed when it is made."""
        found = self._lines.get((cable, channel, what))
        if found is None:
            found = self._lines[cable, channel, what] = touched(np.zeros(size, np.float32))
        return found

    def leave(self, names: Mapping[str, str], changed: Container[str]) -> None:
        """Nodes leave under other ids (`names`) and take what they own along; `changed` ones come anew under theirs."""
        for (id, channel), found in list(self._arrays.items()):
            if id in names:
                self._arrays[names[id], channel] = found
                if id in changed:
                    del self._arrays[id, channel]
        for (cable, channel, what), line in list(self._lines.items()):
            source, target = names.get(cable[0]), names.get(cable[2])
            if source is None and target is None:
                continue
            self._lines[moved(cable, names), channel, what] = line
            if cable[0] in changed or cable[2] in changed:
                del self._lines[cable, channel, what]

    def rename(self, names: Names) -> None:
        """Nodes have other ids from now on."""
        self._arrays = {(names.get(id, id), channel): made for (id, channel), made in self._arrays.items()}
        self._lines = {
            (moved(cable, names), channel, what): line for (cable, channel, what), line in self._lines.items()
        }  # fmt: skip
        self.rings = {names.get(id, id): ring for id, ring in self.rings.items()}
        self.streams = {names.get(id, id): ring for id, ring in self.streams.items()}

    def settings(self, entry: NodeEntry) -> dict[str, Any]:
        """A node's settings; files as paths."""
        assert entry.spec is not None
        found = {}
        for item in entry.spec.settings:
            value = entry.value(item.name)
            if item.type == "file" and value:
                value = self.resolve(value)
            found[item.name] = value
        return found

    def _arranged(self, entry: NodeEntry, rate: int) -> Arrays:
        spec = entry.spec
        assert spec is not None
        arrays: Arrays = {}
        arrange = getattr(spec.cls, "arrange", None)
        if arrange is not None:
            known = {**self.settings(entry), "rate": rate}
            try:
                arrays = arrange(**{name: known[name] for name in inspect.signature(arrange).parameters})
            except NodegraphError as error:
                files = [item.name for item in spec.settings if item.type == "file"]
                port = files[0] if len(files) == 1 else None
                raise type(error)([replace(item, node=entry.id, port=port) for item in error.problems]) from error
        for memory in spec.memories:
            if memory.array:
                made = arrays.get(memory.name)
                if made is None:
                    made = np.zeros(memory.size or 1)
                arrays[memory.name] = touched(np.ascontiguousarray(made, _DTYPES[memory.element]))
        return arrays

    def ring(self, node: str, spec: NodeSpec, channels: int) -> Any:
        """The ring that carries this node's sound: shared memory for a listener, else this process's own."""
        found = self.rings.get(node)
        if found is None or found.channels != channels:
            if issubclass(spec.cls, InferenceNode):
                found = Ring(channels, ring_frames(spec.cls.hears, self.rate))
            else:
                found = MemoryRing(channels, tap_frames(channels, self.rate))
            if node in self.rings:
                self._leaving.append(self.rings[node])
            self.rings[node] = found
        return found

    def stream(self, node: str, spec: NodeSpec, channels: int) -> Ring:
        """The ring in which a worker lays what this node says."""
        found = self.streams.get(node)
        if found is None or found.channels != channels:
            assert issubclass(spec.cls, StreamNode)
            if found is not None:
                self._leaving.append(found)
            found = self.streams[node] = stream_ring(channels, spec.cls, self.rate)
        return found

    def forget(self, keep: set[str]) -> None:
        """Give up what nodes outside `keep` owned. Rings stay until `release`: the audio thread may still write."""
        self._arrays = {key: value for key, value in self._arrays.items() if key[0] in keep}
        self._lines = {
            key: line for key, line in self._lines.items() if key[0].from_node in keep and key[0].to_node in keep
        }  # fmt: skip
        for rings in (self.rings, self.streams):
            for node in [node for node in rings if node not in keep]:
                self._leaving.append(rings.pop(node))

    def release(self) -> None:
        """Close the rings that were given up. Call it when no schedule that writes to them is left."""
        while self._leaving:
            self._leaving.pop().close()

    def close(self) -> None:
        """Let go of everything."""
        self.forget(set())
        self.release()
