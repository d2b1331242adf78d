"""The Audio Spectrogram Transformer, which tags sounds.

Source: Y. Gong, Y.-A. Chung, J. Glass, "AST: Audio Spectrogram Transformer", Interspeech 2021, section 2; layout of the
checkpoints: transformers, ``ASTForAudioClassification``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx

from nodegraph.models.convert.drawing import Array, Drawing
from nodegraph.models.convert.hubfile import expect, labels_of
from nodegraph.models.convert.networks.transformer import Names, below, pre_norm_layer, repeated

LAYER: Final = Names(
    "attention.attention.query", "attention.attention.key", "attention.attention.value", "attention.output.dense",
    "layernorm_before", "intermediate.dense", "output.dense", "layernorm_after",
)  # fmt: skip


def spectrogram_transformer(weights: Mapping[str, Array], config: Mapping[str, Any]) -> onnx.ModelProto:
    """AST with its classifier: ``columns`` (count, frames, bands) → ``logits`` (count, labels) and ``embedding``
    (count, size), the mean of its two first tokens. The note ``labels`` names the classes, as a JSON list."""
    expect(config, "audio-spectrogram-transformer")
    labels = labels_of(config)
    frames, bands, size = int(config["max_length"]), int(config["num_mel_bins"]), int(config["hidden_size"])
    epsilon = float(config["layer_norm_eps"])
    base = "audio_spectrogram_transformer"
    drawing = Drawing("spectrogram-transformer")
    columns = drawing.input("columns", ["count", frames, bands])
    picture = drawing.op("Transpose", drawing.unsqueeze(columns, 1), perm=[0, 1, 3, 2])
    patch = f"{base}.embeddings.patch_embeddings.projection"
    strides = [int(config["frequency_stride"]), int(config["time_stride"])]
    patches = drawing.conv(picture, weights[f"{patch}.weight"], weights[f"{patch}.bias"], strides=strides)
    patches = drawing.op("Transpose", drawing.reshape(patches, 0, size, -1), perm=[0, 2, 1])
    places = np.asarray(weights[f"{base}.embeddings.position_embeddings"], np.float32)
    tokens = np.concatenate(
        [weights[f"{base}.embeddings.{name}"] for name in ("cls_token", "distillation_token")], axis=1
    )
    patches = drawing.op("Add", patches, drawing.weight(places[:, 2:]))
    x = drawing.op("Concat", repeated(drawing, tokens + places[:, :2], patches), patches, axis=1)
    for number in range(int(config["num_hidden_layers"])):
        x = pre_norm_layer(drawing, x, weights, below(f"{base}.encoder.layer.{number}", LAYER), config)
    two = drawing.op("Slice", x, drawing.integers(0), drawing.integers(2), drawing.integers(1))
    two = drawing.layer_norm(two, weights, f"{base}.layernorm", epsilon)
    embedding = drawing.op("ReduceMean", two, axes=[1], keepdims=0)
    seen = drawing.layer_norm(embedding, weights, "classifier.layernorm", epsilon)
    logits = drawing.named_linear(seen, weights, "classifier.dense")
    drawing.output(logits, "logits", ["count", len(labels)])
    drawing.output(embedding, "embedding", ["count", size])
    return drawing.model(labels=json.dumps(labels))
