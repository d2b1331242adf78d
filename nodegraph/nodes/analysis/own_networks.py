"""What the nodes for networks of the user's own share: ports that follow the file, and its way into a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nodegraph.core import (
    Chunks,
    Clip,
    InferenceNode,
    NodegraphError,
    NodeSpec,
    OwnModel,
    PatchError,
    Problem,
    WorkerError,
    setting,
)
from nodegraph.nodes.analysis.mels import Floats
from nodegraph.nodes.analysis.sessions import open_session

if TYPE_CHECKING:
    from nodegraph.core import Outlet
    from nodegraph.models.own_networks import Kind, Network

LONGEST_REASON = 200


class OwnNetwork(InferenceNode):
    """A node that runs an ONNX file of the user's own (docs/own-networks.md), and answers as it says of itself.

    The file is read here, and its description compared with its graph; it is opened in the worker alone, after its
    bytes were looked at once more.
    """

    shapes: ClassVar[tuple[str, ...]] = ("file", "time")

    file = setting.file("the network: an ONNX file that says what it hears")
    time = setting.number(0.25, "time for inference: more than it takes", span=(0.02, 10.0), unit="s")

    weights = OwnModel("file", code=False)
    runs: ClassVar[Kind]
    network: ClassVar[Network]

    @classmethod
    def of_network(cls, network: Network) -> tuple[Clip | Chunks, dict[str, Outlet]]:
        """What a node with this network hears, and the outlets by name."""
        raise NotImplementedError

    @classmethod
    def shaped(cls, settings: Mapping[str, Any]) -> NodeSpec:
        """The ports that the network of the file has. Raises ModelError."""
        path, time = settings["file"], settings["time"]
        if not isinstance(path, Path) or not isinstance(time, (int, float)):  # which is told elsewhere
            return cls.spec
        from nodegraph.models.own_networks import network_of

        base: Any = cls
        return _fitted(base, network_of(path, cls.runs), float(time))

    def load(self, files: dict[str, Path], device: str) -> None:
        if not hasattr(type(self), "network"):
            what, do = "no network is named, or it cannot be found.", "Set 'file' to an ONNX file (.onnx)."
            raise PatchError(Problem("no-file", what, do))
        path = Path(self.settings["file"])
        try:
            self.session = open_session(path, device, look=self._look)
        except NodegraphError:
            raise
        except Exception as error:  # onnxruntime has classes of its own for every sort of fault
            what = f"'{path.name}' cannot be opened: {_reason(error)}."
            do = "Export it anew, with operations that onnxruntime knows."
            raise WorkerError(Problem("bad-network", what, do)) from error
        self.reset()

    def _look(self, content: bytes) -> None:
        """What is opened is what the ports were made for. Raises ModelError, WorkerError."""
        from nodegraph.models.own_networks import network_in

        if network_in(content, self.runs) != self.network:
            what = "the file has become another one while the patch was being opened."
            raise WorkerError(Problem("changed-network", what, "Open the patch again."))

    def stop(self) -> None:
        self.session = None

    def answers(self, names: list[str], feed: dict[str, Floats]) -> list[Floats]:
        """Let the network answer: float32 arrays, by the names of outputs. Raises WorkerError when it cannot."""
        try:
            found: list[Floats] = self.session.run(names, feed)
        except Exception as error:
            what = f"the network fails: {_reason(error)}."
            raise WorkerError(
                Problem("bad-network", what, "Export it anew, for one clip or frame at a time.")
            ) from error
        for name, array in zip(names, found, strict=True):
            if not np.isfinite(array).all():
                self.reset()
                what = f"the network answers on '{name}' with what is no number."
                raise WorkerError(Problem("bad-answer", what, "Look after its training: its weights may have burst."))
        return found


def expect(name: str, array: Floats, shape: tuple[int, ...]) -> None:
    """Raises WorkerError when what a network answered has another shape."""
    if array.shape != shape or array.dtype != np.float32:
        what = f"the network answers on '{name}' with {array.dtype} {array.shape}; it should be float32 {shape}."
        raise WorkerError(Problem("bad-answer", what, "Export it with the outputs that its description says."))


def named(port: Any, name: str) -> Any:
    """A port, under a name that is given when it is made."""
    port.name = name
    return port


@lru_cache(maxsize=1_024)
def _fitted(cls: type[OwnNetwork], network: Network, time: float) -> NodeSpec:
    """The spec of a node with this network: the same object for the same network."""
    hears, outlets = cls.of_network(network)
    body: dict[str, Any] = {
        "__module__": cls.__module__, "__doc__": cls.__doc__, "network": network, "hears": hears,
        "answer_s": max(0.0, time),
    }  # fmt: skip
    made: Any = type(cls.__name__, (cls,), body)
    made.spec = replace(cls.spec, cls=made, outlets=tuple(named(port, name) for name, port in outlets.items()))
    spec: NodeSpec = made.spec
    return spec


def _reason(error: BaseException) -> str:
    """What onnxruntime says, in one line and without its prefixes."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text.removeprefix("[ONNXRuntimeError] : ")[:LONGEST_REASON].rstrip(".")
