"""The lanes of one engine: a worker for what must answer soon, and one for what takes its time.

A worker answers one node after another, and a model cannot be interrupted: beside a tagger that thinks for a second,
a denoiser that has ten milliseconds would be late for ever. So nodes that hear small pieces of sound have a worker of
their own, on one thread. A worker is started when the first node for it comes.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from nodegraph.core.errors import Problem, WorkerError
from nodegraph.core.listening import Chunks, Workers
from nodegraph.core.spec import NodeSpec
from nodegraph.runtime.lane.answers import Answer
from nodegraph.runtime.lane.lane import Lane, Progress
from nodegraph.runtime.lane.ring import Ring
from nodegraph.runtime.lane.status import NodeStatus

SOON_S: Final = 0.25
"""Who hears pieces of sound that are shorter has little time."""
MOST_THREADS: Final = 4
"""Of a worker, unless the user wants more: networks of this size gain little from a fifth."""

_groups = itertools.count(1)


def in_haste(hears: Any) -> bool:
    """Whether a node that hears so belongs to those which must answer soon."""
    return isinstance(hears, Chunks) and hears.seconds < SOON_S


def threads_for(hasty: bool, wanted: int | None) -> int:
    """How many threads a worker's models get: all processors but the one of the sound, or as many as the user wants."""
    if hasty:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(MOST_THREADS, cores - 1)) if wanted is None else wanted


class Lanes:
    """Both lanes as one. Arguments and methods are those of `Lane`; ``workers`` says how models are run."""

    def __init__(
        self, rate: int, resolve: Callable[[str], Mapping[str, Path]], workers: Workers, modules: Sequence[str] = ()
    ) -> None:
        self._rate, self._resolve, self._workers, self._modules = rate, resolve, workers, modules
        self._news = threading.Condition()  # of both, so that one can wait for either
        self._lanes: dict[bool, Lane] = {}
        self._of: dict[str, Lane] = {}
        self._group = f"{os.getpid()}.{next(_groups)}"

    def add(
        self, node_id: str, spec: NodeSpec, hears: Any, settings: Mapping[str, Any], controls: Mapping[str, float],
        ring: Ring, *, start_frame: int = 0, stream: Ring | None = None,
    ) -> None:  # fmt: skip
        """Take a node in, by what it `hears`. Its model is found, loaded and warmed up in the background."""
        lane = self._lane(in_haste(hears))
        lane.add(node_id, spec, settings, controls, ring, start_frame=start_frame, stream=stream)
        self._of[node_id] = lane

    def _lane(self, hasty: bool) -> Lane:
        lane = self._lanes.get(hasty)
        if lane is None:
            lane = self._lanes[hasty] = Lane(
                self._rate, self._resolve, self._workers.on, threads_for(hasty, self._workers.threads),
                memory_mb=self._workers.memory_mb, modules=self._modules, news=self._news, group=self._group,
            )  # fmt: skip
            lane.start()
        return lane

    def remove(self, node_id: str) -> None:
        """Let a node go. Nothing happens when it is not here."""
        lane = self._of.pop(node_id, None)
        if lane is not None:
            lane.remove(node_id)

    def rename(self, names: Mapping[str, str]) -> None:
        """Nodes have other ids from now on."""
        self._of = {names.get(id, id): lane for id, lane in self._of.items()}
        for lane in self._lanes.values():
            lane.rename(names)

    def request(self, node_id: str, number: int, end_frame: int, controls: Mapping[str, float], **more: Any) -> None:
        """Ask for an answer. Raises WorkerError when the node is not here."""
        lane = self._of.get(node_id)
        if lane is None:
            raise WorkerError(Problem("unknown-node", "it is in no lane.", "Add it first.", node=node_id))
        lane.request(node_id, number, end_frame, controls, **more)

    def poll(self) -> list[Answer]:
        """The answers that came since the last call."""
        return [answer for lane in self._lanes.values() for answer in lane.poll()]

    def wait(self, timeout: float) -> bool:
        """Wait for an answer, or for a node's state to change."""
        lanes = list(self._lanes.values())
        with self._news:
            happened = self._news.wait_for(lambda: any(lane.has_news() for lane in lanes), timeout)
            for lane in lanes:
                lane.look()
        return bool(happened)

    def wait_ready(self, timeout: float, progress: Progress | None = None) -> bool:
        """Wait until every node is ready, has failed, or was unloaded for want of memory."""
        end = time.monotonic() + timeout
        return all(lane.wait_ready(max(0.0, end - time.monotonic()), progress) for lane in self._lanes.values())

    def miss(self, node_id: str) -> None:
        """Count an answer that came too late to be used."""
        if node_id in self._of:
            self._of[node_id].miss(node_id)

    def status(self) -> dict[str, NodeStatus]:
        """How every node is."""
        return {node: status for lane in self._lanes.values() for node, status in lane.status().items()}

    def workers_status(self) -> list[dict[str, Any]]:
        """How each worker is: which nodes it serves, its process, its threads, what it holds in memory, how often it
        was started again, and on what its models run. Plain data."""
        return [
            {
                "lane": "soon" if hasty else "steady", "nodes": list(lane.status()), "pid": lane.pid,
                "threads": threads_for(hasty, self._workers.threads), "restarts": lane.restarts,
                "memory_mb": round(lane.resident_bytes / 1e6, 1), "on": lane.runs_on,
            }
            for hasty, lane in sorted(self._lanes.items(), reverse=True)
        ]  # fmt: skip

    def close(self) -> None:
        """End the workers."""
        for lane in self._lanes.values():
            lane.close()

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that there are."""
        return [pid for lane in self._lanes.values() if (pid := lane.pid) is not None]

    @property
    def held(self) -> str:
        """What models may do in the workers, and what not."""
        return next((lane.held for lane in self._lanes.values() if lane.held), "")

    @property
    def runs_on(self) -> str:
        """What models run on in the workers, and why."""
        return next((lane.runs_on for lane in self._lanes.values() if lane.runs_on), "")

    @property
    def resident_bytes(self) -> int:
        """What the workers hold in memory."""
        return sum(lane.resident_bytes for lane in self._lanes.values())
