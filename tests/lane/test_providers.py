"""What models run on is chosen once, with a line that says why; what is not there falls back to the processor."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from nodegraph import providers
from nodegraph.api.rendering import workers_of
from nodegraph.core.errors import NodegraphError, WorkerError
from nodegraph.core.graph import Graph
from nodegraph.core.listening import Files, Workers
from nodegraph.core.registry import Registry, registry
from nodegraph.models import Store
from nodegraph.nodes.analysis.music_tags import MusicTagger
from nodegraph.nodes.analysis.sessions import open_session
from nodegraph.runtime.lane import Lane
from nodegraph.runtime.lane.process import environment
from nodegraph.runtime.player import Player
from tests.cli.conftest import Command, nodegraph, tone
from tests.lane.company import RATE, Company, noise, until
from tests.lane.fake_listeners import Heavy
from tests.models.nets import matrices
from tests.models.weights import fetched

__all__ = ["nodegraph", "tone"]
CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A machine whose onnxruntime has these providers, of which some start; others fall back or raise."""

    def has(*present: str, starts: tuple[str, ...] = (), raises: str = "") -> list[Any]:
        opened: list[Any] = []

        class Session:
            def __init__(self, graph: bytes, options: Any, providers: list[Any]) -> None:
                opened.append(providers)
                if raises:
                    raise RuntimeError(raises)
                self.names = [name for name, _ in providers if name in (*starts, CPU)]

            def get_providers(self) -> list[str]:
                return self.names

        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*present, CPU])
        monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
        return opened

    monkeypatch.setattr(providers, "_chosen", {})
    return has


def test_the_processor_is_asked_for_and_nothing_is_tried(machine: Any) -> None:
    opened = machine(CUDA, starts=(CUDA,))
    choice = providers.choose("cpu")
    assert (choice.device, choice.providers, choice.line) == ("cpu", ((CPU, {}),), "cpu: asked for")
    assert not opened and not choice.on_gpu


def test_a_gpu_that_is_there_is_taken_by_its_number(machine: Any) -> None:
    opened = machine(TENSORRT, CUDA, starts=(TENSORRT, CUDA))
    choice = providers.choose("cuda:1")
    assert choice.device == "cuda:1" and choice.providers == ((CUDA, {"device_id": 1}), (CPU, {}))
    assert choice.line == "cuda:1: asked for" and len(opened) == 1
    providers.choose("cuda:1")
    assert len(opened) == 1, "it is tried once"
    names = [name for name, _ in providers.choose("tensorrt").providers]
    assert names == [TENSORRT, CUDA, CPU], "what TensorRT cannot run goes to CUDA"
    assert providers.told() == ("cuda:1: asked for", "tensorrt:0: asked for")


@pytest.mark.parametrize(
    ("present", "starts", "raises", "why"),
    [
        ((), (), "", "is not in this onnxruntime"),
        ((CUDA,), (), "", "does not start: its driver"),  # onnxruntime falls back without a word
        ((CUDA,), (), "invalid device\nordinal", "does not start: invalid device ordinal"),
    ],
)
def test_one_that_is_not_there_falls_back_and_says_why(
    machine: Any, present: Any, starts: Any, raises: str, why: str
) -> None:
    machine(*present, starts=starts, raises=raises)
    choice = providers.choose("cuda:0")
    assert choice.device == "cpu" and choice.providers == ((CPU, {}),)
    assert choice.line.startswith(f"cpu: cuda:0 was asked for, but cuda:0 {why}")


def test_auto_takes_a_gpu_if_there_is_one(machine: Any) -> None:
    machine(TENSORRT, CUDA, starts=(TENSORRT, CUDA))
    assert providers.choose("auto").line == "cuda:0: found", "TensorRT takes minutes to prepare a model"
    providers._chosen.clear()
    machine("CoreMLExecutionProvider", starts=("CoreMLExecutionProvider",))
    assert providers.choose("auto").line == "coreml: found"
    providers._chosen.clear()
    machine()
    line = providers.choose("auto").line
    assert line.startswith("cpu: a GPU was looked for, but cuda:0 is not in") and "coreml" in line


@pytest.mark.parametrize("text", ["gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:١", "cpu:1", "auto:0", "coreml:0", ""])
def test_words_that_are_no_device(text: str, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"cannot run on|without a number"):
        providers.choose(text)
    with pytest.raises(WorkerError):
        open_session(matrices(tmp_path / "net.onnx", 4, 1), text)
    with pytest.raises(NodegraphError):
        workers_of(text, None, None)


