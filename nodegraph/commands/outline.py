"""Print a patch as an outline in plain words: every node in the order of the signal, with its inlets, values, outlets,
and what each is connected to. It reads well aloud.
"""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "print a patch as an outline in plain words"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patch", metavar="PATCH", type=Path)


def run(args: argparse.Namespace) -> int:
    from nodegraph.commands.output import say
    from nodegraph.core.patchfile import load
    from nodegraph.editor.outline import text

    document = load(args.patch)
    say(text(document.graph.view, document.title or args.patch.name).rstrip("\n"))
    return 0
