"""Colours, the font and the size of everything, as they are in force: others may come while the window is open.

How a panel or an overlay gets a colour: import it by its name and give it to dearpygui when you draw,

    from nodegraph.editor.gui.looks import CYAN, px, see_through
    dpg.add_text(name, color=CYAN)
    dpg.draw_line(start, end, color=see_through(CYAN, 90), thickness=px(2))

`CYAN` is one object for ever, whose numbers are those of the theme in force; so is ``see_through(CYAN, 90)``, which may
be kept in a constant. What was drawn before the theme changes is found by its colour and painted anew (`Looks.use`), so
nobody has to draw again. Colours that are in no table (`nodegraph.editor.themes`) stay as they are: write no numbers,
and draw what is mixed of several anew when `LOOKS.version` is another. A colour is compared as an object: it says
*which* colour, not what it looks like.

Lengths that are not of the patch go through `px`: it gives them at the size that the user has chosen. Widths, heights
and wraps of items that stand when that size changes are brought along by `Looks.enlarge`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.core.ports import CableKind
from nodegraph.editor import themes
from nodegraph.editor.gui.fonts import BUNDLED, Font

Colour = Sequence[int]


class Ink(list[int]):
    """A colour whose numbers follow the theme. dearpygui takes lists as colours, and what is derived from one."""

    def __init__(self, values: Sequence[int]) -> None:
        super().__init__(values)
        self._thinner: dict[int, Ink] = {}

    def follow(self, values: Sequence[int]) -> None:
        """Take other numbers."""
        self[:] = values
        for alpha, ink in self._thinner.items():
            ink.follow((*values[:3], alpha))

    def thinner(self, alpha: int) -> Ink:
        """This one, less of it; always the same object."""
        found = self._thinner.get(alpha)
        if found is None:
            found = self._thinner[alpha] = Ink((*self[:3], alpha))
        return found

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)


_INKS: Final = {name: Ink(values) for name, values in themes.NEON.items()}
CYAN: Final = _INKS["CYAN"]
GREEN: Final = _INKS["GREEN"]
PURPLE: Final = _INKS["PURPLE"]
RED: Final = _INKS["RED"]
BLUE: Final = _INKS["BLUE"]
MAGENTA: Final = _INKS["MAGENTA"]
GREY: Final = _INKS["GREY"]
AMBER: Final = _INKS["AMBER"]
TEXT: Final = _INKS["TEXT"]
DIM: Final = _INKS["DIM"]
WHITE: Final = _INKS["WHITE"]
"""What stands out most: white on black, nearly black on white."""
NIGHT: Final = _INKS["NIGHT"]
"""The ground."""
GLASS: Final = _INKS["GLASS"]
PANEL: Final = _INKS["PANEL"]
POPUP: Final = _INKS["POPUP"]
FIELD: Final = _INKS["FIELD"]
COLD: Final = _INKS["COLD"]
HOT: Final = _INKS["HOT"]
SHINE: Final = _INKS["SHINE"]
GRID: Final = _INKS["GRID"]
OF_KIND: Final[dict[CableKind | None, Colour]] = {kind: _INKS[name] for kind, name in themes.OF_KIND.items()}
"""Of cables and ports."""
WRITTEN: Final[dict[CableKind | None, Colour]] = {kind: _INKS[name] for kind, name in themes.WRITTEN.items()}
"""Of texts about them, which need more contrast."""
READABLE: Final = 4.5
"""The contrast that texts have at least."""
FONT_SIZE: Final = 15
PADDING: Final = (10, 8)
_COLOURS: Final = {
    "WindowBg": PANEL, "PopupBg": POPUP, "MenuBarBg": _INKS["BAR"], "Border": CYAN.thinner(60),
    "FrameBg": _INKS["FIELD"], "FrameBgHovered": _INKS["FIELD_NEAR"], "FrameBgActive": _INKS["FIELD_HELD"],
    "Text": TEXT, "TextDisabled": DIM, "Button": _INKS["BUTTON"], "ButtonHovered": _INKS["BUTTON_NEAR"],
    "ButtonActive": _INKS["BUTTON_HELD"], "Header": _INKS["HEADER"], "HeaderHovered": _INKS["HEADER_NEAR"],
    "HeaderActive": _INKS["BUTTON_HELD"], "CheckMark": CYAN, "SliderGrab": CYAN, "SliderGrabActive": WHITE,
    "TitleBg": PANEL, "TitleBgActive": _INKS["TITLE"], "TitleBgCollapsed": PANEL, "ModalWindowDimBg": _INKS["SHADE"],
    "Tab": _INKS["BUTTON"], "TabHovered": _INKS["BUTTON_NEAR"], "TabActive": _INKS["HEADER"],
    "TabUnfocused": _INKS["BUTTON"], "TabUnfocusedActive": _INKS["HEADER"], "TextSelectedBg": CYAN.thinner(90),
    "Separator": CYAN.thinner(60), "ScrollbarGrab": GREY.thinner(120), "ScrollbarGrabHovered": GREY.thinner(180),
    "ScrollbarGrabActive": GREY, "ResizeGrip": CYAN.thinner(40), "ResizeGripHovered": CYAN.thinner(120),
    "ResizeGripActive": CYAN, "TableHeaderBg": _INKS["TITLE"], "TableBorderStrong": CYAN.thinner(60),
    "TableBorderLight": CYAN.thinner(30), "NavHighlight": WHITE,
}  # fmt: skip
_CLEAR: Final = ("ChildBg", "ScrollbarBg")
_STYLES: Final = {
    "WindowRounding": (10,), "FrameRounding": (6,), "PopupRounding": (8,), "ChildRounding": (8,), "GrabRounding": (5,),
    "TabRounding": (6,), "ScrollbarRounding": (6,), "ScrollbarSize": (12,), "WindowPadding": PADDING,
    "FramePadding": (7, 3), "ItemSpacing": (7, 5),
}  # fmt: skip
_FIXED: Final = ("mvDraw", "mvTheme", "mvFont", "mvTexture", "mvStaticTexture", "mvDynamicTexture", "mvRawTexture")
"""Items whose sizes are not the screen's."""


