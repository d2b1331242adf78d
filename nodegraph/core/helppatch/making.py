"""From a node's spec to its help patch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nodegraph.core.document import Document
from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.helppatch.files import FILES
from nodegraph.core.helppatch.parts import hear, source, voiced
from nodegraph.core.helppatch.recipes import NOTHING, PART, RECIPES, Recipe
from nodegraph.core.helppatch.sketch import Sketch
from nodegraph.core.hints import quoted
from nodegraph.core.listening import OwnModel, Weights
from nodegraph.core.patchfile import loads, save
from nodegraph.core.ports import CableKind, Control, Inlet
from nodegraph.core.registry import Registry, registry
from nodegraph.core.replacing import replace_file
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.core.subpatches import PatchKinds

NODE: Final = "node"
"""The id of the node that is shown."""
EAR: Final = {CableKind.SIGNAL: "out", CableKind.EVENT: "print", CableKind.TENSOR: "map"}
"""What hears an outlet."""
STRUCK: Final = ("analysis", "codecs", "convolution", "delays", "dynamics", "generation", "reverbs")
"""Families that want a sound with beginnings, and not one that goes on."""


@dataclass(frozen=True, slots=True)
class HelpPatch:
    """The text of a patch, and the files that it names, by name."""

    kind: str
    text: str
    files: Mapping[str, bytes]

    def document(self, path: Path, kinds: Registry | None = None) -> Document:
        """The patch, as it is once it lies at `path` with its files beside it."""
        known = PatchKinds(registry() if kinds is None else kinds)
        known.lie_in(path)
        document = loads(self.text, file=str(path), kinds=known)
        document.path = path
        return document

    def write(self, path: Path, kinds: Registry | None = None) -> Path:
        """Write it, and what it needs beside it. A file that is there already and is another stays: raises PatchError.

        Raises OSError and PatchFileError where it cannot be written.
        """
        content = {path.with_name(name): data for name, data in self.files.items()}
        taken = [file for file, data in content.items() if file.exists() and file.read_bytes() != data]
        if path.exists():
            taken.append(path)
        if taken:
            what = f"There is a file {quoted(str(taken[0]))} already."
            raise PatchError(Problem("file-there", what, "Give another name, or another folder."))
        for file, data in content.items():
            replace_file(file, data)
        return save(self.document(path, kinds), path)


def help_patch(spec: NodeSpec, kinds: Registry) -> HelpPatch:
    """The help patch of a kind."""
    sketch = Sketch()
    recipe = RECIPES.get(spec.kind, NOTHING)
    if spec.kind in PART:
        _part(sketch)
    elif spec.kind == "out~":
        hear(sketch, "out", source(sketch, "saw 110"))
    else:
        _play(sketch, spec, recipe, kinds)
    files = {value for node in sketch.nodes.values() for value in node.values() if isinstance(value, str)}
    needed = {name: make() for name, make in FILES.items() if name in files}
    return HelpPatch(spec.kind, sketch.text(f"Help: {spec.kind}", _about(spec, recipe)), needed)


def _play(sketch: Sketch, spec: NodeSpec, recipe: Recipe, kinds: Registry) -> None:
    shaped = kinds.shaped(spec.kind, recipe.values) or spec
    encoder = kinds.get(spec.kind.replace(".decode~", ".encode~")) if ".decode~" in spec.kind else None
    feeds = dict(recipe.feeds)
    if encoder is not None:
        feeds |= _encode(sketch, encoder, shaped)
    else:
        default = iter((_usual(shaped),))
        for item in shaped.inlets:
            if item.name not in feeds and not isinstance(item, Control):
                feeds[item.name] = "array" if item.kind is CableKind.TENSOR else (
                    next(default, "") if item.kind is CableKind.SIGNAL else "numbers")  # fmt: skip
    made = {name: feed if "." in feed.split(" ")[0] else source(sketch, feed) for name, feed in feeds.items() if feed}
    sketch.add(NODE, spec.kind, **recipe.values)
    for name, outlet in made.items():
        sketch.join(outlet, f"{NODE}.{name}")
    taken: set[CableKind] = set()
    for port in shaped.outlets:
        ear = recipe.ears.get(port.name)
        if ear is None:  # one sound and one array are enough
            ear = "" if port.kind in taken and port.kind is not CableKind.EVENT else EAR.get(port.kind, "")
        taken.add(port.kind)
        hear(sketch, ear, f"{NODE}.{port.name}")
    _company(sketch, spec)


def _usual(spec: NodeSpec) -> str:
    """What plays into the first signal inlet."""
    return "pluck" if spec.family.split(".")[0] in STRUCK else "saw 110"


def _encode(sketch: Sketch, encoder: NodeSpec, decoder: NodeSpec) -> dict[str, str]:
    """What an encoder says, for its decoder. Where it takes two forms of the same, one is enough."""
    sketch.add("encoder", encoder.kind)
    sketch.join(source(sketch, "pluck"), "encoder.x")
    common = [item.name for item in decoder.inlets if _takes(item, encoder)]
    feeds = {item.name: "" for item in decoder.inlets}
    for name in common if "scale" in common else common[:1]:
        feeds[name] = f"encoder.{name}"
    if not common:  # latents that flow as a signal
        feeds["x"] = "encoder.y"
    return feeds


def _takes(inlet: Inlet, encoder: NodeSpec) -> bool:
    outlet = encoder.outlet_named.get(inlet.name)
    return outlet is not None and outlet.kind is inlet.kind


def _company(sketch: Sketch, spec: NodeSpec) -> None:
    """What stands beside a node that does not work by its cables alone."""
    if spec.kind == "voices~":
        voiced(sketch, NODE)
    elif spec.kind == "send":
        sketch.add("receive", "receive", name="here")
        hear(sketch, "print", "receive.y")
    elif spec.kind == "receive":
        sketch.add("send", "send", name="here")
        sketch.join(source(sketch, "numbers"), "send.x")
    elif spec.kind == "preset":
        sketch.add("saw", "saw~", freq=110.0)
        hear(sketch, "out", "saw.y")
        sketch.presets = {"low": {"saw.freq": 110.0}, "high": {"saw.freq": 220.0}}


def _part(sketch: Sketch) -> None:
    """A node that is a patch, with every kind of port that a patch can have."""
    sketch.add(NODE, "help-part.ng", level=0.5)
    sketch.join(source(sketch, "saw 110"), f"{NODE}.x")
    sketch.join(source(sketch, "bang"), f"{NODE}.tap")
    hear(sketch, "out", f"{NODE}.y")
    hear(sketch, "print", f"{NODE}.count")


# -- what there is to try


def _about(spec: NodeSpec, recipe: Recipe) -> str:
    said = [re.sub(r"``?|\*", "", spec.summary)]
    if spec.kind in PART:
        said.append("‘help-part.ng’ is a patch that stands beside this one; open it to see the node in it.")
    weights = getattr(spec.cls, "weights", None)
    if isinstance(weights, OwnModel):
        said.append(f"It is silent until ‘{weights.name}’ names a model of yours.")
    elif isinstance(weights, Weights):
        name = weights.of({}, spec.settings)
        said.append(f"It needs the model {name} (nodegraph models fetch {name}).")
    if recipe.tell:
        said.append(recipe.tell)
    fed = {name for name, feed in recipe.feeds.items() if feed}
    controls = [_legal(item) for item in spec.controls if item.curve != "switch" and item.name not in fed][:4]
    if controls:
        verb = "Select" if spec.role is not Role.PORT else "Look at"
        said.append(f"{verb} {spec.kind} and move {_and(controls)}.")
    choices = [item for item in spec.settings if item.type == "choice"]
    if choices:
        said.append(f"Try {_and([f'{item.name} ({item.legal()})' for item in choices[:2]])}.")
    if any(item.kind is not CableKind.SIGNAL for item in spec.outlets):
        said.append("What it says stands in the log.")
    return " ".join(said)


def _legal(item: Any) -> str:
    return f"{item.name} ({item.legal()})"


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
