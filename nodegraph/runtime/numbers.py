"""The numbers under which the audio thread knows controls, message inlets and the outlets that send.

A number whose node has gone is given again, but only when nothing under its old meaning can be on its way any more:
the audio thread has left the schedules of that time and has read every event that was written until then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from nodegraph.core.spec import NodeSpec
from nodegraph.core.view import NodeEntry
from nodegraph.runtime.compile.held import HELD, held_parts
from nodegraph.runtime.compile.templates import slot_numbers
from nodegraph.runtime.renaming import Names, held


@dataclass(frozen=True, slots=True)
class Leaving:
    """Numbers that wait to be free: how many from which on, and what must have happened before."""

    first: int
    count: int
    epoch: int
    written: int


class Numbers:
    """Numbers in use, those that wait to be free, and those that are."""

    def __init__(self) -> None:
        self._slots: dict[tuple[str, NodeSpec], int] = {}
        self._slots_free = _Free()
        self._sources: dict[tuple[str, str], int] = {}
        self._sources_free = _Free()
        self._source_names: list[tuple[str, str]] = []

    def slots(self, node: str, spec: NodeSpec) -> int:
        """The first of the numbers under which schedules know a node's controls and message inlets."""
        found = self._slots.get((node, spec))
        if found is None:
            found = self._slots[node, spec] = self._slots_free.take(len(slot_numbers(spec)))
        return found

    def source(self, node: str, outlet: str) -> int:
        """The number of an outlet that sends."""
        found = self._sources.get((node, outlet))
        if found is None:
            found = self._sources[node, outlet] = self._sources_free.take(1)
            if found == len(self._source_names):
                self._source_names.append((node, outlet))
            else:
                self._source_names[found] = (node, outlet)
        return found

    def source_name(self, number: int) -> tuple[str, str]:
        """The node and the outlet that a number means."""
        return self._source_names[number]

    def __len__(self) -> int:
        """How many numbers were ever given."""
        return self._slots_free.given + self._sources_free.given

    def keep(self, nodes: Mapping[str, NodeEntry], epoch: int, written: int) -> None:
        """Give up the numbers of what is not in this graph, once the audio thread has seen `epoch` and `written`."""
        for node, spec in [key for key in self._slots if not _is_there(*key, nodes)]:
            first = self._slots.pop((node, spec))
            self._slots_free.leave(Leaving(first, len(slot_numbers(spec)), epoch, written))
        for source in [source for source in self._sources if source[0] not in nodes]:
            self._sources_free.leave(Leaving(self._sources.pop(source), 1, epoch, written))

    def release(self, epoch: int, read: int) -> None:
        """The audio thread plays `epoch` and has read `read` events; what it has sent was looked at."""
        self._slots_free.release(epoch, read)
        self._sources_free.release(epoch, read)

    def rename(self, names: Names) -> None:
        """Nodes have other ids from now on."""
        self._slots = {(held(node, names), spec): number for (node, spec), number in self._slots.items()}
        self._source_names = [(names.get(node, node), outlet) for node, outlet in self._source_names]
        self._sources = {(names.get(node, node), outlet): number for (node, outlet), number in self._sources.items()}


class _Free:
    """Runs of numbers, by length."""

    def __init__(self) -> None:
        self.given = 0
        self._ready: dict[int, list[int]] = {}
        self._leaving: deque[Leaving] = deque()

    def take(self, count: int) -> int:
        ready = self._ready.get(count)
        if ready:
            return ready.pop()
        self.given += count
        return self.given - count

    def leave(self, run: Leaving) -> None:
        self._leaving.append(run)

    def release(self, epoch: int, read: int) -> None:
        while self._leaving and self._leaving[0].epoch <= epoch and self._leaving[0].written <= read:
            run = self._leaving.popleft()
            self._ready.setdefault(run.count, []).append(run.first)


def _is_there(node: str, spec: NodeSpec, nodes: Mapping[str, NodeEntry]) -> bool:
    if spec is HELD:
        return held_parts(node)[0] in nodes
    entry = nodes.get(node)
    return entry is not None and (entry.spec is spec or entry.spec is None)
