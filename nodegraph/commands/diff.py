"""Say what is different between two patches, or between a patch and an earlier version of it: what has come (+), what
has gone (-), what is otherwise (~).

Exit code 0: they are the same; 1: they are not; 2: one of them cannot be read.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodegraph.core.document import Document

SUMMARY = "say what is different between two patches"
SAME, DIFFERENT = 0, 1


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="A", type=Path, help="the patch as it was")
    parser.add_argument("new", metavar="B", type=Path, nargs="?", help="the patch as it is; with --revision A itself")
    parser.add_argument(
        "--revision", metavar="REV", help="A as this revision of its git repository has it, such as HEAD"
    )
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object")


def run(args: argparse.Namespace) -> int:
    from nodegraph.commands.output import say, say_json
    from nodegraph.core.difference import difference
    from nodegraph.core.errors import PatchFileError, Problem
    from nodegraph.core.patchfile import load

    if args.new is None and args.revision is None:
        what = "There is one patch only."
        raise PatchFileError(Problem("one-patch", what, "Name another, or a revision of this one: --revision HEAD."))
    old = load(args.old) if args.revision is None else revision(args.old, args.revision)
    found = difference(old, load(args.new or args.old))
    if args.json:
        say_json({"same": not found, "changes": [change.as_data() for change in found.changes]})
    else:
        for line in found.lines():
            say(line)
    return DIFFERENT if found else SAME


def revision(path: Path, name: str) -> Document:
    """A patch as a revision has it."""
    from nodegraph.api.versions import revision_text
    from nodegraph.core.patchfile import loads

    return loads(revision_text(path, name), file=str(path))
