"""Whether a heavy patch holds: tuned to seven tenths of a core at 64 frames, beside a client that takes as much.

Both are clients of one JACK dummy server at 48 kHz, each in a process of its own. The control goes through as much
memory in every block as the states of our nodes take, and for the rest does the same number of additions and
multiplications, and nothing else, so what it is blamed for is the machine's, its caches' included. Ours is left alone
once it is tuned; the control is tuned again every ten seconds to what ours took, so that both have the same load all
the time. The server says whom it waited for in vain; those lines are counted for each client, over ten minutes. Most
come in bursts, when something else takes the machine, and hit one or the other by chance: how much of the difference
chance makes up is told from how it varies from ten seconds to the next. In one half of the time ours was the server's
first client, in the other half the control, since the server wakes the first one first.
``HELD_MINUTES=1`` makes it shorter.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from bench import report
from nodegraph.runtime.kernels.memory_words import cycles, load_i64, store_i64
from nodegraph.runtime.machine import cycles_per_second
from nodegraph.runtime.native.compiled import address

NAME: Final = "held"
RATE, BLOCK = 48_000, 64
TARGET: Final = 0.70
TURNS: Final = 3
PIECE_S: Final = 10.0
BLAME: Final = re.compile(r"XRun: client = (\S+) was not finished")


def run(rounds: int = 1) -> list[report.Row]:
    """Rows for the results table: one long run, whatever `rounds` says."""
    if shutil.which("jackd") is None:
        return [report.row("client-blamed xruns", None, "", "jackd is missing: apt install jackd2")]
    minutes = float(os.environ.get("HELD_MINUTES", "10"))
    halves = [_half(first, minutes / 2.0) for first in ("nodegraph", "control")]
    loads, others = ([load for half in halves for load in half[key]] for key in ("loads", "others"))
    more = [count for half in halves for count in half["more"]]
    blamed = sum((half["blamed"] for half in halves), Counter())
    other, mean = sum(others) / len(others), sum(loads) / len(loads)
    against = f"control at {100 * other:.1f} % of a core: {blamed['control']}; {minutes:g} minutes, {halves[0]['mode']}"
    chance = 2.0 * float(np.std(more)) * len(more) ** 0.5  # two standard errors of the sum
    against += f"; difference {sum(more)}, of which chance makes up to ±{chance:.0f}"
    first = [f"{half['blamed'][half['first']]} of {half['blamed'].total()}" for half in halves]
    against += f"; who came first to the server: {' and '.join(first)}"
    about = f"{halves[-1]['size']} voices; every ten seconds {100 * min(loads):.0f} to {100 * max(loads):.0f} %"
    return [
        report.row("client-blamed xruns", float(blamed["nodegraph"]), "", against),
        report.row(f"load held at {BLOCK} frames", 100 * mean, "% of a core", about),
    ]


def _half(first: str, minutes: float) -> dict[str, Any]:
    """So many minutes in which `first` came first to the server, which may matter to it."""
    with (
        Server() as server,
        Client("nodegraph", server.name, 64) as ours,
        Client("control", server.name, 5_000) as control,
    ):
        if first == "control":
            control.tune(1)
        for _ in range(TURNS):  # each one's load depends a little on what the other leaves it of the caches
            ours.tune(8)
            control.remember(ours.memory())
            control.tune(1)
        server.blamed.clear()
        loads, others, more = [], [], []
        for _ in range(max(1, round(60.0 * minutes / PIECE_S))):
            control.begin(PIECE_S)
            loads.append(ours.load(PIECE_S))
            others.append(control.end())
            control.follow(loads[-1], others[-1])
            so_far = Counter(server.blamed)
            more.append(so_far["nodegraph"] - so_far["control"] - sum(more))
        return {
            "first": first, "loads": loads, "others": others, "more": more, "blamed": Counter(server.blamed),
            "size": ours.size, "mode": server.mode,
        }  # fmt: skip


class Server:
    """A JACK dummy server, with real-time priority where it may have one, and whom it blames."""

    def __init__(self) -> None:
        self.name = f"nodegraph-held-{os.getpid()}"
        self.mode = "real-time priority" if _may_be_real_time() else "no real-time priority"
        self.blamed: list[str] = []

    def __enter__(self) -> Self:
        mode = ["-R", "-P", "70"] if self.mode.startswith("real") else ["--no-realtime"]
        self.process = subprocess.Popen(
            ["jackd", "-n", self.name, "-v", "--no-mlock", *mode, "-d", "dummy", "-r", str(RATE), "-p", str(BLOCK)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        subprocess.run(["jack_wait", "-s", self.name, "-w", "-t", "20"], check=True, stdout=subprocess.DEVNULL)
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = BLAME.search(line)
            if found:
                self.blamed.append(found[1])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait()


class Client:
    """A client in a process of its own. `size` is how much it does in a block: voices, or steps of the control."""

    def __init__(self, kind: str, server: str, size: int) -> None:
        self.kind, self.server, self.size = kind, server, size

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.held", self.kind, self.server], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        return self

    def _say(self, *words: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")

    def _answer(self) -> float:
        assert self.process.stdout is not None
        for line in self.process.stdout:  # libjack says things in between
            if line.startswith("load "):
                return float(line.split()[1])
        raise RuntimeError(f"{self.kind} has ended")

    def tune(self, step: int, target: float = TARGET) -> None:
        """As much as loads a core to the target, in whole steps."""
        for _ in range(10):
            self._say("play", self.size)
            load = self.load(3.0)
            if abs(load - target) < min(0.01, 0.1 * target):
                break
            times = min(target / max(load, 0.001), 3.0)  # an overload on the way would stop the machine
            self.size = max(step, round(self.size * times / step) * step)

    def begin(self, seconds: float) -> None:
        """Begin to measure the load of so many seconds."""
        self._say("load", seconds)

    def end(self) -> float:
        """What `begin` began to measure."""
        return self._answer()

    def memory(self) -> int:
        """The bytes that it goes through in every block."""
        self._say("memory", 0)
        return int(self._answer())

    def remember(self, size: int) -> None:
        """Go through so many bytes in every block from now on."""
        self._say("memory", size)
        self._answer()

    def load(self, seconds: float) -> float:
        """The load of the next so many seconds."""
        self.begin(seconds)
        return self.end()

    def follow(self, wanted: float, taken: float) -> None:
        """Take the load that another took, having taken another one."""
        self.size = max(1, round(self.size * min(max(wanted / max(taken, 0.01), 0.9), 1.1)))
        self._say("play", self.size)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()


def _may_be_real_time() -> bool:
    chrt = shutil.which("chrt")
    return (
        chrt is not None
        and subprocess.run([chrt, "-f", "10", "true"], capture_output=True, check=False).returncode == 0
    )


def _voices(count: int) -> Any:
    from nodegraph.core.graph import Graph

    graph = Graph()
    graph.add("gain~", "sum", gain=0.5 / count)
    graph.add("out~", "out", channels=1)
    graph.connect("sum.y", "out.x")
    chain = ("ladder~", "svf~", "ladder~", "eq~", "ladder~")  # few voices with much to do, as synthesizers have them
    for k in range(count):
        last = graph.add("saw~", f"osc{k}", freq=40.0 * 2.0 ** (k % 48 / 12.0) + 0.01 * k)
        for number, kind in enumerate(chain):
            node = graph.add(kind, f"{kind[:-1]}{k}_{number}")
            graph.connect(last, node)
            last = node
        graph.connect(last, "sum.x")
    return graph.view


class Ours:
    """Our client: voices of a saw through five filters."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.player: Any = None

    def play(self, size: int) -> None:
        """So many voices from now on."""
        from nodegraph.runtime.drivers.jack import JackDriver
        from nodegraph.runtime.player import Player

        if self.player is not None:
            self.player.edit(_voices(size))
            return
        self.player = Player(_voices(size), RATE, outputs=1)
        self.driver = JackDriver(self.player.engine, "nodegraph", server=self.server)
        self.driver.start()
        self.driver.connect()
        threading.Thread(target=self.player.live, args=(lambda: True,), daemon=True).start()

    def memory(self, size: int) -> int:
        """The bytes of its nodes' states."""
        return sum(len(page) for page in self.player.engine.schedule.states._pages)

    def load(self, seconds: float) -> float:
        """The share of a core that its blocks take."""
        self.player.engine.load()
        time.sleep(seconds)
        return float(self.player.engine.load())


