"""What nodegraph's own functions and nodes were compiled to at an earlier start.

Machine code is kept under the text of its module (`kernels.jit`), and to write that text takes longer than to load the
code. So the key is kept, too, under a name for what was compiled and a stamp: the sizes and times of all source files
of nodegraph from which a kernel can be made. When any of them changes, the text is written anew. What a user made
himself never comes here.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from llvmlite import ir

from nodegraph.core.registry import registry
from nodegraph.core.spec import NodeSpec
from nodegraph.runtime.kernels.jit import cache_folder, jit, keep

PACKAGE: Final = Path(__file__).parents[2]
PARTS: Final = ("core", "nodes", "runtime/kernels", "runtime/native")
"""Where sources lie that kernels are made from."""
FRESH_S: Final = 5.0
"""A file that was changed so shortly before may have been read before it was."""
_KEY: Final = re.compile(r"[0-9a-f]{32}")


@lru_cache(maxsize=1)
def stamp() -> str | None:
    """Stands for all sources; None when one has only just been changed."""
    found = [sys.version]
    newest = 0
    for part in PARTS:
        for folder, folders, files in os.walk(PACKAGE / part):
            folders.sort()
            for name in sorted(files):
                if name.endswith(".py"):
                    status = os.stat(os.path.join(folder, name))
                    newest = max(newest, status.st_mtime_ns)
                    found.append(f"{folder}/{name} {status.st_size} {status.st_mtime_ns}")
    if newest > time.time_ns() - round(FRESH_S * 1e9):
        return None
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


def load_ours(name: str, make: Callable[[], ir.Module], names: tuple[str, ...]) -> dict[str, int]:
    """As `Jit.load`; the module is made only if it must be. `name` says all that it depends on beside our sources."""
    sources = stamp()
    if sources is None:
        return jit().load(make(), names)
    path = cache_folder() / f"{jit().key(f'{name} {sources}')}.known"
    try:
        key = path.read_text(encoding="ascii")
        found = jit().load_kept(key, names) if _KEY.fullmatch(key) else None
    except (OSError, UnicodeDecodeError):
        found = None
    if found is None:
        module = make()
        found = jit().load(module, names)
        keep(path.name, jit().key(str(module)).encode())
    return found


def is_ours(spec: NodeSpec) -> bool:
    """Whether a node comes with nodegraph, as it is registered: not one that settings have shaped."""
    return spec.cls.__module__.startswith("nodegraph.nodes.") and registry().get(spec.kind) is spec


def is_native(function: Callable[..., object]) -> bool:
    """Whether a function is one of the engine's own, and not made by another function."""
    return function.__module__.startswith("nodegraph.runtime.native.") and function.__qualname__.isidentifier()
