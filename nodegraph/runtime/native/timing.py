"""Run a kernel again and again, to find out what it costs."""

from nodegraph.runtime.kernels.memory_words import flush_denormals, restore_denormals, run_kernel


def repeat(function, state, ins, outs, frames, times):
    """The same block so many times."""
    old = flush_denormals()
    for _ in range(times):
        run_kernel(function, state, ins, outs, frames)
    restore_denormals(old)
    return 0
