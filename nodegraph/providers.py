"""What ONNX models run on: the execution providers of onnxruntime, chosen for a device, with a line that says why.

A device is ``cpu``, ``cuda:0``, ``tensorrt:0``, ``coreml``, or ``auto``: a GPU if there is one. What is wanted and not
there falls back to the processor, and the line says so. TensorRT prepares each model for the GPU as it is loaded, which
takes minutes, so ``auto`` leaves it out.

Source: onnxruntime, "Execution Providers".
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nodegraph.core.errors import Problem, WorkerError

CPU: Final = "CPUExecutionProvider"
PROVIDERS: Final = {
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider"),
    "cuda": ("CUDAExecutionProvider",),
    "coreml": ("CoreMLExecutionProvider",),
}
"""What each kind of device takes; what one cannot run goes to the next, and the rest to the processor."""
AUTO: Final = ("cuda", "coreml")
THREADS_VARIABLE: Final = "NODEGRAPH_MODEL_THREADS"
"""What says how many threads a session gets; one where it is not set."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a session is opened with. `device` is where it will run, `line` says so, and why."""

    device: str
    providers: tuple[tuple[str, dict[str, Any]], ...]
    line: str

    @property
    def on_gpu(self) -> bool:
        return self.device != "cpu"


_chosen: dict[str, Choice] = {}


def told() -> tuple[str, ...]:
    """What was chosen in this process so far, one line each."""
    return tuple(dict.fromkeys(choice.line for choice in _chosen.values()))


def parse_device(text: str) -> tuple[str, int]:
    """``cuda:1`` → cuda, 1. Raises WorkerError."""
    kind, colon, number = text.partition(":")
    if kind not in ("cpu", "auto", *PROVIDERS) or (colon and (not number.isascii() or not number.isdigit())):
        what = f"models cannot run on {text!r}."
        do = "Say cpu, cuda, cuda:1, tensorrt:0, coreml or auto. See: nodegraph models devices"
        raise WorkerError(Problem("bad-device", what, do))
    if colon and kind not in ("cuda", "tensorrt"):
        raise WorkerError(Problem("bad-device", f"there is one {kind}, without a number.", f"Say {kind}."))
    return kind, int(number or 0)


def choose(device: str) -> Choice:
    """The providers for a device, tried once in a process. Raises WorkerError for a word that is no device."""
    if device not in _chosen:
        _chosen[device] = _choice(device)
    return _chosen[device]


def _choice(device: str) -> Choice:
    kind, number = parse_device(device)
    if kind == "cpu":
        return Choice("cpu", ((CPU, {}),), "cpu: asked for")
    reasons = []
    for one in AUTO if kind == "auto" else (kind,):
        name = f"{one}:{number}" if one in ("cuda", "tensorrt") else one
        providers, reason = _tried(one, number)
        if providers:
            return Choice(name, (*providers, (CPU, {})), f"{name}: {'found' if kind == 'auto' else 'asked for'}")
        reasons.append(f"{name} {reason}")
    wanted = "a GPU was looked for" if kind == "auto" else f"{device} was asked for"
    return Choice("cpu", ((CPU, {}),), f"cpu: {wanted}, but {' and '.join(reasons)}")


def _tried(kind: str, number: int) -> tuple[tuple[tuple[str, dict[str, Any]], ...], str]:
    """The providers of a device that work here, or none, and why. A provider may be built in and yet not
    start, for want of a driver or of that GPU: onnxruntime then takes the processor without a word."""
    import onnxruntime

    present = onnxruntime.get_available_providers()
    first = PROVIDERS[kind][0]
    if first not in present:
        package = "" if kind == "coreml" else " (the package onnxruntime-gpu has it)"
        return (), f"is not in this onnxruntime {onnxruntime.__version__}{package}"
    given = {} if kind == "coreml" else {"device_id": number}
    try:
        session = onnxruntime.InferenceSession(
            _SMALLEST, session_options(Path()), providers=[(first, given), (CPU, {})]
        )
    except Exception as error:  # whatever a driver may raise
        return (), f"does not start: {' '.join(str(error).split())[:200]}"
    if session.get_providers()[0] != first:
        return (), "does not start: its driver, its libraries or the GPU itself is missing"
    return tuple((name, given) for name in PROVIDERS[kind] if name in present), ""


def session_options(folder: Path) -> Any:
    """How every session of ours is opened: quiet, on as many threads as its worker may have, without spinning, since
    spinning threads would take the time of the sound. `folder`: where weights beside the graph lie."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get(THREADS_VARIABLE, "1"))
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The graph is handed over as bytes, so onnxruntime must be told where weights beside it lie.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    return options


def devices() -> list[dict[str, Any]]:
    """Every kind of device, whether models can run on it here, and why not."""
    import onnxruntime

    found = [{"device": "cpu", "here": True, "why": f"{os.cpu_count()} cores, onnxruntime {onnxruntime.__version__}"}]
    for kind in ("cuda", "tensorrt", "coreml"):
        choice = choose(f"{kind}:0" if kind != "coreml" else kind)
        found.append({"device": kind, "here": choice.on_gpu, "why": choice.line.partition(", but ")[2]})
    return found


def _field(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2, len(content))) + content


_TYPE: Final = _field(2, _field(1, b"\x08\x01" + _field(2, _field(1, b"\x08\x01"))))  # one float32
_SMALLEST: Final = b"\x08\x08" + _field(  # ir_version 8; graph; opset 17
    7,
    _field(1, _field(1, b"x") + _field(2, b"y") + _field(4, b"Relu"))
    + _field(2, b"g")
    + _field(11, _field(1, b"x") + _TYPE)
    + _field(12, _field(1, b"y") + _TYPE),
) + _field(8, b"\x10\x11")  # fmt: skip
"""The smallest network there is, to see whether a provider starts. Source: onnx.proto3."""
