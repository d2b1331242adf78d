"""Presets: the list of them, how long it takes to get to one, a pad on which one stands among four, and chance."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.core.presets import TIME_CURVES
from nodegraph.editor.editing import Editing
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.looks import CYAN, DIM, see_through
from nodegraph.editor.gui.panel import Panel, place_of
from nodegraph.editor.hands import LEFT
from nodegraph.editor.presetting import weights
from nodegraph.editor.texts import cut

WIDTH: Final = 264
HIGH: Final = 190
MARGIN: Final = 24
"""Of the pad, for the names at its corners."""
FIELD: Final = 118
NONE: Final = "(none)"
PLACES: Final = ("left below", "right below", "left above", "right above")
LONGEST_S: Final = 60.0


class PresetsPanel(Panel):
    """The presets of the patch."""

    name, title, side = "presets", "Presets", "right"

    def __init__(self, editing: Editing, parent: int | str) -> None:
        super().__init__(editing, parent)
        self._list_look: Any = None
        self._pad_look: Any = None
        self._fields: dict[str, int | str] = {}
        self._rows: dict[str, int | str] = {}
        self._chosen = ""
        """The preset whose name may be changed."""
        self._holding = False
        presetting = editing.presetting
        with dpg.group(parent=parent):
            with dpg.group(horizontal=True):
                self._fields["time"] = dpg.add_input_float(
                    width=FIELD, default_value=presetting.seconds, min_value=0.0, max_value=LONGEST_S, min_clamped=True,
                    max_clamped=True, step=0.1, format="%.3g s", callback=self._timed,
                )  # fmt: skip
                self._fields["curve"] = dpg.add_combo(
                    list(TIME_CURVES), default_value=presetting.curve, width=FIELD, callback=self._curved
                )
            with dpg.tooltip(self._fields["time"]):
                dpg.add_text("how long it takes to get to a preset, and how the way goes")
            self._list = dpg.add_group()
            dpg.add_separator()
            with dpg.group(horizontal=True):
                self._fields["name"] = dpg.add_input_text(
                    width=FIELD, hint="name", on_enter=True, callback=self._stored
                )
                self._fields["store"] = dpg.add_button(label="Store", callback=self._stored)
                self._fields["rename"] = dpg.add_button(label="Rename", callback=self._renamed)
            self._what = dpg.add_text("", color=DIM, wrap=0)
            dpg.add_separator()
            with dpg.group(horizontal=True):
                self._fields["amount"] = dpg.add_slider_float(
                    width=FIELD, min_value=0.0, max_value=1.0, default_value=presetting.amount, format="%.2f",
                    clamped=True, callback=self._much,
                )  # fmt: skip
                self._fields["randomise"] = dpg.add_button(label="Randomise", callback=self._randomise)
            with dpg.tooltip(self._fields["amount"]):
                dpg.add_text("how far chance moves values, as a share of their spans")
            self._fields["keep"] = dpg.add_button(label="Keep in the patch", callback=lambda *_: presetting.keep())
            with dpg.tooltip(self._fields["keep"]):
                dpg.add_text("what was moved becomes what the patch stores, as one step")
            dpg.add_separator()
            self._pad: int | str = dpg.add_drawlist(width=WIDTH, height=HIGH)
            self._corners = []
            for first in (2, 0):  # those above stand above
                with dpg.group(horizontal=True):
                    for corner in (first, first + 1):
                        combo = dpg.add_combo(width=FIELD, user_data=corner, callback=self._put)
                        self._fields[f"corner {PLACES[corner]}"] = combo
                        self._corners.append((corner, combo))
        with dpg.handler_registry():
            dpg.add_mouse_click_handler(button=LEFT, callback=self._pressed)
            dpg.add_mouse_move_handler(callback=self._dragged)
            dpg.add_mouse_release_handler(button=LEFT, callback=self._released)

    @property
    def typing(self) -> bool:
        return any(dpg.is_item_active(self._fields[name]) for name in ("name", "time", "amount"))

    def places(self) -> dict[str, list[float]]:
        fields = {f"presets {name}": place_of(item) for name, item in self._fields.items()}
        rows = {name: place_of(item) for name, item in self._rows.items()}
        left, top = dpg.get_item_rect_min(self._pad)
        pad = {"pad 0 0": [left + MARGIN, top + HIGH - MARGIN], "pad 1 1": [left + WIDTH - MARGIN, top + MARGIN]}
        return fields | rows | pad

    def turn(self) -> bool:
        """Show the presets as they are now."""
        presetting = self.editing.presetting
        look = presetting.names, presetting.recalled, presetting.corners, self._chosen, presetting.some
        if look != self._list_look:
            self._list_look = look
            self._show_list()
        x, y = presetting.at
        pad = tuple(presetting.corners), x, y, self._holding
        if pad != self._pad_look:
            self._pad_look = pad
            self._show_pad()
        return False

    def _show_list(self) -> None:
        presetting = self.editing.presetting
        dpg.delete_item(self._list, children_only=True)
        self._rows.clear()
        if not presetting.names:
            dpg.add_text("None yet: give a name and store one.", parent=self._list, color=DIM, wrap=0)
        for number, name in enumerate(presetting.names):
            with dpg.group(horizontal=True, parent=self._list):
                here = name == presetting.recalled
                row = dpg.add_selectable(
                    label=f"{number} {'>' if here else ' '} {name}", default_value=name == self._chosen,
                    width=WIDTH - 34, user_data=name, callback=self._recall,
                )  # fmt: skip
                self._rows[f"preset {name}"] = row
                forget = dpg.add_button(label="x", small=True, user_data=name, callback=self._forget)
                self._rows[f"forget {name}"] = forget
                with dpg.tooltip(row):
                    held = presetting.holds(name)
                    lines = [f"{port}  {value:g}" for port, value in list(held.items())[:20]]
                    more = [f"and {len(held) - 20} more"] if len(held) > 20 else []
                    dpg.add_text("\n".join(["go there", *lines, *more]))
                with dpg.tooltip(forget):
                    dpg.add_text("forget it; undo brings it back")
        of = "of the selected objects" if presetting.some else "of all objects"
        dpg.set_value(self._what, f"A new preset, and chance, are for the values {of}.")
        corners = presetting.corners
        for corner, combo in self._corners:
            dpg.configure_item(combo, items=[NONE, *presetting.names], enabled=corner <= len(corners))
            dpg.set_value(combo, corners[corner] if corner < len(corners) else NONE)

    def _show_pad(self) -> None:
        presetting = self.editing.presetting
        corners, (x, y) = presetting.corners, presetting.at
        pad = self._pad
        dpg.delete_item(pad, children_only=True)
        left, top, right, bottom = MARGIN, MARGIN, WIDTH - MARGIN, HIGH - MARGIN
        dpg.draw_rectangle(
            (left, top), (right, bottom), rounding=8, color=see_through(CYAN, 90), fill=looks.POPUP, parent=pad
        )
        character, size = looks.character_width(), 12.0
        heavy = weights(len(corners), x, y)
        at = self._on_pad(x, y)
        for name, weight, (across, up), flush in zip(corners, heavy, _places(len(corners)), "lrlr", strict=False):
            place = self._on_pad(across, up)
            dpg.draw_line(at, place, color=see_through(looks.PURPLE, int(30 + 190 * weight)), thickness=2, parent=pad)
            dpg.draw_circle(place, 4 + 4 * weight, fill=looks.PURPLE, color=looks.PURPLE, parent=pad)
            text = cut(f"{name} {100 * weight:.0f}%", 17)
            width = character * size * len(text)
            begin = (
                WIDTH / 2 - width / 2 if len(corners) == 3 and up == 1.0 else left if flush == "l" else right - width
            )
            down = top - 18 if up > 0.5 else bottom + 6
            colour = looks.TEXT if weight > 0 else DIM
            dpg.draw_text((begin, down), text, size=size, color=colour, parent=pad)
        if corners:
            dpg.draw_circle(at, 8, color=looks.WHITE if self._holding else CYAN, thickness=2, parent=pad)
            dpg.draw_circle(at, 3, color=CYAN, fill=CYAN, parent=pad)
        else:
            dpg.draw_text((left + 12, HIGH / 2 - 8), "Presets stand at its corners.", size=13, color=DIM, parent=pad)

    @staticmethod
    def _on_pad(x: float, y: float) -> tuple[float, float]:
        return MARGIN + x * (WIDTH - 2 * MARGIN), HIGH - MARGIN - y * (HIGH - 2 * MARGIN)

    # -- what the hand does

    def _pressed(self, _sender: object, _button: object, _data: object) -> None:
        if self.editing.presetting.corners and dpg.is_item_visible(self._pad) and dpg.is_item_hovered(self._pad):
            self._holding = True
            self._dragged(None, None, None)

    def _dragged(self, _sender: object, _at: object, _data: object) -> None:
        if self._holding:
            left, top = dpg.get_item_rect_min(self._pad)
            x, y = dpg.get_mouse_pos(local=False)
            across = (x - left - MARGIN) / (WIDTH - 2 * MARGIN)
            self.editing.presetting.stand(across, (top + HIGH - MARGIN - y) / (HIGH - 2 * MARGIN))

    def _released(self, _sender: object, _button: object, _data: object) -> None:
        if self._holding:
            self._dragged(None, None, None)
            self._holding = False

    def _recall(self, row: int | str, _value: object, name: str) -> None:
        self._chosen = name
        dpg.set_value(row, True)
        dpg.set_value(self._fields["name"], name)
        self.editing.presetting.recall(name)

    def _stored(self, _sender: object, _value: object, _data: object) -> None:
        name = dpg.get_value(self._fields["name"]) or self.editing.presetting.free_name()
        if self.editing.presetting.store(name):
            self._chosen = name

    def _renamed(self, _sender: object, _value: object, _data: object) -> None:
        if self._chosen not in self.editing.presetting.names:
            self.editing.say("Choose a preset in the list, and type its new name.")
        elif self.editing.presetting.rename(self._chosen, dpg.get_value(self._fields["name"])):
            self._chosen = dpg.get_value(self._fields["name"])

    def _forget(self, _sender: object, _value: object, name: str) -> None:
        self.editing.presetting.forget(name)

    def _timed(self, _sender: object, value: float, _data: object) -> None:
        self.editing.presetting.seconds = float(value)

    def _curved(self, _sender: object, value: str, _data: object) -> None:
        self.editing.presetting.curve = value

    def _much(self, _sender: object, value: float, _data: object) -> None:
        self.editing.presetting.amount = float(value)

    def _randomise(self, _sender: object, _value: object, _data: object) -> None:
        self.editing.presetting.randomise()

    def _put(self, _sender: object, value: str, corner: int) -> None:
        self.editing.presetting.put(corner, None if value == NONE else value)
        self._list_look = None


def _places(count: int) -> list[tuple[float, float]]:
    """Where so many presets stand on the pad: as `core.presets.corners` weighs them."""
    if count == 3:
        return [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0)]
    if count == 2:
        return [(0.0, 0.5), (1.0, 0.5)]
    return [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)][:count]
