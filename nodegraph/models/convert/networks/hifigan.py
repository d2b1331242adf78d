"""HiFi-GAN: columns of mel bands to sound, as AudioLDM and SpeechT5 use it.

Source: J. Kong, J. Kim, J. Bae, "HiFi-GAN: Generative Adversarial Networks for Efficient and High Fidelity Speech
Synthesis", NeurIPS 2020, section 2.2 and appendix A.1. The layout of the weights is that of transformers'
``SpeechT5HifiGan``, with its weights put together or still normalised.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx

from nodegraph.core.errors import ModelError, Problem
from nodegraph.models.convert.drawing import Array, Drawing
from nodegraph.models.convert.fitting import Shape, check_fit
from nodegraph.models.convert.flowing import Flowing, Piece, kernel

Weights = Mapping[str, Array]
KINDS: Final = ("hifigan", "speecht5_hifigan")
"""What config.json calls it: until 2025, and since."""
ENDS: Final = 7
"""Columns, or samples, that the first and the last layer see at once."""
NEVER: Final = 1 << 40
"""Weights from which on a convolution would be drawn as a product. It hears too many samples at once to gain by it."""
LAST_SLOPE: Final = 0.01
"""Of the last leaky rectifier, whatever the settings say of the others."""
NORMED: Final = (
    ("weight_g", "weight_v"),
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
)
"""How old and new PyTorch call the length and the direction of a normalised weight."""


@dataclass(frozen=True, slots=True)
class Generator:
    """What config.json says of one."""

    bands: int
    rate: int
    channels: int
    strides: tuple[int, ...]
    kernels: tuple[int, ...]
    blocks: tuple[tuple[int, tuple[int, ...]], ...]
    slope: float
    normalises: bool

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Generator:
        """What is left out is what `SpeechT5HifiGanConfig` has. Raises ModelError for what is no HiFi-GAN."""
        if (kind := config.get("model_type", KINDS[0])) not in KINDS:
            raise _wrong(f"its settings are those of '{kind}'")
        sizes = [int(size) for size in config.get("resblock_kernel_sizes", (3, 7, 11))]
        dilations = config.get("resblock_dilation_sizes", ((1, 3, 5),) * 3)
        found = cls(
            bands=int(config.get("model_in_dim", 80)),
            rate=int(config.get("sampling_rate", 16_000)),
            channels=int(config.get("upsample_initial_channel", 512)),
            strides=tuple(int(rate) for rate in config.get("upsample_rates", (4, 4, 4, 4))),
            kernels=tuple(int(size) for size in config.get("upsample_kernel_sizes", (8, 8, 8, 8))),
            blocks=tuple((size, tuple(map(int, each))) for size, each in zip(sizes, dilations, strict=False)),
            slope=float(config.get("leaky_relu_slope", 0.1)),
            normalises=bool(config.get("normalize_before", True)),
        )
        if min(found.bands, found.rate, found.channels) < 1:
            raise _wrong(f"it has {found.bands} bands, {found.channels} channels and a rate of {found.rate} Hz")
        if not found.strides or len(found.strides) != len(found.kernels):
            raise _wrong(f"it has {len(found.strides)} upsample_rates and {len(found.kernels)} upsample_kernel_sizes")
        if not sizes or len(sizes) != len(dilations):
            raise _wrong(f"it has {len(sizes)} resblock_kernel_sizes and {len(dilations)} resblock_dilation_sizes")
        if any(size < stride or stride < 1 for size, stride in zip(found.kernels, found.strides, strict=True)):
            raise _wrong("an upsampling kernel is shorter than its step")
        if any(size % 2 == 0 for size in sizes):
            raise _wrong("a kernel of its residual blocks has no middle")
        if found.channels % (1 << len(found.strides)):
            raise _wrong(f"{found.channels} channels cannot be halved {len(found.strides)} times")
        return found

    @property
    def hop(self) -> int:
        """Samples of one column."""
        return math.prod(self.strides)

    def channels_at(self, stage: int) -> int:
        """How many channels there are behind so many upsamplings."""
        return self.channels >> stage

    def layers(self) -> Iterator[tuple[str, tuple[int, ...], int]]:
        """Where each layer stands, the shape of its weight, and how many biases it has."""
        yield "conv_pre", (self.channels, self.bands, ENDS), self.channels
        for stage, size in enumerate(self.kernels):
            given, made = self.channels_at(stage), self.channels_at(stage + 1)
            yield f"upsampler.{stage}", (given, made, size), made
            for number, (length, dilations) in enumerate(self.blocks):
                for turn in range(len(dilations)):
                    for part in ("convs1", "convs2"):
                        block = f"resblocks.{stage * len(self.blocks) + number}"
                        yield f"{block}.{part}.{turn}", (made, made, length), made
        yield "conv_post", (1, self.channels_at(len(self.kernels)), ENDS), 1


def hifigan(weights: Weights, config: Mapping[str, Any]) -> onnx.ModelProto:
    """``columns (1, bands, time)``, the natural logarithms of mel bands → ``sound (1, 1, samples)``; piece by piece."""
    settings = Generator.read(config)
    check_fit(weights, wanted(weights, settings))
    draw = Drawing("hifigan")
    layers = Flowing(draw, many=NEVER)

    def conv(x: Piece, name: str, dilation: int = 1) -> Piece:
        """As long as what it hears, and looking as far ahead as back."""
        weight, bias = kernel(weights, name)
        return layers.conv(x, weight, bias, left=(weight.shape[2] - 1) * dilation // 2, dilation=dilation)

    def residual(x: Piece, name: str, dilations: tuple[int, ...]) -> Piece:
        for turn, dilation in enumerate(dilations):
            inner = conv(layers.leaky(x, settings.slope), f"{name}.convs1.{turn}", dilation)
            inner = conv(layers.leaky(inner, settings.slope), f"{name}.convs2.{turn}")
            x = layers.add(x, inner)
        return x

    columns = draw.input("columns", [1, settings.bands, "time"])
    if settings.normalises:
        mean, scale = (draw.weight(np.reshape(weights[name], (1, -1, 1))) for name in ("mean", "scale"))
        columns = draw.op("Div", draw.op("Sub", columns, mean), scale)
    x = conv(Piece(columns, settings.bands), "conv_pre")
    for stage, (size, stride) in enumerate(zip(settings.kernels, settings.strides, strict=True)):
        weight, bias = kernel(weights, f"upsampler.{stage}")
        x = layers.conv_transpose(
            layers.leaky(x, settings.slope), weight, bias, stride=stride, left=(size - stride) // 2
        )
        heard, count = x, len(settings.blocks)
        for number, (_, dilations) in enumerate(settings.blocks):
            made = residual(heard, f"resblocks.{stage * count + number}", dilations)
            x = layers.add(x, made) if number else made
        x = x._replace(value=draw.op("Mul", x.value, draw.weight(1.0 / count)))
    x = layers.tanh(conv(layers.leaky(x, LAST_SLOPE), "conv_post"))
    draw.output(x.value, "sound", [1, 1, "samples"])
    return draw.model(rate=str(settings.rate), hop=str(settings.hop), delay=str(x.delay), bands=str(settings.bands))


def wanted(weights: Weights, settings: Generator) -> dict[str, Shape]:
    """Every name and shape of one with these settings; each weight whole, or normalised as these `weights` have it."""
    shapes: dict[str, Shape] = {"mean": (settings.bands,), "scale": (settings.bands,)}
    for name, shape, biases in settings.layers():
        shapes[f"{name}.bias"] = (biases,)
        length, way = next(((g, v) for g, v in NORMED if f"{name}.{v}" in weights), ("", "weight"))
        shapes[f"{name}.{way}"] = shape
        if length:
            shapes[f"{name}.{length}"] = (shape[0], 1, 1)
    return shapes


def _wrong(why: str) -> ModelError:
    do = "Take the folder vocoder of an AudioLDM, such as cvssp/audioldm2."
    return ModelError(Problem("wrong-architecture", f"this is no HiFi-GAN that can be drawn: {why}.", do))
