"""What all operations of one kernel form have in common, worked out once: a schedule only fills in what differs."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from nodegraph.core.ports import Control
from nodegraph.core.spec import NodeSpec
from nodegraph.runtime.kernels.forms import LANES, STILL, Layout, kernel, layout, moving_form, signal_inlets
from nodegraph.runtime.native import words as w

_VIEWS = {"f32": np.float32, "f64": np.float64, "u32": np.uint32, "i64": np.int64}
MONO_ALIGN, LANES_ALIGN = 16, 64


class Template:
    """One kernel form at one rate.

    ``image``: its state as bytes, with every control and setting at its default. ``floats``: for each control and each
    setting that native code sees, where its first lane lies in the state, counted in float32.
    """

    def __init__(self, spec: NodeSpec, modes: str, lanes: int, used: int, rate: int) -> None:
        self.spec, self.modes, self.lanes, self.used = spec, modes, lanes, used
        self.about: Layout = layout(spec, lanes)
        self.align = LANES_ALIGN if lanes > 1 else MONO_ALIGN
        self.function = kernel(spec, modes, lanes, used)
        self.still = still_controls(spec, modes)
        numbers = slot_numbers(spec)
        self.slots = len(numbers)
        self.positions = tuple((index, numbers[name]) for index, name in enumerate(self.still))
        self.counters = tuple((numbers[name], self.about.offsets[name]) for name in self.about.counters)
        self.controls = tuple((name, self.about.offsets[name] // 4) for name in self.about.controls)
        self.constants = tuple(
            (spec.setting_named[name], self.about.offsets[name] // 4) for name in self.about.constants
        )
        self.offsets = tuple(self.about.offsets[name] for name in self.still)
        self.image = self._image(rate)

    def _image(self, rate: int) -> np.ndarray[Any, Any]:
        lanes, offsets = self.lanes, self.about.offsets
        image = np.zeros((self.about.size + 7) // 8 * 8, np.uint8)
        floats = image.view(np.float32)
        floats[0] = rate
        for name, at in self.controls:
            control = self.spec.inlet_named[name]
            assert isinstance(control, Control)
            floats[at : at + lanes] = control.default
        for setting, at in self.constants:
            floats[at : at + lanes] = native_value(setting, setting.default)
        for memory in self.spec.memories:
            if not memory.array:
                view = image.view(_VIEWS[memory.element])
                at = offsets[memory.name] // view.itemsize
                view[at : at + lanes] = memory.initial
        return image[: self.about.size]

    @cached_property
    def moving(self) -> int:
        """The kernel that runs while a still control ramps."""
        return kernel(self.spec, moving_form(self.modes), self.lanes, self.used)

    @cached_property
    def ramped(self) -> tuple[int, ...]:
        """The moving form's inputs: the number of the still control that ramps there, or -1 for the next signal."""
        return tuple(
            self.still.index(name) if mode == STILL else -1
            for name, mode in zip(signal_inlets(self.spec), self.modes, strict=True)
        )

    @cached_property
    def ramp_bytes(self) -> int:
        """The size of a ramp block: its words, two words a control, and three numbers a control and lane."""
        return 8 * (w.RAMP_WORDS + 2 * len(self.still)) + 12 * len(self.still) * self.lanes

    @property
    def ramp_numbers(self) -> int:
        """Where the numbers begin in a ramp block."""
        return 8 * (w.RAMP_WORDS + 2 * len(self.still))


@lru_cache(maxsize=4096)
def template(spec: NodeSpec, modes: str, lanes: int, used: int, rate: int) -> Template:
    """The template of a form. Raises KernelError."""
    return Template(spec, modes, lanes, used, rate)


def native_value(setting: Any, value: Any) -> float:
    """A setting as native code sees it: a choice as its number, a flag as 1.0 or 0.0."""
    return float(setting.choices.index(value) if setting.type == "choice" else value)


@lru_cache(maxsize=4096)
def still_controls(spec: NodeSpec, modes: str) -> tuple[str, ...]:
    """The controls without a signal."""
    return tuple([name for name, mode in zip(signal_inlets(spec), modes, strict=True) if mode == STILL])


@lru_cache(maxsize=1024)
def slot_numbers(spec: NodeSpec) -> dict[str, int]:
    """A kind's controls and message inlets, numbered."""
    about = layout(spec, 1)
    return {name: number for number, name in enumerate((*about.controls, *about.counters))}


__all__ = ["LANES", "Template", "native_value", "slot_numbers", "template"]
