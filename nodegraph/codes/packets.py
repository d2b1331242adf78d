"""Some frames of codes as bytes, and back: packed bit by bit, and looked at as something that strangers wrote.

=========  ================================================================================
bytes      what
=========  ================================================================================
4          ``ngc1``
1          the codec: its place in `CODECS`
1          stages
1          frames
1          0
4          the stream: a number of its own for each time that somebody begins to send
4          the number of the first frame, from 0; it goes round at 2^32
the rest   codes, frame by frame, the first stage first, each in as many bits as the codec has
=========  ================================================================================

Numbers have their highest byte, codes their highest bit first; the last byte is filled with zeros.
"""

from __future__ import annotations

import struct
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodegraph.codes.codecs import CODECS, NAMES, Codec
from nodegraph.core.errors import MediaError, Problem

Codes = NDArray[np.int64]
MAGIC: Final = b"ngc1"
HEAD: Final = struct.Struct(">4sBBBBII")
MOST_FRAMES: Final = 64
LARGEST: Final = 1_400
"""Bytes of a packet: it goes through every network in one piece."""
ROUND: Final = 1 << 32


class CodesError(MediaError):
    """Bytes that are no codes, or codes that no packet or file can hold."""

    @classmethod
    def of(cls, what: str) -> CodesError:
        """With one problem."""
        return cls(Problem("bad-codes", what))


class Packet(NamedTuple):
    """``codes (stages, frames)`` of a stream, the first of them frame number `first`."""

    codec: Codec
    stream: int
    first: int
    codes: Codes


def pack(packet: Packet) -> bytes:
    """A packet as bytes. Raises CodesError when it does not go into one."""
    codec, codes = packet.codec, np.asarray(packet.codes)
    stages, frames = codes.shape
    if not 1 <= stages <= codec.stages or not 1 <= frames <= MOST_FRAMES:
        what = f"codes have the shape {codes.shape}; {codec.name} has 1 to {codec.stages} stages"
        raise _bad(f"{what}, and a packet 1 to {MOST_FRAMES} frames")
    if codes.min() < 0 or codes.max() >= codec.entries:
        raise _bad(f"codes go from {codes.min()} to {codes.max()}; {codec.name} has 0 to {codec.entries - 1}")
    ways = np.arange(codec.bits - 1, -1, -1)
    bits = (codes.T.reshape(-1, 1).astype(np.int64) >> ways & 1).astype(np.uint8)
    head = HEAD.pack(
        MAGIC, NAMES.index(codec.name), stages, frames, 0, packet.stream % ROUND, packet.first % ROUND
    )  # fmt: skip
    made = head + np.packbits(bits.reshape(-1)).tobytes()
    if len(made) > LARGEST:
        raise _bad(f"{frames} frames of {stages} stages take {len(made)} bytes; a packet has {LARGEST} at most")
    return made


def unpack(data: Any) -> Packet:
    """The packet in these bytes. Raises CodesError, and nothing else."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise _bad(f"{type(data).__name__} came, and no bytes")
    data = bytes(data[: LARGEST + 1])
    if not HEAD.size < len(data) <= LARGEST:
        raise _bad(f"it has {len(data)} bytes; a packet has {HEAD.size + 1} to {LARGEST}")
    magic, codec_number, stages, frames, zero, stream, first = HEAD.unpack_from(data)
    if magic != MAGIC or zero:
        raise _bad("it begins as no packet of codes does")
    if codec_number >= len(NAMES):
        raise _bad(f"it is for codec {codec_number}, and there are {len(NAMES)}")
    codec = CODECS[NAMES[codec_number]]
    if not 1 <= stages <= codec.stages or not 1 <= frames <= MOST_FRAMES:
        raise _bad(f"it has {stages} stages and {frames} frames")
    count = stages * frames * codec.bits
    if len(data) != HEAD.size + -(-count // 8):
        raise _bad(f"it has {len(data)} bytes, and {stages} stages of {frames} frames need others")
    bits = np.unpackbits(np.frombuffer(data, np.uint8, offset=HEAD.size))
    if bits[count:].any():
        raise _bad("its last byte is filled with something else than zeros")
    weights = 1 << np.arange(codec.bits - 1, -1, -1, dtype=np.int64)
    codes = bits[:count].reshape(-1, codec.bits).astype(np.int64) @ weights
    return Packet(codec, stream, first, codes.reshape(frames, stages).T)


def _bad(what: str) -> CodesError:
    return CodesError.of(f"{what}.")
