"""MIDI inside a JACK client's callback: what comes goes into a ring before the block is played, what goes leaves after.

Each ring has one writer and one reader. What came in a block is in the ring before any frame of the block counts as
played: who reads how far the engine is, and then the ring, misses nothing that came before. What goes out is looked for
when the block has been played, so that everything for it is known, in freewheel as well.
"""

from nodegraph.runtime.kernels.memory_words import (
    call_address,
    load_acquire,
    load_i64,
    port_buffer,
    store_i64,
    store_release,
)
from nodegraph.runtime.native import words as w

HALF = 0xFFFFFFFF


def begin(midi: int, frames: int) -> None:
    """A block begins: what the last one left in the port's buffer is no message of this one."""
    get_buffer = load_i64(midi, 8 * w.M_GET_BUFFER)
    buffer = port_buffer(get_buffer, load_i64(midi, 8 * w.M_OUT_PORT), frames)
    call_address(load_i64(midi, 8 * w.M_CLEAR), buffer)
    store_i64(midi, 8 * w.M_OUT_BUFFER, buffer)


def take_in(midi: int, first: int, frames: int) -> None:
    """Keep what comes in this block, which begins at frame `first`."""
    get_buffer = load_i64(midi, 8 * w.M_GET_BUFFER)
    buffer = port_buffer(get_buffer, load_i64(midi, 8 * w.M_IN_PORT), frames)
    event = load_i64(midi, 8 * w.M_EVENT)
    get = load_i64(midi, 8 * w.M_GET)
    for k in range(call_address(load_i64(midi, 8 * w.M_COUNT), buffer) & HALF):
        if (call_address(get, event, buffer, k) & HALF) == 0:
            keep(midi, first + (load_i64(event, 0) & HALF), load_i64(event, 8), load_i64(event, 16))


def keep(midi: int, frame: int, size: int, place: int) -> None:
    """Write one message into the ring of what has come; without room it is lost, and counted."""
    ring = load_i64(midi, 8 * w.M_IN_RING)
    most = load_i64(midi, 8 * w.M_RING_BYTES)
    written = load_i64(midi, 8 * w.M_IN_WRITTEN)
    room = most - (written - load_acquire(midi, 8 * w.M_IN_READ))
    at = written & (most - 1)
    needed = w.RECORD_BYTES + ((size + w.RECORD_BYTES - 1) & -w.RECORD_BYTES)
    rest = 0
    if at + needed > most:
        rest = most - at
    if rest + needed > room:
        store_i64(midi, 8 * w.M_IN_LOST, load_i64(midi, 8 * w.M_IN_LOST) + 1)
    else:
        if rest > 0:
            store_i64(ring, at + 8, w.REST)
            at = 0
        store_i64(ring, at, frame)
        store_i64(ring, at + 8, size)
        call_address(load_i64(midi, 8 * w.M_COPY), ring + at + w.RECORD_BYTES, place, size)
        store_release(midi, 8 * w.M_IN_WRITTEN, written + rest + needed)


def give_out(midi: int, first: int, frames: int) -> None:
    """Send what is due in the block that was played, each message at its frame."""
    ring = load_i64(midi, 8 * w.M_OUT_RING)
    most = load_i64(midi, 8 * w.M_RING_BYTES)
    buffer = load_i64(midi, 8 * w.M_OUT_BUFFER)
    written = load_acquire(midi, 8 * w.M_OUT_WRITTEN)
    read = load_i64(midi, 8 * w.M_OUT_READ)
    least = 0
    looking = True
    while looking:
        looking = read < written
        if looking:
            at = read & (most - 1)
            size = load_i64(ring, at + 8)
            if size == w.REST:
                read += most - at
            else:
                time = load_i64(ring, at) - first
                looking = time < frames
                if looking:
                    if time < 0:
                        store_i64(midi, 8 * w.M_OUT_LATE, load_i64(midi, 8 * w.M_OUT_LATE) + 1)
                    least = max(least, time)  # the device wants them in order
                    send = load_i64(midi, 8 * w.M_WRITE)
                    if (call_address(send, buffer, least, ring + at + w.RECORD_BYTES, size) & HALF) != 0:
                        store_i64(midi, 8 * w.M_OUT_LOST, load_i64(midi, 8 * w.M_OUT_LOST) + 1)
                    read += w.RECORD_BYTES + ((size + w.RECORD_BYTES - 1) & -w.RECORD_BYTES)
    store_release(midi, 8 * w.M_OUT_READ, read)
