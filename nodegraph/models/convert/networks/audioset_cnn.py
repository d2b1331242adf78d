"""PANNs' CNN14, and what was pruned from it: AudioSet's classes, and an embedding.

Source: Q. Kong and others, "PANNs: Large-Scale Pretrained Audio Neural Networks for Audio Pattern Recognition",
IEEE/ACM TASLP 28, 2020, section III; A. Singh, H. Liu and M. D. Plumbley, "E-PANNs: Sound Recognition Using Efficient
Pre-Trained Audio Neural Networks", Inter-Noise 2023. Weights: Zenodo 3987831 and 7939403.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx

from nodegraph.models.convert.drawing import Array, Drawing
from nodegraph.models.convert.fitting import Shape, batch_norm, check_fit, layer

BINS, BANDS, BLOCKS = 513, 64, 6
LEAST_POWER = 1e-10
EPSILON = 1e-5
MELS = "logmel_extractor.melW"


def cnn14(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Power spectra (n, frames, 513), 1024-point, 100 a second at 32 kHz → tags (n, classes), embedding (n, size).

    At least 32 frames. How many channels a layer has follows from the weights, so that pruned networks are drawn, too.
    """
    sizes = check_fit(weights, wanted(), r"spectrogram_extractor\..*")
    net = Drawing("cnn14")
    power = net.input("power", ("n", "frames", BINS))
    mels = net.op("Max", net.op("MatMul", power, net.weight(weights[MELS])), net.weight(LEAST_POWER))
    decibels = net.op("Mul", net.op("Log", mels), net.weight(10.0 / np.log(10.0)))
    x = net.unsqueeze(_norm_bands(net, decibels, weights), 1)  # (n, 1, frames, bands)
    for block in range(1, BLOCKS + 1):
        for half in (1, 2):
            x = net.conv(x, weights[f"conv_block{block}.conv{half}.weight"], pads=[1, 1, 1, 1])
            x = net.relu(net.batch_norm(x, weights, f"conv_block{block}.bn{half}", EPSILON))
        if block < BLOCKS:
            x = net.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    bands = net.op("ReduceMean", x, axes=[3], keepdims=0)
    most, mean = (net.op(kind, bands, axes=[2], keepdims=0) for kind in ("ReduceMax", "ReduceMean"))
    embedding = net.relu(net.named_linear(net.op("Add", most, mean), weights, "fc1"))
    net.output(net.op("Sigmoid", net.named_linear(embedding, weights, "fc_audioset")), "tags", ("n", sizes["classes"]))
    net.output(embedding, "embedding", ("n", sizes["embedding"]))
    return net.model()


def wanted() -> dict[str, Shape]:
    """The weights of it, by their names; texts are numbers of channels."""
    shapes: dict[str, Shape] = {MELS: (BINS, BANDS), **batch_norm("bn0", BANDS)}
    before: int | str = 1
    for block in range(1, BLOCKS + 1):
        for half in (1, 2):
            channels = f"channels of conv_block{block}.conv{half}"
            shapes |= layer(f"conv_block{block}.conv{half}", channels, before, 3, 3, bias=False)
            shapes |= batch_norm(f"conv_block{block}.bn{half}", channels)
            before = channels
    return shapes | layer("fc1", "embedding", before) | layer("fc_audioset", "classes", "embedding")


def _norm_bands(net: Drawing, x: str, weights: Mapping[str, Array]) -> str:
    """Batch normalisation of the bands, which are the last axis here."""
    gain, offset, mean, variance = (
        np.asarray(weights[f"bn0.{name}"], np.float64) for name in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gain / np.sqrt(variance + EPSILON)
    found: str = net.op("Add", net.op("Mul", x, net.weight(scale)), net.weight(offset - mean * scale))
    return found