def see_through(colour: Colour, alpha: int) -> Colour:
    """The colour, less of it."""
    return colour.thinner(alpha) if isinstance(colour, Ink) else (*colour[:3], alpha)


def readable(colour: Colour, least: float = READABLE) -> Colour:
    """The colour as texts on the ground have it: nearer to what stands out most, where it has not enough contrast."""
    for step in range(10):
        found = colour if step == 0 else themes.mixed(colour, WHITE, step / 10)
        if themes.contrast(found, NIGHT) >= least:
            return found
    return WHITE


def blended(colour: Colour, alpha: int) -> Colour:
    """The colour as it looks over the night behind it, with nothing to be seen through."""
    share = alpha / 255
    red, green, blue = (round(share * one + (1 - share) * two) for one, two in zip(colour[:3], NIGHT[:3], strict=True))
    return red, green, blue, 255


class Looks:
    """What the window looks like now."""

    def __init__(self) -> None:
        self.theme = "neon"
        self.size = 1.0
        self.version = 0
        """Another number whenever they are others: what was mixed from colours, and measured by `px`, is to be drawn
        anew.
        """
        self.font: Font | None = None
        self._registry: int | str | None = None
        self._loaded: int | str | None = None
        self._theme: int | str | None = None

    def px(self, points: float) -> int:
        """A length on the screen, at the size of everything that was chosen."""
        return round(points * self.size)

    @property
    def character(self) -> float:
        """The width of a character of height 1."""
        return BUNDLED if self.font is None else self.font.character

    # -- at the beginning, and again whenever it is decided otherwise

    def begin(self, theme: str, size: float, font: Font | None) -> None:
        """A window is there."""
        self.theme, self.size, self.font = theme, size, font
        self.version += 1
        self._registry = dpg.add_font_registry()
        self._loaded = self._theme = None
        self._ink()
        self._load()
        self._bind()

    def use(self, theme: str) -> None:
        """Another theme: what stands is painted anew, what is drawn from now on has its colours."""
        before = {tuple(ink): name for name, ink in _INKS.items()}
        bare = {values[:3]: name for values, name in before.items()}
        self.theme = theme
        self.version += 1
        self._ink()
        for item in dpg.get_all_items():
            _repaint(item, before, bare)
        dpg.set_viewport_clear_color(list(NIGHT))
        self._bind()

    def enlarge(self, size: float) -> None:
        """Another size of everything: the font is loaded for it, what stands is brought along."""
        ratio, self.size = size / self.size, size
        self.version += 1
        self._load()
        self._bind()
        for item in dpg.get_all_items():
            _resize(item, ratio)

    def _ink(self) -> None:
        for name, values in themes.THEMES[self.theme].items():
            _INKS[name].follow(values)

    def _load(self) -> None:
        """Twice as large as it is drawn, so that it is sharp on dense screens and when zoomed into."""
        if self.font is None:
            dpg.set_global_font_scale(self.size * FONT_SIZE / 13)
            return
        before = self._loaded
        self._loaded = dpg.add_font(self.font.path, 2 * self.px(FONT_SIZE), parent=self._registry)
        dpg.bind_font(self._loaded)
        dpg.set_global_font_scale(0.5)
        if before is not None:
            dpg.delete_item(before)

    def _bind(self) -> None:
        before = self._theme
        with dpg.theme() as self._theme, dpg.theme_component(dpg.mvAll):
            for name, colour in _COLOURS.items():
                dpg.add_theme_color(getattr(dpg, f"mvThemeCol_{name}"), colour)
            for name in _CLEAR:
                dpg.add_theme_color(getattr(dpg, f"mvThemeCol_{name}"), (0, 0, 0, 0))
            for name, values in _STYLES.items():
                dpg.add_theme_style(getattr(dpg, f"mvStyleVar_{name}"), *(self.px(value) for value in values))
            dpg.add_theme_style(dpg.mvStyleVar_WindowBorderSize, 1)
        dpg.bind_theme(self._theme)
        if before is not None:
            dpg.delete_item(before)


