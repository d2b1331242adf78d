"""AutoencoderKL over columns of mel bands: the latent of AudioLDM, and columns again.

It normalises over the whole of what it hears, and its middle sees all of it: so it hears a window at once, of any
length. Rows and columns are those of a picture, whose height is time.

Source: R. Rombach and others, "High-Resolution Image Synthesis with Latent Diffusion Models", CVPR 2022, section 3.1;
H. Liu and others, "AudioLDM: Text-to-Audio Generation with Latent Diffusion Models", ICML 2023, section "Decoder". The
layout of the weights is that of diffusers' ``AutoencoderKL``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import onnx

from nodegraph.core.errors import ModelError, Problem
from nodegraph.models.convert.drawing import Array, Drawing
from nodegraph.models.convert.fitting import Shape, check_fit, layer
from nodegraph.models.convert.networks.hifigan import Generator

Weights = Mapping[str, Array]
EPSILON: Final = 1e-6
LEAST_LOG, MOST_LOG = -30.0, 20.0
"""Between which the logarithm of a variance is held, as the original holds it."""
DOWN, UP = "DownEncoderBlock2D", "UpDecoderBlock2D"
OLD_NAMES: Final = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""As diffusers called the layers of its attention before 2023."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What config.json says of one, and the vocoder's of the columns."""

    channels: tuple[int, ...]
    layers: int
    groups: int
    latent: int
    scale: float
    attends: bool
    mixes_before: bool
    mixes_after: bool
    bands: int
    column: int
    rate: int

    @classmethod
    def read(cls, config: Mapping[str, Any], vocoder: Mapping[str, Any]) -> Settings:
        """Raises ModelError for what is none, or none over mel columns."""
        _expect(config)
        said = Generator.read(vocoder)
        channels = tuple(int(count) for count in config.get("block_out_channels", (64,)))
        found = cls(
            channels=channels,
            layers=int(config.get("layers_per_block", 1)),
            groups=int(config.get("norm_num_groups", 32)),
            latent=int(config.get("latent_channels", 4)),
            scale=float(config.get("scaling_factor", 0.18215)),
            attends=bool(config.get("mid_block_add_attention", True)),
            mixes_before=bool(config.get("use_quant_conv", True)),
            mixes_after=bool(config.get("use_post_quant_conv", True)),
            bands=said.bands, column=said.hop, rate=said.rate,
        )  # fmt: skip
        if found.bands % found.ratio:
            raise _wrong(f"it halves {found.bands} bands {len(channels) - 1} times, which they do not bear")
        if found.groups < 1 or any(count % found.groups for count in channels):
            raise _wrong(f"its {found.groups} groups do not divide the channels {', '.join(map(str, channels))}")
        if not (math.isfinite(found.scale) and found.scale > 0.0):
            raise _wrong(f"its scaling_factor is {found.scale}")
        return found

    @property
    def ratio(self) -> int:
        """Columns of one latent frame, and bands of one of its rows."""
        return 1 << (len(self.channels) - 1)

    @property
    def rows(self) -> int:
        """Bands of the latent."""
        return self.bands // self.ratio

    @property
    def width(self) -> int:
        """Numbers of one latent frame."""
        return self.latent * self.rows

    def notes(self) -> dict[str, str]:
        """What whoever runs it must know: the rate of the sound, samples of a latent frame and of a column, bands."""
        hop = self.column * self.ratio
        return {"rate": str(self.rate), "hop": str(hop), "column": str(self.column), "bands": str(self.bands)}


class Picture(NamedTuple):
    """A value ``(1, channels, time, bands)``."""

    value: str
    channels: int
    bands: int


