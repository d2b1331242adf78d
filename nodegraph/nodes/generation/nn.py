"""Models of TorchScript as they are made for nn~: RAVE and all its relatives."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import (
    At,
    Chunks,
    NodeSpec,
    OwnModel,
    PatchError,
    Problem,
    StreamNode,
    WorkerError,
    inlet,
    node,
    outlet,
    setting,
)
from nodegraph.core.cable import PORT
from nodegraph.core.messages import as_number
from nodegraph.core.ports import MOST_CHANNELS

if TYPE_CHECKING:
    from nodegraph.models.torchscript import Attribute, Method, Script
    from nodegraph.nodes.generation.scripts import Scripted

Floats = NDArray[np.float32]
USUAL_FRAMES, USUAL_RATE = 2_048, 48_000
MOST_FRAMES = 1 << 17
WIDE = (-1_000_000_000.0, 1_000_000_000.0)
TAKEN = frozenset({
    "kind", "x", "y", "latent", "compensate", "file", "method", "latents", "batch", "buffer", "rate", "time", "delay",
    "seed", "late",
})  # fmt: skip
"""Names that an attribute's port cannot have: it gets a ``_`` behind its own."""


class ScriptNode(StreamNode):
    """What the nodes for TorchScript share: ports that follow the file's method."""

    shapes: ClassVar[tuple[str, ...]] = ("file", "latents", "batch", "buffer", "rate", "time", "delay")

    file = setting.file("the model: a TorchScript file, such as an export of RAVE (.ts)")
    latents = setting.choice("arrays", "how frames of several samples go along cables", ("arrays", "signal"))
    batch = setting.number(1, "how many run side by side, each with its own memory", span=(1, MOST_CHANNELS))
    buffer = setting.number(0, "frames that it hears at once; 0 is about 2048", span=(0, MOST_FRAMES))
    rate = setting.number(0, "sample rate of the model; 0 is what the file says, else 48000", span=(0, 384_000))
    time = setting.number(0.06, "time for inference: 10 ms more than it takes", span=(0.01, 10.0), unit="s")
    delay = setting.number(0, "samples by which the model's own sound lags", span=(0, 1 << 20))
    seed = setting.number(0, "where the model's chance begins", span=(0, 2**31 - 1))
    x = inlet.signal("sound", channels=1)
    y = outlet.signal("what the model makes of it", channels=1)

    hears = Chunks(samples=USUAL_FRAMES, rate=USUAL_RATE)
    weights = OwnModel("file")
    answer_s = 0.06

    script: ClassVar[Script]
    does: ClassVar[Method]
    by_arrays: ClassVar[bool] = False
    model: Scripted | None = None

    def __init__(self) -> None:
        super().__init__()
        self.come: deque[tuple[float, Floats]] = deque()
        """Latents that have come, and when, in samples from the beginning of the next chunk."""
        self.latent: Floats | None = None
        """The one that holds."""
        self._begin()

    @classmethod
    def method_of(cls, settings: Mapping[str, Any]) -> str:
        """The name of the method that a node with these settings calls."""
        raise NotImplementedError

    @classmethod
    def shaped(cls, settings: Mapping[str, Any]) -> NodeSpec:
        """The ports that the method of the file has. Raises ModelError, PatchError."""
        path = settings["file"]
        if not isinstance(path, Path):  # it cannot be found, which is told elsewhere
            return cls.spec
        from nodegraph.models.torchscript import script_of

        numbers = tuple(settings[name] for name in ("batch", "buffer", "rate", "time", "delay"))
        if not all(isinstance(number, (int, float)) for number in numbers):
            return cls.spec
        script = script_of(path)
        does = script.method(cls.method_of(settings))
        base: Any = cls
        return _fitted(base, script, does, settings["latents"] == "arrays", *numbers)

    def load(self, files: dict[str, Path], device: str) -> None:
        if not hasattr(type(self), "script"):
            what, do = "no model is named, or it cannot be found.", "Set 'file' to a TorchScript file (.ts)."
            raise PatchError(Problem("no-file", what, do))
        from nodegraph.nodes.generation.scripts import Scripted

        path, seed = Path(self.settings["file"]), int(self.seed)
        self.model = Scripted(path, self.script, self.does, seed, self.hears.rate, device)
        self._give()
        self.model.begin()

    def _give(self) -> None:
        """What the settings say for attributes: texts, numbers, sounds."""
        assert self.model is not None
        for held, place, name, type_ in self._places():
            given = self.settings.get(name)
            if type_ == "text" and isinstance(given, str):
                held.want(place, given)
            elif type_ == "tensor" and isinstance(given, list) and given:
                held.want(place, self.model.torch.tensor(given, dtype=self.model.torch.float32))
            elif type_ == "sound" and given:
                held.sound(place, *self._sound(Path(given)))

    def _places(self) -> Iterator[tuple[Any, int, str, str]]:
        """Every value of every attribute: what holds it, its place there, its port's or setting's name, its type."""
        assert self.model is not None
        for held in self.model.attributes:
            for place, (name, type_) in enumerate(zip(_names(held.attribute), held.attribute.types, strict=True)):
                yield held, place, name, type_

    def _sound(self, path: Path) -> tuple[Any, int]:
        import soundfile

        assert self.model is not None
        try:
            sound, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
        except (OSError, RuntimeError) as error:
            what = f"the file '{path.name}' cannot be read as sound."
            raise PatchError(Problem("bad-sound", what, "Give a WAV, FLAC, AIFF, OGG or MP3 file.")) from error
        return self.model.torch.from_numpy(np.ascontiguousarray(sound.T)), int(rate)

    def reset(self) -> None:
        self._begin()
        if self.model is not None:
            self.model.begin()

    def _begin(self) -> None:
        self.come.clear()
        self.shift: int | None = None
        """By how many samples frames of latents begin behind a chunk's beginning: as the first latent did."""
        self.rest: Floats | None = None
        """Sound of the last frame that belongs to the next chunk, so many samples."""

    def stop(self) -> None:
        self.model = None

    def infer(self, clip: Floats) -> dict[str, Any]:
        assert self.model is not None
        self._turn()
        does, samples = self.does, self.hears.samples
        if self.by_arrays and does.ratio_in > 1:
            heard = self._frames(samples // does.ratio_in)
        else:
            heard = np.atleast_2d(clip)[:, does.ratio_in - 1 :: does.ratio_in]
        if not heard.shape[1]:  # no latent has come yet
            return self._said(np.zeros((0, 0), np.float32))
        made = self.model.run(heard.reshape(-1, does.channels_in, heard.shape[1]))
        return self._said(made.reshape(-1, made.shape[2]))

    def _said(self, rows: Floats) -> dict[str, Any]:
        """The answer, of what the model made: (batch * channels, frames / ratio out); of nothing, silence."""
        samples, ratio = self.hears.samples, self.does.ratio_out
        first = samples // ratio - rows.shape[1]
        port = self.spec.outlet_named.get("y")
        if port is None:
            arrays = (At((first + k) * ratio / self.hears.rate, rows[:, k].copy()) for k in range(rows.shape[1]))
            return {"latent": list(arrays)}
        said = np.zeros((int(port.channels or 1), samples), np.float32)
        if rows.size:
            said[:, first * ratio :] = np.repeat(rows, ratio, axis=1)
        return {"y": self._shifted(said) if self.shift else said}

    def _shifted(self, sound: Floats) -> Floats:
        """The sound, as much later as the latents came behind a chunk's beginning."""
        before = np.zeros((len(sound), self.shift or 0), np.float32) if self.rest is None else self.rest
        whole = np.concatenate([before, sound], axis=1)
        self.rest = whole[:, sound.shape[1] :]
        return np.ascontiguousarray(whole[:, : sound.shape[1]])

    def _latent(self, message: Any, offset_s: float) -> None:
        """A latent has come."""
        port = self.spec.inlet_named["latent"]
        (wanted,) = port.shape
        found = np.asarray(message, np.float32).reshape(-1) if not isinstance(message, str) else np.zeros(0, np.float32)
        if len(found) != wanted:
            what = f"'latent' got {len(found)} numbers, and '{self.does.name}' takes {wanted}."
            raise WorkerError(Problem("bad-latent", what, "Give it latents of the same model."))
        if offset_s < 0.0:  # a worker that begins anew is told what holds
            self.latent = found
        else:
            self.come.append((offset_s * self.hears.rate, found))

    def _frames(self, count: int) -> Floats:
        """The latents of the frames that begin in this chunk, (batch * channels, frames): `count` of them, fewer when
        the first latent has come only now, none before.

        Frames begin where the first latent came, and every `ratio_in` samples from there. Each takes the newest latent
        that came before half of it has passed: so that of latents which come just as fast, a sample sooner or later,
        none is lost. Where none came, the one before holds.
        """
        ratio, samples = self.does.ratio_in, self.hears.samples
        if self.shift is None and self.come:
            self.shift = round(self.come[0][0]) % ratio
        rows: list[Floats] = []
        for frame in range(count):
            end = min((frame + 0.5) * ratio + (self.shift or 0), samples)
            while self.come and self.come[0][0] < end:
                self.latent = self.come.popleft()[1]
            if self.latent is not None:
                rows.append(self.latent)
        self.come = deque((at - samples, found) for at, found in self.come)
        if not rows:
            return np.zeros((0, 0), np.float32)
        whole = self.does.ratio // ratio
        return np.stack([rows[0]] * (-len(rows) % whole) + rows, axis=1)

    def _set(self, name: str, message: Any) -> None:
        """A text or tensor for an attribute."""
        assert self.model is not None
        for held, place, port, type_ in self._places():
            if port == name and type_ == "text":
                held.want(place, message if isinstance(message, str) else f"{as_number(message) or 0.0:g}")
            elif port == name:
                held.want(place, self.model.torch.from_numpy(np.array(message, np.float32)))

    def _turn(self) -> None:
        """Hand the model what its knobs say, where they were turned."""
        assert self.model is not None
        for held, place, name, type_ in self._places():
            if name in self.controls and (turned := _turned(type_, self.controls[name])) != held.values[place]:
                control = self.spec.inlet_named[name]
                if held.attribute.values[place] is not None or turned != _turned(type_, control.default):  # type: ignore[attr-defined]
                    held.want(place, turned)
        for held in self.model.attributes:
            if held.changed():
                held.put()


def _turned(type_: str, value: float) -> bool | int | float:
    """A knob's number as the attribute's type wants it."""
    return value >= 0.5 if type_ == "flag" else round(value) if type_ == "integer" else float(value)


def _names(attribute: Attribute) -> list[str]:
    """The names of an attribute's ports: its own, with a number behind it where it has several values."""
    name = attribute.name if PORT.fullmatch(attribute.name) else f"a_{attribute.name}"
    name = f"{name}_" if name in TAKEN else name
    count = len(attribute.types)
    return [name] if count == 1 else [f"{name}{k + 1}" for k in range(count)]


@lru_cache(maxsize=4_096)
def _fitted(
    cls: Any, script: Script, does: Method, by_arrays: bool, batch: float, buffer: float, rate: float,
    time: float, delay: float,
) -> NodeSpec:  # fmt: skip
    """The spec of a node for this method. Raises PatchError."""
    base, many = cls.spec, min(max(int(batch), 1), MOST_CHANNELS)
    ratio = max(script.ratio, 1)
    frames = int(buffer) or -(-USUAL_FRAMES // ratio) * ratio
    if frames % ratio or not 0 < frames <= MOST_FRAMES:
        what = f"buffer is {frames}, and this model takes sound in multiples of {ratio} frames."
        do = f"Set it to {max(1, round(frames / ratio)) * ratio}, or to 0."
        raise PatchError(Problem("bad-buffer", what, do, port="buffer"))
    heard, said = does.channels_in * many, does.channels_out * many
    arrays_in, arrays_out = by_arrays and does.ratio_in > 1, by_arrays and does.ratio_out > 1
    if (heard > MOST_CHANNELS and not arrays_in) or (said > MOST_CHANNELS and not arrays_out):
        what = f"'{does.name}' takes {heard} channels and makes {said}, {many} side by side."
        raise PatchError(
            Problem("too-wide", what, f"A cable has {MOST_CHANNELS} at most: lower 'batch'.", port="batch")
        )
    real = int(rate) or script.rate or USUAL_RATE
    body: dict[str, Any] = {
        "__module__": cls.__module__, "__doc__": cls.__doc__, "script": script, "does": does, "answer_s": float(time),
        "hears": Chunks(samples=frames, rate=real), "delay": int(delay), "by_arrays": by_arrays,
    }  # fmt: skip
    ports: list[Any] = []
    outs: list[Any] = []
    lasting: list[str] = []

    def hearing(port: Any, name: str, on: Callable[..., None]) -> None:
        """A message inlet, and what answers it."""
        ports.append(_named(port, name))
        lasting.append(name)
        body[f"on_{name}"] = on

    if arrays_in:
        help = (
            f"{_labelled('in', does)}: one array every {does.ratio_in} samples of the model's rate; the last one holds"
        )
        hearing(inlet.tensor(help, shape=(heard,)), "latent", cls._latent)
    else:
        ports.append(_named(inlet.signal(_told("in", does, many), channels=heard), "x"))
    if arrays_out:
        help = f"{_labelled('out', does)}: one array every {does.ratio_out} samples of the model's rate"
        outs.append(_named(outlet.tensor(help, shape=(said,)), "latent"))
    else:
        outs.append(_named(outlet.signal(_told("out", does, many), channels=said), "y"))
    more: list[Any] = []
    taken: set[str] = set()
    for attribute in script.attributes:
        for name, type_, value in zip(_names(attribute), attribute.types, attribute.values, strict=True):
            if name not in taken:
                taken.add(name)
                (more if type_ in ("text", "tensor", "sound") else ports).append(_knob(name, type_, value))
                if type_ == "text":
                    hearing(inlet.event(f"another text for '{name}'"), f"set_{name}", _setter(name))
                elif type_ == "tensor":
                    hearing(inlet.tensor(f"another array for '{name}'"), f"set_{name}", _setter(name))
    made: Any = type(cls.__name__, (cls,), {**body, "lasting": tuple(lasting)})
    made.spec = replace(
        base, cls=made, inlets=tuple(ports), outlets=tuple(outs), settings=(*base.settings, *more)
    )  # fmt: skip
    spec: NodeSpec = made.spec
    return spec


def _named(port: Any, name: str) -> Any:
    port.name = name
    return port


def _labelled(way: str, does: Method) -> str:
    labels = does.labels_in if way == "in" else does.labels_out
    return ", ".join(labels) or ("what the model hears" if way == "in" else "what the model makes")


def _setter(name: str) -> Callable[..., None]:
    def on(self: ScriptNode, message: Any) -> None:
        self._set(name, message)

    return on


def _told(way: str, does: Method, many: int) -> str:
    """What comes along a cable, in words."""
    ratio = does.ratio_in if way == "in" else does.ratio_out
    parts = [_labelled(way, does)]
    if ratio > 1:
        parts.append(f"held for {ratio} samples each" if way == "out" else f"the last of every {ratio} samples counts")
    if many > 1:
        parts.append(f"{many} times, one after another")
    return "; ".join(parts)


def _knob(name: str, type_: str, value: Any) -> Any:
    """The control inlet or setting of one value of an attribute."""
    help = f"'{name}' of the model"
    if type_ == "text":
        return _named(setting.text(value if isinstance(value, str) else "", help), name)
    if type_ == "tensor":
        return _named(setting.list([], f"{help}: numbers; empty leaves it as it is"), name)
    if type_ == "sound":
        return _named(setting.file(f"{help}: a sound; empty leaves it as it is", optional=True), name)
    number = float(value) if isinstance(value, (bool, int, float)) else 0.0
    if type_ == "flag":
        return _named(inlet.control(number, help, span=(0.0, 1.0), curve="switch"), name)
    curve: Any = "integer" if type_ == "integer" else "linear"
    low, high = WIDE
    return _named(inlet.control(min(max(number, low), high), help, span=WIDE, curve=curve), name)


@node("nn~", aliases=("mc.nn~", "mcs.nn~", "NN"), extra="torch")
class ScriptedModel(ScriptNode):
    """Run a model of TorchScript that was made for nn~: RAVE, and what else follows its conventions.

    The ports follow the file: `x` has the channels that `method` takes, `y` those that it makes, and every attribute
    with numbers is a knob of its name; texts, tensors and sounds are settings. Frames that stand for several samples
    (``encode``, ``decode``) are arrays at `latent`, or with ``latents = signal`` a signal that holds each for so long,
    of which the last sample counts. `batch` runs several side by side: `x` has their channels one after another.
    TorchScript is code. It runs only when you have trusted the file (``nodegraph trust FILE``), in a process that on
    Linux can write no file and reach nobody; until then `late` is heard.
    Shapes: x and y (batch * channels, buffer) float32; latent (batch * channels,) float32.
    Latency: `buffer`, `time` (at least 20 ms) and `delay`; what resamplers hold back where the engine's rate is not the
    model's.
    Errors: PatchError when `buffer` is no multiple of the model's ratio or the method is not there; WorkerError when
    the file is not trusted, or PyTorch is missing (``pip install 'nodegraph[torch]'``).

    Source: A. Caillon, P. Esling, "Streamable Neural Audio Synthesis With Non-Causal Convolutions", DAFx 2022; the
    conventions of nn~ (ACIDS, IRCAM).
    """

    method = setting.text("forward", "what the model is to do: a method of the file, such as encode")

    shapes = (*ScriptNode.shapes, "method")

    @classmethod
    def method_of(cls, settings: Mapping[str, Any]) -> str:
        return str(settings["method"])
