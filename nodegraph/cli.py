"""The command line: ``nodegraph run PATCH`` and the other commands, one file each in `nodegraph.commands`.

Exit codes: 0, all is well; 1, `diff` has found a difference; 2, something that the user can mend, said in one line each
on stderr; 130, ended by Ctrl-C (143 by SIGTERM), with the sound faded out and every file finished.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from nodegraph import __version__

COMMANDS = (
    "run", "edit", "render", "check", "diff", "outline", "nodes", "validate", "devices", "models", "trust", "new-node",
    "demo", "install-service",
)  # fmt: skip
OK, WRONG, INTERRUPTED, TERMINATED = 0, 2, 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM: the same end as Ctrl-C, with another exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    words = _kinds_apart(list(sys.argv[1:] if argv is None else argv))
    args = parser(words).parse_args(words)
    from nodegraph.core.errors import NodegraphError

    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        return int(args.run(args))
    except NodegraphError as error:
        from nodegraph.commands.output import complain

        complain(error.problems, getattr(args, "json", False))
        return WRONG
    except Terminated:
        return TERMINATED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    finally:
        signal.signal(signal.SIGTERM, previous)


def parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of every command; only the one that `words` name is filled in."""
    top = argparse.ArgumentParser(
        prog="nodegraph",
        description="A patcher for audio AI: play, render and check patches.",
        epilog="nodegraph COMMAND --help says more about each.",
    )
    top.add_argument("--version", action="version", version=f"nodegraph {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    asked = next((word for word in words if not word.startswith("-")), None)
    for name in COMMANDS:
        if asked in COMMANDS and name != asked:
            commands.add_parser(name)
            continue
        module: Any = import_module(f"nodegraph.commands.{name.replace('-', '_')}")
        sub = commands.add_parser(
            name, help=module.SUMMARY, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.arguments(sub)
        sub.set_defaults(run=module.run)
    return top


def _kinds_apart(words: list[str]) -> list[str]:
    """``nodes -~`` asks for a kind, not for an option; what stands after ``--`` is for another command."""
    if words[:1] == ["nodes"] and "-~" in words:
        options = [word for word in words[1:] if word.startswith("--")]
        return ["nodes", *options, "--", *(word for word in words[1:] if word not in options)]
    if words[:1] == ["install-service"] and "--" in words:
        at = words.index("--")
        return [*words[:at], *(f"--with={word}" for word in words[at + 1 :])]
    if words[:1] == ["validate"]:
        return ["-~ " if word == "-~" else word for word in words]  # argparse takes no option with a space in it
    return words


def _terminate(*_: object) -> None:
    raise Terminated


if __name__ == "__main__":
    sys.exit(main())
