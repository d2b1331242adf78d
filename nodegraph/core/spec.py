"""The description of a node kind: what the registry, the checker, the compiler, the editor and the help read."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nodegraph.core.ports import Control, Inlet, Memory, Outlet, Setting

if TYPE_CHECKING:
    from nodegraph.core.declare import Node


class Role(StrEnum):
    """How a node lives."""

    KERNEL = "kernel"
    BLOCK = "block"
    EVENT = "event"
    TAP = "tap"
    INFERENCE = "inference"
    DEVICE = "device"
    PATCH = "patch"
    PORT = "port"
    ROUTE = "route"


@dataclass(frozen=True, eq=False)
class NodeSpec:
    """One node kind. Inlets, outlets, settings and memories stand in the order of their declaration."""

    kind: str
    cls: type[Node]
    role: Role
    help: str
    inlets: tuple[Inlet, ...]
    outlets: tuple[Outlet, ...]
    settings: tuple[Setting, ...]
    memories: tuple[Memory, ...]
    aliases: tuple[str, ...] = ()
    extra: str | None = None

    @property
    def summary(self) -> str:
        """The first line of the help."""
        return self.help.split("\n", 1)[0]

    @property
    def family(self) -> str:
        """The file it stands in: ``filters``, ``analysis.taggers``."""
        return self.cls.__module__.split(".nodes.")[-1]

    @cached_property
    def inlet_named(self) -> dict[str, Inlet]:
        return {item.name: item for item in self.inlets}

    @cached_property
    def outlet_named(self) -> dict[str, Outlet]:
        return {item.name: item for item in self.outlets}

    @cached_property
    def setting_named(self) -> dict[str, Setting]:
        return {item.name: item for item in self.settings}

    @cached_property
    def controls(self) -> tuple[Control, ...]:
        """The control inlets."""
        return tuple(item for item in self.inlets if isinstance(item, Control))

    def as_dict(self) -> dict[str, Any]:
        """Everything but the class, as plain data for ``--json``, the editor and OSCQuery."""
        return {
            "kind": self.kind,
            "family": self.family,
            "role": self.role.value,
            "summary": self.summary,
            "help": self.help,
            "aliases": list(self.aliases),
            "extra": self.extra,
            "inlets": [_port(item) for item in self.inlets],
            "outlets": [_port(item) for item in self.outlets],
            "settings": [
                {
                    "name": item.name,
                    "type": item.type,
                    "default": item.default,
                    "legal": item.legal(),
                    "help": item.help,
                }
                for item in self.settings
            ],
        }


def respec(spec: NodeSpec, inlets: Mapping[str, Inlet]) -> NodeSpec:
    """The same kind with other inlets in the places of these; everything else is shared."""
    made = []
    for item in spec.inlets:
        new = copy(inlets.get(item.name, item))
        new.name = item.name
        made.append(new)
    return replace(spec, inlets=tuple(made))


def _port(port: Inlet | Outlet) -> dict[str, Any]:
    data: dict[str, Any] = {"name": port.name, "kind": port.kind.value, "help": port.help}
    if isinstance(port, Control):
        data |= {
            "kind": "control", "default": port.default, "unit": port.unit, "span": list(port.span), "curve": port.curve,
        }  # fmt: skip
    elif port.channels is not None:
        data["channels"] = port.channels
    if port.shape:
        data["shape"] = list(port.shape)
    return data
