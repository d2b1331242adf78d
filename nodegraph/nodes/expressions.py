"""Expressions: arithmetic that is typed into the patch, for signals and for messages."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

from nodegraph.core import (
    BANG,
    At,
    EventNode,
    KernelNode,
    Moment,
    NodeSpec,
    Note,
    Tag,
    inlet,
    memory,
    node,
    outlet,
    setting,
)
from nodegraph.core.expressions import Expression, parse, tick_of
from nodegraph.core.messages import as_number
from nodegraph.core.ports import Control, Inlet, Memory

WIDE = (-1_000_000_000.0, 1_000_000_000.0)
PASSES = "x1"
"""The expression of a node that was given none."""
REMEMBERED = 512
"""Texts whose specs are kept although no graph uses them: somebody types, and takes it back."""


def named(item: Any, name: str) -> Any:
    """A port or memory under its name, which the class's body gives to those that are written there."""
    item.name = name
    return item


def parameter(name: str, help: str = "", *, ramp_s: float = 0.01) -> Control:
    """The control inlet of a name in an expression."""
    made: Control = named(inlet.control(0.0, help or f"'{name}' in the expression", span=WIDE, ramp_s=ramp_s), name)
    return made


def sharing(make: Callable[[Expression], NodeSpec], *, history: bool) -> Callable[[str], NodeSpec]:
    """From a text to a spec: the same object for texts that mean the same, while anybody uses it."""
    alive: WeakValueDictionary[Expression, NodeSpec] = WeakValueDictionary()

    @lru_cache(REMEMBERED)
    def spec(text: str) -> NodeSpec:
        expression = parse(text, history=history)
        found = alive.get(expression)
        if found is None:
            found = alive[expression] = make(expression)
        return found

    return spec


@node("expr~", aliases=("fexpr~",))
class SignalExpression(KernelNode):
    """Compute a signal by an expression that you type.

    `code` is arithmetic over the inlets `x1` to `x8`, which are there as far as it names them; ``x1 * x2``,
    ``tanh(drive * x1)``, ``x1 > 0 ? x1 : 0.2 * x1``. Every other name in it is a knob and an inlet (`drive`), 0 at
    first. ``x1[-1]`` is x1 one sample ago and ``y[-1]`` what went out then, so ``x1 + 0.99 * y[-1]`` is a filter.
    Statements give names on the way: ``p = fract(p[-1] + freq / rate); sin_pi(2 * p)``. The whole is compiled to one
    piece of machine code. ``^`` is a power; a division by 0 gives 0. See docs/expressions.md. Latency 0 frames.

    Source: definition, after expr~ and fexpr~ of Pd (S. Yadegari).
    """

    shapes = ("code",)
    examples = tuple(
        {"code": code}
        for code in (
            "tanh(drive * x1)",
            "x1 > x2 && x2 > -0.1 || !x1 ? x1 % 0.1 : x2 ^ 3 - x1 / x2",
            "0.02 * x1 + 0.04 * x1[-1] + 0.02 * x1[-2] + 1.56 * y[-1] - 0.64 * y[-2]",
            "p = fract(p[-1] + clip(freq, -20000, 20000) / rate); sin_pi(2 * p) * x1",
            "a = fmod(x1, 0.3) + round(x1) + ceil(x1) + trunc(x1) + sign(x1) + sqrt(x1) + abs(x1); "
            "b = exp(x1) + exp2(x1) + log(x1) + log2(x1) + log10(x1) + dbtoa(x1) + atodb(x1) + mtof(x1) + ftom(x1); "
            "c = sin(x1) + cos(x1) + tan(x1) + cos_pi(x1) + sinh(x1) + cosh(x1) + tanh(x1) + abs(x1) ^ x1; "
            "d = asin(x1) + acos(x1) + atan(x1) + atan2(x1, 0.1); min(a, b, c, d) + max(a, b, c, d)",
            "y[-1] * 0.5 + 0.1",
        )
    )

    code = setting.text(PASSES, "the expression, such as tanh(drive * x1)")
    x1 = inlet.signal("'x1' in the expression")
    y = outlet.signal("the result")

    @staticmethod
    def tick(x1):
        return x1

    @classmethod
    def shaped(cls, settings: Mapping[str, Any]) -> NodeSpec:
        """The ports that the expression names. Raises PatchError."""
        code = settings["code"]
        return signal_spec(code) if isinstance(code, str) else SignalExpression.spec


