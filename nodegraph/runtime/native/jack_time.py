"""Tells JACK's other clients bars and beats: the timebase callback of a client of its own. No Python inside.

The line from frames to beats lies in one of two records; Python writes the other one and then says that it counts.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from math import floor

from nodegraph.core.arithmetic import f64, i64
from nodegraph.runtime.kernels.memory_words import (
    load_acquire,
    load_f64,
    load_u32,
    store_f32,
    store_f64,
    store_u32,
)

RECORD = 5
"""Words of a record: beat, frame, beats a frame, beats a bar, beats a minute."""
LINE_WORDS = 1 + 2 * RECORD
TICKS = 1920
BBT = 0x10
FRAME, VALID, BAR, BEAT, TICK, BAR_START = 20, 24, 28, 32, 36, 40
BEATS_A_BAR, BEAT_TYPE, TICKS_A_BEAT, BPM = 48, 52, 56, 64
"""Bytes from the beginning of ``jack_position_t``."""


def timebase(state, frames, position, new, line):
    """``JackTimebaseCallback``; `line` is the argument."""
    record = line + 8 + 8 * RECORD * load_acquire(line, 0)
    passed = f64(load_u32(position, FRAME)) - load_f64(record, 8)
    beat = load_f64(record, 0) + passed * load_f64(record, 16)
    meter = load_f64(record, 24)
    bar = floor(beat / meter + 1e-9)
    within = max(beat - bar * meter, 0.0)
    whole = floor(within + 1e-9)
    store_u32(position, VALID, BBT)
    store_u32(position, BAR, i64(bar) + 1)
    store_u32(position, BEAT, i64(whole) + 1)
    store_u32(position, TICK, i64(max(within - whole, 0.0) * TICKS))
    store_f64(position, BAR_START, bar * meter * TICKS)
    store_f32(position, BEATS_A_BAR, meter)
    store_f32(position, BEAT_TYPE, 4.0)
    store_f64(position, TICKS_A_BEAT, f64(TICKS))
    store_f64(position, BPM, load_f64(record, 32))
    return 0
