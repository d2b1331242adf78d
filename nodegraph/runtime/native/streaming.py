"""Sound that a worker made, played a fixed time behind what it heard. See `runtime.lane.streams` for the ring."""

from nodegraph.core.arithmetic import f32
from nodegraph.runtime.kernels.memory_words import load_acquire, load_f32, load_i64, store_f32, store_i64
from nodegraph.runtime.native.words import NOW


def stream(state, ins, outs, frames):
    """Play a worker's sound.

    State: engine, channels, header, data, frames of the ring (a power of two), latency, frames of a fade, and the ring
    of what went in: data (0: not heard), frames, channels. The gain moves by no more than one step a sample, and is 0
    where a segment ends. Once it falls it falls to 0, also when more comes meanwhile: a turn on the way would be heard.
    """
    engine = load_i64(state, 0)
    channels = load_i64(state, 8)
    header = load_i64(state, 16)
    data = load_i64(state, 24)
    size = load_i64(state, 32)
    latency = load_i64(state, 40)
    fade = load_i64(state, 48)
    dry = load_i64(state, 56)
    dry_size = load_i64(state, 64)
    dry_channels = load_i64(state, 72)
    written = load_acquire(header, 0)
    before = load_i64(header, 8)
    begin = load_i64(header, 16)
    gain = load_f32(header, 24)
    missed = load_i64(header, 32)
    falls = load_i64(header, 40)
    step = f32(1.0) / f32(fade)
    first = load_i64(engine, 8 * NOW) - latency
    for i in range(frames):
        k = first + i
        left = written - k
        if k < begin:
            left = before - k
        room = left
        if k >= begin and k - begin < room:
            room = k - begin
        wanted = f32(room) * step
        if wanted > 1.0:
            wanted = f32(1.0)
        if wanted < 0.0:
            wanted = f32(0.0)
        risen = gain + step
        if wanted > risen:
            wanted = risen
        if gain == 0.0 and left < 2 * fade:
            wanted = f32(0.0)  # it begins only when there is enough to come up to the full
        fallen = gain - step
        if fallen < 0.0:
            fallen = f32(0.0)
        if falls != 0 and wanted > fallen:
            wanted = fallen
        if wanted < fallen - f32(0.01) * step:  # what is there ends sooner than was known: rounding is no reason
            wanted = fallen
        if wanted < gain:
            falls = 1
        if wanted == 0.0:
            falls = 0
            if gain > 0.0:
                missed += 1
        gain = wanted
        wet = gain * gain * (f32(3.0) - f32(2.0) * gain)  # without a corner at either end
        place = 4 * (k & (size - 1))
        for c in range(channels):
            sample = load_f32(data + 4 * size * c, place) * wet
            if dry != 0:
                from_ = c
                if from_ >= dry_channels:
                    from_ = dry_channels - 1
                away = f32(1.0) - wet
                sample = sample + load_f32(dry + 4 * dry_size * from_, 4 * (k & (dry_size - 1))) * away
            store_f32(load_i64(outs, 8 * c), 4 * i, sample)
    store_f32(header, 24, gain)
    store_i64(header, 32, missed)
    store_i64(header, 40, falls)
    store_i64(header, 48, first + frames)
