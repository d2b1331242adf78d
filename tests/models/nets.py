"""Small networks of random weights, as ONNX files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper


def matrices(path: Path, size: int, layers: int, seed: int = 1, wrong_shapes: bool = False) -> Path:
    """Matrix products of `size`, with tanh between them: (1, size) → (1, size)."""
    dice = np.random.default_rng(seed)
    nodes, weights, at = [], [], "x"
    for number in range(layers):
        array = (dice.standard_normal((size, size)) / np.sqrt(size)).astype(np.float32)
        weights.append(numpy_helper.from_array(array, f"w{number}"))
        nodes.append(helper.make_node("MatMul", [at, f"w{number}"], [f"m{number}"]))
        nodes.append(helper.make_node("Tanh", [f"m{number}"], [f"t{number}"]))
        at = f"t{number}"
    nodes.append(helper.make_node("Identity", [at], ["y"]))
    return _written(path, nodes, weights, [1, size], [1, size], wrong_shapes)


def convolutions(path: Path, seed: int = 1) -> Path:
    """Two convolutions: (1, 1, 64) → (1, 8, 64)."""
    dice = np.random.default_rng(seed)
    weights = [
        numpy_helper.from_array(dice.standard_normal(shape).astype(np.float32), name)
        for name, shape in (("a", (8, 1, 9)), ("b", (8, 8, 9)))
    ]
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["m"], pads=[4, 4]),
        helper.make_node("Relu", ["m"], ["r"]),
        helper.make_node("Conv", ["r", "b"], ["y"], pads=[4, 4]),
    ]
    return _written(path, nodes, weights, [1, 1, 64], [1, 8, 64], False)


def _written(path: Path, nodes: list, weights: list, heard: list[int], said: list[int], wrong_shapes: bool) -> Path:
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("x", heard), ("y", said))
    ]
    inner = [helper.make_tensor_value_info("m0", onnx.TensorProto.FLOAT, [7, 3, 5])] if wrong_shapes else []
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], weights, value_info=inner)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path
