"""Networks of convolutions over time, drawn to hear a sound at once, or piece by piece as it flows.

`Flowing` keeps between two pieces what each layer needs of the one before: the inputs ``state0``, ``state1``… and the
outputs ``state0_next``… of the network. Fed with what came out, and with zeros at first, the pieces together are what
the whole would have been, however the sound is cut. Nothing is computed twice. A layer that looks ahead waits for what
it must see: `Piece.delay` counts by how many samples, at its own rate, its output lags.

`Whole` draws the same layers for one sound that is there at once, padded at its ends as the original pads it.

Source: A. Caillon, P. Esling, "Streamable Neural Audio Synthesis With Non-Causal Convolutions", DAFx 2022, sections 3
and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import onnx

from nodegraph.models.convert.drawing import Array, Drawing

MANY_WEIGHTS: Final = 1 << 21


class Piece(NamedTuple):
    """A value ``(1, channels, time)`` on its way through a network. `delay`: by how many samples it lags."""

    value: str
    channels: int
    delay: int = 0


class Layers:
    """What both ways of drawing share."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing

    def conv(
        self, x: Piece, weight: Array, bias: Array | None, *, left: int, stride: int = 1, dilation: int = 1
    ) -> Piece:
        """A convolution that looks `left` samples back; what its kernel is longer, it looks ahead."""
        raise NotImplementedError

    def conv_transpose(self, x: Piece, weight: Array, bias: Array | None, *, stride: int, left: int) -> Piece:
        """A transposed convolution of which `left` samples are cut off at the beginning."""
        raise NotImplementedError

    def add(self, x: Piece, other: Piece) -> Piece:
        """The sum of two ways through the network."""
        raise NotImplementedError

    def lstm(self, x: Piece, weights: Mapping[str, Array], prefix: str, layers: int) -> Piece:
        """An LSTM over time, added to what it heard."""
        raise NotImplementedError

    def elu(self, x: Piece) -> Piece:
        """``x`` above 0, ``exp(x) - 1`` below. In parts: onnxruntime's Exp is several times faster than its Elu."""
        draw = self.drawing
        below = draw.op("Exp", draw.op("Min", x.value, draw.weight(0.0)))
        return x._replace(value=draw.op("Add", draw.relu(x.value), draw.op("Sub", below, draw.weight(1.0))))

    def leaky(self, x: Piece, slope: float) -> Piece:
        """``x`` above 0, ``slope x`` below."""
        return x._replace(value=self.drawing.op("LeakyRelu", x.value, alpha=slope))

    def tanh(self, x: Piece) -> Piece:
        """Held between -1 and 1."""
        return x._replace(value=self.drawing.op("Tanh", x.value))

    def snake(self, x: Piece, alpha: Array, beta: Array) -> Piece:
        """``x + sin(alpha x)² / beta``, with an alpha and a beta for each channel."""
        draw = self.drawing
        wave = draw.op("Sin", draw.op("Mul", x.value, draw.weight(np.reshape(alpha, (1, -1, 1)))))
        share = draw.weight(1.0 / np.reshape(np.asarray(beta, np.float64), (1, -1, 1)))
        return x._replace(value=draw.op("Add", x.value, draw.op("Mul", draw.op("Mul", wave, wave), share)))

    def cut(self, value: str, start: int, end: int | None = None, step: int = 1) -> str:
        """The samples from `start` to `end` along time, as Python counts."""
        draw = self.drawing
        last = int(np.iinfo(np.int64).max) if end is None else end
        places = [draw.integers(number) for number in (start, last, 2, step)]
        found: str = draw.op("Slice", value, *places)
        return found

    def _lstm(
        self, x: Piece, weights: Mapping[str, Array], prefix: str, layers: int, states: list[tuple[str, str]]
    ) -> tuple[Piece, list[tuple[str, str]]]:
        draw = self.drawing
        given = value = draw.op("Transpose", x.value, perm=[2, 0, 1])
        lasts = []
        for layer in range(layers):
            hidden, cell = states[layer] if states else ("", "")
            value, *last = draw.lstm(value, weights, prefix, layer, hidden, cell)
            lasts.append((last[0], last[1]))
        return x._replace(value=draw.op("Transpose", draw.op("Add", value, given), perm=[1, 2, 0])), lasts


