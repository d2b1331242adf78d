"""What a model is fed while a node of it hears sounds: caught where the node hands it to onnxruntime.

The node's own `load` and `infer` run, so it is what a playing patch would feed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.declare import InferenceNode
from nodegraph.core.errors import ModelError, Problem
from nodegraph.core.listening import Clip
from nodegraph.core.messages import Tag
from nodegraph.core.ports import CableKind
from nodegraph.core.registry import registry

Floats = NDArray[np.float32]
SOUNDS: Final = frozenset({".wav", ".flac", ".ogg", ".aif", ".aiff", ".mp3"})
MOST_CLIPS, MOST_S, SHORTEST_S = 48, 60.0, 3.0
"""A model that hears clips hears so many of them, one that hears a flow so many seconds, and so long of each file."""
MOST_FEEDS, MOST_BYTES = 64, 256 << 20
"""So much of what was fed is kept."""
SEED, NOISE_S, NOISE_CLIPS = 1, 10.0, 12


@dataclass
class Call:
    """One run of the session: the names of outputs that were asked for, what was fed, what came out."""

    names: list[str]
    feed: dict[str, Any]
    out: list[Any]


@dataclass
class Caught:
    """What the model did while its node heard. `fragment`: bytes that the node adds to the graph (`sessions`).
    `labels`: the likeliest label of each clip, where the node tags."""

    calls: list[Call] = field(default_factory=list)
    fragment: bytes = b""
    labels: list[str] = field(default_factory=list)
    files: int = 0
    """How many sound files were heard."""
    kind: str = ""

    def keep(self, call: Call) -> None:
        self.calls.append(call)
        size = sum(np.asarray(value).nbytes for value in (*call.feed.values(), *call.out))
        if len(self.calls) > 2 * MOST_FEEDS or len(self.calls) * size > MOST_BYTES:
            self.calls = self.calls[::2]


def sounds_in(folder: Path) -> list[Path]:
    """The sound files of a folder and those below it. Raises ModelError."""
    if not folder.is_dir():
        raise ModelError(Problem("no-sounds", f"there is no folder '{folder}'.", "Name one with sound files."))
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SOUNDS and path.is_file())
    if not found:
        do = f"Put some there that are like what will be heard: {', '.join(sorted(SOUNDS))}."
        raise ModelError(Problem("no-sounds", f"there is no sound file in '{folder}'.", do))
    return found


def hear(
    graph: bytes,
    kind: str,
    settings: Mapping[str, Any],
    files: Mapping[str, Path],
    sounds: Sequence[Path],
    tell: Callable[[float, str], None],
) -> Caught:
    """Let a node hear sounds (or seeded noise, when there are none) and catch what the model with these bytes is fed.

    Nothing is caught when the node does not open that file. Raises ModelError when no file can be read.
    """
    import onnxruntime

    caught = Caught(kind=kind)
    plain = onnxruntime.InferenceSession

    class Listening(plain):  # type: ignore[misc, valid-type]
        """A session that keeps what it was fed."""

        def __init__(self, given: Any, *args: Any, **options: Any) -> None:
            data = given if isinstance(given, bytes) else Path(given).read_bytes()
            self.heeded = data.startswith(graph)
            if self.heeded:
                caught.fragment = data[len(graph) :]
            super().__init__(given, *args, **options)

        def run(self, names: Any, feed: Any, *rest: Any) -> Any:
            out = super().run(names, feed, *rest)
            if self.heeded:
                asked = list(names) if names else [item.name for item in self.get_outputs()]
                caught.keep(Call(asked, {key: np.array(value) for key, value in feed.items()}, out))
            return out

    onnxruntime.InferenceSession = Listening
    try:
        caught.labels, heard = labels_of(kind, settings, files, sounds, tell)
        caught.files = heard if sounds else 0
    finally:
        onnxruntime.InferenceSession = plain
    return caught


def labels_of(
    kind: str,
    settings: Mapping[str, Any],
    files: Mapping[str, Path],
    sounds: Sequence[Path],
    tell: Callable[[float, str], None],
) -> tuple[list[str], int]:
    """Load a node and let it hear: the likeliest label of each answer that has one, and how many files it heard."""
    spec = registry().get(kind)
    assert spec is not None and issubclass(spec.cls, InferenceNode)
    node = spec.cls()
    node.id, node.settings = "optimize", dict(settings)
    if (threshold := spec.inlet_named.get("threshold")) is not None:
        node.controls = {"threshold": float(getattr(threshold, "span", (0.0, 0.0))[0])}
    node.load(dict(files), "cpu")
    found, heard = [], 0
    for done, (fresh, clip) in enumerate(clips(node, sounds)):
        if fresh:
            heard += 1
            node.reset()
        tell(done, f"hearing {'sounds' if sounds else 'noise'} as {kind} does")
        label = _label(node.infer(clip))
        if label is not None:
            found.append(label)
    node.stop()
    return found, heard


def _label(answer: Mapping[str, Any]) -> str | None:
    """What an answer holds for likeliest: of scores of classes, or else of tags."""
    if (scores := answer.get("scores")) is not None:
        return str(int(np.argmax(scores)))
    for value in answer.values():
        if isinstance(value, list) and value and isinstance(value[0], Tag):
            return value[0].label
    return None


def clips(node: InferenceNode, sounds: Sequence[Path]) -> Iterator[tuple[bool, Floats]]:
    """What a node hears of these files, and whether the sound begins anew with it."""
    hears = node.hears
    pieces: Iterator[Floats | None]
    if sounds:
        whole_s = MOST_CLIPS * hears.seconds if isinstance(hears, Clip) else MOST_S
        shortest = hears.seconds if isinstance(hears, Clip) else max(SHORTEST_S, hears.seconds)
        few = sounds[:: max(1, round(len(sounds) * shortest / whole_s + 0.5))]
        each = max(shortest, whole_s / len(few))
        pieces = (read(path, hears.rate, each, _width(node)) for path in few)
    else:
        each = NOISE_CLIPS * hears.seconds if isinstance(hears, Clip) else max(NOISE_S, 2 * hears.seconds)
        pieces = iter([noise(round(each * hears.rate), _width(node))])
    any_there = False
    for piece in pieces:
        if piece is None:
            continue
        any_there = True
        short = hears.samples - piece.shape[1]
        whole = np.pad(piece, ((0, 0), (0, max(0, short))))
        for number, start in enumerate(range(0, whole.shape[1] - hears.samples + 1, hears.samples)):
            clip = np.ascontiguousarray(whole[:, start : start + hears.samples])
            yield number == 0, clip[0] if len(clip) == 1 else clip
    if not any_there:
        raise ModelError(Problem("no-sounds", "none of the sound files can be read.", "Name a folder with others."))


def _width(node: InferenceNode) -> int:
    """How many channels it hears."""
    for port in node.spec.inlets:
        if port.kind is CableKind.SIGNAL:
            channels = getattr(port, "channels", 1)
            return channels if isinstance(channels, int) else 1
    return 1


def read(path: Path, rate: int, seconds: float, width: int) -> Floats | None:
    """The beginning of a sound file at `rate`, (width, samples); None for one that cannot be read."""
    import soundfile
    import soxr

    try:
        with soundfile.SoundFile(path) as file:
            sound = file.read(round(seconds * file.samplerate), dtype="float32", always_2d=True)
            found = file.samplerate
    except (soundfile.SoundFileError, OSError, RuntimeError):
        return None
    if not len(sound) or not np.isfinite(sound).all():
        return None
    mixed = sound.mean(axis=1, keepdims=True) if width == 1 else sound[:, np.arange(width) % sound.shape[1]]
    return np.ascontiguousarray(soxr.resample(mixed, found, rate).T, np.float32)


def noise(frames: int, width: int) -> Floats:
    """Seeded noise that grows darker from white to red, at -20 dBFS (RMS): (width, frames)."""
    dice = np.random.default_rng(SEED)
    parts = []
    for slope, part in zip((0.0, 0.5, 1.0), np.array_split(np.arange(frames), 3), strict=True):
        spectrum = np.fft.rfft(dice.standard_normal((width, max(2, len(part)))))
        spectrum /= np.maximum(np.arange(spectrum.shape[1]), 1.0) ** slope
        sound = np.fft.irfft(spectrum, max(2, len(part)))[:, : len(part)]
        parts.append(0.1 * sound / max(1e-9, float(np.sqrt(np.mean(sound**2)))))
    return np.concatenate(parts, axis=1).astype(np.float32)


def fed_by_itself(session: Any) -> list[Call]:
    """Calls with seeded noise, for a model that no node uses. Raises ModelError when its inputs cannot be guessed."""
    dice = np.random.default_rng(SEED)
    kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64,
             "tensor(int32)": np.int32, "tensor(float16)": np.float16, "tensor(bool)": np.bool_}  # fmt: skip
    names = [item.name for item in session.get_outputs()]
    calls = []
    for _ in range(NOISE_CLIPS):
        feed: dict[str, Any] = {}
        for item in session.get_inputs():
            if item.type not in kinds:
                raise _unfed(f"its input '{item.name}' is a {item.type}")
            shape = [size if isinstance(size, int) else 1 if at == 0 else 64 for at, size in enumerate(item.shape)]
            dtype = kinds[item.type]
            whole = not np.issubdtype(dtype, np.floating)
            feed[item.name] = np.ones(shape, dtype) if whole else dice.standard_normal(shape).astype(dtype)
        try:
            calls.append(Call(names, feed, session.run(names, feed)))
        except Exception as error:  # onnxruntime has a class for each
            raise _unfed(" ".join(str(error).split())[:200]) from error
    return calls


def _unfed(why: str) -> ModelError:
    what = f"no node uses it, and noise of a guessed shape does not run through it ({why})."
    return ModelError(Problem("cannot-be-measured", what, "A version that cannot be measured is not made."))
