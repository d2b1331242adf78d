"""The processor's cycle counter."""

from nodegraph.runtime.kernels.memory_words import cycles


def read():
    """Cycles since some time."""
    return cycles()
