"""Play a patch, live: with the sound device, or without one in real time to nobody.

It plays until Ctrl-C (or for --seconds), then fades out. --record keeps what the device got, to the sample.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodegraph.headless.running import check_options, headless_options, run_headless

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch
    from nodegraph.api.playing import Playing
    from nodegraph.commands.options import Post
    from nodegraph.commands.view import Status

SUMMARY = "play a patch, live"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patch", metavar="PATCH", type=Path)
    playing_arguments(parser)
    headless_options(parser)


def playing_options(args: argparse.Namespace) -> dict[str, Any]:
    """What was said of the sound and the models, as `Playing` and `Session` take it."""
    return {
        "driver": args.driver, "device": args.device, "input_device": args.input_device, "rate": args.rate,
        "block": args.block, "threads": args.threads, "lookahead_s": args.lookahead, "models_on": args.models_on,
        "models_memory": args.models_memory, "models_threads": args.models_threads,
    }  # fmt: skip


def playing_arguments(parser: argparse.ArgumentParser) -> None:
    """How to play, whatever it is."""
    from nodegraph.commands.options import sound_options

    parser.add_argument(
        "--driver", choices=("auto", "portaudio", "jack", "null"), default="auto",
        help="auto: the default device if there is one, else null: real time without a device",
    )  # fmt: skip
    parser.add_argument(
        "--device", metavar="D",
        help="number or part of a name (see nodegraph devices); with --driver jack a server's name",
    )  # fmt: skip
    parser.add_argument("--input-device", metavar="D", help="another device for in~: number or part of a name")
    parser.add_argument(
        "--watch", action="store_true",
        help="take over nodes of your own (.py) and patches inside (.ng) when they are saved",
    )  # fmt: skip
    parser.add_argument(
        "--trust-edits", action="store_true",
        help="--watch, and let run whatever is saved in the files of nodes that you trust now, until it ends",
    )  # fmt: skip
    parser.add_argument(
        "--lookahead", metavar="S", type=float, default=0.03,
        help="how far messages run ahead of the sound, and how much later MIDI is heard than played; it must be longer "
        "than a block (default: 0.03)",
    )  # fmt: skip
    parser.add_argument(
        "--models-on", metavar="DEVICE", default="cpu",
        help="what models run on: cpu, cuda:0, tensorrt:0, coreml, or auto (see nodegraph models devices)",
    )  # fmt: skip
    parser.add_argument(
        "--models-memory", metavar="MB", type=float,
        help="what the processes of the models may hold; models that are idle are unloaded for others",
    )  # fmt: skip
    parser.add_argument(
        "--models-threads", metavar="N", type=int,
        help="on how many threads models compute that have time (default: all processors but one, four at most)",
    )  # fmt: skip
    parser.add_argument("--no-midi", action="store_true", help="open no MIDI ports for a patch that has nodes for them")
    from nodegraph.commands.company import company_options

    company_options(parser)
    parser.add_argument("--record", metavar="OUT.wav", type=Path, help="keep what is played: .wav or .flac")
    parser.add_argument(
        "--keep-performance", metavar="OUT.ngp", type=Path,
        help="keep all that is done to it, to be played and rendered again to the sample",
    )  # fmt: skip
    parser.add_argument("--perform", metavar="FILE.ngp", type=Path, help="do again what was kept in a performance")
    sound_options(parser, 256)


def run(args: argparse.Namespace) -> int:
    from nodegraph.api.performance import check_target
    from nodegraph.api.sounds import check_sound_target, check_writable
    from nodegraph.commands.company import wants_company
    from nodegraph.commands.losing import lost_of
    from nodegraph.commands.options import open_patch
    from nodegraph.commands.view import status_view

    check_options(args)
    if getattr(args, "headless", False):  # the demo has no such option
        return run_headless(args)
    if args.record:
        check_sound_target(args.record)
    if args.keep_performance:
        check_target(args.keep_performance)
    if args.picture:
        check_writable(args.picture)
    lost = lost_of(args)
    patch, posts, input = open_patch(args.patch, args.sets, args.input, None if lost is None else lost.patch())
    if wants_company(args, patch):
        from nodegraph.commands.serving import serve

        return serve(args, patch, posts, input, lost)
    view = status_view(patch.title or args.patch.name, patch.about, args.json)
    with view:
        playing, interrupted = _play(patch, posts, input, args, view)
    tell_what_is_left(playing, patch, args)
    if interrupted is not None:
        raise interrupted
    if playing.error is not None:
        raise playing.error
    return 0


def _play(
    patch: Patch, posts: list[Post], input: Path | None, args: argparse.Namespace, view: Status
) -> tuple[Playing, KeyboardInterrupt | None]:
    """Play to the end; gives what played, and what interrupted it."""
    from nodegraph.api.playing import Playing
    from nodegraph.commands.hearing import Hearing
    from nodegraph.core.flatten import flatten
    from nodegraph.midi.door import MidiDoor, uses_midi

    playing = Playing(
        patch, args.seconds, input=input, record=args.record, report=view.log, first=posts,
        keep=args.picture is not None, performance=args.perform, keep_performance=args.keep_performance,
        **playing_options(args),
    )  # fmt: skip
    hearing = Hearing(flatten(patch.document))
    interrupted = watch = None
    try:
        playing.heard.tell(hearing)
        if not args.no_midi and uses_midi(patch):
            MidiDoor(playing)  # it closes with the playing
        if args.watch or args.trust_edits:
            watch = playing.watch_files(trust_edits=args.trust_edits)
        view.begin(playing)
        while not playing.wait(view.period_s):
            view.show(playing, hearing)
    except KeyboardInterrupt as signal:
        interrupted = signal
    finally:
        _finish(playing)
        if watch is not None:
            watch.close()
    return playing, interrupted


def _finish(playing: Playing) -> None:
    """Fade out and close the files; another Ctrl-C meanwhile changes nothing."""
    while True:
        try:
            playing.stop()
            return
        except KeyboardInterrupt:
            continue


def tell_what_is_left(playing: Playing, patch: Patch, args: argparse.Namespace) -> None:
    """What it leaves."""
    from nodegraph.commands.output import say, say_json

    left = {}
    if args.record and args.record.exists() and playing.recorded:
        left["record"] = str(args.record)
    if args.keep_performance and args.keep_performance.exists():
        left["performance"] = str(args.keep_performance)
    if args.picture and playing.kept:
        import numpy as np

        from nodegraph.pictures import picture

        events = [event for event in playing.heard.taken() if event.time < playing.time]
        picture(args.picture, np.concatenate(playing.kept, axis=1), args.rate, events, title=patch.title)
        left["picture"] = str(args.picture)
    if args.json:
        say_json({"type": "end", **playing.status(), **left})
        return
    if "record" in left:
        say(f"{args.record}: what was played, {playing.recorded / args.rate:.2f} s")
    if playing.performance is not None and "performance" in left:
        exact = "" if playing.performance.exact else "; something came too late, so that it may sound otherwise again"
        say(f"{args.keep_performance}: what was done, {playing.performance.acts} acts{exact}")
    if "picture" in left:
        say(f"{args.picture}: what it looks like")
