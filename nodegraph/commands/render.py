"""Play a patch into a sound file, faster than real time.

The same patch always gives the same file, to the bit, whatever the block. Without --seconds it lasts as long as the
sound files that it plays, and 2 s of tail; or 10 s. The patch is stored inside: nodegraph run OUT.wav plays it again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

SUMMARY = "play a patch into a sound file"


def arguments(parser: argparse.ArgumentParser) -> None:
    from nodegraph.commands.options import sound_options

    parser.add_argument("patch", metavar="PATCH", type=Path)
    parser.add_argument(
        "-o", "--out", required=True, metavar="OUT.wav", type=Path, help=".wav (32-bit float) or .flac (24 bits)"
    )
    parser.add_argument(
        "--performance", metavar="FILE.ngp", type=Path,
        help="do again what was done while it was played (run --keep-performance)",
    )  # fmt: skip
    sound_options(parser, 64)


def run(args: argparse.Namespace) -> int:
    import numpy as np

    from nodegraph.api.rendering import Rendering
    from nodegraph.api.sounds import check_sound_target, check_writable, writer
    from nodegraph.commands.options import open_patch
    from nodegraph.commands.output import decibels, progress, say, say_json

    check_sound_target(args.out)
    if args.picture:
        check_writable(args.picture)
    patch, posts, input = open_patch(args.patch, args.sets, args.input)
    began = time.monotonic()
    rendering = Rendering(
        patch, args.seconds, rate=args.rate, block=args.block, input=input, first=posts,
        threads=args.threads, performance=args.performance,
    )  # fmt: skip
    check_sound_target(args.out, rendering.channels)
    file = writer(args.out, args.rate, rendering.channels, rendering.text)
    kept: list[Any] = []
    peak = 0.0
    try:
        with progress(f"rendering {args.out.name}") as tell:
            for piece in rendering:
                file.write(piece)
                peak = max(peak, float(np.abs(piece).max()))
                if args.picture:
                    kept.append(piece)
                tell(rendering.done, rendering.frames, "")
        file.close()
    except BaseException:
        rendering.close()
        file.abandon()
        raise
    took = time.monotonic() - began
    if args.picture:
        from nodegraph.pictures import picture

        picture(args.picture, np.concatenate(kept, axis=1), args.rate, rendering.events(), title=patch.title)
    seconds = rendering.frames / args.rate
    if args.json:
        say_json({
            "out": str(args.out), "seconds": seconds, "rate": args.rate, "channels": rendering.channels, "peak": peak,
            "took_s": round(took, 3), "picture": str(args.picture) if args.picture else None, "log": rendering.log,
            "listeners": rendering.status.get("listeners", {}),
        })  # fmt: skip
        return 0
    for node, text in rendering.log:
        say(f"{node}: {text}")
    speed = f"{seconds / took:.0f} × real time" if took < seconds else f"{took:.1f} s"
    say(f"{args.out}: {seconds:.2f} s, {args.rate} Hz, {rendering.channels} channels, peak {decibels(peak)}, {speed}")
    if args.picture:
        say(f"{args.picture}")
    return 0
