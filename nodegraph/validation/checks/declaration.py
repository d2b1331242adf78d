"""What a node says of itself: that it can be made, that its help is complete, that its ports make sense."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator

from nodegraph.core.graph import Graph
from nodegraph.core.ports import CableKind, Control, Inlet, Outlet, Setting
from nodegraph.core.spec import Role
from nodegraph.core.values import misfit
from nodegraph.validation.finding import Finding
from nodegraph.validation.subject import Subject

LONGEST_LINE = 100
RATES = (8_000, 44_100, 48_000, 96_000, 192_000)


def instantiate(subject: Subject) -> Iterator[Finding]:
    """It can be made, stands in a graph, and is found by its aliases."""
    spec = subject.spec
    graph = Graph(subject.kinds)
    graph.add(spec.kind, "it")
    if graph.nodes["it"].spec is None:
        yield Finding(f"the kind '{spec.kind}' is not found in a graph")
    for alias in spec.aliases:
        found = subject.kinds.get(alias)
        if found is None or found.kind != spec.kind:
            yield Finding(f"the alias '{alias}' leads to {f'{found.kind!r}' if found else 'nothing'}")
    for rate in RATES:
        frames = spec.cls.latency(rate)
        if not isinstance(frames, int) or isinstance(frames, bool) or frames < 0:
            yield Finding(
                "latency(rate) gives no count of frames", values=(repr(frames), "0 or more"), when=f"{rate} Hz"
            )
            break
    if spec.role in (Role.EVENT, Role.TAP, Role.INFERENCE):
        spec.cls()
    if subject.native:
        yield from _made_native(subject)


def _made_native(subject: Subject) -> Iterator[Finding]:
    """The fields of its state are known, and each array is made by somebody."""
    from nodegraph.runtime.kernels import forms
    from nodegraph.validation.unit import Unit

    spec = subject.spec
    arrange = getattr(spec.cls, "arrange", None)
    sized = [item.name for item in spec.memories if item.array and item.size is None]
    if sized and arrange is None:
        yield Finding("an array without a size is made by nobody; the class needs arrange(…)", port=sized[0])
        return
    if arrange is not None:
        legal = {item.name for item in spec.settings} | {"rate"}
        strange = sorted(set(inspect.signature(arrange).parameters) - legal)
        if strange:
            yield Finding(f"arrange asks for '{strange[0]}', which is no setting")
            return
        settings = {item.name: item.default for item in spec.settings} | subject.settings() | {"rate": 48_000}
        made = arrange(**{name: settings[name] for name in inspect.signature(arrange).parameters})
        for name in sized:
            if name not in made:
                yield Finding("arrange does not make this array", port=name)
                return
    Unit(spec, settings=subject.settings())
    forms.kernel(spec, forms.still_form(spec))


def help_complete(subject: Subject) -> Iterator[Finding]:
    """The help says what it does, how, how late, and where that comes from."""
    spec = subject.spec
    lines = spec.help.splitlines()
    if not lines:
        yield Finding("there is no help: the class has no docstring")
        return
    if not lines[0].endswith((".", "!", ":")) or len(lines[0]) > LONGEST_LINE:
        yield Finding(
            f"the first line of the help is not one sentence of {LONGEST_LINE} letters at most", values=(lines[0], "…")
        )
    if spec.role is Role.PATCH:
        return  # a patch says of itself what its author likes
    if len(lines) < 3:
        yield Finding("the help has one line only: it says what, not how, in what range, how late")
    if not re.search(r"^Source: \S", spec.help, re.MULTILINE):
        yield Finding("the help names no source", values=("nothing", "a line 'Source: …'"))
    if subject.native and not re.search(r"Latency \d|It comes \d", spec.help):
        yield Finding("the help does not say how late it is", values=("nothing", "'Latency 0 frames.'"))


def ports(subject: Subject) -> Iterator[Finding]:
    """Every port and setting is explained, has a legal default, and a span that makes sense."""
    spec = subject.spec
    every: list[Inlet | Outlet | Setting] = [*spec.inlets, *spec.outlets, *spec.settings]
    for item in every:
        if not item.help.strip() and spec.role is not Role.PATCH:
            yield Finding("it has no help", port=item.name)
        elif item.help.strip().endswith("."):
            yield Finding("its help is a sentence; it should be a label, without a full stop", port=item.name)
        if not item.name.isidentifier() or item.name != item.name.lower():
            yield Finding("its name should be a small word, as for an OSC address", port=item.name)
    parameters: list[Control | Setting] = [*spec.controls, *spec.settings]
    for parameter in parameters:
        if isinstance(parameter, Control):
            low, high = parameter.span
            if not low < high:
                yield Finding("its span is empty", port=parameter.name, values=(f"{low:g}", f"{high:g}"))
            if parameter.curve == "log" and low <= 0:
                yield Finding("a logarithmic knob cannot reach 0", port=parameter.name, values=(f"{low:g}", "above 0"))
            if not parameter.ramp_s >= 0.0:
                yield Finding("its ramp is no time", port=parameter.name, values=(f"{parameter.ramp_s}", "0 or more"))
        wrong = misfit(parameter, parameter.default)
        if wrong is not None:
            yield Finding(f"its default is not legal: {wrong.what} {wrong.do}", port=parameter.name)
    yield from _spec_is_data(subject)
    yield from _tilde(subject)


def _spec_is_data(subject: Subject) -> Iterator[Finding]:
    """Editors and programs read the spec as JSON."""
    data = subject.spec.as_dict()
    try:
        back = json.loads(json.dumps(data))
    except (TypeError, ValueError) as error:
        yield Finding(f"its description is no plain data: {error}")
        return
    if back != data:
        changed = [key for key in data if back.get(key) != data[key]]
        yield Finding(f"its description is not the same after JSON: {', '.join(changed)}")


def _tilde(subject: Subject) -> Iterator[Finding]:
    spec = subject.spec
    ends: list[Inlet | Outlet] = [*spec.inlets, *spec.outlets]
    sounds = any(item.kind is CableKind.SIGNAL for item in ends)
    if sounds and spec.role not in (Role.INFERENCE, Role.PATCH) and not spec.kind.endswith("~"):
        yield Finding("a node that carries sound ends in ~, as in Max and Pd", values=(spec.kind, f"{spec.kind}~"))
