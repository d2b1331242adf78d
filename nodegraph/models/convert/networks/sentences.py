"""BERT as Sentence Transformers use it: a sentence as one vector.

Source: J. Devlin and others, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", NAACL
2019; N. Reimers, I. Gurevych, "Sentence-BERT", EMNLP 2019. Layout of the checkpoints: transformers, ``BertModel``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import onnx

from nodegraph.models.convert.drawing import Array, Drawing
from nodegraph.models.convert.hubfile import expect
from nodegraph.models.convert.networks.transformer import text_encoder


def sentence_encoder(weights: Mapping[str, Array], config: Mapping[str, Any]) -> onnx.ModelProto:
    """``ids`` (count, length) → ``embedding`` (count, size), of length 1: the mean of all tokens. The note ``longest``
    says how many tokens a text may have."""
    expect(config, "bert")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise ValueError(f"places of the kind '{config['position_embedding_type']}' are not drawn here")
    base = "bert." if any(name.startswith("bert.") for name in weights) else ""
    drawing = Drawing("sentence-encoder")
    x = text_encoder(drawing, weights, base, config, 0)
    mean = drawing.op("ReduceMean", x, axes=[1], keepdims=0)
    drawing.output(drawing.unit(mean), "embedding", ["count", int(config["hidden_size"])])
    return drawing.model(longest=json.dumps(int(config["max_position_embeddings"])))