class Flowing(Layers):
    """Layers that hear a sound piece by piece.

    `fresh` is the name of an input, 0 or 1: at 1 the sound begins with this piece, and what stood before it is its
    mirror image, as the originals pad; the piece must then be long enough for the longest of these images to be true
    to them. At 0, and without it, what stood before is what the states say.
    """

    def __init__(self, drawing: Drawing, fresh: str = "", many: int = MANY_WEIGHTS) -> None:
        """From `many` weights on, a convolution is drawn as a product: lower it for networks that hear few samples."""
        super().__init__(drawing)
        self._many = many
        self._states = 0
        self._fresh = drawing.op("Cast", fresh, to=onnx.TensorProto.BOOL) if fresh else ""

    def state(self, *shape: int) -> tuple[str, str]:
        """A state of this shape: its name, and the name under which what it becomes goes to `keep`."""
        name = self.drawing.input(f"state{self._states}", shape)
        self._states += 1
        return name, f"{name}_next"

    def conv(
        self, x: Piece, weight: Array, bias: Array | None, *, left: int, stride: int = 1, dilation: int = 1
    ) -> Piece:
        reach = (weight.shape[2] - 1) * dilation + 1 - stride
        ahead = reach - left
        spare = -(ahead + x.delay) % stride  # so that it falls on a sample of the slower rate
        value = self._behind(x, reach + spare, mirrored=True) if reach + spare else x.value
        made = self._convolved(value, weight, bias, stride, dilation)
        return Piece(made, weight.shape[0], (ahead + x.delay + spare) // stride)

    def conv_transpose(self, x: Piece, weight: Array, bias: Array | None, *, stride: int, left: int) -> Piece:
        """As a convolution that makes `stride` samples of each, from as many before it as the kernel is strides long:
        what overlaps is added at once."""
        draw = self.drawing
        given, made, length = weight.shape
        count = -(-length // stride)
        filled = np.pad(np.asarray(weight, np.float32), ((0, 0), (0, 0), (0, count * stride - length)))
        taps = filled.reshape(given, made, count, stride)[:, :, ::-1]  # the oldest first
        kernel = taps.transpose(1, 3, 0, 2).reshape(made * stride, given, count)
        value = self._behind(x, count - 1) if count > 1 else x.value
        every = None if bias is None else np.repeat(np.asarray(bias), stride)
        value = draw.reshape(self._convolved(value, kernel, every, 1, 1), 1, made, stride, -1)
        value = draw.reshape(draw.op("Transpose", value, perm=[0, 1, 3, 2]), 1, made, -1)
        return Piece(value, made, x.delay * stride + left)

    def add(self, x: Piece, other: Piece) -> Piece:
        delay = max(x.delay, other.delay)
        values = [self.later(item, delay - item.delay).value for item in (x, other)]
        return Piece(self.drawing.op("Add", *values), x.channels, delay)

    def later(self, x: Piece, samples: int) -> Piece:
        """The same, so many samples later."""
        if not samples:
            return x
        return x._replace(value=self.cut(self._behind(x, samples), 0, -samples), delay=x.delay + samples)

    def lstm(self, x: Piece, weights: Mapping[str, Array], prefix: str, layers: int) -> Piece:
        size = weights[f"{prefix}.weight_hh_l0"].shape[1]
        states = [(self.state(1, 1, size), self.state(1, 1, size)) for _ in range(layers)]
        made, lasts = self._lstm(x, weights, prefix, layers, [(hidden[0], cell[0]) for hidden, cell in states])
        for named, values in zip(states, lasts, strict=True):
            for (_, after), value in zip(named, values, strict=True):
                self.drawing.output(value, after, (1, 1, size))
        return made

    def _convolved(self, value: str, weight: Array, bias: Array | None, stride: int, dilation: int) -> str:
        """A convolution without padding. One of many weights and few samples is a matter of reading the weights, and
        they are read faster as the right side of a product."""
        draw = self.drawing
        if weight.size < self._many:
            return draw.conv(value, weight, bias, strides=[stride], dilations=[dilation])
        made, _, length = weight.shape
        heard = []
        for tap in range(length):
            start, rest = tap * dilation, (length - 1 - tap) * dilation
            heard.append(self.cut(value, start, -rest or None, stride))
        value = draw.op("Concat", *heard, axis=1) if length > 1 else heard[0]
        flat = np.asarray(weight).transpose(2, 1, 0).reshape(-1, made)
        value = draw.op("MatMul", draw.op("Transpose", value, perm=[0, 2, 1]), draw.weight(flat))
        if bias is not None:
            value = draw.op("Add", value, draw.weight(bias))
        found: str = draw.op("Transpose", value, perm=[0, 2, 1])
        return found

    def _behind(self, x: Piece, count: int, mirrored: bool = False) -> str:
        """The piece, and the `count` samples before it."""
        draw = self.drawing
        before, after = self.state(1, x.channels, count)
        if self._fresh and mirrored and not x.delay:
            before = draw.op("Where", self._fresh, self._mirrored(x, count), before)
        value: str = draw.op("Concat", before, x.value, axis=2)
        draw.output(self.cut(value, -count), after, (1, x.channels, count))
        return value

    def _mirrored(self, x: Piece, count: int) -> str:
        """What would stand before the piece if it were mirrored at its first sample: zeros where it is too short."""
        draw = self.drawing
        length = self.cut_shape(x.value)
        longer = draw.op("Concat", x.value, draw.weight(np.zeros((1, x.channels, 1))), axis=2)
        places = draw.op("Min", draw.weight(np.arange(count, 0, -1), np.int64), length)
        found: str = draw.op("Gather", longer, places, axis=2)
        return found

    def cut_shape(self, value: str) -> str:
        """How many samples it has, int64 (1,)."""
        found: str = self.drawing.op("Shape", value, start=2, end=3)
        return found


class Whole(Layers):
    """Layers that hear a whole sound, whose ends are padded: ``reflect`` or ``constant``.

    A piece that is no longer than the padding cannot be mirrored, and is refused when the network runs.
    """

    def __init__(self, drawing: Drawing, mode: str = "constant") -> None:
        super().__init__(drawing)
        self.mode = mode

    def conv(
        self, x: Piece, weight: Array, bias: Array | None, *, left: int, stride: int = 1, dilation: int = 1
    ) -> Piece:
        draw = self.drawing
        right = (weight.shape[2] - 1) * dilation + 1 - stride - left
        value, pads = x.value, [left, right]
        if self.mode != "constant" and left + right:
            value, pads = draw.op("Pad", value, draw.integers(0, 0, left, 0, 0, right), mode=self.mode), [0, 0]
        made = draw.conv(value, weight, bias, strides=[stride], dilations=[dilation], pads=pads)
        return Piece(made, weight.shape[0])

    def conv_transpose(self, x: Piece, weight: Array, bias: Array | None, *, stride: int, left: int) -> Piece:
        right = weight.shape[2] - stride - left
        made = self.drawing.conv_transpose(x.value, weight, bias, strides=[stride], pads=[left, right])
        return Piece(made, weight.shape[1])

    def add(self, x: Piece, other: Piece) -> Piece:
        return Piece(self.drawing.op("Add", x.value, other.value), x.channels)

    def lstm(self, x: Piece, weights: Mapping[str, Array], prefix: str, layers: int) -> Piece:
        return self._lstm(x, weights, prefix, layers, [])[0]


def kernel(weights: Mapping[str, Any], prefix: str) -> tuple[Array, Array | None]:
    """Weight and bias of a convolution. A normalised weight, kept as its direction and its length for each entry of its
    first axis, is put together; old PyTorch calls these ``weight_v`` and ``weight_g``, new one
    ``parametrizations.weight.original1`` and ``…original0``.

    Source: T. Salimans, D. P. Kingma, "Weight Normalization", NeurIPS 2016, equation 2.
    """
    bias = weights.get(f"{prefix}.bias")
    for length, way in (
        ("weight_g", "weight_v"),
        ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ):
        if f"{prefix}.{way}" in weights:
            v, g = (np.asarray(weights[f"{prefix}.{name}"], np.float64) for name in (way, length))
            norm = np.sqrt((v**2).sum(axis=tuple(range(1, v.ndim)), keepdims=True))
            return (v * (g / norm)).astype(np.float32), bias
    return np.asarray(weights[f"{prefix}.weight"], np.float32), bias
