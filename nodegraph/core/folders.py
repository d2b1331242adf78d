"""The folders of this user: for what is made again when it is gone, and for what was decided."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_root() -> Path:
    """Where is kept what can be made again: ``$NODEGRAPH_CACHE``, else a folder in the platform's cache folder."""
    if chosen := os.environ.get("NODEGRAPH_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", str(Path.home())))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "nodegraph"


def config_root() -> Path:
    """Where the user's decisions are kept: ``$NODEGRAPH_CONFIG``, else a folder in the platform's config folder."""
    if chosen := os.environ.get("NODEGRAPH_CONFIG"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "nodegraph"
