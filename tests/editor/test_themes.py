"""Both themes can be read: contrasts as WCAG 2 defines them, computed from the tables."""

from __future__ import annotations

import pytest

from nodegraph.editor.themes import OF_KIND, THEMES, WRITTEN, contrast, over

TEXT_LEAST = 7.0
CABLE_LEAST = 3.0
GROUNDS = ("GLASS", "PANEL", "POPUP", "BAR", "TITLE")
FIELDS = ("FIELD", "FIELD_NEAR", "FIELD_HELD", "BUTTON", "BUTTON_NEAR", "BUTTON_HELD", "HEADER", "HEADER_NEAR")


def seen(theme: str, name: str) -> tuple[int, int, int, int]:
    """What a ground looks like: on the night, or on a panel that lies there."""
    colours = THEMES[theme]
    below = over(colours["PANEL"], colours["NIGHT"]) if name in FIELDS else colours["NIGHT"]
    return over(colours[name], below)


def test_the_contrast_is_that_of_wcag() -> None:
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    assert contrast((0x77, 0x77, 0x77), (255, 255, 255)) == pytest.approx(4.478, abs=0.001)
    assert over((200, 100, 0, 51), (0, 100, 100, 255)) == (40, 100, 80, 255)


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_can_be_read(theme: str) -> None:
    colours = THEMES[theme]
    pairs = [("TEXT", ground) for ground in ("NIGHT", *GROUNDS, *FIELDS)]
    texts = {"DIM", "AMBER", "WHITE", "RED", "BLUE", *WRITTEN.values()}
    pairs += [(text, ground) for text in texts for ground in ("NIGHT", *GROUNDS, "FIELD")]
    bad = {pair: round(found, 2) for pair in pairs
           if (found := contrast(colours[pair[0]], seen(theme, pair[1]))) < TEXT_LEAST}  # fmt: skip
    assert not bad


@pytest.mark.parametrize("theme", THEMES)
def test_every_cable_is_seen_on_the_ground_and_over_a_box(theme: str) -> None:
    colours = THEMES[theme]
    bad = {}
    for name in {*OF_KIND.values(), "AMBER", "RED"}:
        for ground in ("NIGHT", "GLASS"):
            cable = over((*colours[name][:3], 230), seen(theme, ground))
            found = contrast(cable, seen(theme, ground))
            if found < CABLE_LEAST:
                bad[name, ground] = round(found, 2)
    assert not bad


def test_the_themes_name_the_same_colours_and_each_is_told_from_the_others() -> None:
    names = {theme: set(colours) for theme, colours in THEMES.items()}
    assert all(found == names["neon"] for found in names.values())
    for colours in THEMES.values():  # what is drawn is found by its colour when the theme changes
        assert len({colour[:3] for colour in colours.values()}) == len(colours)
