"""An inference lane, seen from the engine: a worker process that listens for the nodes of one device.

Nothing here blocks but `wait`, `wait_ready` and `close`. A small thread starts the worker, reads what it says, and
starts it again when it dies or hangs.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from nodegraph.core.declare import InferenceNode
from nodegraph.core.errors import NodegraphError, Problem, WorkerError
from nodegraph.core.listening import Files
from nodegraph.core.registry import registry
from nodegraph.core.spec import NodeSpec
from nodegraph.runtime.lane.answers import Answer
from nodegraph.runtime.lane.ring import Ring
from nodegraph.runtime.lane.seat import Asked, Seat
from nodegraph.runtime.lane.status import NodeStatus
from nodegraph.runtime.lane.supervisor import Supervisor

Progress = Callable[[int, int, str], None]
PROGRESS_S: Final = 0.1


class Lane:
    """The listeners of one device.

    ``rate``: the engine's, frames a second. ``resolve``: gives the files of a model by its name in the store; it is
    called on a thread of the lane, and what it raises makes that node `failed`. ``device``: handed to the nodes' `load`
    (`nodegraph.providers`). ``memory_mb``: what the worker may hold; models that are idle are unloaded for it.
    ``threads``: how many the worker's libraries may use. ``modules``: further modules in which the worker looks for
    node classes. ``hang_s``: without an answer for so long, the worker is killed and started again (loading and warming
    up do not count). ``load_s``: the same for loading one model.
    ``stopped_s``: the same for standing still because somebody stopped the process. ``news``: the condition of
    several lanes that are waited for together. ``group``: those whose workers may hold `memory_mb` together.
    """

    def __init__(
        self,
        rate: int,
        resolve: Callable[[str], Mapping[str, Path]],
        device: str = "cpu",
        threads: int = 1,
        *,
        memory_mb: float | None = None,
        modules: Sequence[str] = (),
        hang_s: float = 10.0,
        load_s: float = 180.0,
        stopped_s: float = 1.5,
        news: threading.Condition | None = None,
        group: str = "",
    ) -> None:
        self.rate = rate
        self._resolve = resolve
        self._news = threading.Condition() if news is None else news  # its lock guards everything below
        self._seats: dict[str, Seat] = {}
        self._keys = itertools.count(1)
        self._bringing = threading.Lock()
        self._version = self._seen = 0
        hello = {"do": "hello", "rate": rate, "device": device, "memory_mb": memory_mb, "modules": list(modules)}
        self._supervisor = Supervisor(
            self._news, self._seats, self._tell, hello, threads, hang_s, load_s, stopped_s, group
        )

    # Nodes.

    def add(
        self,
        node_id: str,
        spec: NodeSpec | str,
        settings: Mapping[str, Any],
        controls: Mapping[str, float],
        ring: Ring,
        *,
        folder: Path | None = None,
        start_frame: int = 0,
        stream: Ring | None = None,
    ) -> None:
        """Take a node in. Its model is found, loaded and warmed up in the background.

        ``spec``: a spec, or a kind in the registry. ``ring``: where its sound is written; the caller closes it, after
        `remove` or `close`. ``folder``: the patch's. ``start_frame``: where a flow of chunks begins to listen.
        Raises WorkerError when the node does not listen, the id is taken, or the ring is too small.
        """
        found = registry().get(spec) if isinstance(spec, str) else spec
        if found is None or not issubclass(found.cls, InferenceNode):
            what = f"'{found.kind if found else spec}' does not listen with a model."
            raise WorkerError(
                Problem("not-a-listener", what, "A lane takes nodes made from InferenceNode.", node=node_id)
            )
        need = int(found.cls.hears.seconds * self.rate) + 1 + ring.longest_block
        if ring.frames < need:
            what = f"its ring holds {ring.frames} frames, and one clip needs {need}."
            raise WorkerError(Problem("bad-ring", what, "Make it with ring_frames(hears, rate).", node=node_id))
        with self._news:
            if node_id in self._seats:
                raise WorkerError(Problem("node-taken", "it is in the lane already.", "Remove it first.", node=node_id))
            key, hears = next(self._keys), found.cls.hears
            seat = Seat(key, node_id, found, hears, dict(settings), dict(controls), ring, folder, start_frame, stream)
            self._seats[node_id] = seat
        threading.Thread(
            target=self._bring, args=(seat, found.cls.weights.of(settings, found.settings)), name="bring", daemon=True
        ).start()

    def remove(self, node_id: str) -> None:
        """Let a node go. Its open requests and unread answers are forgotten. Nothing happens when it is not here."""
        with self._news:
            seat = self._seats.pop(node_id, None)
            if seat is not None:
                seat.pending.clear()
                answers = self._supervisor.answers
                others = [answer for answer in answers if answer.node != node_id]
                answers.clear()
                answers.extend(others)
                self._supervisor.forget(seat)
                self._tell()

    def rename(self, names: Mapping[str, str]) -> None:
        """Nodes have other ids from now on, in the answers that nobody has read yet as well."""
        with self._news:
            self._seats = {names.get(id, id): seat for id, seat in self._seats.items()}
            for id, seat in self._seats.items():
                seat.node = id
            answers = self._supervisor.answers
            renamed = [replace(one, node=names.get(one.node, one.node)) for one in answers]
            answers.clear()
            answers.extend(renamed)

    # Life.

    def start(self) -> None:
        """Begin; does not wait. The worker process is started when there is a node for it."""
        self._supervisor.start()

    def wait_ready(self, timeout: float, progress: Progress | None = None) -> bool:
        """Wait until every node is ready, has failed, or was unloaded for want of memory. False when `timeout` seconds
        were not enough.

        ``progress(done, all, text)`` is called ten times a second or so. Starts the lane when that has not been done.
        """
        self.start()
        end = time.monotonic() + timeout
        while True:
            with self._news:
                seats = list(self._seats.values())
                open_ = [seat for seat in seats if seat.state not in ("ready", "failed", "unloaded")]
                self._seen = self._version
                if open_ and (left := end - time.monotonic()) > 0:
                    self._news.wait(min(left, PROGRESS_S))
            if progress is not None:
                text = f"{open_[0].node}: {open_[0].state}" if open_ else "all models are ready"
                progress(len(seats) - len(open_), len(seats), text)
            if not open_ or time.monotonic() >= end:
                return not open_

    def close(self) -> None:
        """End the worker. Waits for it to be gone, about a second at most. Open requests are answered as failed."""
        self._supervisor.close()

    def __enter__(self) -> Lane:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Requests and answers.

    def request(
        self,
        node_id: str,
        number: int,
        end_frame: int,
        controls: Mapping[str, float],
        *,
        late_after: int | None = None,
        said: list[list[Any]] | None = None,
    ) -> None:
        """Ask for the answer to the clip that ends before `end_frame`, or for a flow of chunks up to there.

        The sound may come later than the request. `end_frame` only ever grows. ``controls``: their values at that
        frame. ``late_after``: once the sound is past this frame, the answer is of no use: the worker leaves the clip
        out when a newer one is due. ``said``: messages that came before that frame since the last request, packed
        (`answers.pack_message`). Raises WorkerError when the node is not here. Never blocks.
        """
        with self._news:
            seat = self._seats.get(node_id)
            if seat is None:
                raise WorkerError(Problem("unknown-node", "it is not in the lane.", "Add it first.", node=node_id))
            asked = Asked(number, end_frame, dict(controls), time.monotonic(), late_after, said or [])
            if seat.state == "failed" or self._supervisor.closed:
                self._supervisor.fail(seat, asked, seat.figures.error or "the lane is closed")
                self._tell()
            else:
                seat.pending[number] = asked
                self._supervisor.ask(seat, asked)

    def poll(self) -> list[Answer]:
        """The answers that came since the last call, in the order in which they came."""
        with self._news:
            found = list(self._supervisor.answers)
            self._supervisor.answers.clear()
            return found

    def wait(self, timeout: float) -> bool:
        """Wait for an answer, or for a node's state to change. True when there is one that was not seen yet."""
        with self._news:
            happened = self._news.wait_for(self.has_news, timeout)
            self.look()
            return bool(happened)

    def has_news(self) -> bool:
        """Whether there is an answer, or a state that was not seen yet. The caller holds the lock."""
        return bool(self._supervisor.answers) or self._version != self._seen

    def look(self) -> None:
        """All states have been seen. The caller holds the lock."""
        self._seen = self._version

    def miss(self, node_id: str) -> None:
        """Count an answer that came too late to be used."""
        with self._news:
            if seat := self._seats.get(node_id):
                seat.figures.misses += 1

    def status(self) -> dict[str, NodeStatus]:
        """How every node is."""
        with self._news:
            return {
                node: seat.figures.status(seat.state, len(seat.pending)) for node, seat in self._seats.items()
            }  # fmt: skip

    @property
    def pid(self) -> int | None:
        """The worker's process id, while there is one."""
        return self._supervisor.pid

    @property
    def restarts(self) -> int:
        """How often the worker was started again because it died or hung."""
        return self._supervisor.restarts

    @property
    def held(self) -> str:
        """What models may do in this lane's worker, and what not, in one line; empty before it is up."""
        return self._supervisor.held

    @property
    def runs_on(self) -> str:
        """What models run on in this lane's worker, and why, in one line; empty before a model of onnxruntime came."""
        return self._supervisor.runs_on

    @property
    def resident_bytes(self) -> int:
        """What the worker holds in memory; 0 where the system does not say."""
        try:
            with open(f"/proc/{self.pid}/statm", "rb") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            return 0

    def log(self) -> str:
        """The last that the workers printed, 16 KiB at most."""
        return self._supervisor.log()

    def _tell(self) -> None:
        """Something has changed. The caller holds the lock."""
        self._version += 1
        self._news.notify_all()

    def _bring(self, seat: Seat, model: str) -> None:
        """Find the model's files. It may take a while: the store hashes a file that it has not seen before."""
        with self._bringing:
            try:
                given, error = self._resolve(model) if model else {}, ""
                files = given if isinstance(given, Files) else Files(given)
            except NodegraphError as refused:
                files, error = Files({}), str(refused)
            except Exception as failed:
                files, error = (
                    Files({}),
                    f"the files of model '{model}' cannot be had: {type(failed).__name__}: {failed}",
                )
        with self._news:
            if self._seats.get(seat.node) is not seat:
                return
            if error:
                self._supervisor.give_up(seat, error)
            else:
                seat.files, seat.figures.note = files, files.note
        self._supervisor.wake()
