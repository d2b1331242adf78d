"""The worker: a process that runs models, ``python -m nodegraph.runtime.lane.worker FD PARENT GROUP``.

It reads rings, answers requests in the order in which they came, those for sound before the others, and ends when the
engine does. A model is loaded and warmed up on a second thread, so that the others go on answering meanwhile.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import os
import queue
import select
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Final

import numpy as np

from nodegraph.core.declare import InferenceNode, Node
from nodegraph.core.errors import NodegraphError, Problem, WorkerError
from nodegraph.core.listening import Chunks
from nodegraph.core.registry import registry
from nodegraph.core.spec import NodeSpec
from nodegraph.providers import choose, told
from nodegraph.runtime.lane.answers import pack_answer, unpack_items
from nodegraph.runtime.lane.budget import Keeper, give_back, others_bytes, resident_bytes
from nodegraph.runtime.lane.door import Door
from nodegraph.runtime.lane.ears import make_ear
from nodegraph.runtime.lane.listener import Listener, Request
from nodegraph.runtime.lane.ring import Ring
from nodegraph.runtime.lane.standing import end_with_parent, go_first, stand_back
from nodegraph.runtime.lane.streams import Outflow, taken_sound
from nodegraph.sandbox import confine

NICENESS: Final = 5
WARM_UPS: Final = 2
SHORTEST_WAIT_S: Final = 0.0005
LONGEST_WAIT_S: Final = 0.005
MOST_NOTES: Final = 10  # lines for the log that go with one answer
IDLE_S: Final = 1.0  # how often an idle worker looks whether its parent is still there


class Worker:
    """What happens in the process."""

    def __init__(self, door: Door, parent: int, held: str = "", group: str = "") -> None:
        """`held` says what the process may not do, `group` with which others it shares its memory."""
        self.door, self.parent, self.held, self.group = door, parent, held, group
        self.background = os.getpriority(os.PRIO_PROCESS, 0) + NICENESS  # below the engine, whose priority it came with
        self.rate = 0
        self.device = ""
        self.modules: list[str] = []
        self.listeners: dict[int, Listener] = {}
        self.to_load: queue.SimpleQueue[Listener] = queue.SimpleQueue()
        self.count = 0
        self.last_written = -1
        self.keeper = Keeper(None, self.listeners, self._unload)
        self.came: queue.SimpleQueue[Listener] = queue.SimpleQueue()
        """Whose models have just been loaded: they are weighed on the thread that answers."""
        self.devices = 0
        self.wait_s = SHORTEST_WAIT_S

    def run(self) -> None:
        """Until the engine hangs up, or is gone."""
        threading.Thread(target=self._load_forever, name="load", daemon=True).start()
        with contextlib.suppress(EOFError):
            while os.getppid() == self.parent:
                for message in self.door.receive():
                    self._heed(message)
                while not self.came.empty():
                    self._weigh(self.came.get())
                due = [listener for listener in self.listeners.values() if listener.due()]
                if due:
                    self._answer(min(due, key=lambda listener: (not listener.urgent, listener.requests[0].order)))
                else:
                    select.select([self.door], [], [], self._patience())

    def _patience(self) -> float:
        """How long to sleep: the audio thread, which writes the sound, can wake nobody."""
        waiting = [listener for listener in self.listeners.values() if listener.ready and listener.requests]
        if not waiting:
            settled = all(listener.settled for listener in self.listeners.values())
            if not self.came.empty():
                return 0.0
            return IDLE_S if settled else LONGEST_WAIT_S
        written = max(listener.ring.written for listener in waiting)
        if written != self.last_written:
            self.last_written = written
            missing = min(listener.requests[0].end_frame - listener.ring.written for listener in waiting)
            self.wait_s = max(SHORTEST_WAIT_S, min(LONGEST_WAIT_S, 0.5 * missing / self.rate))
        else:  # the sound stands still, or the blocks are long
            self.wait_s = min(LONGEST_WAIT_S, 1.5 * self.wait_s)
        return self.wait_s

    def _heed(self, message: dict[str, Any]) -> None:
        match message["do"]:
            case "hello":
                self.rate, self.device, self.modules = message["rate"], message["device"], message["modules"]
                others = functools.partial(others_bytes, self.group)
                self.keeper = Keeper(message["memory_mb"], self.listeners, self._unload, others)
                self._say({"say": "up", "held": self.held})
            case "add":
                ring = Ring.attach(self.door.files.popleft(), *message["ring"])
                listener = Listener(message["key"], message["node"], message["kind"], ring, message)
                if message["stream"] is not None:
                    listener.stream = Ring.attach(self.door.files.popleft(), *message["stream"])
                listener.learn(unpack_items(message["said"]))
                self.listeners[listener.key] = listener
                self.to_load.put(listener)
            case "remove":
                listener = self.listeners.pop(message["key"])
                listener.gone = True
                if listener.settled:
                    self._close(listener)
            case "listen":
                self.count += 1
                number, end_frame, controls = message["request"]
                request = Request(
                    number, end_frame, controls, message["sent"], self.count, message["late_after"], message["said"]
                )
                listener = self.listeners[message["key"]]
                listener.requests.append(request)
                listener.used = time.monotonic()
                if listener.asleep:
                    self._wake(listener)

    # Memory, on the thread that answers.

    def _wake(self, listener: Listener) -> None:
        """Load a model again that was unloaded, if there is room; else its requests fail at once."""
        if text := self.keeper.refused(listener.models, time.monotonic()):
            self._refuse(listener, text)
        else:
            listener.asleep = listener.settled = False
            self.to_load.put(listener)

    def _weigh(self, listener: Listener) -> None:
        """A model has come: if it is too much, others go that are idle, or it goes itself. Else it is ready."""
        if listener.gone:
            return
        listener.ready = True
        if text := self.keeper.weighed(listener.models, time.monotonic()):
            self._refuse(listener, text)
        else:
            self._say_state(listener, "ready", version=listener.version)

    def _unload(self, models: frozenset[str], text: str) -> None:
        """Let a model go; its nodes sleep until they are asked again."""
        for listener in self.listeners.values():
            if listener.models == models and listener.ready:
                listener.ready, listener.asleep = False, True
                self._stop(listener)
                self._say_state(listener, "unloaded", text)

    def _refuse(self, listener: Listener, text: str) -> None:
        while listener.requests:
            request = listener.requests.popleft()
            listener.learn(unpack_items(request.said))
            self._say_answer(listener, request, [], [], 0.0, 0.0, text)

    # Loading, on a thread of its own.

    def _load_forever(self) -> None:
        while True:
            listener = self.to_load.get()
            try:
                if not listener.gone:
                    self._load(listener)
            except (Exception, SystemExit) as error:
                self._say_state(listener, "failed", _told(error))
            finally:
                listener.settled = True
                if listener.gone:
                    self._close(listener)
            if self.to_load.empty():
                stand_back(self.background)

    def _load(self, listener: Listener) -> None:
        self._say_state(listener, "loading")
        order = listener.order
        spec = shaped(self._spec(listener.kind), order["settings"])
        node = spec.cls()
        if not isinstance(node, InferenceNode):
            raise WorkerError(
                f"'{listener.kind}' does not listen with a model; it is a node of role {spec.role.value}."
            )
        node.id = listener.id
        node.controls = order["controls"]
        node.settings = order["settings"]
        node.folder = Path(order["folder"]) if order["folder"] else None
        before = resident_bytes()
        files, listener.version = self._files(order)
        node.load(files, self.device)
        if len(found := told()) != self.devices:
            self.devices = len(found)
            self._say({"say": "device", "line": found[-1]})
        self._say_state(listener, "warming")
        shape = (node.hears.samples,) if listener.ring.channels == 1 else (listener.ring.channels, node.hears.samples)
        for _ in range(WARM_UPS):
            answer = self._sounding(listener, node, node.infer(np.zeros(shape, np.float32)), say=False)
            pack_answer(spec, answer, 0, self.rate)
        node.reset()
        for inlet, frame, value in listener.kept.values():
            hand_over(node, inlet, value, (frame - order["start"]) / self.rate)
        listener.node = node
        if listener.ear is None:
            listener.ear = make_ear(node.hears, listener.ring, self.rate, order["start"])
            if listener.stream is not None and isinstance(node.hears, Chunks):
                listener.outflow = Outflow(listener.stream, node.hears, self.rate)
        listener.broken = True  # also when it comes back: it remembers nothing
        self.keeper.measured(listener.models, resident_bytes() - before)
        self.came.put(listener)

    def _files(self, order: dict[str, Any]) -> tuple[dict[str, Path], str]:
        """What the node gets, and which version of the model that is: on a GPU it may be another."""
        files, version = order["files"], order["version"]
        if order["on_gpu"] and choose(self.device).on_gpu:
            files, version = files | order["on_gpu"], order["gpu_version"]
        return {name: Path(path) for name, path in files.items()}, version

    @staticmethod
    def _sounding(listener: Listener, node: InferenceNode, answer: Any, *, say: bool = True) -> Any:
        """The answer without its sound, which goes its own way unless it is not to `say` it."""
        if listener.stream is None:
            return answer
        if not isinstance(answer, dict):
            raise ValueError(f"infer gave {type(answer).__name__}, and no sound")
        sound = taken_sound(node.spec, answer, listener.stream.channels, node.hears.samples)
        if listener.outflow is not None and say:
            listener.outflow.say(sound)
        return answer

    def _spec(self, kind: str) -> NodeSpec:
        for name in self.modules:
            for value in vars(importlib.import_module(name)).values():
                if isinstance(value, type) and issubclass(value, Node):
                    spec = vars(value).get("spec")
                    if isinstance(spec, NodeSpec) and spec.kind == kind:
                        return spec
        found = registry().get(kind)
        if found is None:
            do = "A node class must stand in a module that can be imported, not in the program itself."
            raise WorkerError(Problem("unknown-kind", f"the worker finds no node of kind '{kind}'.", do))
        return found

    # Answering.

    def _answer(self, listener: Listener) -> None:
        request = listener.requests.popleft()
        if request.said:
            said = unpack_items(request.said)
            listener.said.extend(said)
            listener.learn(said)
        if self._of_no_use(listener, request):
            text = "it came too late to be of use; a newer clip is waiting"
            self._say_answer(listener, request, [], [], 0.0, 0.0, text)
            return
        node, ear = listener.node, listener.ear
        assert node is not None and ear is not None
        started = time.monotonic()
        queue_s = max(0.0, min(started - request.sent, (listener.ring.written - request.end_frame) / self.rate))
        items: list[list[Any]] = []
        times: list[float] = []
        errors: list[str] = []
        node.controls = request.controls
        listener.ring.busy = request.end_frame + 1
        try:
            for heard in ear.listen(request.end_frame):
                try:
                    if ear.fresh or listener.broken:
                        ear.fresh = listener.broken = False
                        node.reset()
                        if listener.outflow is not None:
                            listener.outflow.begin(heard.end_frame - round(node.hears.seconds * self.rate))
                    self._hand_over(listener, node, heard.end_frame)
                    began = time.perf_counter()
                    try:
                        answer = node.infer(heard.sound)
                    finally:
                        times.append(time.perf_counter() - began)
                    answer = self._sounding(listener, node, answer)
                    items += pack_answer(node.spec, answer, heard.end_frame, self.rate)
                except (Exception, SystemExit) as error:
                    errors.append(_told(error))
                    listener.broken = listener.outflow is not None
        except (Exception, SystemExit) as error:
            errors.append(_told(error))
        listener.ring.busy = 0
        self._say_answer(listener, request, items, times, queue_s, started, errors[0] if errors else "")

    def _hand_over(self, listener: Listener, node: InferenceNode, end_frame: int) -> None:
        """Give a node the messages that came before the end of what it is to hear."""
        start = end_frame - round(node.hears.seconds * self.rate)
        while listener.said and listener.said[0][1] < end_frame:
            inlet, frame, value = listener.said.popleft()
            hand_over(node, inlet, value, (frame - start) / self.rate)

    def _of_no_use(self, listener: Listener, request: Request) -> bool:
        """Whether it would be too late, and a newer one is due. A flow of chunks never leaves one out."""
        if request.late_after is None or listener.ring.written <= request.late_after or not listener.due():
            return False
        return listener.node is not None and hasattr(listener.node.hears, "hop_s")

    def _say_answer(
        self,
        listener: Listener,
        request: Request,
        items: list[list[Any]],
        times: list[float],
        queue_s: float,
        began: float,
        error: str,
    ) -> None:
        message = {
            "say": "answer", "key": listener.key, "number": request.number, "items": items, "times": times,
            "queue_s": queue_s, "began": began, "error": error, "notes": [],
        }  # fmt: skip
        if listener.node is not None and listener.node.log_lines:
            message["notes"], listener.node.log_lines = listener.node.log_lines[:MOST_NOTES], []
        try:
            self._say(message)
        except (TypeError, ValueError, OverflowError) as unfit:
            self._say(message | {"items": [], "error": error or f"the answer cannot be sent: {unfit}"})

    def _say_state(self, listener: Listener, state: str, error: str = "", version: str = "") -> None:
        self._say({"say": "state", "key": listener.key, "state": state, "error": error, "version": version})

    def _say(self, message: object) -> None:
        sent = self.door.send(message)
        while not sent:
            select.select([], [self.door], [], IDLE_S)
            if os.getppid() != self.parent:
                os._exit(0)
            sent = self.door.flush()

    def _close(self, listener: Listener) -> None:
        """A node has gone: its model goes, too, unless others share it, and its memory is given back."""
        self._stop(listener)
        listener.ear = None
        listener.ring.close()
        if listener.stream is not None:
            listener.stream.close()
        give_back()

    @staticmethod
    def _stop(listener: Listener) -> None:
        node, listener.node = listener.node, None
        try:
            if node is not None:
                node.stop()
        except (Exception, SystemExit):
            traceback.print_exc()


def shaped(spec: NodeSpec, settings: dict[str, Any]) -> NodeSpec:
    """The spec of a node with these settings, all of them, files as whole paths."""
    if not spec.cls.shapes:
        return spec
    files = {item.name for item in spec.settings if item.type == "file" and settings.get(item.name)}
    return spec.cls.shaped({name: Path(value) if name in files else value for name, value in settings.items()})


def hand_over(node: InferenceNode, inlet: str, message: Any, offset_s: float) -> None:
    """A message for a node's handler, which may leave out what it does not want. Raises what it raises."""
    handler = getattr(node, f"on_{inlet}", None)
    if handler is not None:
        given = {"message": message, "offset_s": offset_s}
        handler(**{name: given[name] for name in inspect.signature(handler).parameters})


def _told(error: BaseException) -> str:
    """An error in one line; the whole of it goes to the log."""
    traceback.print_exception(error)
    if isinstance(error, NodegraphError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def main() -> None:
    """``worker FD PARENT GROUP``: the socket to the engine, the engine's process id, and what its workers share."""
    fd, parent, group = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's, which then hangs up
    end_with_parent(parent)
    os.set_inheritable(fd, False)
    go_first()
    held = confine()
    Worker(Door(socket.socket(fileno=fd)), parent, held, group).run()
    sys.stderr.flush()
    os._exit(0)  # models need no farewell, and some libraries hang in theirs


if __name__ == "__main__":
    main()
