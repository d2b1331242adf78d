"""Which font there is, and how wide its characters are. A file that is no font ends dearpygui, so it is read before."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FONTS: Final = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf", "/usr/share/fonts/TTF/DejaVuSansMono.ttf",
    "/usr/share/fonts/dejavu-sans-mono-fonts/DejaVuSansMono.ttf", "/System/Library/Fonts/Menlo.ttc",
    "/System/Library/Fonts/SFNSMono.ttf", "C:/Windows/Fonts/consola.ttf",
)  # fmt: skip
PATIENCE_S: Final = 5.0
MOST_BYTES: Final = 40_000_000
BUNDLED: Final = 7 / 13
"""How wide a character of the font is that dearpygui brings, at a height of 1."""


@dataclass(frozen=True, slots=True)
class Font:
    """A font of one width: `character` is that width at a height of 1."""

    path: str
    character: float


def find_font(paths: Iterable[str] = FONTS, ask: bool = True) -> Font | None:
    """The first of these that can be read; else, with `ask`, what fontconfig has for "monospace"."""
    for path in (*paths, *(_of_fontconfig() if ask else ())):
        try:
            return Font(path, character_of(Path(path)))
        except (OSError, ValueError):
            continue
    return None


def _of_fontconfig() -> Iterator[str]:
    program = shutil.which("fc-match")
    if program is None:
        return
    try:
        done = subprocess.run(
            [program, "-f", "%{file}", "monospace:spacing=mono"], capture_output=True, text=True, timeout=PATIENCE_S
        )
    except (OSError, subprocess.SubprocessError):
        return
    if done.returncode == 0 and done.stdout:
        yield done.stdout


def character_of(path: Path) -> float:
    """The width of a figure in a TrueType or OpenType file, at a height of 1 from the deepest to the highest.

    Raises OSError, and ValueError where it is no such file.
    """
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} is no font")
    data = path.read_bytes()
    try:
        begin = struct.unpack_from(">I", data, 12)[0] if data[:4] == b"ttcf" else 0
        if data[begin : begin + 4] not in (b"\0\1\0\0", b"true", b"OTTO"):
            raise ValueError(f"{path} is no font")
        (count,) = struct.unpack_from(">H", data, begin + 4)
        tables: dict[bytes, int] = {}
        for number in range(count):
            tag, _, offset, length = struct.unpack_from(">4sIII", data, begin + 12 + 16 * number)
            if offset + length > len(data):
                raise ValueError(f"{path} ends too early")
            tables[tag] = offset
        head = tables[b"hhea"]
        high, deep = struct.unpack_from(">hh", data, head + 4)
        (widths,) = struct.unpack_from(">H", data, head + 34)
        (wide,) = struct.unpack_from(">H", data, tables[b"hmtx"] + 4 * min(20, max(0, widths - 1)))
        if b"cmap" not in tables or b"head" not in tables or high - deep <= 0 or wide == 0:
            raise ValueError(f"{path} is no font")
    except (struct.error, KeyError) as error:
        raise ValueError(f"{path} is no font") from error
    return float(wide / (high - deep))
