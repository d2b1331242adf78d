"""List the node kinds, search them, or read the help of one.

nodegraph nodes            every kind, by family
nodegraph nodes filter     those that have to do with a word
nodegraph nodes svf~       the help of one; words of Max, Pd and SuperCollider are understood
nodegraph nodes voice.ng   the help of a patch file as a node
nodegraph nodes wobble.py  the help of a node of your own (a file that you trust: its code runs, in a process apart)
nodegraph nodes svf~ --help-patch try.ng  a small patch that plays it
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from nodegraph.core.ports import Inlet, Outlet, Setting
    from nodegraph.core.spec import NodeSpec
    from nodegraph.core.subpatches import PatchKinds

SUMMARY = "list node kinds, search them, or read the help of one"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", metavar="WORD", nargs="*", help="a kind, or words to look for")
    parser.add_argument("--json", action="store_true", help="for programs: everything about the kinds that were found")
    parser.add_argument(
        "--help-patch", metavar="FILE", type=Path,
        help="write a small patch that plays the kind, and the files that it needs beside it",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    from nodegraph.commands.output import console, say_json
    from nodegraph.core.errors import PatchError
    from nodegraph.core.ownfiles import SUFFIX as OWN
    from nodegraph.core.problems import unknown_kind
    from nodegraph.core.registry import registry
    from nodegraph.core.subpatches import PatchKinds

    kinds = PatchKinds(registry(), Path.cwd())
    word = " ".join(args.words)
    one = _own(Path(word)) if word.endswith(OWN) else kinds.get(word)
    found = [one] if one else kinds.search(word) if word else list(kinds)
    if not found:
        raise PatchError(unknown_kind(word, kinds))
    if args.help_patch is not None:
        _write_help(one, args.help_patch, word, kinds)
        return 0
    if args.json:
        say_json({"nodes": [spec.as_dict() for spec in found]})
        return 0
    out = console()
    if one:
        _page(out, one)
    elif word:
        out.print(_table(found))
    else:
        families: dict[str, list[NodeSpec]] = {}
        for spec in kinds:
            families.setdefault(spec.family, []).append(spec)
        for family, specs in sorted(families.items()):
            out.print(f"\n[bold]{family}[/bold]")
            out.print(_table(specs))
    return 0


def _write_help(spec: NodeSpec | None, path: Path, word: str, kinds: PatchKinds) -> None:
    """The help patch of one kind."""
    from nodegraph.commands.output import say
    from nodegraph.core.errors import PatchError, PatchFileError, Problem
    from nodegraph.core.helppatch import help_patch
    from nodegraph.core.hints import quoted

    if spec is None or spec not in list(kinds.base):
        what = f"{quoted(word)} is no node kind, and has no help patch." if word else "No kind is named."
        raise PatchError(Problem("no-help-patch", what, "Name one kind: nodegraph nodes svf~ --help-patch try.ng"))
    if path.suffix != ".ng":
        what = f"A patch cannot be called {quoted(path.name)}."
        raise PatchError(Problem("not-a-patch", what, "Its name should end in .ng.", file=str(path)))
    try:
        written = help_patch(spec, kinds).write(path)
    except OSError as error:
        what = f"{quoted(str(path))} cannot be written ({error.strerror or error})."
        raise PatchFileError(Problem("unwritable-file", what, "Check the folder.", file=str(path))) from error
    say(f"{written}: play it with nodegraph run, or nodegraph edit")


def _own(path: Path) -> NodeSpec:
    """The node in a file of the user's own."""
    from nodegraph.usernodes.bringing import brought

    return brought(Path(os.path.realpath(path)))


def _table(specs: list[NodeSpec]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from nodegraph.commands.output import CYAN

    table = Table.grid(padding=(0, 2))
    table.add_column(style=CYAN, no_wrap=True, min_width=14)
    table.add_column()
    for spec in specs:
        table.add_row(escape(spec.kind), escape(spec.summary))
    return table


def _page(out: Console, spec: NodeSpec) -> None:
    """The help of one kind."""
    from rich.markup import escape

    from nodegraph.commands.output import CYAN

    out.print(f"[bold {CYAN}]{escape(spec.kind)}[/]  [dim]{escape(spec.family)}[/]")
    if spec.aliases:
        out.print(f"[dim]also called {escape(', '.join(spec.aliases))}[/]")
    out.print()
    out.print(escape(spec.help), soft_wrap=True)
    for title, items in (("inlets", spec.inlets), ("outlets", spec.outlets), ("settings", spec.settings)):
        if items:
            out.print(f"\n[bold]{title}[/bold]")
            out.print(_ports(items))


def _ports(items: tuple[Inlet, ...] | tuple[Outlet, ...] | tuple[Setting, ...]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from nodegraph.commands.output import CYAN, DIM, GREEN, PURPLE
    from nodegraph.core.ports import CableKind, Control, Setting

    colours = {CableKind.SIGNAL: CYAN, CableKind.EVENT: GREEN, CableKind.TENSOR: PURPLE}
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, min_width=14)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for item in items:
        kind: str
        if isinstance(item, Setting):
            kind, what, colour = item.type, item.legal(), DIM
            what = f"{what}, default {item.default!r}" if item.default not in ("", None) else what
        elif isinstance(item, Control):
            kind, what, colour = "control", f"{item.legal()}, default {item.default:g}", GREEN
        else:
            kind, colour = item.kind.value, colours.get(item.kind, DIM)
            what = f"shape {item.shape}" if item.shape else ""
        table.add_row(f"[{colour}]{escape(item.name)}[/]", f"[{DIM}]{kind}[/]", escape(what), escape(item.help))
    return table
