"""Counting what operations cost, while somebody looks: the processor's cycles in each row of the schedule.

The rows run in the same order as ever and do the same. Beside each of them the cycle counter is read once, and added to
a word of that row; a row is run by one thread at a time, so the words need no lock. While nobody looks this is a
comparison a segment.
"""

from nodegraph.runtime.kernels.memory_words import cycles, load_i64, store_i64
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.rows import run_row, run_rows


def costs_of(engine, schedule):
    """Where the costs of a schedule are counted, or 0 while nobody looks."""
    costs = 0
    if load_i64(engine, 8 * w.WATCHED) != 0:
        costs = load_i64(schedule, 8 * w.COSTS)
    return costs


def run_watched(costs, first, row, count, frames):
    """Operations one after another, and what they cost if `costs` is somewhere; `first` is the schedule's first row."""
    if costs == 0:
        run_rows(row, count, frames)
    else:
        word = costs + 8 + ((row - first) >> 2)  # a word of 8 bytes for a row of 32
        before = cycles()
        for _ in range(count):
            run_row(row, frames)
            now = cycles()
            store_i64(word, 0, load_i64(word, 0) + (now - before))
            before = now
            row += 32
            word += 8


def count_frames(costs, frames):
    """So many frames were played with their costs counted."""
    if costs != 0:
        store_i64(costs, 0, load_i64(costs, 0) + frames)
