"""Trust files of nodes of your own, so that patches beside them may run them.

nodegraph trust wobble.py            trust the file as it is now; a change makes it a file that you do not trust
nodegraph trust --list               all that you trust
nodegraph trust --revoke wobble.py   trust it no longer (a path, or the beginning of a hash)

A node is code: it can do all that you can do. Read it before.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodegraph.core.trust import Trusted

SUMMARY = "let nodes of your own run"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="*", help="a Python file, or several")
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--list", action="store_true", help="say what is trusted")
    does.add_argument("--revoke", action="store_true", help="trust these no longer")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    from nodegraph.commands.output import say, say_json
    from nodegraph.core import trust
    from nodegraph.core.errors import NodegraphError, PatchError, Problem

    if not args.files and not args.list:
        raise PatchError(Problem("no-name", "No file is named.", "Name some, or give --list."))
    found: list[trust.Trusted] = []
    problems: list[Problem] = []
    if args.list:
        found = trust.trusted()
    for word in () if args.list else args.files:
        try:
            found += trust.revoke(word) if args.revoke else [_trusted(word)]
        except NodegraphError as error:
            problems += error.problems
    if args.json:
        say_json({"revoked" if args.revoke else "trusted": [item.as_dict() for item in found]})
    elif args.list and not found:
        say("No file is trusted.")
    else:
        word = "revoked" if args.revoke else "trusted"
        for item in found:
            say(f"{item.path}: {item.size} bytes, sha256 {item.sha256}, {word if not args.list else item.when}")
    if problems:
        raise PatchError(problems)
    return 0


def _trusted(word: str) -> Trusted:
    from nodegraph.core.errors import PatchError, Problem
    from nodegraph.core.hints import quoted
    from nodegraph.core.ownfiles import SUFFIX
    from nodegraph.core.trust import trust

    if not word.endswith(SUFFIX):
        what = f"{quoted(word)} is no Python file."
        raise PatchError(Problem("no-node", what, "Name a file of a node, such as ./wobble.py."))
    return trust(word)
