"""Listeners without weights, for the tests of the lane. The worker imports this module by its name."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core import At, Chunks, Clip, InferenceNode, Note, Tag, Weights, inlet, node, outlet, setting

RATE = 16_000


class Fake(InferenceNode):
    """What they share: weights that are a text file."""

    weights = Weights("fake")

    def load(self, files: dict[str, Path], device: str) -> None:
        self.text = files["text"].read_text(encoding="utf-8")
        self.home = files["text"].parent


@node("test.clip~")
class ClipListener(Fake):
    """Give the clip back, its loudness, and the value of a control."""

    x = inlet.signal("sound", channels=1)
    gain = inlet.control(1.0, "to be seen in the answer", span=(0.0, 10.0))
    clip = outlet.tensor("what was heard", shape=("samples",))
    level = outlet.event("root mean square")
    said = outlet.event("the other kinds of message")
    hears = Clip(seconds=0.1, rate=RATE, hop_s=0.05)

    def infer(self, clip: Any) -> dict[str, Any]:
        self.count = getattr(self, "count", 0) + 1
        level = np.sqrt(np.mean(clip**2, dtype=np.float64))
        said = [At(0.05, Note(60.0, np.float32(0.5))), Tag(self.text, float(self.gain)), At(0.01, (1, "two"))]
        return {"said": said, "level": level, "clip": clip}


@node("test.chunks~")
class ChunkListener(Fake):
    """Give every chunk back, and how many there were since the flow began."""

    x = inlet.signal("sound", channels=1)
    chunk = outlet.tensor("what was heard", shape=(512,))
    count = outlet.event("chunks so far")
    hears = Chunks(samples=512, rate=RATE)
    so_far = 0

    def infer(self, clip: Any) -> dict[str, Any]:
        self.so_far += 1
        return {"chunk": clip, "count": self.so_far}

    def reset(self) -> None:
        self.so_far = 0


@node("test.trouble~")
class Trouble(Fake):
    """Do what the control says: 0 nothing, 1 raise, 2 crash, 3 hang, 4 answer nonsense, 5 print, 6 exit, 7 be slow,
    8 want memory, 9 think until there is a file 'go' beside the weights."""

    x = inlet.signal("sound", channels=1)
    what = inlet.control(0.0, "what to do", span=(0.0, 10.0), curve="integer")
    done = outlet.event("what was done")
    hears = Clip(seconds=0.05, rate=RATE)

    def infer(self, clip: Any) -> dict[str, Any]:
        match int(self.what):
            case 1:
                raise ValueError("this clip is not to my taste")
            case 2:
                sys.stderr.write("about to crash\n")
                os.kill(os.getpid(), signal.SIGSEGV)
            case 3:
                while True:
                    time.sleep(60)
            case 4:
                return {"undone": 1}
            case 5:
                sys.stdout.write("a model that chatters on standard output\n")
            case 6:
                sys.exit(3)
            case 7:
                time.sleep(0.05)
            case 8:
                np.empty(1 << 55, np.uint8)
            case 9:
                end = time.monotonic() + 60.0
                while not (self.home / "go").exists() and time.monotonic() < end:
                    time.sleep(0.005)
        return {"done": int(self.what)}


@node("test.load~")
class LoadTrouble(Fake):
    """Fail while loading, in the way that the weights say."""

    x = inlet.signal("sound", channels=1)
    done = outlet.event("never")
    hears = Clip(seconds=0.05, rate=RATE)

    def load(self, files: dict[str, Path], device: str) -> None:
        super().load(files, device)
        if self.text == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError(f"these weights are {self.text}")

    def infer(self, clip: Any) -> dict[str, Any]:
        return {}


@node("test.heavy~")
class Heavy(Fake):
    """Hold as many megabytes as the weights say, and say how many."""

    x = inlet.signal("sound", channels=1)
    which = setting.choice("a", "which weights", ("a", "b"))
    holds = outlet.event("megabytes")
    device = outlet.event("where it was loaded")
    hears = Clip(seconds=0.05, rate=RATE)
    weights = Weights("heavy-{which}")

    def load(self, files: dict[str, Path], device: str) -> None:
        super().load(files, device)
        self.where = device
        self.block = np.ones(round(float(self.text) * 1e6 / 4), np.float32)

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"holds": self.block.nbytes / 1e6, "device": self.where}


@node("test.burglar~")
class Burglar(Fake):
    """Try what models may not do, and tell how it went."""

    x = inlet.signal("sound", channels=1)
    went = outlet.event("what it tried, and how it went")
    hears = Clip(seconds=0.05, rate=RATE)

    def load(self, files: dict[str, Path], device: str) -> None:
        self.file = files["text"]
        self.at_load = self.tried()  # on the thread that loads models

    def tried(self) -> dict[str, str]:
        beside = self.file.with_name("stolen")
        things: dict[str, Callable[[], object]] = {
            "write": lambda: beside.write_text("x"), "append": lambda: self.file.open("a").close(),
            "remove": lambda: self.file.unlink(), "folder": lambda: beside.mkdir(),
            "rename": lambda: self.file.rename(beside), "link": lambda: beside.symlink_to(self.file),
            "tcp": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
            "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            "udp6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
            "child": lambda: subprocess.run(["/bin/sh", "-c", f"echo x > {beside}"], check=True, capture_output=True),
        }  # fmt: skip
        found = {}
        for name, do in things.items():
            try:
                do()
                found[name] = "done"
            except (OSError, subprocess.CalledProcessError) as error:
                found[name] = type(error).__name__
        return found

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"went": [f"{name} {how}" for went in (self.at_load, self.tried()) for name, how in went.items()]}
