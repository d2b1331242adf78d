"""A small patch that is being put together, and where its boxes stand when it is."""

from __future__ import annotations

import json
from typing import Any, Final

ROW: Final = 70
GAP: Final = 34
LEFT: Final = 40
TOP: Final = 40
CHARACTER: Final = 8.1
"""How wide a letter in a box is, as editors draw it."""
EDGES: Final = 24
NARROWEST: Final = 48.0


class Sketch:
    """Nodes under their ids, in the order in which they came, and the cables among them."""

    def __init__(self) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.cables: list[str] = []
        self.presets: dict[str, dict[str, float]] = {}

    def add(self, id: str, kind: str, **values: Any) -> str:
        """A node; one that is there already stays as it is."""
        self.nodes.setdefault(id, {"kind": kind, **values})
        return id

    def join(self, outlet: str, inlet: str) -> None:
        """A cable, ``join("osc.y", "cut.x")``."""
        cable = f"{outlet} -> {inlet}"
        if cable not in self.cables:
            self.cables.append(cable)

    def text(self, title: str, about: str) -> str:
        """The patch as the text of a file."""
        data: dict[str, Any] = {
            "nodegraph": 1, "title": title, "about": about, "nodes": self.nodes, "cables": self.cables,
        }  # fmt: skip
        if self.presets:
            data["presets"] = self.presets
        return json.dumps(data | {"view": self.places()}, ensure_ascii=False)

    def places(self) -> dict[str, list[int]]:
        """Where the boxes stand: each in a row below whatever it hears, as far left as that stands on the average."""
        hears: dict[str, list[str]] = {id: [] for id in self.nodes}
        for cable in self.cables:
            source, target = (end.strip().split(".")[0] for end in cable.split("->"))
            hears[target].append(source)
        rows: dict[str, int] = {}
        for id in self.nodes:
            _row(id, hears, rows)
        found: dict[str, list[int]] = {}
        for row in range(max(rows.values(), default=0) + 1):
            here = [id for id in self.nodes if rows[id] == row]
            wanted = {id: _mean([found[one][0] for one in hears[id] if one in found]) for id in here}
            right = float(LEFT)
            for id in sorted(here, key=lambda id: wanted[id]):
                left = max(right, wanted[id])
                found[id] = [round(left), TOP + ROW * row]
                right = left + self._width(id) + GAP
        return found

    def _width(self, id: str) -> float:
        words = [str(value) for value in self.nodes[id].values()]
        names = [f"{name}=" for name in self.nodes[id] if name != "kind"]
        return max(NARROWEST, EDGES + CHARACTER * min(48, len(" ".join(words)) + len("".join(names))))


def _row(id: str, hears: dict[str, list[str]], rows: dict[str, int]) -> int:
    """The row of a node: one below the lowest that it hears. Help patches have no loops."""
    if id not in rows:
        rows[id] = 1 + max((_row(source, hears, rows) for source in hears[id]), default=-1)
    return rows[id]


def _mean(numbers: list[int]) -> float:
    return sum(numbers) / len(numbers) if numbers else float(LEFT)
