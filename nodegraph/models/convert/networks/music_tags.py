"""musicnn: fifty tags of music.

Source: J. Pons and X. Serra, "musicnn: Pre-trained Convolutional Neural Networks for Music Audio Tagging", ISMIR 2019
late-breaking; J. Pons and others, "End-to-end Learning for Music Audio Tagging at Scale", ISMIR 2018, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx

from nodegraph.models.convert.drawing import Array, Drawing

FRAMES, BANDS, TAGS, EMBEDDING = 187, 96, 50, 200
EPSILON = 0.001
LENGTHS = (128, 64, 32)
"""Of the filters that hear rhythm, in frames."""


def musicnn(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Columns (n, 187, 96), ``log10(10000 mel + 1)`` → likelihood (n, 50) of each tag, and embedding (n, 200).

    `weights` are named as in the TensorFlow checkpoint; the layers have no names but numbers.
    """
    net = Drawing("musicnn")

    def named(kind: str, number: int) -> str:
        return kind if number == 0 else f"{kind}_{number}"

    def norm(x: str, number: int) -> str:
        place = named("batch_normalization", number)
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        found: str = net.op(
            "BatchNormalization", x, *(net.weight(weights[f"{place}/{name}"]) for name in names), epsilon=EPSILON
        )
        return found

    def conv(x: str, number: int, pads: list[int]) -> str:
        place = named("conv2d", number)
        kernel = np.transpose(weights[f"{place}/kernel"], (3, 2, 0, 1))
        return net.relu(net.conv(x, kernel, weights[f"{place}/bias"], pads=pads))

    def loudest_band(x: str) -> str:
        found: str = net.op("ReduceMax", x, axes=[3], keepdims=0)
        return found

    x = norm(net.unsqueeze(net.input("columns", ("n", FRAMES, BANDS)), 1), 0)  # (n, 1, time, bands)
    heard = [loudest_band(norm(conv(x, number, [3, 0, 3, 0]), number + 1)) for number in (0, 1)]
    for number, length in enumerate(LENGTHS, 2):
        before = (length - 1) // 2  # "same", as TensorFlow pads
        heard.append(loudest_band(norm(conv(x, number, [before, 0, length - 1 - before, 0]), number + 1)))
    front = net.unsqueeze(net.op("Transpose", net.op("Concat", *heard, axis=1), perm=[0, 2, 1]), 1)

    def middle(x: str, number: int) -> str:
        found: str = net.op("Transpose", norm(conv(x, number, [3, 0, 3, 0]), number + 1), perm=[0, 3, 2, 1])
        return found

    first = middle(front, 5)
    second = net.op("Add", middle(first, 6), first)
    third = net.op("Add", middle(second, 7), second)
    features = net.squeeze(net.op("Concat", front, first, second, third, axis=3), 1)
    most = net.op("ReduceMax", features, axes=[1], keepdims=0)
    mean = net.op("ReduceMean", features, axes=[1], keepdims=0)
    pairs = net.op("Concat", net.unsqueeze(most, 2), net.unsqueeze(mean, 2), axis=2)
    flat = norm(net.op("Flatten", pairs), 9)
    dense = net.relu(net.linear(flat, weights["dense/kernel"].T, weights["dense/bias"]))
    embedding = norm(dense, 10)
    scores = net.linear(embedding, weights["dense_1/kernel"].T, weights["dense_1/bias"])
    net.output(net.op("Sigmoid", scores), "tags", ("n", TAGS))
    net.output(embedding, "embedding", ("n", EMBEDDING))
    return net.model()
