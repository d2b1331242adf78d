"""What is drawn over the patch: nothing is drawn anew while nothing happens, textures go with what they belong to, and
all of it is in the colours and the measure that are in force.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg
import pytest

from nodegraph import Patch
from nodegraph.core.commands import AddNote, Move, RemoveNote
from nodegraph.editor import scene, themes
from nodegraph.editor.editing import Editing
from nodegraph.editor.faders import Fader
from nodegraph.editor.gui import faders, looks
from nodegraph.editor.gui.canvas import Canvas
from nodegraph.editor.gui.looks import LOOKS, px
from nodegraph.editor.gui.overlays import heat
from nodegraph.editor.gui.overlays.notes import NotesOverlay
from nodegraph.editor.health import WRONG, Trouble
from nodegraph.session.session import Session
from tests.editor.editors import made, settled, until
from tests.session.test_looks import png

LEAST = 4.5


@pytest.fixture
def canvas(editing: Editing) -> Iterator[Canvas]:
    dpg.create_context()
    dpg.create_viewport()
    LOOKS.begin("neon", 1.0, None)
    with dpg.window() as window:
        pass
    yield Canvas(window, editing, 0.5)
    LOOKS.begin("neon", 1.0, None)
    dpg.destroy_context()


def image(path: Path) -> None:
    path.write_bytes(png(8, 6))


def textures(canvas: Canvas) -> int:
    """How many there are."""
    (overlay,) = (item for item in canvas.overlays if isinstance(item, NotesOverlay))
    return len(dpg.get_item_children(overlay.textures._registry, 1))


def frame(canvas: Canvas) -> None:
    canvas.show()
    canvas.show_overlays()


def everything(editing: Editing, folder: Path) -> None:
    """All overlays have something to show."""
    image(folder / "red.png")
    for index, text in enumerate(("sine~ 220", "svf~ 800", "gain~ 0.5")):
        made(editing, text, (100, 100 + 150 * index))
    editing.save()
    settled(editing)
    editing.do([AddNote("n1", {"kind": "image", "file": "red.png", "at": [400, 100]})])
    editing.do([AddNote("n2", {"kind": "comment", "text": "words", "at": [400, 300], "colour": "#200020"})])
    editing.do([Move({"gain1": (300, 420)})])
    editing.actions["diff"]()
    until(editing, lambda: editing.ways.comparing.found, "the comparison")
    editing.ways.map.toggle()
    editing.heat.toggle()
    editing.heat.nodes = {"sine1": {"cpu": 0.3}, "svf1": {"cpu": 0.01}}
    editing.heat.version += 1
    editing.health._found = {"gain1": [Trouble(WRONG, "It is wrong.")]}
    editing.health.patch = [Trouble(WRONG, "The package is broken.")]
    editing.health.version += 1
    editing.actions["find"]()
    assert editing.ways.question is not None
    editing.ways.question.typed("1")
    editing.actions["lock"]()
    settled(editing)


def test_nothing_is_drawn_or_worked_out_anew_when_nothing_has_happened(
    canvas: Canvas, editing: Editing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything(editing, tmp_path)
    frame(canvas)
    frame(canvas)
    calls: list[str] = []

    def counted(owner: Any, name: str) -> None:
        call = getattr(owner, name)

        def counts(*args: Any, **more: Any) -> Any:
            calls.append(name)
            return call(*args, **more)

        monkeypatch.setattr(owner, name, counts)

    for name in dir(dpg):
        if name.startswith("draw_") or name in ("delete_item", "configure_item", "add_draw_node"):
            counted(dpg, name)
    counted(scene, "_around")
    counted(editing.heat, "boxes")
    counted(editing.health, "all")
    counted(editing.pictures, "get")
    canvas.show_overlays()
    assert not calls
    editing.actions["lock"]()
    editing.do([Move({"svf1": (150, 260)})])
    frame(canvas)
    assert {"draw_rectangle", "_around", "configure_item", "boxes"} <= set(calls)


def test_a_texture_goes_with_its_note(canvas: Canvas, editing: Editing, tmp_path: Path) -> None:
    image(tmp_path / "red.png")
    editing.do(
        [AddNote(f"n{number}", {"kind": "image", "file": "red.png", "at": [0, 200 * number]}) for number in (1, 2)]
    )
    settled(editing)
    frame(canvas)
    assert textures(canvas) == 1
    editing.do([RemoveNote("n1")])
    frame(canvas)
    assert textures(canvas) == 1, "the other one shows it"
    editing.do([RemoveNote("n2")])
    frame(canvas)
    assert textures(canvas) == 0
    editing.undo()
    until(editing, lambda: "n2" in editing.scene.notes, "the note")
    frame(canvas)
    assert textures(canvas) == 1


def test_textures_go_with_their_sheet_and_with_the_patch(
    canvas: Canvas, editing: Editing, session: Session, tmp_path: Path
) -> None:
    for name in ("red.png", "blue.png"):
        image(tmp_path / name)
    inner = Patch("inner")
    inner.document.notes["n1"] = {"kind": "image", "file": "blue.png", "at": [0, 0]}
    inner.save(tmp_path / "inner.ng")
    Patch("other").save(tmp_path / "other.ng")
    editing.do([AddNote("n1", {"kind": "image", "file": "red.png", "at": [0, 200]})])
    node = made(editing, "inner.ng", (40, 40))
    settled(editing)
    editing.sheets.open_node(node)
    until(editing, lambda: len(editing.sheets.open) == 2 and editing.scene.notes, "the sheet")
    frame(canvas)
    editing.sheets.step(-1)
    editing.follow()
    frame(canvas)
    assert textures(canvas) == 2, "a sheet that lies below keeps what it shows"
    editing.sheets.step(1)
    editing.sheets.close()
    frame(canvas)
    assert textures(canvas) == 1
    session.open(tmp_path / "other.ng")
    until(editing, lambda: editing.mirror.document.title == "other", "the other patch")
    frame(canvas)
    assert textures(canvas) == 0


def drawn(at: int | str) -> Iterator[dict[str, Any]]:
    """All that is drawn at an item."""
    for children in dpg.get_item_children(at).values():
        for child in children:
            yield {"kind": dpg.get_item_type(child), **dpg.get_item_configuration(child)}
            yield from drawn(child)


def texts(canvas: Canvas) -> dict[str, tuple[tuple[int, ...], float]]:
    """The colour and the height of every text on the canvas."""
    return {
        item["text"]: (tuple(round(255 * part) for part in item["color"]), item["size"])
        for layer in (canvas._root, canvas._front)
        for item in drawn(layer)
        if item["kind"].endswith("mvDrawText")
    }


@pytest.mark.parametrize("theme", themes.THEMES)
def test_all_that_stands_follows_the_theme_and_the_size(
    canvas: Canvas, editing: Editing, tmp_path: Path, theme: str
) -> None:
    everything(editing, tmp_path)
    frame(canvas)
    small = texts(canvas)
    LOOKS.use(theme)
    LOOKS.enlarge(2.0)
    canvas.again()
    frame(canvas)
    large = texts(canvas)
    table = themes.THEMES[theme]
    ground = table["NIGHT"]
    inks = {values[:3] for values in table.values()}
    assert small.keys() == large.keys() >= {"Locked", "!", "~ moved", "words", "! The package is broken."}
    for text, (colour, size) in large.items():
        mixed = text == "words"  # a colour of its own, made readable
        assert mixed or colour[:3] in inks, text
        assert not mixed or themes.contrast(colour, ground) >= LEAST
        if text in ("Locked", "~ moved"):
            assert size == 2 * small[text][1]
    edges = [
        item
        for layer in (canvas._root, canvas._front)
        for item in drawn(layer)
        if item["kind"].endswith("mvDrawRect") and item["color"][3] > 0 and item["color"] != item["fill"]
    ]
    assert len(edges) > 6 and not [item for item in edges if item["thickness"] < px(1)]


@pytest.mark.parametrize("theme", themes.THEMES)
def test_words_can_be_read_over_heat_and_in_bars(canvas: Canvas, theme: str) -> None:
    LOOKS.use(theme)
    table = themes.THEMES[theme]
    box = themes.over(table["GLASS"], table["NIGHT"])
    bad = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        tint = (*heat.between(share)[:3], heat.tint(share))
        for name in ("TEXT", "AMBER", *themes.WRITTEN.values()):
            if themes.contrast(themes.over(tint, table[name]), themes.over(tint, box)) < LEAST:
                bad.append((share, name))
    field = themes.over(table["FIELD"], box)
    for driven in ("", "signal", "event"):
        colour = faders.colour_of(Fader("name", 0.5, False, "1", True, driven))
        for alpha, name in ((faders.STORED, "TEXT"), (faders.USUAL, "TEXT"), (faders.WAITING, "AMBER")):
            if themes.contrast(table[name], themes.over((*colour[:3], alpha), field)) < LEAST:
                bad.append((driven, name))
    assert not bad


@pytest.mark.parametrize("theme", themes.THEMES)
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (120, 120, 120), (255, 0, 0), (0, 0, 255)])
def test_a_colour_of_ones_own_can_be_read(canvas: Canvas, theme: str, colour: tuple[int, int, int]) -> None:
    LOOKS.use(theme)
    assert themes.contrast(looks.readable((*colour, 255)), themes.THEMES[theme]["NIGHT"]) >= LEAST
    assert looks.readable(looks.TEXT) is looks.TEXT
