"""Networks drawn by hand for what a test wants of them, and descriptions that fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

GOLDEN = Path(__file__).parent / "golden"
MEL = {"n_fft": 512, "hop": 256, "bins": 24, "low_hz": 50, "high_hz": 7_800}
TAGGER: Mapping[str, Any] = {
    "kind": "tagger", "rate": 16_000, "hears": "mel", "seconds": 0.5, "mel": MEL, "labels": ["low", "high"],
    "activation": "logits-softmax",
}  # fmt: skip
SPIKES: Mapping[str, Any] = {
    "kind": "spikes", "rate": 16_000, "hears": "mel", "mel": MEL, "neurons": 2, "labels": ["low", "high"],
    "states": [["before", "membrane"]],
}  # fmt: skip
SOUND: Mapping[str, Any] = {
    "kind": "tagger", "rate": 8_000, "hears": "sound", "seconds": 0.25, "labels": ["loud"],
    "activation": "probabilities",
}  # fmt: skip
Shape = Sequence[int | str | None]
HALVES = np.repeat(np.eye(2, dtype=np.float32), 12, axis=0) / np.float32(12.0)


def value(name: str, shape: Shape | None, type_: int = 1) -> Any:
    return helper.make_tensor_value_info(name, type_, shape)


def model(nodes: Any, inputs: Any, outputs: Any, tensors: Any = (), opset: int = 17, ir: int = 8) -> Any:
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(tensors))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def told(made: Any, description: Any) -> Any:
    """The model with this description: an object, or a text as it is."""
    text = description if isinstance(description, str) else json.dumps(description)
    helper.set_model_props(made, {"nodegraph": text})
    return made


def save(made: Any, path: Path) -> Path:
    onnx.save(made, str(path))
    return path


def low_or_high(columns: Shape = (1, 30, 24), scores: Shape | None = (1, 2), type_: int = 1) -> Any:
    """A tagger: the means of the lower and of the upper bands."""
    nodes = [
        helper.make_node("ReduceMean", ["columns"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "w"], ["scores"]),
    ]
    w = numpy_helper.from_array(HALVES, "w")
    return model(nodes, [value("columns", columns, type_)], [value("scores", scores)], [w])


def loudness(samples: int | str = 2_000, embedding: bool = False) -> Any:
    """A tagger of the sound itself: how loud it is, as a probability that may leave its range."""
    nodes = [
        helper.make_node("Abs", ["sound"], ["up"]),
        helper.make_node("ReduceMean", ["up"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["mean", "two"], ["scores"]),
    ]
    outputs = [value("scores", [1, 1])]
    if embedding:
        nodes.append(helper.make_node("Concat", ["mean", "scores"], ["embedding"], axis=1))
        outputs.append(value("embedding", [1, 2]))
    two = numpy_helper.from_array(np.float32([2.0]), "two")
    return model(nodes, [value("sound", [1, samples])], outputs, [two])


def gather(
    frame: Shape = (1, 24), spikes: Shape | None = (1, 2), state: Shape | None = (1, 2), gain: float = 0.05
) -> Any:
    """A spiking network: two neurons, of the lower and of the upper bands."""
    steps = [
        ("Add", ["frame", "bias"], "louder"), ("Relu", ["louder"], "heard"), ("MatMul", ["heard", "w"], "comes"),
        ("Greater", ["before", "one"], "fired"), ("Cast", ["fired"], "falls"), ("Mul", ["before", "keep"], "kept"),
        ("Add", ["kept", "comes"], "risen"), ("Sub", ["risen", "falls"], "membrane"),
        ("Greater", ["membrane", "one"], "fires"), ("Cast", ["fires"], "spikes"),
    ]  # fmt: skip
    nodes = [helper.make_node(kind, ins, [out], **({"to": 1} if kind == "Cast" else {})) for kind, ins, out in steps]
    numbers = {"bias": np.full(24, 6.0), "w": HALVES * gain, "keep": np.float64(0.9), "one": np.float64(1.0)}
    tensors = [numpy_helper.from_array(np.asarray(array, np.float32), name) for name, array in numbers.items()]
    inputs, outputs = [value("frame", frame), value("before", state)], [value("spikes", spikes)]
    return model(nodes, inputs, [*outputs, value("membrane", state)], tensors)