def make_signal_spec(expression: Expression) -> NodeSpec:
    base = SignalExpression.spec
    if expression == parse(PASSES):
        return base
    ports = [named(inlet.signal(f"'{name}' in the expression"), name) for name in expression.inputs]
    ports += [parameter(name) for name in expression.parameters]
    kept: list[Memory] = [named(memory(0.0), name) for name in expression.memories]
    body: dict[str, Any] = {"tick": staticmethod(tick_of(expression)), "__module__": __name__, "__doc__": base.help}
    cls: Any = type(SignalExpression.__name__, (SignalExpression,), body)
    cls.spec = made = replace(base, cls=cls, inlets=tuple(ports), memories=tuple(kept))
    return made


signal_spec = sharing(make_signal_spec, history=True)


@node("expr")
class MessageExpression(EventNode):
    """Compute a number by an expression that you type.

    `code` is arithmetic over `x1`, which a message sets and which makes it compute and send, and over `x2` to `x8` and
    names of your own, which are knobs and inlets that keep their number: ``x1 * 2 + x2``,
    ``clip(x1, low, high)``, ``x1 > level ? 1 : 0``. A bang at `x1` computes again. Of a list the first number is x1,
    the second x2, and so on. Results that are not finite are not sent: a line in the log says so. Words stop here.
    See docs/expressions.md; what was some samples ago is for expr~.

    Source: definition, after expr of Max and Pd (S. Yadegari).
    """

    shapes = ("code",)
    examples = ({"code": "clip(x1 * 2 + x2, low, high)"}, {"code": "$f1 / rate"})

    code = setting.text(PASSES, "the expression, such as x1 * 2 + x2")
    x1 = inlet.event("'x1' in the expression: a number computes, a bang computes again")
    y = outlet.event("the result")

    @classmethod
    def shaped(cls, settings: Mapping[str, Any]) -> NodeSpec:
        """The ports that the expression names, and x1. Raises PatchError."""
        code = settings["code"]
        return message_spec(code) if isinstance(code, str) else MessageExpression.spec

    def start(self, when: Moment) -> None:
        self.expression = parse(self.code, history=False)
        self.hot = 0.0
        self.told = False

    def on_x1(self, message: Any) -> None:
        if isinstance(message, tuple) and not isinstance(message, (Note, Tag, At)):
            first, *others = message or (None,)
            for number, item in enumerate(others, 2):
                value = as_number(item)
                if value is not None and f"x{number}" in self.controls:
                    self.controls[f"x{number}"] = value
        else:
            first = message
        if message is not BANG:
            value = as_number(first)
            if value is None:
                return
            self.hot = value
        (found,) = self.expression.step({**self.controls, "x1": self.hot, "rate": float(self.host.rate)})
        if math.isfinite(found):
            self.told = False
            self.y(found)
        elif not self.told:
            self.told = True
            self.host.log(self, f"The result of {self.code!r} is {found}, which is not sent.")


def make_message_spec(expression: Expression) -> NodeSpec:
    base = MessageExpression.spec
    ports: list[Inlet] = [base.inlet_named["x1"]]
    ports += [parameter(name, ramp_s=0.0) for name in (*expression.inputs, *expression.parameters) if name != "x1"]
    return base if len(ports) == 1 else replace(base, inlets=tuple(ports))


message_spec = sharing(make_message_spec, history=False)
