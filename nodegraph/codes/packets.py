"""Codes in UDP packets: one array, packed to the bit, behind a header that says whose it is and where it belongs.

======  =====  ========================================================================================
byte    bytes  what
======  =====  ========================================================================================
0       4      ``ngco``
4       1      version: 1
5       1      bits of a code, 1 to 16
6       1      stages, 1 to 128
7       1      bytes of the codec's name, 1 to 40
8       2      frames, 1 to 1024
10      2      samples of a frame
12      4      the sound's samples a second
16      4      the stream: another number whenever a sender begins anew
20      4      the packet's number in its stream
24      4      the number of its first frame in its stream
28             the codec's name, then the codes: frame by frame, each its stages, the highest bit first
======  =====  ========================================================================================

Numbers have the highest byte first; those of the stream begin again behind the highest. What comes from strangers
is bounded in every way, and no other exception than `CodesError` comes out.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodegraph.codes.kinds import NAME, Codec, is_sane
from nodegraph.core.errors import NodegraphError, Problem

DOOR: Final = "codes"
"""The door by which packets come and go (`core.declare.Outside`): `CodesOut` leave, ``(port, bytes)`` arrive."""
MAGIC: Final = b"ngco"
VERSION: Final = 1
LARGEST: Final = 16_384
"""Bytes of a packet."""
MOST_STAGES: Final = 128
MOST_FRAMES: Final = 1_024
LONGEST_S: Final = 10.0
"""How much sound one packet may stand for."""
AROUND: Final = 1 << 32
_HEADER: Final = Struct(">4sBBBBHHIIII")
HEADER_BYTES: Final = _HEADER.size
Codes = NDArray[np.int64]


class CodesError(NodegraphError):
    """A packet holds no codes, or more than may be."""


class CodesOut(NamedTuple):
    """A packet that goes to `host` and `port`, at once."""

    host: str
    port: int
    packet: bytes
    protocol: str = "udp"


class Packet(NamedTuple):
    """What a packet holds. `first` is the number of its first frame in the stream; `codes` are (stages, frames)."""

    codec: Codec
    stream: int
    sequence: int
    first: int
    codes: Codes

    @property
    def frames(self) -> int:
        """How many frames."""
        return int(self.codes.shape[1])


def build(packet: Packet) -> bytes:
    """A packet as bytes. Raises CodesError when it is beyond the bounds."""
    codec, codes = packet.codec, packet.codes
    stages, frames = codes.shape
    if not 1 <= stages <= MOST_STAGES or not 1 <= frames <= MOST_FRAMES:
        raise _error(f"it has {stages} stages of {frames} frames; {MOST_STAGES} of {MOST_FRAMES} go into one")
    if codes.min() < 0 or codes.max() >> codec.bits:
        span = f"0 to {(1 << codec.bits) - 1}"
        raise _error(f"codes go from {codes.min()} to {codes.max()}; those of {codec.name} go from {span}")
    if codec.seconds(frames) > LONGEST_S:
        raise _error(f"it is {codec.seconds(frames):.1f} s of sound; {LONGEST_S:.0f} s go into one")
    name = codec.name.encode()
    numbers = (packet.stream % AROUND, packet.sequence % AROUND, packet.first % AROUND)
    head = _HEADER.pack(
        MAGIC, VERSION, codec.bits, stages, len(name), frames, codec.hop, codec.rate, *numbers
    )  # fmt: skip
    made = head + name + packed(codes, codec.bits)
    if len(made) > LARGEST:
        raise _error(f"it would have {len(made)} bytes, of {LARGEST} that it may have")
    return made


def parse(data: bytes) -> Packet:
    """What bytes from strangers hold. Raises CodesError, and nothing else."""
    if len(data) < HEADER_BYTES or data[:4] != MAGIC:
        raise _error("it does not begin as one")
    if len(data) > LARGEST:
        raise _error(f"it has {len(data)} bytes, of {LARGEST} that it may have")
    _, version, bits, stages, length, frames, hop, rate, stream, sequence, first = _HEADER.unpack_from(data)
    if version != VERSION:
        raise _error(f"it is of version {version}; this nodegraph reads {VERSION}")
    if not 1 <= stages <= MOST_STAGES or not 1 <= frames <= MOST_FRAMES:
        raise _error(f"it has {stages} stages of {frames} frames")
    begin = HEADER_BYTES + length
    name = data[HEADER_BYTES:begin].decode("ascii", "replace")
    codec = Codec(name, rate, hop, bits)
    if NAME.fullmatch(name) is None or not is_sane(codec):
        raise _error("what it says of its codec makes no sense")
    if codec.seconds(frames) > LONGEST_S:
        raise _error(f"it is {codec.seconds(frames):.1f} s of sound")
    if len(data) != begin + packed_bytes(stages, frames, bits):
        raise _error(f"it has {len(data)} bytes, and says of itself that it has others")
    return Packet(codec, stream, sequence, first, unpacked(data[begin:], stages, frames, bits))


def packed_bytes(stages: int, frames: int, bits: int) -> int:
    """How many bytes so many codes take."""
    return (stages * frames * bits + 7) // 8


def packed(codes: Codes, bits: int) -> bytes:
    """Codes ``(stages, frames)`` as bits, frame by frame."""
    shifts = np.arange(bits - 1, -1, -1)
    return np.packbits((codes.T[:, :, None] >> shifts & 1).astype(np.uint8)).tobytes()


def unpacked(data: bytes, stages: int, frames: int, bits: int) -> Codes:
    """The inverse of `packed`."""
    found = np.unpackbits(np.frombuffer(data, np.uint8), count=stages * frames * bits)
    weights = 1 << np.arange(bits - 1, -1, -1, dtype=np.int64)
    return np.ascontiguousarray((found.reshape(frames, stages, bits) @ weights).T)


def _error(why: str) -> CodesError:
    return CodesError(Problem("bad-codes", f"A packet of codes was not understood: {why}."))


def as_arrived(value: Any) -> tuple[int, bytes] | None:
    """What came in by the door: port and bytes; None when it is something else (an act of a file may be anything)."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], int) and isinstance(value[1], bytes):
        return value[0], value[1]
    return None
