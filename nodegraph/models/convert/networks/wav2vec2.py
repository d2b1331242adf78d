"""Wav2Vec 2.0: speech as fifty vectors a second, learned without words; and classifiers that stand on it.

Source: A. Baevski and others, "wav2vec 2.0: A Framework for Self-Supervised Learning of Speech Representations",
NeurIPS 2020, section 2; S. Yang and others, "SUPERB: Speech processing Universal PERformance Benchmark", Interspeech
2021. Layout of the checkpoints: transformers, ``Wav2Vec2Model``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx

from nodegraph.core.errors import ModelError, Problem
from nodegraph.models.convert.drawing import Array, Drawing
from nodegraph.models.convert.hubfile import expect, labels_of
from nodegraph.models.convert.networks.transformer import Names, activation, below, post_norm_layer

LAYER: Final = Names(
    "attention.q_proj", "attention.k_proj", "attention.v_proj", "attention.out_proj", "layer_norm",
    "feed_forward.intermediate_dense", "feed_forward.output_dense", "final_layer_norm",
)  # fmt: skip


def wav2vec2(weights: Mapping[str, Array], config: Mapping[str, Any]) -> onnx.ModelProto:
    """``sound`` (count, samples), of mean 0 and variance 1 → ``features`` (count, frames, size)."""
    drawing = Drawing("wav2vec2")
    features = _layers(drawing, weights, config)[-1]
    drawing.output(features, "features", ["count", "frames", int(config["hidden_size"])])
    return drawing.model()


def wav2vec2_classifier(weights: Mapping[str, Array], config: Mapping[str, Any]) -> onnx.ModelProto:
    """``sound`` (count, samples), of mean 0 and variance 1 → ``logits`` (count, labels). The note ``labels`` names the
    classes, as a JSON list."""
    drawing = Drawing("wav2vec2-classifier")
    layers = _layers(drawing, weights, config)
    labels = labels_of(config)
    features = layers[-1]
    if config.get("use_weighted_layer_sum"):
        given = np.asarray(weights["layer_weights"], np.float64)
        shares = np.exp(given - given.max())
        shares /= shares.sum()
        parts = [drawing.op("Mul", layer, drawing.weight(share)) for layer, share in zip(layers, shares, strict=True)]
        features = drawing.op("Sum", *parts)
    mean = drawing.op("ReduceMean", drawing.named_linear(features, weights, "projector"), axes=[1], keepdims=0)
    drawing.output(drawing.named_linear(mean, weights, "classifier"), "logits", ["count", len(labels)])
    return drawing.model(labels=json.dumps(labels))


def _layers(drawing: Drawing, weights: Mapping[str, Array], config: Mapping[str, Any]) -> list[str]:
    """What the encoder begins with, and what each of its layers makes of it: (count, frames, size)."""
    expect(config, "wav2vec2")
    if config.get("do_stable_layer_norm") or config.get("feat_extract_norm", "group") != "group":
        what = "this Wav2Vec 2.0 normalises before its layers, as the large ones do, which is not drawn here."
        raise ModelError(Problem("wrong-architecture", what, "Take one of the size 'base'."))
    base = "wav2vec2." if any(name.startswith("wav2vec2.") for name in weights) else ""
    function = str(config.get("feat_extract_activation", "gelu"))
    x = drawing.unsqueeze(drawing.input("sound", ["count", "samples"]), 1)
    for number, stride in enumerate(config["conv_stride"]):
        name = f"{base}feature_extractor.conv_layers.{number}"
        x = drawing.conv(x, weights[f"{name}.conv.weight"], weights.get(f"{name}.conv.bias"), strides=[int(stride)])
        if number == 0:  # each channel over all its time
            norm = (drawing.weight(weights[f"{name}.layer_norm.{part}"]) for part in ("weight", "bias"))
            x = drawing.op("InstanceNormalization", x, *norm, epsilon=1e-5)
        x = activation(drawing, x, function)
    epsilon = float(config["layer_norm_eps"])
    x = drawing.op("Transpose", x, perm=[0, 2, 1])
    x = drawing.layer_norm(x, weights, f"{base}feature_projection.layer_norm", epsilon)
    x = drawing.named_linear(x, weights, f"{base}feature_projection.projection")
    x = drawing.op("Add", x, _places(drawing, x, weights, f"{base}encoder.pos_conv_embed.conv", config, function))
    layers = [drawing.layer_norm(x, weights, f"{base}encoder.layer_norm", epsilon)]
    for number in range(int(config["num_hidden_layers"])):
        layers.append(
            post_norm_layer(drawing, layers[-1], weights, below(f"{base}encoder.layers.{number}", LAYER), config)
        )
    return layers


def _places(
    drawing: Drawing, x: str, weights: Mapping[str, Array], name: str, config: Mapping[str, Any], function: str
) -> str:
    """Where each frame stands, told by what stands around it: a wide convolution, whose weights are kept as directions
    and lengths (by old and new names)."""
    old, new = (f"{name}.weight_g", f"{name}.weight_v"), tuple(
        f"{name}.parametrizations.weight.original{number}" for number in range(2)
    )  # fmt: skip
    lengths, directions = (np.asarray(weights[part], np.float64) for part in (old if old[0] in weights else new))
    weight = lengths * directions / np.sqrt((directions**2).sum(axis=(0, 1), keepdims=True))
    around = weight.shape[2]
    near = drawing.conv(
        drawing.op("Transpose", x, perm=[0, 2, 1]), weight, weights[f"{name}.bias"],
        pads=[around // 2, (around - 1) // 2], group=int(config["num_conv_pos_embedding_groups"]),
    )  # fmt: skip
    found: str = drawing.op("Transpose", activation(drawing, near, function), perm=[0, 2, 1])
    return found
