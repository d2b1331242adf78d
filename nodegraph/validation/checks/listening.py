"""Listeners: what they declare, and what their model answers to sound, silence and NaN, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from nodegraph.core.declare import InferenceNode
from nodegraph.core.listening import Chunks, Clip, Weights
from nodegraph.core.ports import CableKind
from nodegraph.core.streams import StreamNode
from nodegraph.runtime.lane.process import environment
from nodegraph.runtime.lane.streams import streams
from nodegraph.validation.checks.patch import has_own_model, needs_weights
from nodegraph.validation.finding import Finding, NotApplicable, Note, Said
from nodegraph.validation.subject import Subject

LONGEST_S = 180.0
MOST_ROUNDS = 3
RATES = (8_000, 384_000)


def hears(subject: Subject) -> Iterator[Finding]:
    """It declares what it hears, which model it wants, and what shape its answers have."""
    cls: Any = subject.spec.cls
    sound = [item for item in subject.spec.inlets if item.kind is CableKind.SIGNAL]
    told = {item.name for item in subject.spec.inlets} - {item.name for item in (*sound, *subject.spec.controls)}
    if len(sound) > 1 or not (sound or told):
        yield Finding("a listener has one signal inlet, or hears messages alone", values=(str(len(sound)), "1"))
    for name in sorted(told):
        if not callable(getattr(cls, f"on_{name}", None)):
            yield Finding("it does not hear what comes here", port=name, values=("nothing", f"on_{name}(…)"))
    heard = getattr(cls, "hears", None)
    if not isinstance(heard, (Clip, Chunks)):
        yield Finding("it does not say what it hears", values=(repr(heard), "hears = Clip(…) or Chunks(…)"))
    else:
        if heard.samples < 1 or not RATES[0] <= heard.rate <= RATES[1]:
            yield Finding("it hears what cannot be", values=(repr(heard), "1 sample or more at 8 to 384 kHz"))
        if isinstance(heard, Clip) and not heard.hop_s > 0.0:
            yield Finding("its clips come without a time between them", values=(repr(heard.hop_s), "above 0 s"))
    says = any(item.kind is CableKind.SIGNAL for item in subject.spec.outlets)
    makes = issubclass(cls, StreamNode)
    if says != makes and not (makes and cls.shapes):  # what settings shape may say arrays instead
        found = ("a signal outlet", "a StreamNode") if says else ("none", "a signal outlet")
        yield Finding("what answers with sound is a StreamNode with a signal outlet", values=found)
    if streams(subject.spec) and not isinstance(heard, Chunks):
        yield Finding("it answers with sound, and does not hear all of it", values=(repr(heard), "hears = Chunks(…)"))
    hop = subject.spec.inlet_named.get("hop")
    if isinstance(heard, Clip) and hop is not None and not getattr(hop, "span", (1.0, 1.0))[0] > 0.0:
        yield Finding("its hop may become 0", port="hop")
    if not isinstance(getattr(cls, "weights", None), Weights) or not cls.weights.name:
        yield Finding("it does not say which model it wants", values=("nothing", "weights = Weights('name')"))
    if not cls.answer_s >= 0.0:
        yield Finding("its answers come before they are asked for", values=(repr(cls.answer_s), "0 s or more"))
    for name in ("load", "infer"):
        if getattr(cls, name) is getattr(InferenceNode, name):
            yield Finding(f"it has no {name}(…)")
    for item in subject.spec.outlets:
        if item.kind is CableKind.TENSOR and not item.shape:
            yield Finding("it does not say what shape it has", port=item.name)


def clips(subject: Subject) -> Iterator[Said]:
    """Its model takes silence, noise, clicks and NaN, answers in the shapes that are declared, and repeats."""
    needs_weights(subject)
    if has_own_model(subject):
        yield Note("its model is a file of the user's own, and none was heard")
        return
    if subject.named is None:
        raise NotApplicable("it cannot be loaded again in a process of its own")
    from nodegraph.api.places import weights

    files = weights(subject.spec.cls.weights.of(subject.settings(), subject.spec.settings))  # type: ignore[attr-defined]
    request = {
        "named": subject.named.as_dict(), "files": {name: str(path) for name, path in files.items()},
        "settings": {name: value for name, value in subject.settings().items() if isinstance(value, (int, float, str))},
        "seed": subject.seed, "rounds": min(MOST_ROUNDS, len(subject.rounds)),
    }  # fmt: skip
    command = [sys.executable, "-P", "-m", "nodegraph.validation.clips"]
    try:
        done = subprocess.run(
            command, input=json.dumps(request), capture_output=True, text=True, timeout=LONGEST_S, env=environment(1)
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        yield Finding(f"its model does not come to an end within {LONGEST_S:.0f} s")
        return
    if done.returncode != 0 or not done.stdout:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        yield Finding(f"its model takes the process down (exit code {done.returncode}): {' | '.join(lines[-3:])}")
        return
    for said in json.loads(done.stdout):
        sort = said.pop("sort")
        yield Finding.from_dict(said) if sort == "Finding" else Note(**said)
