"""The audio thread: events at their sample, the schedule's operations in order, the outputs made safe.

Nothing here allocates, locks, raises or calls Python. A device's callback calls `process` with planar buffers.
"""

from nodegraph.core.arithmetic import bits_of, f32, from_bits, i64, u32
from nodegraph.runtime.kernels.memory_words import (
    cycles,
    flush_denormals,
    load_acquire,
    load_f32,
    load_f64,
    load_i64,
    load_u32,
    restore_denormals,
    run_kernel,
    sleep_us,
    store_f32,
    store_i64,
    store_release,
    store_u32,
)
from nodegraph.runtime.native import crew
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.aside import capture, feed
from nodegraph.runtime.native.rows import run_row
from nodegraph.runtime.native.watching import costs_of, count_frames, run_watched

INFINITE = 0x7F800000  # the bits of infinity; those of NaN are greater


def process(engine, ins, outs, frames):
    """Play `frames` frames: `ins` and `outs` list the addresses of the device's channels."""
    old = flush_denormals()
    began = cycles()
    heard = feed(engine, ins, frames)
    store_i64(engine, 8 * w.IN_TABLE, heard)
    done = 0
    while done < frames:
        now = load_i64(engine, 8 * w.NOW)
        length = until_next_event(engine, now, granted(engine, now, frames - done))
        store_i64(engine, 8 * w.OFFSET, done)
        schedule = load_i64(engine, 8 * w.SCHEDULE)
        costs = costs_of(engine, schedule)
        if load_i64(engine, 8 * w.DIAGNOSE) > 0:
            run_searching(engine, schedule, length)
            costs = 0
        elif load_i64(schedule, 8 * w.TASK_COUNT) == 0 or length < load_i64(schedule, 8 * w.TASK_FRAMES):
            run_operations(schedule, length, costs)
        else:
            crew.play(engine, schedule, length, costs)
        count_frames(costs, length)
        deliver(engine, schedule, outs, done, length)
        done += length
        store_i64(engine, 8 * w.NOW, now + length)
        store_release(engine, 8 * w.DONE, now + length)
    capture(engine, outs, frames)
    meter_inputs(engine, heard, frames)
    crew.note_audio_thread(engine)
    spent = cycles() - began
    store_i64(engine, 8 * w.BUSY, load_i64(engine, 8 * w.BUSY) + spent)
    rate = (spent << 10) // frames
    if rate > load_i64(engine, 8 * w.BUSY_MOST):
        store_i64(engine, 8 * w.BUSY_MOST, rate)
    store_i64(engine, 8 * w.CYCLE_FRAMES, frames)
    store_i64(engine, 8 * w.CALLBACKS, load_i64(engine, 8 * w.CALLBACKS) + 1)
    store_release(engine, 8 * w.EPOCH_SEEN, load_i64(engine, 8 * w.EPOCH))
    restore_denormals(old)


def granted(engine, now, most):
    """Frames that may be played. Offline and freewheeling, wait until the events of at least one are known."""
    ready = most
    if load_acquire(engine, 8 * w.WAIT) != 0:
        while load_acquire(engine, 8 * w.GRANT) <= now and load_acquire(engine, 8 * w.WAIT) != 0:
            sleep_us(load_i64(engine, 8 * w.SLEEP), 50)
        if load_acquire(engine, 8 * w.WAIT) != 0:
            ready = min(most, load_acquire(engine, 8 * w.GRANT) - now)
    return ready


def until_next_event(engine, now, most):
    """Act on the events that are due; gives the frames until the next one, at most the schedule's block."""
    length = most
    read = load_i64(engine, 8 * w.READ)
    looking = True
    while looking:
        if read < load_acquire(engine, 8 * w.WRITE):
            record = load_i64(engine, 8 * w.RING) + 32 * (read & load_i64(engine, 8 * w.RING_MASK))
            frame = load_i64(record, 0)
            if frame <= now:
                if frame < now and frame > 0:
                    store_i64(engine, 8 * w.LATE, load_i64(engine, 8 * w.LATE) + 1)
                act(engine, record, now)
                read += 1
                store_release(engine, 8 * w.READ, read)
            else:
                length = min(length, frame - now)
                looking = False
        else:
            looking = False
    return min(length, load_i64(load_i64(engine, 8 * w.SCHEDULE), 8 * w.LONGEST))


