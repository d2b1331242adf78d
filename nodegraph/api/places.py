"""Where the files are that a patch names: its own folder, the media folders, the model store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from nodegraph.core.document import Document
from nodegraph.core.errors import ModelError, NodegraphError, Problem
from nodegraph.core.flatten import document_of, flatten
from nodegraph.core.hints import listed, quoted
from nodegraph.core.media import media_folders, resolve_media
from nodegraph.core.view import GraphView


def stored_sound(name: str, key: str) -> Path:
    """The file of a sound in the model store. Raises ModelError, WeightsMissing when it is not fetched yet."""
    from nodegraph.models import Store

    files = Store().files(name)
    if key not in files:
        do = f"Its sounds are {listed(sorted(files))}."
        raise ModelError(Problem("unknown-sound", f"'{name}' has no sound {quoted(key)}.", do))
    return files[key]


def weights(name: str) -> dict[str, Path]:
    """The files of a model in the store. Raises ModelError, WeightsMissing when it is not fetched yet."""
    from nodegraph.models import Store

    return Store().files(name)


def folders(media: Iterable[Path]) -> tuple[Path, ...]:
    """The media folders of a patch and those that the user has declared."""
    return (*media, *media_folders())


def resolver(document: Document, media: Iterable[Path]) -> Callable[[str], Path]:
    """What finds the files of this patch: from the text of a setting to a path. It raises MediaError, ModelError."""
    written = set(written_files(flatten(document)))
    roots = folders(media)
    home = document.folder

    def resolve(text: str) -> Path:
        return resolve_media(home, text, roots, writes=text in written, sounds=stored_sound)

    return resolve


def written_files(view: GraphView) -> Iterable[str]:
    """The texts of the settings that name a file to write."""
    for entry in view.nodes.values():
        for item in entry.spec.settings if entry.spec else ():
            if item.type == "file" and item.writes and (text := entry.value(item.name)):
                yield str(text)


def placed(problem: Problem, document: Document) -> Problem:
    """The problem with its file and line, when it names a node of this document."""
    from dataclasses import replace

    if problem.file or problem.node is None:
        return problem
    owner, node = document_of(document, problem.node)
    if node not in owner.graph:
        return problem
    return replace(problem, file=owner.file, line=owner.line(node, problem.port))


def placed_error(error: NodegraphError, document: Document) -> NodegraphError:
    """The same error, its problems with file and line."""
    return type(error)([placed(problem, document) for problem in error.problems])
