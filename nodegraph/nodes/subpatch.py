"""What a patch shows of itself when it is a node in another patch: ports, parameters, arguments.

Each stands under its id: an `inlet~` called ``x`` is the inlet ``x``. Played by itself, such a patch hears silence at
its inlets, and its parameters and arguments have their defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from functools import lru_cache
from typing import Any

from nodegraph.core import (
    CableKind,
    EventNode,
    Moment,
    NodeSpec,
    PatchError,
    PortNode,
    Problem,
    Role,
    inlet,
    node,
    outlet,
    setting,
)
from nodegraph.core.messages import as_number
from nodegraph.core.spec import respec

WIDE = 1_000_000_000.0
ORDER = "where it stands among the ports: smaller numbers first, then by name"


CARRIES = ("event", "tensor")


class Through(EventNode):
    """What stands in the place of an `inlet` or `outlet` while the patch around it plays inside another one."""

    x = inlet.event("what comes in")
    y = outlet.event("what goes out")

    def on_x(self, message: Any) -> None:
        self.y(message)


class Boundary(PortNode):
    """A port through which sound or messages go."""

    @classmethod
    def inside(cls, spec: NodeSpec) -> NodeSpec:
        return _through(spec)


class MessageBoundary(Boundary):
    """A port through which messages go, or tensors."""

    shapes = ("carries",)

    @classmethod
    def shaped(cls, settings: Mapping[str, Any]) -> NodeSpec:
        return _carrying(cls.spec, settings["carries"]) if settings["carries"] in CARRIES else cls.spec


@lru_cache(maxsize=16)
def _through(declared: NodeSpec) -> NodeSpec:
    """A port's spec with both ends: what comes in at `x` goes out at `y`."""
    x, y = copy(Through.x), copy(Through.y)
    x.kind = y.kind = (declared.inlets or declared.outlets)[0].kind
    if x.kind is CableKind.SIGNAL:
        return replace(declared, inlets=(x,), outlets=(y,))
    return replace(declared, cls=Through, role=Role.EVENT, inlets=(x,), outlets=(y,), settings=())


@lru_cache(maxsize=8)
def _carrying(declared: NodeSpec, kind: str) -> NodeSpec:
    """A message port's spec for messages or for tensors."""
    if kind == CableKind.EVENT:
        return declared
    inlets, outlets = (tuple(_of_kind(item, kind) for item in ports) for ports in (declared.inlets, declared.outlets))
    return replace(declared, inlets=inlets, outlets=outlets)


def _of_kind(port: Any, kind: str) -> Any:
    made = copy(port)
    made.kind = CableKind(kind)
    return made


@node("inlet~")
class SignalInlet(Boundary):
    """Bring sound into a patch that is a node in another patch.

    Its id is the name of the inlet. Several cables into the inlet are added. Latency 0 frames.

    Source: definition, as in Max and Pd.
    """

    help = setting.text("", "what the inlet is for")
    channels = setting.number(0, "how many channels; 0: as many as come", span=(0, 64))
    order = setting.number(0, ORDER, span=(-1000, 1000))
    y = outlet.signal("what comes in")

    direction = "in"


@node("outlet~")
class SignalOutlet(Boundary):
    """Let sound out of a patch that is a node in another patch.

    Its id is the name of the outlet. Latency 0 frames.

    Source: definition, as in Max and Pd.
    """

    help = setting.text("", "what the outlet gives")
    channels = setting.number(0, "how many channels; 0: as many as come", span=(0, 64))
    order = setting.number(0, ORDER, span=(-1000, 1000))
    x = inlet.signal("what goes out")

    direction = "out"


@node("inlet", aliases=("in",))
class MessageInlet(MessageBoundary):
    """Bring messages into a patch that is a node in another patch.

    Its id is the name of the inlet.

    Source: definition, as in Max and Pd.
    """

    help = setting.text("", "what the inlet is for")
    carries = setting.choice("event", "messages, or tensors: one array a hop", CARRIES)
    order = setting.number(0, ORDER, span=(-1000, 1000))
    y = outlet.event("what comes in")

    direction = "in"


