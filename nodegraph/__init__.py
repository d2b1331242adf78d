"""nodegraph: a patcher for audio AI.

    from nodegraph import Patch

Nothing is loaded before it is asked for: importing the package costs a millisecond.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # as type checkers know it; importing typing would take longer than all the rest
if TYPE_CHECKING:
    from typing import Any

    from nodegraph.api.patch import Patch
    from nodegraph.api.playing import Playing
    from nodegraph.api.refs import NodeRef, PortRef
    from nodegraph.api.rendering import Rendered
    from nodegraph.core.errors import (
        DeviceError,
        MediaError,
        ModelError,
        NodegraphError,
        PatchError,
        PatchFileError,
        Problem,
        WeightsMissing,
    )
    from nodegraph.core.messages import BANG, Event, Note, Tag
    from nodegraph.core.registry import Registry, registry
    from nodegraph.core.trust import trust

_ROOMS = {
    "nodegraph.api.patch": ("Patch",),
    "nodegraph.api.playing": ("Playing",),
    "nodegraph.api.refs": ("NodeRef", "PortRef"),
    "nodegraph.api.rendering": ("Rendered",),
    "nodegraph.core.errors": (
        "DeviceError", "MediaError", "ModelError", "NodegraphError", "PatchError", "PatchFileError", "Problem",
        "WeightsMissing",
    ),
    "nodegraph.core.messages": ("BANG", "Event", "Note", "Tag"),
    "nodegraph.core.registry": ("Registry", "registry"),
    "nodegraph.core.trust": ("trust",),
}  # fmt: skip
_ROOM = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "BANG", "DeviceError", "Event", "MediaError", "ModelError", "NodeRef", "NodegraphError", "Note", "Patch",
    "PatchError", "PatchFileError", "Playing", "PortRef", "Problem", "Registry", "Rendered", "Tag", "WeightsMissing",
    "registry", "trust",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    room = _ROOM.get(name)
    if room is None:
        raise AttributeError(f"module 'nodegraph' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(room), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
