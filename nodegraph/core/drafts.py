"""Patch files that are being edited and are not saved: their texts count instead of what lies on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

Stamp = tuple[int, int]


class Drafts:
    """The drafts of one patch, shared by all kinds that it looks up, those inside subpatches too."""

    def __init__(self) -> None:
        self._texts: dict[Path, tuple[str, int]] = {}
        self._count = 0

    def __iter__(self) -> Iterator[tuple[Path, str]]:
        return ((path, text) for path, (text, _) in self._texts.items())

    def __bool__(self) -> bool:
        return bool(self._texts)

    def text(self, path: Path) -> str | None:
        """The text that counts for a file; None: that on the disk."""
        found = self._texts.get(path)
        return None if found is None else found[0]

    def put(self, path: Path, text: str | None) -> None:
        """Let this text count from now on; None: what lies on the disk."""
        self._count += 1
        if text is None:
            self._texts.pop(path, None)
        else:
            self._texts[path] = text, self._count

    def stamp(self, path: Path) -> Stamp | None:
        """What tells whether a file is another than before; None when there is no such file."""
        found = self._texts.get(path)
        if found is not None:
            return -1, found[1]
        try:
            status = os.stat(path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size
