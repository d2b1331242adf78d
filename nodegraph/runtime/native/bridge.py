"""The bridge from one device's inputs to another device's outputs, whose clocks differ a little: a ring that the input
fills and the output reads, and a resampler that is steered so that the ring stays equally full.

The ring alone is no good measure: it fills and empties in blocks. So each side smooths the times of its blocks, the
input tells the output when which frame came (in one of four records, one after another, so that none is overwritten
while it is read), and the output knows how far the input is *now*, between two blocks. A loop with an integral part
follows the difference of the clocks to zero error; it begins quickly and becomes slow, so that no wobble is heard.

Source: F. Adriaensen, "Controlling adaptive resampling", Linux Audio Conference 2012. J. O. Smith III, *Digital Audio
Resampling Home Page*, "Bandlimited interpolation": a windowed sinc in a table, linear between its phases.
"""

from math import floor

from nodegraph.core.arithmetic import f32, f64, i64
from nodegraph.runtime.kernels.memory_words import (
    clock,
    load_acquire,
    load_f32,
    load_f64,
    load_i64,
    load_lanes,
    no_lanes,
    store_f32,
    store_f64,
    store_i64,
    store_lanes,
    store_release,
)
from nodegraph.runtime.native import words as w

TAPS = 64
HALF = 32
PHASES = 512
RESERVE = 96
"""Frames that are always left: enough to fade out over when no more come."""
FADE = 480
CLOCKS_HZ = 0.1
"""How fast the smoothed times follow."""
QUICK_HZ = 1.0
QUICK_S = 2.0
SETTLE_S = 8.0
FURTHEST = 0.01
"""The most that a clock is corrected by."""


def portaudio_input(given, wanted, count, time, flags, bridge):
    """``PaStreamCallback`` of the input's stream; `bridge` is the user data."""
    if given != 0:
        push(bridge, given, count & 0xFFFFFFFF, now(bridge, bridge + 8 * w.B_GIVEN_AT))
    return 0


def now(bridge, place):
    """Nanoseconds of the machine's clock, which both devices are measured by."""
    clock(load_i64(bridge, 8 * w.B_CLOCK), load_i64(bridge, 8 * w.B_CLOCK_ID), place)
    return load_i64(place, 0) * 1000000000 + load_i64(place, 8)


def push(bridge, given, frames, nanoseconds):
    """The input has `frames` interleaved frames more."""
    ring = load_i64(bridge, 8 * w.B_RING)
    mask = load_i64(bridge, 8 * w.B_MASK)
    pitch = 64 * load_i64(bridge, 8 * w.B_GROUPS)
    channels = load_i64(bridge, 8 * w.B_CHANNELS)
    written = load_i64(bridge, 8 * w.B_WRITTEN)
    for i in range(frames):
        place = ring + ((written + i) & mask) * pitch
        for c in range(channels):
            store_f32(place, 4 * c, load_f32(given, 4 * (i * channels + c)))
    time = f64(nanoseconds - load_i64(bridge, 8 * w.B_EPOCH)) * 1e-9
    when = smoothed(bridge, 8 * w.B_WHEN, 8 * w.B_EACH, time, frames, load_f64(bridge, 8 * w.B_RATE))
    if when == time:  # after a gap: what lies before it in the ring does not belong to what comes now
        store_i64(bridge, 8 * w.B_FRESH, written)
    told = load_i64(bridge, 8 * w.B_TOLD) + 1
    record = bridge + 8 * (w.B_RECORDS + 4 * (told & 3))
    store_f64(record, 0, when)
    store_i64(record, 8, written + frames)
    store_f64(record, 16, load_f64(bridge, 8 * w.B_EACH))
    store_release(bridge, 8 * w.B_WRITTEN, written + frames)
    store_release(bridge, 8 * w.B_TOLD, told)


