"""Colours, the font, and the theme: neon on near-black glass."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import dearpygui.dearpygui as dpg

from nodegraph.core.ports import CableKind

Colour = tuple[int, int, int, int]
CYAN: Final = (0x00, 0xF5, 0xFF, 255)
GREEN: Final = (0x39, 0xFF, 0x14, 255)
PURPLE: Final = (0xB0, 0x26, 0xFF, 255)
MAGENTA: Final = (0xFF, 0x2B, 0xC2, 255)
GREY: Final = (140, 146, 170, 255)
AMBER: Final = (255, 190, 60, 255)
TEXT: Final = (228, 240, 255, 255)
DIM: Final = (150, 165, 195, 255)
NIGHT: Final = (8, 8, 14, 255)
GLASS: Final = (26, 28, 48, 215)
PANEL: Final = (16, 17, 28, 238)
WHITE: Final = (255, 255, 255, 255)
OF_KIND: Final[dict[CableKind | None, Colour]] = {
    CableKind.SIGNAL: CYAN, CableKind.EVENT: GREEN, CableKind.TENSOR: PURPLE, CableKind.TEXTURE: MAGENTA, None: GREY,
}  # fmt: skip
FONT_SIZE: Final = 15
PADDING: Final = (10, 8)
FONTS: Final = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf", "/usr/share/fonts/TTF/DejaVuSansMono.ttf",
    "/usr/share/fonts/dejavu-sans-mono-fonts/DejaVuSansMono.ttf", "/System/Library/Fonts/Menlo.ttc",
    "/System/Library/Fonts/SFNSMono.ttf",
)  # fmt: skip


def see_through(colour: Colour, alpha: int) -> Colour:
    """The colour, less of it."""
    return (*colour[:3], alpha)


def blended(colour: Colour, alpha: int) -> Colour:
    """The colour as it looks over the night behind it, with nothing to be seen through."""
    share = alpha / 255
    red, green, blue = (round(share * one + (1 - share) * two) for one, two in zip(colour[:3], NIGHT[:3], strict=True))
    return red, green, blue, 255


def _font() -> str | None:
    return next((font for font in FONTS if Path(font).is_file()), None)


def character_width() -> float:
    """The width of a character for a height of 1."""
    return 0.54 if _font() is None else 0.5172


def bind_font() -> float:
    """Take a font of one width; gives `character_width`. Without one it is the one that dearpygui brings."""
    path = _font()
    if path is None:
        return character_width()
    with dpg.font_registry():
        font = dpg.add_font(path, 2 * FONT_SIZE)
    dpg.bind_font(font)
    dpg.set_global_font_scale(0.5)  # loaded at twice the size, so that it is sharp on dense screens
    return character_width()


def bind_theme() -> None:
    """The dark one."""
    colours = {
        "WindowBg": PANEL, "ChildBg": (0, 0, 0, 0), "PopupBg": (20, 21, 36, 246), "MenuBarBg": (12, 12, 22, 255),
        "Border": see_through(CYAN, 60), "FrameBg": (38, 42, 72, 190), "FrameBgHovered": (52, 60, 100, 220),
        "FrameBgActive": (60, 74, 124, 230), "Text": TEXT, "TextDisabled": DIM, "Button": (44, 50, 90, 200),
        "ButtonHovered": (60, 80, 130, 230), "ButtonActive": (70, 110, 160, 255), "Header": see_through(CYAN, 60),
        "HeaderHovered": see_through(CYAN, 80), "HeaderActive": see_through(CYAN, 110), "CheckMark": CYAN,
        "SliderGrab": CYAN, "TitleBg": PANEL, "TitleBgActive": (24, 26, 48, 255), "ModalWindowDimBg": (0, 0, 0, 140),
        "ScrollbarBg": (0, 0, 0, 0), "TextSelectedBg": see_through(CYAN, 90),
    }  # fmt: skip
    styles = {
        "WindowRounding": (10,), "FrameRounding": (6,), "PopupRounding": (8,), "WindowPadding": PADDING,
        "FramePadding": (7, 3), "ItemSpacing": (7, 5), "WindowBorderSize": (1,),
    }  # fmt: skip
    with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
        for name, colour in colours.items():
            dpg.add_theme_color(getattr(dpg, f"mvThemeCol_{name}"), colour)
        for name, values in styles.items():
            dpg.add_theme_style(getattr(dpg, f"mvStyleVar_{name}"), *values)
    dpg.bind_theme(theme)


def menu_theme() -> int | str:
    """For the menus: the margins that the window below them has not."""
    with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, *PADDING)
    return theme  # type: ignore[no-any-return]


def canvas_theme() -> int | str:
    """For the window on which the canvas lies: no margin, no border."""
    with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
        dpg.add_theme_color(dpg.mvThemeCol_WindowBg, see_through(NIGHT, 0))  # what is cleared is so already
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 0, 0)
        dpg.add_theme_style(dpg.mvStyleVar_WindowBorderSize, 0)
        dpg.add_theme_style(dpg.mvStyleVar_WindowRounding, 0)
    return theme  # type: ignore[no-any-return]
