"""Files of the user's own on their way into the store: which they are, and what a manifest says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodegraph.core.errors import ModelError, Problem
from nodegraph.core.hints import did_you_mean
from nodegraph.models.convert.networks import NETWORKS
from nodegraph.models.disk import sha256
from nodegraph.models.manifest import Kind, Manifest, from_data
from nodegraph.models.safety import plain_name


def drawn(network: str) -> dict[str, Any]:
    """What a manifest says of a network that is drawn from the files. Raises ModelError when there is none such."""
    if not network:
        return {}
    found = NETWORKS.get(network)
    if found is None:
        do = did_you_mean(network, NETWORKS, f"There are {', '.join(sorted(NETWORKS))}.")
        raise ModelError(Problem("unknown-network", f"There is no network '{network}'.", do))
    return {"networks": {"model": {"draws": network, "reads": list(found.files)}}}


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


def gathered(path: Path | str | Mapping[str, Path | str], kind: Kind, network: str = "") -> dict[str, Path]:
    """The files that are meant, by their keys. Raises ModelError."""
    if isinstance(path, Mapping):
        found = {str(key): Path(value) for key, value in path.items()}
    else:
        path = Path(path).expanduser()
        if path.is_dir():
            found = {item.name: item for item in sorted(path.iterdir()) if item.is_file() and plain_name(item.name)}
            for item in found.values():
                _check_link(item, path)
        else:
            found = {NETWORKS[network].files[0] if network else kind: path}
    for item in found.values():
        if not item.is_file():
            raise ModelError(Problem("no-source", f"there is no file '{item}'.", "Check the path."))
    if not found:
        raise ModelError(Problem("no-source", f"there is no file in '{path}'.", "Check the path."))
    if network and set(found) != set(NETWORKS[network].files):
        what = f"'{network}' is drawn from {' and '.join(NETWORKS[network].files)}."
        raise ModelError(Problem("bad-source", what, "Name each of these files, and no other."))
    return found


def _check_link(item: Path, folder: Path) -> None:
    """A link in a folder of others leads to a file of theirs: in the folder, or in the ``blobs`` of a hub's cache."""
    target, home = item.resolve(), folder.resolve()
    hub = home.parent.parent / "blobs"
    if not target.is_relative_to(home) and not (home.parent.name == "snapshots" and target.is_relative_to(hub)):
        what = f"'{item.name}' is a link to '{target}', outside the folder."
        raise ModelError(Problem("outside", what, "Put the file itself there, if you know what it is.", str(item)))