@node("outlet", aliases=("out",))
class MessageOutlet(MessageBoundary):
    """Let messages out of a patch that is a node in another patch.

    Its id is the name of the outlet.

    Source: definition, as in Max and Pd.
    """

    help = setting.text("", "what the outlet gives")
    carries = setting.choice("event", "messages, or tensors: one array a hop", CARRIES)
    order = setting.number(0, ORDER, span=(-1000, 1000))
    x = inlet.event("what goes out")

    direction = "out"


@node("param", aliases=("pattr", "parameter"))
class Parameter(PortNode, EventNode):
    """Give a patch a parameter: a knob with a name, a unit and a span.

    Its id is its name where the patch is a node in another one. Lay a cable from `y` to every control that it moves:
    they have its value from the start, and follow messages and signals that the outer patch sends to it. Nodes for
    messages get the value when the patch starts, and whenever it changes. Signals reach the controls of sound nodes
    only.

    Source: definition, as Max's pattr.
    """

    help = setting.text("", "what it does")
    default = setting.number(0.0, "its value until somebody sets it", span=(-WIDE, WIDE))
    low = setting.number(0.0, "least value", span=(-WIDE, WIDE))
    high = setting.number(1.0, "greatest value", span=(-WIDE, WIDE))
    unit = setting.text("", "Hz, s, dB, …")
    curve = setting.choice("linear", "how a knob moves", ("linear", "log", "integer", "switch"))
    order = setting.number(0, ORDER, span=(-1000, 1000))
    value = inlet.control(0.0, "the value", span=(0.0, 1.0))
    y = outlet.event("the value")

    direction = "param"
    shapes = ("default", "low", "high", "unit", "curve")

    @classmethod
    def shaped(cls, settings: Mapping[str, Any]) -> NodeSpec:
        return _shaped(*(settings[name] for name in cls.shapes))

    @classmethod
    def inside(cls, spec: NodeSpec) -> NodeSpec:
        return _playing(spec)

    def start(self, when: Moment) -> None:
        self.y(self.value)

    def on_value(self, message: float) -> None:
        self.y(message)


@lru_cache(maxsize=4096)
def _playing(spec: NodeSpec) -> NodeSpec:
    """A parameter as a node for messages."""
    return replace(spec, role=Role.EVENT)


@lru_cache(maxsize=4096)
def _shaped(default: float, low: float, high: float, unit: str, curve: Any) -> NodeSpec:
    """A parameter's spec: its value has the span and the unit that its settings say."""
    numbers = [as_number(item) for item in (default, low, high)]
    if None in numbers or not isinstance(unit, str):
        return Parameter.spec  # of the wrong type: said elsewhere
    if not low <= default <= high:
        what = f"default is {default:g}, outside {low:g} to {high:g}."
        raise PatchError(Problem("out-of-span", what, "Change default, low or high.", port="default"))
    if curve == "log" and low <= 0.0:
        raise PatchError(Problem("out-of-span", f"low is {low:g}.", "A log curve begins above 0.", port="low"))
    control = inlet.control(default, "the value", unit=unit, span=(low, high), curve=curve)
    if (default, low, high, unit, curve) == (0.0, 0.0, 1.0, "", "linear"):
        return Parameter.spec
    return respec(Parameter.spec, {"value": control})


@node("argument", aliases=("patcherargs",))
class Argument(PortNode):
    """Give a patch an argument: a setting that other settings in it take over.

    Its id is its name where the patch is a node in another one. Where a setting in the patch is written ``$name``, it
    has the argument's value: a file, a text, a count of channels. A change rebuilds what depends on it, with a fade.

    Source: definition, as the ``$1`` of Pd and the ``#1`` of Max.
    """

    help = setting.text("", "what it is for")
    default = setting.any("", "its value until somebody sets it: a text, a number, true or false")
    order = setting.number(0, ORDER, span=(-1000, 1000))

    direction = "argument"
