"""Small networks made with PyTorch, and what PyTorch says with them, for tests/own to compare with.

    python -m tests.own.make_golden

It needs a Python with torch, onnxscript, onnx, onnxruntime, snntorch and what nodegraph needs. The networks and their
export are the programs that stand in docs/own-networks.md; here they get weights that mean something, and are exported
by the same calls. Writes tests/own/golden.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from nodegraph.models.own_networks import Mels, describe, network_of
from nodegraph.nodes.analysis.mels import log_columns
from tests.own.page import exports
from tests.own.sounds import LABELS, scene, sound

HERE = Path(__file__).parent / "golden"
CLIPS, STEPS = 96, 300
MARGIN = 1e-3
"""No membrane comes so near to its threshold: another way of adding up must not change a spike."""


def main() -> None:
    HERE.mkdir(exist_ok=True)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    pages, space = exports(), dict[str, Any]()
    with tempfile.TemporaryDirectory() as text:
        os.chdir(text)
        for number, page in enumerate(pages):
            exec(compile(page, f"own-networks.md, program {number}", "exec"), space)
            space.setdefault("told", []).append(space["description"])
        for name, kind in (("small", "tagger"), ("step", "spikes")):
            network_of(Path(f"{name}.onnx").absolute(), kind)  # type: ignore[arg-type]
        found = tagger(space) | spikes(space)
    found["pages"] = np.array([hashlib.sha256(page.encode()).hexdigest() for page in pages])
    np.savez_compressed(HERE / "answers.npz", **found)
    for path in sorted(HERE.iterdir()):
        print(path.name, path.stat().st_size)  # noqa: T201


def mels_of(name: str, kind: Any) -> tuple[Mels, int]:
    network = network_of(Path(f"{name}.onnx").absolute(), kind)
    assert network.mels is not None
    return network.mels, network.samples


def attach(name: str, description: dict[str, Any]) -> None:
    """The description of the page, with the licence and the source of what lies in golden."""
    told = description | {"licence": "CC0-1.0", "source": "tests/own/make_golden.py, of made sounds"}
    describe(f"{name}.onnx", told)
    model = onnx.load(f"{name}.onnx")
    for node in model.graph.node:  # where in somebody's files each came from: neither needed nor repeatable
        del node.metadata_props[:]
    onnx.save(model, HERE / f"{name}.onnx")


def tagger(space: dict[str, Any]) -> dict[str, Any]:
    """The page's CNN, trained to tell low tones, high tones and noise; its answers to sounds that it has not heard."""
    mels, samples = mels_of("small", "tagger")
    network = space["Small"]()

    def batch(first: int) -> tuple[Any, Any]:
        heard = [log_columns(sound(label, first + k, samples), mels) for k in range(CLIPS // 3) for label in LABELS]
        return torch.from_numpy(np.stack(heard)), torch.arange(len(heard)) % len(LABELS)

    columns, wanted = batch(1_000)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(columns)[0], wanted)
        loss.backward()
        optimiser.step()
    network.eval()
    columns, wanted = batch(0)
    with torch.no_grad():
        logits, embedding = network(columns)
        right = float((logits.argmax(1) == wanted).float().mean())
        print(f"loss {float(loss):.4f}, right {right:.3f} of {len(wanted)} that it has not heard")  # noqa: T201
        assert right > 0.95
    torch.onnx.export(
        network, (torch.zeros(1, *columns.shape[1:]),), "small.onnx", dynamo=True, external_data=False, verbose=False,
        input_names=["columns"], output_names=["scores", "embedding"],
    )  # fmt: skip
    attach("small", space["told"][0])
    return {
        "columns": columns[:9].numpy(), "logits": logits[:9].numpy(), "embedding": embedding[:9].numpy(),
        "weights": np.array(sum(item.numel() for item in network.parameters())),
    }  # fmt: skip


def spikes(space: dict[str, Any]) -> dict[str, Any]:
    """The page's spiking network with weights that keep it busy, and what it says of a scene, step by step."""
    mels, _ = mels_of("step", "spikes")
    heard = torch.from_numpy(log_columns(scene(5), mels))
    for seed in range(200):
        torch.manual_seed(seed)
        step = space["Step"]()
        with torch.no_grad():
            step.into.weight.mul_(2.0)
            step.out.weight.mul_(2.0)
        said, near = run(step, heard)
        fired = said["spikes"].mean(0)
        if near > MARGIN and fired.min() > 0.03 and fired.max() < 0.6:
            break
    else:
        raise SystemExit("no seed gives a network that fires now and then and is far from its thresholds")
    print(f"seed {seed}: neurons fire in {fired} of frames, {near:.4f} from the threshold at least")  # noqa: T201
    same_as_snntorch(step, heard, said)
    torch.onnx.export(
        step.eval(), (torch.zeros(1, 24), torch.zeros(1, 16), torch.zeros(1, 4)), "step.onnx", dynamo=True,
        external_data=False, verbose=False, input_names=["frame", "first", "second"],
        output_names=["spikes", "first_after", "membrane"],
    )  # fmt: skip
    attach("step", space["told"][1])
    return {"frames": heard.numpy()} | said


def run(step: Any, heard: Any) -> tuple[dict[str, Any], float]:
    """Step by step: spikes and membranes (frames, 4), and how near any membrane came to its threshold."""
    first, second = torch.zeros(1, 16), torch.zeros(1, 4)
    spikes, membranes, near = [], [], 1.0
    with torch.no_grad():
        for frame in heard:
            fires, first, second = step(frame[None], first, second)
            spikes.append(fires[0].numpy())
            membranes.append(second[0].numpy())
            near = min(near, *(float((item - 1.0).abs().min()) for item in (first, second)))
    return {"spikes": np.stack(spikes), "membranes": np.stack(membranes)}, near


def same_as_snntorch(step: Any, heard: Any, said: dict[str, Any]) -> None:
    """The page's Leaky is snntorch's, to the bit."""
    import snntorch

    layers = [snntorch.Leaky(beta=beta, threshold=1.0, reset_mechanism="subtract") for beta in (0.8, 0.9)]
    first, second = torch.zeros(1, 16), torch.zeros(1, 4)
    with torch.no_grad():
        for number, frame in enumerate(heard):
            fires, first = layers[0](step.into((frame[None] + 5.0) / 5.0), first)
            fires, second = layers[1](step.out(fires), second)
            assert np.array_equal(fires[0].numpy(), said["spikes"][number]), f"frame {number}"
            assert np.array_equal(second[0].numpy(), said["membranes"][number]), f"frame {number}"
    print(f"snntorch {snntorch.__version__}: Leaky says the same in {len(heard)} frames")  # noqa: T201


if __name__ == "__main__":
    main()
