"""What a listening node states about its model: how much sound it hears at once, and which weights it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Clip:
    """The model hears a whole window at a time, every hop: the last `seconds`, as `rate` samples a second.

    `hop` is the control inlet (in seconds) that says how often; without such an inlet `hop_s` does.
    """

    seconds: float
    rate: int
    hop_s: float = 0.5

    @property
    def samples(self) -> int:
        return round(self.seconds * self.rate)


@dataclass(frozen=True, slots=True)
class Chunks:
    """The model hears the sound as it flows, `samples` at a time at `rate`, and keeps its own memory between them."""

    samples: int
    rate: int

    @property
    def seconds(self) -> float:
        return self.samples / self.rate


def hop_of(hears: Clip | Chunks, controls: Mapping[str, Any]) -> float:
    """How often a model is asked: every so many seconds. `controls` are its node's values by inlet."""
    return hears.seconds if isinstance(hears, Chunks) else float(controls.get("hop", hears.hop_s))


@dataclass(frozen=True, slots=True)
class Weights:
    """The name of a model in the store; the store knows its files, hashes, size and licence.

    A setting's name in braces stands for its value: ``crepe-{size}``. `own` is a setting in which the user may name
    another model of the same kind, which was added to the store; while it is empty, `name` counts.
    """

    name: str
    own: str = ""

    def of(self, settings: Mapping[str, Any], defaults: Iterable[Any] = ()) -> str:
        """The name, for a node with these settings; `defaults` are its spec's settings, for what is not given."""
        if self.own and (named := settings.get(self.own)):
            return str(named)
        if "{" not in self.name:
            return self.name
        given = {item.name: item.default for item in defaults} | dict(settings)
        return self.name.format_map(given)


MOST_MODEL_THREADS: Final = 64


@dataclass(frozen=True, slots=True)
class Workers:
    """How models are run: on which device (`nodegraph.providers`), how many megabytes their processes may hold, and on
    how many threads those compute that have time; None: on all processors but one, four at most."""

    on: str = "cpu"
    memory_mb: float | None = None
    threads: int | None = None


class Files(dict[str, Path]):
    """The files of a model by the keys of its manifest, as a node's `load` gets them.

    `on_gpu` are those that a lane on a GPU takes in their place. `version` and `gpu_version` name what they are when
    they are not the originals; `note` is what should be said about them.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        super().__init__(files)
        self.on_gpu: dict[str, Path] = {}
        self.version = self.gpu_version = self.note = ""


@dataclass(frozen=True, slots=True)
class OwnModel(Weights):
    """A file of the user's own in place of a model in the store: the setting of that name says which.

    The node's `load` finds the path among its settings. `code`: the file is a program (TorchScript), so the node runs
    nothing that the user has not trusted (`core.trust`); one that holds numbers and known operations (ONNX) is looked
    at before it is opened, and nobody has to be trusted.
    """

    code: bool = True

    def of(self, settings: Mapping[str, Any], defaults: Iterable[Any] = ()) -> str:
        """Empty: the store knows nothing of it."""
        return ""