def smoothed(bridge, when_at, each_at, time, frames, rate):
    """The time of a block without its jitter: a delay-locked loop of second order. After a gap it begins anew."""
    last = load_f64(bridge, when_at)
    each = load_f64(bridge, each_at)
    found = time
    error = time - (last + each * f64(frames))
    if last == 0.0 or abs(error) > 0.1 + 4.0 * f64(frames) / rate:
        store_f64(bridge, each_at, 1.0 / rate)
    else:
        speed = 6.283185307179586 * CLOCKS_HZ * f64(frames) / rate
        found = last + each * f64(frames) + 1.4142135623730951 * speed * error
        each = each + speed * speed * error / f64(frames)
        store_f64(bridge, each_at, max(min(each, (1.0 + FURTHEST) / rate), (1.0 - FURTHEST) / rate))
    store_f64(bridge, when_at, found)
    return found


def pull(bridge, outs, channels, frames, nanoseconds):
    """The output wants `frames` frames of `channels` planes."""
    rate = load_f64(bridge, 8 * w.B_RATE)
    told = load_acquire(bridge, 8 * w.B_TOLD)
    written = load_acquire(bridge, 8 * w.B_WRITTEN)
    record = bridge + 8 * (w.B_RECORDS + 4 * (told & 3))
    time = f64(nanoseconds - load_i64(bridge, 8 * w.B_EPOCH)) * 1e-9
    asked = smoothed(bridge, 8 * w.B_OUT_WHEN, 8 * w.B_OUT_EACH, time, frames, rate)
    # frames that the input has come to by now, had it no blocks
    passed = max(min((asked - load_f64(record, 0)) / load_f64(record, 16), rate), 0.0 - rate) if told > 0 else 0.0
    front = load_i64(record, 8)
    target = load_f64(bridge, 8 * w.B_TARGET)
    if load_i64(bridge, 8 * w.B_STATE) == 0 and told > 0:
        begin(bridge, f64(front) + passed - target, written, frames)
    if load_i64(bridge, 8 * w.B_STATE) != 0:
        delay = f64(front - load_i64(bridge, 8 * w.B_FRAME)) - load_f64(bridge, 8 * w.B_BEYOND) + passed
        store_f64(bridge, 8 * w.B_DELAY, delay)
        steer(bridge, delay - target, frames, rate)
        play_on(bridge, outs, channels, frames, written, delay - target)
    else:
        for c in range(channels):
            y = load_i64(outs, 8 * c)
            for i in range(frames):
                store_f32(y, 4 * i, 0.0)


def begin(bridge, place, written, frames):
    """Start at a place in the ring, if everything that is needed there has come."""
    whole = floor(place)
    first = i64(whole)
    if first >= load_i64(bridge, 8 * w.B_FRESH) + HALF and first + frames + frames // 64 + HALF + RESERVE < written:
        store_i64(bridge, 8 * w.B_FRAME, first)
        store_f64(bridge, 8 * w.B_BEYOND, place - whole)
        store_f64(bridge, 8 * w.B_FIRST, 0.0)
        store_f64(bridge, 8 * w.B_SECOND, 0.0)
        store_i64(bridge, 8 * w.B_PLAYED, 0)
        store_f32(bridge, 8 * w.B_LEVEL, 0.0)
        store_i64(bridge, 8 * w.B_STATE, 1)


def steer(bridge, error, frames, rate):
    """The next block's ratio, from how many frames too late it is."""
    played = load_i64(bridge, 8 * w.B_PLAYED)
    seconds = f64(played) / rate
    slowest = load_f64(bridge, 8 * w.B_SLOWEST)
    share = max(min((seconds - QUICK_S) / SETTLE_S, 1.0), 0.0)
    width = QUICK_HZ + share * (slowest - QUICK_HZ)
    block = f64(frames) / rate
    speed = 6.283185307179586 * width
    smoothing = 20.0 * speed * block / (1.0 + 20.0 * speed * block)
    first = load_f64(bridge, 8 * w.B_FIRST)
    second = load_f64(bridge, 8 * w.B_SECOND)
    third = load_f64(bridge, 8 * w.B_THIRD)
    first = first + smoothing * (1.6 * speed / rate * error - first)
    second = second + smoothing * (first - second)
    third = max(min(third + speed * block / 1.6 * second, FURTHEST), 0.0 - FURTHEST)
    store_f64(bridge, 8 * w.B_FIRST, first)
    store_f64(bridge, 8 * w.B_SECOND, second)
    store_f64(bridge, 8 * w.B_THIRD, third)
    store_f64(bridge, 8 * w.B_RATIO, 1.0 + max(min(second + third, FURTHEST), 0.0 - FURTHEST))
    store_i64(bridge, 8 * w.B_PLAYED, played + frames)


