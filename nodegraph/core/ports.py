"""Ports, settings and memories: the attributes from which a node class is made.

Each declaration is a descriptor. Read from the class it is the declaration; read from a running Python node it is
the live thing: a control inlet gives its current value, an outlet is called to send.

A port is an *inlet* or an *outlet*; a *cable* joins an outlet to an inlet of a kind that takes it:

=========  ==========================================================  ===================================
kind       what flows                                                  who takes it
=========  ==========================================================  ===================================
signal     float32 at the engine's rate, 1 to 64 channels              signal inlets (summed), control inlets (one)
event      messages, each at its sample                                event inlets, control inlets
tensor     one named array per hop                                     tensor inlets
texture    pictures on the GPU                                         texture inlets
=========  ==========================================================  ===================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal, overload

from nodegraph.core.messages import BANG

MOST_CHANNELS: Final = 64
Curve = Literal["linear", "log", "integer", "switch"]
Element = Literal["f32", "f64", "u32", "i64"]


class CableKind(StrEnum):
    """What flows along a cable."""

    SIGNAL = "signal"
    EVENT = "event"
    TENSOR = "tensor"
    TEXTURE = "texture"


class Declaration:
    """Anything that a node class declares as an attribute. The attribute's name becomes its `name`."""

    name: str

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


@dataclass
class Inlet(Declaration):
    """Where cables end. `channels`: None expands with its cable, a number is fixed, a text names the setting."""

    kind: CableKind
    help: str
    channels: int | str | None = None
    shape: tuple[int | str, ...] = ()

    @property
    def takes(self) -> frozenset[CableKind]:
        """The cable kinds that may end here."""
        return frozenset({self.kind})

    def takes_many(self, kind: CableKind) -> bool:
        """Whether several cables of this kind may end here: signals are summed, messages come one after another."""
        return kind in (CableKind.SIGNAL, CableKind.EVENT)


@dataclass
class Control(Inlet):
    """An inlet that is a parameter: a stored value, an event (ramped), or one signal (sample by sample)."""

    default: float = 0.0
    unit: str = ""
    span: tuple[float, float] = (0.0, 1.0)
    curve: Curve = "linear"
    ramp_s: float = 0.01

    @property
    def takes(self) -> frozenset[CableKind]:
        return frozenset({CableKind.EVENT, CableKind.SIGNAL})

    def takes_many(self, kind: CableKind) -> bool:
        return kind is CableKind.EVENT

    def legal(self) -> str:
        """``10 to 20000 Hz``"""
        low, high = self.span
        return f"{low:g} to {high:g}{' ' + self.unit if self.unit else ''}"

    @overload
    def __get__(self, node: None, owner: type) -> Control: ...
    @overload
    def __get__(self, node: Any, owner: type) -> float: ...
    def __get__(self, node: Any, owner: type) -> Control | float:
        if node is None:
            return self
        return float(node.controls.get(self.name, self.default))


@dataclass
class Outlet(Declaration):
    """Where cables begin.

    `channels` of a signal outlet: None follows the node's inlets, a number is fixed, a text names a setting or an
    array memory whose rows are the channels.
    """

    kind: CableKind
    help: str
    channels: int | str | None = None
    shape: tuple[int | str, ...] = ()

    @overload
    def __get__(self, node: None, owner: type) -> Outlet: ...
    @overload
    def __get__(self, node: Any, owner: type) -> Callable[..., None]: ...
    def __get__(self, node: Any, owner: type) -> Outlet | Callable[..., None]:
        if node is None:
            return self

        def send(value: Any = BANG) -> None:
            node.host.send(node, self.name, value)

        def write(value: float, channel: int = 0, ramp_s: float = 0.0) -> None:
            node.host.write(node, self.name, channel, value, ramp_s)

        return write if self.kind is CableKind.SIGNAL else send


@dataclass
class Setting(Declaration):
    """A property that shapes the node itself (a file, a size, a choice). Changing it rebuilds the node, with a fade."""

    default: Any
    help: str
    type: Literal["text", "file", "number", "choice", "flag", "list", "any"]
    choices: tuple[str, ...] = ()
    span: tuple[float, float] | None = None
    unit: str = ""
    writes: bool = False
    optional: bool = False

    @overload
    def __get__(self, node: None, owner: Any) -> Setting: ...
    @overload
    def __get__(self, node: Any, owner: Any) -> Any: ...
    def __get__(self, node: Any, owner: Any) -> Any:
        return self if node is None else node.settings.get(self.name, self.default)

    def legal(self) -> str:
        """The legal values in words."""
        if self.type == "choice":
            return "one of " + ", ".join(self.choices)
        if self.type == "number" and self.span:
            return f"{self.span[0]:g} to {self.span[1]:g}{' ' + self.unit if self.unit else ''}"
        words = {"flag": "true or false", "file": "a file's path", "list": "a list", "any": "a text, number or flag"}
        return words.get(self.type, f"a {self.type}")


