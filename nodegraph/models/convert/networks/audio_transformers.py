"""BEATs: AudioSet's classes, and an embedding, from patches of a mel spectrogram.

Source: S. Chen and others, "BEATs: Audio Pre-Training with Acoustic Tokenizers", ICML 2023, section 3; the gated
relative positions are those of Z. Chi and others, "XLM-E", ACL 2022; deep normalisation is that of H. Wang and others,
"DeepNet", 2022. Weights: Microsoft (unilm/beats), MIT.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import onnx

from nodegraph.models.convert.drawing import Array, Drawing
from nodegraph.models.convert.fitting import Shape, Unfit, check_fit, layer

BANDS: Final = 128
MOST: Final = 1 << 16  # of anything that the settings count
GATES: Final = 8  # four numbers for each of the two gates, which are summed


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a checkpoint says of its network. What only training needs is left out; the defaults are the authors'."""

    input_patch_size: int
    embed_dim: int = 512
    conv_bias: bool = False
    encoder_layers: int = 12
    encoder_embed_dim: int = 768
    encoder_ffn_embed_dim: int = 3072
    encoder_attention_heads: int = 12
    activation_fn: str = "gelu"
    layer_norm_first: bool = False
    deep_norm: bool = False
    conv_pos: int = 128
    conv_pos_groups: int = 16
    relative_position_embedding: bool = False
    num_buckets: int = 320
    max_distance: int = 1280
    gru_rel_pos: bool = False
    finetuned_model: bool = False
    predictor_class: int = 527

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Settings:
        """From ``cfg`` in a checkpoint. Raises Unfit."""
        known = {item.name: item for item in fields(cls)}
        chosen = {key: value for key, value in found.items() if key in known}
        for key, value in chosen.items():
            if type(value).__name__ != known[key].type:
                raise Unfit(f"its setting {key} is {value!r}, which is no {known[key].type}")
        if "input_patch_size" not in chosen:
            raise Unfit("its settings name no input_patch_size")
        made = cls(**chosen)
        size, heads = made.encoder_embed_dim, made.encoder_attention_heads
        counts = [getattr(made, name) for name, item in known.items() if item.type == "int"]
        odd = size % heads or size % made.conv_pos_groups or BANDS % made.input_patch_size
        if min(counts) < 1 or max(counts) > MOST or odd or made.num_buckets < 4 or made.max_distance < made.num_buckets:
            raise Unfit(f"its settings do not go together: {made}")
        if made.activation_fn not in ACTIVATIONS:
            raise Unfit(f"its activation is {made.activation_fn!r}, not one of {', '.join(ACTIVATIONS)}")
        return made


ACTIVATIONS: Final = ("gelu", "relu", "glu")


def beats(weights: Mapping[str, Array], settings: Mapping[str, Any], labels: Mapping[Any, Any]) -> onnx.ModelProto:
    """Kaldi's mel columns (n, frames, 128), 100 a second at 16 kHz, normalised → embedding (n, size), the mean over all
    patches.

    A network that was fine-tuned gives tags (n, classes), too; their names are in its notes, as JSON (``labels``).
    Columns at the end that do not fill a patch are left out.
    """
    made = Settings.read(settings)
    check_fit(weights, wanted(made))
    net = Drawing("beats")
    heard = net.unsqueeze(net.input("columns", ("n", "frames", BANDS)), 1)
    side = made.input_patch_size
    bias = weights.get("patch_embedding.bias")
    patches = net.conv(heard, weights["patch_embedding.weight"], bias, strides=[side, side])
    x = net.op("Transpose", net.reshape(patches, 0, made.embed_dim, -1), perm=[0, 2, 1])  # (n, patches, size)
    x = net.layer_norm(x, weights, "layer_norm")
    if "post_extract_proj.weight" in weights:
        x = net.named_linear(x, weights, "post_extract_proj")
    x = net.op("Add", x, _places(net, x, weights, made))
    if not made.layer_norm_first:
        x = net.layer_norm(x, weights, "encoder.layer_norm")
    near = _nearness(net, x, weights, made) if made.relative_position_embedding else ""
    for number in range(made.encoder_layers):
        x = _layer(net, x, weights, f"encoder.layers.{number}", made, near)
    if made.layer_norm_first:
        x = net.layer_norm(x, weights, "encoder.layer_norm")
    net.output(net.op("ReduceMean", x, axes=[1], keepdims=0), "embedding", ("n", made.encoder_embed_dim))
    if not made.finetuned_model:
        return net.model()
    scores = net.op("ReduceMean", net.named_linear(x, weights, "predictor"), axes=[1], keepdims=0)
    net.output(net.op("Sigmoid", scores), "tags", ("n", made.predictor_class))
    return net.model(labels=json.dumps(_ordered(labels, made.predictor_class)))


