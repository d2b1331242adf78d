"""Which node kinds there are: the built-in families and those that installed packages bring."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.cable import natural
from nodegraph.core.errors import DeclarationError, NodegraphError, Problem
from nodegraph.core.hints import close, quoted
from nodegraph.core.spec import NodeSpec
from nodegraph.core.values import argument_in

if TYPE_CHECKING:
    from nodegraph.core.declare import Node

FAMILIES: Final = "nodegraph.nodes"
GROUP: Final = "nodegraph.nodes"


class Registry:
    """Node specs under their kinds, iterated in natural order of the kinds.

    `problems` says what could not be had: a package whose nodes do not load, an alias that two kinds claim.
    """

    def __init__(self, kinds: Iterable[type[Node] | NodeSpec] = (), problems: Iterable[Problem] = ()) -> None:
        """Raises DeclarationError when two classes declare the same kind."""
        found: dict[str, NodeSpec] = {}
        for item in kinds:
            spec = item if isinstance(item, NodeSpec) else item.spec
            rival = found.get(spec.kind)
            if rival is not None and rival.cls is not spec.cls:
                raise DeclarationError(_declared_twice(spec, rival))
            found[spec.kind] = spec
        self._specs = dict(sorted(found.items(), key=lambda pair: natural(pair[0])))
        self._aliases: dict[str, str] = {}
        self._suggestions: dict[str, list[str]] = {}
        self.problems: list[Problem] = list(problems)
        for spec in self._specs.values():
            for alias in spec.aliases:
                other = alias if alias in self._specs else self._aliases.setdefault(alias, spec.kind)
                if other != spec.kind:
                    what = f"The alias {quoted(alias)} of '{spec.kind}' belongs to '{other}' already."
                    self.problems.append(Problem("alias-taken", what, f"Take it out of '{spec.kind}'."))

    def __iter__(self) -> Iterator[NodeSpec]:
        return iter(self._specs.values())

    def __len__(self) -> int:
        return len(self._specs)

    def __contains__(self, kind: object) -> bool:
        return kind in self._specs or kind in self._aliases

    def resolve(self, kind: str) -> str:
        """The kind that an alias stands for; any other word comes back as it is."""
        return kind if kind in self._specs else self._aliases.get(kind, kind)

    def get(self, kind: str) -> NodeSpec | None:
        """The spec of a kind or alias, or None."""
        spec = self._specs.get(kind)
        return spec if spec is not None else self._specs.get(self._aliases.get(kind, kind))

    def why_not(self, kind: str) -> Problem | None:
        """Why this kind cannot be had, when more is known than that there is none."""
        return None

    def shaped(self, kind: str, values: Mapping[str, Any]) -> NodeSpec | None:
        """The spec of a node of this kind with these stored values: kinds may take their ports from their settings.

        Values that make no node give the kind's own spec; `why_not_shaped` says what is wrong with them.
        """
        spec = self.get(kind)
        if spec is None or not spec.cls.shapes:
            return spec
        try:
            return spec.cls.shaped(self._located(spec, _settings(spec, values)))
        except NodegraphError:
            return spec

    def examples(self, spec: NodeSpec) -> list[NodeSpec]:
        """What a kind that takes its ports from its settings can be: its examples. None for any other."""
        return [spec.cls.shaped(_settings(spec, values)) for values in spec.cls.examples]

    def why_not_shaped(self, kind: str, values: Mapping[str, Any]) -> tuple[Problem, ...]:
        """What is wrong with the values from which a node of this kind takes its ports."""
        spec = self.get(kind)
        if spec is None or not spec.cls.shapes:
            return ()
        try:
            spec.cls.shaped(self._located(spec, _settings(spec, values)))
        except NodegraphError as error:
            return error.problems
        return ()

    def _located(self, spec: NodeSpec, settings: dict[str, Any]) -> dict[str, Any]:
        """The settings with files as paths, where a kind takes its ports from files and they can be found."""
        return settings

    def suggest(self, word: str) -> list[str]:
        """Up to three kinds that somebody who wrote `word` may have meant, likeliest first."""
        if word not in self._suggestions:
            spelt = close(word, (*self._specs, *self._aliases))
            found = list(dict.fromkeys(self.resolve(item) for item in spelt))
            if not found:
                found = [spec.kind for spec in self.search(word)]
            self._suggestions[word] = found[:3]
        return self._suggestions[word]

    def search(self, word: str) -> list[NodeSpec]:
        """The specs that match every word of the query, best first: by kind, alias, summary or help.

        When nothing matches, the kinds and aliases that are spelt nearly so.
        """
        words = word.split()
        scores = {spec.kind: _score(spec, words) for spec in self}
        found = [spec for spec in self if scores[spec.kind] > 0 or not words]
        if not found:
            spelt = close(word.strip(), (*self._specs, *self._aliases), most=10)
            return [self._specs[kind] for kind in dict.fromkeys(self.resolve(item) for item in spelt)]
        return sorted(found, key=lambda spec: -scores[spec.kind])


def _settings(spec: NodeSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a node, those that are stored and the others' defaults; those too that an argument gives."""
    found = {item.name: values.get(item.name, item.default) for item in spec.settings}
    return {item.name: item.default if argument_in(found[item.name]) else found[item.name] for item in spec.settings}


