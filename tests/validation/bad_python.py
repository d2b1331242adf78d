"""Python nodes that each break one promise: for messages, for chunks of sound, with a model."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.core import (
    Chunks,
    Clip,
    EventNode,
    InferenceNode,
    Moment,
    NodeSpec,
    StreamNode,
    TapNode,
    Weights,
    inlet,
    node,
    outlet,
    setting,
)

MODEL = "bad-model"
COUNT = itertools.count()


@node("bad.chance")
class Unseeded(EventNode):
    """Send another number each time.

    Source: made up.
    """

    x = inlet.event("draw")
    y = outlet.event("the number")

    def on_x(self) -> None:
        self.y(random.random())


@node("bad.text")
class NumbersOnly(EventNode):
    """Take numbers only, and raise on everything else.

    Source: made up.
    """

    x = inlet.event("number")
    y = outlet.event("half of it")

    def on_x(self, message: Any) -> None:
        if isinstance(message, str):
            raise ValueError(f"no number: {message[:10]}")


@node("bad.memory")
class Remembering(EventNode):
    """Raise when two texts have come, however far apart.

    Source: made up.
    """

    x = inlet.event("message")

    def start(self, when: Moment) -> None:
        self.texts: list[str] = []

    def on_x(self, message: Any) -> None:
        if message in ("bang", "nan"):
            self.texts.append(message)
            if len(self.texts) > 1:
                raise RuntimeError("two texts")


@node("bad.setting")
class OneChoice(EventNode):
    """Raise with one of its settings.

    Source: made up.
    """

    mode = setting.choice("good", "how", ("good", "bad"))
    x = inlet.event("message")

    def on_x(self, message: Any) -> None:
        if self.mode == "bad":
            raise RuntimeError("it cannot")


@node("bad.sends")
class SendsDicts(EventNode):
    """Send what is no message.

    Source: made up.
    """

    x = inlet.event("message")
    y = outlet.event("a dict")

    def on_x(self, message: Any) -> None:
        self.y({"message": message})


@node("bad.start")
class RateError(EventNode):
    """Refuse to start at 8 kHz.

    Source: made up.
    """

    y = outlet.event("nothing")

    def start(self, when: Moment) -> None:
        if self.host.rate == 8_000:
            raise RuntimeError("too slow")


@node("bad.clock~")
class OwnTime(TapNode):
    """Tell how many chunks all of its kind have ever heard.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.event("the count")

    def hear(self, sound: Any, when: Moment) -> None:
        self.y(next(COUNT))


@node("bad.three~")
class NotThree(TapNode):
    """Cannot hear three channels.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.event("level")

    def hear(self, sound: Any, when: Moment) -> None:
        if len(sound) == 3:
            raise IndexError("three is too many")


@node("bad.stride~")
class NoStride(TapNode):
    """Want chunks of no length.

    Source: made up.
    """

    x = inlet.signal("sound")

    def stride(self) -> int:
        return 0

    def hear(self, sound: Any, when: Moment) -> None:
        return None


@node("bad.shape~")
class OtherShape(TapNode):
    """Answer in another shape than declared.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.tensor("levels", shape=(4,))

    def hear(self, sound: Any, when: Moment) -> None:
        self.y(np.zeros(3, np.float32))


@node("bad.mean~")
class KeepsMean(TapNode):
    """Keep the mean of all that was heard, NaN included.

    Source: made up.
    """

    x = inlet.signal("sound")
    y = outlet.event("mean level")
    mean = 0.0

    def hear(self, sound: Any, when: Moment) -> None:
        self.mean += 0.1 * (float(np.abs(sound).mean()) - self.mean)
        self.y(self.mean)


@node("bad.hangs")
class Hangs(EventNode):
    """Never come back.

    Source: made up.
    """

    x = inlet.event("message")

    def on_x(self) -> None:
        while True:
            time.sleep(0.01)


@node("bad.undeclared~")
class Undeclared(InferenceNode):
    """Say nothing of what it hears, of its model, of its shape.

    Source: made up.
    """

    x = inlet.signal("sound", channels=1)
    scores = outlet.tensor("scores")


