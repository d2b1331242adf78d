"""What is seen of the sound: how loud every cable is, messages that pass, and outlets that are looked at closely.

The engine measures only while this asks it to. Levels fall slowly, so that the eye can follow; how they are drawn is
the window's matter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log10
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.cable import Cable
from nodegraph.core.ports import Control
from nodegraph.editor.closeup import Closeup, closeup, extent
from nodegraph.editor.sheet import ROOT
from nodegraph.editor.turning import drivers

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

FALL_DB: Final = 30.0
"""Levels fall so many decibels a second."""
QUIETEST_DB: Final = -60.0
"""What is quieter than this is not seen."""
FLASH_S: Final = 0.35
"""So long a cable is bright after a message."""
HOVER_S: Final = 0.25
"""So long the mouse rests on a cable or an outlet until it is looked at closely."""
MOST_DRIVEN: Final = 5
"""So many outlets that drive the selected object are looked at; a session lets each editor look at eight."""
Outlet = tuple[str, str]
"""Its node's address below the patch, ``voice1/osc``, and its name."""
Point = tuple[float, float]


@dataclass
class Look:
    """A closer look at an outlet. `at` is where on the screen it was asked for."""

    outlet: Outlet
    at: Point
    since: float = 0.0
    asked: bool = False
    number: int = 0
    """Another one whenever `data` is other."""
    data: Mapping[str, Any] = field(default_factory=dict)
    _closeup: tuple[int, Closeup] | None = None
    _extent: tuple[int, tuple[float, float] | None] = (0, None)

    @property
    def extent(self) -> tuple[float, float] | None:
        """The lowest and the highest of the signal's last samples; None before anything was told."""
        if self._extent[0] != self.number:
            self._extent = self.number, extent(self.data)
        return self._extent[1]

    @property
    def closeup(self) -> Closeup | None:
        """What was told of it last; None before anything was."""
        if not self.data:
            return None
        if self._closeup is None or self._closeup[0] != self.number:
            self._closeup = self.number, closeup(self.data)
        return self._closeup[1]


