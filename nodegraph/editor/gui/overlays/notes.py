"""Draws notes below cables and boxes: comments, panels with their titles, images."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import LOOKS, Colour, px, readable, see_through
from nodegraph.editor.gui.overlay import Layers, Overlay
from nodegraph.editor.gui.textures import Textures
from nodegraph.editor.notes import LINE, PADDING, NoteBox
from nodegraph.editor.texts import cut, wrapped

COLOURS: Final[dict[str, Colour]] = {
    "cyan": looks.CYAN, "green": looks.GREEN, "purple": looks.PURPLE, "magenta": looks.MAGENTA, "amber": looks.AMBER,
    "grey": looks.GREY, "white": looks.TEXT,
}  # fmt: skip
SMALL: Final = 4
"""Texts that would be lower on the screen are left out."""
GRIP: Final = 5
NOTHING: Final = (0, 0, 0, 0)


def colour_of(told: str) -> Colour:
    """A colour by its name, or as ``#rrggbb``."""
    if told.startswith("#"):
        red, green, blue = bytes.fromhex(told[1:])
        return red, green, blue, 255
    return COLOURS[told]


class NotesOverlay(Overlay):
    """The notes of the sheet on top."""

    def __init__(self, editing: Editing, layers: Layers) -> None:
        super().__init__(editing, layers)
        self.textures = Textures(editing.pictures)
        self._root = dpg.add_draw_node(parent=layers.under)
        self._items: dict[str, int | str] = {}
        self._looks: dict[str, Any] = {}
        self._order: list[str] = []
        self._look: Any = None

    def show(self) -> bool:
        editing, zoom = self.editing, self.editing.viewport.zoom
        scene, notes = editing.scene, editing.scene.notes
        now = (
            scene, scene.places, zoom, frozenset(editing.selection.notes), editing.pictures.version,
            editing.sheets.version, LOOKS.version,
        )  # fmt: skip
        if now == self._look:
            return False
        self._look = now
        if list(notes) != self._order:  # the order of drawing is that of making
            self._order = list(notes)
            dpg.delete_item(self._root, children_only=True)
            self._items.clear()
            self._looks.clear()
        for id, note in notes.items():
            image = self.textures.get(note.file) if note.kind == "image" else None
            look = (
                note.kind, note.x, note.y, note.width, note.height, note.lines, note.points, note.colour, image,
                id in editing.selection.notes, zoom, LOOKS.version,
            )  # fmt: skip
            if self._looks.get(id) != look:
                self._looks[id] = look
                at = self._items.get(id)
                if at is None:
                    at = self._items[id] = dpg.add_draw_node(parent=self._root)
                else:
                    dpg.delete_item(at, children_only=True)
                self._draw(at, note, image, id in editing.selection.notes, zoom)
        self.textures.keep()
        return False

    def _draw(self, at: int | str, note: NoteBox, image: Any, selected: bool, zoom: float) -> None:
        left, top = note.x * zoom, note.y * zoom
        right, bottom = (value * zoom for value in note.corner)
        colour = colour_of(note.colour)
        if note.kind == "panel":
            self._panel(at, note, colour, zoom)
        elif note.kind == "image":
            self._image(at, note, image, zoom)
        else:
            self._lines(at, note.lines, left, top, note.points, readable(colour), zoom)
        if selected:
            dpg.draw_rectangle(
                (left, top), (right, bottom), color=looks.WHITE, thickness=px(1), rounding=6.0 * zoom, parent=at
            )
            grip = px(GRIP)
            dpg.draw_rectangle(
                (right - grip, bottom - grip), (right + grip, bottom + grip), fill=looks.WHITE, color=looks.NIGHT,
                thickness=px(1), parent=at,
            )  # fmt: skip

    def _panel(self, at: int | str, note: NoteBox, colour: Colour, zoom: float) -> None:
        left, top = note.x * zoom, note.y * zoom
        right, bottom = (value * zoom for value in note.corner)
        band = min(top + note.title * zoom, bottom)
        round_ = 8.0 * zoom
        dpg.draw_rectangle(
            (left, top), (right, bottom), rounding=round_, fill=see_through(colour, 26), color=see_through(colour, 120),
            thickness=px(1), parent=at,
        )  # fmt: skip
        dpg.draw_rectangle((left, top), (right, band), rounding=round_, fill=see_through(colour, 38), color=NOTHING,
                           parent=at)  # fmt: skip
        across = max(1, int((note.width - 2 * PADDING) / (self.layers.character * note.points)))
        title = note.lines[0] if note.lines else ""
        title = cut(title, across)
        y = top + (band - top - note.points * zoom) / 2
        self._text(at, title, left + PADDING * zoom, y, note.points * zoom, looks.TEXT)

    def _image(self, at: int | str, note: NoteBox, image: Any, zoom: float) -> None:
        left, top = note.x * zoom, note.y * zoom
        right, bottom = (value * zoom for value in note.corner)
        texture, words = image
        if texture is not None:
            dpg.draw_image(texture, (left, top), (right, bottom), parent=at)
            return
        dpg.draw_rectangle(
            (left, top), (right, bottom), fill=see_through(looks.AMBER, 14), color=see_through(looks.AMBER, 140),
            rounding=4.0 * zoom, thickness=px(1), parent=at,
        )  # fmt: skip
        size = 13.0
        across = max(1, int((note.width - 2 * PADDING) / (self.layers.character * size)))
        rows = max(1, int((note.height - PADDING) / (LINE * size)))
        lines = wrapped(f"{note.file}\n{words}", across)
        if len(lines) > rows:
            lines = [*lines[: rows - 1], "…"]
        self._lines(at, lines, left, top, size, looks.AMBER, zoom)

    def _lines(
        self, at: int | str, lines: Any, left: float, top: float, points: float, colour: Colour, zoom: float
    ) -> None:
        size = points * zoom
        for number, line in enumerate(lines):
            y = top + (PADDING + number * LINE * points) * zoom
            self._text(at, line, left + PADDING * zoom, y, size, colour)

    @staticmethod
    def _text(at: int | str, text: str, x: float, y: float, size: float, colour: Colour) -> None:
        if size >= px(SMALL) and text.strip():
            shown = text.encode("utf-8", "replace").decode()  # half a character cannot be drawn
            dpg.draw_text((x, y), shown, size=size, color=colour, parent=at)
