"""Networks that hear a sound piece by piece, as `models.convert.flowing` draws them, run in a worker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import WorkerError
from nodegraph.nodes.analysis.sessions import open_session

Floats = NDArray[np.float32]
LOUDEST = 8.0
"""What is louder than this is held back: a network with a memory must not be made useless by one wrong sample."""


class Flowing:
    """One network and what it remembers. `notes` are what was written into its file when it was drawn."""

    def __init__(self, path: Path, device: str = "cpu") -> None:
        self.session = open_session(path, device)
        self.notes: dict[str, str] = dict(self.session.get_modelmeta().custom_metadata_map)
        inputs = self.session.get_inputs()
        self._shapes = {item.name: item.shape for item in inputs if item.name.startswith("state")}
        self._begins = any(item.name == "fresh" for item in inputs)
        self.forget()

    def number(self, note: str) -> int:
        """A note that is a whole number."""
        return int(self.notes.get(note) or 0)

    def forget(self, mirrored: bool = False) -> None:
        """A new sound begins, after silence; or `mirrored`, as the originals begin a sound that is whole: the next
        piece must then be eight frames long at least."""
        self._states = {name: np.zeros(shape, np.float32) for name, shape in self._shapes.items()}
        self._fresh = 1.0 if mirrored else 0.0

    def hear(self, outputs: Sequence[str], feed: dict[str, Any]) -> list[Any]:
        """The next piece: these outputs of it."""
        more: dict[str, Any] = {"fresh": np.array([self._fresh], np.float32)} if self._begins else {}
        self._fresh = 0.0
        after = [f"{name}_next" for name in self._states]
        found = self.session.run([*outputs, *after], feed | self._states | more)
        self._states = dict(zip(self._states, found[len(outputs) :], strict=True))
        return list(found[: len(outputs)])


def expect(network: Flowing, model: str, **wanted: int) -> None:
    """See that a network is what a node is declared for. Raises WorkerError."""
    for note, value in wanted.items():
        if network.number(note) != value:
            raise WorkerError(
                f"'{model}' has {note} {network.number(note)} in its config.json, and this node is made for {value}: "
                "fetch the model again, or add another one under this name."
            )


def sane(sound: Floats) -> Floats:
    """The sound without what is no number, and not louder than any sound."""
    found: Floats = np.nan_to_num(np.clip(np.asarray(sound, np.float32), -LOUDEST, LOUDEST))
    return found
