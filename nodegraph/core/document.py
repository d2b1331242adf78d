"""A document: the graph of a patch and what else its file holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodegraph.core.cable import Cable
from nodegraph.core.graph import Graph
from nodegraph.core.jsontext import Places
from nodegraph.core.preset_names import rename_in
from nodegraph.core.values import finite


@dataclass
class Document:
    """A patch as it is kept: the graph, a title, a text about it, and where its boxes stand.

    `view` gives the place of each node, ``[x, y]`` in points; or, where its box shows controls,
    ``{"at": [x, y], "show": ["cutoff"]}``, whose other keys are kept. `presentation` gives the place of those that are
    shown when the patch is presented. `notes` are what stands beside the boxes (`core.notes`). `extra` are the keys of
    the file that this version does not know; they are written back. `presets` are named values of parameters
    (`core.presets`). `path` is the file it was read from or saved to last.
    """

    graph: Graph = field(default_factory=Graph)
    title: str = ""
    about: str = ""
    view: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    path: Path | None = None
    after: dict[str, str] = field(default_factory=dict, repr=False)
    """After which known key each key of `extra` stands in the file; at the end when it is not told."""
    strangers: dict[str, Any] = field(default_factory=dict, repr=False)
    """Places in the file that were no node's. They are written back."""
    presets: dict[str, dict[str, float]] = field(default_factory=dict)
    """By name, in the order in which they have numbers: ``node.port`` → value."""
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id: comments, areas, images, as a file has them."""
    presentation: dict[str, Any] = field(default_factory=dict)
    unpresented: dict[str, Any] = field(default_factory=dict, repr=False)
    """Places in the presentation that were no node's. They are written back."""
    told: list[Callable[[Sequence[Any]], None]] = field(default_factory=list, repr=False, compare=False)
    """Are told of the commands that were carried out on it (`core.commands.perform`)."""
    places: Places = field(default_factory=Places, repr=False, compare=False)
    cable_places: dict[Cable, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def folder(self) -> Path:
        """The folder against which file settings are meant: the patch's, or the working folder before it has one."""
        return self.path.parent if self.path else Path.cwd()

    @property
    def file(self) -> str | None:
        """The file's name for messages."""
        return str(self.path) if self.path else None

    def place(self, node: str) -> tuple[float, float] | None:
        """Where the node's box stands; None when that is not told, or not as two numbers."""
        at = self.view.get(node)
        if isinstance(at, dict):
            at = at.get("at")
        if isinstance(at, (list, tuple)) and len(at) == 2 and finite(at[0]) and finite(at[1]):
            return float(at[0]), float(at[1])
        return None

    def presented(self, node: str) -> tuple[float, float] | None:
        """Where the node's box stands when the patch is presented; None when it is not shown then."""
        at = self.presentation.get(node)
        return None if at is None else (float(at[0]), float(at[1]))

    def shown(self, node: str) -> tuple[str, ...]:
        """The controls that the node's box shows, whether its kind has them or not."""
        entry = self.view.get(node)
        names = entry.get("show") if isinstance(entry, dict) else None
        return tuple(name for name in names if isinstance(name, str)) if isinstance(names, (list, tuple)) else ()

    def put(self, node: str, at: Any) -> None:
        """Give a node's box a place, ``[x, y]``: what else is told of the box stays. An object is all that is told of
        it; None: nothing is.
        """
        before = self.view.get(node)
        if at is None:
            self.view.pop(node, None)
        elif isinstance(at, (list, tuple)):
            self.view[node] = {**before, "at": list(at)} if isinstance(before, dict) else list(at)
        else:
            self.view[node] = at

    def no_nodes(self, places: Mapping[str, Any]) -> dict[str, Any]:
        """Of `strangers` or `unpresented` those that are still no node's: what stood in the file under the id of a node
        that has come is not its place.
        """
        return {id: place for id, place in places.items() if id not in self.graph}

    def rename(self, node: str, new: str) -> None:
        """Give a node another id, in the graph, in the view, in the presentation and in the presets."""
        self.graph.rename(node, new)
        # a node that was removed may have left its place under the new id: the two change places, so that the way back
        # is the same
        for held in (self.view, self.presentation) if node != new else ():
            places = {id: held.pop(id) for id in (node, new) if id in held}
            for id, place in places.items():
                held[new if id == node else node] = place
        if node != new:
            rename_in(self.presets, node, new)

    def line(self, node: str, port: str | None = None) -> int | None:
        """The line of a node, or of one of its values, in the file as it was read or saved last."""
        if ("nodes", node) not in self.places.offsets:
            return None
        return self.places.line("nodes", node) if port is None else self.places.line("nodes", node, port)

    def cable_line(self, cable: Cable) -> int | None:
        """The line of a cable in the file as it was read or saved last."""
        index = self.cable_places.get(cable)
        return None if index is None else self.places.line("cables", index)
