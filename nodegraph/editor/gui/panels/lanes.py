"""How the engine keeps up: its load and what it lost, and the models in their worker processes."""

from __future__ import annotations

from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.figures import milliseconds
from nodegraph.editor.gui.looks import AMBER, CYAN, DIM, TEXT
from nodegraph.editor.gui.panel import Panel, place_of
from nodegraph.editor.health import MODELS

PLOT: Final = (110, 18)
COLUMNS: Final = (
    ("model", 0), ("state", 86), ("answer p50 / p99 ms", 150), ("waits p99", 80), ("in all p99", 84), ("missed", 64),
    ("queue", 50), ("restarts", 70), ("last two minutes", 130),
)  # fmt: skip
LANES: Final = {"soon": "what must answer soon", "steady": "what takes its time"}


class LanesPanel(Panel):
    """The lanes and the nodes that they serve, each with its past."""

    name, title, side = "lanes", "Models and lanes", "bottom"

    def __init__(self, editing: Editing, parent: int | str) -> None:
        super().__init__(editing, parent)
        self._seen = -1
        self._shape: Any = None
        self._cells: dict[tuple[str, str], int | str] = {}
        self._nodes: dict[str, int | str] = {}
        self._bright = _bright()
        with dpg.group(horizontal=True, parent=parent):
            dpg.add_text("load", color=DIM)
            self._load = _plot("two minutes of load", self._bright)
            dpg.add_text("xruns", color=DIM)
            self._xruns = _plot("two minutes of lost blocks", self._bright)
            self._troubles = dpg.add_text("")
        self._body = dpg.add_group(parent=parent)

    def places(self) -> dict[str, list[float]]:
        return {f"lane {node}": place_of(item) for node, item in self._nodes.items()}

    def turn(self) -> bool:
        figures = self.editing.figures
        if self._seen == figures.version:
            return False
        self._seen = figures.version
        dpg.set_value(self._load, list(figures.load) or [0.0])
        dpg.set_value(self._xruns, list(figures.xruns) or [0.0])
        dpg.set_value(self._troubles, self._words())
        listeners = figures.status.get("listeners", {})
        lanes = figures.status.get("lanes", [])
        shape = [(lane["lane"], tuple(lane["nodes"])) for lane in lanes]
        if shape != self._shape:
            self._shape = shape
            self._make(lanes)
        for lane in lanes:
            self._set(lane["lane"], "", _about(lane))
            for node in lane["nodes"]:
                if node in listeners:
                    self._fill(node, listeners[node])
        return False

    def _words(self) -> str:
        figures = self.editing.figures
        if not figures.playing:
            return "Nothing plays."
        troubles = ",  ".join(f"{count} {words}" for words, count in figures.troubles())
        return f"! {troubles}" if troubles else "Nothing was lost since it plays."

    def _make(self, lanes: list[dict[str, Any]]) -> None:
        dpg.delete_item(self._body, children_only=True)
        self._cells.clear()
        self._nodes.clear()
        if not lanes:
            words = "No node of this patch listens or generates with a model." if self.editing.playing else ""
            dpg.add_text(words, parent=self._body, color=DIM)
        for lane in lanes:
            self._cells[lane["lane"], ""] = dpg.add_text("", parent=self._body, color=CYAN)
            with dpg.table(parent=self._body, borders_innerH=True, policy=dpg.mvTable_SizingFixedFit):
                for words, width in COLUMNS:
                    dpg.add_table_column(
                        label=words, width_stretch=not width, init_width_or_weight=width or 1, width_fixed=bool(width)
                    )
                for node in lane["nodes"]:
                    with dpg.table_row():
                        self._nodes[node] = dpg.add_button(
                            label=node, small=True, user_data=node,
                            callback=lambda _sender, _data, node: self.editing.reveal(node),
                        )  # fmt: skip
                        for words, _ in COLUMNS[1:-1]:
                            self._cells[node, words] = dpg.add_text("")
                        self._cells[node, "past"] = _plot("what an answer took, in ms", self._bright)

    def _fill(self, node: str, one: dict[str, Any]) -> None:
        sign = MODELS.get(one["state"], ("", ""))[0]
        self._set(node, "state", f"{sign} {one['state']}".strip(), bad=sign == "!")
        p50, p99 = milliseconds(one["inference_p50_ms"]), milliseconds(one["inference_p99_ms"])
        self._set(node, "answer p50 / p99 ms", f"{p50} / {p99}")
        self._set(node, "waits p99", milliseconds(one["queue_p99_ms"]))
        self._set(node, "in all p99", milliseconds(one["total_p99_ms"]))
        missed = one["misses"]
        self._set(node, "missed", f"{'! ' if missed else ''}{missed}", bad=bool(missed))
        self._set(node, "queue", str(one["pending"]))
        restarts = one["restarts"]
        self._set(node, "restarts", f"{'! ' if restarts else ''}{restarts}", bad=bool(restarts))
        past = self.editing.figures.lanes.get(node)
        if past is not None:
            dpg.set_value(self._cells[node, "past"], list(past.inference_ms))

    def _set(self, node: str, column: str, words: str, *, bad: bool = False) -> None:
        item = self._cells[node, column]
        if dpg.get_value(item) != words:
            dpg.set_value(item, words)
            if column:
                dpg.configure_item(item, color=AMBER if bad else TEXT)


def _bright() -> int | str:
    """For small pasts."""
    with dpg.theme() as theme, dpg.theme_component(dpg.mvAll):
        dpg.add_theme_color(dpg.mvThemeCol_PlotLines, CYAN)
    return theme  # type: ignore[no-any-return]


def _plot(words: str, theme: int | str) -> int | str:
    """A small past, without axes."""
    item: int | str = dpg.add_simple_plot(default_value=[0.0], width=PLOT[0], height=PLOT[1], min_scale=0.0)
    dpg.bind_item_theme(item, theme)
    with dpg.tooltip(item):
        dpg.add_text(words)
    return item


def _about(lane: dict[str, Any]) -> str:
    threads = f"{lane['threads']} thread{'s' if lane['threads'] != 1 else ''}"
    restarts = f", ! started again {lane['restarts']} times" if lane["restarts"] else ""
    process = f"process {lane['pid']}" if lane["pid"] else "no process"
    on = f", on {lane['on']}" if lane["on"] else ""
    return f"{LANES[lane['lane']]}: {process}, {threads}, {lane['memory_mb']:.0f} MB{on}{restarts}"