class Seeing:
    """What one editor sees. Call `turn` before something of it is drawn."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.on = True
        """Whether cables show their level."""
        self.kept: Look | None = None
        """A look that stays while the mouse goes elsewhere."""
        self.hovered: Look | None = None
        self._driving: dict[Outlet, Look] = {}
        """Outlets whose signals drive controls of the selected object."""
        self._driven: dict[tuple[str, str], Outlet] = {}
        """Those controls: the node's address and the name."""
        self._drawn_for: tuple[object, ...] = ()
        self._outlets: list[str] = []
        self._number = -1
        self._levels: dict[str, float] = {}
        self._flashes: dict[str, float] = {}
        self._at = time.monotonic()
        editing.hear("cables", self._told)
        editing.hear("probe", self._seen)
        editing.joined.append(self._joined)

    def actions(self) -> dict[str, Callable[[], Any]]:
        """Its actions by name."""
        return {"show-levels": self.switch, "probe-keep": self.keep}

    # -- levels

    def switch(self) -> None:
        """Show levels, or show them no more."""
        self.on = not self.on
        self._subscribe("subscribe" if self.on else "unsubscribe")
        self._levels.clear()
        self._flashes.clear()
        self.editing.say("Cables show their levels." if self.on else "Cables show no levels.")

    def level(self, address: str) -> float:
        """How loud an outlet is seen: from 0 (silent) to 1 (full scale), even steps being decibels."""
        peak = self._levels.get(address, 0.0)
        if peak <= 0.0:
            return 0.0
        return min(1.0, max(0.0, 1.0 - 20.0 * log10(peak) / QUIETEST_DB))

    def flash(self, address: str) -> float:
        """How bright an outlet is seen of its last message: from 1 (just now) to 0."""
        return self._flashes.get(address, 0.0)

    def cable(self, cable: Cable) -> float:
        """How bright a cable of the sheet on top is, of what flows there."""
        address = self.editing.sheet.address(cable.from_node, cable.from_port)
        return max(self.level(address), self.flash(address))

    def _told(self, data: Mapping[str, Any]) -> None:
        if not self.on:
            return
        if "outlets" in data:
            self._outlets, self._number = list(data["outlets"]), data["number"]
        if data["number"] == self._number:
            for address, peak in zip(self._outlets, data["levels"], strict=False):
                if peak > self._levels.get(address, 0.0):
                    self._levels[address] = peak
        self._flashes.update(dict.fromkeys(data["events"], 1.0))

    # -- a closer look

    @property
    def looks(self) -> list[Look]:
        """Those that are shown."""
        return [look for look in (self.kept, self.hovered) if look is not None and look.asked]

    def keep(self) -> None:
        """Keep what is looked at, while the mouse goes elsewhere; or keep it no more."""
        hovered, kept = self.hovered, self.kept
        if kept is not None:
            self.kept = None
            if hovered is None or hovered.outlet != kept.outlet:
                self._stop(kept)
            if hovered is None or hovered.outlet == kept.outlet:
                return
        if hovered is not None:
            self.kept, self.hovered = hovered, None
        else:
            self.kept = self._selected()
        if self.kept is not None:
            self._ask(self.kept)
        else:
            self.editing.say("Rest the mouse on a cable or an outlet, or select one: it can be kept in view.")

    def _selected(self) -> Look | None:
        """The outlet of the one cable that is selected, or the first of the one object."""
        sheet, (nodes, cables) = self.editing.sheet, (self.editing.selection.nodes, self.editing.selection.cables)
        if len(nodes) + len(cables) != 1:
            return None
        box = sheet.scene.boxes.get(next(iter(nodes), next((cable.from_node for cable in cables), "")))
        if box is None or not box.outlets:
            return None
        port = next((cable.from_port for cable in cables), box.outlets[0].name)
        return Look(self._outlet(box.node, port), sheet.viewport.screen(box.x + box.width, box.y))

    def _outlet(self, node: str, port: str) -> Outlet:
        return self.editing.sheet.address(node, port)[len(ROOT) + 1 : -len(port) - 1], port

    def _looks(self) -> list[Look]:
        return [look for look in (self.kept, self.hovered, *self._driving.values()) if look is not None]

    def _seen(self, data: Mapping[str, Any]) -> None:
        if not data["playing"]:
            for look in self._looks():
                look.data = {}
                look.number += 1
        for item in data["probes"]:
            for look in self._looks():
                if look.outlet == (item["node"], item["port"]):
                    look.data = item
                    look.number += 1

    def _under(self) -> Outlet | None:
        """The outlet under the mouse, or that of the cable there."""
        hands = self.editing.hands
        if hands.doing is not None:
            return None
        if hands.hover is not None:
            node, port = hands.hover.node, hands.hover.name
            if not hands.hover.out:
                return None
        elif hands.hover_cable is not None:
            node, port = hands.hover_cable.from_node, hands.hover_cable.from_port
        else:
            return None
        return self._outlet(node, port)

    def _hover(self, now: float) -> None:
        under, hovered = self._under(), self.hovered
        if under is not None and self.kept is not None and self.kept.outlet == under:
            under = None  # it is in view already
        if hovered is not None and hovered.outlet != under:
            self.hovered = None
            if hovered.asked:
                self._stop(hovered)
            hovered = None
        if under is None:
            return
        if hovered is None:
            self.hovered = Look(under, self.editing.hands.at, now)
        elif not hovered.asked:
            hovered.at = self.editing.hands.at
            if now - hovered.since >= HOVER_S and self.editing.link.up:
                self._ask(hovered)

    # -- controls that signals drive

    def driven(self, node: str, control: Control) -> tuple[float, float] | None:
        """Between which values a signal moves a control of the selected object now; None: that is not known."""
        outlet = self._driven.get((self.editing.sheet.address(node, control.name), control.name))
        look = None if outlet is None else self._driving.get(outlet)
        found = None if look is None else look.extent
        if found is None:
            return None
        low, high = control.span
        return min(max(found[0], low), high), min(max(found[1], low), high)

    def _drive(self) -> None:
        """Look at what drives the one object that is selected: controls with one cable, a signal's."""
        editing, nodes = self.editing, self.editing.selection.nodes
        drawn_for = editing.sheet.root, editing.mirror.version, frozenset(nodes), editing.link.up
        if drawn_for == self._drawn_for:
            return
        self._drawn_for = drawn_for
        self._driven.clear()
        if len(nodes) == 1 and editing.link.up:
            self._driven |= self._drivers_of(next(iter(nodes)))
        wanted = set(self._driven.values())
        for outlet in self._driving.keys() - wanted:
            self._stop(self._driving.pop(outlet))
        for outlet in wanted - self._driving.keys():
            self._driving[outlet] = Look(outlet, (0.0, 0.0))
            self._ask(self._driving[outlet])

    def _drivers_of(self, node: str) -> dict[tuple[str, str], Outlet]:
        graph, sheet = self.editing.mirror.document.graph, self.editing.sheet
        entry = graph.nodes.get(node)
        controls = () if entry is None or entry.spec is None else entry.spec.controls
        found: dict[tuple[str, str], Outlet] = {}
        for control in controls:
            cables = drivers(graph, node, control.name)
            if len(cables) == 1 and cables[0][1] == "signal" and len(found) < MOST_DRIVEN:
                source, _, port = cables[0][0].rpartition(".")
                found[sheet.address(node, control.name), control.name] = self._outlet(source, port)
        return found

    def _ask(self, look: Look) -> None:
        look.asked = True
        node, port = look.outlet
        self.editing.link.ask("probe", self._answered, node=node, port=port)

    def _stop(self, look: Look) -> None:
        node, port = look.outlet
        if self.editing.link.up and all(other.outlet != look.outlet for other in self._looks() if other is not look):
            self.editing.link.ask("probe", None, node=node, port=port, stop=True)

    def _answered(self, answer: Mapping[str, Any]) -> None:
        """A node that was only just made here may not be there yet: no harm, and nothing to be told."""

    # -- time

    def turn(self, now: float | None = None) -> bool:
        """Let time pass. Whether anything of it moves by itself now."""
        now = time.monotonic() if now is None else now
        passed, self._at = max(0.0, now - self._at), now
        self._hover(now)
        self._drive()
        fall = 10.0 ** (-FALL_DB * passed / 20.0)
        quietest = 10.0 ** (QUIETEST_DB / 20.0)
        self._levels = {name: peak * fall for name, peak in self._levels.items() if peak * fall > quietest}
        left = passed / FLASH_S
        self._flashes = {name: bright - left for name, bright in self._flashes.items() if bright > left}
        moves = bool(self._levels or self._flashes or self._looks())
        self.editing.link.doze = not moves
        return moves

    # -- the line

    def _joined(self) -> None:
        self._number = -1
        if self.on:
            self._subscribe("subscribe")
        for look in self._looks():
            if look.asked:
                self._ask(look)

    def _subscribe(self, do: str) -> None:
        if self.editing.link.up:
            self.editing.link.ask(do, self.editing.tell_problems, topics=["cables"])
