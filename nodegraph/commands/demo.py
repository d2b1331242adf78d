"""Play the demo for twenty seconds, say what its models hear, and leave out/demo.wav and out/demo.png."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "play the demo, and leave out/demo.wav and out/demo.png"
PATCH = Path("patches") / "demo.ng"


def arguments(parser: argparse.ArgumentParser) -> None:
    from nodegraph.commands import run as command

    command.playing_arguments(parser)
    parser.add_argument("--out", metavar="FOLDER", type=Path, default=Path("out"), help="where to leave them (out)")


def run(args: argparse.Namespace) -> int:
    from nodegraph.commands import run as command
    from nodegraph.core.errors import MediaError, Problem

    here = Path(__file__).parents[2] / PATCH
    args.patch = PATCH if PATCH.exists() else here
    args.seconds = args.seconds or 20.0
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"The folder cannot be made: {error.strerror}."
        raise MediaError(Problem("unwritable", what, "Choose another with --out.", str(args.out))) from error
    args.record = args.record or args.out / "demo.wav"
    args.picture = args.picture or args.out / "demo.png"
    return command.run(args)
