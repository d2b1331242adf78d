"""What the store knows of a model: its manifest, one TOML or JSON file each.

```toml
name = "swift-f0"
kind = "model"                # or "sound": a recording that demos and tests fetch the same way
title = "SwiftF0: the pitch of one voice"
hears = "sound at 16 kHz"
says = "pitch in Hz and confidence"
licence = "MIT"
revision = "0.3.0"

[files.model]                 # the name under which a node's `load` gets the path
source = "pypi:swift-f0==0.3.0#swift_f0/model.onnx"
sha256 = "6385e8c2…"           # without it, what comes at first is recorded (`models.pins`)
size = 135_090                # without a hash: about how much
```

Where a model is published as weights alone, the store draws the network itself (`models.convert`). The files it is made
from never reach a node:

```toml
[networks.model]              # what the node gets instead
draws = "crepe"
reads = ["weights"]           # keys of files
```
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, cast

from nodegraph.core.errors import ModelError, Problem
from nodegraph.models.convert.networks import NETWORKS
from nodegraph.models.safety import check_suffix, plain_name
from nodegraph.models.sources import Source, parse_source

Kind = Literal["model", "sound"]
KINDS: Final = ("model", "sound")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_TEXTS: Final = ("title", "about", "hears", "says", "licence_note", "origin")
_KEYS: Final = frozenset(
    {"name", "kind", "revision", "licence", "non_commercial", "files", "networks", "meta", *_TEXTS}
)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model. `key` names it to the node, `save` is its file name in the store.

    Without a `sha256` nobody knows yet which file it will be, and `size` is about how large."""

    key: str
    source: Source
    sha256: str
    size: int
    save: str


