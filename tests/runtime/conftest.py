"""A JACK server of the tests' own: the dummy back end, without real-time priority."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.needs import needs

TRIES = 3


class JackServer:
    """A running server. `name` is for clients, `rate` in Hz, `block` in frames."""

    def __init__(self, name: str, rate: int, block: int) -> None:
        self.name = name
        self.rate = rate
        self.block = block
        self.command = [
            "jackd",
            "-n",
            name,
            "--no-realtime",
            "--no-mlock",
            "-d",
            "dummy",
            "-r",
            str(rate),
            "-p",
            str(block),
        ]
        # Two servers that make JACK's list at the same time, the first ones on a machine, spoil it for one another.
        for _ in range(TRIES):
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            # the server says that it is ready by answering a client; jack_wait does just that
            waiting = ["jack_wait", "-s", name, "-w", "-t", "20"]
            if subprocess.run(waiting, stdout=subprocess.DEVNULL, timeout=60, check=False).returncode == 0:
                break
            self._end(self.process)
        else:
            pytest.fail(f"no JACK server came up in {TRIES} tries")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for _ in self.process.stdout:
            pass

    def kill(self) -> None:
        """End it the hard way."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self._end(self.process)
        else:
            # a killed server stays in JACK's list of at most eight until another of its name has come and gone
            again = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            subprocess.run(["jack_wait", "-s", self.name, "-w", "-t", "20"], stdout=subprocess.DEVNULL, timeout=60)
            self._end(again)

    @staticmethod
    def _end(process: subprocess.Popen[Any]) -> None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def start_jack(name: str, block: int = 256, rate: int = 48_000) -> JackServer:
    """Start a server, or skip with what to install."""
    needs("jackd", install="apt install jackd2")
    needs("jack_wait", install="apt install jackd2 (jack-example-tools on newer systems)")
    return JackServer(f"{name}-{os.getpid()}", rate, block)


@pytest.fixture
def jack_server() -> Iterator[JackServer]:
    server = start_jack("nodegraph-test")
    yield server
    server.stop()
