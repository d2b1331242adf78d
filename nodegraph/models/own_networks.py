"""Networks of the user's own: ONNX files that say, in a text beside their graph, what they hear and what they answer.

The text stands in the file's metadata under the key ``nodegraph``, as JSON; docs/own-networks.md is its definition. A
file of this kind is all that `tagger~` and `spikes~` need, and it holds no code, so nobody has to be trusted for it.
What it says of itself is compared with its graph before anything opens it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, cast

from nodegraph.core.errors import ModelError, Problem
from nodegraph.core.hints import listed, quoted, shown
from nodegraph.core.replacing import replace_file
from nodegraph.models.description import Description, bad_description
from nodegraph.models.onnxfile import FLOAT32, OnnxFile, Value, no_onnx, read_onnx
from nodegraph.models.placed import placed

KEY: Final = "nodegraph"
FORMAT: Final = 1
PAGE: Final = "docs/own-networks.md"
KINDS: Final = {"tagger": "tagger~", "spikes": "spikes~"}
"""What a network may be, and the node that runs it."""
ACTIVATIONS: Final = ("logits-softmax", "logits-sigmoid", "probabilities")
RATES: Final = (8_000, 192_000)
SECONDS: Final = (0.02, 60.0)
MOST_LABELS: Final = 10_000
MOST_NEURONS: Final = 1_024
MOST_LABEL: Final = 200
"""Letters of a label."""
MOST_STATES: Final = 64
MOST_STATE: Final = 1 << 20
"""Numbers that all states hold together."""
MOST_EMBEDDING: Final = 1 << 16
SHORTEST_HOP_S: Final = 0.001
"""Of a network that is asked once a frame."""
EMBEDDING, SPIKES, MEMBRANE = "embedding", "spikes", "membrane"
"""The outputs that are known by their names."""

Activation = Literal["logits-softmax", "logits-sigmoid", "probabilities"]
Kind = Literal["tagger", "spikes"]


@dataclass(frozen=True, slots=True)
class Mels:
    """The columns that a network hears, as `nodes.analysis.mels.log_columns` makes them: one every `hop` samples, of
    `window` samples in a Fourier transform of `n_fft`, in `bins` bands from `low_hz` to `high_hz`; the magnitudes to
    the `power`, and of each band the natural logarithm, or that of `log_floor` where the band holds less."""

    rate: int
    n_fft: int
    window: int
    hop: int
    bins: int
    low_hz: float
    high_hz: float
    scale: Literal["htk", "slaney"]
    norm: Literal["none", "slaney", "sum"]
    power: float
    log_floor: float

    def frames(self, samples: int) -> int:
        """How many columns there are in so many samples: the first window begins with them, the last ends in them."""
        return max(0, (samples - self.window) // self.hop + 1)


@dataclass(frozen=True, slots=True)
class State:
    """What a network keeps from one frame to the next: the input that takes it, the output that gives it, its shape."""

    into: str
    out: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """What is needed to run a network.

    ``kind``: tagger or spikes. ``rate`` in Hz. ``samples``: of the clip that a tagger hears; 0 for spikes, which hear
    frame after frame. ``mels``: None for one that hears the sound itself. ``input``: the input for what is heard.
    ``output``: scores (1, labels), or spikes (1, neurons). ``embedding``: how many numbers the output of that name has;
    0 without. ``membrane``: whether there is an output of that name. ``states``: of a spiking network.
    """

    kind: Kind
    rate: int
    samples: int
    mels: Mels | None
    labels: tuple[str, ...]
    activation: Activation
    input: str
    output: str
    embedding: int
    membrane: bool
    states: tuple[State, ...]
    licence: str
    source: str


def network_of(path: Path, kind: Kind) -> Network:
    """What the file at this path says of itself, for a node that runs networks of this kind.

    Raises ModelError, with the path: what `network_in` raises, and ``unreadable``.
    """
    with placed(path):
        status = path.stat()
        return _known(path, kind, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _known(path: Path, kind: Kind, size: int, changed: int) -> Network:
    return network_in(path, kind)


def network_in(source: Path | bytes, kind: Kind) -> Network:
    """What a file says of itself, from its bytes or its path, compared with its graph.

    Raises ModelError: what `read_onnx` raises; ``no-description``, ``bad-description`` for a text that is missing or
    does not say what it must; ``wrong-kind`` for a network that another node runs; ``wrong-shape`` when the graph has
    other inputs and outputs than the description says.
    """
    file = read_onnx(source)
    text = _description(file)
    said = Description.of(text)
    found = cast(Kind, said.choice("kind", tuple(KINDS)))
    if found != kind:
        what = f"The network is one for {KINDS[found]}, and this is {KINDS[kind]}."
        raise ModelError(Problem("wrong-kind", what, f"Give it to a node of the kind {KINDS[found]}."))
    rate = said.whole("rate", RATES)
    return _spikes(file, said, rate) if kind == "spikes" else _tagger(file, said, rate)


def describe(path: str | os.PathLike[str], description: Mapping[str, Any]) -> Network:
    """Attach a description to an ONNX file, in the place of the one that it has; gives what is read from it then.

    Weights that lie beside the file come into it. It is written in one step, and only when the description fits the
    graph. Raises ModelError as `network_in` does; OSError.
    """
    import onnx

    try:
        model = onnx.load(os.fspath(path))
    except OSError:
        raise
    except Exception as error:  # protobuf and onnx have classes of their own
        raise no_onnx(f"the package onnx cannot read it ({type(error).__name__})") from error
    kept = [(item.key, item.value) for item in model.metadata_props if item.key != KEY]
    onnx.helper.set_model_props(model, dict([*kept, (KEY, json.dumps(description, ensure_ascii=False))]))
    content = model.SerializeToString()
    kind = description.get("kind")
    found = network_in(content, "spikes" if kind == "spikes" else "tagger")
    replace_file(Path(path), content)
    return found


def _description(file: OnnxFile) -> dict[str, Any]:
    texts = [value for key, value in file.metadata if key == KEY]
    if len(texts) != 1:
        what = f"It has {'no' if not texts else len(texts)} metadata under the key '{KEY}': nobody knows what it hears."
        raise ModelError(Problem("no-description", what, f"Attach one description: {PAGE} shows how."))
    try:
        found = json.loads(texts[0])
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, json.JSONDecodeError) else "it nests too deep, or a number is too long"
        raise bad_description(f"it is no JSON ({why})", f"Write it with json.dumps; see {PAGE}.") from error
    if not isinstance(found, dict):
        raise bad_description("it is no JSON object", f"Write it as {{…}}; see {PAGE}.")
    if (format_ := found.get("format", FORMAT)) != FORMAT:
        what = f"it has the format {shown(format_)}, and this nodegraph reads {FORMAT}"
        raise bad_description(what, "Use a newer nodegraph, or describe it in the older format.")
    return found


def _tagger(file: OnnxFile, said: Description, rate: int) -> Network:
    hears = said.choice("hears", ("sound", "mel"))
    samples = round(said.number("seconds", SECONDS) * rate)
    mels = _mels(said, rate) if hears == "mel" else None
    labels = said.labels("labels", MOST_LABELS, MOST_LABEL)
    activation = cast(Activation, said.choice("activation", ACTIVATIONS))
    if len(file.inputs) != 1:
        raise _shape(f"it has {_named(file.inputs)} as inputs, and a tagger has one")
    (heard,) = file.inputs
    if mels is None:
        _fits(heard, (1, samples), f"(1, {samples}): {samples / rate:g} s at {rate} Hz")
    else:
        frames = mels.frames(samples)
        if frames < 1:
            raise bad_description("its clip is shorter than one window", "Raise 'seconds', or lower 'window'.")
        _fits(heard, (1, frames, mels.bins), f"(1, {frames}, {mels.bins}): so many columns are in {samples} samples")
    others = [item for item in file.outputs if item.name != EMBEDDING]
    if len(others) != 1:
        raise _shape(f"it has {_named(others)} as outputs beside '{EMBEDDING}', and a tagger has one")
    _fits(others[0], (1, len(labels)), f"(1, {len(labels)}): it has {len(labels)} labels")
    embedding = 0
    for item in file.outputs:
        if item.name == EMBEDDING:
            _fits(item, (1, None), "(1, numbers)")
            embedding = (item.shape or (1, None))[1] or 0
            if not 0 < embedding <= MOST_EMBEDDING:
                raise _shape(f"'{EMBEDDING}' does not say that it has 1 to {MOST_EMBEDDING} numbers")
    return Network(
        "tagger", rate, samples, mels, labels, activation, heard.name, others[0].name, embedding, False, (),
        said.text("licence"), said.text("source"),
    )  # fmt: skip


def _spikes(file: OnnxFile, said: Description, rate: int) -> Network:
    said.choice("hears", ("mel",))
    mels = _mels(said, rate)
    if mels.hop < SHORTEST_HOP_S * rate:
        what = f"its hop is {mels.hop} samples, {1e3 * mels.hop / rate:.2g} ms, and a network is asked at each"
        raise bad_description(what, f"Make it {round(SHORTEST_HOP_S * rate)} or more.", "hop")
    neurons = said.whole("neurons", (1, MOST_NEURONS))
    labels = said.labels("labels", MOST_NEURONS, MOST_LABEL)
    if len(labels) != neurons:
        what = f"it has {len(labels)} labels for {neurons} neurons"
        raise bad_description(what, "Name each neuron once, in the order of the output.", "labels")
    pairs = said.pairs("states", MOST_STATES)
    inputs, outputs = ({item.name: item for item in ends} for ends in (file.inputs, file.outputs))
    for into, out in pairs:
        if into not in inputs or out not in outputs:
            missing, ends = (into, file.inputs) if into not in inputs else (out, file.outputs)
            way = "input" if into not in inputs else "output"
            raise _shape(f"the state {quoted(missing)} is no {way} of it; it has {_named(ends)}")
    taken = [into for into, _ in pairs]
    if len(set(taken)) != len(taken) or len({out for _, out in pairs}) != len(pairs):
        raise bad_description("it names a state twice", "Name each input and each output once.", "states")
    rest = [item for item in file.inputs if item.name not in taken]
    if len(rest) != 1:
        raise _shape(f"it has {_named(rest)} as inputs beside its states, and one is for the frame")
    _fits(rest[0], (1, mels.bins), f"(1, {mels.bins}): one frame of {mels.bins} bins")
    for name in (SPIKES, *((MEMBRANE,) if MEMBRANE in outputs else ())):
        if name not in outputs:
            raise _shape(f"it has {_named(file.outputs)} as outputs, and none is called '{name}'")
        _fits(outputs[name], (1, neurons), f"(1, {neurons}): one number a neuron")
    states = tuple(_state(inputs[into], outputs[out]) for into, out in pairs)
    if sum(_size(state.shape) for state in states) > MOST_STATE:
        raise _shape(f"its states hold more than {MOST_STATE:,} numbers")
    return Network(
        "spikes", rate, 0, mels, labels, "probabilities", rest[0].name, SPIKES, 0, MEMBRANE in outputs, states,
        said.text("licence"), said.text("source"),
    )  # fmt: skip


def _mels(said: Description, rate: int) -> Mels:
    """The settings of the columns."""
    inner = said.inner("mel")
    n_fft = inner.whole("n_fft", (16, 1 << 15))
    window = inner.whole("window", (8, n_fft), n_fft)
    low = inner.number("low_hz", (0.0, rate / 2), 0.0)
    high = inner.number("high_hz", (0.0, rate / 2), rate / 2)
    if not low < high:
        raise bad_description(f"its bands go from {low:g} to {high:g} Hz", "Let 'low_hz' be below 'high_hz'.", "mel")
    return Mels(
        rate=rate,
        n_fft=n_fft,
        window=window,
        hop=inner.whole("hop", (1, window)),
        bins=inner.whole("bins", (1, 1_024)),
        low_hz=low,
        high_hz=high,
        scale=cast(Any, inner.choice("scale", ("htk", "slaney"), "htk")),
        norm=cast(Any, inner.choice("norm", ("none", "slaney", "sum"), "none")),
        power=float(inner.whole("power", (1, 2), 2)),
        log_floor=inner.number("log_floor", (1e-12, 1.0), 1e-10),
    )


def _state(into: Value, out: Value) -> State:
    """A state, whose size must be known before the first frame, when it is all zeros."""
    if into.type != FLOAT32 or out.type != FLOAT32:
        raise _shape(f"the state {quoted(into.name)} is not made of float32")
    if not into.shape:
        raise _shape(f"the state {quoted(into.name)} does not say how large it is")
    shape = tuple(1 if size is None and not place else size for place, size in enumerate(into.shape))
    if any(size is None or not 0 < size <= MOST_STATE for size in shape):
        raise _shape(f"the state {quoted(into.name)} is {_shaped(into)}, and only its first size may be left open")
    found = cast("tuple[int, ...]", shape)
    _fits(out, found, f"{found}: it goes into {quoted(into.name)} with the next frame")
    return State(into.name, out.name, found)


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for item in shape:
        size *= item
    return size


def _fits(value: Value, wanted: tuple[int | None, ...], words: str) -> None:
    """Raises ModelError when an end of the graph cannot have this shape; what it leaves open may be anything."""
    if value.type != FLOAT32:
        raise _shape(f"{quoted(value.name)} is not made of float32")
    if value.shape is None:
        return
    if len(value.shape) != len(wanted) or any(
        size is not None and other is not None and size != other
        for size, other in zip(value.shape, wanted, strict=True)
    ):
        raise _shape(f"{quoted(value.name)} is {_shaped(value)}, and it should be {words}")


def _shape(what: str) -> ModelError:
    do = f"Export it with these inputs and outputs, or correct its description ({PAGE})."
    return ModelError(Problem("wrong-shape", f"The graph is not what its description says: {what}.", do))


def _shaped(value: Value) -> str:
    return f"({', '.join('?' if size is None else str(size) for size in value.shape or ())})"


def _named(values: Any) -> str:
    return listed(item.name for item in values)
