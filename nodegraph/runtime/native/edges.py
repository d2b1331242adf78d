"""What stands between kernels: mixing, packing mono signals into lanes and back, fades, taps.

Mixing has one canonical order, whatever the form: input j is added to partial sum j mod 16, in order, each partial sum
starting at 0.0, and the sixteen are summed by halving. So a mix of lanes and a mix of mono signals agree bit for bit.

Every function is a kernel: ``(state, ins, outs, frames)``, with 64-bit words in its state.
"""

from nodegraph.core.arithmetic import f32
from nodegraph.runtime.kernels.memory_words import (
    halving_sum,
    load_f32,
    load_i64,
    load_lanes,
    no_lanes,
    run_kernel,
    store_f32,
    store_f64,
    store_i64,
    store_lanes,
    store_release,
)
from nodegraph.runtime.native.rows import run_rows
from nodegraph.runtime.native.words import IN_CHANNELS, IN_TABLE, NOW, OFFSET


def mix_two(state, ins, outs, frames):
    """The sum of two signals; the general order gives the same bits."""
    a = load_i64(ins, 0)
    b = load_i64(ins, 8)
    y = load_i64(outs, 0)
    for i in range(frames):
        store_f32(y, 4 * i, (0.0 + load_f32(a, 4 * i)) + (0.0 + load_f32(b, 4 * i)))


def first(x, i):
    """A sample as a partial sum begins with it."""
    return 0.0 + load_f32(x, 4 * i)


def mix_three(ins, y, frames):
    """The sum of three signals; the general order gives the same bits."""
    a, b, c = load_i64(ins, 0), load_i64(ins, 8), load_i64(ins, 16)
    for i in range(frames):
        store_f32(y, 4 * i, (first(a, i) + first(c, i)) + first(b, i))


def mix_four(ins, y, frames):
    """The sum of four signals; the general order gives the same bits."""
    a, b, c, d = load_i64(ins, 0), load_i64(ins, 8), load_i64(ins, 16), load_i64(ins, 24)
    for i in range(frames):
        store_f32(y, 4 * i, (first(a, i) + first(c, i)) + (first(b, i) + first(d, i)))


def mix_eight(ins, y, frames):
    """The sum of eight signals; the general order gives the same bits."""
    a, b, c, d = load_i64(ins, 0), load_i64(ins, 8), load_i64(ins, 16), load_i64(ins, 24)
    e, f, g, h = load_i64(ins, 32), load_i64(ins, 40), load_i64(ins, 48), load_i64(ins, 56)
    for i in range(frames):
        even = (first(a, i) + first(e, i)) + (first(c, i) + first(g, i))
        odd = (first(b, i) + first(f, i)) + (first(d, i) + first(h, i))
        store_f32(y, 4 * i, even + odd)


def mix(state, ins, outs, frames):
    """The sum of mono signals. State: count, address of a scratch of 16 blocks, bytes of a block."""
    count = load_i64(state, 0)
    if count == 3:
        mix_three(ins, load_i64(outs, 0), frames)
    elif count == 4:
        mix_four(ins, load_i64(outs, 0), frames)
    elif count == 8:
        mix_eight(ins, load_i64(outs, 0), frames)
    else:
        mix_many(state, ins, outs, frames)


def mix_many(state, ins, outs, frames):
    """`mix` of any number of signals."""
    count = load_i64(state, 0)
    scratch = load_i64(state, 8)
    pitch = load_i64(state, 16)
    y = load_i64(outs, 0)
    partials = min(count, 16)
    for j in range(count):
        x = load_i64(ins, 8 * j)
        s = scratch + (j & 15) * pitch
        if j < 16:
            for i in range(frames):
                store_f32(s, 4 * i, 0.0 + load_f32(x, 4 * i))
        else:
            for i in range(frames):
                store_f32(s, 4 * i, load_f32(s, 4 * i) + load_f32(x, 4 * i))
    half = 8
    while half > 0:
        for r in range(half):
            if r + half < partials:
                s = scratch + r * pitch
                t = scratch + (r + half) * pitch
                for i in range(frames):
                    store_f32(s, 4 * i, load_f32(s, 4 * i) + load_f32(t, 4 * i))
        half = half >> 1
    for i in range(frames):
        store_f32(y, 4 * i, load_f32(scratch, 4 * i))


