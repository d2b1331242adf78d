"""How a control is turned by hand: where it stands on its way from 0 to 1, how far a drag brings it, and its number as
a text with its unit, read and written.

A control of curve ``log`` goes in equal ratios. Where its span goes through zero (a frequency, from -20000 to 20000 Hz)
it goes in equal ratios on both sides and straight through the middle.
"""

from __future__ import annotations

import math
import re
from typing import Final

from nodegraph.core.errors import PatchError, Problem
from nodegraph.core.hints import quoted
from nodegraph.core.ports import Control

WAY: Final = 220.0
"""So many points of the screen bring a control from one end to the other."""
FINE: Final = 0.1
COARSE: Final = 4.0
NEAR_ZERO: Final = 1e-3
"""What share of a span through zero is its straight middle."""
HARDLY: Final = 0.005
"""Of a control's way: what moves within so little is told as one value."""
PREFIXES: Final = {"m": 1e-3, "k": 1e3, "M": 1e6, "u": 1e-6, "µ": 1e-6}
_NUMBER: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)", re.DOTALL)


def part_of(control: Control, value: float) -> float:
    """Where a value stands on the control's way, 0 to 1."""
    low, high = control.span
    held = min(max(value, low), high)
    if low == high:
        return 0.0
    if control.curve != "log":
        return (held - low) / (high - low)
    if low > 0.0:
        return math.log(held / low) / math.log(high / low)
    first, last, at = (math.asinh(item / _middle(control)) for item in (low, high, held))
    return (at - first) / (last - first)


def value_at(control: Control, part: float) -> float:
    """The inverse of `part_of`; whole where the control's numbers are."""
    low, high = control.span
    part = min(max(part, 0.0), 1.0)
    if control.curve == "switch":
        return high if part >= 0.5 else low
    if control.curve != "log" or low == high:
        found = low + (high - low) * part
    elif low > 0.0:
        found = low * (high / low) ** part
    else:
        first, last = (math.asinh(item / _middle(control)) for item in (low, high))
        found = _middle(control) * math.sinh(first + (last - first) * part)
    if control.curve == "integer":
        found = float(round(found))
    return min(max(found, low), high)


def _middle(control: Control) -> float:
    return NEAR_ZERO * max(abs(end) for end in control.span)


def dragged(part: float, points: float, held: frozenset[str] | set[str] = frozenset()) -> float:
    """Where a hand that goes so many points to the right, or up, brings what stands at `part`: with shift slowly, with
    ctrl fast.
    """
    speed = FINE if "shift" in held else COARSE if "ctrl" in held else 1.0
    return min(max(part + speed * points / WAY, 0.0), 1.0)


def stepped(control: Control, value: float, steps: float) -> float:
    """A value so many small steps further: a hundredth of the way, or one where numbers are whole."""
    if control.curve in ("integer", "switch"):
        low, high = control.span
        return min(max(round(value) + (math.copysign(max(1.0, abs(steps)), steps)), low), high)
    return rounded(control, value_at(control, part_of(control, value) + steps / 100))


def rounded(control: Control, value: float) -> float:
    """A value as a hand means it: four digits, and nothing where it is as good as nothing."""
    if value == 0.0 or control.curve in ("integer", "switch"):
        return value
    low, high = control.span
    found = float(f"{value:.4g}")
    if control.curve != "log" and abs(found) < abs(high - low) * 1e-5:
        found = 0.0
    return min(max(found, low), high)


# -- as a text


def told(control: Control, value: float) -> str:
    """A value with its unit, as it stands beside a control: ``440 Hz``, ``2.5 kHz`` is ``2500 Hz``."""
    if control.curve == "switch":
        return "on" if value >= 0.5 * sum(control.span) else "off"
    number = f"{round(value)}" if control.curve == "integer" else f"{value:.4g}"
    if "e" in number and abs(value) >= 1.0:
        number = f"{value:.0f}"
    return f"{number} {control.unit}" if control.unit else number


def told_between(control: Control, low: float, high: float) -> str:
    """Between which values one moves, in three digits: ``400–1200 Hz``; ``812 Hz`` where it hardly does."""
    first, last = (told(control, float(f"{value:.3g}")) for value in (low, high))
    if first == last or part_of(control, high) - part_of(control, low) < HARDLY:
        return told(control, float(f"{0.5 * (low + high):.3g}"))
    return f"{first.removesuffix(f' {control.unit}')}–{last}"


def read(control: Control, text: str) -> float:
    """The value that somebody typed: ``440``, ``440 Hz``, ``2k``, ``2.5 kHz``, ``30 ms`` where the unit is s, ``-6 dB``
    where the control is a gain; ``on`` and ``off``. Held within the span. Raises PatchError.
    """
    text = text.strip().replace("−", "-")
    if control.curve == "switch" and text.lower() in ("on", "off", "yes", "no", "true", "false"):
        return control.span[text.lower() in ("on", "yes", "true")]
    if re.fullmatch(r"[+-]?\d+,\d+\s*\D*", text):  # as half of the world writes it
        text = text.replace(",", ".")
    found = _NUMBER.fullmatch(text)
    value = None if found is None else _in_unit(control, float(found[1]), found[2].strip())
    if value is None or not math.isfinite(value):
        unit = f" A unit is {quoted(control.unit)}, or none." if control.unit else ""
        what = f"{quoted(text)} is no value of {control.name}."
        raise PatchError(Problem("bad-value", what, f"Type a number, {control.legal()}, such as 2k.{unit}"))
    low, high = control.span
    value = min(max(value, low), high)
    return float(round(value)) if control.curve in ("integer", "switch") else value


def _in_unit(control: Control, number: float, unit: str) -> float | None:
    own = control.unit
    if unit in ("", own) or unit.lower() == own.lower() != "":
        return number
    if unit in PREFIXES:
        return number * PREFIXES[unit]
    if own and unit[0] in PREFIXES and unit[1:].lower() == own.lower():
        return number * PREFIXES[unit[0]]
    if len(own) > 1 and own[0] in PREFIXES and unit == own[1:]:  # 1 s into ms
        return number / PREFIXES[own[0]]
    if unit.lower() == "db" and _is_gain(control):
        return float(10.0 ** (min(number, 400.0) / 20.0))
    if unit == "%" and not own and control.span == (0.0, 1.0):
        return number / 100.0
    return None


def _is_gain(control: Control) -> bool:
    """Whether it is a factor of a level: then decibels say it too."""
    return not control.unit and control.curve not in ("integer", "switch") and (
        "gain" in control.name or "level" in control.name or control.name in ("amp", "amplitude", "volume")
    )  # fmt: skip
