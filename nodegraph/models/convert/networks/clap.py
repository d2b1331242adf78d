"""CLAP: sounds and texts as vectors that lie near each other where they mean the same.

Source: Y. Wu and others, "Large-Scale Contrastive Language-Audio Pretraining with Feature Fusion and Keyword-to-Caption
Augmentation", ICASSP 2023; K. Chen and others, "HTS-AT: A Hierarchical Token-Semantic Audio Transformer", ICASSP 2022;
Z. Liu and others, "Swin Transformer", ICCV 2021, section 3. Layout of the checkpoints: transformers, ``ClapModel``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx

from nodegraph.core.errors import ModelError, Problem
from nodegraph.models.convert.drawing import Array, Drawing
from nodegraph.models.convert.hubfile import expect
from nodegraph.models.convert.networks.transformer import activation, text_encoder

TEXT_DEFAULTS: Final[Mapping[str, Any]] = {
    "hidden_act": "gelu", "layer_norm_eps": 1e-12, "max_position_embeddings": 514, "num_attention_heads": 12,
    "num_hidden_layers": 12, "pad_token_id": 1,
}  # fmt: skip
AUDIO_DEFAULTS: Final[Mapping[str, Any]] = {
    "depths": [2, 2, 6, 2], "enable_fusion": False, "enable_patch_layer_norm": True, "hidden_act": "gelu",
    "layer_norm_eps": 1e-5, "num_attention_heads": [4, 8, 16, 32], "num_mel_bins": 64, "patch_size": 4,
    "patch_stride": [4, 4], "spec_size": 256, "window_size": 8,
}  # fmt: skip
"""What a config.json leaves out, where it says only what is not usual: larger_clap_music does."""
FRAMES: Final = 1_001
"""Columns of ten seconds, one every 10 ms, at both ends."""
APART: Final = -100.0
"""What keeps places from seeing each other that a shifted window brings together, and that are not neighbours."""
CUBIC: Final = -0.75


def clap_text(weights: Mapping[str, Array], config: Mapping[str, Any]) -> onnx.ModelProto:
    """The text's side: ``ids`` (count, length) → ``embedding`` (count, size), of length 1. The notes say how many
    tokens a text may have (``longest``), and by how much the likeness of a text and a sound is multiplied before
    the softmax (``scale``)."""
    expect(config, "clap")
    inner = {**TEXT_DEFAULTS, **(config["text_config"] or {})}
    first = int(inner["pad_token_id"]) + 1
    drawing = Drawing("clap-text")
    x = text_encoder(drawing, weights, "text_model.", inner, first)
    pooled = drawing.op("Tanh", drawing.named_linear(_first(drawing, x), weights, "text_model.pooler.dense"))
    _embedding(drawing, pooled, weights, "text_projection", config)
    scale = float(np.exp(np.asarray(weights["logit_scale_a"], np.float64)))
    return drawing.model(longest=json.dumps(int(inner["max_position_embeddings"]) - first), scale=json.dumps(scale))


def clap_audio(weights: Mapping[str, Array], config: Mapping[str, Any]) -> onnx.ModelProto:
    """The sound's side: ``columns`` (count, 1001, bands), in dB, → ``embedding`` (count, size), of length 1."""
    expect(config, "clap")
    inner = {**AUDIO_DEFAULTS, **config["audio_config"]}
    if inner["enable_fusion"]:
        what = "this CLAP fuses several views of a longer sound, which is not drawn here."
        raise ModelError(Problem("wrong-architecture", what, "Take one that is 'unfused', such as clap-htsat-unfused."))
    base = "audio_model.audio_encoder"
    bands, width, epsilon = int(inner["num_mel_bins"]), int(inner["spec_size"]), float(inner["layer_norm_eps"])
    drawing = Drawing("clap-audio")
    x = _picture(drawing, weights, base, bands, width)
    patch, stride = (_one(inner[key]) for key in ("patch_size", "patch_stride"))
    projection = f"{base}.patch_embed.proj"
    channels = weights[f"{projection}.weight"].shape[0]
    x = drawing.conv(x, weights[f"{projection}.weight"], weights[f"{projection}.bias"], strides=[stride, stride],
                     pads=[(patch - stride) // 2] * 4)  # fmt: skip
    x = drawing.op("Transpose", drawing.reshape(x, 0, channels, -1), perm=[0, 2, 1])
    if inner["enable_patch_layer_norm"]:
        x = drawing.layer_norm(x, weights, f"{base}.patch_embed.norm")
    side, stages = width // stride, len(inner["depths"])
    for stage, depth in enumerate(inner["depths"]):
        for number in range(depth):
            name = f"{base}.layers.{stage}.blocks.{number}"
            heads, window = int(inner["num_attention_heads"][stage]), int(inner["window_size"])
            shift = window // 2 if number % 2 and side > window else 0
            x = _swin_layer(drawing, x, weights, name, side, min(side, window), shift, heads, epsilon,
                            str(inner["hidden_act"]))  # fmt: skip
        if stage < stages - 1:
            x = _merged(drawing, x, weights, f"{base}.layers.{stage}.downsample", side)
            side //= 2
    pooled = drawing.op("ReduceMean", drawing.layer_norm(x, weights, f"{base}.norm"), axes=[1], keepdims=0)
    _embedding(drawing, pooled, weights, "audio_projection", config)
    return drawing.model()


def _picture(drawing: Drawing, weights: Mapping[str, Array], base: str, bands: int, width: int) -> str:
    """Columns, normalised band by band and stretched a little, are cut into pieces of time that stand above each other:
    (count, 1, width, width)."""
    columns = drawing.input("columns", ["count", FRAMES, bands])
    norm = {key: np.asarray(weights[f"{base}.batch_norm.{key}"], np.float64)
            for key in ("weight", "bias", "running_mean", "running_var")}  # fmt: skip
    gain = norm["weight"] / np.sqrt(norm["running_var"] + 1e-5)
    x = drawing.op("Mul", columns, drawing.weight(gain))
    x = drawing.unsqueeze(drawing.op("Add", x, drawing.weight(norm["bias"] - norm["running_mean"] * gain)), 1)
    pieces = width // bands
    if width * pieces < FRAMES:
        raise ValueError(f"{FRAMES} columns of {bands} bands find no room in a picture of {width} × {width}")
    x = drawing.op("MatMul", drawing.weight(_stretch(FRAMES, width * pieces)), x)
    x = drawing.op("Transpose", drawing.reshape(x, 0, pieces, width, bands), perm=[0, 1, 3, 2])
    return drawing.reshape(x, 0, 1, width, width)


def _stretch(size: int, wanted: int) -> Array:
    """Bicubic interpolation of `size` numbers at `wanted` places, the first and last of which are theirs:
    (wanted, size). Beyond its ends a row goes on as it ends.

    Source: R. Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981, with a slope of -0.75.
    """
    places = np.arange(wanted) * ((size - 1) / (wanted - 1))
    found = np.zeros((wanted, size))
    for tap in range(-1, 3):
        near = np.floor(places) + tap
        d = np.abs(places - near)
        inner = ((CUBIC + 2.0) * d - (CUBIC + 3.0)) * d * d + 1.0
        outer = CUBIC * (((d - 5.0) * d + 8.0) * d - 4.0)
        weight = np.where(d <= 1.0, inner, np.where(d < 2.0, outer, 0.0))
        np.add.at(found, (np.arange(wanted), np.clip(near, 0, size - 1).astype(int)), weight)
    return found


def _swin_layer(
    drawing: Drawing, x: str, weights: Mapping[str, Array], name: str, side: int, window: int, shift: int, heads: int,
    epsilon: float, function: str,
) -> str:  # fmt: skip
    """Attention within windows of a square of ``side × side`` places, then two layers; both are added."""
    order = _windows(np.roll(np.arange(side * side).reshape(side, side), (-shift, -shift), (0, 1)), window).reshape(-1)
    each = window * window
    size = weights[f"{name}.attention.self.query.weight"].shape[0]
    seen = drawing.op("Gather", drawing.layer_norm(x, weights, f"{name}.layernorm_before", epsilon),
                      drawing.integers(*order), axis=1)  # fmt: skip
    query, key, value = (
        drawing.op("Transpose", drawing.reshape(
            drawing.named_linear(seen, weights, f"{name}.attention.self.{part}"), 0, -1, each, heads, size // heads
        ), perm=perm)
        for part, perm in (("query", [0, 1, 3, 2, 4]), ("key", [0, 1, 3, 4, 2]), ("value", [0, 1, 3, 2, 4]))
    )  # fmt: skip
    table = weights[f"{name}.attention.self.relative_position_bias_table"]
    if len(table) != (2 * window - 1) ** 2:
        raise ValueError(f"{name} was made for other windows than {window} × {window}")
    bias = table[_apart(window)]  # (each, each, heads)
    bias = np.transpose(bias, (2, 0, 1))[None] + _walls(side, window, shift)[:, None]
    scores = drawing.op("MatMul", drawing.op("Mul", query, drawing.weight((size // heads) ** -0.5)), key)
    likely = drawing.op("Softmax", drawing.op("Add", scores, drawing.weight(bias)), axis=-1)
    mixed = drawing.op("Transpose", drawing.op("MatMul", likely, value), perm=[0, 1, 3, 2, 4])
    mixed = drawing.named_linear(
        drawing.reshape(mixed, 0, side * side, size), weights, f"{name}.attention.output.dense"
    )
    back = drawing.op("Gather", mixed, drawing.integers(*np.argsort(order)), axis=1)
    x = drawing.op("Add", x, back)
    seen = drawing.layer_norm(x, weights, f"{name}.layernorm_after", epsilon)
    wide = activation(drawing, drawing.named_linear(seen, weights, f"{name}.intermediate.dense"), function)
    found: str = drawing.op("Add", x, drawing.named_linear(wide, weights, f"{name}.output.dense"))
    return found


def _merged(drawing: Drawing, x: str, weights: Mapping[str, Array], name: str, side: int) -> str:
    """Each four neighbours become one place, with twice the numbers."""
    places = np.arange(side * side).reshape(side, side)
    order = np.stack([places[row::2, column::2] for column in range(2) for row in range(2)], axis=-1).reshape(-1)
    four = drawing.op("Gather", x, drawing.integers(*order), axis=1)
    four = drawing.reshape(four, 0, side * side // 4, weights[f"{name}.norm.weight"].shape[0])
    return drawing.named_linear(drawing.layer_norm(four, weights, f"{name}.norm"), weights, f"{name}.reduction")


def _windows(square: Array, window: int) -> Array:
    """(windows, window²), row by row."""
    count = square.shape[0] // window
    if count * window != square.shape[0]:
        raise ValueError(f"{square.shape[0]} places have no windows of {window}")
    return square.reshape(count, window, count, window).transpose(0, 2, 1, 3).reshape(-1, window * window)


def _apart(window: int) -> Array:
    """For two places of a window, which row of the table tells how they stand to each other: (window², window²)."""
    rows, columns = (item.reshape(-1) for item in np.indices((window, window)))
    down, across = rows[:, None] - rows[None] + window - 1, columns[:, None] - columns[None] + window - 1
    found: Array = down * (2 * window - 1) + across
    return found


def _walls(side: int, window: int, shift: int) -> Array:
    """(windows, window², window²), or one for all: `APART` between places that only the shift made neighbours."""
    if not shift:
        return np.zeros((1, window * window, window * window), np.float32)
    part = np.searchsorted([side - window, side - shift], np.arange(side), side="right")
    parts = _windows(part[:, None] * 3 + part[None], window)
    return np.where(parts[:, :, None] == parts[:, None], np.float32(0.0), np.float32(APART))


def _first(drawing: Drawing, x: str) -> str:
    """The first token of each text."""
    return drawing.squeeze(drawing.op("Gather", x, drawing.integers(0), axis=1), 1)


def _embedding(drawing: Drawing, x: str, weights: Mapping[str, Array], name: str, config: Mapping[str, Any]) -> None:
    """The vector in the space that both sides share."""
    wide = activation(
        drawing, drawing.named_linear(x, weights, f"{name}.linear1"), str(config["projection_hidden_act"])
    )
    found = drawing.unit(drawing.named_linear(wide, weights, f"{name}.linear2"))
    drawing.output(found, "embedding", ["count", weights[f"{name}.linear2.weight"].shape[0]])


def _one(size: int | list[int]) -> int:
    """A side of a square, which config.json gives once or twice."""
    sides = [size, size] if isinstance(size, int) else list(size)
    if sides[0] != sides[1]:
        raise ValueError(f"patches of {sides[0]} × {sides[1]} are no squares")
    return int(sides[0])