class MelNet:
    """The layers of one half."""

    def __init__(self, drawing: Drawing, weights: Weights, settings: Settings, half: str) -> None:
        self.drawing, self.weights, self.settings, self.half = drawing, weights, settings, half

    def conv(self, x: Picture, name: str, **attributes: Any) -> Picture:
        """As large as what it hears, if nothing else is said."""
        weight, bias = (self.weights[f"{name}.{item}"] for item in ("weight", "bias"))
        pads = [weight.shape[2] // 2, weight.shape[3] // 2] * 2
        value = self.drawing.conv(x.value, weight, bias, **{"pads": pads, **attributes})
        return Picture(value, weight.shape[0], x.bands)

    def normed(self, x: Picture, name: str) -> Picture:
        """Normalised over time, bands and the channels of each group together."""
        draw, groups = self.drawing, self.settings.groups
        ones, zeros = draw.weight([1.0] * groups), draw.weight([0.0] * groups)
        flat = draw.op("InstanceNormalization", draw.reshape(x.value, 1, groups, -1), ones, zeros, epsilon=EPSILON)
        value = draw.reshape(flat, 1, x.channels, -1, x.bands)
        scale, shift = (draw.weight(self.weights[f"{name}.{item}"].reshape(1, -1, 1, 1)) for item in ("weight", "bias"))
        return x._replace(value=draw.op("Add", draw.op("Mul", value, scale), shift))

    def swish(self, x: Picture) -> Picture:
        """``x / (1 + exp(-x))``."""
        return x._replace(value=self.drawing.op("Mul", x.value, self.drawing.op("Sigmoid", x.value)))

    def residual(self, x: Picture, name: str) -> Picture:
        inner = self.conv(self.swish(self.normed(x, f"{name}.norm1")), f"{name}.conv1")
        inner = self.conv(self.swish(self.normed(inner, f"{name}.norm2")), f"{name}.conv2")
        around = x if x.channels == inner.channels else self.conv(x, f"{name}.conv_shortcut")
        return inner._replace(value=self.drawing.op("Add", around.value, inner.value))

    def attention(self, x: Picture, name: str) -> Picture:
        """Every place sees every other, in one head."""
        draw, size = self.drawing, x.channels
        flat = draw.reshape(self.normed(x, f"{name}.group_norm").value, 1, size, -1)
        flat = draw.op("Transpose", flat, perm=[0, 2, 1])
        q, k, v = (draw.named_linear(flat, self.weights, f"{name}.{part}") for part in ("to_q", "to_k", "to_v"))
        mixed = draw.named_linear(draw.attention(q, k, v, 1, size), self.weights, f"{name}.to_out.0")
        value = draw.reshape(draw.op("Transpose", mixed, perm=[0, 2, 1]), 1, size, -1, x.bands)
        return x._replace(value=draw.op("Add", value, x.value))

    def middle(self, x: Picture) -> Picture:
        block = f"{self.half}.mid_block"
        x = self.residual(x, f"{block}.resnets.0")
        if self.settings.attends:
            x = self.attention(x, f"{block}.attentions.0")
        return self.residual(x, f"{block}.resnets.1")

    def halved(self, x: Picture, name: str) -> Picture:
        """Padded behind alone, in both directions."""
        x = self.conv(x, name, strides=[2, 2], pads=[0, 0, 1, 1])
        return x._replace(bands=x.bands // 2)

    def doubled(self, x: Picture, name: str) -> Picture:
        """Each point four times, and smoothed."""
        draw = self.drawing
        value = draw.op(
            "Resize", x.value, "", draw.weight([1.0, 1.0, 2.0, 2.0]),
            mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        )  # fmt: skip
        return self.conv(x._replace(value=value, bands=2 * x.bands), name)

    def last(self, x: Picture) -> Picture:
        x = self.swish(self.normed(x, f"{self.half}.conv_norm_out"))
        return self.conv(x, f"{self.half}.conv_out")

    def encoded(self, x: Picture) -> Picture:
        x = self.conv(x, "encoder.conv_in")
        for number in range(len(self.settings.channels)):
            block = f"encoder.down_blocks.{number}"
            for turn in range(self.settings.layers):
                x = self.residual(x, f"{block}.resnets.{turn}")
            if number + 1 < len(self.settings.channels):
                x = self.halved(x, f"{block}.downsamplers.0.conv")
        return self.last(self.middle(x))

    def decoded(self, x: Picture) -> Picture:
        x = self.middle(self.conv(x, "decoder.conv_in"))
        for number in range(len(self.settings.channels)):
            block = f"decoder.up_blocks.{number}"
            for turn in range(self.settings.layers + 1):
                x = self.residual(x, f"{block}.resnets.{turn}")
            if number + 1 < len(self.settings.channels):
                x = self.doubled(x, f"{block}.upsamplers.0.conv")
        return self.last(x)


def audioldm_encoder(weights: Weights, config: Mapping[str, Any], vocoder: Mapping[str, Any]) -> onnx.ModelProto:
    """``columns (1, bands, time)``, the natural logarithms of mel bands → ``mean`` and ``deviation`` of the latent
    ``(1, width, frames)``, times the scaling factor: as the diffusion model hears it. Row ``channel · rows + row``."""
    settings = Settings.read(config, vocoder)
    weights = fitting(weights, settings)
    draw = Drawing("audioldm-encoder")
    net = MelNet(draw, weights, settings, "encoder")
    heard = draw.input("columns", [1, settings.bands, "time"])
    value = draw.unsqueeze(draw.op("Transpose", heard, perm=[0, 2, 1]), 1)
    x = net.encoded(Picture(value, 1, settings.bands))
    if settings.mixes_before:
        x = net.conv(x, "quant_conv")
    mean, log = draw.op("Split", x.value, count=2, axis=1)
    log = draw.op("Clip", log, draw.weight(LEAST_LOG), draw.weight(MOST_LOG))
    deviation = draw.op("Exp", draw.op("Mul", log, draw.weight(0.5)))
    for name, found in (("mean", mean), ("deviation", deviation)):
        found = draw.op("Transpose", draw.op("Mul", found, draw.weight(settings.scale)), perm=[0, 1, 3, 2])
        draw.output(draw.reshape(found, 1, settings.width, -1), name, [1, settings.width, "frames"])
    return draw.model(**settings.notes())


def audioldm_decoder(weights: Weights, config: Mapping[str, Any], vocoder: Mapping[str, Any]) -> onnx.ModelProto:
    """``latent (1, width, frames)``, as the encoder says it → ``columns (1, bands, time)``."""
    settings = Settings.read(config, vocoder)
    weights = fitting(weights, settings)
    draw = Drawing("audioldm-decoder")
    net = MelNet(draw, weights, settings, "decoder")
    latent = draw.input("latent", [1, settings.width, "frames"])
    value = draw.op("Transpose", draw.reshape(latent, 1, settings.latent, settings.rows, -1), perm=[0, 1, 3, 2])
    value = draw.op("Mul", value, draw.weight(1.0 / settings.scale))
    x = Picture(value, settings.latent, settings.rows)
    if settings.mixes_after:
        x = net.conv(x, "post_quant_conv")
    made = draw.op("Transpose", draw.squeeze(net.decoded(x).value, 1), perm=[0, 2, 1])
    draw.output(made, "columns", [1, settings.bands, "time"])
    return draw.model(**settings.notes())


def fitting(weights: Weights, settings: Settings) -> Weights:
    """The weights of both halves, attention under its newer names. Raises Unfit when they are others."""
    found = {_renamed(name): value for name, value in weights.items()}
    check_fit(found, wanted(settings))
    return found


def wanted(settings: Settings) -> dict[str, Shape]:
    """Every name and shape of an autoencoder with these settings."""
    channels, latent = settings.channels, settings.latent
    shapes = layer("encoder.conv_in", channels[0], 1, 3, 3) | layer("decoder.conv_in", channels[-1], latent, 3, 3)
    shapes |= layer("encoder.conv_out", 2 * latent, channels[-1], 3, 3) | layer(
        "decoder.conv_out", 1, channels[0], 3, 3
    )
    if settings.mixes_before:
        shapes |= layer("quant_conv", 2 * latent, 2 * latent, 1, 1)
    if settings.mixes_after:
        shapes |= layer("post_quant_conv", latent, latent, 1, 1)
    for half, blocks, step, turns, way in (
        ("encoder", "down_blocks", "downsamplers", settings.layers, channels),
        ("decoder", "up_blocks", "upsamplers", settings.layers + 1, channels[::-1]),
    ):
        given = way[0]
        for number, made in enumerate(way):
            for turn in range(turns):
                shapes |= _residual(f"{half}.{blocks}.{number}.resnets.{turn}", given, made)
                given = made
            if number + 1 < len(way):
                shapes |= layer(f"{half}.{blocks}.{number}.{step}.0.conv", made, made, 3, 3)
        shapes |= layer(f"{half}.conv_norm_out", way[-1]) | _middle(f"{half}.mid_block", channels[-1], settings.attends)
    return shapes


def _middle(name: str, size: int, attends: bool) -> dict[str, Shape]:
    shapes = _residual(f"{name}.resnets.0", size, size) | _residual(f"{name}.resnets.1", size, size)
    if attends:
        shapes |= layer(f"{name}.attentions.0.group_norm", size)
        for part in OLD_NAMES.values():
            shapes |= layer(f"{name}.attentions.0.{part}", size, size)
    return shapes


def _residual(name: str, given: int, made: int) -> dict[str, Shape]:
    shapes = layer(f"{name}.norm1", given) | layer(f"{name}.conv1", made, given, 3, 3)
    shapes |= layer(f"{name}.norm2", made) | layer(f"{name}.conv2", made, made, 3, 3)
    return shapes if given == made else shapes | layer(f"{name}.conv_shortcut", made, given, 1, 1)


def _renamed(name: str) -> str:
    found = re.fullmatch(rf"(.*\.attentions\.0)\.({'|'.join(OLD_NAMES)})\.(weight|bias)", name)
    return f"{found[1]}.{OLD_NAMES[found[2]]}.{found[3]}" if found else name


def _expect(config: Mapping[str, Any]) -> None:
    """Raises ModelError for settings of anything that is not drawn here."""
    if config.get("_class_name", "AutoencoderKL") != "AutoencoderKL":
        raise _wrong(f"its settings are those of '{config['_class_name']}'")
    for key, block in (("down_block_types", DOWN), ("up_block_types", UP)):
        kinds = list(config.get(key, [block]))
        if kinds != [block] * len(config.get("block_out_channels", (64,))):
            raise _wrong(f"its {key} are {', '.join(map(str, kinds)) or 'none'}")
    for key in ("in_channels", "out_channels"):
        if config.get(key, 3) != 1:
            raise _wrong(f"its {key} are {config.get(key, 3)}, and columns of mel bands are 1")
    if config.get("act_fn", "silu") != "silu":
        raise _wrong(f"its act_fn is {config['act_fn']}, and silu is expected")
    for key in ("shift_factor", "latents_mean", "latents_std"):
        if config.get(key) is not None:
            raise _wrong(f"it moves its latent ({key}), which AudioLDM does not")


def _wrong(why: str) -> ModelError:
    do = "Take the folders vae and vocoder of an AudioLDM, such as cvssp/audioldm2."
    return ModelError(Problem("wrong-architecture", f"this is no autoencoder of an AudioLDM: {why}.", do))
