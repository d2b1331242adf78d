"""Nodes that answer sound with sound, without weights: for the tests of streams. The worker imports this module."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core import (
    Chunks,
    Clip,
    EventNode,
    InferenceNode,
    Registry,
    StreamNode,
    Weights,
    inlet,
    node,
    outlet,
    registry,
)
from nodegraph.nodes.pieces import Pieces


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


@node("test.packed~")
class Packed(InferenceNode):
    """Every chunk as an array."""

    x = inlet.signal("sound", channels=1)
    codes = outlet.tensor("the chunk", shape=(480,))
    weights = Weights("fake")
    hears = Chunks(samples=480, rate=48_000)
    answer_s = 0.02

    def load(self, files: dict[str, Path], device: str) -> None:
        pass

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"codes": clip}


@node("test.unpacked~")
class Unpacked(FakeStream):
    """The sound in the arrays that come."""

    codes = inlet.tensor("a piece of sound", shape=(480,))
    y = outlet.signal("piece after piece", channels=1)
    count = outlet.event("pieces so far")
    hears = Chunks(samples=480, rate=48_000)
    delay = 120

    def load(self, files: dict[str, Path], device: str) -> None:
        self.pieces, self.so_far = Pieces(1, self.delay), 0

    def on_codes(self, message: Any, offset_s: float) -> None:
        self.so_far += 1
        self.pieces.lay(offset_s * 48_000, message)

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"y": self.pieces.take(len(clip)), "count": self.so_far}

    def reset(self) -> None:
        self.pieces.clear()
        self.so_far = 0


@node("test.passed")
class Passed(EventNode):
    """Hand arrays on."""

    x = inlet.tensor("an array", shape=(480,))
    y = outlet.tensor("the same", shape=(480,))

    def on_x(self, message: Any) -> None:
        self.y(message)


@node("test.prompted~")
class Prompted(InferenceNode):
    """Answer each clip with what was said last, and when; `fall` ends the worker."""

    x = inlet.signal("sound", channels=1)
    say = inlet.event("a word that holds")
    fall = inlet.event("end the worker")
    answer = outlet.event("the word")
    weights = Weights("fake")
    hears = Clip(seconds=0.05, rate=48_000, hop_s=0.05)
    answer_s = 0.1
    lasting = ("say",)
    word: Any = "nothing"

    def load(self, files: dict[str, Path], device: str) -> None:
        pass

    def on_say(self, message: Any, offset_s: float) -> None:
        if message == "raise":
            raise ValueError("not that word")
        self.word = message, round(offset_s * 48_000)

    def on_fall(self) -> None:
        os._exit(3)

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"answer": self.word}


@node("test.echo")
class Echo(InferenceNode):
    """Answer words, and nothing else."""

    say = inlet.event("words")
    answer = outlet.event("the same")
    weights = Weights("fake")
    hears = Clip(seconds=0.01, rate=48_000, hop_s=0.01)
    answer_s = 0.05

    def load(self, files: dict[str, Path], device: str) -> None:
        self.words: list[Any] = []
        self.asked = 0

    def on_say(self, message: Any) -> None:
        self.words.append(message)

    def infer(self, clip: Any) -> dict[str, Any]:
        self.asked += 1
        words, self.words = self.words, []
        return {"answer": [(self.asked, word) for word in words]}


KINDS = Registry([*registry(), Halved, Delayed, Stereo, Slow, Converted, Packed, Unpacked, Passed, Prompted, Echo])
