"""A schedule's operations as tasks for several threads.

A task is a run of operations that stand side by side in the schedule's order. Since that order is topological, a task
only ever waits for earlier ones, whatever the cuts. Where the cuts are decides how much can go on at once: they belong
where a branch ends and where branches meet. Several ways of cutting are tried out on paper, with what each operation
costs, and the best is taken, or none if one thread is about as fast.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from nodegraph.runtime.compile.costs import FRAMES, costs
from nodegraph.runtime.compile.operations import Operation
from nodegraph.runtime.native import edges
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.compiled import address

WORTH_NS: Final = 10_000.0
"""Less work than this in a segment is done by one thread: the others would come to a laid table."""
START_NS: Final = 1_000.0
"""From the opening of a round until a helper that does not sleep has its first task."""
TASK_NS: Final = 250.0
"""What taking a task, and saying that it is done, costs."""
GAIN: Final = 0.85
"""Several threads must take less than this share of the time of one."""
GOOD: Final = 1.1
"""A way of cutting this near to the ideal is taken without looking for a better one."""
LEAST_NS: Final = 2_000.0


@dataclass
class Links:
    """Who hears whom, by the operations' numbers: what each must wait for, and who waits for it."""

    before: list[set[int]]
    after: list[list[int]]


@dataclass
class Tasks:
    """Tasks by number: the first operation of each and one past its last, what each waits for and who waits for it.

    `open` are those that wait for none, `helpers` the helpers that find something to do. Times are in nanoseconds a
    block: `work` all of it, `length` how long it takes then.
    """

    spans: list[tuple[int, int]]
    before: list[set[int]]
    after: list[list[int]]
    open: list[int]
    helpers: int
    work: float
    length: float
    task_of: list[int] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """Segments of fewer frames are done by one thread."""
        return min(FRAMES, max(1, round(FRAMES * WORTH_NS / self.work)))


def planned(operations: list[Operation], threads: int) -> Tasks | None:
    """The best tasks for so many threads, or None when one thread does as well.

    Messages of sound nodes go into one ring in the schedule's order, so the operations that write them are put at the
    end of `operations`, into one task.
    """
    if threads < 2:
        return None
    tap = address(edges.event_tap)
    senders = [one for one in operations if one.function == tap]
    ordered = [one for one in operations if one.function != tap] + senders if senders else operations
    price = costs(ordered)
    if sum(price) < WORTH_NS:
        return None
    found = best(price, linked(ordered), threads, len(ordered) - len(senders))
    if found is None or found.length > GAIN * found.work:
        return None
    operations[:] = ordered
    return found


def linked(operations: Sequence[Operation]) -> Links:
    """What must run before what: who writes a signal before who reads it; those that share a memory in their order."""
    writer: dict[int, int] = {}
    holder: dict[int, int] = {}
    before: list[set[int]] = []
    after: list[list[int]] = [[] for _ in operations]
    for number, one in enumerate(operations):
        found = set()
        for buffer in flat(one.ins):
            source = writer.get(buffer)
            if source is not None:
                found.add(source)
        if one.memory:
            last = holder.get(one.memory)
            if last is not None:
                found.add(last)
            holder[one.memory] = number
        for buffer in flat(one.outs):
            if buffer < 0:
                writer[buffer] = number
        before.append(found)
        for source in found:
            after[source].append(number)
    return Links(before, after)


def flat(items: Sequence[Any]) -> list[int]:
    """Buffers and rows of buffers as one list."""
    found: list[int] = []
    for item in items:
        if type(item) is list:
            found += item
        else:
            found.append(item)
    return found


def best(price: list[float], links: Links, threads: int, senders: int) -> Tasks | None:
    """The tasks that are done soonest. Operations from `senders` on are one task."""
    work = sum(price)
    ideal = max(work / threads, _critical(price, links))
    if ideal > GAIN * work:
        return None
    found: Tasks | None = None
    for parts, heads in ((8, True), (24, True), (8, False)):
        least = max(work / (parts * threads), LEAST_NS)
        spans = cut(price, links, least, heads=heads, senders=senders)
        if not 2 <= len(spans) <= w.MOST_TASKS:
            continue
        tasks = gathered(spans, links, work)
        _time(tasks, price, threads)
        if found is None or tasks.length < found.length:
            found = tasks
        if found.length <= GOOD * ideal + START_NS:
            break
    if found is not None:
        _fewest(found, price)
    return found


