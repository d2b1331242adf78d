"""Faster versions of a stored model: where they lie, what was measured, and which of them nodes get.

    ROOT/.derived/HASH/TOOLS-KIND/model-….onnx     HASH is of what it was made from, TOOLS of what it was made with
    ROOT/.derived/HASH/TOOLS-KIND/report.json      its hash, and what was measured
    ROOT/uses/NAME.json                            which version is used: on the processor, and on a GPU

A version whose original or whose tools have changed since is stale: nodes get the original again.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, cast

from nodegraph.core.listening import Files
from nodegraph.models.convert.networks import NETWORKS
from nodegraph.models.disk import write
from nodegraph.models.manifest import Made, Manifest
from nodegraph.models.optimize import FOR_GPU, GAIN, LABELS, MEAN, RECIPE, TO, WORST, To

Place = Literal["cpu", "gpu"]
REPORT: Final = "report.json"
PLACES: Final[Mapping[Place, str]] = {"cpu": "on the processor", "gpu": "on a GPU"}


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of one file: milliseconds a run on one thread, medians; errors relative to the largest number
    that the original says; in how many of the clips the top label became another. `where` it was measured; `heard` is
    ``sounds`` or ``noise``, as the node `node` feeds it, or as it is when no node uses the model."""

    key: str
    was_ms: float
    is_ms: float
    greatest: float
    mean: float
    runs: int
    node: str
    heard: str
    sounds: int
    clips: int
    labels_changed: int
    where: str
    was_bytes: int
    is_bytes: int

    def complaints(self, to: str) -> list[str]:
        """What speaks against it, by the bounds of `models.optimize`."""
        found = []
        if to in FOR_GPU and self.where == "cpu":
            found.append("its speed on a GPU is not known: there is none here")
        elif self.is_ms * GAIN > self.was_ms:
            found.append(f"it is not {GAIN:g} times as fast: {self.was_ms:.3g} ms a run became {self.is_ms:.3g}")
        if not self.greatest <= WORST:
            found.append(f"a number of it is off by {_percent(self.greatest)}, more than {_percent(WORST)}")
        if not self.mean <= MEAN:
            found.append(f"it is off by {_percent(self.mean)} on the mean, more than {_percent(MEAN)}")
        if self.labels_changed > LABELS * self.clips:
            found.append(f"the top label is another one in {self.labels_changed} of {self.clips} clips")
        return found

    def lines(self) -> list[str]:
        """In words."""
        over = f"{self.sounds} sound files" if self.heard == "sounds" else "seeded noise"
        fed = f" as {self.node} feeds it" if self.node else ", as no node uses it"
        where = "one thread" if self.where == "cpu" else self.where
        found = [
            f"{self.key}: {self.was_ms:.3g} ms a run became {self.is_ms:.3g} ({self.was_ms / self.is_ms:.2g} times as "
            f"fast, {where}), {self.was_bytes / 1e6:.3g} MB became {self.is_bytes / 1e6:.3g}",
            f"{self.key}: off by {_percent(self.greatest)} at most, {_percent(self.mean)} on the mean, of the largest "
            f"number ({self.runs} runs over {over}{fed})",
        ]
        if self.clips:
            found.append(f"{self.key}: the top label is another one in {self.labels_changed} of {self.clips} clips")
        return found


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a model, of all its files that have one. `used`: nodes get it. `fresh`: it was made just now."""

    to: To
    figures: tuple[Figures, ...]
    used: bool
    fresh: bool = False

    @property
    def complaints(self) -> list[str]:
        """What speaks against it."""
        return [text for item in self.figures for text in item.complaints(self.to)]

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        figures = [asdict(item) for item in self.figures]
        return {"to": self.to, "used": self.used, "complaints": self.complaints, "figures": figures}


def _percent(part: float) -> str:
    return f"{100 * part:.2g} %" if part < 1e3 else "no number"


def place_of(to: str) -> Place:
    """Where a version is used."""
    return "gpu" if to in FOR_GPU else "cpu"


# Where they lie.


def origin_of(manifest: Manifest, made: Made) -> str:
    """The hash of what a network is made from."""
    hashes = {file.key: file.sha256 for file in manifest.files}
    if len(made.reads) == 1:
        return hashes[made.reads[0]]
    return hashlib.sha256("".join(hashes[key] for key in made.reads).encode()).hexdigest()


def origins(manifest: Manifest) -> dict[str, tuple[str, str]]:
    """The ONNX files that nodes get, by key: the hash of what each comes from, and how it was drawn, if it was."""
    found = {}
    weights = "".join(file.sha256 for file in manifest.files if file.save.endswith(".data"))
    for file in manifest.files:
        if file.save.endswith(".onnx") and file.sha256:
            digest = file.sha256
            if weights:
                digest = hashlib.sha256((digest + weights).encode()).hexdigest()
            found[file.key] = digest, ""
    for made in manifest.networks:
        if digest := origin_of(manifest, made):
            found[made.key] = digest, f"{made.draws}-{NETWORKS[made.draws].version}-{made.key}-"
    return found


@lru_cache(maxsize=1)
def tools() -> str:
    """What versions are made with: ``onnxruntime-1.31.1``."""
    for name in ("onnxruntime", "onnxruntime-gpu"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return f"onnxruntime-{importlib.metadata.version(name)}"
    return "onnxruntime-none"


def spot(manifest: Manifest, key: str, to: str) -> str:
    """Where the version of one file lies, below ``.derived``."""
    digest, drawn = origins(manifest)[key]
    return f"{digest}/{drawn}{tools()}-{to}-{RECIPE[to]}"


def found_at(root: Path, place: str) -> tuple[Path, dict[str, Any]] | None:
    """The file at such a place and its report; None when there is none, or it is not as long as it was."""
    folder = root / ".derived" / place
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        path = folder / str(report["file"])
        whole = path.stat().st_size == report["size"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (path, report) if whole else None


# Which there are, and which is used.


def versions_of(root: Path, manifest: Manifest) -> tuple[Version, ...]:
    """Every version of a model that was made of what it is now, with the tools that are here now."""
    used = uses(root, manifest.name)
    found = []
    for to in TO:
        spots = {key: spot(manifest, key, to) for key in origins(manifest)}
        figures = [figures_of(here[1]) for place in spots.values() if (here := found_at(root, place))]
        known = tuple(item for item in figures if item is not None)
        if known:
            use = used.get(place_of(to), {})
            found.append(Version(to, known, use.get("to") == to and _valid(root, manifest, use)))
    return tuple(found)


def figures_of(report: Mapping[str, Any]) -> Figures | None:
    """What a report holds; None when it is not whole."""
    try:
        return Figures(**{item.name: report["figures"][item.name] for item in fields(Figures)})
    except (KeyError, TypeError):
        return None


def uses(root: Path, name: str) -> dict[str, dict[str, Any]]:
    """What was chosen for a model, by the place where it runs."""
    with contextlib.suppress(OSError, ValueError):
        data = json.loads(_record(root, name).read_text(encoding="utf-8"))
        if isinstance(data, dict) and all(isinstance(item, dict) for item in data.values()):
            return cast(dict[str, dict[str, Any]], data)
    return {}


def set_use(root: Path, manifest: Manifest, to: str | None) -> None:
    """Use a version from now on; None: the original everywhere. Raises OSError."""
    if to is None:
        _record(root, manifest.name).unlink(missing_ok=True)
        return
    spots = {key: spot(manifest, key, to) for key in origins(manifest)}
    chosen = {key: place for key, place in spots.items() if found_at(root, place)}
    record = uses(root, manifest.name) | {place_of(to): {"to": to, "files": chosen}}
    write(_record(root, manifest.name), json.dumps(record, indent=2) + "\n")


def forget(root: Path, name: str) -> None:
    """No version of this model is used any more."""
    _record(root, name).unlink(missing_ok=True)


def stale(root: Path, manifest: Manifest) -> list[str]:
    """What was chosen and is not used, because it was made of another original, or with other tools, or is gone."""
    return [
        f"its {use.get('to')} version is not used: it was made of another original or with other tools. "
        f"Run: nodegraph models optimize {manifest.name} --to {use.get('to')}"
        for use in uses(root, manifest.name).values()
        if not _valid(root, manifest, use)
    ]


def chosen(root: Path, manifest: Manifest, originals: Mapping[str, Path]) -> Files:
    """What nodes get: the originals, but for those of which a version is used."""
    found = Files(originals)
    for place, use in uses(root, manifest.name).items():
        if not _valid(root, manifest, use):
            continue
        for key, at in use["files"].items():
            here = found_at(root, at)
            if here is not None and place == "gpu":
                found.on_gpu[key] = here[0]
            elif here is not None:
                found[key] = here[0]
                found.version = str(use["to"])
    if found.on_gpu:
        found.gpu_version = "fp16"
    found.note = " ".join(stale(root, manifest))
    return found


def _valid(root: Path, manifest: Manifest, use: Mapping[str, Any]) -> bool:
    to, files, here = use.get("to"), use.get("files"), origins(manifest)
    return (
        to in TO and isinstance(files, dict) and bool(files)
        and all(key in here and at == spot(manifest, key, str(to)) and found_at(root, at) for key, at in files.items())
    )  # fmt: skip


def _record(root: Path, name: str) -> Path:
    return root / "uses" / f"{name}.json"
