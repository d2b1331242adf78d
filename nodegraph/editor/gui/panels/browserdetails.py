"""All about what is chosen in the browser: the help of a node, a waveform, a model's licence; and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.core.hints import shown
from nodegraph.core.ports import CableKind, Control, Inlet, Outlet, Setting
from nodegraph.core.spec import NodeSpec
from nodegraph.editor.browsing import STATES, Row, flowing, size_text
from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.looks import AMBER, CYAN, DIM, GREEN, GREY, OF_KIND, TEXT, Colour, px, see_through

WRAP: Final = 234
WAVE: Final = (236, 64)
RATE: Final = 48_000


class Details:
    """What stands below the list. It is made anew when it is another, and not before."""

    def __init__(self, editing: Editing, parent: int | str) -> None:
        self.editing, self.browsing, self.parent = editing, editing.browsing, parent
        self.buttons: dict[str, int | str] = {}
        """What can be clicked, by its words."""
        self._look: Any = None
        self._bar: int | str | None = None

    def turn(self) -> None:
        """Show the chosen line as it is now."""
        row = self.browsing.chosen
        look = None if row is None else (row.key, self._state(row))
        if look != self._look:
            self._look = look
            dpg.delete_item(self.parent, children_only=True)
            self.buttons.clear()
            self._bar = None
            if row is not None:
                self._show(row)
        if self._bar is not None and row is not None and not isinstance(row.what, NodeSpec):
            self._progress(row.what)

    def _state(self, row: Row) -> Any:
        """What of a line may become another while it is shown."""
        browsing, what = self.browsing, row.what
        if isinstance(what, NodeSpec):
            return tuple((model["name"], model["state"]) for model in browsing.licences(what))
        path = browsing.sound_of(row)
        heard = (path is not None and browsing.heard == path, len(browsing.peaks.get(path or "", ())))
        return heard, browsing.accepting, what.get("state")

    # -- the parts of it

    def _show(self, row: Row) -> None:
        what = row.what
        dpg.add_text(row.name, parent=self.parent, color=CYAN, wrap=px(WRAP))
        if isinstance(what, NodeSpec):
            self._node(what)
        elif row.key.startswith("model "):
            self._model(row, what)
        elif what["kind"] == "sound":
            self._sound(row)
        elif what["kind"] == "patch":
            self._patch()
        else:
            self._act({"Add": self.browsing.add})
            made = self.browsing.node_of(row)
            self._text("A node of yours: its code runs when you have trusted it." if what["kind"] == "node" else
                       f"{made[0] if made else 'No node'} takes it.")  # fmt: skip

    def _text(self, text: str, colour: Colour = DIM) -> None:
        dpg.add_text(text, parent=self.parent, color=colour, wrap=px(WRAP))

    def _act(self, acts: Mapping[str, Callable[..., Any]]) -> None:
        """A row of buttons."""
        with dpg.group(horizontal=True, parent=self.parent):
            for words, call in acts.items():
                self.buttons[words] = dpg.add_button(label=words, user_data=call, callback=_called)

    def _node(self, spec: NodeSpec) -> None:
        self._act({"Add": self.browsing.add, "Help patch": lambda: self.editing.helping.open(spec.kind)})
        if spec.aliases:
            self._text(f"also called {', '.join(spec.aliases)}")
        self._text(flowing(spec.help), TEXT)
        for title, items in (("inlets", spec.inlets), ("outlets", spec.outlets), ("settings", spec.settings)):
            if items:
                self._text(title)
                for item in items:
                    self._port(item)
        frames = spec.cls.latency(RATE)
        if frames:
            self._text(f"latency: {frames} frames at {RATE // 1000} kHz")
        for model in self.browsing.licences(spec):
            state = "" if model["state"] == "here" else f", {STATES.get(model['state'], model['state'])}"
            self._text(f"model {model['name']}: {_licence(model)}, {size_text(model['bytes'])}{state}", AMBER)

    def _port(self, item: Inlet | Outlet | Setting) -> None:
        kind: str
        colour: Colour
        if isinstance(item, Setting):
            kind, colour, legal = item.type, GREY, item.legal()
        else:
            colour = GREEN if isinstance(item, Control) else OF_KIND[item.kind]
            kind, legal = _kind(item), item.legal() if isinstance(item, Control) else ""
        default = f", default {shown(item.default)}" if isinstance(item, (Control, Setting)) else ""
        span = f" {legal}{default}." if legal else ""
        with dpg.group(horizontal=True, parent=self.parent):
            dpg.add_text(item.name, color=colour)
            dpg.add_text(kind, color=DIM)
        dpg.add_text(f"{item.help}.{span}", parent=self.parent, indent=px(14), wrap=px(WRAP))

    def _sound(self, row: Row) -> None:
        browsing = self.browsing
        path = str(browsing.sound_of(row))
        self._act({"Add": browsing.add, "Stop" if browsing.heard == path else "Listen": browsing.preview})
        found = browsing.peaks.get(path, {})
        if "error" in found:
            self._text(found["error"], AMBER)
        elif found:
            channels = found["channels"]
            count = "mono" if channels == 1 else "stereo" if channels == 2 else f"{channels} channels"
            self._text(f"{_length(found['seconds'])}, {found['rate']} Hz, {count}")
            self._text(found["format"])
            _wave(self.parent, found["low"], found["high"])
        else:
            self._text("It is being read.")

    def _patch(self) -> None:
        self._act({"Add": self.browsing.add, "Open": self.browsing.open})
        self._text("Add makes it a node of this patch; Open plays it in the place of this patch.")

    def _model(self, row: Row, model: Mapping[str, Any]) -> None:
        browsing, state = self.browsing, model["state"]
        acts: dict[str, Callable[..., Any]] = {}
        if model["node"]:
            acts["Add"] = browsing.add
        if state in ("fetching", "ending"):
            acts["Cancel"] = lambda: browsing.cancel(row.name)
        elif state != "here" and browsing.accepting != row.name:
            acts["Fetch"] = lambda: browsing.fetch(row.name)
        self._act(acts)
        if state in ("fetching", "ending"):
            self._bar = dpg.add_progress_bar(parent=self.parent, width=px(WRAP))
            self._progress(model)
        if browsing.accepting == row.name:
            self._text(f"{model['licence']} forbids commercial use.", AMBER)
            self._act({"Accept and fetch": lambda: browsing.fetch(row.name, accept_licence=True)})
        self._text(model["title"], TEXT)
        self._text(f"{_licence(model)}, {size_text(model['bytes'])}, {STATES.get(state, state)}")
        if model["nodes"]:
            self._text(f"for {', '.join(model['nodes'])}")
        for text in (model["about"], model["licence_note"]):
            if text:
                self._text(" ".join(text.split()))

    def _progress(self, model: Mapping[str, Any]) -> None:
        done, total = model.get("done", 0), model.get("total")
        assert self._bar is not None
        words = "ending" if model["state"] == "ending" else f"{size_text(done)} of {size_text(total or model['bytes'])}"
        dpg.set_value(self._bar, min(1.0, done / total) if total else 0.0)
        dpg.configure_item(self._bar, overlay=words)


def _called(_sender: object, _value: object, call: Callable[[], Any]) -> None:
    call()


def _kind(port: Inlet | Outlet) -> str:
    return "control" if isinstance(port, Control) else "message" if port.kind is CableKind.EVENT else port.kind.value


def _licence(model: Mapping[str, Any]) -> str:
    return str(model["licence"]) + (", not for commercial use" if model["non_commercial"] else "")


def _length(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60.0)
    return f"{minutes:.0f} min {rest:.0f} s" if minutes else f"{rest:.2f} s"


def _wave(parent: int | str, low: list[float], high: list[float]) -> None:
    """The outline of a sound, full scale from edge to edge."""
    width, height = (px(side) for side in WAVE)
    with dpg.drawlist(width=width, height=height, parent=parent):
        dpg.draw_rectangle((0, 0), (width, height), fill=see_through(CYAN, 14), color=see_through(CYAN, 50), rounding=4)
        middle, step = height / 2, (width - 4) / max(1, len(low))
        for number, (below, above) in enumerate(zip(low, high, strict=True)):
            x = 2 + step * (number + 0.5)
            top = middle - min(1.0, above) * (middle - 3)
            bottom = middle - max(-1.0, below) * (middle - 3)
            dpg.draw_line((x, top - 0.5), (x, bottom + 0.5), color=CYAN, thickness=max(1.0, step))
