"""The engine that an editor starts for itself: a process of its own, which plays on when the editor dies.

It plays a patch as a session with a server, as ``nodegraph run PATCH --serve`` does, and differs in this: the patch
need not be there yet; one that cannot play is served all the same, so that it can be mended; and where it listens
stands in a file that only this user reads (``--address``) for as long as it lives.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodegraph.core.errors import NodegraphError
from nodegraph.core.replacing import replace_file

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch
    from nodegraph.headless.recovery import Lost
    from nodegraph.server.server import Server


def parser() -> argparse.ArgumentParser:
    """What it is told: how to play, as ``nodegraph run`` is, and where to write its address."""
    from nodegraph.commands.run import playing_arguments

    made = argparse.ArgumentParser(prog="nodegraph.commands.engine", description=__doc__)
    made.add_argument("patch", metavar="PATCH", type=Path)
    made.add_argument("--address", metavar="FILE", type=Path, required=True)
    playing_arguments(made)
    return made


def main(words: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM."""
    args = parser().parse_args(words)
    args.serve = 0 if args.serve is None else args.serve
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        run(args, ended)
    except NodegraphError as error:
        _write(args.address, {"problems": [problem.as_dict() for problem in error.problems]})
        return 2
    return 0


def run(args: argparse.Namespace, ended: threading.Event) -> None:
    """Play and serve until it is to end. Raises NodegraphError when it cannot even be served."""
    from nodegraph.commands.company import company
    from nodegraph.commands.losing import keeping, lost_of
    from nodegraph.commands.run import playing_options
    from nodegraph.session.session import Session

    lost = lost_of(args)
    patch = _patch(args.patch, lost)
    with Session(
        patch, report=_say, **playing_options(args)
    ) as session, keeping(session, args, lost, lambda text: session.say("", text)), company(
        session, args, lambda text: session.say("", text)
    ) as beside:  # fmt: skip
        assert beside.server is not None
        with _address(args.address, beside.server, args.patch):
            try:
                session.play()
            except NodegraphError as error:
                for problem in error.problems:
                    session.say(problem.node or "", problem.describe())
            ended.wait()


def _patch(path: Path, lost: Lost | None) -> Patch:
    """The patch of the file, or an empty one that will be saved there."""
    from nodegraph.api.patch import Patch

    if lost is not None:
        return lost.patch()
    if path.exists():
        return Patch.open(path)
    made = Patch()
    made.document.path = path
    made.graph.registry.lie_in(path)
    return made


@contextmanager
def _address(file: Path, server: Server, patch: Path) -> Iterator[None]:
    """Where it listens, for as long as it does."""
    told = {"url": server.url, "pid": os.getpid(), "patch": os.path.abspath(patch)}
    _write(file, told)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _write(file: Path, data: dict[str, Any]) -> None:
    """At once and whole, for this user alone: it holds the token."""
    replace_file(file, json.dumps(data).encode(), mode=0o600)


def _say(node: str, text: str) -> None:
    from nodegraph.commands.output import say
    from nodegraph.commands.view import in_a_line

    say(in_a_line(node, text))


if __name__ == "__main__":
    sys.exit(main())