def _painted(values: Sequence[float], before: dict[Any, str], bare: dict[Any, str]) -> list[int] | None:
    """The colour that stands where this one was; None for one of no table."""
    if len(values) != 4 or values[0] < 0:
        return None
    old = tuple(round(value) for value in values)
    if old in before:
        return list(_INKS[before[old]])
    if old[:3] not in bare:
        return None
    return [*_INKS[bare[old[:3]]][:3], old[3]]


def _repaint(item: int | str, before: dict[Any, str], bare: dict[Any, str]) -> None:
    kind = dpg.get_item_type(item)
    if kind.endswith("mvThemeColor"):
        new = _painted(dpg.get_value(item), before, bare)
        if new is not None:
            dpg.set_value(item, new)
        return
    told = dpg.get_item_configuration(item)
    for key in ("color", "fill"):
        values = told.get(key)
        if isinstance(values, (list, tuple)) and all(isinstance(value, float) for value in values):
            new = _painted([255 * value for value in values], before, bare)
            if new is not None:
                with contextlib.suppress(SystemError):
                    dpg.configure_item(item, **{key: new})


def _resize(item: int | str, ratio: float) -> None:
    if dpg.get_item_type(item).split("::")[-1].startswith(_FIXED):
        return
    told = dpg.get_item_configuration(item)
    for key in ("width", "height", "wrap"):
        if told.get(key, 0) > 0:
            with contextlib.suppress(SystemError):  # it tells a length that it does not take
                dpg.configure_item(item, **{key: round(told[key] * ratio)})


LOOKS: Final = Looks()
"""Of the one window that a process has."""
px: Final = LOOKS.px


def character_width() -> float:
    """The width of a character for a height of 1."""
    return LOOKS.character


def menu_theme() -> int | str:
    """For the menus: the margins that the window below them has not."""
    with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, *(px(value) for value in PADDING))
    return theme  # type: ignore[no-any-return]


def canvas_theme() -> int | str:
    """For the window on which the canvas lies: no margin, no border."""
    with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
        dpg.add_theme_color(dpg.mvThemeCol_WindowBg, see_through(NIGHT, 0))  # what is cleared is so already
        dpg.add_theme_style(dpg.mvStyleVar_WindowPadding, 0, 0)
        dpg.add_theme_style(dpg.mvStyleVar_WindowBorderSize, 0)
        dpg.add_theme_style(dpg.mvStyleVar_WindowRounding, 0)
    return theme  # type: ignore[no-any-return]
