"""What encoders of transformers share: attention of a sequence to itself, and the layers between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from nodegraph.models.convert.drawing import Array, Drawing


class Names(NamedTuple):
    """What a layer's parts are called in a checkpoint, below the layer's own name.

    `before` is the normalisation of the attention, `after` that of the two layers behind it.
    """

    query: str
    key: str
    value: str
    mixed: str
    before: str
    up: str
    down: str
    after: str


def self_attention(drawing: Drawing, x: str, weights: Mapping[str, Array], names: Names, heads: int,
                   mask: str = "") -> str:  # fmt: skip
    """Attention of ``(batch, time, size)`` to itself; the names are whole."""
    size = weights[f"{names.query}.weight"].shape[0]
    if size % heads:
        raise ValueError(f"a width of {size} has no {heads} equal heads")
    query, key, value = (drawing.named_linear(x, weights, name) for name in (names.query, names.key, names.value))
    return drawing.named_linear(drawing.attention(query, key, value, heads, size, mask), weights, names.mixed)


def activation(drawing: Drawing, x: str, name: str) -> str:
    """The function that config.json names. Raises ValueError for one that is none of ours."""
    if name == "gelu":
        return drawing.gelu(x)
    if name == "relu":
        return drawing.relu(x)
    raise ValueError(f"there is no activation '{name}' here")


def post_norm_layer(drawing: Drawing, x: str, weights: Mapping[str, Array], names: Names, config: Mapping[str, Any],
                    mask: str = "") -> str:  # fmt: skip
    """A layer as BERT has it: each half is added, then normalised."""
    epsilon = float(config["layer_norm_eps"])
    mixed = self_attention(drawing, x, weights, names, int(config["num_attention_heads"]), mask)
    x = drawing.layer_norm(drawing.op("Add", x, mixed), weights, names.before, epsilon)
    wide = activation(drawing, drawing.named_linear(x, weights, names.up), str(config["hidden_act"]))
    return drawing.layer_norm(
        drawing.op("Add", x, drawing.named_linear(wide, weights, names.down)), weights, names.after, epsilon
    )


def pre_norm_layer(drawing: Drawing, x: str, weights: Mapping[str, Array], names: Names, config: Mapping[str, Any],
                   mask: str = "") -> str:  # fmt: skip
    """A layer as ViT has it: each half sees what is normalised, and is added to what is not."""
    epsilon = float(config["layer_norm_eps"])
    seen = drawing.layer_norm(x, weights, names.before, epsilon)
    x = drawing.op("Add", x, self_attention(drawing, seen, weights, names, int(config["num_attention_heads"]), mask))
    seen = drawing.layer_norm(x, weights, names.after, epsilon)
    wide = activation(drawing, drawing.named_linear(seen, weights, names.up), str(config["hidden_act"]))
    found: str = drawing.op("Add", x, drawing.named_linear(wide, weights, names.down))
    return found


def below(prefix: str, names: Names) -> Names:
    """The whole names of a layer's parts."""
    return Names(*(f"{prefix}.{name}" for name in names))


def repeated(drawing: Drawing, constant: Array, like: str) -> str:
    """A constant ``(1, …)``, once for each in the batch of `like`."""
    shape = drawing.op("Concat", drawing.size_of(like, 0), drawing.integers(*constant.shape[1:]), axis=0)
    found: str = drawing.op("Expand", drawing.weight(np.asarray(constant)), shape)
    return found


BERT: Final = Names(
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
    "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm",
)  # fmt: skip


def text_encoder(drawing: Drawing, weights: Mapping[str, Array], base: str, config: Mapping[str, Any],
                 first: int) -> str:  # fmt: skip
    """BERT, or RoBERTa: the input ``ids`` (count, length), texts of one length without padding, becomes
    (count, length, size). `base` is the network's name in the checkpoint, with a dot if there is one; `first`: the
    place of the first token in the table of places."""
    table = f"{base}embeddings"
    ids = drawing.input("ids", ["count", "length"], np.int64)
    words = drawing.op("Gather", drawing.weight(weights[f"{table}.word_embeddings.weight"]), ids)
    places = (
        weights[f"{table}.position_embeddings.weight"][first:] + weights[f"{table}.token_type_embeddings.weight"][0]
    )
    here = drawing.op("Slice", drawing.weight(places), drawing.integers(0), drawing.size_of(ids, 1))
    x = drawing.layer_norm(
        drawing.op("Add", words, here), weights, f"{table}.LayerNorm", float(config["layer_norm_eps"])
    )
    for number in range(int(config["num_hidden_layers"])):
        x = post_norm_layer(drawing, x, weights, below(f"{base}encoder.layer.{number}", BERT), config)
    return x
