"""Which nodes the user means: kinds by their name, the classes of a module or a Python file, one class of it as
``module:Class``, a patch file. A file's code runs only because the user named it on the command line."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from nodegraph.core.errors import DeclarationError, NodegraphError, PatchError, Problem
from nodegraph.core.hints import listed, quoted
from nodegraph.core.problems import unknown_kind
from nodegraph.core.registry import Registry, registry
from nodegraph.core.spec import NodeSpec
from nodegraph.core.subpatches import SUFFIX, PatchKinds


@dataclass(frozen=True)
class Named:
    """A node, and where it is found: in the registry, in a module, or in a file. Any process can load it again.

    `word` is how the user would name it.
    """

    word: str
    kind: str
    module: str = ""
    file: str = ""

    def as_dict(self) -> dict[str, str]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Named:
        """The inverse of `as_dict`."""
        return cls(**data)


class Loaded(NamedTuple):
    """A node's spec, the registry in which it stands, and the folder from which it names files."""

    spec: NodeSpec
    kinds: Registry
    home: Path


def resolve(words: Iterable[str]) -> list[Named]:
    """The nodes that words on the command line mean. Raises PatchError or DeclarationError with every problem."""
    found: list[Named] = []
    problems: list[Problem] = []
    for word in words:
        try:
            found += _resolved(word)
        except NodegraphError as error:
            problems += error.problems
    if problems:
        raise PatchError(problems)
    return list(dict.fromkeys(found))


def every() -> list[Named]:
    """All kinds that are installed."""
    return [Named(spec.kind, spec.kind) for spec in registry()]


def _resolved(word: str) -> Iterator[Named]:
    spec = registry().get(word)
    place, colon, name = word.rpartition(":")
    if spec is not None:
        yield Named(spec.kind, spec.kind)
    elif word.endswith(".py"):
        path = Path(os.path.realpath(word))
        for spec in _specs(_file_module(path), word):
            yield Named(f"{word}:{spec.cls.__name__}", spec.kind, "", str(path))
    elif word.endswith(SUFFIX):
        named = Named(word, Path(word).name, "", os.path.realpath(word))
        load(named)
        yield named
    elif colon and place.endswith(".py"):
        path = Path(os.path.realpath(place))
        yield Named(word, _of_class(_file_module(path), place, name).kind, "", str(path))
    elif colon:
        yield Named(word, _of_class(_module(place), place, name).kind, place, "")
    elif _is_module(word):
        for spec in _specs(_module(word), word):
            yield Named(f"{word}:{spec.cls.__name__}", spec.kind, word, "")
    else:
        raise PatchError(_unknown(word))


def _unknown(word: str) -> Problem:
    """The problem of a word that means nothing, with all that it could have meant."""
    problem = unknown_kind(word, registry())
    if Path(f"{word}.py").is_file():
        return replace(problem, do=f"A file is named with its ending: {word}.py")
    legal = "A node is named by its kind, its file (.py, .ng), or module:Class."
    return replace(problem, do=" ".join(text for text in (problem.do, legal) if text))


def _is_module(word: str) -> bool:
    """Whether a dotted name is a module's. One without a dot is taken for a kind, mistyped perhaps."""
    if "." not in word or not all(part.isidentifier() for part in word.split(".")):
        return False
    _work_here()
    try:
        return importlib.util.find_spec(word) is not None
    except ImportError:
        return False
    except (Exception, SystemExit) as error:  # finding it runs the packages that it lies in
        raise _not_loaded(word, error) from error


def _of_class(module: Any, place: str, name: str) -> NodeSpec:
    """The spec of a node class by its name."""
    found = vars(module).get(name)
    spec = vars(found).get("spec") if isinstance(found, type) else None
    if not isinstance(spec, NodeSpec):
        classes = sorted(item.cls.__name__ for item in _declared(module))
        do = f"Its node classes are {listed(classes)}." if classes else "It declares no nodes."
        raise PatchError(Problem("unknown-class", f"{quoted(place)} has no node class {quoted(name)}.", do))
    return spec