def test_sessions_run_where_it_says_and_answer_as_on_the_processor(tmp_path: Path) -> None:
    path = matrices(tmp_path / "net.onnx", 16, 2)
    feed = {"x": np.ones((1, 16), np.float32)}
    session = open_session(path, "cuda:9")
    assert session.get_providers() == [CPU] and session is open_session(path, "cpu"), "it is the same one"
    assert np.abs(session.run(None, feed)[0]).max() > 0
    assert session.get_session_options().intra_op_num_threads == 1


def test_a_worker_tells_its_sessions_how_many_threads_they_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(providers.THREADS_VARIABLE, environment(3)[providers.THREADS_VARIABLE])
    session = open_session(matrices(tmp_path / "net.onnx", 8, 3), "cpu")
    assert session.get_session_options().intra_op_num_threads == 3


def test_the_command_lists_devices_and_refuses_what_is_none(nodegraph: Command, tone: Path) -> None:
    said = nodegraph("models", "devices").out.splitlines()
    assert said[0].startswith("cpu       here") and [line.split()[0] for line in said[1:]] == [
        "cuda",
        "tensorrt",
        "coreml",
    ]
    for option, value, words in (
        ("--models-on", "gpu", "models cannot run on 'gpu'"), ("--models-memory", "-3", "Models cannot hold -3 MB"),
        ("--models-threads", "0", "Models cannot compute on 0 threads"),
    ):  # fmt: skip
        refused = nodegraph("run", tone, "--driver", "null", "--seconds", "0.1", option, value)
        assert refused.code == 2 and words in refused.err, refused.err


def test_a_patch_says_once_what_its_models_run_on(tmp_path: Path) -> None:
    """Asked for a GPU that is not there."""
    (tmp_path / "text").write_text("1")
    files = Files({"text": tmp_path / "text"})
    files.on_gpu, files.note = {"text": tmp_path / "text"}, "its int8 version is not used."
    graph = Graph(Registry([*registry(), Heavy]))
    graph.add("in~", "in", channels=1)
    graph.add("test.heavy~", "model")
    graph.connect("in.y", "model.x")
    told: list[tuple[str, str]] = []
    player = Player(
        graph.view, RATE, weights=lambda name: files, modules=["tests.lane.fake_listeners"],
        report=lambda node, text: told.append((node, text)), workers=Workers("cuda:7", 4_000.0),
    )  # fmt: skip
    try:
        assert player.lanes is not None and player.lanes.wait_ready(60.0)
        out = np.zeros((player.engine.outputs, 2 * RATE), np.float32)
        player.render(out, noise(2 * RATE), block=256)
        until(lambda: player.status()["listeners"]["model"]["answered"] >= 2, "it has answered")
        status = player.status()
    finally:
        player.close()
    assert status["models_on"].startswith("cpu: cuda:7 was asked for") and status["models_memory_mb"] > 20
    assert [node for node, text in told if text.startswith("models run on cpu: cuda:7")] == [""]
    assert [node for node, text in told if "int8 version is not used" in text] == ["model"]
    figures = status["listeners"]["model"]
    assert figures["total_p50_ms"] >= figures["inference_p50_ms"] and figures["total_p99_ms"] >= figures["queue_p99_ms"]


def test_models_take_one_core() -> None:
    """While a worker answers, one of its threads works: the others, and the other cores, are the sound's."""
    store = Store()
    fetched(store, "musicnn-mtt")
    company = Company(Lane(RATE, store.files))
    try:
        company.add("tags", MusicTagger.spec, {"most": 5.0, "threshold": 0.1})
        company.ready()
        company.hear("tags", noise(4 * RATE))
        before = threads(company.lane.pid)
        began = time.monotonic()
        for number in range(100):
            assert company.answer("tags", number, 4 * RATE - 100 + number).ok
            if max(used_since(before, threads(company.lane.pid))) > 0.5:  # the hundredths in which it is told are few
                break
        took = time.monotonic() - began
        after = threads(company.lane.pid)
    finally:
        company.lane.close()
        for ring in company.rings.values():
            ring.close()
    used = used_since(before, after)
    assert used[0] > 0.3, "it has worked"
    assert sum(used[1:]) < 0.05 * used[0] and sum(used) <= 1.1 * took, f"seconds of its threads: {used}"


def used_since(before: dict[str, float], after: dict[str, float]) -> list[float]:
    """Seconds of processor that each thread has used, most first."""
    return sorted((after[thread] - before.get(thread, 0.0) for thread in after), reverse=True)


def threads(pid: int | None) -> dict[str, float]:
    """Seconds of processor that each thread of a process has used."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        found[task.name] = (int(fields[11]) + int(fields[12])) / 100.0
    return found
