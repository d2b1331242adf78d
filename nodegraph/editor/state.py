"""What a test wants to know of a running editor: where things are on the screen, and what is going on."""

from __future__ import annotations

import json
import os
from itertools import islice
from pathlib import Path
from typing import Any, Final

from nodegraph.editor.editing import Editing
from nodegraph.editor.gestures import Copying, Cutting
from nodegraph.editor.held import Framing, Holding, Moving, Panning
from nodegraph.editor.resizing import Resizing
from nodegraph.editor.scene import Box
from nodegraph.editor.wiring import Wiring

MOST: Final = 500
"""So many boxes and cables are told of."""
DOING = {
    Moving: "moving", Copying: "copying", Framing: "framing", Resizing: "resizing", Panning: "panning",
    Holding: "turning",
    Wiring: "wiring", Cutting: "cutting", type(None): "",
}  # fmt: skip


def state_of(editing: Editing, origin: tuple[float, float], **more: Any) -> dict[str, Any]:
    """The state as plain data. `origin` is where the canvas begins in the window."""

    def seen(x: float, y: float) -> list[float]:
        at = editing.viewport.screen(x, y)
        return [round(at[0] + origin[0], 1), round(at[1] + origin[1], 1)]

    def box(found: Box) -> dict[str, Any]:
        return {
            "text": found.text,
            "middle": seen(found.x + found.width / 2, found.y + found.height / 2),
            "rows": {
                name: seen((left + right) / 2, (top + bottom) / 2)
                for name, (left, top, right, bottom) in zip(found.rows, map(found.row, range(99)), strict=False)
            },
            "ports": {
                f"{'out' if port.out else 'in'}:{port.name}": seen(*found.place(port))
                for port in (*found.inlets, *found.outlets)
            },
        }

    mirror, view = editing.mirror, editing.viewport
    return {
        "sheets": [sheet.root for sheet in editing.sheets.open], "sheet": editing.sheet.root,
        "ready": mirror.ready, "up": editing.link.up, "title": editing.title, "revision": mirror.revision,
        "unsaved": mirror.unsaved, "undo": mirror.undo_label, "redo": mirror.redo_label, "playing": editing.playing,
        "waiting": len(mirror.waiting), "count": len(editing.scene.boxes),
        "boxes": {id: box(found) for id, found in islice(editing.scene.boxes.items(), MOST)},
        "cables": [str(cable) for cable in islice(mirror.document.graph.cables, MOST)],
        "selected": sorted(editing.selection.nodes),
        "selected_cables": sorted(str(cable) for cable in editing.selection.cables),
        "selected_notes": sorted(editing.selection.notes),
        "notes": {
            id: {
                "kind": note.kind, "text": note.text, "corner": seen(*note.corner), "at": seen(note.x, note.y),
                "grip": seen(note.x + note.width / 2, note.y + min(note.title, note.height) / 2),
            }
            for id, note in editing.scene.notes.items()
        },
        "locked": editing.modes.locked, "presenting": editing.modes.presenting,
        "zoom": round(view.zoom, 4), "view": [round(view.x, 1), round(view.y, 1)],
        "doing": DOING[type(editing.hands.doing)],
        "hand": [round(at + first, 1) for at, first in zip(editing.hands.at, origin, strict=True)],
        "sounding": sorted(
            str(cable) for cable in mirror.document.graph.cables if editing.seeing.cable(cable) > 0.05
        ),
        "looks": [look.closeup.name for look in editing.seeing.looks if look.closeup is not None],
        "said": list(editing.lines)[-8:], **more,
    }  # fmt: skip


class StateFile:
    """Keeps the state in a file, whole at any moment, written when it is another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last = ""

    def write(self, state: dict[str, Any]) -> None:
        """Put it there, if it is another than last time."""
        text = json.dumps(state)
        if text != self._last:  # whole, but not brought to the disk: it is for whoever looks now
            self._last = text
            beside = self.path.with_name(self.path.name + ".new")
            beside.write_text(text, encoding="utf-8")
            os.replace(beside, self.path)
