"""Every value of the selected node: a bar that is dragged, a field that is typed into, what moves it, a way back."""

from __future__ import annotations

import contextlib
import json
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.core.errors import PatchError
from nodegraph.core.hints import shown
from nodegraph.core.ports import Control, Setting
from nodegraph.core.spec import NodeSpec
from nodegraph.core.view import NodeEntry
from nodegraph.editor import dials
from nodegraph.editor.context import words_of
from nodegraph.editor.editing import Editing
from nodegraph.editor.gui import bars
from nodegraph.editor.gui.bars import Bars
from nodegraph.editor.gui.looks import AMBER, CYAN, DIM, character_width, px
from nodegraph.editor.gui.panel import Panel, place_of
from nodegraph.editor.health import WRONG

FIELD: Final = 76
WIDE_FIELD: Final = 126


class Inspector(Panel):
    """The values of the node that is selected."""

    name, title, side, shown_at_first = "inspector", "Values", "right", True

    def __init__(self, editing: Editing, parent: int | str) -> None:
        super().__init__(editing, parent)
        self._look: Any = None
        self._fields: dict[str, int | str] = {}
        self._texts: dict[str, str] = {}
        """What the fields show."""
        self._tips: dict[str, int | str] = {}
        self._resets: dict[str, int | str] = {}
        self._node = ""
        self._spec: NodeSpec | None = None
        """What it shows, and as which kind."""
        self._bars = Bars(editing, character_width(), self._menu)
        with dpg.item_handler_registry() as self._leaving:
            dpg.add_item_deactivated_after_edit_handler(callback=self._left)
        self._body = dpg.add_group(parent=parent)
        editing.actions["rename-object"] = self.rename

    @property
    def typing(self) -> bool:
        """Whether one of its fields has the keyboard."""
        return any(dpg.is_item_active(field) for field in self._fields.values())

    def places(self) -> dict[str, list[float]]:
        resets = {f"reset {name}": place_of(at) for name, at in self._resets.items() if dpg.is_item_shown(at)}
        fields = {name: place_of(field) for name, field in self._fields.items()}
        return fields | resets | self._bars.places()

    def again(self) -> None:
        if not self.typing:
            self._look = None

    def rename(self) -> None:
        """Put the keyboard into the field of the name."""
        if "" in self._fields:
            dpg.focus_item(self._fields[""])

    def turn(self) -> bool:
        """Show the node that is selected, as it is now."""
        editing = self.editing
        nodes = editing.selection.nodes
        entry = editing.mirror.document.graph.nodes.get(next(iter(nodes))) if len(nodes) == 1 else None
        if entry is None:
            look: Any = (len(nodes), len(editing.selection.cables), editing.mirror.document.about)
        else:
            settings = () if entry.spec is None else entry.spec.settings
            values = [entry.params.get(item.name) for item in settings]
            look = entry.id, entry.kind, values, editing.health.of(entry.id)
        node, spec = ("", None) if entry is None else (entry.id, entry.spec)
        another = node != self._node or spec is not self._spec  # then what is being typed or dragged is for nothing
        if another or (look != self._look and not self.typing and not self._bars.held):
            self._look = look
            dpg.delete_item(self._body, children_only=True)
            for made in (self._fields, self._texts, self._tips, self._resets):
                made.clear()
            self._bars.clear()
            if entry is None:
                self._nothing(len(nodes))
            else:
                self._show(entry)
        if entry is not None and entry.spec is not None:
            self._bars.turn()
            for control in entry.spec.controls:
                self._follow(entry, control)
        return False

    def _follow(self, entry: NodeEntry, control: Control) -> None:
        """Keep what stands beside a bar true."""
        field = self._fields.get(control.name)
        if field is None:
            return
        text = dials.told(control, self.editing.number(entry.id, control.name))
        if self._texts.get(control.name) != text and not dpg.is_item_active(field):
            self._texts[control.name] = text
            dpg.set_value(field, text)
        stored = control.name in entry.params
        if dpg.is_item_shown(self._resets[control.name]) != stored:
            dpg.configure_item(self._resets[control.name], show=stored)
        words = "\n".join(words_of(self.editing, entry.id, control))
        tip = self._tips[control.name]
        if dpg.get_value(tip) != words:
            dpg.set_value(tip, words)

    def _nothing(self, count: int) -> None:
        self._node, self._spec = "", None
        text = f"{count} objects are selected." if count else "Select an object: its values stand here."
        dpg.add_text(text, parent=self._body, color=DIM, wrap=0)
        about = self.editing.mirror.document.about
        if about and not count:
            dpg.add_spacer(height=4, parent=self._body)
            dpg.add_text(about, parent=self._body, wrap=0)

    def _show(self, entry: NodeEntry) -> None:
        self._node, self._spec = entry.id, entry.spec
        dpg.add_text(entry.kind, parent=self._body, color=CYAN)
        if entry.spec is None:
            what = "This kind is not installed here. What the patch holds of it stays as it is."
            dpg.add_text(what, parent=self._body, color=AMBER, wrap=0)
        else:
            dpg.add_text(entry.spec.summary, parent=self._body, color=DIM, wrap=0)
        for trouble in self.editing.health.of(entry.id):
            words = f"{trouble.sign} {trouble.words}"
            dpg.add_text(words, parent=self._body, color=AMBER if trouble.sign == WRONG else CYAN, wrap=0)
        dpg.add_spacer(height=4, parent=self._body)
        with dpg.group(horizontal=True, parent=self._body):
            self._fields[""] = dpg.add_input_text(default_value=entry.id, width=px(bars.WIDTH))
            dpg.bind_item_handler_registry(self._fields[""], self._leaving)
            dpg.add_text("name")
        if entry.spec is None:
            return
        for control in entry.spec.controls:
            self._control(entry, control)
        if entry.spec.settings:
            dpg.add_spacer(height=4, parent=self._body)
        for setting in entry.spec.settings:
            with dpg.group(horizontal=True, parent=self._body):
                self._fields[setting.name] = field = self._setting(entry, setting)
                self._words(entry, setting, field)

    def _control(self, entry: NodeEntry, control: Control) -> None:
        """A bar, a field, the way back, and a menu."""
        with dpg.group(horizontal=True, parent=self._body) as row:
            bar = self._bars.add(entry.id, control, row)
            field: int | str = dpg.add_input_text(width=px(FIELD), user_data=control, auto_select_all=True)
            dpg.bind_item_handler_registry(field, self._leaving)
            self._fields[control.name] = field
            menu = dpg.add_button(label="=", small=True, user_data=control.name, callback=self._menu_of)
            self._fields[f"menu of {control.name}"] = menu
            back = dpg.add_button(label="x", small=True, show=False, user_data=control.name, callback=self._reset)
            self._resets[control.name] = back
        with dpg.tooltip(bar):
            self._tips[control.name] = dpg.add_text("", wrap=px(320))
        for button, words in ((menu, "learn, show in the box, reset"), (back, "put the default back")):
            with dpg.tooltip(button):
                dpg.add_text(words)

    def _words(self, entry: NodeEntry, item: Setting, field: int | str) -> None:
        """The name beside a setting's field; what it is, and how to put it back."""
        stored = item.name in entry.params
        dpg.add_text(item.name + (f" {item.unit}" if item.unit else ""), color=CYAN if stored else DIM)
        words = f"{item.help}\n{item.legal()}\nwithout a value of its own: {shown(item.default)}".strip()
        for at in (field, dpg.last_item()):
            with dpg.tooltip(at):
                dpg.add_text(words, wrap=px(320))
        if stored:
            self._resets[item.name] = dpg.add_button(label="x", small=True, user_data=item.name, callback=self._reset)

    def _setting(self, entry: NodeEntry, setting: Setting) -> int | str:
        value = entry.params.get(setting.name, setting.default)
        common: dict[str, Any] = {"user_data": setting, "callback": self._stored}
        if setting.type == "choice":
            return dpg.add_combo(  # type: ignore[no-any-return]
                list(setting.choices), default_value=str(value), width=px(WIDE_FIELD), **common
            )
        if setting.type == "flag" and isinstance(value, bool):
            return dpg.add_checkbox(default_value=value, **common)  # type: ignore[no-any-return]
        text = value if isinstance(value, str) and setting.type in ("text", "file") else json.dumps(value)
        field: int | str = dpg.add_input_text(default_value=text, width=px(WIDE_FIELD), user_data=setting)
        dpg.bind_item_handler_registry(field, self._leaving)
        return field

    # -- what the hand does

    def _typed(self, text: str, control: Control) -> None:
        """What was typed is stored; what is no value is said, and what stood there stands there again."""
        self._texts.pop(control.name, None)
        if text.strip() == dials.told(control, self.editing.number(self._node, control.name)):
            return
        try:
            self.editing.turning.typed(self._node, control.name, text)
        except PatchError as error:
            self.editing.say(error.problems[0].describe())

    def _left(self, _sender: object, field: Any, _data: object) -> None:
        """A text was changed, and its field is left: by Enter, by Tab, by a click."""
        text, item = dpg.get_value(field), dpg.get_item_user_data(field)
        if isinstance(item, Control):
            self._typed(text, item)
        elif isinstance(item, Setting):
            self._stored(None, text, item)
        else:
            self.editing.objects.rename(self._node, text)
            self._look = None

    def _menu_of(self, _sender: object, _value: object, name: str) -> None:
        self._menu(self._node, name)

    def _menu(self, node: str, name: str) -> None:
        x, y = dpg.get_mouse_pos(local=False)
        self.editing.show_menu(self.editing.context.for_control(node, name), x, y)

    def _stored(self, _sender: object, value: Any, item: Setting) -> None:
        if item.type not in ("text", "file", "choice", "flag"):
            with contextlib.suppress(ValueError):  # else it is a text
                value = json.loads(value)
        self.editing.set_value(self._node, item.name, value)
        self._look = None

    def _reset(self, _sender: object, _value: object, name: str) -> None:
        self.editing.set_value(self._node, name, None)
