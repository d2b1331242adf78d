"""What the first bytes of an image file tell: whether it is a PNG or a JPEG, and how large. Nothing is decoded."""

from __future__ import annotations

import struct
from typing import Final

from nodegraph.core.errors import MediaError, Problem

SUFFIXES: Final = (".png", ".jpg", ".jpeg")
PNG: Final = b"\x89PNG\r\n\x1a\n"
JPEG: Final = b"\xff\xd8\xff"
MOST_PIXELS: Final = 16_000_000
"""So many at most are decoded: a small file may claim to hold a picture that no memory holds."""
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG behind which its size stands."""


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of the image that begins so. Raises MediaError for what is none, is damaged, or is too large."""
    if data.startswith(PNG):
        found = struct.unpack(">II", data[16:24]) if data[12:16] == b"IHDR" and len(data) >= 24 else None
    elif data.startswith(JPEG):
        found = _jpeg(data)
    else:
        raise MediaError(Problem("bad-image", "This is neither a PNG nor a JPEG.", "Convert it to one of them."))
    if found is None or min(found) < 1:
        raise MediaError(Problem("bad-image", "The image is damaged.", "Make it anew, or take it from a copy."))
    width, height = found
    if width * height > MOST_PIXELS:
        what = f"The image has {width} x {height} points; {MOST_PIXELS // 1_000_000} million are the most."
        raise MediaError(Problem("bad-image", what, "Make it smaller."))
    return width, height


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """The size behind the first frame's marker."""
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # these stand alone
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:
            return None
        at += 2 + length
    return None
