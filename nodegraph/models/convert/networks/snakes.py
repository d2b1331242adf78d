"""DAC and Oobleck: codecs of convolutions whose activations are snakes.

Source: R. Kumar and others, "High-Fidelity Audio Compression with Improved RVQGAN", NeurIPS 2023, section 3 (DAC);
Z. Evans and others, "Stable Audio Open", 2024, section 3.1 (Oobleck). The layouts of the weights are those of
transformers' ``DacModel`` and of diffusers' ``AutoencoderOobleck``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from nodegraph.models.convert.drawing import Array, Drawing
from nodegraph.models.convert.flowing import Flowing, Piece, kernel

Weights = Mapping[str, Array]
Snake = Callable[[Weights, str], tuple[Array, Array]]
DILATIONS = (1, 3, 9)


def dac_snake(weights: Weights, prefix: str) -> tuple[Array, Array]:
    """Alpha, and what the wave is divided by."""
    alpha = np.asarray(weights[f"{prefix}.alpha"], np.float64)
    return alpha, alpha + 1e-9


def oobleck_snake(weights: Weights, prefix: str) -> tuple[Array, Array]:
    """Both are kept as logarithms."""
    alpha, beta = (np.exp(np.asarray(weights[f"{prefix}.{name}"], np.float64)) for name in ("alpha", "beta"))
    return alpha, beta + 1e-9


class SnakeNet:
    """The layers of one half."""

    def __init__(self, drawing: Drawing, weights: Weights, half: str, snake: Snake) -> None:
        self.layers = Flowing(drawing)
        self.weights, self.half, self._snake = weights, half, snake

    def conv(self, x: Piece, name: str, dilation: int = 1) -> Piece:
        """As long as what it hears, and looking as far ahead as back."""
        weight, bias = kernel(self.weights, f"{self.half}.{name}")
        return self.layers.conv(x, weight, bias, left=(weight.shape[2] - 1) * dilation // 2, dilation=dilation)

    def snake(self, x: Piece, name: str) -> Piece:
        return self.layers.snake(x, *self._snake(self.weights, f"{self.half}.{name}"))

    def residuals(self, x: Piece, name: str) -> Piece:
        for number, dilation in enumerate(DILATIONS, start=1):
            unit = f"{name}.res_unit{number}"
            inner = self.conv(self.snake(x, f"{unit}.snake1"), f"{unit}.conv1", dilation)
            inner = self.conv(self.snake(inner, f"{unit}.snake2"), f"{unit}.conv2")
            x = self.layers.add(x, inner)
        return x

    def encoded(self, x: Piece, ratios: Sequence[int]) -> Piece:
        x = self.conv(x, "conv1")
        for number, ratio in enumerate(ratios):
            block = f"block.{number}"
            x = self.snake(self.residuals(x, block), f"{block}.snake1")
            weight, bias = kernel(self.weights, f"{self.half}.{block}.conv1")
            x = self.layers.conv(x, weight, bias, left=math.ceil(ratio / 2), stride=ratio)
        return self.conv(self.snake(x, "snake1"), "conv2")

    def decoded(self, x: Piece, ratios: Sequence[int]) -> Piece:
        x = self.conv(x, "conv1")
        for number, ratio in enumerate(ratios):
            block = f"block.{number}"
            weight, bias = kernel(self.weights, f"{self.half}.{block}.conv_t1")
            x = self.snake(x, f"{block}.snake1")
            x = self.layers.conv_transpose(x, weight, bias, stride=ratio, left=math.ceil(ratio / 2))
            x = self.residuals(x, block)
        return self.conv(self.snake(x, "snake1"), "conv2")


def dac_encoder(weights: Weights, config: Mapping[str, Any]) -> onnx.ModelProto:
    """``sound (1, 1, samples)``, how many ``stages`` → ``codes (stages, frames)``, ``latent (1, n, frames)``."""
    draw = Drawing("dac-encoder")
    ratios = _down(config, (2, 4, 8, 8))
    sound = Piece(draw.input("sound", [1, 1, "samples"]), 1)
    x = SnakeNet(draw, weights, "encoder", dac_snake).encoded(sound, ratios)
    books = _Books(weights)
    codes = books.quantized(draw, x.value, draw.input("stages", [], np.int64))
    draw.output(codes, "codes", ["stages", "frames"], np.int64)
    draw.output(x.value, "latent", [1, x.channels, "frames"])
    return draw.model(**_notes(config, 16_000, ratios, x.delay * math.prod(ratios)), **books.notes())


def dac_decoder(weights: Weights, config: Mapping[str, Any]) -> onnx.ModelProto:
    """``codes (stages, frames)`` and ``latent (1, n, frames)``, which is added → ``sound (1, 1, samples)``."""
    draw = Drawing("dac-decoder")
    ratios = _down(config, (2, 4, 8, 8))[::-1]
    books = _Books(weights)
    codes = draw.input("codes", ["stages", "frames"], np.int64)
    latent = draw.input("latent", [1, books.width, "frames"])
    value = draw.op("Add", draw.op("Transpose", books.summed(draw, codes), perm=[0, 2, 1]), latent)
    net = SnakeNet(draw, weights, "decoder", dac_snake)
    x = net.layers.tanh(net.decoded(Piece(value, books.width), ratios))
    draw.output(x.value, "sound", [1, x.channels, "samples"])
    return draw.model(**_notes(config, 16_000, ratios, x.delay), **books.notes())


def oobleck_encoder(weights: Weights, config: Mapping[str, Any]) -> onnx.ModelProto:
    """``sound (1, channels, samples)`` → ``mean`` and ``deviation`` of the latent ``(1, n, frames)``."""
    draw = Drawing("oobleck-encoder")
    ratios, channels = _down(config, (2, 4, 4, 8, 8)), int(config.get("audio_channels", 2))
    sound = Piece(draw.input("sound", [1, channels, "samples"]), channels)
    x = SnakeNet(draw, weights, "encoder", oobleck_snake).encoded(sound, ratios)
    mean, spread = draw.op("Split", x.value, count=2, axis=1)
    deviation = draw.op("Add", draw.op("Softplus", spread), draw.weight(1e-4))
    draw.output(mean, "mean", [1, x.channels // 2, "frames"])
    draw.output(deviation, "deviation", [1, x.channels // 2, "frames"])
    return draw.model(**_notes(config, 44_100, ratios, x.delay * math.prod(ratios)))


def oobleck_decoder(weights: Weights, config: Mapping[str, Any]) -> onnx.ModelProto:
    """``latent (1, n, frames)`` → ``sound (1, channels, samples)``."""
    draw = Drawing("oobleck-decoder")
    ratios = _down(config, (2, 4, 4, 8, 8))[::-1]
    width = int(config.get("decoder_input_channels", 64))
    net = SnakeNet(draw, weights, "decoder", oobleck_snake)
    x = net.decoded(Piece(draw.input("latent", [1, width, "frames"]), width), ratios)
    draw.output(x.value, "sound", [1, x.channels, "samples"])
    return draw.model(**_notes(config, 44_100, ratios, x.delay))


class _Books:
    """DAC's codebooks: few numbers each, found and said through a projection of their own."""

    def __init__(self, weights: Weights) -> None:
        """Raises KeyError where there is none."""
        found: dict[str, list[Array]] = {name: [] for name in ("book", "into", "into_bias", "out", "out_bias")}
        while (prefix := f"quantizer.quantizers.{len(found['book'])}") + ".codebook.weight" in weights or not found[
            "book"
        ]:
            into, into_bias = kernel(weights, f"{prefix}.in_proj")
            out, out_bias = kernel(weights, f"{prefix}.out_proj")
            for name, value in (("into", into[:, :, 0]), ("out", out[:, :, 0].T)):
                found[name].append(value)
            for name, given, size in (("into_bias", into_bias, len(into)), ("out_bias", out_bias, len(out))):
                found[name].append(np.zeros(size, np.float32) if given is None else np.asarray(given))
            found["book"].append(np.asarray(weights[f"{prefix}.codebook.weight"], np.float32))
        self.book, self.into, self.into_bias, self.out, self.out_bias = (np.stack(value) for value in found.values())

    @property
    def width(self) -> int:
        """Of the latent."""
        return int(self.out.shape[2])

    def notes(self) -> dict[str, str]:
        return {"stages": str(len(self.book)), "entries": str(self.book.shape[1])}

    def quantized(self, draw: Drawing, latent: str, stages: str) -> str:
        """The entry of each codebook whose direction is nearest, one after another, each to what those before left."""
        length = np.maximum(np.linalg.norm(self.book.astype(np.float64), axis=2, keepdims=True), 1e-12)
        parts = (self.into, self.into_bias, self.book / length, self.book, self.out, self.out_bias)
        kept = [draw.weight(part) for part in parts]

        def turn(inner: Drawing, number: str, left: str) -> tuple[str, str, Any]:
            into, into_bias, ways, book, out, out_bias = (inner.op("Gather", item, number, axis=0) for item in kept)
            found = inner.op("Gemm", left, into, into_bias, transB=1)
            code = inner.op("ArgMax", inner.op("Gemm", found, ways, transB=1), axis=1, keepdims=0)
            said = inner.op("Gemm", inner.op("Gather", book, code, axis=0), out, out_bias)
            return inner.op("Sub", left, said), code, np.int64

        frames = draw.op("Transpose", draw.squeeze(latent, 0), perm=[1, 0])
        return draw.loop(stages, frames, turn)[1]

    def summed(self, draw: Drawing, codes: str) -> str:
        """What codes stand for, ``(1, frames, width)``."""
        stages, entries, size = self.book.shape
        count = draw.op("Shape", codes, start=0, end=1)
        first = [draw.integers(0), count, draw.integers(0)]
        place = draw.op("Slice", draw.weight(np.arange(stages)[:, None] * entries, np.int64), *first)
        entry = draw.op("Gather", draw.weight(self.book.reshape(-1, size)), draw.op("Add", codes, place), axis=0)
        out = draw.op("Slice", draw.weight(self.out), *first)
        bias = draw.op("Slice", draw.weight(self.out_bias[:, None]), *first)
        said = draw.op("Add", draw.op("MatMul", entry, out), bias)
        found: str = draw.op("ReduceSum", said, draw.integers(0), keepdims=1)
        return found


def _down(config: Mapping[str, Any], usual: tuple[int, ...]) -> list[int]:
    return [int(ratio) for ratio in config.get("downsampling_ratios", usual)]


def _notes(config: Mapping[str, Any], rate: int, ratios: Sequence[int], delay: int) -> dict[str, str]:
    """What whoever runs it must know. `delay`: samples by which it lags."""
    rate = int(config.get("sampling_rate", rate))
    return {"rate": str(rate), "hop": str(math.prod(ratios)), "delay": str(delay)}