@dataclass
class Memory(Declaration):
    """What a native node keeps from one sample to the next: a scalar, or an array that `arrange` makes."""

    initial: float | int
    element: Element
    array: bool = False
    size: int | None = None
    rows: bool = False


class _InletMaker:
    """``inlet.signal(…)``, ``inlet.control(…)``, ``inlet.event(…)``, ``inlet.tensor(…)``, ``inlet.texture(…)``."""

    def signal(self, help: str, channels: int | str | None = None) -> Inlet:
        """Sound. Several cables are summed. Without a cable: silence."""
        return Inlet(CableKind.SIGNAL, help, channels)

    def control(
        self,
        default: float,
        help: str = "",
        *,
        unit: str = "",
        span: tuple[float, float] = (0.0, 1.0),
        curve: Curve = "linear",
        ramp_s: float = 0.01,
    ) -> Control:
        """A parameter. An event moves it there in `ramp_s` seconds; 0 means at once (gates, switches)."""
        if curve in ("integer", "switch"):
            ramp_s = 0.0
        return Control(CableKind.EVENT, help, 1, (), float(default), unit, span, curve, ramp_s)

    def event(self, help: str) -> Inlet:
        """Messages. In a native node each message counts the argument up by one."""
        return Inlet(CableKind.EVENT, help)

    def tensor(self, help: str, shape: tuple[int | str, ...] = ()) -> Inlet:
        """One array a hop."""
        return Inlet(CableKind.TENSOR, help, None, shape)

    def texture(self, help: str) -> Inlet:
        """A picture."""
        return Inlet(CableKind.TEXTURE, help)


class _OutletMaker:
    """``outlet.signal(…)``, ``outlet.event(…)``, ``outlet.tensor(…)``, ``outlet.texture(…)``."""

    def signal(self, help: str, channels: int | str | None = None) -> Outlet:
        """Sound."""
        return Outlet(CableKind.SIGNAL, help, channels)

    def event(self, help: str) -> Outlet:
        """Messages. A native node returns 0.0 for none, and any other number to send it at that sample."""
        return Outlet(CableKind.EVENT, help)

    def tensor(self, help: str, shape: tuple[int | str, ...] = ()) -> Outlet:
        """One array a hop."""
        return Outlet(CableKind.TENSOR, help, None, shape)

    def texture(self, help: str) -> Outlet:
        """A picture."""
        return Outlet(CableKind.TEXTURE, help)


class _SettingMaker:
    """``setting.file(…)``, ``setting.number(…)``, ``setting.choice(…)``, ``setting.flag(…)``, and so on."""

    def text(self, default: str, help: str) -> Any:
        """A word or a sentence."""
        return Setting(default, help, "text")

    def file(self, help: str, *, writes: bool = False, optional: bool = False) -> Any:
        """A path, relative to the patch's folder. `writes`: the node makes this file. `optional`: it may be empty."""
        return Setting("", help, "file", writes=writes, optional=optional)

    def number(self, default: float, help: str, *, span: tuple[float, float] | None = None, unit: str = "") -> Any:
        """A number that is fixed while the node lives."""
        return Setting(default, help, "number", span=span, unit=unit)

    def choice(self, default: str, help: str, choices: tuple[str, ...]) -> Any:
        """One of a few words. Native code sees its index."""
        return Setting(default, help, "choice", choices=choices)

    def flag(self, default: bool, help: str) -> Any:
        """Yes or no. Native code sees 1.0 or 0.0."""
        return Setting(default, help, "flag")

    def any(self, default: Any, help: str) -> Any:
        """A text, a number, or true or false."""
        return Setting(default, help, "any")

    def list(self, default: list[Any], help: str) -> Any:
        """Several values."""
        return Setting(default, help, "list")


class _MemoryMaker:
    """``memory(0.0)`` is a float32, ``memory(0)`` a wrapping uint32; ``memory.array()`` is made by `arrange`."""

    def __call__(self, initial: float | int, element: Element | None = None) -> Any:
        if element is None:
            element = "f32" if isinstance(initial, float) else "u32"
        return Memory(initial, element)

    def array(self, size: int | None = None, element: Element = "f32", *, rows: bool = False) -> Any:
        """A zeroed array of `size`, or (without a size) the one that `arrange` returns under this name.

        Inside `process`: ``line[i]`` and ``len(line)``. With ``rows=True`` it has two dimensions, ``(rows, length)``:
        ``line[r, i]`` and ``rows(line)``.
        """
        return Memory(0, element, array=True, size=size, rows=rows)


inlet: Final = _InletMaker()
outlet: Final = _OutletMaker()
setting: Final = _SettingMaker()
memory: Final = _MemoryMaker()