def cut(price: list[float], links: Links, least: float, *, heads: bool, senders: int) -> list[tuple[int, int]]:
    """Cut the row of operations into runs of at least `least` nanoseconds.

    A run ends where nothing near by hears it, and where an operation comes that hears something that the run does not
    depend on yet. With `heads`, what is heard both near by and far off ends a run at once: many wait for it.
    """
    before, after = links.before, links.after
    total = [0.0, *accumulate(price)]
    spans: list[tuple[int, int]] = []
    start = 0
    known: set[int] = set()  # what the run depends on already
    readers: list[int] = []  # of the run's operations, but for those of chains
    for number, needs in enumerate(before):
        needed = {source for source in needs if source < start} if needs else needs
        if start < number <= senders:
            last = after[number - 1]
            if number == senders or not (last == [number] and number - 1 in needs):
                spent = total[number] - total[start]
                while readers and readers[0] < number:
                    heapq.heappop(readers)
                if (
                    number == senders
                    or (spent >= least and (not readers or total[readers[0]] - total[number] >= least))
                    or (spent >= 0.25 * least and not needed <= known)
                    or (heads and _is_head(last, number, total, least))
                ):
                    spans.append((start, number))
                    start, known, readers, needed = number, set(), [], needs
        if needed:
            known |= needed
        follows = after[number]
        if follows and follows != [number + 1]:
            for reader in follows:
                heapq.heappush(readers, reader)
    spans.append((start, len(price)))
    return spans


def _is_head(readers: list[int], number: int, total: list[float], least: float) -> bool:
    """Whether one reader is near by and another far off. `readers` are in order."""
    if len(readers) < 2:
        return False
    return total[readers[0]] - total[number] < least and total[readers[-1]] - total[number] >= 2.0 * least


def gathered(spans: list[tuple[int, int]], links: Links, work: float) -> Tasks:
    """Tasks from spans."""
    task_of = [task for task, (first, end) in enumerate(spans) for _ in range(first, end)]
    before: list[set[int]] = []
    after: list[list[int]] = [[] for _ in spans]
    for task, (first, end) in enumerate(spans):
        needed = {task_of[source] for number in range(first, end) for source in links.before[number]} - {task}
        before.append(needed)
        for source in needed:
            after[source].append(task)
    return Tasks(spans, before, after, [], 1, work, work, task_of)


def _critical(price: list[float], links: Links) -> float:
    """The longest way through the operations."""
    ready: list[float] = []
    for one, needs in zip(price, links.before, strict=True):
        ready.append(one + max([ready[source] for source in needs]) if needs else one)
    return max(ready, default=0.0)


def _time(tasks: Tasks, price: list[float], threads: int) -> None:
    """Put the longest ways first, and find out how long it takes with so many threads."""
    prices = [sum(price[first:end]) for first, end in tasks.spans]
    ahead = [0.0] * len(prices)
    for task in range(len(prices) - 1, -1, -1):
        ahead[task] = prices[task] + max((ahead[other] for other in tasks.after[task]), default=0.0)
    for row in tasks.after:
        row.sort(key=lambda task: (-ahead[task], task))
    tasks.open = sorted((task for task, row in enumerate(tasks.before) if not row), key=lambda task: -ahead[task])
    tasks.helpers = threads - 1
    tasks.length = played(tasks, prices, threads)


def _fewest(tasks: Tasks, price: list[float]) -> None:
    """No more helpers than it takes: waking one that finds nothing costs, too."""
    prices = [sum(price[first:end]) for first, end in tasks.spans]
    while tasks.helpers > 1:
        length = played(tasks, prices, tasks.helpers)
        if length > 1.05 * tasks.length:
            break
        tasks.helpers -= 1
        tasks.length = length


def played(tasks: Tasks, prices: list[float], threads: int) -> float:
    """How long a round takes: tasks are taken in the order in which they become ready, by who is free first."""
    left = [len(row) for row in tasks.before]
    queue = [(0.0, place, task) for place, task in enumerate(tasks.open)]
    free = [0.0] + [START_NS] * (threads - 1)
    heapq.heapify(free)
    place = len(queue)
    ready_at = [0.0] * len(prices)
    end = 0.0
    while queue:
        ready, _, task = heapq.heappop(queue)
        done = max(heapq.heappop(free), ready) + TASK_NS + prices[task]
        heapq.heappush(free, done)
        end = max(end, done)
        for other in tasks.after[task]:
            left[other] -= 1
            ready_at[other] = max(ready_at[other], done)
            if left[other] == 0:
                heapq.heappush(queue, (ready_at[other], place, other))
                place += 1
    return end