def wanted(made: Settings) -> dict[str, Shape]:
    """The weights of a network with these settings, by their names."""
    size, wide, side = made.encoder_embed_dim, made.encoder_ffn_embed_dim, made.input_patch_size
    each = size // made.encoder_attention_heads
    shapes = layer("patch_embedding", made.embed_dim, 1, side, side, bias=made.conv_bias)
    shapes |= layer("layer_norm", made.embed_dim)
    if made.embed_dim != size:
        shapes |= layer("post_extract_proj", size, made.embed_dim)
    shapes |= {
        "encoder.pos_conv.0.weight_g": (1, 1, made.conv_pos),
        "encoder.pos_conv.0.weight_v": (size, size // made.conv_pos_groups, made.conv_pos),
        "encoder.pos_conv.0.bias": (size,),
    }
    shapes |= layer("encoder.layer_norm", size)
    for number in range(made.encoder_layers):
        place = f"encoder.layers.{number}"
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            shapes |= layer(f"{place}.self_attn.{name}", size, size)
        if made.relative_position_embedding:  # all layers share one, which is saved with each
            shape = made.num_buckets, made.encoder_attention_heads
            shapes |= layer(f"{place}.self_attn.relative_attention_bias", *shape, bias=False)
        if made.gru_rel_pos:
            shapes |= layer(f"{place}.self_attn.grep_linear", GATES, each)
            shapes |= {f"{place}.self_attn.grep_a": (1, made.encoder_attention_heads, 1, 1)}
        if made.activation_fn == "glu":
            shapes |= layer(f"{place}.fc1.linear", 2 * wide, size)
        else:
            shapes |= layer(f"{place}.fc1", wide, size)
        shapes |= layer(f"{place}.fc2", size, wide)
        shapes |= layer(f"{place}.self_attn_layer_norm", size) | layer(f"{place}.final_layer_norm", size)
    return shapes | (layer("predictor", made.predictor_class, size) if made.finetuned_model else {})


def _ordered(labels: Mapping[Any, Any], count: int) -> list[str]:
    """The names of the classes, from a table of them by their numbers."""
    found = {int(number): str(label) for number, label in labels.items()}
    if sorted(found) != list(range(count)):
        raise Unfit(f"its label_dict does not name each of its {count} classes")
    return [found[number] for number in range(count)]


def _places(net: Drawing, x: str, weights: Mapping[str, Array], made: Settings) -> str:
    """What a convolution over all patches says of where they are; its weights are given as length and direction."""
    place = "encoder.pos_conv.0"
    direction = np.asarray(weights[f"{place}.weight_v"], np.float64)
    length = np.sqrt((direction**2).sum(axis=(0, 1), keepdims=True))
    kernel = np.asarray(weights[f"{place}.weight_g"], np.float64) * direction / length
    before = made.conv_pos // 2
    pads = [before, before - 1 + made.conv_pos % 2]  # as many come out as went in
    found = net.conv(
        net.op("Transpose", x, perm=[0, 2, 1]), kernel, weights[f"{place}.bias"], pads=pads, group=made.conv_pos_groups
    )
    return str(net.op("Transpose", net.gelu(found), perm=[0, 2, 1]))


def _nearness(net: Drawing, x: str, weights: Mapping[str, Array], made: Settings) -> str:
    """What each pair of patches gains or loses by the distance between them: (heads, patches, patches).

    It is the same for all distances from `max_distance` on, so a table of as many to each side says all.
    """
    farthest = made.max_distance
    table = np.asarray(weights["encoder.layers.0.self_attn.relative_attention_bias.weight"])
    by_distance = table[_buckets(np.arange(-farthest, farthest + 1), made.num_buckets, farthest)].T
    count = net.squeeze(net.op("Slice", net.op("Shape", x), net.integers(1), net.integers(2)), 0)
    zero, one = net.weight(0, np.int64), net.weight(1, np.int64)
    places = net.op("Range", zero, count, one)
    distances = net.op("Sub", net.unsqueeze(places, 0), net.unsqueeze(places, 1))
    clipped = net.op("Clip", distances, net.weight(-farthest, np.int64), net.weight(farthest, np.int64))
    rows = net.op("Add", clipped, net.weight(farthest, np.int64))
    return str(net.op("Gather", net.weight(by_distance), rows, axis=1))


def _buckets(distances: Array, count: int, farthest: int) -> Array:
    """The rows of the table for distances between patches: half of them for each direction; near ones have a row each,
    farther ones share rows whose width grows as their logarithm."""
    half = count // 2
    near = half // 2
    far = np.maximum(np.abs(distances), 1).astype(np.float32)
    grown = np.log(far / np.float32(near)) / np.float32(math.log(farthest / near)) * np.float32(half - near)
    shared = np.minimum(near + grown.astype(np.int64), half - 1)
    found = np.where(np.abs(distances) < near, np.abs(distances), shared)
    return np.asarray(found + half * (distances > 0))


def _layer(net: Drawing, x: str, weights: Mapping[str, Array], place: str, made: Settings, near: str) -> str:
    """One layer of the encoder. With deep normalisation what goes by counts more, the more layers there are."""

    def norm(x: str, name: str) -> str:
        return net.layer_norm(x, weights, f"{place}.{name}")

    def widened(x: str) -> str:
        if made.activation_fn == "glu":
            both = net.named_linear(x, weights, f"{place}.fc1.linear")
            plain, gate = net.op("Split", both, axis=-1, count=2)
            x = net.op("Mul", plain, net.op("Mul", gate, net.op("Sigmoid", gate)))
        else:
            x = net.named_linear(x, weights, f"{place}.fc1")
            x = net.gelu(x) if made.activation_fn == "gelu" else net.relu(x)
        return net.named_linear(x, weights, f"{place}.fc2")

    if made.layer_norm_first:
        calm = norm(x, "self_attn_layer_norm")
        x = net.op("Add", x, _attention(net, calm, weights, f"{place}.self_attn", made, near))
        return str(net.op("Add", x, widened(norm(x, "final_layer_norm"))))
    share = net.weight((2.0 * made.encoder_layers) ** 0.25 if made.deep_norm else 1.0)
    heard = _attention(net, x, weights, f"{place}.self_attn", made, near)
    x = norm(net.op("Add", net.op("Mul", x, share), heard), "self_attn_layer_norm")
    return norm(net.op("Add", net.op("Mul", x, share), widened(x)), "final_layer_norm")


def _attention(net: Drawing, x: str, weights: Mapping[str, Array], place: str, made: Settings, near: str) -> str:
    """Attention of all patches to all; how much their distance counts, each query decides (`gru_rel_pos`)."""
    heads, size = made.encoder_attention_heads, made.encoder_embed_dim
    query, key, value = (net.named_linear(x, weights, f"{place}.{name}_proj") for name in ("q", "k", "v"))
    mask = near
    if near and made.gru_rel_pos:
        by_head = net.op("Transpose", net.reshape(query, 0, -1, heads, size // heads), perm=[0, 2, 1, 3])
        summed = np.asarray(weights[f"{place}.grep_linear.weight"]).reshape(2, GATES // 2, -1).sum(axis=1)
        offset = np.asarray(weights[f"{place}.grep_linear.bias"]).reshape(2, GATES // 2).sum(axis=1)
        gates = net.op("Sigmoid", net.linear(by_head, summed, offset))
        first, second = net.op("Split", gates, axis=-1, count=2)  # (n, heads, patches, 1)
        turned = net.op("Sub", net.op("Mul", second, net.weight(weights[f"{place}.grep_a"])), net.weight(1.0))
        mask = net.op("Mul", net.op("Add", net.op("Mul", first, turned), net.weight(2.0)), near)
    return net.named_linear(net.attention(query, key, value, heads, size, mask), weights, f"{place}.out_proj")
