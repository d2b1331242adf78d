"""OpenL3: an embedding of sound, learned from which pictures go with it.

Source: J. Cramer, H.-H. Wu, J. Salamon and J. P. Bello, "Look, Listen and Learn More: Design Choices for Deep Audio
Embeddings", ICASSP 2019, section 2. Weights: torchopenl3 (Apache-2.0), made from openl3's, which are CC BY 4.0.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx

from nodegraph.models.convert.drawing import Array, Drawing
from nodegraph.models.convert.fitting import Shape, batch_norm, check_fit, layer

BINS, BANDS, FRAMES, CONVOLUTIONS = 1_025, 256, 199, 7
LEAST, RANGE_DB = 1e-10, 80.0
EPSILON = 1e-3
MELS = "speclayer.mel_basis"
POOLS = {"512": (32, 24), "6144": (8, 8)}
"""By the length of the embedding: over how many bands and frames of the last layer a maximum is taken."""


def openl3(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Power spectra (n, 199, 1025) of a second at 48 kHz, 2048-point, every 242 samples → both embeddings.

    ``embedding_512`` (n, 512) and ``embedding_6144`` (n, 6144) come from the same weights, and differ in how much the
    last layer is pooled. The input has 256 mel bands.
    """
    sizes = check_fit(weights, wanted(), r"speclayer\.dft_(real|imag)_kernels")
    net = Drawing("openl3")
    power = net.input("power", ("n", FRAMES, BINS))
    mels = net.op("Sqrt", net.op("MatMul", power, net.weight(np.asarray(weights[MELS]).T)))
    logs = net.op("Log", net.op("Max", mels, net.weight(LEAST)))
    decibels = net.op("Mul", logs, net.weight(10.0 / np.log(10.0)))
    below = net.op("Sub", decibels, net.op("ReduceMax", decibels, axes=[1, 2], keepdims=1))
    heard = net.op("Max", below, net.weight(-RANGE_DB))
    x = net.unsqueeze(net.op("Transpose", heard, perm=[0, 2, 1]), 1)  # (n, 1, bands, frames)
    x = net.batch_norm(x, weights, "batch_normalization_1", EPSILON)
    for number in range(1, CONVOLUTIONS + 1):
        x = net.conv(x, weights[f"conv2d_{number}.weight"], weights[f"conv2d_{number}.bias"], pads=[1, 1, 1, 1])
        x = net.relu(net.batch_norm(x, weights, f"batch_normalization_{number + 1}", EPSILON))
        if number % 2 == 0:
            x = net.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    last = "audio_embedding_layer"
    x = net.conv(x, weights[f"{last}.weight"], weights[f"{last}.bias"], pads=[1, 1, 1, 1])
    bands, frames = BANDS // 8, FRAMES // 8
    for name, (high, wide) in POOLS.items():
        pooled = net.op("MaxPool", x, kernel_shape=[high, wide], strides=[high, wide])
        flat = net.op("Flatten", net.op("Transpose", pooled, perm=[0, 2, 3, 1]))
        size = (bands // high) * (frames // wide) * sizes["embedding"]
        net.output(flat, f"embedding_{name}", ("n", size))
    return net.model()


def wanted() -> dict[str, Shape]:
    """The weights of it, by their names; texts are numbers of channels."""
    shapes: dict[str, Shape] = {MELS: (BANDS, BINS), **batch_norm("batch_normalization_1", 1)}
    before: int | str = 1
    for number in range(1, CONVOLUTIONS + 1):
        channels = f"channels of conv2d_{number}"
        shapes |= layer(f"conv2d_{number}", channels, before, 3, 3)
        shapes |= batch_norm(f"batch_normalization_{number + 1}", channels)
        before = channels
    return shapes | layer("audio_embedding_layer", "embedding", before, 3, 3)