def _score(spec: NodeSpec, words: list[str]) -> int:
    """How well the spec answers the query; 0 when one of the words is nowhere in it."""
    total = 0
    for word in words:
        best = max(_score_name(spec.kind, word) * 2, *(_score_name(alias, word) for alias in spec.aliases), 0)
        if not best and len(word) > 1:
            begins = re.compile(rf"\b{re.escape(word)}", re.IGNORECASE)  # so that "tag" does not find "stage"
            best = 3 if begins.search(spec.summary) else 1 if begins.search(spec.help) else 0
        if not best:
            return 0
        total += best
    return total


def _score_name(name: str, word: str) -> int:
    if name == word:
        return 20
    name, word = name.casefold().rstrip("~"), word.casefold().rstrip("~")
    if not word:
        return 0
    if name == word:
        return 16
    if word in name.split("."):
        return 12
    if name.startswith(word):
        return 8
    return 5 if word in name else 0


@lru_cache(maxsize=1)
def registry() -> Registry:
    """Every node kind that is installed. Read once.

    A package of somebody else that does not load is told in `Registry.problems`; a built-in family that does not load
    is an error.
    """
    built_in = list(_built_in())
    kinds: list[NodeSpec] = [cls.spec for cls in built_in]
    taken = {spec.kind: spec for spec in kinds}
    problems: list[Problem] = []
    for entry in _entry_points():
        try:
            loaded = entry.load()
            specs = [cls.spec for cls in (_classes(loaded) if not isinstance(loaded, type) else _own_class(loaded))]
        except NodegraphError as error:
            problems.extend(error.problems)
            continue
        except (Exception, SystemExit) as error:
            what = f"The nodes {quoted(entry.name)} of {entry.value} do not load: {type(error).__name__}: {error}."
            problems.append(Problem("nodes-not-loaded", what, "Update or uninstall the package that brings them."))
            continue
        if not specs:
            what = f"The entry point {quoted(entry.name)} names {entry.value}, which declares no node."
            problems.append(Problem("nodes-not-loaded", what, "It should name a module of nodes, or a node class."))
        for spec in specs:
            rival = taken.setdefault(spec.kind, spec)
            if rival is spec:
                kinds.append(spec)
            elif rival.cls is not spec.cls:
                problems.append(_declared_twice(spec, rival))
    return Registry(kinds, problems)


def _built_in() -> Iterator[type[Node]]:
    package = importlib.import_module(FAMILIES)
    for found in sorted(pkgutil.walk_packages(package.__path__, FAMILIES + "."), key=lambda item: item.name):
        yield from _classes(importlib.import_module(found.name))


def _classes(module: Any) -> Iterator[type[Node]]:
    """The node classes that a module declares itself."""
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield from _own_class(value)


def _own_class(cls: Any) -> Iterator[type[Node]]:
    if isinstance(vars(cls).get("spec"), NodeSpec):
        yield cls


def _entry_points() -> Iterable[Any]:
    from importlib.metadata import entry_points  # 10 ms

    return sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))


def _declared_twice(spec: NodeSpec, rival: NodeSpec) -> Problem:
    first, second = (f"{cls.__module__}.{cls.__qualname__}" for cls in (rival.cls, spec.cls))
    what = f"Both {first} and {second} declare the kind '{spec.kind}'."
    return Problem("duplicate-kind", what, "Rename one of them.")