@dataclass(frozen=True, slots=True)
class Made:
    """A network that is drawn here. `key` names it to the node, `draws` says which, `reads` from which files."""

    key: str
    draws: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One model (or recorded sound): where it comes from, what it is, and what may be done with it."""

    name: str
    kind: Kind
    revision: str
    licence: str
    non_commercial: bool
    files: tuple[ModelFile, ...]
    title: str = ""
    about: str = ""
    hears: str = ""
    says: str = ""
    licence_note: str = ""
    origin: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    networks: tuple[Made, ...] = ()

    @property
    def ingredients(self) -> frozenset[str]:
        """The keys of files from which networks are made, and which no node gets."""
        return frozenset(key for made in self.networks for key in made.reads)

    @property
    def parts(self) -> frozenset[str]:
        """The keys under which a node gets its files and networks."""
        return frozenset({file.key for file in self.files} - self.ingredients | {made.key for made in self.networks})

    @property
    def pinned(self) -> bool:
        """Whether the hash of every file is known."""
        return all(file.sha256 for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files together: about, where it is not `pinned`."""
        return sum(file.size for file in self.files)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as it stands in a manifest file."""
        data: dict[str, Any] = {
            "name": self.name, "kind": self.kind, "revision": self.revision,
            "licence": self.licence, "non_commercial": self.non_commercial,
        }  # fmt: skip
        data |= {key: getattr(self, key) for key in _TEXTS if getattr(self, key)}
        if self.meta:
            data["meta"] = dict(self.meta)
        data["files"] = {
            file.key: {"source": str(file.source), "size": file.size, "save": file.save}
            | ({"sha256": file.sha256} if file.sha256 else {})
            for file in self.files
        }
        if self.networks:
            data["networks"] = {made.key: {"draws": made.draws, "reads": list(made.reads)} for made in self.networks}
        return data


def read_manifest(text: str, where: str, *, ours: bool = False) -> Manifest:
    """A manifest from TOML or JSON text; `where` is the file's name, `ours`: it comes with nodegraph.

    Raises ModelError with every problem in it.
    """
    try:
        data = json.loads(text) if where.endswith(".json") else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(Problem("bad-manifest", f"it is not a manifest: {error}.", file=where)) from error
    if not isinstance(data, dict):
        raise ModelError(Problem("bad-manifest", "it is not a manifest: a table of keys is expected.", file=where))
    return from_data(data, where, ours=ours)


def from_data(data: Mapping[str, Any], where: str, *, ours: bool = False) -> Manifest:
    """A manifest from plain data. Raises ModelError with every problem in it."""
    problems: list[Problem] = []

    def wrong(what: str, do: str = "") -> None:
        problems.append(Problem("bad-manifest", what, do, file=where))

    name = data.get("name")
    if not valid_name(name):
        wrong(f"the name {name!r} is not legal.", "Use small letters, digits, '.', '_' and '-', at most 80.")
    if strange := sorted(set(data) - _KEYS):
        wrong(f"unknown keys: {', '.join(strange)}.", f"Known are {', '.join(sorted(_KEYS))}.")
    if data.get("kind", "model") not in KINDS:
        wrong(f"the kind {data.get('kind')!r} is not legal.", f"It is one of {', '.join(KINDS)}.")
    if not isinstance(data.get("licence"), str) or not data["licence"]:
        wrong("it states no licence.", 'Write licence = "…"; "unknown" when nobody says.')
    if not isinstance(data.get("non_commercial", False), bool):
        wrong("non_commercial is true or false.")
    if not isinstance(data.get("meta", {}), Mapping):
        wrong("meta is a table.")
    revision = data.get("revision")
    if not isinstance(revision, str) or not _REVISION.fullmatch(revision) or ".." in revision:
        wrong(f"the revision {revision!r} is not legal.", "It names this version of the files.")
    wrong_texts = [key for key in _TEXTS if not isinstance(data.get(key, ""), str)]
    for key in wrong_texts:
        wrong(f"{key} is a text.")
    networks = _networks(data.get("networks", {}), wrong)
    ingredients = {key for made in networks for key in made.reads}
    files: list[ModelFile] = []
    entries = data.get("files")
    if not isinstance(entries, Mapping) or not entries:
        wrong("it names no files.", "Add a table [files.model] with source, sha256 and size.")
    else:
        for key, entry in entries.items():
            try:
                files.append(_file(str(key), entry, str(name), ingredient=key in ingredients, ours=ours))
            except ModelError as error:
                for problem in error.problems:
                    wrong(f"file '{key}': {problem.what}", problem.do)
        for made in networks:
            for key in set(made.reads) - set(entries):
                wrong(f"network '{made.key}' reads '{key}', which is none of its files.")
            if made.key in entries:
                wrong(f"'{made.key}' is a file and a network.", "Give one of them another name.")
        saves = [file.save for file in files]
        if len(set(saves)) != len(saves):
            wrong("two files are saved under the same name.", "Give one of them another name with save.")
    if problems:
        raise ModelError(problems)
    return Manifest(
        name=str(name),
        kind=cast(Kind, data.get("kind", "model")),
        revision=str(revision),
        licence=str(data["licence"]),
        non_commercial=bool(data.get("non_commercial", False)),
        files=tuple(files),
        meta=dict(data.get("meta", {})),
        networks=tuple(networks),
        **{key: str(data.get(key, "")).strip() for key in _TEXTS},
    )


def valid_name(name: object) -> bool:
    """Whether a model may be called so."""
    return isinstance(name, str) and bool(_NAME.fullmatch(name)) and ".." not in name


def _networks(entries: object, wrong: Callable[[str], None]) -> list[Made]:
    """The networks that are to be made."""
    if not isinstance(entries, Mapping):
        wrong("networks is a table of tables with draws and reads.")
        return []
    found = []
    for key, entry in entries.items():
        draws = entry.get("draws") if isinstance(entry, Mapping) else None
        reads = entry.get("reads") if isinstance(entry, Mapping) else None
        if (
            not isinstance(draws, str)
            or not isinstance(reads, list)
            or not reads
            or not all(isinstance(item, str) for item in reads)
            or set(entry) - {"draws", "reads"}
        ):
            wrong(f"network '{key}': a table with draws (which network) and reads (a list of files) is expected.")
        elif draws not in NETWORKS:
            wrong(f"network '{key}': there is no network {draws!r}. There are {', '.join(sorted(NETWORKS))}.")
        else:
            found.append(Made(str(key), draws, tuple(reads)))
    return found


def _file(key: str, entry: object, model: str, *, ingredient: bool, ours: bool) -> ModelFile:
    if not isinstance(entry, Mapping):
        raise ModelError(Problem("bad-manifest", "a table with source, size and, if it is known, sha256 is expected."))
    if strange := sorted(set(entry) - {"source", "sha256", "size", "save"}):
        raise ModelError(Problem("bad-manifest", f"unknown keys: {', '.join(strange)}."))
    source = parse_source(str(entry.get("source", "")))
    sha256, size = entry.get("sha256", ""), entry.get("size")
    if not isinstance(sha256, str) or (sha256 and not _SHA256.fullmatch(sha256)):
        raise ModelError(Problem("bad-manifest", "sha256 is 64 hexadecimal digits in small letters."))
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ModelError(Problem("bad-manifest", "size is a number of bytes, at least 1."))
    save = entry.get("save", PurePosixPath(source.last.replace("\\", "/")).name)
    if not isinstance(save, str) or not plain_name(save):
        raise ModelError(Problem("bad-manifest", f"save {save!r} is not a plain file name."))
    check_suffix(save, model, ingredient=ingredient, ours=ours)
    return ModelFile(key, source, sha256, size, save)


def size_text(count: int) -> str:
    """``7.1 MB``"""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def shipped() -> Iterator[Manifest]:
    """The manifests that come with nodegraph, by name."""
    folder = resources.files("nodegraph.models").joinpath("manifests")
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.name.endswith((".toml", ".json")):
            yield read_manifest(item.read_text(encoding="utf-8"), item.name, ours=True)


def read_folder(folder: Path) -> Iterator[Manifest]:
    """The manifests in a folder of the user's, by name."""
    for path in sorted(folder.glob("*.json")) + sorted(folder.glob("*.toml")):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(Problem("bad-manifest", f"it cannot be read: {error}.", file=str(path))) from error
        yield read_manifest(text, str(path))
