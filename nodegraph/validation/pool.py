"""Validating many nodes in several processes. A node that crashes or hangs is told with the check that was under way,
and the rest goes on."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from nodegraph.core.registry import registry
from nodegraph.core.spec import Role
from nodegraph.runtime.lane.process import environment
from nodegraph.validation.finding import Finding, Outcome, Report
from nodegraph.validation.naming import Named

Progress = Callable[[float, float, str], None]
LIMIT_S: Final = 240.0
"""How long one check may take."""
LOOK_S: Final = 0.2
COMMAND: Final = (sys.executable, "-P", "-X", "faulthandler", "-m", "nodegraph.validation.child")
SLOW: Final = (Role.INFERENCE, Role.TAP, Role.BLOCK)
"""These take longest, and come first, so that no process works alone in the end."""


@dataclass
class Task:
    """One node, and how far it has come."""

    named: Named
    role: str = ""
    checks: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    under_way: str = "loading"
    since: float = 0.0

    def report(self) -> Report:
        """What is known of it."""
        return Report(self.named.kind, self.role, tuple(self.outcomes))


class Worker:
    """One child process and the task that it has."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self.orders = orders
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `end`
        self.process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=environment(1),
            process_group=0,  # Ctrl-C is ours: we end it, and all that it has started
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        os.set_blocking(self.stdout.fileno(), False)
        self.task: Task | None = None
        self._rest = b""

    def give(self, task: Task) -> None:
        """Let it validate a node; what is known of it already is left out."""
        self.task = task
        task.under_way, task.since = "loading", time.monotonic()
        order = {**self.orders, "named": task.named.as_dict(), "but": [item.check for item in task.outcomes]}
        with contextlib.suppress(BrokenPipeError):  # it has died: that is seen where it is read
            self.stdin.write(json.dumps(order).encode() + b"\n")
            self.stdin.flush()

    def lines(self) -> tuple[list[dict[str, Any]], bool]:
        """What it has said since, and whether it is at its end."""
        data = b""
        ended = False
        while True:
            try:
                piece = os.read(self.stdout.fileno(), 1 << 16)
            except BlockingIOError:
                break
            if not piece:
                ended = True
                break
            data += piece
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in whole], ended

    def end(self) -> str:
        """End it for sure; gives how it ended, in words."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.05)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        self.stdout.close()
        self.errors.seek(0)
        said = self.errors.read().decode("utf-8", "replace")
        self.errors.close()
        return _ended_how(code, said)


def _ended_how(code: int, said: str) -> str:
    if code >= 0:
        last = [line.strip() for line in said.splitlines() if line.strip()][-1:]
        return f"exit code {code}" + (f": {last[0]}" if last else "")
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


class Pool:
    """Runs tasks in up to `jobs` processes."""

    def __init__(self, jobs: int, orders: dict[str, Any], limit_s: float, progress: Progress) -> None:
        self.jobs, self.orders, self.limit_s, self.progress = jobs, orders, limit_s, progress
        self.selector = selectors.DefaultSelector()
        self.workers: list[Worker] = []
        self.waiting: deque[Task] = deque()
        self.tasks: list[Task] = []
        self.finished = 0

    def run(self, tasks: Sequence[Task]) -> None:
        """Work through all tasks. Ctrl-C ends the processes."""
        self.tasks = list(tasks)
        self.waiting.extend(sorted(tasks, key=_weight))
        try:
            while self.waiting or any(worker.task for worker in self.workers):
                self._employ()
                for key, _ in self.selector.select(LOOK_S):
                    self._heed(key.data)
                self._look()
        finally:
            for worker in self.workers:
                worker.end()
            self.selector.close()

    def _employ(self) -> None:
        """Give work to those who have none."""
        for worker in self.workers:
            if worker.task is None and self.waiting:
                worker.give(self.waiting.popleft())
        while self.waiting and len(self.workers) < self.jobs:
            worker = Worker(self.orders)
            self.workers.append(worker)
            self.selector.register(worker.stdout, selectors.EVENT_READ, worker)
            worker.give(self.waiting.popleft())

    def _heed(self, worker: Worker) -> None:
        lines, ended = worker.lines()
        for line in lines:
            self._hear(worker, line)
        if ended:
            self._gone(worker, "it takes the process down")

    def _hear(self, worker: Worker, line: dict[str, Any]) -> None:
        task = worker.task
        assert task is not None
        task.since = time.monotonic()
        match line["say"]:
            case "node":
                task.role = line["role"]
                task.checks = [item.check for item in task.outcomes] + line["checks"]
            case "begun":
                task.under_way = line["check"]
                self.progress(self._done(), len(self.tasks), f"{task.named.kind}: {task.under_way}")
            case "outcome":
                task.outcomes.append(Outcome.from_dict(line["outcome"]))
            case "refused":
                task.outcomes.append(
                    Outcome("loading", "failed", 0.0, tuple(Finding(text) for text in line["problems"]))
                )  # fmt: skip
                self._finish(worker)
            case "done":
                self._finish(worker)

    def _finish(self, worker: Worker) -> None:
        worker.task = None
        self.finished += 1
        self.progress(self._done(), len(self.tasks), "")

    def _done(self) -> float:
        """Nodes that are done, and parts of those under way."""
        parts = [len(task.outcomes) / max(1, len(task.checks)) for worker in self.workers if (task := worker.task)]
        return self.finished + sum(parts)

    def _look(self) -> None:
        """Whether one of them hangs."""
        now = time.monotonic()
        for worker in list(self.workers):
            if worker.task is not None and now - worker.task.since > self.limit_s:
                self._gone(worker, f"it does not come to an end within {self.limit_s:g} s", told=False)

    def _gone(self, worker: Worker, what: str, *, told: bool = True) -> None:
        """A process has died or hangs: the check that was under way has failed, and the others go on in another."""
        self.selector.unregister(worker.stdout)
        self.workers.remove(worker)
        how = worker.end()
        task = worker.task
        if task is None:
            return
        took = time.monotonic() - task.since
        task.outcomes.append(
            Outcome(task.under_way, "failed", took, (Finding(f"{what} ({how})" if told else what),))
        )  # fmt: skip
        if task.under_way == "loading" or len(task.outcomes) >= len(task.checks):
            self.finished += 1
        else:
            self.waiting.appendleft(task)


def _weight(task: Task) -> int:
    """Which tasks come first: the long ones."""
    spec = registry().get(task.named.kind)
    return SLOW.index(spec.role) if spec is not None and spec.role in SLOW else len(SLOW)


def validate_all(
    nodes: Sequence[Named],
    *,
    level: int,
    seed: int,
    only: Collection[str] = (),
    jobs: int = 0,
    limit_s: float = LIMIT_S,
    progress: Progress = lambda done, total, now: None,
) -> list[Report]:
    """Validate nodes in processes of their own; gives their reports in the same order. `jobs` 0: one a core."""
    tasks = [Task(named) for named in nodes]
    many = jobs or os.cpu_count() or 1
    orders = {"level": level, "seed": seed, "only": list(only)}
    Pool(max(1, min(many, len(tasks))), orders, limit_s, progress).run(tasks)
    return [task.report() for task in tasks]
