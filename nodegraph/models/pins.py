"""Files whose hash a manifest does not know: what came at first is recorded, and every later fetch must bring the same.

ROOT/pins/NAME@REVISION.json           hash and size of each such file, by its key
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nodegraph.models.disk import sha256, write
from nodegraph.models.manifest import Manifest, ModelFile


def pinned(manifest: Manifest, root: Path) -> Manifest:
    """The manifest with the hashes that were recorded."""
    if manifest.pinned:
        return manifest
    try:
        data = json.loads(_record(manifest, root).read_text(encoding="utf-8"))
        return replace(manifest, files=tuple(_pinned(file, data.get(file.key)) for file in manifest.files))
    except (OSError, ValueError, AttributeError, TypeError, KeyError):  # there is none, or it is broken: ask anew
        return manifest


def pin(manifest: Manifest, root: Path, brought: Mapping[str, Path]) -> Manifest:
    """Record what came, by its keys. Raises OSError."""
    known = pinned(manifest, root)
    found = {file.key: {"sha256": file.sha256, "size": file.size} for file in known.files if file.sha256}
    found |= {key: {"sha256": sha256(path), "size": path.stat().st_size} for key, path in brought.items()}
    write(_record(manifest, root), json.dumps(found, indent=2) + "\n")
    return pinned(manifest, root)


def unpin(manifest: Manifest, root: Path) -> None:
    """Forget what was recorded."""
    _record(manifest, root).unlink(missing_ok=True)


def _pinned(file: ModelFile, known: Mapping[str, object] | None) -> ModelFile:
    if file.sha256 or known is None:
        return file
    return replace(file, sha256=str(known["sha256"]), size=int(str(known["size"])))


def _record(manifest: Manifest, root: Path) -> Path:
    return root / "pins" / f"{manifest.name}@{manifest.revision}.json"
