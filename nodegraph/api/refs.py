"""Handles on the nodes and ports of a patch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodegraph.core.errors import PatchError
from nodegraph.core.ports import Control, Inlet, Outlet, Setting
from nodegraph.core.problems import unknown_port
from nodegraph.core.view import NodeEntry

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch


class NoSuchPort(PatchError, AttributeError):
    """The node has no port or setting of this name."""


class NodeRef:
    """One node of a patch. Its ports and settings are attributes: ``cut.low``, ``cut.cutoff``.

    A port that is called like a method here is had by ``cut["set"]``.
    """

    __slots__ = ("_patch", "id")

    id: str

    def __init__(self, patch: Patch, id: str) -> None:
        object.__setattr__(self, "_patch", patch)
        object.__setattr__(self, "id", id)

    @property
    def kind(self) -> str:
        """``svf~``"""
        return self._entry.kind

    @property
    def _entry(self) -> NodeEntry:
        patch: Patch = object.__getattribute__(self, "_patch")
        return patch.graph.node(self.id)

    def set(self, **values: Any) -> NodeRef:
        """Store values of control inlets and settings: ``cut.set(cutoff=900, resonance=0.5)``. All or none of them."""
        patch: Patch = object.__getattribute__(self, "_patch")
        patch.set_values(self.id, values)
        return self

    def __getitem__(self, name: str) -> PortRef:
        patch: Patch = object.__getattribute__(self, "_patch")
        return PortRef(patch, self.id, name)

    def __getattr__(self, name: str) -> PortRef:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"A value is stored by set: {self.id}.set({name}={value!r}).")

    def __dir__(self) -> list[str]:
        spec = self._entry.spec
        ports = [] if spec is None else [item.name for item in (*spec.inlets, *spec.outlets, *spec.settings)]
        return [*super().__dir__(), *ports]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NodeRef) and (other.id, other._patch) == (self.id, self._patch)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<{self.id}: {self.kind}>"


class PortRef:
    """One inlet, outlet or setting of a node."""

    __slots__ = ("declared", "name", "node", "patch")

    def __init__(self, patch: Patch, node: str, name: str) -> None:
        """Raises NoSuchPort (a PatchError and an AttributeError)."""
        self.patch, self.node, self.name = patch, node, name
        entry = patch.graph.node(node)
        self.declared = declared(entry, name)

    @property
    def value(self) -> Any:
        """The stored value of a control inlet or setting, or its default. Raises PatchError for any other port."""
        return self.patch.graph.value(self.node, self.name)

    def set(self, value: Any) -> None:
        """Store a value."""
        self.patch.set_values(self.node, {self.name: value})

    @property
    def is_outlet(self) -> bool:
        """Whether cables begin here."""
        return isinstance(self.declared, Outlet)

    def __str__(self) -> str:
        return f"{self.node}.{self.name}"

    def __repr__(self) -> str:
        word = "outlet" if self.is_outlet else "inlet" if isinstance(self.declared, Inlet) else "setting"
        return f"<{word} {self}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PortRef) and str(other) == str(self) and other.patch is self.patch

    def __hash__(self) -> int:
        return hash(str(self))


def declared(entry: NodeEntry, name: str) -> Inlet | Outlet | Setting:
    """The inlet, outlet or setting of this name. Raises NoSuchPort."""
    spec = entry.spec
    found: Inlet | Outlet | Setting | None = None
    if spec is not None:
        found = spec.outlet_named.get(name) or spec.inlet_named.get(name) or spec.setting_named.get(name)
    if found is None:
        ports: list[Inlet | Outlet] = [] if spec is None else [*spec.inlets, *spec.outlets]
        raise NoSuchPort(unknown_port(entry, name, ports, "port"))
    return found


Ref = NodeRef | PortRef | str


__all__ = ["Control", "NoSuchPort", "NodeRef", "PortRef", "Ref", "declared"]