def load(named: Named) -> Loaded:
    """The node itself. Raises PatchError or DeclarationError when it cannot be had (any more)."""
    if named.file.endswith(SUFFIX):
        folder = Path(named.file).parent
        patches = PatchKinds(registry(), folder)
        spec = patches.get(named.kind)
        if spec is None:
            raise PatchError(patches.why_not(named.kind) or unknown_kind(named.kind, patches))
        return Loaded(spec, patches, folder)
    if not named.file and not named.module:
        spec = registry().get(named.kind)
        if spec is None:
            raise PatchError(unknown_kind(named.kind, registry()))
        return Loaded(spec, registry(), Path.cwd())
    module = _file_module(Path(named.file)) if named.file else _module(named.module)
    mine = {spec.kind: spec for spec in _declared(module)}
    for value in vars(module).values():  # a class that the module has from elsewhere, if that is the one
        spec = vars(value).get("spec") if isinstance(value, type) else None
        if isinstance(spec, NodeSpec) and spec.kind == named.kind:
            mine.setdefault(spec.kind, spec)
    if named.kind not in mine:
        raise PatchError(Problem("no-node", f"{quoted(named.word)} has no node '{named.kind}' (any more)."))
    others = [spec for spec in registry() if spec.kind not in mine]
    home = Path(named.file).parent if named.file else Path(getattr(module, "__file__", None) or ".").parent
    return Loaded(mine[named.kind], Registry([*others, *mine.values()]), home)


def _specs(module: Any, word: str) -> list[NodeSpec]:
    found = _declared(module)
    if not found:
        what = f"{quoted(word)} declares no node."
        raise PatchError(Problem("no-node", what, "A node is a class under @node(…); see docs/adding-a-node.md."))
    return found


def _declared(module: Any) -> list[NodeSpec]:
    """The specs of the node classes that a module declares itself."""
    classes = [value for value in vars(module).values() if isinstance(value, type)]
    specs = [vars(cls).get("spec") for cls in classes if cls.__module__ == module.__name__]
    return [spec for spec in specs if isinstance(spec, NodeSpec)]


def _work_here() -> None:
    """Like ``python -m``, modules in the working folder count."""
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.append(os.getcwd())


def _module(name: str) -> Any:
    """A module by its name."""
    _work_here()
    return _imported(name, name, lambda: importlib.import_module(name))


def _file_module(path: Path) -> Any:
    """The module that a file is, under the file's own name, so that a worker process finds it again."""
    name = path.stem
    if not path.is_file():
        raise PatchError(Problem("missing-file", f"There is no file {quoted(str(path))}.", "Correct the path."))
    known = sys.modules.get(name)
    if known is not None and _same_file(getattr(known, "__file__", None), path):
        return known
    spec = importlib.util.find_spec(name) if "." not in name else None
    if known is not None or (spec is not None and not _same_file(spec.origin, path)):
        what = f"{quoted(path.name)} is called like a module that is there already, {quoted(name)}."
        raise PatchError(Problem("module-taken", what, "Rename the file."))
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)  # as Python does for a program: it finds what lies beside it, and workers find it
    return _imported(name, str(path), lambda: importlib.import_module(name))


def _same_file(origin: str | None, path: Path) -> bool:
    return origin is not None and Path(os.path.realpath(origin)) == path


def _imported(name: str, shown: str, make: Any) -> Any:
    try:
        return make()
    except NodegraphError as error:
        raise DeclarationError(error.problems) from error
    except (Exception, SystemExit) as error:
        raise _not_loaded(shown, error) from error


def _not_loaded(shown: str, error: BaseException) -> PatchError:
    what = f"{quoted(shown)} cannot be loaded: {type(error).__name__}: {error}."
    do = "A file inside a package is named as module:Class." if "relative import" in str(error) else ""
    return PatchError(Problem("nodes-not-loaded", what, do or "Mend it, or install what it needs."))
