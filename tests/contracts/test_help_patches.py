"""Every node kind has a help patch, and what it promises is heard."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.api.rendering import Rendering
from nodegraph.core.errors import PatchError
from nodegraph.core.helppatch import help_patch
from nodegraph.core.listening import OwnModel
from nodegraph.core.ports import CableKind
from nodegraph.core.registry import registry
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.editor.scene import Scene
from nodegraph.models import Store

RATE = 48_000
SECONDS = 0.3
LISTENING_S = 3.0
"""What listens says something when it has heard enough, up to whole bars."""
OUTSIDE = {
    "bendin", "codes.receive", "ctlin", "midiin", "mpein", "notein", "osc.receive", "pgmin", "sysexin", "touchin",
}  # fmt: skip
"""Nothing comes from outside while a patch is rendered."""
EVERY = list(registry())
every = pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec.kind)


def written(spec: NodeSpec, folder: Path) -> Patch:
    return Patch.open(help_patch(spec, registry()).write(folder / "help.ng"))


def lacking(patch: Patch) -> set[str]:
    """The kinds in a patch whose models are not here, by their own declarations."""
    found = set()
    for node in patch:
        entry = patch.graph.node(node.id)
        weights = getattr(entry.spec.cls, "weights", None)
        if isinstance(weights, OwnModel):
            found.add(node.kind)  # a file of the user's own: a help patch cannot have one
        elif weights is not None and Store().info(weights.of(entry.params, entry.spec.settings)).state != "here":
            found.add(node.kind)
    return found


@every
def test_it_plays_or_says_which_model_is_missing(spec: NodeSpec, tmp_path: Path) -> None:
    patch = written(spec, tmp_path)
    problems = patch.check()
    lacks = lacking(patch)
    if lacks:
        assert problems, f"{lacks} should be told to be silent"
        assert {item.code for item in problems} <= {"weights-missing", "licence", "no-file"}, problems
        assert {patch[str(item.node)].kind for item in problems} <= lacks
        return
    assert not problems

    silent = not any(port.kind is CableKind.SIGNAL for port in spec.outlets)
    listens = silent and spec.role in (Role.TAP, Role.INFERENCE)
    seconds = LISTENING_S if listens else SECONDS
    heard = np.random.default_rng(1).uniform(-0.3, 0.3, (1, round(RATE * seconds))).astype(np.float32)
    rendering = Rendering(patch, seconds, rate=RATE, input=heard)
    pieces = list(rendering)
    sound = np.concatenate(pieces, axis=1)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max(initial=0.0) <= 1.0
    if not silent:
        assert sound.size and np.sqrt(np.mean(sound**2)) > 1e-3, "it should be heard"
    said = {event.port for event in rendering.events() if event.node == "node"}
    shown = patch.graph.node("node").spec if "node" in patch else None
    can_say = {port.name for port in shown.outlets if port.kind is not CableKind.SIGNAL} if shown else set()
    if silent and can_say and spec.kind not in OUTSIDE:
        assert said & can_say, f"{spec.kind} said nothing; the log: {rendering.log[:3]}"


@every
def test_it_says_what_to_try_and_its_boxes_have_room(spec: NodeSpec, tmp_path: Path) -> None:
    patch = written(spec, tmp_path)
    assert spec.kind in patch.title
    assert len(patch.about) > 20 and "  " not in patch.about
    assert set(patch.document.view) == {node.id for node in patch}
    scene = Scene()
    scene.follow(patch.document)
    for one, other in combinations(scene.boxes.values(), 2):
        assert not one.meets(other.x, other.y, other.x + other.width, other.y + other.height), (one.node, other.node)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    made = help_patch(registry().get("play~"), registry())  # type: ignore[arg-type]
    made.write(tmp_path / "one.ng")
    made.write(tmp_path / "two.ng")  # the same files serve both
    for path in (tmp_path / "one.ng", tmp_path / "three.ng"):
        (tmp_path / "help-sound.wav").write_bytes(b"mine")
        with pytest.raises(PatchError, match="There is a file"):
            made.write(path)
    assert (tmp_path / "help-sound.wav").read_bytes() == b"mine" and not (tmp_path / "three.ng").exists()
