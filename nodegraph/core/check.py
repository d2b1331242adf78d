"""Everything that is wrong with a patch, at once.

What a file may get wrong in its form (`patchfile`) and in its meaning: kinds, ports, values, cables, loops, and the
files it names. Whether a sound file can be decoded, or a model is there, is found where they are opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nodegraph.core.cable import Cable
from nodegraph.core.document import Document
from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.core.flatten import document_of, flatten, subpatches
from nodegraph.core.hints import quoted
from nodegraph.core.media import SOUND, VARIABLE, Sounds, resolve_media
from nodegraph.core.media import media_folders as declared_folders
from nodegraph.core.order import loops
from nodegraph.core.patchfile import examine
from nodegraph.core.ports import Setting
from nodegraph.core.problems import cable_problem, taken_inlet, unknown_kind, unknown_parameter
from nodegraph.core.registry import Registry
from nodegraph.core.values import argument_in, misfit
from nodegraph.core.view import NodeEntry


def check(
    document: Document,
    kinds: Registry | None = None,
    *,
    media_folders: Iterable[Path] | None = None,
    sounds: Sounds | None = None,
) -> list[Problem]:
    """Every problem of a document, in the order of the lines of its file. None means that it can be played.

    `kinds` are those to suggest instead of an unknown one (the graph's own without it). `media_folders` may hold the
    files that it names besides its own folder; without it those that the user has declared. `sounds` finds the stored
    sounds that it names; without it they are taken to be there.
    """
    folders = tuple(declared_folders() if media_folders is None else media_folders)
    found = list(_Checker(document, kinds or document.graph.registry, folders, sounds).problems())
    found.sort(key=lambda problem: (problem.line is None, problem.line or 0))
    for inner in subpatches(document):
        found += _Checker(inner, inner.graph.registry, (*folders, document.folder), sounds).problems()
    return found + list(_whole(document))


def check_file(
    path: str | os.PathLike[str],
    kinds: Registry | None = None,
    *,
    media_folders: Iterable[Path] | None = None,
    sounds: Sounds | None = None,
) -> list[Problem]:
    """Every problem of a patch file: those of its form, and those of what can be read of it."""
    document, problems = examine(path, kinds=kinds)
    if document is not None:
        problems = problems + check(document, kinds, media_folders=media_folders, sounds=sounds)
    return sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0))


def _whole(document: Document) -> Iterable[Problem]:
    """What is wrong with a patch together with the patches in it: its size, and loops."""
    try:
        view = flatten(document)
    except PatchError as error:
        yield from error.problems
        return
    for loop in loops(view):
        cable = loop.cables[-1]
        owner, node = document_of(document, cable.to_node)
        yield loop.problem(owner.file, owner.cable_line(cable) or owner.line(node))


class _Checker:
    def __init__(
        self, document: Document, kinds: Registry, media_folders: Iterable[Path], sounds: Sounds | None
    ) -> None:
        self.document, self.kinds, self.sounds = document, kinds, sounds
        self.graph = document.graph.view
        self.file = document.file
        self.folder = document.folder
        self.media_folders = tuple(media_folders)
        self.misshapen: set[str] = set()
        self.told: set[Problem] = set()

    def problems(self) -> Iterable[Problem]:
        for entry in self.graph.nodes.values():
            yield from self._node(entry)
        yield from self._cables()
        for node, entry in self.document.view.items():
            untold = isinstance(entry, dict) and "at" not in entry and "show" in entry
            if node in self.graph and self.document.place(node) is None and not untold:
                what = f"The place of '{node}' in the view is not two numbers."
                line = self.document.places.line("view", node)
                yield Problem("bad-view", what, 'Write it as "node": [x, y].', self.file, line, node)

    def _node(self, entry: NodeEntry) -> Iterable[Problem]:
        if entry.spec is None:
            problem = self.document.graph.registry.why_not(entry.kind) or unknown_kind(entry.kind, self.kinds)
            if problem.file is None:
                yield self._at_node(replace(problem, node=entry.id), "kind")
            elif problem not in self.told:  # in a file of code: told once, at its line
                self.told.add(problem)
                yield replace(problem, node=entry.id)
            return
        misshapen = self.document.graph.registry.why_not_shaped(entry.kind, entry.params)
        for problem in misshapen:
            yield self._at_node(replace(problem, node=entry.id), problem.port or "kind")
        if misshapen:
            self.misshapen.add(entry.id)  # nobody knows which ports it would have
            return
        for name in entry.extra:
            yield self._at_node(unknown_parameter(entry, name), name)
        for name, value in entry.params.items():
            parameter = entry.parameter(name)
            argument = argument_in(value) if isinstance(parameter, Setting) else None
            if argument is not None and not self._is_argument(argument):
                what = f"The patch has no argument {quoted(argument)}."
                do = f'Add one: "{argument}": {{"kind": "argument"}}.'
                yield self._at_node(Problem("unknown-argument", what, do, node=entry.id, port=name), name)
            if argument is not None:
                continue
            wrong = misfit(parameter, value) if parameter else None
            if wrong:
                yield self._at_node(Problem(*wrong, node=entry.id, port=name), name)
            elif isinstance(parameter, Setting) and parameter.type == "file" and value:
                yield from self._file(entry, parameter, value)

    def _is_argument(self, name: str) -> bool:
        found = self.graph.nodes.get(name)
        return found is not None and getattr(found.spec and found.spec.cls, "direction", "") == "argument"

    def _file(self, entry: NodeEntry, setting: Setting, text: Any) -> Iterable[Problem]:
        def problem(code: str, what: str, do: str) -> Problem:
            return self._at_node(Problem(code, what, do, node=entry.id, port=setting.name), setting.name)

        if self.sounds is None and text.startswith(SOUND):
            return
        try:
            path = resolve_media(self.folder, text, self.media_folders, writes=setting.writes, sounds=self.sounds)
        except NodegraphError as error:
            for found in error.problems:
                yield problem(found.code, found.what, found.do)
            return
        if path.is_dir():
            yield problem("missing-file", f"{quoted(text)} is a folder.", "Name a file.")
        elif setting.writes:
            folder = path.parent
            if not folder.is_dir():
                yield problem("unwritable-file", f"The folder of {quoted(text)} is not there.", "Make the folder.")
            elif not os.access(path if path.exists() else folder, os.W_OK):
                yield problem(
                    "unwritable-file", f"{quoted(text)} may not be written.", "Choose another file or folder."
                )
        elif not os.path.exists(path):
            do = f"Put it into the folder of the patch, or declare its folder in {VARIABLE}."
            yield problem("missing-file", f"There is no file {quoted(text)}.", do)
        elif not os.access(path, os.R_OK):
            yield problem("missing-file", f"The file {quoted(text)} may not be read.", "Allow yourself to read it.")

    def _cables(self) -> Iterable[Problem]:
        firsts: dict[tuple[str, str, str], Cable] = {}
        for cable in self.graph.cables:
            if cable.from_node in self.misshapen or cable.to_node in self.misshapen:
                continue
            problem = cable_problem(self.graph, cable)
            if problem is None:
                problem = self._second(cable, firsts)
            if problem:
                yield replace(problem, file=self.file, line=self.document.cable_line(cable))

    def _second(self, cable: Cable, firsts: dict[tuple[str, str, str], Cable]) -> Problem | None:
        """A cable into an inlet that takes one, where another has come before it in the canonical order."""
        kind = self.graph.cable_kind(cable)
        spec = self.graph.nodes[cable.to_node].spec
        inlet = spec.inlet_named.get(cable.to_port) if spec else None
        if kind is None or inlet is None or inlet.takes_many(kind):
            return None
        first = firsts.setdefault((cable.to_node, cable.to_port, kind), cable)
        return taken_inlet(cable, kind, [first]) if first is not cable else None

    def _at_node(self, problem: Problem, name: str) -> Problem:
        node = problem.node or ""
        return replace(problem, file=self.file, line=self.document.line(node, name))
