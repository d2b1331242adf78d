"""Values of control inlets and settings: how they are written down, and whether they are legal."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from nodegraph.core.cable import PORT
from nodegraph.core.hints import did_you_mean, shown
from nodegraph.core.ports import Control, Setting


class Misfit(NamedTuple):
    """Why a value is not legal: the parts of a `Problem`."""

    code: str
    what: str
    do: str


def plain(value: Any) -> Any:
    """The value as a patch file can hold it: NumPy scalars become numbers, tuples lists, paths texts.

    What a file cannot hold comes back as it is, and `misfit` refuses it.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value).replace(os.sep, "/")
    item = getattr(value, "item", None)  # a NumPy scalar
    if callable(item) and getattr(value, "ndim", None) == 0:
        return plain(item())
    listed = getattr(value, "tolist", None)  # a NumPy array
    return listed() if callable(listed) else value


def finite(value: Any) -> bool:
    """Whether it is a number that a float can hold. A flag is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def misfit(parameter: Control | Setting, value: Any) -> Misfit | None:
    """Why `value` (a plain one) is not legal for this control inlet or setting; None when it is."""
    if isinstance(parameter, Control):
        return _misfit_control(parameter, value)
    return _misfit_setting(parameter, value)


def _misfit_control(control: Control, value: Any) -> Misfit | None:
    if isinstance(value, bool) and control.curve == "switch":
        return None
    if not finite(value):
        return _wrong_type(control.name, value, f"a number, {control.legal()}")
    if not control.span[0] <= value <= control.span[1]:
        return _out_of_span(control.name, value, control.legal())
    if control.curve in ("integer", "switch") and value != int(value):
        return _wrong_type(control.name, value, f"a whole number, {control.legal()}")
    return None


def _misfit_setting(setting: Setting, value: Any) -> Misfit | None:
    name = setting.name
    if argument_in(value):
        return None  # whether there is such an argument is the patch's matter
    if setting.type == "any":
        if not isinstance(value, (str, bool)) and not finite(value):
            return _wrong_type(name, value, "a text, a number, true or false")
    elif setting.type == "number":
        if not finite(value):
            return _wrong_type(name, value, "a number" + (f", {setting.legal()}" if setting.span else ""))
        if setting.span and not setting.span[0] <= value <= setting.span[1]:
            return _out_of_span(name, value, setting.legal())
    elif setting.type == "choice":
        if not isinstance(value, str) or value not in setting.choices:
            hint = did_you_mean(value, setting.choices) if isinstance(value, str) else ""
            legal = f"It takes {setting.legal()}."
            return Misfit("bad-choice", f"{name} is {shown(value)}.", f"{hint} {legal}".strip())
    elif setting.type == "flag":
        if not isinstance(value, bool):
            return _wrong_type(name, value, "true or false")
    elif setting.type == "list":
        if not isinstance(value, list) or not storable(value):
            return _wrong_type(name, value, "a list of numbers, texts, flags or lists")
    elif not isinstance(value, str):
        return _wrong_type(name, value, "a file's path as text" if setting.type == "file" else "text")
    return None


def argument_in(value: Any) -> str | None:
    """The name of the patch's argument that a setting's value stands for: ``$name``."""
    if isinstance(value, str) and value.startswith("$") and PORT.fullmatch(value, 1):
        return value[1:]
    return None


def storable(value: Any, levels: int = 90) -> bool:
    """Whether a patch file can hold it: JSON data of finite numbers, at most `levels` lists and objects deep."""
    if value is None or isinstance(value, (bool, str)):
        return True
    if isinstance(value, list):
        return levels > 0 and all(storable(item, levels - 1) for item in value)
    if isinstance(value, dict):
        return levels > 0 and all(isinstance(key, str) and storable(item, levels - 1) for key, item in value.items())
    return finite(value)


def _wrong_type(name: str, value: Any, legal: str) -> Misfit:
    return Misfit("wrong-type", f"{name} is {shown(value)}.", f"It takes {legal}.")


def _out_of_span(name: str, value: Any, legal: str) -> Misfit:
    return Misfit("out-of-span", f"{name} is {shown(value)}.", f"It takes {legal}.")