def mix_two_wide(state, ins, outs, frames):
    """`mix_two` of packed signals."""
    mix_two(state, ins, outs, 16 * frames)


def mix_wide(state, ins, outs, frames):
    """`mix` of packed signals."""
    mix(state, ins, outs, 16 * frames)


def mix_lanes(state, ins, outs, frames):
    """The sum of every lane of several packed signals. State: count."""
    count = load_i64(state, 0)
    y = load_i64(outs, 0)
    for i in range(frames):
        total = no_lanes()
        for j in range(count):
            total = total + load_lanes(load_i64(ins, 8 * j), 64 * i)
        store_f32(y, 4 * i, halving_sum(total))


def add_lanes(state, ins, outs, frames):
    """A sum and more packed signals, lane by lane. State: count of the signals. Ins: the sum, the signals."""
    count = load_i64(state, 0)
    y = load_i64(outs, 0)
    for i in range(frames):
        total = load_lanes(load_i64(ins, 0), 64 * i)
        for j in range(1, count + 1):
            total = total + load_lanes(load_i64(ins, 8 * j), 64 * i)
        store_lanes(y, 64 * i, total)


def mask_lanes(state, ins, outs, frames):
    """Silence the holes of a part-filled group. State: 16 words of 32 bits from byte 64, all ones or zero."""
    x = load_i64(ins, 0)
    y = load_i64(outs, 0)
    keep = load_lanes(state, 64)
    for i in range(frames):
        store_lanes(y, 64 * i, load_lanes(x, 64 * i) if keep > 0.5 else no_lanes())


def pack(state, ins, outs, frames):
    """Sixteen mono signals side by side; address 0 is a hole."""
    y = load_i64(outs, 0)
    for lane in range(16):
        x = load_i64(ins, 8 * lane)
        if x != 0:
            for i in range(frames):
                store_f32(y, 64 * i + 4 * lane, load_f32(x, 4 * i))
        else:
            for i in range(frames):
                store_f32(y, 64 * i + 4 * lane, 0.0)


def unpack(state, ins, outs, frames):
    """One lane of a packed signal as a mono signal. State: lane."""
    lane = load_i64(state, 0)
    x = load_i64(ins, 0)
    y = load_i64(outs, 0)
    for i in range(frames):
        store_f32(y, 4 * i, load_f32(x, 64 * i + 4 * lane))


def device_input(state, ins, outs, frames):
    """A channel of the device. State: engine, channel."""
    engine = load_i64(state, 0)
    channel = load_i64(state, 8)
    y = load_i64(outs, 0)
    if channel < load_i64(engine, 8 * IN_CHANNELS):
        x = load_i64(load_i64(engine, 8 * IN_TABLE), 8 * channel) + 4 * load_i64(engine, 8 * OFFSET)
        for i in range(frames):
            store_f32(y, 4 * i, load_f32(x, 4 * i))
    else:
        for i in range(frames):
            store_f32(y, 4 * i, 0.0)


def scale(state, ins, outs, frames):
    """A signal times a constant. State: the factor, as float32."""
    x = load_i64(ins, 0)
    y = load_i64(outs, 0)
    factor = load_f32(state, 0)
    for i in range(frames):
        store_f32(y, 4 * i, load_f32(x, 4 * i) * factor)


def fade(state, ins, outs, frames):
    """Between two signals along a smooth curve, once. State: frames done, length, frames before it begins. Ins: from,
    to (0 is silence)."""
    done = load_i64(state, 0)
    length = load_i64(state, 8)
    lead = load_i64(state, 16)
    a = load_i64(ins, 0)
    b = load_i64(ins, 8)
    y = load_i64(outs, 0)
    for i in range(frames):
        t = f32(max(min(done + i + 1 - lead, length), 0)) / f32(length)
        g = t * t * (3.0 - 2.0 * t)
        x = load_f32(a, 4 * i)
        store_f32(y, 4 * i, x + g * (load_f32(b, 4 * i) - x))
    store_i64(state, 0, min(done + frames, lead + length))


