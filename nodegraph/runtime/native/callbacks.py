"""What audio devices call: PortAudio's and JACK's callbacks, the null driver's loop. No Python inside.

PortAudio hands over interleaved blocks and JACK a port's buffer per channel; both become planar tables for `process`.
Each device comes through a gate of its own, which says whether it is the one that plays the engine. The device may have
fewer channels than the engine, or more: what is not there is silent.
"""

from nodegraph.runtime.kernels.memory_words import (
    clock,
    fence,
    load_acquire,
    load_f32,
    load_i64,
    port_buffer,
    sleep_us,
    store_f32,
    store_i64,
    store_release,
)
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.bridge import now, pull
from nodegraph.runtime.native.dispatch import process
from nodegraph.runtime.native.gate import enter, fade, fade_inputs, fading, leave, let_go, remember
from nodegraph.runtime.native.midi import begin, give_out, take_in

LOST_INPUT = 2
LOST_OUTPUT = 4


def portaudio(given, wanted, count, time, flags, gate):
    """``PaStreamCallback``; `gate` is the user data."""
    frames = count & 0xFFFFFFFF
    takes = load_i64(gate, 8 * w.G_WANTED)
    if enter(gate) != 0:
        engine = load_i64(gate, 8 * w.G_ENGINE)
        if (flags & (LOST_INPUT | LOST_OUTPUT)) != 0:
            store_i64(engine, 8 * w.XRUNS, load_i64(engine, 8 * w.XRUNS) + 1)
        ins = load_i64(engine, 8 * w.IN_POINTERS)
        outs = load_i64(engine, 8 * w.OUT_POINTERS)
        channels = load_i64(engine, 8 * w.OUT_CHANNELS)
        longest = load_i64(engine, 8 * w.SCRATCH_FRAMES)
        done = 0
        while done < frames:
            part = min(frames - done, longest)
            bridge = load_i64(gate, 8 * w.G_BRIDGE)
            if bridge != 0:
                pull(bridge, ins, load_i64(engine, 8 * w.IN_CHANNELS), part, now(bridge, bridge + 8 * w.B_ASKED_AT))
            else:
                planar(gate, engine, given, ins, done, part)
            play(gate, engine, ins, outs, part)
            for c in range(takes):
                if c < channels:
                    y = load_i64(outs, 8 * c)
                    for i in range(part):
                        store_f32(wanted, 4 * ((done + i) * takes + c), load_f32(y, 4 * i))
                else:
                    for i in range(part):
                        store_f32(wanted, 4 * ((done + i) * takes + c), 0.0)
            done += part
    else:
        for i in range(frames * takes):
            store_f32(wanted, 4 * i, 0.0)
    leave(gate)
    return 0


def stamp(engine):
    """Write down when the device asks for which frame (`runtime.engine.Engine.stamp` reads it)."""
    count = load_i64(engine, 8 * w.STAMPS)
    store_release(engine, 8 * w.STAMPS, count + 1)
    fence()
    store_i64(engine, 8 * w.STAMP_FRAME, load_i64(engine, 8 * w.DONE))
    clock(load_i64(engine, 8 * w.CLOCK), load_i64(engine, 8 * w.CLOCK_ID), engine + 8 * w.STAMP_TIME)
    store_release(engine, 8 * w.STAMPS, count + 2)


def play(gate, engine, ins, outs, frames):
    """The engine plays a block for the device that has come in, faded while this one comes or goes."""
    stamp(engine)
    heard = ins
    faded = fading(gate)
    inputs = load_i64(engine, 8 * w.IN_CHANNELS)
    if faded != 0:
        heard = load_i64(engine, 8 * w.IN_POINTERS)
        fade_inputs(gate, ins, heard, inputs, frames)
    remember(gate, heard, inputs, frames)
    process(engine, heard, outs, frames)
    if faded != 0:
        fade(gate, outs, load_i64(engine, 8 * w.OUT_CHANNELS), frames)


def planar(gate, engine, given, ins, done, frames):
    """The interleaved channels that a device gives, from frame `done` on, as the engine's planes."""
    gives = load_i64(gate, 8 * w.G_GIVEN)
    for c in range(load_i64(engine, 8 * w.IN_CHANNELS)):
        x = load_i64(ins, 8 * c)
        if given != 0 and c < gives:
            for i in range(frames):
                store_f32(x, 4 * i, load_f32(given, 4 * ((done + i) * gives + c)))
        else:
            for i in range(frames):
                store_f32(x, 4 * i, 0.0)


