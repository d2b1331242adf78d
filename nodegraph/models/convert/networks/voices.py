"""The GE2E voice encoder, as Resemblyzer trained it.

Source: L. Wan, Q. Wang, A. Papir and I. L. Moreno, "Generalized End-to-End Loss for Speaker Verification", ICASSP 2018,
section 2. Weights: Resemblyzer (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from nodegraph.models.convert.drawing import Array, Drawing

BANDS, LAYERS, SIZE = 40, 3, 256


def voice_encoder(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Mel columns (n, time, 40) → a vector of length 1 for each (n, 256)."""
    net = Drawing("voice-encoder")
    x = net.op("Transpose", net.input("columns", ("n", "time", BANDS)), perm=[1, 0, 2])
    last = ""
    for layer in range(LAYERS):
        x, last, _ = net.lstm(x, weights, "lstm", layer)
    raw = net.relu(net.linear(net.squeeze(last, 0), weights["linear.weight"], weights["linear.bias"]))
    length = net.op("ReduceL2", raw, axes=[1], keepdims=1)
    net.output(net.op("Div", raw, net.op("Max", length, net.weight(1e-12))), "voice", ("n", SIZE))
    return net.model()
