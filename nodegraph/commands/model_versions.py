"""``nodegraph models optimize``, ``use`` and ``devices``: faster versions of models, and what models can run on."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodegraph.models.optimize import TO

if TYPE_CHECKING:
    from nodegraph.models import Store
    from nodegraph.models.versions import Version


def arguments(add: Callable[[str, str], argparse.ArgumentParser]) -> None:
    optimize = add(
        "optimize",
        "make a faster version of a stored model, and print its speed and its error against the original; "
        "nodes get it once it is used",
    )
    optimize.add_argument("name", metavar="NAME")
    optimize.add_argument(
        "--to", choices=TO, required=True,
        help="int8: matrix products and LSTMs in 8 bits; static: convolutions too, scaled by sounds; fp16: for a GPU",
    )  # fmt: skip
    optimize.add_argument(
        "--sounds", type=Path, metavar="FOLDER",
        help="sound files like those that will be heard: it is measured over them, and static is scaled by them",
    )  # fmt: skip
    optimize.add_argument("--again", action="store_true", help="also when it was made before")
    optimize.add_argument("--use", action="store_true", help="use it, if it is faster and near enough")
    use = add("use", "which version of a model nodes get from now on")
    use.add_argument("name", metavar="NAME")
    use.add_argument("to", metavar="VERSION", help=f"{', '.join(TO)}, or original")
    use.add_argument("--anyway", action="store_true", help="also when it is slower, or further off than it should be")
    add("devices", "what models can run on here (for run --models-on)")


def optimize(store: Store, args: argparse.Namespace) -> int:
    from nodegraph.commands.output import progress, say, say_json

    with progress(args.name) as tell:
        version = store.optimize(args.name, args.to, tell, sounds=args.sounds, again=args.again)
    if not args.json:
        if not version.fresh:
            say(f"{args.name}: its {args.to} version was made before, and measured then (--again makes it anew)")
        for line in told(version):
            say(line)
    if args.use and (not version.complaints or version.used):
        version = store.use(args.name, args.to) or version if not version.used else version
    if args.json:
        say_json({"name": args.name, **version.as_dict(), "fresh": version.fresh})
    elif version.used:
        say(f"nodes get it from now on. Back: nodegraph models use {args.name} original")
    elif version.complaints:
        again = f"nodegraph models use {args.name} {args.to}"
        say(f"nodes go on with the original. To use it all the same: {again} --anyway")
    else:
        say(f"nodes go on with the original. To use it: nodegraph models use {args.name} {args.to}")
    return 0


def use(store: Store, args: argparse.Namespace) -> int:
    from nodegraph.commands.output import say, say_json

    version = store.use(args.name, args.to, anyway=args.anyway)
    if args.json:
        say_json({"name": args.name, "used": args.to})
    elif version is None:
        say(f"{args.name}: nodes get the original from now on")
    else:
        where = " in lanes on a GPU" if args.to == "fp16" else ""
        say(f"{args.name}: nodes get its {args.to} version from now on{where}, as soon as they load it")
    return 0


def devices(store: Store, args: argparse.Namespace) -> int:
    from nodegraph.commands.output import say, say_json
    from nodegraph.providers import devices

    found: list[dict[str, Any]] = devices()
    if args.json:
        say_json({"devices": found})
        return 0
    for item in found:
        say(f"{item['device']:8}  {'here' if item['here'] else 'not here'}{': ' if item['why'] else ''}{item['why']}")
    return 0


def told(version: Version) -> list[str]:
    """What was measured of a version, and what speaks against it."""
    lines = [line for item in version.figures for line in item.lines()]
    return lines + [f"no gain: {text}" for text in version.complaints]


def in_a_word(version: Version) -> str:
    """``int8 in use, 3 times as fast``"""
    gain = min(item.was_ms / item.is_ms for item in version.figures)
    off = max(item.mean for item in version.figures)
    where = {item.where for item in version.figures} - {"cpu"}
    speed = f"{gain:.2g} times as fast{f' on {where.pop()}' if where else ''}"
    return f"{version.to}: {'in use' if version.used else 'not used'}, {speed}, off by {100 * off:.2g} % on the mean"
