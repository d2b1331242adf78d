"""Threads that dawdle at every step, so that all orders of events are met: native code, as `native.crew`."""

from nodegraph.runtime.kernels.memory_words import (
    cycles,
    flush_denormals,
    load_acquire,
    load_i64,
    pause,
    sleep_us,
    store_i64,
)
from nodegraph.runtime.native import crew as c
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.callbacks import render


def dawdle(crew):
    """Mostly nothing, often some pauses, now and then a sleep."""
    chance = (cycles() * 6364136223846793005) >> 33 & 255
    if chance < 4:
        sleep_us(load_i64(crew, 8 * w.C_SLEEP), chance * 40)
    elif chance < 128:
        for _ in range(chance):
            pause()


def dawdler(mine):
    """A helper that hesitates before it claims, before it performs, and afterwards."""
    flush_denormals()
    crew = load_i64(mine, 8 * w.K_CREW)
    store_i64(mine, 8 * w.K_THREAD, c.thread_number(crew))
    idle = 0
    while load_acquire(crew, 8 * w.C_STOP) == 0:
        dawdle(crew)
        token = c.claim(crew)
        if token >= 0:
            dawdle(crew)
            store_i64(mine, 8 * w.K_DONE, load_i64(mine, 8 * w.K_DONE) + 1)
            c.perform(crew, token)
            idle = 0
        elif idle < 20:
            idle += 1
        else:
            c.fall_asleep(crew, mine)
            idle = 0
    return 0


def slow_finish(crew, count):
    """The audio thread hesitates, too."""
    while load_acquire(crew, 8 * w.C_FINISHED) < count:
        dawdle(crew)
        token = c.claim(crew)
        if token >= 0:
            dawdle(crew)
            c.perform(crew, token)


def idle_finish(crew, count):
    """The audio thread leaves everything to the helpers, but for what they do not come for."""
    waited = 0
    while load_acquire(crew, 8 * w.C_FINISHED) < count:
        pause()
        waited += 1
        if waited > 20_000:
            token = c.claim(crew)
            if token >= 0:
                c.perform(crew, token)


def slow_render(engine, ins, outs, frames, block):
    """Blocks with `slow_finish`, which stands in for the engine's own when this is compiled."""
    return render(engine, ins, outs, frames, block)


def idle_render(engine, ins, outs, frames, block):
    """The same with `idle_finish`."""
    return render(engine, ins, outs, frames, block)


def lost(mine):
    """A helper that takes one task, loses its core for 30 ms, and is gone after that."""
    flush_denormals()
    crew = load_i64(mine, 8 * w.K_CREW)
    store_i64(mine, 8 * w.K_THREAD, c.thread_number(crew))
    token = -1
    while token < 0 and load_acquire(crew, 8 * w.C_STOP) == 0:
        token = c.claim(crew)
    if token >= 0:
        sleep_us(load_i64(crew, 8 * w.C_SLEEP), 30_000)
        c.perform(crew, token)
    return 0


def wake_and_wait(crew, count):
    """Give a helper time to take something before the audio thread does, and a core where others have taken all."""
    head = load_acquire(crew, 8 * w.C_HEAD)
    waited = 0
    while load_acquire(crew, 8 * w.C_HEAD) == head and waited < 10_500:
        waited += 1
        if waited < 10_000:
            pause()
        else:
            sleep_us(load_i64(crew, 8 * w.C_SLEEP), 1_000)


def polite_render(engine, ins, outs, frames, block):
    """Blocks with `wake_and_wait`."""
    return render(engine, ins, outs, frames, block)
