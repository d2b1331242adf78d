"""Playing a chain: operations without memory that hand one signal on."""

from nodegraph.runtime.kernels.memory_words import load_i64, run_links
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.rows import run_rows


def chain(state, ins, outs, frames):
    """A chain in registers, 64 frames at a time; while a control of it ramps, its operations one by one.

    It computes whole vectors: what stands in the buffers behind the last frame is changed and never read.
    """
    if load_i64(state, 8 * w.C_RAMPING) > 0:
        run_rows(load_i64(state, 8 * w.C_ROWS), load_i64(state, 8 * w.C_COUNT), frames)
    else:
        row = load_i64(state, 8 * w.C_LINKS)
        x = load_i64(ins, 0)
        at = 0
        while at < 4 * frames:
            run_links(row, x, at)
            at += 256
