"""Options that several commands share, and what they do to a patch."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any, Literal

from nodegraph.api.checking import bring
from nodegraph.api.patch import Patch
from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.ports import CableKind, Control, Setting

Post = tuple[str, str, Any]


def sound_options(parser: argparse.ArgumentParser, block: int) -> None:
    """--in, --seconds, --rate, --block, --threads, --picture, --set, --json."""
    parser.add_argument(
        "--in", dest="input", metavar="FILE", type=Path,
        help="a sound file for the patch's in~; in a patch without one, for its play~",
    )  # fmt: skip
    parser.add_argument("--seconds", type=float, metavar="S", help="how long")
    parser.add_argument("--rate", type=int, default=48_000, metavar="HZ", help="sample rate (48000)")
    parser.add_argument("--block", type=int, default=block, metavar="FRAMES", help=f"frames a block ({block})")
    parser.add_argument(
        "--threads", type=threads, default="auto", metavar="N",
        help="threads that share the work; auto: half the cores, at most 4, and 1 on fewer than 4 cores",
    )  # fmt: skip
    parser.add_argument("--picture", metavar="OUT.png", type=Path, help="draw what was heard")
    parser.add_argument(
        "--set", dest="sets", action="append", default=[], metavar="NODE.PORT=VALUE",
        help="another value than the patch's; as often as you like",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="for programs: JSON, one object a line")


def threads(text: str) -> int | Literal["auto"]:
    """What --threads says."""
    if text == "auto":
        return "auto"
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor auto")
    return int(text)


def open_patch(
    path: Path, sets: list[str], input: Path | None, patch: Patch | None = None
) -> tuple[Patch, list[Post], Path | None]:
    """The patch with its values set; messages to send in the beginning; and the file that `in~` hears, if it does.

    `patch`: this one instead of what is in the file. Raises PatchError and MediaError with every problem of what was
    asked.
    """
    patch = patch or Patch.open(path)
    if sets:
        bring(patch.document)  # their values are held against what they declare
    posts: list[Post] = []
    problems: list[Problem] = []
    for text in sets:
        try:
            posts += _set(patch, text)
        except NodegraphError as error:
            problems += error.problems
    if problems:
        raise PatchError(problems)
    if input is not None:
        input = _feed(patch, input)
    return patch, posts, input


def _set(patch: Patch, text: str) -> list[Post]:
    target, equals, value = text.partition("=")
    node, dot, port = target.strip().partition(".")
    if not equals or not dot or not node or not port:
        what = f"--set {quoted(text)} cannot be understood."
        raise PatchError(Problem("bad-set", what, "Write it as --set node.port=value."))
    entry = patch.graph.node(node)
    spec = entry.spec
    found = (spec.inlet_named.get(port) or spec.setting_named.get(port)) if spec else None
    if isinstance(found, Setting) and found.type == "file":
        patch.graph.set(node, port, _file(patch, value))
    elif isinstance(found, Setting) and found.type in ("text", "choice"):
        patch.graph.set(node, port, value)
    elif found is not None and not isinstance(found, (Control, Setting)) and found.kind is CableKind.EVENT:
        return [(node, port, _message(value))]
    else:
        patch.graph.set(node, port, _value(value))
    return []


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _message(text: str) -> Any:
    from nodegraph.core.messages import BANG

    if text in ("", "bang"):
        return BANG
    value = _value(text)
    return tuple(value) if isinstance(value, list) else value


def _file(patch: Patch, text: str) -> str:
    """A file that the user names, relative to where he is: its folder counts as a media folder from now on."""
    if not text or text.startswith("sound:"):
        return text
    path = Path(text).expanduser().absolute()
    patch.media.append(path.parent)
    home = Path(os.path.realpath(patch.document.folder))
    real = Path(os.path.realpath(path))
    return str(real.relative_to(home) if real.is_relative_to(home) else path)


def _feed(patch: Patch, path: Path) -> Path | None:
    """Where a file for the patch goes: into its `in~`, or to what its only `play~` plays."""
    nodes = list(patch.graph.nodes.values())
    if any(entry.kind == "in~" for entry in nodes):
        return path
    players = [entry.id for entry in nodes if entry.kind == "play~"]
    if len(players) == 1:
        patch.graph.set(players[0], "file", _file(patch, str(path)))
        return None
    what = f"The patch hears no file: it has no in~, and {len(players) or 'no'} play~."
    do = "Choose one with --set NODE.file=FILE." if players else "Add an in~ to it."
    raise PatchError(Problem("no-input", what, do, file=patch.document.file))
