"""Another theme or size while things stand: what was drawn with a colour's name is painted anew, in its measure."""

from __future__ import annotations

from collections.abc import Iterator

import dearpygui.dearpygui as dpg
import pytest

from nodegraph.editor import themes
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import CYAN, DIM, GLASS, LOOKS, OF_KIND, px, see_through


@pytest.fixture
def context() -> Iterator[None]:
    dpg.create_context()
    dpg.create_viewport()
    LOOKS.begin("neon", 1.0, None)
    yield
    LOOKS.begin("neon", 1.0, None)
    dpg.destroy_context()


def colour(item: int | str, key: str = "color") -> tuple[int, ...]:
    return tuple(round(255 * value) for value in dpg.get_item_configuration(item)[key])


def test_what_stands_is_painted_anew(context: None) -> None:
    faint = see_through(CYAN, 40)
    with dpg.window() as window:
        text = dpg.add_text("a", color=CYAN)
        other = dpg.add_text("b", color=(1, 2, 3, 255))
        plain = dpg.add_text("c")
        layer = dpg.add_draw_layer(parent=window)
        box = dpg.draw_rectangle((0, 0), (9, 9), color=faint, fill=GLASS, parent=layer)
    with dpg.theme(), dpg.theme_component(dpg.mvAll):
        inked = dpg.add_theme_color(dpg.mvThemeCol_Text, DIM)
        clear = dpg.add_theme_color(dpg.mvThemeCol_WindowBg, see_through(GLASS, 0))  # the ground
    kinds = dict(OF_KIND)
    LOOKS.use("light")
    light = themes.LIGHT
    assert colour(text) == light["CYAN"] == tuple(CYAN)
    assert colour(box) == (*light["CYAN"][:3], 40) == tuple(faint)
    assert colour(box, "fill") == light["GLASS"]
    assert tuple(int(value) for value in dpg.get_value(inked)) == light["DIM"]
    assert [int(value) for value in dpg.get_value(clear)] == [*light["GLASS"][:3], 0]
    assert colour(other) == (1, 2, 3, 255) and dpg.get_item_configuration(plain)["color"][0] < 0
    assert kinds == OF_KIND and tuple(OF_KIND[None]) == light["GREY"]
    LOOKS.use("neon")
    assert (colour(text), colour(box, "fill")) == (themes.NEON["CYAN"], themes.NEON["GLASS"])


def test_a_colour_says_which_it_is() -> None:
    assert see_through(CYAN, 40) is see_through(CYAN, 40) != see_through(CYAN, 41)
    assert CYAN != DIM and len({CYAN, DIM, CYAN}) == 2
    assert see_through((1, 2, 3), 9) == (1, 2, 3, 9)
    assert {name for name in themes.NEON if getattr(looks, name, None) is not None} >= {
        "CYAN", "GREEN", "PURPLE", "MAGENTA", "GREY", "AMBER", "TEXT", "DIM", "NIGHT", "GLASS", "PANEL", "WHITE",
    }  # fmt: skip


def test_what_stands_is_brought_along_to_another_size(context: None) -> None:
    with dpg.window(width=400, height=200) as window:
        field = dpg.add_input_text(width=px(120))
        text = dpg.add_text("a", wrap=100)
        wide = dpg.add_input_text(width=-1)
        layer = dpg.add_draw_layer(parent=window)
        line = dpg.draw_line((0, 0), (9, 9), thickness=2, parent=layer)
    LOOKS.enlarge(2.0)
    assert px(120) == 240 == dpg.get_item_width(field)
    assert dpg.get_item_configuration(text)["wrap"] == 200 and dpg.get_item_width(wide) == -1
    assert dpg.get_item_width(window) == 800 and dpg.get_item_configuration(line)["thickness"] == 2
    LOOKS.enlarge(1.0)
    assert dpg.get_item_width(field) == 120