def jack(count, gate):
    """``JackProcessCallback``; `gate` is the argument."""
    frames = count & 0xFFFFFFFF
    table = load_i64(gate, 8 * w.G_PORTS)
    get_buffer = load_i64(table, 0)
    gives = load_i64(gate, 8 * w.G_GIVEN)
    takes = load_i64(gate, 8 * w.G_WANTED)
    ins = load_i64(gate, 8 * w.G_INS)
    outs = load_i64(gate, 8 * w.G_OUTS)
    for c in range(gives):
        store_i64(ins, 8 * c, port_buffer(get_buffer, load_i64(table, 8 * (1 + c)), frames))
    for c in range(takes):
        store_i64(outs, 8 * c, port_buffer(get_buffer, load_i64(table, 8 * (1 + gives + c)), frames))
    midi = load_i64(gate, 8 * w.G_MIDI)
    if midi != 0:
        begin(midi, frames)
    if enter(gate) != 0:
        engine = load_i64(gate, 8 * w.G_ENGINE)
        first = load_i64(engine, 8 * w.DONE)
        if midi != 0:
            take_in(midi, first, frames)
        play(gate, engine, ins, outs, frames)
        if midi != 0:
            give_out(midi, first, frames)
    else:
        for c in range(takes):
            y = load_i64(outs, 8 * c)
            for i in range(frames):
                store_f32(y, 4 * i, 0.0)
    leave(gate)
    return 0


def jack_xrun(gate):
    """``JackXRunCallback``."""
    if load_acquire(gate, 8 * w.G_OPEN) != 0:
        engine = load_i64(gate, 8 * w.G_ENGINE)
        store_i64(engine, 8 * w.XRUNS, load_i64(engine, 8 * w.XRUNS) + 1)
    return 0


def jack_freewheel(starting, gate):
    """``JackFreewheelCallback``: while the server runs ahead, wait for the events as offline."""
    if load_acquire(gate, 8 * w.G_OPEN) != 0:
        store_i64(load_i64(gate, 8 * w.G_ENGINE), 8 * w.WAIT, starting & 0xFFFFFFFF)
    return 0


def null_loop(gate, frames, nanoseconds, clock_id, place):
    """Play in real time to nobody until the gate's RUN is cleared; a block that comes too late counts as an xrun.

    Which engine the gate leads to is known inside only: it may have been another one while the gate was shut.
    """
    sleep = load_i64(load_i64(gate, 8 * w.G_ENGINE), 8 * w.SLEEP)
    get_time = load_i64(load_i64(gate, 8 * w.G_ENGINE), 8 * w.CLOCK)
    late = 0
    clock(get_time, clock_id, place)
    due = load_i64(place, 0) * 1000000000 + load_i64(place, 8)
    while load_acquire(gate, 8 * w.G_RUN) != 0:
        if enter(gate) != 0:
            engine = load_i64(gate, 8 * w.G_ENGINE)
            ins = load_i64(engine, 8 * w.IN_POINTERS)
            store_i64(engine, 8 * w.XRUNS, load_i64(engine, 8 * w.XRUNS) + late)
            stamp(engine)
            let_go(gate, ins, load_i64(engine, 8 * w.IN_CHANNELS), frames)
            process(engine, ins, load_i64(engine, 8 * w.OUT_POINTERS), frames)
        leave(gate)
        late = 0
        due += nanoseconds
        clock(get_time, clock_id, place)
        now = load_i64(place, 0) * 1000000000 + load_i64(place, 8)
        if now < due:
            sleep_us(sleep, (due - now) // 1000)
        elif now > due + 4 * nanoseconds:
            late = 1
            due = now
    return 0


def render(engine, ins, outs, frames, block):
    """Block after block, for the offline renderer. `ins` and `outs` list where the first one lies."""
    done = 0
    while done < frames:
        part = min(block, frames - done)
        process(engine, ins, outs, part)
        move(ins, load_i64(engine, 8 * w.IN_CHANNELS), 4 * part)
        move(outs, load_i64(engine, 8 * w.OUT_CHANNELS), 4 * part)
        done += part
    move(ins, load_i64(engine, 8 * w.IN_CHANNELS), -4 * frames)
    move(outs, load_i64(engine, 8 * w.OUT_CHANNELS), -4 * frames)
    return 0


def move(table, many, bytes):
    """Each address of a table goes on by so many bytes."""
    for c in range(many):
        store_i64(table, 8 * c, load_i64(table, 8 * c) + bytes)
