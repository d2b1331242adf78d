"""What stands in a box, and what is typed into one: ``sine~ 220``, ``svf~ 800 resonance=0.4``.

`nodegraph.editor.finding` and `nodegraph.editor.boxtext` read and complete; here is what the window wants of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nodegraph.core.errors import PatchError
from nodegraph.core.hints import shown
from nodegraph.core.ports import Control, Inlet, Outlet, Setting
from nodegraph.core.registry import Registry
from nodegraph.core.spec import NodeSpec
from nodegraph.core.view import NodeEntry
from nodegraph.editor.boxtext import hint, parse, written
from nodegraph.editor.finding import Completion, complete

USUAL: Final = (
    "gain~", "svf~", "delay~", "reverb~", "+~", "out~", "sine~", "saw~", "noise~", "in~", "adsr~", "metro", "number",
    "message", "makenote", "print",
)  # fmt: skip
"""What usually hangs at a cable: these are offered before others that fit as well."""
FIRST: Final = ("sine~", "saw~", "noise~", "in~", "metro", "number", "out~")
"""What is offered when nothing is typed and no cable hangs."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A node as somebody typed it."""

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)


def typed(text: str, kinds: Registry) -> Typed:
    """The node that a text means. Raises PatchError with all that is wrong with it."""
    box = parse(text, kinds)
    if box.problems or box.kind is None:
        raise PatchError(list(box.problems))
    return Typed(box.kind, box.values)


def text_of(entry: NodeEntry, kinds: Registry) -> str:
    """What is typed to get this node: its kind, and the values that it stores."""
    return entry.kind if entry.spec is None else written(entry.kind, entry.params, kinds)


def label_of(entry: NodeEntry) -> str:
    """What stands in the box of a node: the same, but that words are not quoted and nothing is read again."""
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


def offers(text: str, kinds: Registry, limit: int = 8, fits: Inlet | Outlet | None = None) -> list[Completion]:
    """Kinds that the first word of a text may mean, likeliest first. Where a cable hangs (`fits`), those that it can be
    joined to, without a word too; else, without a word, those with which one begins."""
    word = text.split(" ", 1)[0]
    if word:
        return complete(word, kinds, limit, fits)
    if fits is not None:
        every = complete("", kinds, len(kinds), fits)
        return sorted(every, key=lambda offer: USUAL.index(offer.kind) if offer.kind in USUAL else len(USUAL))[:limit]
    return [offer for kind in FIRST if kind in kinds for offer in complete(kind, kinds, 1)][:limit]


def taken(text: str, kinds: Registry) -> str:
    """The kind that is typed and what it takes, in its order, with marks around what is being typed; empty without."""
    found = hint(text, kinds)
    if found is None:
        return ""
    names = [f"‹{item.name}›" if at == found.active else item.name for at, item in enumerate(found.arguments)]
    return f"{found.kind}  {'  '.join(names) or 'takes no values'}"


def parameters(spec: NodeSpec) -> list[Control | Setting]:
    """What of a kind has a value: controls, then settings."""
    return [*spec.controls, *spec.settings]
