"""What stands in a box, and what is typed into one: ``sine~ 220``, ``svf~ 800 resonance=0.4``.

This is the one place where a text becomes a node; completion and parsing with hints come here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import quoted, shown
from nodegraph.core.ports import Control, Setting
from nodegraph.core.problems import unknown_kind
from nodegraph.core.registry import Registry
from nodegraph.core.spec import NodeSpec
from nodegraph.core.view import NodeEntry


@dataclass(frozen=True, slots=True)
class Typed:
    """A node as somebody typed it."""

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """One kind that may be meant."""

    kind: str
    summary: str


def typed(text: str, kinds: Registry) -> Typed:
    """The node that a text means: its kind, or a word for it in Max, Pd or SuperCollider, then values in the order of
    the controls and settings, or as ``name=value``. Raises PatchError.
    """
    kind, _, rest = text.strip().partition(" ")
    spec = kinds.get(kinds.resolve(kind))
    if spec is None:
        raise PatchError(unknown_kind(kind, kinds))
    left = [item.name for item in parameters(spec)]
    values: dict[str, Any] = {}
    words = rest.split()
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if equals and name in left:
            left.remove(name)
            values[name] = _value(value, _parameter(spec, name))
            continue
        if not left:
            what = f"'{spec.kind}' takes no more values: {quoted(word)} is one too many."
            raise PatchError(Problem("too-many-values", what, "Leave it out."))
        name = left.pop(0)
        parameter = _parameter(spec, name)
        if not left and isinstance(parameter, Setting) and parameter.type in ("text", "file", "any"):
            values[name] = _value(" ".join(words[index:]), parameter)  # the last one may have spaces in it
            break
        values[name] = _value(word, parameter)
    return Typed(spec.kind, values)


def text_of(entry: NodeEntry) -> str:
    """What stands in the box of a node: its kind, and the values that it stores."""
    if entry.spec is None:
        return entry.kind
    words = [entry.kind]
    in_order = True
    for item in parameters(entry.spec):
        if item.name not in entry.params:
            in_order = False
        else:
            value = entry.params[item.name]
            text = value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else shown(value)
            words.append(text if in_order else f"{item.name}={text}")
    return " ".join(words)


def offers(text: str, kinds: Registry, limit: int = 8) -> list[Offer]:
    """Kinds that the first word of a text may mean, likeliest first."""
    word = text.split(" ", 1)[0]
    if not word:
        return []
    found = kinds.search(word)
    exact = kinds.get(kinds.resolve(word))
    if exact is not None:
        found = [exact, *(spec for spec in found if spec is not exact)]
    return [Offer(spec.kind, spec.summary) for spec in found[:limit]]


def parameters(spec: NodeSpec) -> list[Control | Setting]:
    """What of a kind has a value: controls, then settings."""
    return [*spec.controls, *spec.settings]


def _parameter(spec: NodeSpec, name: str) -> Control | Setting:
    return next(item for item in parameters(spec) if item.name == name)


def _value(text: str, parameter: Control | Setting) -> Any:
    if isinstance(parameter, Setting) and parameter.type in ("text", "file", "choice"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
