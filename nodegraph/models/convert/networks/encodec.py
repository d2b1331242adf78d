"""EnCodec: sound as a few whole numbers a frame, and back.

Source: A. Défossez, J. Copet, G. Synnaeve, Y. Adi, "High Fidelity Neural Audio Compression", 2022. The layout of the
weights is that of transformers' ``EncodecModel``, as facebook/encodec_24khz is published.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np
import onnx

from nodegraph.models.convert.drawing import Array, Drawing
from nodegraph.models.convert.flowing import Flowing, Layers, Piece, Whole, kernel

Weights = Mapping[str, Array]


class Seanet:
    """The layers of EnCodec's two halves, drawn one after another, as their weights are counted.

    Causal networks, and those that look ahead but need no more than a few frames, hear piece by piece; those that
    normalise over time (`norm_type`) need the whole of what they were trained on at once.
    """

    def __init__(self, drawing: Drawing, weights: Weights, config: Mapping[str, Any], half: str) -> None:
        self.drawing, self.weights, self.config, self.half = drawing, weights, config, half
        self.causal = bool(config.get("use_causal_conv", True))
        self.whole = config.get("norm_type", "weight_norm") == "time_group_norm"
        self.layers: Layers
        if self.whole:
            self.layers = Whole(drawing, str(config.get("pad_mode", "reflect")))
        else:
            mirrored = self.causal and config.get("pad_mode", "reflect") == "reflect"
            self.layers = Flowing(drawing, drawing.input("fresh", [1]) if mirrored else "", many=1 << 17)
        self._number = count()

    @property
    def flowing(self) -> bool:
        return not self.whole

    def next(self) -> str:
        """Where the weights of the next layer stand."""
        return f"{self.half}.layers.{next(self._number)}"

    def conv(self, x: Piece, prefix: str, stride: int = 1, dilation: int = 1) -> Piece:
        weight, bias = kernel(self.weights, f"{prefix}.conv")
        reach = (weight.shape[2] - 1) * dilation + 1 - stride
        left = reach if self.causal else reach - reach // 2
        return self.normed(self.layers.conv(x, weight, bias, left=left, stride=stride, dilation=dilation), prefix)

    def conv_transpose(self, x: Piece, prefix: str, stride: int) -> Piece:
        weight, bias = kernel(self.weights, f"{prefix}.conv")
        reach = weight.shape[2] - stride
        right = math.ceil(reach * float(self.config.get("trim_right_ratio", 1.0))) if self.causal else reach // 2
        if not self.whole:
            return self.layers.conv_transpose(x, weight, bias, stride=stride, left=reach - right)
        made = Piece(self.drawing.conv_transpose(x.value, weight, bias, strides=[stride]), weight.shape[1])
        made = self.normed(made, prefix)  # over what is cut off then, too
        return made._replace(value=self.layers.cut(made.value, reach - right, -right or None))

    def normed(self, x: Piece, prefix: str) -> Piece:
        """Normalised over channels and time together, if this network does that."""
        if not self.whole:
            return x
        draw = self.drawing
        one, zero = draw.weight([1.0]), draw.weight([0.0])
        flat = draw.op("InstanceNormalization", draw.reshape(x.value, 1, 1, -1), one, zero, epsilon=1e-5)
        value = draw.reshape(flat, 1, x.channels, -1)
        scale, shift = (
            draw.weight(np.reshape(self.weights[f"{prefix}.norm.{name}"], (1, -1, 1))) for name in ("weight", "bias")
        )
        return x._replace(value=draw.op("Add", draw.op("Mul", value, scale), shift))

    def residual(self, x: Piece, prefix: str, dilation: int) -> Piece:
        inner = self.conv(self.layers.elu(x), f"{prefix}.block.1", dilation=dilation)
        inner = self.conv(self.layers.elu(inner), f"{prefix}.block.3")
        around = self.conv(x, f"{prefix}.shortcut") if self.config.get("use_conv_shortcut", True) else x
        return self.layers.add(around, inner)

    def residuals(self, x: Piece) -> Piece:
        for number in range(int(self.config.get("num_residual_layers", 1))):
            x = self.residual(x, self.next(), int(self.config.get("dilation_growth_rate", 2)) ** number)
        return x

    def lstm(self, x: Piece) -> Piece:
        return self.layers.lstm(x, self.weights, f"{self.next()}.lstm", int(self.config.get("num_lstm_layers", 2)))

    def activated(self, x: Piece) -> Piece:
        """ELU; it is counted as a layer."""
        self.next()
        return self.layers.elu(x)


def encodec_encoder(weights: Weights, config: Mapping[str, Any]) -> onnx.ModelProto:
    """``sound (1, channels, samples)``, how many ``stages`` → ``codes (stages, frames)``, ``latent (1, n, frames)``."""
    draw = Drawing("encodec-encoder")
    channels, ratios = int(config.get("audio_channels", 1)), _ratios(config)
    net = Seanet(draw, weights, config, "encoder")
    x = net.conv(Piece(draw.input("sound", [1, channels, "samples"]), channels), net.next())
    for ratio in reversed(ratios):
        x = net.activated(net.residuals(x))
        x = net.conv(x, net.next(), stride=ratio)
    x = net.activated(net.lstm(x))
    x = net.conv(x, net.next())
    codes = _quantized(draw, codebooks(weights), x.value, draw.input("stages", [], np.int64))
    draw.output(codes, "codes", ["stages", "frames"], np.int64)
    draw.output(x.value, "latent", [1, x.channels, "frames"])
    return draw.model(**_notes(config, weights, x.delay * math.prod(ratios)))


def encodec_decoder(weights: Weights, config: Mapping[str, Any]) -> onnx.ModelProto:
    """``codes (stages, frames)`` and ``latent (1, n, frames)``, which is added → ``sound (1, channels, samples)``."""
    draw = Drawing("encodec-decoder")
    books = codebooks(weights)
    _, entries, width = books.shape
    net = Seanet(draw, weights, config, "decoder")
    codes = draw.input("codes", ["stages", "frames"], np.int64)
    place = draw.op("Mul", draw.op("Range", *_from_zero(draw, codes)), draw.weight(entries, np.int64))
    rows = draw.op("Add", codes, draw.unsqueeze(place, 1))
    entry = draw.op("Gather", draw.weight(books.reshape(-1, width)), rows, axis=0)
    summed = draw.op("ReduceSum", entry, draw.integers(0), keepdims=1)
    latent = draw.input("latent", [1, width, "frames"])
    value = draw.op("Add", draw.op("Transpose", summed, perm=[0, 2, 1]), latent)
    x = net.lstm(net.conv(Piece(value, width), net.next()))
    for ratio in _ratios(config):
        x = net.activated(x)
        x = net.residuals(net.conv_transpose(x, net.next(), ratio))
    x = net.activated(x)
    x = net.conv(x, net.next())
    draw.output(x.value, "sound", [1, x.channels, "samples"])
    return draw.model(**_notes(config, weights, x.delay))


def codebooks(weights: Weights) -> Array:
    """All codebooks ``(stages, entries, width)``. Raises KeyError where there is none."""
    found: list[Array] = []
    while (name := f"quantizer.layers.{len(found)}.codebook.embed") in weights or not found:
        found.append(np.asarray(weights[name], np.float32))
    return np.stack(found)


def _quantized(draw: Drawing, books: Array, latent: str, stages: str) -> str:
    """The nearest entry of each codebook, one after another, each to what those before left over."""
    entries = draw.weight(books)
    lengths = draw.weight(-(books.astype(np.float64) ** 2).sum(axis=2))

    def turn(inner: Drawing, number: str, left: str) -> tuple[str, str, Any]:
        book, length = (inner.op("Gather", item, number, axis=0) for item in (entries, lengths))
        nearness = inner.op("Gemm", left, book, length, alpha=2.0, transB=1)  # less the square of `left` itself
        code = inner.op("ArgMax", nearness, axis=1, keepdims=0)
        return inner.op("Sub", left, inner.op("Gather", book, code, axis=0)), code, np.int64

    frames = draw.op("Transpose", draw.squeeze(latent, 0), perm=[1, 0])
    return draw.loop(stages, frames, turn)[1]


def _from_zero(draw: Drawing, codes: str) -> tuple[str, str, str]:
    """The numbers from 0 to how many stages there are."""
    zero, one = draw.weight(0, np.int64), draw.weight(1, np.int64)
    return zero, draw.op("Squeeze", draw.op("Shape", codes, start=0, end=1)), one


def _ratios(config: Mapping[str, Any]) -> list[int]:
    return [int(ratio) for ratio in config.get("upsampling_ratios", (8, 5, 4, 2))]


def _notes(config: Mapping[str, Any], weights: Weights, delay: int) -> dict[str, str]:
    """What whoever runs it must know. `delay`: samples by which it lags; ``whole``: samples that it hears at once,
    if that must be so, and ``step`` from one such window to the next."""
    stages, entries, _ = codebooks(weights).shape
    rate = int(config.get("sampling_rate", 24_000))
    whole = step = 0
    if config.get("norm_type") == "time_group_norm":
        whole = int(float(config.get("chunk_length_s") or 1.0) * rate)
        step = max(1, int((1.0 - float(config.get("overlap") or 0.0)) * whole))
    return {
        "rate": str(rate), "hop": str(math.prod(_ratios(config))), "delay": str(delay), "stages": str(stages),
        "entries": str(entries), "whole": str(whole), "step": str(step),
        "normalize": str(int(bool(config.get("normalize", False)))),
    }  # fmt: skip
