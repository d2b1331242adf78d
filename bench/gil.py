"""Whether sound is delivered while Python is busy: our native callback beside a Python callback, under the same load.

Both are PortAudio streams over a JACK dummy server at 48 kHz and 64 frames, playing the same patch. The load is a main
thread that spins, or one that holds the interpreter's lock in long C calls. What counts is how many callbacks arrive,
relative to an idle control run just before and after. ``python -m bench.gil native spin 20`` is one run.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NAME = "gil"
RATE, BLOCK = 48_000, 64
SECONDS = 20.0


def machine() -> str:
    """What it ran on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def run(rounds: int = 1, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Rows for the results table."""
    missing = _missing()
    if missing:
        return [
            {
                "claim": "callbacks delivered while Python is busy",
                "value": None,
                "unit": "",
                "against": missing,
                "runs": 0,
                "machine": machine(),
            }
        ]
    rows = []
    with Server() as server:
        for load in ("spin", "ccall"):
            shares: dict[str, list[float]] = {"native": [], "python": []}
            for _ in range(rounds):
                before = delivered("native", "none", seconds / 2, server)
                for kind in shares:
                    shares[kind].append(delivered(kind, load, seconds, server))
                after = delivered("native", "none", seconds / 2, server)
                idle = (before + after) / 2
                for values in shares.values():
                    values[-1] = 100 * values[-1] / idle
            for kind, values in shares.items():
                rows.append(
                    {
                        "claim": f"{kind} callback delivered, main thread {LOADS[load]}",
                        "value": round(min(values), 2), "unit": "% of idle", "against": "idle control before and after",
                        "runs": rounds, "machine": machine(),
                    }
                )  # fmt: skip
    return rows


LOADS = {"spin": "spinning in Python", "ccall": "holding the lock in C", "none": "idle"}


def _missing() -> str | None:
    return None if shutil.which("jackd") else "jackd is missing (apt install jackd2)"


class Server:
    """A JACK dummy server."""

    def __enter__(self) -> str:
        self.name = f"nodegraph-gil-{os.getpid()}"
        self.process = subprocess.Popen(
            ["jackd", "-n", self.name, "--no-mlock", "--no-realtime", "-d", "dummy", "-r", str(RATE), "-p", str(BLOCK)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        subprocess.run(
            ["jack_wait", "-s", self.name, "-w", "-t", "20"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self.name

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()


def delivered(kind: str, load: str, seconds: float, server: str) -> float:
    """Callbacks a second in one run, in a process of its own."""
    environment = {**os.environ, "JACK_DEFAULT_SERVER": server, "PYTHONPATH": str(Path(__file__).parents[1])}
    said = subprocess.run(
        [sys.executable, "-m", "bench.gil", kind, load, str(seconds)],
        env=environment, capture_output=True, text=True, check=False, timeout=seconds + 60,
    )  # fmt: skip
    found = re.search(r"callbacks a second ([\d.]+)", said.stdout)
    if found is None:
        raise RuntimeError(f"{kind} {load}: {said.stdout}\n{said.stderr[-2000:]}")
    return float(found[1])


def _one(kind: str, load: str, seconds: float) -> None:
    import numpy as np

    from bench import ours
    from nodegraph.runtime.drivers.devices import devices
    from nodegraph.runtime.drivers.portaudio import PortAudioDriver

    engine = ours.engine("b2", rate=RATE)
    device = next(item.index for item in devices() if item.api.startswith("JACK") and item.outputs)
    if kind == "native":
        driver: Any = PortAudioDriver(engine, device, BLOCK)
        count = lambda: int(engine.counters()["callbacks"])  # noqa: E731
    else:
        import sounddevice

        calls = [0]
        out = np.zeros((1, BLOCK), np.float32)

        def callback(data: Any, frames: int, _time: Any, _status: Any) -> None:
            engine.process(None, out[:, :frames])
            data[:, 0] = out[0, :frames]
            calls[0] += 1

        driver = sounddevice.OutputStream(
            device=device,
            channels=1,
            samplerate=RATE,
            blocksize=BLOCK,
            dtype="float32",
            latency="low",
            callback=callback,
        )
        count = lambda: calls[0]  # noqa: E731
    driver.start()
    settled = count() + 50
    while count() < settled:
        time.sleep(0.005)
    began, first = time.perf_counter(), count()
    end = began + seconds
    if load == "none":
        time.sleep(seconds)
    while time.perf_counter() < end:
        if load == "spin":
            for _ in range(10_000):
                pass
        else:
            sum(range(20_000_000))
    took, calls_made = time.perf_counter() - began, count() - first
    print(f"callbacks a second {calls_made / took:.3f}", flush=True)
    os._exit(0)  # the Python callback may not get the interpreter back in time for an orderly stop


if __name__ == "__main__":
    _one(sys.argv[1], sys.argv[2], float(sys.argv[3]))
