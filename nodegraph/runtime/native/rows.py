"""Walking a row of operations."""

from nodegraph.runtime.kernels.memory_words import load_i64, run_kernel


def run_rows(row, count, frames):
    """Operations one after another: (function, state, ins, outs) each.

    Twelve places that call instead of one: a processor guesses where an indirect call goes from the place it is made
    at. In a chain of two kinds by turns one place guesses wrong every time, which costs more than the work; of twelve
    places each meets the same kind again, also in rounds of 2, 3, 4 or 6 kinds.
    """
    end = row + 32 * count
    while row + 352 < end:
        run_four(row, frames)
        run_four(row + 128, frames)
        run_four(row + 256, frames)
        row += 384
    while row < end:
        run_row(row, frames)
        row += 32


def run_four(row, frames):
    """Four operations, each called from a place of its own."""
    run_row(row, frames)
    run_row(row + 32, frames)
    run_row(row + 64, frames)
    run_row(row + 96, frames)


def run_row(row, frames):
    """One operation."""
    run_kernel(load_i64(row, 0), load_i64(row, 8), load_i64(row, 16), load_i64(row, 24), frames)
