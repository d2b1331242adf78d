"""BeatNet: how likely it is that a beat, or a downbeat, is now.

Source: M. Heydari, F. Cwitkowitz and Z. Duan, "BeatNet: CRNN and Particle Filtering for Online Joint Beat, Downbeat and
Meter Tracking", ISMIR 2021, section 3.1. Weights: BeatNet (CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from nodegraph.models.convert.drawing import Array, Drawing

FEATURES, SIZE, LAYERS, CLASSES = 272, 150, 2, 3


def beat_activations(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Features (time, 272), one row each 20 ms → likelihood (time, 3) of beat, downbeat, neither.

    `hidden` and `cell` (2, 1, 150) are its memory: what comes out as `hidden_out` and `cell_out` goes in again.
    """
    net = Drawing("beatnet")
    rows = net.unsqueeze(net.input("features", ("time", FEATURES)), 1)
    states = [net.input(name, (LAYERS, 1, SIZE)) for name in ("hidden", "cell")]
    x = net.relu(net.conv(rows, weights["conv1.weight"], weights["conv1.bias"]))
    x = net.op("MaxPool", x, kernel_shape=[2], strides=[2])
    x = net.linear(net.op("Flatten", x), weights["linear0.weight"], weights["linear0.bias"])
    x = net.unsqueeze(x, 1)
    halves = [net.op("Split", state, axis=0, count=LAYERS) for state in states]
    lasts, cells = [], []
    for layer in range(LAYERS):
        x, last, cell = net.lstm(x, weights, "lstm", layer, halves[0][layer], halves[1][layer])
        lasts.append(last)
        cells.append(cell)
    scores = net.linear(net.squeeze(x, 1), weights["linear.weight"], weights["linear.bias"])
    net.output(net.op("Softmax", scores, axis=1), "likelihoods", ("time", CLASSES))
    for name, parts in (("hidden_out", lasts), ("cell_out", cells)):
        net.output(net.op("Concat", *parts, axis=0), name, (LAYERS, 1, SIZE))
    return net.model()