def act(engine, record, now):
    """One event: a control's new value, a message to a native node, or a new schedule."""
    what = load_i64(record, 16)
    if what == w.SWAP:
        swap(engine, load_i64(record, 24), now)
    else:
        schedule = load_i64(engine, 8 * w.SCHEDULE)
        slot = load_i64(record, 8)
        if slot < load_i64(schedule, 8 * w.SLOT_COUNT):
            row = load_i64(schedule, 8 * w.SLOTS) + 16 * slot
            first = load_i64(row, 0)
            for k in range(load_i64(row, 8)):
                entry = load_i64(schedule, 8 * w.ENTRIES) + 24 * (first + k)
                if load_i64(entry, 8) < 0:
                    place = load_i64(entry, 0)
                    store_f32(place, 0, load_f32(place, 0) + 1.0)
                else:
                    aim(
                        engine,
                        load_i64(entry, 0),
                        load_i64(entry, 8),
                        load_i64(entry, 16),
                        f32(load_f64(record, 24)),
                        what,
                    )


def swap(engine, schedule, now):
    """Take over the state of every node that stays, then play the new schedule."""
    row = load_i64(schedule, 8 * w.MOVES)
    for _ in range(load_i64(schedule, 8 * w.MOVE_COUNT)):
        source = load_i64(row, 0)
        target = load_i64(row, 8)
        from_stride = load_i64(row, 16)
        to_stride = load_i64(row, 24)
        for j in range(load_i64(row, 32)):
            store_u32(target, j * to_stride, load_u32(source, j * from_stride))
        row += 40
    # ramps that were under way go on: an operation with frames left starts in its moving form
    ramp = load_i64(engine, 8 * w.RAMP_FUNCTION)
    blocks = load_i64(schedule, 8 * w.RAMPS)
    for k in range(load_i64(schedule, 8 * w.RAMP_COUNT)):
        resume(load_i64(blocks, 8 * k), ramp)
    store_i64(engine, 8 * w.SCHEDULE, schedule)
    store_i64(engine, 8 * w.SWAPPED, now)
    store_i64(engine, 8 * w.EPOCH, load_i64(engine, 8 * w.EPOCH) + 1)


def resume(block, ramp):
    """Set an operation ramping if one of its controls has frames left."""
    left = load_i64(block, 8 * w.R_LEFT)
    moving = 0
    for k in range(load_i64(block, 8 * w.R_CONTROLS) * load_i64(block, 8 * w.R_LANES)):
        moving = moving | i64(load_u32(left, 4 * k))
    if moving != 0:
        start_ramp(block, ramp)


def start_ramp(block, ramp):
    """From now on the operation runs its moving form, through `ramp_kernel`."""
    operation = load_i64(block, 8 * w.R_OPERATION)
    store_i64(operation, 0, ramp)
    store_i64(operation, 8, block)
    store_i64(block, 8 * w.R_ACTIVE, 1)
    count_ramping(block, 1)


def count_ramping(block, change):
    """Tell an operation's chain, if it is in one, that it begins or ends to ramp."""
    counter = load_i64(block, 8 * w.R_CHAIN)
    if counter != 0:
        store_i64(counter, 0, load_i64(counter, 0) + change)


def aim(engine, block, control, lane, value, frames):
    """Send one control of one lane to a value within `frames` frames (0: at once)."""
    at = 4 * (control * load_i64(block, 8 * w.R_LANES) + lane)
    target = load_i64(block, 8 * w.R_TARGET)
    step = load_i64(block, 8 * w.R_STEP)
    left = load_i64(block, 8 * w.R_LEFT)
    field = load_i64(block, 8 * w.R_STATE) + load_i64(load_i64(block, 8 * w.R_OFFSETS), 8 * control) + 4 * lane
    remaining = load_u32(left, at)
    held = load_f32(field, 0)
    if i64(remaining) > 0:
        held = load_f32(target, at) - load_f32(step, at) * f32(i64(remaining))
    store_f32(target, at, value)
    frames = frames * load_i64(block, 8 * w.R_FACTOR)
    if frames <= 0:
        store_f32(field, 0, value)
        store_u32(left, at, 0)
    else:
        store_f32(step, at, (value - held) / f32(frames))
        store_u32(left, at, frames)
        if load_i64(block, 8 * w.R_ACTIVE) == 0:
            start_ramp(block, load_i64(engine, 8 * w.RAMP_FUNCTION))