def play_on(bridge, outs, channels, frames, written, late):
    """A block; where too little is left, or far too much, it fades out, and the bridge begins anew."""
    ratio = load_f64(bridge, 8 * w.B_RATIO)
    start = load_i64(bridge, 8 * w.B_FRAME)
    beyond = load_f64(bridge, 8 * w.B_BEYOND)
    level = load_f32(bridge, 8 * w.B_LEVEL)
    fresh = load_i64(bridge, 8 * w.B_FRESH)
    edge = fresh if fresh > start - HALF else written
    there = max(edge - HALF - 1 - start, 0)  # frames that can be computed
    ends = there < i64(f64(frames) * ratio) + 2 + RESERVE or late > f64(load_i64(bridge, 8 * w.B_MASK) // 4)
    length = min(min(frames, i64(f64(there) / ratio) - 1), FADE)
    step = f32(1.0 / FADE)
    fall = level / f32(max(length, 1))
    for i in range(frames):
        if ends:
            level = max(level - fall, 0.0) if i < length else 0.0
        else:
            level = min(level + step, 1.0)
        place = beyond + f64(i) * ratio
        whole = floor(place)
        smooth = level * level * (3.0 - 2.0 * level)
        if level > 0.0:
            one_frame(bridge, outs, channels, i, start + i64(whole), place - whole, smooth)
        else:
            for c in range(channels):
                store_f32(load_i64(outs, 8 * c), 4 * i, 0.0)
    place = beyond + f64(frames) * ratio
    whole = floor(place)
    store_i64(bridge, 8 * w.B_FRAME, start + i64(whole))
    store_f64(bridge, 8 * w.B_BEYOND, place - whole)
    store_f32(bridge, 8 * w.B_LEVEL, level)
    if ends:
        store_i64(bridge, 8 * w.B_STATE, 0)
        store_i64(bridge, 8 * w.B_LOST, load_i64(bridge, 8 * w.B_LOST) + 1)
        target = load_f64(bridge, 8 * w.B_TARGET)
        wider = target + max(f64(frames) * 0.5, target * 0.125)
        if late <= f64(load_i64(bridge, 8 * w.B_MASK) // 4):  # too little was there
            store_f64(bridge, 8 * w.B_TARGET, min(wider, load_f64(bridge, 8 * w.B_MOST)))


def one_frame(bridge, outs, channels, i, frame, beyond, level):
    """All channels of one frame between two of the ring's, sixteen at a time."""
    ring = load_i64(bridge, 8 * w.B_RING)
    mask = load_i64(bridge, 8 * w.B_MASK)
    groups = load_i64(bridge, 8 * w.B_GROUPS)
    given = load_i64(bridge, 8 * w.B_CHANNELS)
    phase = beyond * f64(PHASES)
    row = floor(phase)
    share = f32(phase - row)
    table = load_i64(bridge, 8 * w.B_TABLE)
    here = table + 4 * TAPS * i64(row)
    room = table + 4 * TAPS * (PHASES + 2)
    for g in range(groups):
        even = no_lanes()
        odd = no_lanes()
        for k in range(TAPS // 2):
            a = load_f32(here, 8 * k)
            b = load_f32(here, 8 * k + 4)
            a = a + share * (load_f32(here, 8 * k + 4 * TAPS) - a)
            b = b + share * (load_f32(here, 8 * k + 4 + 4 * TAPS) - b)
            at = frame - HALF + 1 + 2 * k
            even = even + a * load_lanes(ring, ((at & mask) * groups + g) * 64)
            odd = odd + b * load_lanes(ring, (((at + 1) & mask) * groups + g) * 64)
        store_lanes(room, 0, (even + odd) * level)
        for c in range(16):
            if 16 * g + c < min(channels, given):
                store_f32(load_i64(outs, 8 * (16 * g + c)), 4 * i, load_f32(room, 4 * c))
    for c in range(min(given, channels), channels):
        store_f32(load_i64(outs, 8 * c), 4 * i, 0.0)
