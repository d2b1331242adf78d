"""The gate between a device and the engine: whether this device plays it, and how loud, faded.

Two devices may call back at once while one takes over from the other; the engine is played by one of them. A device
marks that it is inside before it looks whether the gate is open, and who shuts the gate looks afterwards whether it is
inside still: one of the two sees the other, so nobody is inside once `shut` has said 0. Nobody waits on the device's
thread.
"""

from nodegraph.runtime.kernels.memory_words import (
    exchange,
    load_acquire,
    load_f32,
    load_i64,
    pause,
    store_f32,
    store_i64,
    store_release,
)
from nodegraph.runtime.native import words as w


def enter(gate):
    """The device's thread comes in. Gives whether it may play the engine; `leave` must follow either way."""
    store_i64(gate, 8 * w.G_CALLS, load_i64(gate, 8 * w.G_CALLS) + 1)
    exchange(gate, 8 * w.G_INSIDE, 1)
    pause()
    return load_acquire(gate, 8 * w.G_OPEN)


def leave(gate):
    """The device's thread is done with the engine."""
    store_release(gate, 8 * w.G_INSIDE, 0)


def shut(gate):
    """Let the device in no more. Gives whether it is inside still: ask again until it is not."""
    store_release(gate, 8 * w.G_OPEN, 0)
    pause()
    return load_acquire(gate, 8 * w.G_INSIDE)


def moved(gate, place):
    """One frame of the fade further."""
    step = load_f32(gate, 8 * w.G_STEP)
    return min(place + step, 1.0) if load_acquire(gate, 8 * w.G_GOAL) != 0 else max(place - step, 0.0)


def fading(gate):
    """Whether the device is not at full level, or leaves it."""
    faded = 0
    if load_acquire(gate, 8 * w.G_GOAL) == 0:
        faded = 1
    if load_f32(gate, 8 * w.G_PLACE) < 1.0:
        faded = 1
    return faded


def fade_inputs(gate, ins, planes, channels, frames):
    """What comes from the device, faded, in `planes`: what it gave may be read by others and stays as it is.

    The place in the fade stays: `fade` comes after it with the same block.
    """
    start = load_f32(gate, 8 * w.G_PLACE)
    for c in range(channels):
        x = load_i64(ins, 8 * c)
        y = load_i64(planes, 8 * c)
        place = start
        for i in range(frames):
            place = moved(gate, place)
            store_f32(y, 4 * i, load_f32(x, 4 * i) * (place * place * (3.0 - 2.0 * place)))


def fade(gate, outs, channels, frames):
    """Towards full level or silence along a smooth curve. It touches what the device gets, not what is recorded."""
    place = load_f32(gate, 8 * w.G_PLACE)
    for i in range(frames):
        place = moved(gate, place)
        level = place * place * (3.0 - 2.0 * place)
        for c in range(channels):
            y = load_i64(outs, 8 * c)
            store_f32(y, 4 * i, load_f32(y, 4 * i) * level)
    store_f32(gate, 8 * w.G_PLACE, place)


def remember(gate, ins, channels, frames):
    """Keep the last sample of each input channel."""
    last = load_i64(gate, 8 * w.G_LAST)
    for c in range(channels):
        store_f32(last, 4 * c, load_f32(load_i64(ins, 8 * c), 4 * (frames - 1)))


def let_go(gate, ins, channels, frames):
    """Inputs that nobody gives: from the last sample that there was softly to silence."""
    last = load_i64(gate, 8 * w.G_LAST)
    start = load_f32(gate, 8 * w.G_PLACE)
    place = start
    for c in range(channels):
        x = load_i64(ins, 8 * c)
        held = load_f32(last, 4 * c)
        place = start
        for i in range(frames):
            place = moved(gate, place)
            store_f32(x, 4 * i, held * (place * place * (3.0 - 2.0 * place)))
    store_f32(gate, 8 * w.G_PLACE, place)