def work(frames, place):  # type: ignore[no-untyped-def]
    """``JackProcessCallback`` of the control. `place`: steps a block, a number, cycles spent, blocks, memory, words."""
    begin = cycles()
    number = load_i64(place, 8)
    memory = load_i64(place, 32)
    for i in range(load_i64(place, 40)):
        store_i64(memory, 8 * i, load_i64(memory, 8 * i) * 6364136223846793005 + number)
    for _ in range(load_i64(place, 0)):
        number = number * 6364136223846793005 + 1442695040888963407
    store_i64(place, 8, number)
    store_i64(place, 16, load_i64(place, 16) + cycles() - begin)
    store_i64(place, 24, load_i64(place, 24) + 1)
    return 0


class Control:
    """The control: so many steps of a random number generator in every block, in machine code."""

    def __init__(self, server: str) -> None:
        import jack

        self.place = np.zeros(6, np.int64)
        self.memories: list[Any] = []
        self.client = jack.Client("control", servername=server, no_start_server=True)
        self.client.outports.register("out")
        library, ffi = jack._lib, jack._ffi
        self._call = ffi.cast("JackProcessCallback", address(work))
        library.jack_set_process_callback(self.client._ptr, self._call, ffi.cast("void *", self.place.ctypes.data))
        self.client.activate()

    def play(self, size: int) -> None:
        """So many steps from now on."""
        self.place[0] = size

    def memory(self, size: int) -> int:
        """Go through so many bytes from now on."""
        made = np.ones(size // 8, np.int64)
        self.memories.append(made)  # a block may be under way in the one before
        self.place[5] = 0
        self.place[4] = made.ctypes.data
        self.place[5] = len(made)
        return size

    def load(self, seconds: float) -> float:
        """The share of a core that its blocks take."""
        before = self.place.copy()
        time.sleep(seconds)
        spent, blocks = (self.place - before)[2:4]
        return float(spent / cycles_per_second() / (blocks * BLOCK / RATE))


def _client(kind: str, server: str) -> None:
    """``play SIZE``; ``load SECONDS`` is answered with the load of so many seconds, ``memory BYTES`` with bytes."""
    client = Ours(server) if kind == "nodegraph" else Control(server)
    for line in sys.stdin:
        word, number = line.split()
        if word == "play":
            client.play(int(number))
            if kind == "nodegraph":
                time.sleep(2.0)  # an edit fades, and is compiled
        elif word == "memory":
            print("load", client.memory(int(number)), flush=True)
        else:
            print("load", f"{client.load(float(number)):.4f}", flush=True)


if __name__ == "__main__":
    _client(*sys.argv[1:])
