"""aiSFX: an embedding of sound effects.

Source: A. Ma and others, "Representation Learning for the Automatic Indexing of Sound Effects Libraries", ISMIR 2022
(model X-Sequential-CE). The network is the nine-layer CNN of Q. Kong and others, "DCASE 2018 Challenge Surrey
Cross-Task Convolutional Neural Network Baseline", 2018. Weights: aisfx (CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from nodegraph.models.convert.drawing import Array, Drawing

FRAMES, BANDS, SIZE = 100, 96, 512
POOLS = (2, 2, 2, 1)


def sound_effects(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Columns (n, 100, 96), scaled to 0 … 1 → embedding (n, 512)."""
    net = Drawing("sound-effects")
    x = net.unsqueeze(net.input("columns", ("n", FRAMES, BANDS)), 1)
    for block, pool in enumerate(POOLS, 1):
        place = f"embedding_net.conv_block{block}"
        for half in (1, 2):
            x = net.conv(x, weights[f"{place}.conv{half}.weight"], pads=[1, 1, 1, 1])
            x = net.relu(net.batch_norm(x, weights, f"{place}.bn{half}"))
        if pool > 1:
            x = net.op("MaxPool", x, kernel_shape=[pool, pool], strides=[pool, pool])
    bands = net.op("ReduceMean", x, axes=[3], keepdims=0)
    net.output(net.op("ReduceMax", bands, axes=[2], keepdims=0), "embedding", ("n", SIZE))
    return net.model()