def ramp_kernel(block, ins, outs, frames):
    """Stands in for an operation while a control of it ramps: every control as a signal, sample by sample."""
    state = load_i64(block, 8 * w.R_STATE)
    lanes = load_i64(block, 8 * w.R_LANES)
    target = load_i64(block, 8 * w.R_TARGET)
    step = load_i64(block, 8 * w.R_STEP)
    left = load_i64(block, 8 * w.R_LEFT)
    running = 0
    for control in range(load_i64(block, 8 * w.R_CONTROLS)):
        buffer = load_i64(load_i64(block, 8 * w.R_BUFFERS), 8 * control)
        fields = state + load_i64(load_i64(block, 8 * w.R_OFFSETS), 8 * control)
        for lane in range(lanes):
            at = 4 * (control * lanes + lane)
            remaining = i64(load_u32(left, at))
            if remaining == 0:
                held = load_f32(fields, 4 * lane)
                for i in range(frames):
                    store_f32(buffer, 4 * (i * lanes + lane), held)
            else:
                goal = load_f32(target, at)
                slope = load_f32(step, at)
                part = min(frames, remaining)
                for i in range(part):
                    store_f32(buffer, 4 * (i * lanes + lane), goal - slope * f32(remaining - i))
                for i in range(part, frames):
                    store_f32(buffer, 4 * (i * lanes + lane), goal)
                remaining -= part
                store_u32(left, at, remaining)
                running += remaining
                if remaining == 0:
                    store_f32(fields, 4 * lane, goal)
                else:
                    store_f32(fields, 4 * lane, goal - slope * f32(remaining))
    run_kernel(load_i64(block, 8 * w.R_MOVING), state, load_i64(block, 8 * w.R_INS), outs, frames)
    if running == 0:
        operation = load_i64(block, 8 * w.R_OPERATION)
        store_i64(operation, 0, load_i64(block, 8 * w.R_STILL))
        store_i64(operation, 8, state)
        store_i64(block, 8 * w.R_ACTIVE, 0)
        count_ramping(block, -1)


def run_operations(schedule, frames, costs):
    """Walk the schedule."""
    first = load_i64(schedule, 8 * w.OPERATIONS)
    run_watched(costs, first, first, load_i64(schedule, 8 * w.COUNT), frames)


def run_searching(engine, schedule, frames):
    """The same, but look at every output, name the first operation that makes NaN or Inf, and silence it."""
    store_i64(engine, 8 * w.DIAGNOSE, load_i64(engine, 8 * w.DIAGNOSE) - 1)
    row = load_i64(schedule, 8 * w.OPERATIONS)
    number = 0
    for _ in range(load_i64(schedule, 8 * w.COUNT)):
        first = row
        count = 1
        if load_i64(row, 0) == load_i64(schedule, 8 * w.CHAIN):
            first = load_i64(load_i64(row, 8), 8 * w.C_ROWS)
            count = load_i64(load_i64(row, 8), 8 * w.C_COUNT)
        for _ in range(count):
            run_row(first, frames)
            search(engine, first, load_i64(load_i64(schedule, 8 * w.SHAPES), 8 * number), number, frames)
            number += 1
            first += 32
        row += 32


def search(engine, row, shape, number, frames):
    """Look at what an operation has put out."""
    lanes = shape & 65535
    for j in range(shape >> 16):
        buffer = load_i64(load_i64(row, 24), 8 * j)
        for i in range(frames * lanes):
            x = load_f32(buffer, 4 * i)
            if x - x != 0.0:
                store_f32(buffer, 4 * i, 0.0)
                if load_i64(engine, 8 * w.BLAMED) == 0:
                    store_i64(engine, 8 * w.BLAMED_LANE, i % lanes)
                    store_i64(engine, 8 * w.BLAMED, number + 1)


