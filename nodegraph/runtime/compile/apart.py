"""A schedule's memory and tables for several threads: what runs at the same time shares nothing that is written to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from nodegraph.runtime.compile.memory import Arena, Buffers
from nodegraph.runtime.compile.operations import Operation
from nodegraph.runtime.compile.tasks import Tasks, flat
from nodegraph.runtime.native import words as w

LOOKED_THROUGH: Final = 16
"""Free buffers that are looked at before a new one is made."""


class ApartBuffers(Buffers):
    """Buffers of operations that may run at the same time."""

    def scratch(self, lanes: int, which: int = 0) -> int:
        """Memory for one operation alone."""
        return self.arena.take(4 * self.frames * max(lanes, 1))

    def assign_apart(self, operations: list[Operation], last: list[int], tasks: Tasks) -> None:
        """As `assign`; but a buffer is used again only by tasks that begin when all who had it are done."""
        end = len(operations)
        final = [-1] * (len(self.lanes) + 1)
        users = [0] * (len(self.lanes) + 1)
        outs: list[list[int]] = []
        for number, one in enumerate(operations):
            mark = 1 << tasks.task_of[number]
            made = flat(one.outs)
            for buffer in (*flat(one.ins), *made):
                if buffer < 0:
                    final[-buffer] = number
                    users[-buffer] |= mark
            outs.append(made)
        for buffer in last:
            if buffer < 0:
                final[-buffer] = end
        expiring: list[list[int]] = [[] for _ in range(end + 1)]
        for buffer, number in enumerate(final):
            if buffer and number >= 0:
                expiring[number].append(buffer)
        done: list[int] = []  # per task, as bits: those that are done when it begins, and itself
        for task, before in enumerate(tasks.before):
            known = 1 << task
            for other in before:
                known |= done[other]
            done.append(known)
        self.at = [0] * (len(self.lanes) + 1)
        free: dict[int, list[tuple[int, int]]] = {size: [] for size in set(self.lanes)}
        for number in range(end):
            known = done[tasks.task_of[number]]
            for buffer in outs[number]:
                lanes = self.lanes[-buffer - 1]
                self.at[-buffer] = _fitting(free[lanes], known) or self.arena.take(4 * self.frames * lanes)
            for buffer in expiring[number]:
                if self.at[buffer]:
                    free[self.lanes[buffer - 1]].append((self.at[buffer], users[buffer]))


def _fitting(pool: list[tuple[int, int]], known: int) -> int:
    """Take a buffer out of a pool whose users are all among the `known`; 0 when there is none near its end."""
    for place in range(len(pool) - 1, max(-1, len(pool) - 1 - LOOKED_THROUGH), -1):
        at, users = pool[place]
        if users & ~known == 0:
            del pool[place]
            return at
    return 0


def write_tasks(
    block: np.ndarray[tuple[int], np.dtype[np.int64]], tasks: Tasks, arena: Arena, words: Callable[..., int]
) -> None:
    """The tables of tasks, and where they are in a schedule's block, whose operations have their place already."""
    table, room = arena.block(w.TASK_BYTES * len(tasks.spans))
    rows = room.view(np.int64).reshape(-1, w.TASK_BYTES // 8)
    for row, (first, end), before, after in zip(rows, tasks.spans, tasks.before, tasks.after, strict=True):
        row[w.T_ROW] = block[w.OPERATIONS] + 32 * first
        row[w.T_ROWS] = end - first
        row[w.T_NEXT] = words(*after, 0)
        row[w.T_NEXT_COUNT] = len(after)
        row[w.T_NEEDED] = row[w.T_LEFT] = len(before)
    block[w.TASKS] = table
    block[w.TASK_COUNT] = len(tasks.spans)
    block[w.OPEN_TASKS] = words(*tasks.open, 0)
    block[w.OPEN_COUNT] = len(tasks.open)
    block[w.TASK_FRAMES] = tasks.frames
    block[w.HELPERS] = tasks.helpers
