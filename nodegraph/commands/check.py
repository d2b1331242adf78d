"""Say everything that is wrong with patches, at once: values, ports, cables, loops, files, models."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "say everything that is wrong with patches"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patches", metavar="PATCH", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object for all patches")


def run(args: argparse.Namespace) -> int:
    from nodegraph.api.checking import problems
    from nodegraph.commands.output import complain, say, say_json
    from nodegraph.core.errors import Problem
    from nodegraph.core.patchfile import examine
    from nodegraph.core.presets import missing

    every: list[Problem] = []
    counts: dict[str, int] = {}
    for path in args.patches:
        document, found = examine(path)
        if document is not None:
            found = found + problems(document)
            found.sort(key=lambda item: (item.line is None, item.line or 0))
        every += found
        counts[str(path)] = len(found)
        if not args.json and not found and document is not None:
            say(f"{path}: {len(document.graph)} nodes, {len(document.graph.cables)} cables, no problems")
        if not args.json and document is not None:
            for gone in missing(document):
                say(f"{path}: {gone.what}")
    if args.json:
        say_json({"patches": counts, "problems": [item.as_dict() for item in every]})
    else:
        complain(every)
    return 2 if every else 0
