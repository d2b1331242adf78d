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


def users_of(manifest: Manifest) -> tuple[User, ...]:
    """The nodes that use a model. Of one that was added: those that take it when a patch names it, because it gives
    them the same parts as a model of theirs that comes with nodegraph."""
    if found := users().get(manifest.name):
        return found
    parts = {item.name: item.parts for item in shipped()}
    alike = (kinds for name, kinds in users().items() if parts.get(name) == manifest.parts)
    return tuple(user for kinds in alike for user in kinds if user.takes_own)


def kinds_of(manifest: Manifest) -> tuple[str, ...]:
    """The kinds of nodes that use a model."""
    return tuple(dict.fromkeys(user.kind for user in users_of(manifest)))


def _ways(spec: NodeSpec, weights: Weights) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Every combination of the choices from which the name of its model is made."""
    names = [name for _, name, _, _ in Formatter().parse(weights.name) if name]
    choices = [spec.setting_named[name].choices or (spec.setting_named[name].default,) for name in names]
    for values in product(*choices):
        yield tuple(zip(names, values, strict=True))
