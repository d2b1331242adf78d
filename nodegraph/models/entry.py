"""One model as the store tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nodegraph.models.manifest import Manifest
from nodegraph.models.versions import Version

State = Literal["here", "missing", "altered"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One model as the store has it. `state` looks at names and sizes only; `Store.verify` reads the files."""

    manifest: Manifest
    state: State
    folder: Path
    added: bool
    versions: tuple[Version, ...] = ()
    stale: tuple[str, ...] = ()
    """What should be said of versions that were chosen and are not used."""

    @property
    def name(self) -> str:
        return self.manifest.name

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain data, for ``--json``."""
        place = {"state": self.state, "folder": str(self.folder), "bytes": self.manifest.size, "added": self.added}
        place |= {"versions": [version.as_dict() for version in self.versions], "stale": list(self.stale)}
        return self.manifest.as_dict() | place
