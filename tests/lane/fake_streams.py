"""Nodes that answer sound with sound, without weights: for the tests of streams. The worker imports this module."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core import Chunks, Registry, StreamNode, Weights, inlet, node, outlet, registry


class FakeStream(StreamNode):
    """What they share: weights that are no file."""

    weights = Weights("fake")

    def load(self, files: dict[str, Path], device: str) -> None:
        pass


@node("test.halved~")
class Halved(FakeStream):
    """Half of what was heard, and the count of chunks."""

    x = inlet.signal("sound", channels=1)
    y = outlet.signal("half of it", channels=1)
    count = outlet.event("chunks so far")
    hears = Chunks(samples=480, rate=48_000)
    so_far = 0

    def infer(self, clip: Any) -> dict[str, Any]:
        self.so_far += 1
        return {"y": clip * np.float32(0.5), "count": self.so_far}

    def reset(self) -> None:
        self.so_far = 0


@node("test.late-by-a-model~")
class Delayed(FakeStream):
    """What was heard 100 samples before, as from a model with a delay of its own."""

    x = inlet.signal("sound", channels=1)
    y = outlet.signal("the same, later", channels=1)
    hears = Chunks(samples=256, rate=48_000)
    delay = 100

    def reset(self) -> None:
        self.past = np.zeros(100, np.float32)

    def infer(self, clip: Any) -> dict[str, Any]:
        if not hasattr(self, "past"):
            self.reset()
        sound = np.concatenate([self.past, clip])
        self.past = sound[len(clip) :]
        return {"y": sound[: len(clip)]}


@node("test.stereo~")
class Stereo(FakeStream):
    """Both channels, exchanged, and their difference."""

    x = inlet.signal("sound", channels=2)
    y = outlet.signal("exchanged", channels=2)
    side = outlet.signal("the difference", channels=1)
    hears = Chunks(samples=512, rate=48_000)

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"y": clip[::-1], "side": clip[0] - clip[1]}


@node("test.slow-model~")
class Slow(FakeStream):
    """The sound itself; when `what` says so it sleeps, raises, or answers wrongly: once."""

    x = inlet.signal("sound", channels=1)
    what = inlet.control(0.0, "0 nothing, 1 sleep, 2 raise, 3 too short, 4 no number", span=(0.0, 4.0), ramp_s=0.0)
    y = outlet.signal("the same", channels=1)
    hears = Chunks(samples=480, rate=48_000)
    before = 0

    def infer(self, clip: Any) -> dict[str, Any]:
        what, self.before = (int(self.what) if int(self.what) != self.before else 0), int(self.what)
        if what == 1:
            time.sleep(0.4)
        elif what == 2:
            raise RuntimeError("it did not work this time")
        elif what == 3:
            return {"y": clip[:-1]}
        elif what == 4:
            return {"y": clip * np.float32("nan")}
        return {"y": clip}


@node("test.converted~")
class Converted(FakeStream):
    """The sound itself, at the model's own rate."""

    x = inlet.signal("sound", channels=1)
    y = outlet.signal("the same", channels=1)
    hears = Chunks(samples=320, rate=16_000)

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"y": clip}


KINDS = Registry([*registry(), Halved, Delayed, Stereo, Slow, Converted])
