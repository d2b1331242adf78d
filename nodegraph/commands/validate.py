"""Put every promise of a node to the test: bits, blocks, rates, channels, NaN, messages, files, memory, latency.

nodegraph validate svf~                 one kind
nodegraph validate my_nodes.py          the node classes of a file (its code runs)
nodegraph validate my_package.nodes     those of a module; my_package.nodes:Wobble is one of them
nodegraph validate --all --level 10     all that are installed, as thoroughly as can be

What fails is told with the command that repeats it. The checks go by chance, and the same seed is the same chance.
"""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from nodegraph.validation.finding import Outcome, Report
    from nodegraph.validation.naming import Named

SUMMARY = "put the promises of nodes to the test"
MARKS = {"passed": "green", "failed": "bold red", "skipped": "yellow"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("nodes", metavar="NODE", nargs="*", help="a kind, a file (.py, .ng), a module, or module:Class")
    parser.add_argument("--all", action="store_true", help="every kind that is installed")
    parser.add_argument(
        "--level", type=int, choices=range(1, 11), default=5, metavar="1..10", help="how much is tried (5)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="where chance comes from (1)")
    parser.add_argument(
        "--check", dest="only", action="append", default=[], metavar="NAME", help="this check only; may be repeated"
    )
    parser.add_argument("--checks", action="store_true", help="list the checks and what each of them promises")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="processes at once (one a core)")
    parser.add_argument("--timeout", type=float, default=240.0, metavar="S", help="how long one check may take (240)")
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object for all nodes")


def run(args: argparse.Namespace) -> int:
    from nodegraph.commands.output import progress, say_json
    from nodegraph.core.errors import PatchError, Problem
    from nodegraph.validation import naming
    from nodegraph.validation.pool import validate_all

    if args.checks:
        return _catalogue(args.json)
    _sensible(args)
    words = [word.strip() for word in args.nodes]
    found = list(dict.fromkeys([*naming.resolve(words), *(naming.every() if args.all else [])]))
    if not found:
        do = "Name a kind, a file (.py, .ng) or module:Class, or give --all."
        raise PatchError(Problem("no-name", "No node is named.", do))
    with progress("validating") as tell:
        reports = validate_all(
            found, level=args.level, seed=args.seed, only=args.only, jobs=args.jobs, limit_s=args.timeout, progress=tell
        )
    failed = sum(len(report.failed) for report in reports)
    if args.json:
        say_json({
            "level": args.level, "seed": args.seed, "failed": failed,
            "nodes": [_data(named, report, args) for named, report in zip(found, reports, strict=True)],
        })  # fmt: skip
        return 2 if failed else 0
    _tell(found, reports, args)
    return 2 if failed else 0


def _sensible(args: argparse.Namespace) -> None:
    """Raises PatchError with every option that cannot be."""
    from nodegraph.core.errors import PatchError, Problem
    from nodegraph.core.hints import did_you_mean, listed, quoted

    problems = []
    if args.only:
        from nodegraph.validation.catalogue import NAMES

        for name in (item for item in args.only if item not in NAMES):
            do = did_you_mean(name, NAMES, f"Checks are {listed(NAMES)}.")
            problems.append(Problem("unknown-check", f"There is no check {quoted(name)}.", do))
    if args.seed < 0:
        problems.append(Problem("bad-seed", f"The seed is {args.seed}.", "It takes 0 and above."))
    if not args.timeout > 0.0:
        problems.append(Problem("bad-timeout", f"The timeout is {args.timeout:g} s.", "Give more than 0."))
    if args.jobs < 0:
        problems.append(Problem("bad-jobs", f"There cannot be {args.jobs} processes.", "Give 1 or more."))
    if problems:
        raise PatchError(problems)


def _catalogue(as_json: bool) -> int:
    """The checks: from which level on, for which nodes, and what each promises."""
    from rich.table import Table

    from nodegraph.commands.output import CYAN, DIM, console, say_json
    from nodegraph.validation.catalogue import CHECKS

    if as_json:
        say_json({"checks": [
            {"name": item.name, "level": item.level, "roles": sorted(item.roles), "promise": item.promise}
            for item in CHECKS
        ]})  # fmt: skip
        return 0
    table = Table.grid(padding=(0, 2))
    table.add_column(style=CYAN, no_wrap=True)
    table.add_column(style=DIM, no_wrap=True)
    table.add_column(style=DIM)
    table.add_column()
    for item in CHECKS:
        table.add_row(item.name, f"level {item.level}", item.whom, item.promise)
    console().print(table)
    return 0


def _data(named: Named, report: Report, args: argparse.Namespace) -> dict[str, Any]:
    data = report.as_dict()
    for item in data["checks"]:
        if item["state"] == "failed":
            item["repeat"] = repeat(named, item["check"], args)
    return data


def repeat(named: Named, check: str, args: argparse.Namespace) -> str:
    """The command that runs one check of one node again, with the same chance."""
    only = ["--check", check] if check != "loading" else []
    return shlex.join(
        ["nodegraph", "validate", named.word, "--level", str(args.level), "--seed", str(args.seed), *only]
    )


def _tell(found: list[Named], reports: list[Report], args: argparse.Namespace) -> None:
    """Of one node a line a check, of several a line a node; then every finding, and the sum."""
    from rich.markup import escape

    from nodegraph.commands.output import DIM, console

    out = console()
    out.print(_checks(reports[0]) if len(reports) == 1 else _nodes(reports))
    for named, report in zip(found, reports, strict=True):
        for outcome in report.failed:
            out.print(f"\n[bold red]{escape(report.kind)}: {outcome.check}[/]", soft_wrap=True)
            for finding in outcome.findings:
                out.print(f"  {escape(finding.describe())}", soft_wrap=True)
            out.print(f"  [{DIM}]{escape(repeat(named, outcome.check, args))}[/]", soft_wrap=True)
    states = [item.state for report in reports for item in report.outcomes]
    parts = [f"{states.count(state)} {state}" for state in ("passed", "failed", "skipped") if state in states]
    many = f"{len(reports)} nodes, " if len(reports) > 1 else ""
    out.print(f"\n{many}level {args.level}, seed {args.seed}: {', '.join(parts) or 'nothing to check'}")


def _checks(report: Report) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from nodegraph.commands.output import CYAN, DIM

    table = Table.grid(padding=(0, 2))
    table.add_column(style=CYAN, no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style=DIM, justify="right", no_wrap=True)
    table.add_column()
    for outcome in report.outcomes:
        mark = f"[{MARKS[outcome.state]}]{outcome.state}[/]"
        table.add_row(outcome.check, mark, f"{1e3 * outcome.took_s:.0f} ms", escape(_remark(outcome)))
    return table


def _remark(outcome: Outcome) -> str:
    """What is to be said of a check in half a line."""
    if outcome.findings:
        return outcome.findings[0].what
    return outcome.why or ", ".join(note.text for note in outcome.notes)


def _nodes(reports: list[Report]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from nodegraph.commands.output import CYAN, DIM

    table = Table.grid(padding=(0, 2))
    table.add_column(style=CYAN, no_wrap=True)
    table.add_column(style=DIM, no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style=DIM, justify="right", no_wrap=True)
    table.add_column(style=DIM)
    for report in reports:
        states = [item.state for item in report.outcomes]
        words = [
            f"[{MARKS[state]}]{states.count(state)} {state}[/]" for state in ("passed", "failed", "skipped")
            if state in states
        ]  # fmt: skip
        notes = [note.text for item in report.outcomes for note in item.notes]
        table.add_row(
            escape(report.kind), report.role, ", ".join(words), f"{report.took_s:.1f} s", escape(", ".join(notes))
        )
    return table
