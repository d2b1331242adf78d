"""A listener's model, tried in a process of its own: ``python -m nodegraph.validation.clips``.

The request comes on stdin, what was found goes to stdout, both as JSON. Nothing else of the process matters: it may
crash, hang, or load a library of models.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from nodegraph.core.declare import InferenceNode
from nodegraph.core.listening import Chunks
from nodegraph.core.messages import At
from nodegraph.core.ports import CableKind
from nodegraph.core.spec import NodeSpec
from nodegraph.runtime.lane.answers import pack_answer, unpack_items
from nodegraph.runtime.lane.streams import said_channels, streams, taken_sound
from nodegraph.validation.comparing import Floats
from nodegraph.validation.finding import Finding, Note, Said
from nodegraph.validation.messages import finite, plain, shown
from nodegraph.validation.naming import Named, load

RATE: Final = 48_000
CORNERS: Final = 8
Answers = list[tuple[str, int, Any]]


class Trial:
    """One instance of a listener with its model loaded."""

    def __init__(self, spec: NodeSpec, files: dict[str, Path], settings: dict[str, Any]) -> None:
        node: Any = spec.cls()
        assert isinstance(node, InferenceNode)
        node.id = "it"
        node.settings = {item.name: item.default for item in spec.settings} | settings
        node.controls = {item.name: item.default for item in spec.controls}
        self.spec, self.node = spec, node
        self.times: list[float] = []
        self.channels = said_channels(spec, node.settings.__getitem__)
        node.load(files, "cpu")

    def hear(self, clip: Floats) -> Answers:
        """What it answers, as it would arrive in the engine. Raises what it raises, WorkerError for what is unfit."""
        began = time.perf_counter()
        answer = self.node.infer(clip.copy())
        self.times.append(time.perf_counter() - began)
        if isinstance(answer, dict):
            for outlet in self.spec.outlets:
                value = answer.get(outlet.name)
                if outlet.kind is CableKind.TENSOR and value is not None:
                    if isinstance(value, list) and value and isinstance(value[0], At):
                        value = value[0].message
                    shape = np.shape(value)
                    fits = len(shape) == len(outlet.shape) and all(
                        not isinstance(size, int) or size == given
                        for size, given in zip(outlet.shape, shape, strict=True)
                    )
                    if outlet.shape and not fits:
                        raise ValueError(f"'{outlet.name}' has the shape {shape}; declared is {outlet.shape}")
        said: Answers = []
        if streams(self.spec) and isinstance(answer, dict):
            said = [("sound", 0, taken_sound(self.spec, answer, self.channels, self.node.hears.samples))]
        return said + unpack_items(pack_answer(self.spec, answer, 0, RATE))


def sounds(spec: NodeSpec, random: np.random.Generator, many: int) -> dict[str, list[Floats]]:
    """Clips by name, some of each, one after another; those of `BY_CHANCE` are others each time."""
    size = spec.cls.hears.samples  # type: ignore[attr-defined]
    click = np.zeros(size, np.float32)
    click[size // 2] = 1.0
    noise = [(0.3 * random.standard_normal(size)).astype(np.float32) for _ in range(many)]
    constant = {"an impulse": click, "denormals": np.full(size, 1e-40, np.float32), "NaN": np.full(size, np.nan),
                "infinity": np.full(size, np.inf), "huge numbers": np.full(size, 1e30)}  # fmt: skip
    every = {
        "silence": [np.zeros(size, np.float32)] * many,
        "noise": noise,
        "full scale": [np.sign(clip) for clip in noise],
        **{name: [clip.astype(np.float32)] * min(many, 3) for name, clip in constant.items()},
    }
    heard = [item.channels for item in spec.inlets if item.kind is CableKind.SIGNAL]
    channels = heard[0] if heard and isinstance(heard[0], int) else 1
    if channels == 1:
        return every
    spread = (1.0 / np.arange(1, channels + 1, dtype=np.float32))[:, None]  # each channel is softer than the one before
    return {name: [(clip * spread).astype(np.float32) for clip in clips] for name, clips in every.items()}


ODD: Final = ("NaN", "infinity", "huge numbers")
BY_CHANCE: Final = ("noise", "full scale")


def tried(spec: NodeSpec, files: dict[str, Path], settings: dict[str, Any], seed: int, rounds: int) -> Iterator[Said]:
    """Load it, let it hear everything, and see that it repeats."""
    trial = Trial(spec, files, settings)
    flows = isinstance(trial.node.hears, Chunks)
    for turn in range(rounds):
        random = np.random.default_rng([seed, turn])
        for name, clips in sounds(spec, random, 8 if flows else 2).items():
            if turn and name not in BY_CHANCE:
                continue
            trial.node.reset()
            for number, clip in enumerate(clips):
                try:
                    answers = trial.hear(clip)
                except Exception as error:
                    yield Finding(f"infer raises {_told(error)}", when=f"clip {number} of {name}")
                    return
                for outlet, _, value in answers if name not in ODD else []:
                    if not finite(value):
                        values = shown(value), "finite numbers"
                        yield Finding("it answers with what is no number", outlet, values=values, when=name)
                        return
        for finding in itertools.chain(_repeats(trial, random, flows), _corners(trial, random, turn)):
            yield finding
            return
    yield Note(f"{1e3 * sorted(trial.times)[len(trial.times) // 2]:.2f} ms a clip", "ms_per_clip",
               round(1e3 * sorted(trial.times)[len(trial.times) // 2], 3))  # fmt: skip


def _repeats(trial: Trial, random: np.random.Generator, flows: bool) -> Iterator[Finding]:
    """After `reset` the same sound gives the same answers, also when NaN came before."""
    made = sounds(trial.spec, random, 6 if flows else 2)
    clips = made["noise"]
    trial.node.reset()
    first = [_plain(trial.hear(clip)) for clip in clips]
    for before in ("noise", "NaN"):
        for clip in made[before]:
            trial.hear(clip)
        trial.node.reset()
        for number, clip in enumerate(clips):
            again = _plain(trial.hear(clip))
            if again != first[number]:
                what = "after reset the same sound gives other answers"
                yield Finding(what, values=_apart(first[number], again), when=f"{before} came before, clip {number}")
                return


def _corners(trial: Trial, random: np.random.Generator, turn: int) -> Iterator[Finding]:
    """Controls at the ends of their spans; some of them each time where there are many."""
    controls = trial.spec.controls
    corners = list(itertools.islice(itertools.product(*(item.span for item in controls)), 64))
    if turn and len(corners) <= CORNERS:
        return
    for index in random.permutation(len(corners))[:CORNERS]:
        trial.node.controls = dict(zip((item.name for item in controls), corners[index], strict=True))
        trial.node.reset()
        for clip in sounds(trial.spec, random, 2)["noise"]:
            try:
                trial.hear(clip)
            except Exception as error:
                when = ", ".join(f"{name} = {value:g}" for name, value in trial.node.controls.items())
                yield Finding(f"infer raises {_told(error)}", when=when)
                return
    trial.node.controls = {item.name: item.default for item in controls}


def _plain(answers: Answers) -> list[Any]:
    return [(outlet, frame, plain(value)) for outlet, frame, value in answers]


def _apart(first: list[Any], again: list[Any]) -> tuple[str, str]:
    pairs = itertools.zip_longest(first, again, fillvalue="nothing")
    one, two = next((a, b) for a, b in pairs if a != b)
    return shown(one), shown(two)


def _told(error: BaseException) -> str:
    """An error in one line, with the place."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace else ""
    return f"{type(error).__name__}: {error}{where}"


def main() -> None:
    """Answer one request."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a model prints is no answer
    request = json.load(sys.stdin)
    found: list[dict[str, Any]] = []
    with contextlib.redirect_stdout(sys.stderr):
        try:
            spec = load(Named.from_dict(request["named"])).spec
            files = {name: Path(path) for name, path in request["files"].items()}
            for said in tried(spec, files, request["settings"], request["seed"], request["rounds"]):
                found.append({"sort": type(said).__name__, **said.as_dict()})
        except Exception as error:
            found.append({"sort": "Finding", **Finding(f"load raises {_told(error)}").as_dict()})
    json.dump(found, answers)
    answers.close()
    os._exit(0)  # models need no farewell, and some libraries hang in theirs


if __name__ == "__main__":
    main()
