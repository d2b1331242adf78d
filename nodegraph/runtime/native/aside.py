"""What stands beside the device: a sound that is played instead of its inputs, and a ring that keeps its outputs.

Both are blocks of words whose address stands in the engine block; address 0 is none.
"""

from nodegraph.runtime.kernels.memory_words import load_f32, load_i64, store_f32, store_release
from nodegraph.runtime.native import words as w


def feed(engine, ins, frames):
    """The addresses of the input channels for this block: the device's, or those of the sound that is fed.

    The block: data, channels, frames. Channel c of the sound lies in plane c; before and after it there is silence.
    """
    block = load_i64(engine, 8 * w.FEED)
    table = ins
    if block != 0:
        table = load_i64(engine, 8 * w.IN_POINTERS)
        now = load_i64(engine, 8 * w.NOW)
        data = load_i64(block, 0)
        channels = load_i64(block, 8)
        total = load_i64(block, 16)
        for c in range(load_i64(engine, 8 * w.IN_CHANNELS)):
            y = load_i64(table, 8 * c)
            count = 0
            if c < channels:
                count = min(frames, max(total - now, 0))
            x = data + 4 * (total * c + now)
            for i in range(count):
                store_f32(y, 4 * i, load_f32(x, 4 * i))
            for i in range(count, frames):
                store_f32(y, 4 * i, 0.0)
    return table


def capture(engine, outs, frames):
    """Keep what went to the device. The block: header, data, frames of the ring (a power of two).

    Frame k of the engine lies at ``k mod size`` of its channel's plane; the header holds the frame up to which there
    is sound. Called when the block's frames have been counted.
    """
    block = load_i64(engine, 8 * w.CAPTURE)
    if block != 0:
        header = load_i64(block, 0)
        data = load_i64(block, 8)
        size = load_i64(block, 16)
        end = load_i64(engine, 8 * w.NOW)
        start = (end - frames) & (size - 1)
        first = min(frames, size - start)
        for c in range(load_i64(engine, 8 * w.OUT_CHANNELS)):
            x = load_i64(outs, 8 * c)
            plane = data + 4 * size * c
            for i in range(first):
                store_f32(plane, 4 * (start + i), load_f32(x, 4 * i))
            for i in range(frames - first):
                store_f32(plane, 4 * i, load_f32(x, 4 * (first + i)))
        store_release(header, 0, end)
