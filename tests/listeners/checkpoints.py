"""Checkpoints as hubs publish them, with weights that anybody can make again: small ones, for small networks.

The reference implementation saves its network once; golden files keep the names and shapes of what it saved, and its
settings. The weights are then random numbers by their names, here and there.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.models import Store
from nodegraph.models.manifest import shipped
from tests.listeners.sounds import random_input

GOLDEN = Path(__file__).parent / "golden"
Shapes = Mapping[str, list[int]]


def random_weights(shapes: Shapes) -> dict[str, np.ndarray[Any, Any]]:
    """Weights whose sizes keep numbers at about 1 through many layers."""
    return {name: _random(name, shape) for name, shape in sorted(shapes.items())}


def _random(name: str, shape: list[int]) -> np.ndarray[Any, Any]:
    last = name.rsplit(".", 1)[-1]
    numbers = random_input(tuple(shape), zlib.crc32(name.encode()))
    if last == "running_var":
        return np.abs(numbers) + np.float32(0.5)
    if last in ("bias", "running_mean"):
        return np.float32(0.1) * numbers
    if len(shape) == 1:
        return np.float32(1.0) + np.float32(0.2) * numbers
    if len(shape) < 1:
        return np.asarray(abs(numbers) + np.float32(1.0), np.float32)
    return numbers / np.float32(np.sqrt(np.prod(shape[1:])))


def write_checkpoint(folder: Path, config: Mapping[str, Any], shapes: Shapes) -> dict[str, Path]:
    """``config.json`` and ``model.safetensors`` in a folder, by the keys under which networks read them."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(random_weights(shapes), folder / "model.safetensors", metadata={"format": "pt"})
    return {"config": folder / "config.json", "weights": folder / "model.safetensors"}


def as_published(model: str, folder: Path, files: Mapping[str, Path]) -> dict[str, Path]:
    """What nodes get of a model that comes with us, when these files stand in the place of the published ones."""
    manifest = next(item for item in shipped() if item.name == model).as_dict() | {"name": "tiny", "revision": "1"}
    assert set(manifest["files"]) == set(files)
    manifest["files"] = {
        key: {"source": f"file:{path}", "size": path.stat().st_size, "save": path.name} for key, path in files.items()
    }
    store = Store(folder / "store")
    (store.root / "manifests").mkdir(parents=True)
    (store.root / "manifests/tiny.json").write_text(json.dumps(manifest), encoding="utf-8")
    store.fetch("tiny")
    return store.files("tiny")


class Golden:
    """One golden file: `config` and `shapes` of its checkpoint, and what the reference answered."""

    def __init__(self, name: str) -> None:
        self.name = name
        with np.load(GOLDEN / f"{name}.npz") as data:
            self.arrays = {key: data[key] for key in data.files}
        self.config: dict[str, Any] = json.loads(str(self.arrays.pop("config")))
        self.shapes: dict[str, list[int]] = json.loads(str(self.arrays.pop("shapes")))

    def __getitem__(self, key: str) -> np.ndarray[Any, Any]:
        return self.arrays[key]

    def checkpoint(self, folder: Path, **changed: Any) -> dict[str, Path]:
        """Its files; `changed` settings are others."""
        return write_checkpoint(folder, self.config | changed, self.shapes)