def wait(state, ins, outs, frames):
    """A delay of whole samples. State: address of its memory, samples. The memory: the place in it, then from byte 64 a
    ring of so many samples."""
    memory = load_i64(state, 0)
    size = load_i64(state, 8)
    ring = memory + 64
    at = load_i64(memory, 0)
    x = load_i64(ins, 0)
    y = load_i64(outs, 0)
    done = 0
    while done < frames:
        count = min(frames - done, size - at)
        for i in range(count):
            store_f32(y, 4 * (done + i), load_f32(ring, 4 * (at + i)))
        for i in range(count):
            store_f32(ring, 4 * (at + i), load_f32(x, 4 * (done + i)))
        done += count
        at += count
        at = 0 if at == size else at
    store_i64(memory, 0, at)


def oversampled(state, ins, outs, frames):
    """An operation that runs at a multiple of the engine's rate. State: its function, its state, how many times."""
    run_kernel(load_i64(state, 0), load_i64(state, 8), ins, outs, frames * load_i64(state, 16))


def island(state, ins, outs, frames):
    """A loop, sample by sample: its operations work on cells of one sample.

    State: operations, how many; signals from outside, (cell, lanes) each; signals that leave, the same; copies at the
    end of a sample, (from, to, lanes) each.
    """
    rows = load_i64(state, 0)
    count = load_i64(state, 8)
    imports = load_i64(state, 16)
    import_cells = load_i64(state, 24)
    exports = load_i64(state, 32)
    export_cells = load_i64(state, 40)
    latches = load_i64(state, 48)
    latch_cells = load_i64(state, 56)
    for i in range(frames):
        for k in range(imports):
            lanes = load_i64(import_cells, 16 * k + 8)
            copy(load_i64(ins, 8 * k) + 4 * lanes * i, load_i64(import_cells, 16 * k), lanes)
        run_rows(rows, count, 1)
        for k in range(exports):
            lanes = load_i64(export_cells, 16 * k + 8)
            copy(load_i64(export_cells, 16 * k), load_i64(outs, 8 * k) + 4 * lanes * i, lanes)
        for k in range(latches):
            copy(load_i64(latch_cells, 24 * k), load_i64(latch_cells, 24 * k + 8), load_i64(latch_cells, 24 * k + 16))


def copy(source, target, count):
    """Samples from one place to another: one, or sixteen."""
    if count == 1:
        store_f32(target, 0, load_f32(source, 0))
    else:
        store_lanes(target, 0, load_lanes(source, 0))


def tap(state, ins, outs, frames):
    """Copy signals into a ring that another thread or process reads.

    State: engine, channels, header, data, frames of the ring (a power of two), first word of `ins`. Sample k of the
    engine lies at ``k mod size`` of its channel's plane; the header holds the frame up to which there is sound.
    """
    engine = load_i64(state, 0)
    channels = load_i64(state, 8)
    header = load_i64(state, 16)
    data = load_i64(state, 24)
    size = load_i64(state, 32)
    now = load_i64(engine, 8 * NOW)
    start = now & (size - 1)
    first = min(frames, size - start)
    for c in range(channels):
        x = load_i64(ins, 8 * c)
        plane = data + 4 * size * c
        for i in range(first):
            store_f32(plane, 4 * (start + i), load_f32(x, 4 * i))
        for i in range(frames - first):
            store_f32(plane, 4 * i, load_f32(x, 4 * (first + i)))
    store_release(header, 0, now + frames)


def event_tap(state, ins, outs, frames):
    """Tell Python of every sample that is not zero. State: engine, source, header, records, size (a power of two), and
    how many samples there are a frame.

    The header holds the write index, at byte 64 the read index, at byte 128 what was lost. A record is frame, source,
    value (float64).
    """
    engine = load_i64(state, 0)
    source = load_i64(state, 8)
    header = load_i64(state, 16)
    records = load_i64(state, 24)
    size = load_i64(state, 32)
    factor = load_i64(state, 40)
    x = load_i64(ins, 0)
    now = load_i64(engine, 8 * NOW)
    for i in range(frames * factor):
        value = load_f32(x, 4 * i)
        if value != 0.0:
            push_record(header, records, size, now + i // factor, source, value)


def push_record(header, records, size, frame, source, value):
    """Append one record; a full ring loses it and counts that."""
    written = load_i64(header, 0)
    if written - load_i64(header, 64) < size:
        place = records + 24 * (written & (size - 1))
        store_i64(place, 0, frame)
        store_i64(place, 8, source)
        store_f64(place, 16, value)
        store_release(header, 0, written + 1)
    else:
        store_i64(header, 128, load_i64(header, 128) + 1)
