"""Which nodes use which model: asked of the nodes themselves, as they are declared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from string import Formatter
from typing import TYPE_CHECKING, Any

from nodegraph.core.declare import InferenceNode
from nodegraph.core.listening import OwnModel, Weights
from nodegraph.core.registry import registry
from nodegraph.models.manifest import Manifest, shipped

if TYPE_CHECKING:
    from nodegraph.core.spec import NodeSpec


@dataclass(frozen=True, slots=True)
class User:
    """A kind of node, and the settings with which it uses the model. `takes_own`: a patch may name another one."""

    kind: str
    settings: tuple[tuple[str, Any], ...] = ()
    takes_own: bool = False


@lru_cache(maxsize=1)
def users() -> dict[str, tuple[User, ...]]:
    """The nodes that are installed, by the names of the models that they use."""
    found: dict[str, list[User]] = {}
    for spec in registry():
        if issubclass(spec.cls, InferenceNode) and hasattr(spec.cls, "weights"):
            weights = spec.cls.weights
            if isinstance(weights, OwnModel):
                continue
            for settings in _ways(spec, weights):
                name = weights.of(dict(settings), spec.settings)
                found.setdefault(name, []).append(User(spec.kind, settings, bool(weights.own)))
    return {name: tuple(kinds) for name, kinds in found.items()}


def kinds_of(name: str, manifest: Manifest | None = None) -> tuple[str, ...]:
    """The kinds of nodes that use a model. With the `manifest` of one that was added: those that take it when it is
    named, because they get the same parts from it as from a model that comes with nodegraph."""
    found = list(users().get(name, ()))
    if manifest is not None and not found:
        parts = {item.name: item.parts for item in shipped()}
        found = [user for other, kinds in users().items() if parts.get(other) == manifest.parts
                 for user in kinds if user.takes_own]  # fmt: skip
    return tuple(dict.fromkeys(user.kind for user in found))


def _ways(spec: NodeSpec, weights: Weights) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Every combination of the choices from which the name of its model is made."""
    names = [name for _, name, _, _ in Formatter().parse(weights.name) if name]
    choices = [spec.setting_named[name].choices or (spec.setting_named[name].default,) for name in names]
    for values in product(*choices):
        yield tuple(zip(names, values, strict=True))
