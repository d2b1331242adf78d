"""The process in which a node of the user's own is tried: imported, compiled, and played for a moment.

Started by `reading` as ``python -m nodegraph.usernodes.trying``. It reads one line of JSON, the job, and writes lines
of JSON: what it is about to do, what the class declares, what is wrong. What hangs here is ended from outside; what
crashes here has crashed nothing else. The machine code that it makes lies in the kernel cache afterwards.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from nodegraph.core.declare import KernelNode, node
from nodegraph.core.errors import MediaError, NodegraphError
from nodegraph.core.graph import Graph
from nodegraph.core.media import media_folders, resolve_media
from nodegraph.core.messages import BANG
from nodegraph.core.ownfiles import OwnFile, declared
from nodegraph.core.ports import CableKind, Control, inlet, outlet
from nodegraph.core.registry import Registry
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.core.trust import digest_of
from nodegraph.core.view import NodeEntry
from nodegraph.nodes.edges import Input, Output
from nodegraph.runtime.kernels import forms
from nodegraph.runtime.player import Player
from nodegraph.usernodes.loading import at_source, fault, load

RATE: Final = 48_000
FRAMES: Final = 4_096
"""How long each way of playing a node is tried; a node in Python gets a second of its own time."""
NATIVE: Final = (Role.KERNEL, Role.BLOCK)
SIDE_BY_SIDE: Final = 4
"""So many like nodes are packed into lanes."""
MOST_CPU_S: Final = 120
"""After so much work the system ends this process, should nobody else do it."""
MOST_BYTES: Final = 8 << 30
"""More memory than that it does not get."""


@node("plain~")
class Plain(KernelNode):
    """What needs nothing but the engine."""

    x = inlet.signal("sound")
    y = outlet.signal("the same")
    level = inlet.control(1.0, "level")

    @staticmethod
    def tick(x, level):  # type: ignore[no-untyped-def]
        return x * level


def main() -> int:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the file prints is no answer
    _prepare()

    def say(**what: Any) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    job = json.loads(sys.stdin.buffer.readline())
    content = job["text"].encode("utf-8", "surrogateescape")
    file = OwnFile(Path(job["path"]), digest_of(content), content)
    try:
        say(step="import")
        spec = load(file)
        data = declared(spec)
        object.__setattr__(spec, "kind", job["kind"])  # as it will be called: it stands in the kernels' text
        say(step="compile")
        if spec.role in NATIVE:
            heard = [port.name for port in spec.outlets if port.kind is CableKind.SIGNAL]
            warm(spec, [*job["uses"], {"signals": [], "heard": heard}])
        trial(file, Plain.spec, {}, job["folder"])  # so that a trial's time goes into the node alone
        say(step="trial")
        written = {item.name for item in spec.settings if item.writes}  # a trial leaves no recordings
        for values in (
            {},
            *({name: value for name, value in one.items() if name not in written} for one in job["values"]),
        ):
            trial(file, spec, values, job["folder"])
        say(step="done", declared=data)
    except NodegraphError as error:
        say(step="wrong", problems=[asdict(at_source(file, problem)) for problem in error.problems])
        return 1
    return 0


def _prepare() -> None:
    faulthandler.enable()
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR1, all_threads=False)  # asked where it stands, it answers on stderr
    if sys.platform != "win32":
        import resource

        for what, most in ((resource.RLIMIT_CPU, MOST_CPU_S), (resource.RLIMIT_AS, MOST_BYTES)):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(what, (most, most))
        os.nice(5)  # the sound comes first


def warm(spec: NodeSpec, uses: Iterable[Mapping[str, Any]]) -> None:
    """Compile the forms that the patch needs into the cache. `uses`: which inlets get a signal, which outlets are
    heard, of each node of this kind."""
    wanted: dict[tuple[str, int], None] = {}
    for use in ({"signals": [], "heard": None}, *uses):
        modes = "".join(
            forms.STILL if isinstance(spec.inlet_named[name], Control) and name not in use["signals"] else forms.MOVING
            for name in forms.signal_inlets(spec)
        )
        used = -1
        if spec.role is Role.KERNEL and use["heard"] is not None:
            used = sum(1 << bit for bit, (name, _) in enumerate(forms.outputs(spec)) if name in use["heard"])
        for mode in (modes, forms.moving_form(modes)):
            wanted[mode, used] = None
    for mode, used in wanted:
        for lanes in (1, forms.LANES) if spec.role is Role.KERNEL else (1,):
            forms.kernel(spec, mode, lanes, used)


def trial(file: OwnFile, spec: NodeSpec, values: Mapping[str, Any], folder: str) -> None:
    """Play the node as the engine will: alone and side by side, in blocks of many lengths, driven by all sorts of sound
    and messages. Raises NodegraphError."""
    graph = Graph(Registry([Input.spec, Output.spec]))
    graph.add("in~", "in", channels=2)
    graph.add("out~", "out")
    nodes = [f"node{k}" for k in range(SIDE_BY_SIDE if spec.role is Role.KERNEL else 1)]
    for id in nodes:
        entry = NodeEntry(id, spec.kind, values, {}, spec)
        graph.put(entry)
        for port in spec.inlets:
            if port.kind is CableKind.SIGNAL:
                graph.connect("in.y", f"{id}.{port.name}")
        for source in spec.outlets:
            if source.kind is CableKind.SIGNAL:
                graph.connect(f"{id}.{source.name}", "out.x")

    def resolve(text: str) -> Path:
        return resolve_media(Path(folder), text, media_folders())

    try:
        player = Player(graph.view, RATE, inputs=2, outputs=2, resolve=resolve)
        try:
            _drive(player, spec, nodes)
        finally:
            player.close()
    except MediaError:
        return  # a file that the patch does not have yet, or names elsewhere
    except NodegraphError:
        raise
    except Exception as error:
        what = f"node '{spec.kind}': {type(error).__name__}: {error}."
        raise NodegraphError(fault(file, error, "bad-node", what)) from error


def _drive(player: Player, spec: NodeSpec, nodes: list[str]) -> None:
    frames = FRAMES if spec.role in NATIVE else RATE
    ins, outs = _sounds(frames), np.zeros((2, frames), np.float32)
    ends = [(port.name, value) for port in spec.controls for value in (*port.span, port.default)]
    said = [(port.name, value) for port in spec.inlets if port.kind is CableKind.EVENT and not isinstance(port, Control)
            for value in (BANG, 1.0, "text", (1.0, 2.0))]  # fmt: skip
    moves = [*ends, *said] or [("", 0.0)]
    blocks = (64, 256, 17, 1)
    piece = frames // len(blocks) // max(1, len(moves))
    at = 0
    for block in blocks:
        for name, value in moves:
            for id in nodes:
                if name:
                    player.set(id, name, value)
            player.render(outs[:, at : at + piece], ins[:, at : at + piece], block=block)
            at += piece


def _sounds(frames: int) -> np.ndarray[Any, Any]:
    """Noise, silence, and what no sound should be: NaN, infinity, enormous and tiny numbers."""
    chance = np.random.default_rng(5)
    made = (0.3 * chance.standard_normal((2, frames))).astype(np.float32)
    part = max(1, frames // 16)
    for number, value in enumerate((0.0, np.nan, np.inf, -np.inf, 1e30, -1e30, 1e-40)):
        made[:, (2 * number + 1) * part : (2 * number + 2) * part] = value
    return made


__all__ = ["main", "trial", "warm"]

if __name__ == "__main__":
    sys.exit(main())
