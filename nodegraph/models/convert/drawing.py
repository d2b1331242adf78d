"""Drawing a network as an ONNX graph, layer by layer, from arrays of weights.

`Drawing` names values and keeps weights; the functions of `networks` draw with it. Layouts are channels first, as ONNX
has them; weights are given as PyTorch stores them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

OPSET: Final = 17
IR: Final = 8
"""Old enough for every onnxruntime that we can meet."""
Array = np.ndarray[Any, Any]
Shape = Sequence[int | str]


class Drawing:
    """One network being drawn. Values are names; every method that adds a layer gives the name of what it makes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._count = 0
        self._prefix = ""

    # -- ends

    def input(self, name: str, shape: Shape, dtype: Any = np.float32) -> str:
        """An input of this type; a text in its shape is a length that may vary."""
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self._inputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def output(self, value: str, name: str, shape: Shape, dtype: Any = np.float32) -> None:
        """An output of this type."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self._outputs.append(helper.make_tensor_value_info(name, kind, list(shape)))

    def model(self, **notes: str) -> onnx.ModelProto:
        """The whole, checked. `notes` are kept in it. Raises ValueError when its parts do not fit together."""
        graph = helper.make_graph(self._nodes, self.name, self._inputs, self._outputs, self._weights)
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="nodegraph"
        )
        helper.set_model_props(made, notes)
        try:
            onnx.checker.check_model(made, full_check=True)
        except onnx.shape_inference.InferenceError as error:
            raise ValueError(f"the shapes of its weights do not fit together ({str(error).strip()})") from error
        return made

    # -- layers

    def weight(self, array: Array | float | Sequence[float] | Sequence[int], dtype: Any = np.float32) -> str:
        """A constant."""
        self._count += 1
        name = f"{self._prefix}w{self._count}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(np.asarray(array, dtype)), name))
        return name

    def op(self, kind: str, *inputs: str, count: int = 1, **attributes: Any) -> Any:
        """Any operation of ONNX: the name of what it makes, or a tuple of `count` names."""
        self._count += 1
        made = f"{self._prefix}v{self._count}"
        outputs = [made if count == 1 else f"{made}_{number}" for number in range(count)]
        self._nodes.append(helper.make_node(kind, list(inputs), outputs, **attributes))
        return outputs[0] if count == 1 else tuple(outputs)

    def loop(
        self, count: str, carried: str, body: Callable[[Drawing, str, str], tuple[str, str, Any]]
    ) -> tuple[str, str]:
        """Repeat `count` times (an int64 of shape ()): what is carried at the end, and all that was given on the way.

        ``body(drawing, number, carried)`` draws one turn, and returns what is carried on (float32), what is given, and
        the type of that. It may use weights and values from outside.
        """
        inner = Drawing(f"{self.name}_turn")
        inner._prefix = f"{self._prefix}t{self._count}_"
        number, going, before = (f"{inner._prefix}{name}" for name in ("number", "going", "before"))
        after, given, dtype = body(inner, number, before)
        element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        on = inner.op("Identity", going)
        info = helper.make_tensor_value_info
        turn = helper.make_graph(
            inner._nodes, inner.name,
            [info(number, onnx.TensorProto.INT64, []), info(going, onnx.TensorProto.BOOL, []),
             info(before, onnx.TensorProto.FLOAT, None)],
            [info(on, onnx.TensorProto.BOOL, []), info(after, onnx.TensorProto.FLOAT, None),
             info(given, element, None)],
            inner._weights,
        )  # fmt: skip
        last, every = self.op("Loop", count, "", carried, count=2, body=turn)
        return last, every

    def integers(self, *values: int) -> str:
        """A constant list of int64, as shapes and axes are given."""
        return self.weight(list(values), np.int64)

    def conv(self, x: str, weight: Array, bias: Array | None = None, **attributes: Any) -> str:
        """A convolution; `weight` (out, in, …)."""
        extra = () if bias is None else (self.weight(bias),)
        found: str = self.op("Conv", x, self.weight(weight), *extra, **attributes)
        return found

    def relu(self, x: str) -> str:
        """What is above 0."""
        found: str = self.op("Relu", x)
        return found

    def batch_norm(self, x: str, weights: Mapping[str, Array], prefix: str, epsilon: float = 1e-5) -> str:
        """Batch normalisation over axis 1, with the running figures under `prefix`."""
        names = ("weight", "bias", "running_mean", "running_var")
        found: str = self.op(
            "BatchNormalization", x, *(self.weight(weights[f"{prefix}.{name}"]) for name in names), epsilon=epsilon
        )
        return found

    def linear(self, x: str, weight: Array, bias: Array | None = None) -> str:
        """``x weight^T + bias`` over the last axis; `weight` (out, in)."""
        found: str = self.op("MatMul", x, self.weight(np.asarray(weight).T))
        if bias is not None:
            found = self.op("Add", found, self.weight(bias))
        return found

    def reshape(self, x: str, *shape: int) -> str:
        """Another shape: 0 keeps a length, -1 takes what is left."""
        found: str = self.op("Reshape", x, self.integers(*shape))
        return found

    def unsqueeze(self, x: str, *axes: int) -> str:
        """Further axes of length 1."""
        found: str = self.op("Unsqueeze", x, self.integers(*axes))
        return found

    def squeeze(self, x: str, *axes: int) -> str:
        """Without these axes of length 1."""
        found: str = self.op("Squeeze", x, self.integers(*axes))
        return found

    def conv_transpose(self, x: str, weight: Array, bias: Array | None = None, **attributes: Any) -> str:
        """A transposed convolution; `weight` (in, out, …)."""
        extra = () if bias is None else (self.weight(bias),)
        found: str = self.op("ConvTranspose", x, self.weight(weight), *extra, **attributes)
        return found

    def gelu(self, x: str) -> str:
        """``x/2 (1 + erf(x/√2))``."""
        erf = self.op("Erf", self.op("Div", x, self.weight(2.0**0.5)))
        found: str = self.op("Mul", self.op("Mul", x, self.weight(0.5)), self.op("Add", erf, self.weight(1.0)))
        return found

    def layer_norm(self, x: str, weights: Mapping[str, Array], prefix: str, epsilon: float = 1e-5) -> str:
        """Layer normalisation over the last axis, with ``weight`` and ``bias`` under `prefix`."""
        names = ("weight", "bias")
        found: str = self.op(
            "LayerNormalization", x, *(self.weight(weights[f"{prefix}.{name}"]) for name in names), epsilon=epsilon
        )
        return found

    def named_linear(self, x: str, weights: Mapping[str, Array], prefix: str) -> str:
        """`linear` with ``weight`` and, if there is one, ``bias`` under `prefix`."""
        return self.linear(x, weights[f"{prefix}.weight"], weights.get(f"{prefix}.bias"))

    def attention(self, query: str, key: str, value: str, heads: int, size: int, mask: str = "") -> str:
        """Scaled dot-product attention over ``(batch, time, size)``, in so many heads. `mask` is added to the scores,
        ``(batch or 1, heads or 1, query time or 1, time)``."""
        each = size // heads
        q, k, v = (
            self.op("Transpose", self.reshape(x, 0, -1, heads, each), perm=perm)
            for x, perm in ((query, [0, 2, 1, 3]), (key, [0, 2, 3, 1]), (value, [0, 2, 1, 3]))
        )
        scores = self.op("MatMul", self.op("Mul", q, self.weight(each**-0.5)), k)
        if mask:
            scores = self.op("Add", scores, mask)
        mixed = self.op("MatMul", self.op("Softmax", scores, axis=-1), v)
        return self.reshape(self.op("Transpose", mixed, perm=[0, 2, 1, 3]), 0, -1, size)

    def unit(self, x: str) -> str:
        """Vectors of length 1 over the last axis; nothing stays nothing."""
        length = self.op("Max", self.op("ReduceL2", x, axes=[-1], keepdims=1), self.weight(1e-12))
        found: str = self.op("Div", x, length)
        return found

    def size_of(self, x: str, axis: int) -> str:
        """The length of an axis, int64 ``(1,)``."""
        found: str = self.op("Slice", self.op("Shape", x), self.integers(axis), self.integers(axis + 1))
        return found

    def lstm(
        self, x: str, weights: Mapping[str, Array], prefix: str, layer: int, hidden: str = "", cell: str = ""
    ) -> tuple[str, str, str]:
        """One layer of an LSTM over ``(time, batch, features)``: all outputs ``(time, batch, size)``, and its last
        hidden and cell state ``(1, batch, size)``. It begins from `hidden` and `cell`, or from zeros.

        PyTorch orders the gates input, forget, cell, output; ONNX input, output, forget, cell.
        """
        ih, hh, b_ih, b_hh = (
            _gates(weights[f"{prefix}.{name}_l{layer}"]) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        bias = np.concatenate([b_ih, b_hh])
        states = (self.weight(ih[None]), self.weight(hh[None]), self.weight(bias[None]), "", hidden, cell)
        y, last, memory = self.op("LSTM", x, *states, count=3, hidden_size=hh.shape[1])
        return self.squeeze(y, 1), last, memory


def _gates(array: Array) -> Array:
    given, forget, cell, out = np.split(np.asarray(array), 4)
    return np.concatenate([given, out, forget, cell])
