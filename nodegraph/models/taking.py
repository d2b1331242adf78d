"""Files of the user's own on their way into the store: which they are, and what a manifest says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from nodegraph.core.errors import ModelError, Problem
from nodegraph.core.hints import did_you_mean
from nodegraph.models.convert.networks import NETWORKS, TOGETHER
from nodegraph.models.disk import matches, sha256
from nodegraph.models.manifest import Kind, Manifest, from_data
from nodegraph.models.safety import plain_name
from nodegraph.models.sources import Source, on_network, parse_source

ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "config": ("config.json",), "tokenizer": ("tokenizer.json",),
    "weights": (".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".th", ".tar"),
}  # fmt: skip
"""What files are called in the folder of a checkpoint, by their keys; of two ends the first counts."""


def drawn(network: str) -> dict[str, Any]:
    """What a manifest says of networks that are drawn from the files. Raises ModelError when there are none such."""
    if not network:
        return {}
    if network in TOGETHER:
        names = dict(TOGETHER[network].networks)
    elif network in NETWORKS:
        names = {"model": network}
    else:
        known = sorted({*NETWORKS, *TOGETHER})
        do = did_you_mean(network, known, f"There are {', '.join(known)}.")
        raise ModelError(Problem("unknown-network", f"There is no network '{network}'.", do))
    return {"networks": {key: {"draws": name, "reads": list(NETWORKS[name].files)} for key, name in names.items()}}


def ingredients(network: str) -> tuple[str, ...]:
    """The keys of the files that it is drawn from."""
    return TOGETHER[network].files if network in TOGETHER else NETWORKS[network].files


def beside(network: str) -> Mapping[str, tuple[str, ...]]:
    """The keys of files that a node needs besides, each with the models of the store that have such a file."""
    return TOGETHER[network].beside if network in TOGETHER else {}


def entry_of(path: Path, source: str) -> dict[str, Any]:
    """What a manifest says of a file that is here. Raises OSError; ModelError for one with nothing in it."""
    if not path.stat().st_size:
        raise ModelError(Problem("damaged", f"'{path.name}' is empty.", "Fetch it again.", str(path)))
    return {"source": source, "sha256": sha256(path), "size": path.stat().st_size, "save": path.name}


def manifest_of(name: str, files: Mapping[str, Mapping[str, Any]], texts: Mapping[str, Any]) -> Manifest:
    """The manifest of a model that is added: without a revision it has one by its files."""
    together = hashlib.sha256("".join(sorted(file["sha256"] for file in files.values())).encode())
    revision = texts["revision"] or together.hexdigest()[:12]
    return from_data({"name": name, "files": files, **texts, "revision": revision}, f"{name}.json")


def gathered(
    path: Path | str | Mapping[str, Path | str], kind: Kind, network: str = "",
    more: Mapping[str, Path | str] | None = None,
) -> dict[str, Path | Source]:  # fmt: skip
    """The files that are meant, by their keys, `more` of them by keys that are given: here, or on the network.

    Raises ModelError.
    """
    further = {str(key): _part(value) for key, value in (more or {}).items()}
    found: dict[str, Path | Source] = {}
    if isinstance(path, Mapping):
        found |= {str(key): Path(value) for key, value in path.items()}
    elif isinstance(part := _part(path), Path) and part.is_dir():
        inside = {item.name: item for item in sorted(part.iterdir()) if item.is_file() and plain_name(item.name)}
        for file in inside.values():
            _check_link(file, part)
        found |= _by_role(inside, network, further) if network else inside
    else:
        found[_key_of_one(kind, network, further)] = part
    if twice := sorted(set(found) & set(further)):
        raise ModelError(Problem("bad-source", f"'{twice[0]}' is named twice.", "Name it once."))
    found |= further
    for item in found.values():
        if isinstance(item, Path) and not item.is_file():
            raise ModelError(Problem("no-source", f"there is no file '{item}'.", "Check the path."))
    if not found:
        raise ModelError(Problem("no-source", f"there is no file in '{path}'.", "Check the path."))
    if network and set(found) - set(beside(network)) != set(ingredients(network)):
        also = "".join(f", and '{key}' may stand beside" for key in beside(network))
        what = f"'{network}' is drawn from {' and '.join(ingredients(network))}{also}."
        raise ModelError(Problem("bad-source", what, "Name each of these files, and no other (--with KEY=PATH)."))
    return found


def shared(network: str, parts: Container[str], place: Callable[[str], tuple[Manifest, Path]]) -> dict[str, Path]:
    """What a node needs beside a network, and nobody brings: the same file of another model that is here. `place` gives
    the manifest of a model, and its folder.

    Raises ModelError (``no-tokenizer``) when there is none.
    """
    found: dict[str, Path] = {}
    for key, names in beside(network).items():
        if key in parts:
            continue
        known = [(folder / file.save, file) for name in names for manifest, folder in (place(name),)
                 for file in manifest.files if file.key == key]  # fmt: skip
        here = [path for path, file in known if path.is_file() and file.sha256 and matches(path, file)]
        if not here:
            what = f"these files hold no {key}, which '{network}' needs beside its weights."
            do = (
                f"Bring the one that it was taught with: --with {key}={known[0][1].source} (or {key}=PATH); "
                f"when {' or '.join(names)} is in the store, its {key} is taken."
            )
            raise ModelError(Problem(f"no-{key}", what, do))
        found[key] = here[0]
    return found


def _part(value: Path | str) -> Path | Source:
    """A file that is here, or what brings it."""
    if isinstance(value, str) and on_network(value):
        source = parse_source(value)
        if not plain_name(PurePosixPath(source.last).name):
            raise ModelError(Problem("bad-source", f"{value} does not end with the name of a file."))
        return source
    return Path(value).expanduser()


def _key_of_one(kind: Kind, network: str, further: Mapping[str, Any]) -> str:
    """The key of a file that stands alone: its weights, where a network is drawn."""
    if not network:
        return kind
    left = [key for key in ingredients(network) if key not in further] or list(ingredients(network))
    return "weights" if "weights" in left else left[0]


def _by_role(inside: Mapping[str, Path], network: str, further: Mapping[str, Any]) -> dict[str, Path]:
    """Which files of a folder a network is drawn from, told by their names; what else lies there is left."""
    keys = [key for key in (*ingredients(network), *beside(network)) if key not in further]
    if not set(keys) <= set(ROLES):
        return dict(inside)
    found = {}
    for key in keys:
        for end in ROLES[key]:
            fits = [name for name in inside if name == end or (end.startswith(".") and name.lower().endswith(end))]
            if len(fits) > 1:
                what = f"several files could be the {key}: {', '.join(fits)}."
                raise ModelError(
                    Problem("bad-source", what, "Leave one of them in the folder, or name the file itself.")
                )
            if fits:
                found[key] = inside[fits[0]]
                break
    return found


def _check_link(item: Path, folder: Path) -> None:
    """A link in a folder of others leads to a file of theirs: in the folder, or in the ``blobs`` of a hub's cache."""
    target, home = item.resolve(), folder.resolve()
    hub = home.parent.parent / "blobs"
    if not target.is_relative_to(home) and not (home.parent.name == "snapshots" and target.is_relative_to(hub)):
        what = f"'{item.name}' is a link to '{target}', outside the folder."
        raise ModelError(Problem("outside", what, "Put the file itself there, if you know what it is.", str(item)))
