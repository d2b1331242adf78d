"""``nodegraph run PATCH --headless``: its options, and the way from the command line to the supervising process."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.errors import DeviceError, PatchError, Problem
from nodegraph.core.hints import quoted
from nodegraph.headless.places import Held, Place, service_name, take_lock
from nodegraph.headless.supervising import module

if TYPE_CHECKING:
    from nodegraph.headless.schedule import Schedule

ALONE: Final = (
    "autostart", "name", "autosave", "resume", "safe_after", "patience", "no_spare", "health", "begin", "end", "days",
    "zone",
)  # fmt: skip
"""Options that mean something with --headless alone."""
NEVER: Final = {
    "recover": "it comes back with its edits anyway",
    "record": "a restart would begin the file anew: put a record~ into the patch",
    "picture": "it is made at the end, and there is none",
    "watch": "nobody is there who edits",
    "trust_edits": "nobody is there who edits",
}
PLAYED: Final = ("driver", "device", "input_device", "rate", "block", "threads", "seconds", "models_on",
          "models_memory", "models_threads")  # fmt: skip


def headless_options(parser: argparse.ArgumentParser) -> None:
    """--headless, and what goes with it."""
    group = parser.add_argument_group(
        "headless", "an installation: kept playing by a small process over it, and opened again as it was"
    )
    add = group.add_argument
    add("--headless", action="store_true", help="without a screen, started again whenever it dies or hangs")
    add("--autostart", action="store_true", default=None, help="play at once; without it, it waits for a client")
    add("--name", metavar="NAME", help="of the service, for its state, log and lock; else the patch's file says it")
    add("--autosave", type=float, metavar="S", help="keep the state so often, if it has changed (5)")
    add(
        "--resume", choices=("begin", "kept", "onward"),
        help="where the patch's clock goes on: at the first beat (begin), where it stood when the state was kept, or"
        " as if it had never stopped",
    )  # fmt: skip
    add("--safe-after", type=int, metavar="N",
        help="so many crashes within a minute open it without playing (3); 0: never")  # fmt: skip
    add("--patience", type=float, metavar="S", help="an engine without a sign of life for so long is ended (2)")
    add("--no-spare", action="store_true", default=None,
        help="let no second engine wait for the first one's death: less memory, a longer silence")  # fmt: skip
    add("--health", type=int, metavar="PORT", help="answer /health and /metrics on 127.0.0.1")
    add("--from", dest="begin", metavar="HH:MM", help="play from here on, every day")
    add("--until", dest="end", metavar="HH:MM", help="and fade out here; before --from it is on the next day")
    add("--days", metavar="mon-fri", help="only on these days; a night belongs to its evening")
    add("--zone", metavar="Europe/Berlin", help="whose clock; else this machine's")


@dataclass(frozen=True)
class Plan:
    """What a headless engine is to do, checked."""

    patch: Path
    name: str
    sets: tuple[str, ...]
    input: Path | None
    options: Mapping[str, Any]
    """As for `Playing`, but for those that are none of plain data."""
    autostart: bool
    autosave: float
    resume: str
    safe_after: int
    patience: float
    health: int | None
    schedule: Schedule | None
    args: Mapping[str, Any] | None = None
    """All that the command line said."""

    @property
    def given(self) -> str:
        """The patch, as a state remembers it."""
        return str(self.patch)

    @property
    def asked(self) -> str:
        """A hash of all that was asked for besides: a kept state is of use for that alone."""
        what = [list(self.sets), None if self.input is None else str(self.input), sorted(self.options.items())]
        return hashlib.sha256(json.dumps(what, default=str).encode()).hexdigest()[:16]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Plan:
        """From what `run_headless` has handed on."""
        return plan(argparse.Namespace(**told["args"]), told["name"])


def plan(args: argparse.Namespace, name: str = "") -> Plan:
    """What the options say. Raises PatchError."""
    from nodegraph.headless.schedule import schedule

    patch = Path(os.path.abspath(Path(args.patch)))
    numbers = {
        "autosave": (args.autosave, 5.0, 0.1, 86_400.0),
        "patience": (args.patience, 2.0, 0.5, 3_600.0),
        "safe-after": (args.safe_after, 3, 0, 1_000),
    }
    found = {}
    for option, (value, otherwise, low, high) in numbers.items():
        found[option] = otherwise if value is None else value
        if not low <= found[option] <= high:
            what = f"--{option} {found[option]:g} cannot be."
            raise PatchError(Problem("bad-option", what, f"It goes from {low:g} to {high:g}."))
    if args.health is not None and not 0 <= args.health <= 65_535:
        what = f"--health {args.health} is no port."
        raise PatchError(Problem("bad-option", what, "Give a number up to 65535; 0 is any that is free."))
    if args.name is not None and service_name(args.name) != args.name:
        what = f"{quoted(args.name)} cannot be a service's name."
        raise PatchError(Problem("bad-option", what, "Letters, digits, '.', '_' and '-' make one."))
    return Plan(
        patch, name or args.name or default_name(patch), tuple(args.sets),
        None if args.input is None else Path(os.path.abspath(Path(args.input))),
        {option: getattr(args, option) for option in PLAYED}, bool(args.autostart), found["autosave"],
        args.resume or "begin", int(found["safe-after"]), found["patience"], args.health,
        schedule(args.begin, args.end, args.days, args.zone), args=vars(args),
    )  # fmt: skip


def default_name(patch: Path) -> str:
    """The name of a service that was given none: two files of one name in two folders are two services."""
    mark = hashlib.sha256(os.path.realpath(patch).encode()).hexdigest()[:8]
    return f"{service_name(patch.stem)[:60]}-{mark}"


def check_options(args: argparse.Namespace) -> None:
    """Raises PatchError when options do not go together."""
    if not getattr(args, "headless", False):
        spare = [option for option in ALONE if getattr(args, option, None) is not None]
        if spare:
            names = ", ".join(sorted(option_name(option) for option in spare))
            raise PatchError(Problem("bad-option", f"{names}: only with --headless.", "Add --headless."))
        return
    for option, why in NEVER.items():
        if getattr(args, option, None):
            what = f"{option_name(option)} does not go with --headless: {why}."
            raise PatchError(Problem("bad-option", what))


def option_name(option: str) -> str:
    """As it stands on the command line."""
    return "--" + {"begin": "from", "end": "until"}.get(option, option).replace("_", "-")


def run_headless(args: argparse.Namespace) -> int:
    """Become the supervising process: this one has loaded too much for that, so that it is replaced; it keeps its
    number. Raises PatchError when the service is being played already, or an option cannot be."""
    found = plan(args)
    if not found.patch.is_file():
        from nodegraph.core.patchfile import load

        load(found.patch)  # says why not
    place = Place(found.name)
    try:
        lock = take_lock(place.made().lock)
    except Held as held:
        what = f"The service '{found.name}' is being played already, by process {held.by or 'unknown'}."
        do = "End that one first, or give this one another --name."
        raise PatchError(Problem("already-running", what, do)) from None
    except OSError as error:
        what = f"The state cannot be kept here: {error.strerror or error}."
        raise DeviceError(Problem("unwritable", what, "Set NODEGRAPH_STATE.", str(place.folder))) from error
    os.set_inheritable(lock, True)
    args.patch, args.input = found.patch, found.input
    told = {
        "name": found.name, "lock": lock, "patience_s": found.patience, "safe_after": found.safe_after,
        "spare": not args.no_spare, "args": {name: value for name, value in vars(args).items() if name != "run"},
    }  # fmt: skip
    # by the environment, not the command line, which everybody on the machine can read
    os.environ.setdefault("NODEGRAPH_TOKEN", secrets.token_urlsafe(32))
    sys.stdout.flush()
    sys.stderr.flush()
    words = module("nodegraph.headless.supervising", json.dumps(told, default=str))
    os.execv(words[0], words)
