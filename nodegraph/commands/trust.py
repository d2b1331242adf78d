"""Trust files of nodes of your own and models that are code, so that patches beside them may run them.

nodegraph trust wobble.py            trust the file as it is now; a change makes it a file that you do not trust
nodegraph trust voice.ts             the same for a model of TorchScript (RAVE, nn~); says what it offers
nodegraph trust --list               all that you trust
nodegraph trust --revoke wobble.py   trust it no longer (a path, or the beginning of a hash)

A node is code: it can do all that you can do. Read it before. A model of TorchScript is code, too, which few can read:
trust it if you trust whoever made it. It runs in a process of its own, which on Linux can write no file and reach
nobody.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodegraph.core.trust import Trusted

MODELS = (".ts", ".pt", ".pth", ".jit")
"""How files of TorchScript are called."""
SUMMARY = "let nodes of your own and models that are code run"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="*", help="a Python file, a TorchScript, or several")
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--list", action="store_true", help="say what is trusted")
    does.add_argument("--revoke", action="store_true", help="trust these no longer")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    from nodegraph.commands.output import say, say_json
    from nodegraph.core import trust
    from nodegraph.core.errors import NodegraphError, PatchError, Problem
    from nodegraph.core.ownfiles import SUFFIX

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
            for line in () if args.list or args.revoke or item.path.endswith(SUFFIX) else _offered(item.path):
                say(f"  {line}")
    if problems:
        raise PatchError(problems)
    return 0


def _trusted(word: str) -> Trusted:
    from nodegraph.core.errors import PatchError, Problem
    from nodegraph.core.hints import quoted
    from nodegraph.core.ownfiles import SUFFIX
    from nodegraph.core.trust import MOST_MODEL_BYTES, trust
    from nodegraph.models.torchscript import script_of

    if word.endswith(SUFFIX):
        return trust(word)
    path = Path(word)
    if path.suffix.lower() not in MODELS:
        what = f"{quoted(word)} is neither a Python file nor TorchScript."
        raise PatchError(Problem("no-node", what, "Name a file, such as ./wobble.py or ./voice.ts."))
    if path.exists():
        script_of(path)  # raises for what is none
    return trust(word, MOST_MODEL_BYTES)


def _offered(path: str) -> list[str]:
    """What a TorchScript offers, in lines."""
    from nodegraph.models.torchscript import script_of

    script = script_of(Path(path))
    lines = [f"made for {script.rate} Hz"] if script.rate else []
    for item in script.methods:
        lines.append(
            f"{item.name}: {_flow(item.channels_in, item.ratio_in)} in, {_flow(item.channels_out, item.ratio_out)} out"
        )
    return lines + [f"{item.name}: {', '.join(item.types)}" for item in script.attributes]


def _flow(channels: int, ratio: int) -> str:
    """``1 channel``, ``8 channels every 2048 frames``"""
    return f"{channels} channel{'s' * (channels > 1)}" + (f" every {ratio} frames" if ratio > 1 else "")
