"""Seeing a signal: its peak since somebody looked, and its last samples for who looks closer.

A gauge is an operation that stands behind the one whose signal it reads. Only schedules of patches that are watched
have any.
"""

from nodegraph.core.arithmetic import bits_of, from_bits
from nodegraph.runtime.kernels.memory_words import (
    load_acquire,
    load_f32,
    load_i64,
    load_lanes,
    no_lanes,
    store_f32,
    store_i64,
    store_lanes,
    store_release,
)
from nodegraph.runtime.native.words import NOW

INFINITE = 0x7F800000  # the bits of infinity; those of NaN are greater


def gauge(state, ins, outs, frames):
    """The peak of a signal. State: where it is kept (float32), address of the first probe of the signal, or 0."""
    x = load_i64(ins, 0)
    place = load_i64(state, 0)
    peak = bits_of(load_f32(place, 0))
    for i in range(frames):
        loud = bits_of(abs(load_f32(x, 4 * i)))
        peak = max(peak, loud if loud < INFINITE else 0)
    store_f32(place, 0, from_bits(peak))
    probes(load_acquire(state, 8), x, 4, frames)


def gauge_lanes(state, ins, outs, frames):
    """The peaks of a packed signal, lane by lane; as `gauge`. Infinity counts as a peak here."""
    x = load_i64(ins, 0)
    place = load_i64(state, 0)
    peaks = load_lanes(place, 0)
    silence = no_lanes()
    for i in range(frames):
        v = load_lanes(x, 64 * i)
        loud = v if v > silence else silence - v
        peaks = loud if loud > peaks else peaks
    store_lanes(place, 0, peaks)
    probes(load_acquire(state, 8), x, 64, frames)


def probes(block, x, pitch, frames):
    """Keep the samples for every probe of a signal, whose samples lie `pitch` bytes apart.

    A probe: engine, header, data, frames of its ring (a power of two), lane, how many samples there are a frame, the
    next probe or 0. Sample k lies at ``k mod size``; the header holds up to which sample there is sound, and from which
    on without a gap.
    """
    while block != 0:
        header = load_i64(block, 8)
        data = load_i64(block, 16)
        mask = load_i64(block, 24) - 1
        source = x + 4 * load_i64(block, 32)
        now = load_i64(load_i64(block, 0), 8 * NOW) * load_i64(block, 40)
        if load_i64(header, 0) != now:
            store_i64(header, 8, now)
        for i in range(frames):
            store_f32(data, 4 * ((now + i) & mask), load_f32(source, pitch * i))
        store_release(header, 0, now + frames)
        block = load_i64(block, 48)
