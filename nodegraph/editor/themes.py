"""The colours of the two themes, as tables, and how well one is told from another. Nothing here draws.

Both themes give the same names a colour. The names are those of the neon theme; in the light one ``CYAN`` is a dark
teal, and ``WHITE``, which is for what stands out most, nearly black.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from nodegraph.core.ports import CableKind

Rgba = tuple[int, int, int, int]
NEON: Final[Mapping[str, Rgba]] = {
    "CYAN": (0x00, 0xF5, 0xFF, 255), "GREEN": (0x39, 0xFF, 0x14, 255), "PURPLE": (0xB0, 0x26, 0xFF, 255),
    "MAGENTA": (0xFF, 0x2B, 0xC2, 255), "GREY": (142, 148, 172, 255), "AMBER": (255, 190, 60, 255),
    "TEXT": (228, 240, 255, 255), "DIM": (176, 190, 216, 255), "WHITE": (255, 255, 255, 255),
    "RED": (255, 146, 146, 255), "BLUE": (150, 176, 255, 255),
    "LILAC": (222, 178, 255, 255), "PINK": (255, 170, 232, 255), "SILVER": (188, 194, 214, 255),
    "NIGHT": (8, 8, 14, 255), "GLASS": (26, 28, 48, 215), "PANEL": (16, 17, 28, 238), "POPUP": (20, 21, 36, 246),
    "BAR": (12, 12, 22, 255), "FIELD": (36, 40, 68, 190), "FIELD_NEAR": (46, 52, 86, 220),
    "FIELD_HELD": (50, 58, 96, 230),
    "BUTTON": (40, 46, 82, 200), "BUTTON_NEAR": (48, 62, 102, 230), "BUTTON_HELD": (38, 76, 112, 255),
    "TITLE": (24, 26, 46, 255), "HEADER": (14, 62, 76, 255), "HEADER_NEAR": (16, 74, 88, 255),
    "SHINE": (250, 252, 255, 42), "GRID": (198, 216, 255, 13), "SHADE": (0, 0, 0, 140),
    "COLD": (60, 110, 255, 255), "HOT": (255, 60, 40, 255),
}  # fmt: skip
LIGHT: Final[Mapping[str, Rgba]] = {
    "CYAN": (0, 78, 92, 255), "GREEN": (12, 82, 6, 255), "PURPLE": (98, 12, 160, 255), "MAGENTA": (140, 0, 88, 255),
    "GREY": (76, 80, 96, 255), "AMBER": (112, 58, 0, 255), "TEXT": (20, 24, 38, 255), "DIM": (58, 64, 82, 255),
    "RED": (148, 0, 24, 255), "BLUE": (30, 46, 150, 255),
    "WHITE": (4, 6, 14, 255), "LILAC": (90, 16, 148, 255), "PINK": (128, 4, 82, 255), "SILVER": (64, 68, 84, 255),
    "NIGHT": (243, 244, 248, 255), "GLASS": (255, 255, 255, 240), "PANEL": (250, 250, 253, 255),
    "POPUP": (252, 252, 254, 255), "BAR": (232, 234, 241, 255), "FIELD": (228, 231, 240, 255),
    "FIELD_NEAR": (218, 223, 236, 255), "FIELD_HELD": (210, 216, 232, 255), "BUTTON": (222, 226, 238, 255),
    "BUTTON_NEAR": (206, 216, 234, 255), "BUTTON_HELD": (190, 210, 230, 255), "TITLE": (236, 238, 245, 255),
    "HEADER": (196, 226, 232, 255), "HEADER_NEAR": (184, 219, 227, 255), "SHINE": (254, 254, 255, 0),
    "GRID": (30, 40, 72, 20), "SHADE": (40, 44, 60, 110), "COLD": (40, 80, 210, 255), "HOT": (200, 20, 10, 255),
}  # fmt: skip
THEMES: Final[Mapping[str, Mapping[str, Rgba]]] = {"neon": NEON, "light": LIGHT}
OF_KIND: Final[Mapping[CableKind | None, str]] = {
    CableKind.SIGNAL: "CYAN", CableKind.EVENT: "GREEN", CableKind.TENSOR: "PURPLE", CableKind.TEXTURE: "MAGENTA",
    None: "GREY",
}  # fmt: skip
"""The colour of a kind's cables and ports."""
WRITTEN: Final[Mapping[CableKind | None, str]] = {
    CableKind.SIGNAL: "CYAN", CableKind.EVENT: "GREEN", CableKind.TENSOR: "LILAC", CableKind.TEXTURE: "PINK",
    None: "SILVER",
}  # fmt: skip
"""The colour of texts of a kind: thin strokes need more contrast than cables do."""


def over(colour: Sequence[int], ground: Sequence[int]) -> Rgba:
    """What is seen of a colour that lets something through."""
    share = colour[3] / 255
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(colour[:3], ground[:3], strict=True))
    return red, green, blue, 255


def mixed(one: Sequence[int], other: Sequence[int], part: float) -> Rgba:
    """From one colour to the other: `part` of the way."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one[:3], other[:3], strict=True))
    return red, green, blue, 255


def contrast(one: Sequence[int], other: Sequence[int]) -> float:
    """From 1 (the same) to 21 (black on white), as WCAG 2 defines it."""
    dark, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: Sequence[int]) -> float:
    parts = [value / 255 for value in colour[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
