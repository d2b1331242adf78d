"""Large listeners beside a patch that plays: AST every 1.5 s, CLAP twice a second, live on JACK for five minutes.

Both networks have their full size and the names and shapes of what is published (`bench/shapes`); the numbers in them
are random, which costs as much. Their weights are made 8-bit as `nodegraph models optimize --to int8` does, and they
compute on two threads. The patch has fifty nodes; beside it plays a control that takes as much of a core and listens to
nothing, both at 48 kHz and 64 frames on a JACK dummy server. Told are the answers that were missed, what the server
blames either for, and how long the model takes. ``EARS_MINUTES=1`` makes it shorter.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import numpy as np

from bench import report
from bench.held import PIECE_S, RATE, Client, Server

NAME: Final = "ears"
HERE: Final = Path(__file__).parent
VOICES: Final = 16
THREADS: Final = 2
"""`--models-threads`: the audio thread has real-time priority."""
PATIENCE_S: Final = 180.0


class Ears(NamedTuple):
    """A listener: its node and settings, the network that it wants, and under which name."""

    kind: str
    params: dict[str, Any]
    network: str
    key: str


EARS: Final = {
    "ast": Ears("ast.tag~", {"hop": 1.5}, "spectrogram-transformer", "model"),
    "clap": Ears("clap.embed~", {"hop": 0.5}, "clap-audio", "audio"),
}


def run(rounds: int = 1) -> list[report.Row]:
    """Rows for the results table: one long run of each, whatever `rounds` says."""
    if shutil.which("jackd") is None:
        return [report.row("missed answers", None, "", "jackd is missing: apt install jackd2")]
    return [row for name in EARS for row in _measured(name, float(os.environ.get("EARS_MINUTES", "5")))]


def _measured(name: str, minutes: float) -> list[report.Row]:
    prepared(name)
    with Server() as server, Listening(name, server.name) as ours, Client("control", server.name, 5_000) as control:
        control.tune(1, ours.told()["load"])
        began = ours.told()
        server.blamed.clear()
        for _ in range(max(1, round(60.0 * minutes / PIECE_S))):
            control.begin(PIECE_S)
            now = ours.told(PIECE_S)
            control.follow(now["load"], control.end())
        blamed = Counter(server.blamed)
    hop, answered = EARS[name].params["hop"], now["answered"] - began["answered"]
    missed = float(now["misses"] - began["misses"])
    against = f"{answered} answered in {minutes:g} minutes, one every {hop:g} s, on {THREADS} threads; {server.mode}"
    times = f"p99 {now['inference_p99_ms']:.0f}; worker {now['worker_mb']:.0f} MB, engine {now['engine_mb']:.0f} MB"
    return [
        report.row(f"{name}, 8-bit, beside 50 nodes: missed answers", missed, "", against),
        report.row(f"{name}: a clip takes", now["inference_p50_ms"], "ms, median", times),
        report.row(f"{name}: client-blamed xruns", float(blamed["nodegraph"]), "", f"control: {blamed['control']}"),
    ]


def prepared(name: str) -> Path:
    """The network with random weights, in 8 bits; made once."""
    from nodegraph.models.convert.networks import NETWORKS
    from nodegraph.models.optimize.quantising import make, open_model

    folder = HERE / "work" / "ears"
    target = folder / f"{name}.onnx"
    if target.exists():
        return target
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    about = json.loads((HERE / "shapes" / f"{name}.json").read_text(encoding="utf-8"))
    files = {"config": folder / "config.json", "weights": folder / "model.safetensors"}
    files["config"].write_text(json.dumps(about["config"]), encoding="utf-8")
    save_file({key: random_weight(key, shape) for key, shape in about["shapes"].items()}, files["weights"])
    whole = folder / f"{name}-whole.onnx"
    whole.write_bytes(NETWORKS[EARS[name].network].draw(files).SerializeToString())
    make(open_model(whole), "int8", [], folder / "made.onnx")
    os.replace(folder / "made.onnx", target)
    for path in (whole, *files.values()):
        path.unlink()
    return target


def random_weight(name: str, shape: list[int]) -> Any:
    """Numbers that keep what goes through many layers at about 1."""
    random = np.random.default_rng(len(name))
    if len(shape) < 2:
        return np.ones(shape, np.float32) if not name.endswith("bias") else np.zeros(shape, np.float32)
    return (random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


class Listening:
    """The engine with the patch and its listener, in a process of its own."""

    def __init__(self, name: str, server: str) -> None:
        self.name, self.server = name, server

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.ears", self.name, self.server], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        return self

    def told(self, seconds: float = 3.0) -> dict[str, Any]:
        """How it is after so many seconds more."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{seconds}\n")
        for line in self.process.stdout:  # libjack says things in between
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise RuntimeError(f"the engine with {self.name} has ended")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()


def _graph(name: str) -> Any:
    from nodegraph.core.graph import Graph

    graph = Graph()
    graph.add("gain~", "sum", gain=0.5 / VOICES)
    graph.add("out~", "out", channels=1)
    graph.connect("sum.y", "out.x")
    for k in range(VOICES):
        row = [graph.add("saw~", f"osc{k}", freq=55.0 * 2.0 ** (k / 4.0)), graph.add("svf~", f"cut{k}")]
        row.append(graph.add("gain~", f"level{k}"))
        for one, other in zip(row, [*row[1:], "sum.x"], strict=True):
            graph.connect(one, other)
    graph.add(EARS[name].kind, "ears", **EARS[name].params)
    graph.connect("sum.y", "ears.x")
    return graph.view


def _play(name: str, server: str) -> None:
    """For every number of seconds that comes in, one line of figures."""
    from nodegraph.core.listening import Workers
    from nodegraph.runtime.drivers.jack import JackDriver
    from nodegraph.runtime.player import Player

    files = {EARS[name].key: prepared(name)}
    workers = Workers(threads=THREADS)
    player = Player(_graph(name), RATE, outputs=1, weights=lambda _: files, workers=workers)
    driver = JackDriver(player.engine, "nodegraph", server=server)
    driver.start()
    driver.connect()
    threading.Thread(target=player.live, args=(lambda: True,), daemon=True).start()
    end = time.monotonic() + PATIENCE_S
    while (found := player.status()["listeners"]["ears"])["answered"] < 3:
        if found["state"] == "failed" or time.monotonic() > end:
            raise RuntimeError(f"{name}: {found}")
        time.sleep(0.1)
    for line in sys.stdin:
        player.engine.load()
        time.sleep(float(line))
        assert player.lanes is not None and player.lanes.pids
        memory = {"worker_mb": _memory(player.lanes.pids[0]), "engine_mb": _memory(os.getpid())}
        told = {**player.status()["listeners"]["ears"], "load": float(player.engine.load()), **memory}
        print(json.dumps(told), flush=True)


def _memory(process: int) -> float:
    """Megabytes that a process holds."""
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(text.split("VmRSS:")[1].split()[0]) / 1000.0


if __name__ == "__main__":
    _play(*sys.argv[1:])
