"""Every value of the selected node: its name, its unit, its span; dragged, typed, and put back."""

from __future__ import annotations

import contextlib
import json
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.core.hints import shown
from nodegraph.core.ports import Control, Setting
from nodegraph.core.view import NodeEntry
from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, CYAN, DIM
from nodegraph.editor.gui.panel import Panel, place_of

WIDTH: Final = 284
FIELD: Final = 120


class Inspector(Panel):
    """The values of the node that is selected."""

    name, title, side, shown_at_first = "inspector", "Values", "right", True

    def __init__(self, editing: Editing, parent: int | str) -> None:
        super().__init__(editing, parent)
        self._look: Any = None
        self._fields: dict[str, int | str] = {}
        self._node = ""
        with dpg.item_handler_registry() as self._letting_go:
            dpg.add_item_deactivated_after_edit_handler(callback=self._let_go)
        self._body = dpg.add_group(parent=parent)

    @property
    def typing(self) -> bool:
        """Whether one of its fields has the keyboard."""
        return any(dpg.is_item_active(field) for field in self._fields.values())

    def places(self) -> dict[str, list[float]]:
        return {name: place_of(field) for name, field in self._fields.items()}

    def turn(self) -> bool:
        """Show the node that is selected, as it is now."""
        editing = self.editing
        nodes = editing.selection.nodes
        entry = editing.mirror.document.graph.nodes.get(next(iter(nodes))) if len(nodes) == 1 else None
        look = (len(nodes), len(editing.selection.cables)) if entry is None else (
            entry.id, entry.kind, tuple(entry.params.items()), id(entry.spec))  # fmt: skip
        if look != self._look and not self.typing:
            self._look = look
            dpg.delete_item(self._body, children_only=True)
            self._fields.clear()
            if entry is None:
                self._nothing(len(nodes))
            else:
                self._show(entry)
        elif entry is not None and entry.spec is not None:
            for control in entry.spec.controls:
                field = self._fields.get(control.name)
                if field is not None and not dpg.is_item_active(field):
                    number = editing.number(entry.id, control.name)
                    dpg.set_value(field, _told(control, number))
        return False

    def _nothing(self, count: int) -> None:
        text = f"{count} objects are selected." if count else "Select an object: its values stand here."
        dpg.add_text(text, parent=self._body, color=DIM, wrap=WIDTH - 24)

    def _show(self, entry: NodeEntry) -> None:
        self._node = entry.id
        dpg.add_text(entry.kind, parent=self._body, color=CYAN)
        if entry.spec is None:
            what = "This kind is not installed here. What the patch holds of it stays as it is."
            dpg.add_text(what, parent=self._body, color=AMBER, wrap=WIDTH - 24)
        else:
            dpg.add_text(entry.spec.summary, parent=self._body, color=DIM, wrap=WIDTH - 24)
        dpg.add_spacer(height=4, parent=self._body)
        with dpg.group(horizontal=True, parent=self._body):
            self._fields[""] = dpg.add_input_text(
                default_value=entry.id, width=FIELD, on_enter=True, callback=self._renamed
            )
            dpg.add_text("name")
        if entry.spec is None:
            return
        for control in entry.spec.controls:
            with dpg.group(horizontal=True, parent=self._body):
                self._fields[control.name] = field = self._control(entry, control)
                self._words(entry, control, control.legal(), field)
        for setting in entry.spec.settings:
            with dpg.group(horizontal=True, parent=self._body):
                self._fields[setting.name] = field = self._setting(entry, setting)
                self._words(entry, setting, setting.legal(), field)

    def _words(self, entry: NodeEntry, item: Control | Setting, legal: str, field: int | str) -> None:
        """The name beside a field; what it is, and how to put it back."""
        stored = item.name in entry.params
        dpg.add_text(item.name + (f" {item.unit}" if item.unit else ""), color=CYAN if stored else DIM)
        words = f"{item.help}\n{legal}\nwithout a value of its own: {shown(item.default)}".strip()
        for at in (field, dpg.last_item()):
            with dpg.tooltip(at):
                dpg.add_text(words, wrap=320)
        if stored:
            button = dpg.add_button(label="reset", small=True, user_data=item.name, callback=self._reset)
            self._fields[f"reset {item.name}"] = button

    def _control(self, entry: NodeEntry, control: Control) -> int | str:
        low, high = control.span
        number = self.editing.number(entry.id, control.name)
        common: dict[str, Any] = {
            "user_data": control,
            "callback": self._moved,
            "default_value": _told(control, number),
        }
        if control.curve == "switch":
            common["callback"] = self._stored
            field = dpg.add_checkbox(**common)
        elif control.curve == "integer":
            field = dpg.add_drag_int(
                width=FIELD, min_value=int(low), max_value=int(high), clamped=True,
                speed=max(0.05, (high - low) / 400), **common,
            )  # fmt: skip
        else:
            field = dpg.add_drag_float(
                width=FIELD, min_value=low, max_value=high, clamped=True, format="%.5g",
                speed=_speed(control, number), **common,
            )  # fmt: skip
        dpg.bind_item_handler_registry(field, self._letting_go)
        return field  # type: ignore[no-any-return]

    def _setting(self, entry: NodeEntry, setting: Setting) -> int | str:
        value = entry.params.get(setting.name, setting.default)
        common: dict[str, Any] = {"user_data": setting, "callback": self._stored}
        if setting.type == "choice":
            return dpg.add_combo(  # type: ignore[no-any-return]
                list(setting.choices), default_value=str(value), width=FIELD, **common
            )
        if setting.type == "flag" and isinstance(value, bool):
            return dpg.add_checkbox(default_value=value, **common)  # type: ignore[no-any-return]
        text = value if isinstance(value, str) and setting.type in ("text", "file") else json.dumps(value)
        return dpg.add_input_text(  # type: ignore[no-any-return]
            default_value=text, width=FIELD, on_enter=True, **common
        )

    # -- what the hand does

    def _moved(self, _sender: object, value: Any, control: Control) -> None:
        self.editing.move_control(self._node, control.name, float(value))

    def _let_go(self, _sender: object, field: Any, _data: object) -> None:
        control = dpg.get_item_user_data(field)
        if isinstance(control, Control) and control.curve != "switch":
            self.editing.set_value(self._node, control.name, dpg.get_value(field))
            self._look = None

    def _stored(self, _sender: object, value: Any, item: Control | Setting) -> None:
        if isinstance(item, Control):
            value = float(value)
        elif item.type not in ("text", "file", "choice", "flag"):
            with contextlib.suppress(ValueError):  # else it is a text
                value = json.loads(value)
        self.editing.set_value(self._node, item.name, value)
        self._look = None

    def _reset(self, _sender: object, _value: object, name: str) -> None:
        self.editing.set_value(self._node, name, None)

    def _renamed(self, _sender: object, value: str, _data: object) -> None:
        self.editing.objects.rename(self._node, value)
        self._look = None


def _speed(control: Control, number: float) -> float:
    """How much a point of the hand's way is: a hundredth of what stands there, for spans are wide (a frequency's goes
    from -20000 to 20000 Hz), and never so much that the span is crossed by a twitch.
    """
    most = (control.span[1] - control.span[0]) / 400
    usual = max(abs(number), abs(control.default)) / 100
    return most if control.default == 0.0 and control.curve != "log" else min(most, max(usual, most / 50))


def _told(control: Control, number: float) -> float | int | bool:
    """A number as the field of its control takes it."""
    return bool(number) if control.curve == "switch" else round(number) if control.curve == "integer" else number