def deliver(engine, schedule, outs, offset, frames):
    """Buses to the device: NaN and Inf become silence, the safety limiter holds the peak at 1, meters are read."""
    channels = load_i64(engine, 8 * w.OUT_CHANNELS)
    buses = load_i64(schedule, 8 * w.BUSES)
    bus_count = load_i64(schedule, 8 * w.BUS_COUNT)
    meters = load_i64(engine, 8 * w.METERS) + 8 * load_i64(engine, 8 * w.IN_CHANNELS)
    highest = u32(0)  # loudness is compared by the bits of absolute values, which order as the numbers do
    raw = u32(0)
    for c in range(channels):
        y = load_i64(outs, 8 * c) + 4 * offset
        x = 0
        if c < bus_count:
            x = load_i64(buses, 8 * c)
        if x != 0:
            for i in range(frames):
                v = load_f32(x, 4 * i)
                raw = max(raw, bits_of(abs(v)))
                v = v if v - v == 0.0 else 0.0
                store_f32(y, 4 * i, v)
                highest = max(highest, bits_of(abs(v)))
        else:
            for i in range(frames):
                store_f32(y, 4 * i, 0.0)
    if raw >= INFINITE:
        store_i64(engine, 8 * w.BAD, load_i64(engine, 8 * w.BAD) + 1)
        store_i64(engine, 8 * w.DIAGNOSE, 64)
    gain = load_f32(engine, 8 * w.GAIN)
    if from_bits(highest) > 1.0 or gain < 1.0:
        limit(engine, outs, channels, offset, frames, gain)
    if load_acquire(engine, 8 * w.STOPPING) != 0:
        fade_master(engine, outs, channels, offset, frames)
    for c in range(channels):
        y = load_i64(outs, 8 * c) + 4 * offset
        measure(y, meters + 8 * c, frames)


def limit(engine, outs, channels, offset, frames, gain):
    """One gain for all channels: down at once, up again smoothly."""
    store_i64(engine, 8 * w.LIMITED, load_i64(engine, 8 * w.LIMITED) + 1)
    release = load_f32(engine, 8 * w.RELEASE)
    for i in range(frames):
        peak = 0.0
        for c in range(channels):
            peak = max(peak, abs(load_f32(load_i64(outs, 8 * c), 4 * (offset + i))))
        gain = gain + release * (1.0 - gain)
        gain = 1.0 if gain > 0.99999 else gain
        gain = 1.0 / peak if peak * gain > 1.0 else gain
        for c in range(channels):
            y = load_i64(outs, 8 * c)
            store_f32(y, 4 * (offset + i), max(min(load_f32(y, 4 * (offset + i)) * gain, 1.0), -1.0))
    store_f32(engine, 8 * w.GAIN, gain)


def fade_master(engine, outs, channels, offset, frames):
    """The end: everything fades to silence and stays there."""
    gain = load_f32(engine, 8 * w.MASTER)
    step = load_f32(engine, 8 * w.MASTER_STEP)
    for i in range(frames):
        gain = max(gain - step, 0.0)
        for c in range(channels):
            y = load_i64(outs, 8 * c)
            store_f32(y, 4 * (offset + i), load_f32(y, 4 * (offset + i)) * gain)
    store_f32(engine, 8 * w.MASTER, gain)


def measure(x, meter, frames):
    """Peak and sum of squares since Python last looked."""
    peak = bits_of(load_f32(meter, 0))
    for i in range(frames):
        loud = bits_of(abs(load_f32(x, 4 * i)))
        peak = max(peak, loud if loud < INFINITE else 0)
    store_f32(meter, 0, from_bits(peak))
    a, b, c, d = 0.0, 0.0, 0.0, 0.0  # four sums, so that each addition need not wait for the last one
    whole = frames // 4 * 4
    for i in range(0, whole, 4):
        a = a + load_f32(x, 4 * i) * load_f32(x, 4 * i)
        b = b + load_f32(x, 4 * i + 4) * load_f32(x, 4 * i + 4)
        c = c + load_f32(x, 4 * i + 8) * load_f32(x, 4 * i + 8)
        d = d + load_f32(x, 4 * i + 12) * load_f32(x, 4 * i + 12)
    for i in range(whole, frames):
        a = a + load_f32(x, 4 * i) * load_f32(x, 4 * i)
    store_f32(meter, 4, load_f32(meter, 4) + ((a + b) + (c + d)))


def meter_inputs(engine, ins, frames):
    """Peak and power of the device's inputs."""
    meters = load_i64(engine, 8 * w.METERS)
    for c in range(load_i64(engine, 8 * w.IN_CHANNELS)):
        measure(load_i64(ins, 8 * c), meters + 8 * c, frames)
