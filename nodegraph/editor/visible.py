"""What of a sheet is to be drawn, and how each thing looks: what lies outside of the window is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.cable import Cable
from nodegraph.editor.faders import faders_of
from nodegraph.editor.scene import Scene

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

BEYOND: Final = 0.3
"""So much of the window around it is drawn, too: a little panning draws nothing anew."""
Looks = dict[Any, Any]
"""How every box (by its node's id) and every cable looks: whoever drew it so need not draw it again."""


class Visible:
    """Keeps the looks of what is seen. While boxes are carried, only they and their cables are worked out anew."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.kept = (0.0, 0.0, 0.0, 0.0)
        """What part of the patch is drawn: left, top, right, bottom."""
        self.near: set[str] = set()
        """The boxes in it."""
        self._turned: list[str] = []
        """The boxes that show controls."""
        self._looks: Looks = {}
        self._sign: Any = None
        self._loose: frozenset[Cable] = frozenset()
        """Cables that the hand has taken off."""
        self._zoom = 0.0

    def looks(self) -> Looks:
        """As it is now. The same dictionary each time."""
        editing = self.editing
        scene, selection, zoom = editing.scene, editing.selection, editing.viewport.zoom
        self._keep()
        self._loose = frozenset(editing.hands.loose)
        sign = (
            scene, scene.version, zoom, self.kept, set(selection.nodes), set(selection.cables), self._loose,
        )  # fmt: skip
        if sign != self._sign:
            self._sign = sign
            self._all()
        else:
            self._moved(scene)
            for id in self._turned:  # where their controls stand is told apart from the document
                self._box(id)
        scene.moved.clear()
        return self._looks

    def _keep(self) -> None:
        view, (width, height) = self.editing.viewport, self.editing.size
        left, top = view.patch(0.0, 0.0)
        right, bottom = view.patch(width, height)
        kept = self.kept
        if self._zoom != view.zoom or left < kept[0] or top < kept[1] or right > kept[2] or bottom > kept[3]:
            wide, high = (right - left) * BEYOND, (bottom - top) * BEYOND
            self._zoom, self.kept = view.zoom, (left - wide, top - high, right + wide, bottom + high)

    def _all(self) -> None:
        scene = self.editing.scene
        self.near = {id for id, box in scene.boxes.items() if box.meets(*self.kept)}
        self._turned = [id for id, box in scene.boxes.items() if box.rows]
        self._looks = {}
        for cable in self.editing.mirror.document.graph.cables:
            self._cable(cable)
        for id in scene.boxes:
            self._box(id)

    def _moved(self, scene: Scene) -> None:
        graph = self.editing.mirror.document.graph
        for id in scene.moved & scene.boxes.keys():
            if scene.boxes[id].meets(*self.kept):
                self.near.add(id)
            else:
                self.near.discard(id)
            for cable in (*graph.cables_into(id), *graph.cables_out_of(id)):
                self._cable(cable)
            self._box(id)

    def _box(self, id: str) -> None:
        if id not in self.near:
            self._looks.pop(id, None)
            return
        box = self.editing.scene.boxes[id]
        self._looks[id] = (
            box.x, box.y, box.width, box.text, box.inlets, box.outlets, box.known, faders_of(self.editing, box),
            id in self.editing.selection.nodes, self.editing.viewport.zoom,
        )  # fmt: skip

    def _cable(self, cable: Cable) -> None:
        near, scene = self.near, self.editing.scene
        ends = None
        if cable in self._loose:
            self._looks.pop(cable, None)
            return
        if cable.from_node in near or cable.to_node in near or self._crosses(cable):
            ends = scene.ends(cable)
        if ends is None:
            self._looks.pop(cable, None)
            return
        kind = self.editing.mirror.document.graph.cable_kind(cable)
        self._looks[cable] = (*ends, kind, cable in self.editing.selection.cables, self.editing.viewport.zoom)

    def _crosses(self, cable: Cable) -> bool:
        """Whether a cable between two boxes that are not seen may be."""
        boxes = self.editing.scene.boxes
        one, two = boxes.get(cable.from_node), boxes.get(cable.to_node)
        if one is None or two is None:
            return False
        left, top, right, bottom = self.kept
        return (
            min(one.x, two.x) <= right and left <= max(one.x + one.width, two.x + two.width)
            and min(one.y, two.y) <= bottom and top <= max(one.y + one.height, two.y + two.height)
        )  # fmt: skip