@node("bad.example")
class OneExample(EventNode):
    """Raise in one of the shapes that its settings give it.

    Source: made up.
    """

    shapes = ("code",)
    examples = ({"code": "good"}, {"code": "bad"})

    code = setting.text("good", "which shape")
    x = inlet.event("message")

    @classmethod
    def shaped(cls, settings: Mapping[str, Any]) -> NodeSpec:
        return cls.spec if settings["code"] == "good" else OTHER_SHAPE

    def on_more(self) -> None:
        raise RuntimeError("not in this shape")

    more = inlet.event("an inlet that only the other shape has")


OTHER_SHAPE = OneExample.spec
OneExample.spec = replace(OTHER_SHAPE, inlets=OTHER_SHAPE.inlets[:1])


class Listener(InferenceNode):
    """What the listeners below share."""

    hears = Clip(seconds=0.25, rate=16_000)
    weights = Weights(MODEL)

    def load(self, files: dict[str, Path], device: str) -> None:
        assert np.load(files["model"]).tolist() == [0, 1, 2, 3]
        self.reset()


@node("bad.scores~")
class WrongShape(Listener):
    """Answer with three scores where four are declared.

    Source: made up.
    """

    x = inlet.signal("sound", channels=1)
    scores = outlet.tensor("scores", shape=(4,))

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"scores": np.zeros(3, np.float32)}


@node("bad.remembers~")
class Remembers(Listener):
    """Remember what it heard, also after a reset.

    Source: made up.
    """

    x = inlet.signal("sound", channels=1)
    level = outlet.event("level of all that was heard")
    total = 0.0

    def infer(self, clip: Any) -> dict[str, Any]:
        self.total += float(np.nan_to_num(np.abs(clip), nan=1.0, posinf=1.0).clip(0, 1).mean())
        return {"level": self.total}


@node("bad.nan~")
class RaisesOnNaN(Listener):
    """Raise on what is no number.

    Source: made up.
    """

    x = inlet.signal("sound", channels=1)
    level = outlet.event("level in per cent")

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"level": int(100 * np.abs(clip).mean())}


@node("bad.exits~")
class Exits(Listener):
    """End the process in which it listens.

    Source: made up.
    """

    x = inlet.signal("sound", channels=1)
    level = outlet.event("level")

    def infer(self, clip: Any) -> dict[str, Any]:
        import os

        os._exit(3)


@node("good.level~")
class Good(Listener):
    """Tell the level of each clip.

    Source: made up.
    """

    x = inlet.signal("sound", channels=1)
    level = outlet.event("level")
    both = outlet.tensor("mean and peak", shape=(2,))

    def infer(self, clip: Any) -> dict[str, Any]:
        sound = np.abs(np.where(np.isfinite(clip), clip, 0.0))
        return {"level": float(sound.mean()), "both": np.array([sound.mean(), sound.max()], np.float32)}


class Streams(StreamNode):
    """What the streams below share."""

    hears = Chunks(samples=480, rate=48_000)
    weights = Weights(MODEL)

    def load(self, files: dict[str, Path], device: str) -> None:
        pass


@node("bad.mute~")
class Mute(Streams):
    """Promise sound, and say how none is made.

    Source: made up.
    """

    x = inlet.signal("sound", channels=1)
    y = outlet.signal("nothing", channels=1)


@node("bad.silent-stream~")
class NoSound(Streams):
    """Answer with sound, and have no outlet for it.

    Source: made up.
    """

    x = inlet.signal("sound", channels=1)
    level = outlet.event("level")

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"level": 0.0}


@node("bad.clips-of-sound~")
class ClipsOfSound(Streams):
    """Answer with sound to clips that overlap.

    Source: made up.
    """

    x = inlet.signal("sound", channels=1)
    y = outlet.signal("sound", channels=1)
    hears = Clip(seconds=0.25, rate=16_000)  # type: ignore[assignment]

    def infer(self, clip: Any) -> dict[str, Any]:
        return {"y": clip}


@node("bad.sound-of-a-listener~")
class SoundOfListener(Listener):
    """Have a signal outlet, and be no stream.

    Source: made up.
    """

    x = inlet.signal("sound", channels=1)
    y = outlet.signal("sound", channels=1)

    def infer(self, clip: Any) -> dict[str, Any]:
        return {}
