"""Write a file with a node of your own: a small one that works, with comments, to begin with.

nodegraph new-node wobble    writes wobble.py; a patch in the same folder uses it as the kind "wobble.py"
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Final

SUMMARY = "write a file with a node of your own, to begin with"
_NAME: Final = re.compile(r"[A-Za-z]\w{0,40}")
TEMPLATE: Final = '''\
"""A node of one's own: docs/your-own-nodes.md says all that it may be."""

from nodegraph.core import KernelNode, inlet, memory, node, outlet
from nodegraph.core.arithmetic import signed, sin_pi, u32


@node("{kind}~")
class {name}(KernelNode):
    """Let the level of a sound swing.

    ``y = x (1 - depth sin(pi p)^2)``; p goes round `freq` times a second. Latency 0 frames.
    """

    # Ports. A control is a knob, an OSC address, and an inlet for messages and for sound.
    x = inlet.signal("sound")
    freq = inlet.control(5.0, "swings a second", unit="Hz", span=(0.01, 50.0), curve="log")
    depth = inlet.control(0.5, "0 not at all, 1 down to silence", span=(0.0, 1.0))
    y = outlet.signal("sound that swings")

    # What is kept from sample to sample. A whole number wraps at 2**32, which is right for angles. When you save this
    # file while it plays, memories whose names stay keep what is in them.
    angle = memory(0)

    @staticmethod
    def prepare(freq, rate):  # once a block while freq stands still, for every sample when it moves
        return u32(freq / rate * 4_294_967_296.0)

    @staticmethod
    def tick(x, step, depth, angle):  # for every sample; `step` is what prepare returned
        dip = sin_pi(signed(angle) * 2.0**-32)
        return x * (1.0 - depth * (dip * dip)), angle + u32(step)  # y, then the memories in order
'''


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=Path, help="its name, with a folder before it if you like")


def run(args: argparse.Namespace) -> int:
    from nodegraph.commands.output import say
    from nodegraph.core.errors import PatchError, Problem
    from nodegraph.core.hints import quoted
    from nodegraph.core.ownfiles import shown_path

    path: Path = args.name if args.name.suffix == ".py" else args.name.with_name(args.name.name + ".py")
    if not _NAME.fullmatch(path.stem):
        what = f"{quoted(path.stem)} cannot be a node's name."
        raise PatchError(Problem("bad-name", what, "Take letters, digits and _, a letter first."))
    name = "".join(part.capitalize() for part in path.stem.split("_"))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(kind=path.stem.casefold(), name=name))
    except FileExistsError as error:
        raise PatchError(
            Problem("file-there", "There is a file already.", "Choose another name.", str(path))
        ) from error
    except OSError as error:
        what = f"The file cannot be written: {error.strerror}."
        raise PatchError(Problem("unwritable", what, "Choose another folder.", str(path))) from error
    shown = shown_path(path.resolve())
    say(f'{path}: a node that works. In a patch beside it: {{"kind": "{path.name}"}}')
    say(f"To let it run: nodegraph trust {shown}    What it is: nodegraph nodes {shown}")
    return 0
