"""What drives a node: values for every inlet within its span, repeatable from a seed, and legal settings."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.ports import CableKind, Control
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.runtime.kernels import forms
from nodegraph.validation.comparing import Floats
from nodegraph.validation.unit import is_wide

NASTY: Final[NDArray[np.float32]] = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0, 1e-40, -1.0], np.float32)
"""Numbers that a kernel is not made for, and must stand."""
LONGEST_SETTING_S: Final = 1.0
"""A minute of delay is memory, nothing else: a second shows the same."""


def promised(spec: NodeSpec) -> dict[str, Any]:
    """The values for which the node's author promises what is checked: the class attribute `validate_with`.

    A filter with free coefficients is stable for some of them only; such a node says for which.
    """
    return dict(getattr(spec.cls, "validate_with", {}))


def settings_for(spec: NodeSpec, folder: Path, frames: int = 1_500) -> dict[str, Any]:
    """Settings that the node cannot do without: a sound file where it reads one, and what its author promises."""
    found: dict[str, Any] = {name: value for name, value in promised(spec).items() if name in spec.setting_named}
    for item in spec.settings:
        if item.type != "file" or item.name in found:
            continue
        if not item.writes:
            found[item.name] = sound_file(folder, frames)
        elif spec.role not in (Role.KERNEL, Role.BLOCK):
            found[item.name] = folder / "made.wav"
    return found


def sound_file(folder: Path, frames: int) -> Path:
    """A sound of so many frames: noise in stereo."""
    path = folder / f"{frames}.wav"
    if not path.exists():
        import soundfile

        sound = 0.3 * np.random.default_rng(7).standard_normal((frames, 2))
        soundfile.write(path, sound.astype(np.float32), 48_000, "FLOAT")
    return path


def extreme_settings(spec: NodeSpec, folder: Path, *, shaping: bool = False) -> Iterator[dict[str, Any]]:
    """The defaults, each number at both ends of its span, each choice, both flags, and sounds of very few frames.

    `shaping`: also those that decide which ports the node has, and so make another spec of it.
    """
    base = settings_for(spec, folder)
    fixed = promised(spec)
    yield base
    for item in spec.settings:
        if item.name in fixed or (item.name in spec.cls.shapes and not shaping):
            continue
        if item.type == "number" and item.span:
            most = [min(value, LONGEST_SETTING_S) if item.unit == "s" else value for value in item.span]
            yield from ({**base, item.name: value} for value in most)
        elif item.type == "choice":
            yield from ({**base, item.name: value} for value in item.choices)
        elif item.type == "flag":
            yield {**base, item.name: not item.default}
        elif item.type == "file" and not item.writes:
            for frames, looped in itertools.product((1, 2, 3), (False, True)):
                yield settings_for(spec, folder, frames) | ({"loop": looped} if "loop" in spec.setting_named else {})


def within(control: Control, random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Values in a control's span, spread as its curve says."""
    low, high = control.span
    if control.curve == "log":
        return np.exp(random.uniform(np.log(low), np.log(high), shape)).astype(np.float32)
    if control.curve in ("integer", "switch"):
        return random.integers(int(low), int(high) + 1, shape).astype(np.float32)
    return random.uniform(max(low, -1e3), min(high, 1e3), shape).astype(np.float32)


def drive(
    spec: NodeSpec,
    frames: int,
    seed: int | Sequence[int],
    *,
    lanes: int = 1,
    moving: bool = False,
    channels: int = 2,
) -> dict[str, Any]:
    """Noise for the signals; controls still (one value a lane) or moving (another value every sample).

    `channels` is how many a node hears that sees all of them.
    """
    seeds = [seed] if isinstance(seed, int) else list(seed)
    random = np.random.default_rng([*seeds, *spec.kind.encode()])
    rows = channels if is_wide(spec) else lanes
    fixed = promised(spec)
    values: dict[str, Any] = {}
    for name in forms.signal_inlets(spec):
        port = spec.inlet_named[name]
        if not isinstance(port, Control):
            values[name] = (0.3 * random.standard_normal((rows, frames))).astype(np.float32)
        elif name in fixed:
            values[name] = np.full((lanes, frames) if moving else lanes, fixed[name], np.float32)
        else:
            values[name] = within(port, random, (lanes, frames) if moving else (lanes,))
    return values


def signals(spec: NodeSpec) -> list[str]:
    """The names of its signal inlets."""
    return [item.name for item in spec.inlets if item.kind is CableKind.SIGNAL and not isinstance(item, Control)]


def counters(spec: NodeSpec) -> list[str]:
    """The names of its event inlets that are no controls."""
    return [item.name for item in spec.inlets if item.kind is CableKind.EVENT and not isinstance(item, Control)]


def cut(values: Mapping[str, Any], start: int, end: int | None = None) -> dict[str, Any]:
    """The frames from `start` to `end` of what moves; what stands still stays."""
    return {name: value[:, start:end] if np.ndim(value) == 2 else value for name, value in values.items()}
