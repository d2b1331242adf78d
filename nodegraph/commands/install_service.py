"""Write a systemd unit that plays a patch from boot on, as nodegraph run --headless --autostart does.

Options for that command stand after --:

    nodegraph install-service patch.ng --name foyer -- --driver jack --health 9090 --from 09:00 --until 18:00
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodegraph.headless.units import Unit

SUMMARY = "write a systemd unit that plays a patch from boot on"
KEPT = ("NODEGRAPH_STATE", "NODEGRAPH_CACHE", "NODEGRAPH_CONFIG")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patch", metavar="PATCH", type=Path)
    parser.add_argument(
        "--with", dest="options", action="append", default=[], metavar="WORD",
        help="a word for nodegraph run --headless; simpler: all that stands after --",
    )  # fmt: skip
    parser.add_argument("--name", metavar="NAME", help="of the service and its unit; else the patch's file says it")
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--user", action="store_true", help="of this user, in the user's own folder (the default)")
    whose.add_argument("--system", action="store_true", help="of the machine: writes to /etc, as root")
    parser.add_argument("--as", dest="account", metavar="USER", help="with --system: as whom it plays")
    parser.add_argument("--print", dest="show", action="store_true", help="print it, and write nothing")


def run(args: argparse.Namespace) -> int:
    from nodegraph.commands.output import say
    from nodegraph.core.errors import PatchError, Problem

    if args.account is not None and not args.system:
        raise PatchError(Problem("bad-option", "--as goes with --system.", "A user's unit plays as that user."))
    name, unit = made(args)
    if args.show:
        say(unit.text().rstrip("\n"))
        return 0
    path = folder(args.system) / f"{name}.service"
    write(path, unit.text())
    ctl = "systemctl" if args.system else "systemctl --user"
    say(f"{path}: written. To begin now, and with every boot:")
    say(f"  {ctl} daemon-reload")
    say(f"  {ctl} enable --now {name}")
    if not args.system:
        say("  loginctl enable-linger    # so that it begins before anybody logs in")
    return 0


def made(args: argparse.Namespace) -> tuple[str, Unit]:
    """The service's name and its unit. Raises PatchError and so on when it could not play."""
    import sys

    from nodegraph.api.patch import Patch
    from nodegraph.headless.places import service_name
    from nodegraph.headless.running import check_options, plan
    from nodegraph.headless.units import Unit

    path = Path(os.path.abspath(args.patch))
    patch = Patch.open(path)
    name = args.name or service_name(path.stem)
    words = ["run", str(path), "--headless", "--autostart", "--name", name, *absolute(args.options)]
    asked = parsed(words)
    check_options(asked)
    plan(asked)
    return name, Unit(
        title=f"nodegraph: {patch.title or path.stem}", patch=path,
        command=[sys.executable, "-P", "-m", "nodegraph", *words],
        system=args.system, user=account(args) if args.system else None,
        groups=["audio"] if args.system and has_group("audio") else [],
        environment={key: os.environ[key] for key in KEPT if os.environ.get(key)},
        private_tmp=asked.driver != "jack" and not str(path).startswith(("/tmp/", "/var/tmp/")),
    )  # fmt: skip


def parsed(words: list[str]) -> argparse.Namespace:
    """The command line of the unit, tried now: a slip is told here, not at the next boot."""
    from nodegraph.cli import parser

    return parser(words).parse_args(words)


def absolute(options: list[str]) -> list[str]:
    """Files that are named from here are the same from anywhere."""
    found = list(options)
    for index, word in enumerate(found[:-1]):
        if word == "--in":
            found[index + 1] = os.path.abspath(found[index + 1])
    return [f"--in={os.path.abspath(word[5:])}" if word.startswith("--in=") else word for word in found]


def account(args: argparse.Namespace) -> str:
    """As whom a service of the system plays: whoever asks for it, behind sudo too. Raises PatchError."""
    import pwd

    from nodegraph.core.errors import PatchError, Problem
    from nodegraph.core.hints import quoted

    name: str = args.account or os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    try:
        pwd.getpwnam(name)
    except KeyError:
        raise PatchError(Problem("bad-option", f"There is no user {quoted(name)}.")) from None
    return name


def has_group(name: str) -> bool:
    """Whether this machine has a group."""
    import grp

    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def folder(system: bool) -> Path:
    """Where units lie."""
    if system:
        return Path("/etc/systemd/system")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def write(path: Path, text: str) -> None:
    """Write a unit; one that somebody else has written stays. Raises PatchError."""
    from nodegraph.core.errors import PatchError, Problem
    from nodegraph.core.replacing import replace_file
    from nodegraph.headless.units import MARK

    try:
        if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
            what = "There is such a unit already, and it was not written by nodegraph."
            raise PatchError(Problem("not-ours", what, "Choose another --name.", str(path)))
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode())
    except OSError as error:
        what = f"The unit cannot be written: {error.strerror or error}."
        do = "Use sudo, or --print." if isinstance(error, PermissionError) else "Use --print."
        raise PatchError(Problem("not-saved", what, do, str(path))) from error
