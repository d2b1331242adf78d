"""Which nodes the contract tests go over; what drives them comes from `nodegraph.validation`."""

from __future__ import annotations

from nodegraph.core.spec import NodeSpec, Role
from nodegraph.runtime.lint import native_nodes
from nodegraph.validation.driving import NASTY, drive, promised, settings_for, within

__all__ = ["NASTY", "NATIVE", "TICKS", "drive", "kind", "promised", "settings_for", "within"]

NATIVE = native_nodes()
TICKS = [spec for spec in NATIVE if spec.role is Role.KERNEL]


def kind(spec: NodeSpec) -> str:
    """A test's name."""
    return spec.kind
