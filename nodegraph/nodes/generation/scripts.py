"""TorchScript in a worker: opened when its content is trusted, run chunk by chunk, begun anew, its attributes set."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import Problem, WorkerError, trust
from nodegraph.core.hints import quoted

if TYPE_CHECKING:
    from nodegraph.models.torchscript import Attribute, Method, Script

Floats = NDArray[np.float32]
_drawing = threading.Lock()
"""PyTorch draws from one stream a process, and a model may be warmed up while another plays."""
OWN_TYPE = "__torch__"
"""How the types begin that a file brings itself: what has one cannot be taken out of it, nor put back."""


def checked_content(path: Path) -> bytes:
    """The bytes of a model that the user trusts: what was hashed is what runs. Raises WorkerError, PatchError."""
    content = trust.content_of(path, trust.MOST_MODEL_BYTES)
    if not trust.is_trusted(path, trust.digest_of(content)):
        raise WorkerError(trust.untrusted_model(path))
    return content


def torch_itself() -> Any:
    """PyTorch. Raises WorkerError where it is not installed."""
    try:
        import torch
    except ImportError as error:
        raise WorkerError(trust.no_torch()) from error
    return torch


class Scripted:
    """One model with its own memory: `run` goes on where it was, `begin` goes back to the file's beginning.

    What the model draws by chance comes from a stream of its own that begins with `seed`: two models in one process,
    and a run live and one offline, draw the same. Raises WorkerError for what is not trusted, PyTorch's absence, and
    a file that does not do what it says.
    """

    def __init__(self, path: Path, script: Script, method: Method, seed: int, rate: int, device: str) -> None:
        content = checked_content(path)
        self.torch = torch = torch_itself()
        self.method, self.seed = method, seed
        self.device = device if device == "cpu" or _has(torch, device) else "cpu"
        try:
            with torch.inference_mode():
                self.module = torch.jit.load(io.BytesIO(content), map_location=self.device).eval()
                del content
                self._suits(script)
                if _has_method(self.module, "set_sample_rate"):
                    _method(self.module, "set_sample_rate")(rate)
                self.call = _method(self.module, method.name)
                self.attributes = [Held(self.module, item) for item in script.attributes]
        except RuntimeError as error:
            what = f"{quoted(path.name)} cannot be opened: {_first_line(error)}."
            do = "It may need another version of PyTorch, or be damaged: export it anew."
            raise WorkerError(Problem("bad-script", what, do)) from error
        self._kept = list(_memory(torch, self.module))
        self.begin()

    def _suits(self, script: Script) -> None:
        """What the program says of itself is what was read from the file."""
        if _has_method(self.module, "get_methods"):
            names = list(_method(self.module, "get_methods")())
            if self.method.name not in names:
                legal = ", ".join(f"'{name}'" for name in names)
                raise WorkerError(
                    Problem("unknown-method", f"the model has no method '{self.method.name}'.", f"It has {legal}.")
                )

    def begin(self) -> None:
        """Forget what was heard: the model's memory and its chance are as in the file; attributes stay as they are."""
        torch = self.torch
        with torch.inference_mode():
            for module, name, value in self._kept:
                module.setattr(name, _copied(torch, value))
            for item in self.attributes:
                with contextlib.suppress(WorkerError):  # said when it was set
                    item.put()
        self._chance = torch.Generator().manual_seed(self.seed).get_state()

    def run(self, sound: Floats) -> Floats:
        """Let it answer: (batch, channels in, frames / ratio in) to (batch, channels out, frames / ratio out).

        Raises WorkerError when the answer has another shape.
        """
        torch, method = self.torch, self.method
        with _drawing, torch.inference_mode():
            torch.set_rng_state(self._chance)
            try:
                made = self.call(torch.from_numpy(np.ascontiguousarray(sound)).to(self.device))
                found: Floats = made.to("cpu", torch.float32).numpy()
            finally:
                self._chance = torch.get_rng_state()
        wanted = len(sound), method.channels_out, sound.shape[2] * method.ratio_in // method.ratio_out
        if found.shape != wanted:
            what = f"'{method.name}' answered with the shape {found.shape}; by its own numbers it should be {wanted}."
            raise WorkerError(
                Problem("bad-answer", what, "Export it anew, or set 'buffer' to a multiple of its ratio.")
            )
        return found


class Held:
    """An attribute of a model: the values that it has, and those that it is to have."""

    def __init__(self, module: Any, attribute: Attribute) -> None:
        self.module, self.attribute = module, attribute
        self.values: list[Any] = list(attribute.values)
        if any(value is None for value in self.values) and "sound" not in attribute.types:
            given = _method(module, f"get_{attribute.name}")()
            self.values = list(given) if isinstance(given, tuple) else [given]
        self._set: list[Any] | None = None
        self._sounds: dict[int, tuple[Any, int]] = {}

    def want(self, place: int, value: Any) -> None:
        """Have another value at this place from the next `put` on."""
        self.values[place] = value

    def sound(self, place: int, samples: Any, rate: int) -> None:
        """Hand it a sound: a tensor (channels, samples)."""
        self._sounds[place] = samples, rate
        self._set = None

    def changed(self) -> bool:
        """Whether the model does not have these values yet."""
        return self._set is not None and not _same(self._set, self.values)

    def put(self) -> None:
        """Give the model what it is to have. Raises WorkerError when it refuses."""
        name, self._set = self.attribute.name, list(self.values)
        try:
            if "sound" in self.attribute.types:
                for place, (samples, rate) in self._sounds.items():
                    self._heed(
                        _method(self.module, "set_buffer_attribute")(f"{name}#{place}", samples, rate), "the sound"
                    )
            elif all(value is not None for value in self.values):
                self._heed(_method(self.module, f"set_{name}")(*self.values), str(self.values))
        except RuntimeError as error:
            raise WorkerError(f"setting '{name}' of the model failed: {_first_line(error)}.") from error

    def _heed(self, answer: Any, given: str) -> None:
        if isinstance(answer, int) and answer < 0:
            what = f"the model refuses {given} for '{self.attribute.name}'."
            raise WorkerError(Problem("refused-value", what, "Its author knows what is legal; a sound has a length."))


def _same(first: list[Any], second: list[Any]) -> bool:
    return all(a is b or (not hasattr(a, "shape") and a == b) for a, b in zip(first, second, strict=True))


def _memory(torch: Any, module: Any) -> Any:
    """All that a model may change while it runs: (module, name, a copy of the value)."""
    for part in module.modules():
        fields: Mapping[str, tuple[Any, bool]] = part._concrete_type.get_attributes()
        for name, (type_, parameter) in fields.items():
            if not parameter and OWN_TYPE not in str(type_) and str(type_) != "NoneType":
                yield part._c, name, _copied(torch, part._c.getattr(name))


def _copied(torch: Any, value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, list):
        return [_copied(torch, item) for item in value]
    if isinstance(value, tuple):
        return tuple(_copied(torch, item) for item in value)
    if isinstance(value, dict):
        return {key: _copied(torch, item) for key, item in value.items()}
    return value


def _has_method(module: Any, name: str) -> bool:
    return bool(module._c._has_method(name))


def _method(module: Any, name: str) -> Any:
    """A method of the program, and none that PyTorch gives to every module (``double``, ``half``, ``float``)."""
    return module._c._get_method(name)


def _has(torch: Any, device: str) -> bool:
    """Whether this machine's PyTorch has such a device."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_available())
    return device.startswith("mps") and bool(torch.backends.mps.is_available())


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")
