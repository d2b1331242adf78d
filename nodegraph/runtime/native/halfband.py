"""Twice the rate and back: half-band filters, of which every second coefficient but the middle one is zero.

Both are kernels ``(state, ins, outs, frames)``; `frames` are those of the lower rate. State: address of the filter,
address of the memory. The filter: how many coefficients, by how many samples of the lower rate the middle one is late,
then the coefficients (float32, from byte 16). The memory: as many old samples as there are coefficients, and room for
a block and for its sums.
"""

from nodegraph.runtime.kernels.memory_words import load_f32, load_i64, store_f32

MOST = 64
"""Coefficients at most."""
ROOM = 512
"""Samples of a block at most, at the higher rate."""


def remember(memory, count, frames, start):
    """The newest samples become the old ones of the next block."""
    for k in range(count):
        store_f32(memory, 4 * (start + k), load_f32(memory, 4 * (start + k + frames)))


def double(state, ins, outs, frames):
    """Twice as many samples: those that are there, late, and one between each two."""
    filter = load_i64(state, 0)
    memory = load_i64(state, 8)
    count = load_i64(filter, 0)
    late = load_i64(filter, 8)
    taps = filter + 16
    x = load_i64(ins, 0)
    y = load_i64(outs, 0)
    now = memory + 4 * count
    sums = memory + 4 * (MOST + ROOM)
    for i in range(frames):
        store_f32(now, 4 * i, load_f32(x, 4 * i))
    for i in range(frames):
        store_f32(sums, 4 * i, 0.0)
    for k in range(count):
        g = load_f32(taps, 4 * k)
        for i in range(frames):
            store_f32(sums, 4 * i, load_f32(sums, 4 * i) + g * load_f32(now, 4 * (i - k)))
    for i in range(frames):
        store_f32(y, 8 * i, load_f32(now, 4 * (i - late)))
        store_f32(y, 8 * i + 4, load_f32(sums, 4 * i))
    remember(memory, count, frames, 0)


def halve(state, ins, outs, frames):
    """Half as many samples, without what they could not hold."""
    filter = load_i64(state, 0)
    memory = load_i64(state, 8)
    count = load_i64(filter, 0)
    late = load_i64(filter, 8)
    taps = filter + 16
    x = load_i64(ins, 0)
    y = load_i64(outs, 0)
    # even samples (late by the middle coefficient) and odd ones in two memories
    even = memory + 4 * count
    odd = memory + 4 * (MOST + ROOM) + 4 * count
    for i in range(frames):
        store_f32(even, 4 * i, load_f32(x, 8 * i))
        store_f32(odd, 4 * i, load_f32(x, 8 * i + 4))
    for i in range(frames):
        store_f32(y, 4 * i, 0.5 * load_f32(even, 4 * (i - late)))
    for k in range(count):
        g = 0.5 * load_f32(taps, 4 * k)
        for i in range(frames):
            store_f32(y, 4 * i, load_f32(y, 4 * i) + g * load_f32(odd, 4 * (i - 1 - k)))
    remember(memory, count, frames, 0)
    remember(memory, count, frames, MOST + ROOM)
