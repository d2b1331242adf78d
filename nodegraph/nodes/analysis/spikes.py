"""Spiking networks of the user's own."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import At, Chunks, Clip, Outlet, inlet, node, outlet, setting
from nodegraph.nodes.analysis.mels import Floats, log_columns
from nodegraph.nodes.analysis.own_networks import OwnNetwork, expect

if TYPE_CHECKING:
    from nodegraph.models.own_networks import Kind, Network

CHUNK_S = 0.02
"""The least that is heard at once: a shorter chunk would cost more on its way than in the network."""
FIRED = 0.5
"""A network says 1 for a neuron that fires, and 0 for one that does not."""
LONGEST_WINDOW_S = 10.0
MEMBRANE = "membrane"


@node("spikes~", aliases=("snn~", "snntorch~", "lif~"))
class Spikes(OwnNetwork):
    """Hear with a spiking network of your own, which fires when there is something to say.

    The network hears one column of mel bands after another, keeps its membranes from each to the next, and lets each of
    its neurons fire or not. `spikes` sends the neurons that fire in a frame, as a list of their labels, or of their
    numbers from 0 on (`names`); with ``form = single`` one message for each, as `tags.map` and `select` take them. A
    frame in which none fires sends nothing. `fired` and `membrane` have all neurons of each frame, `rates` how often
    each fired within the last `window` seconds. A message to `begin` lets the membranes begin at zero, as they do when
    the sound begins or was interrupted. `file` is an ONNX file as docs/own-networks.md says; `membrane` is there where
    the network tells it. ONNX is no code: nobody has to be trusted for it.
    Shapes: columns (1, bins) float32, one every hop of the file; fired (neurons,) float32, 0 or 1; membrane (neurons,)
    float32; rates (neurons,) float32, in Hz.
    Each answer stands a fixed time after the end of its frame's window: two chunks (as many hops as make 20 ms) and
    `time` (at least 20 ms more than what resamplers hold back). Cost: 0.2 ms a frame on one core for a network of 20
    neurons.
    Errors: as `tagger~`.

    Source: J. K. Eshraghian and others, "Training Spiking Neural Networks Using Lessons From Deep Learning",
    Proceedings of the IEEE 111, 2023 (snntorch's Leaky), for the networks; the format is defined in
    docs/own-networks.md. Weights: your own.
    """

    time = setting.number(0.04, "time for inference: more than a chunk takes", span=(0.02, 10.0), unit="s")
    names = setting.choice("labels", "what neurons are called", ("labels", "numbers"))
    form = setting.choice("list", "a list a frame, or a message for each neuron that fires", ("list", "single"))
    x = inlet.signal("sound to hear; channels are mixed to one", channels=1)
    window = inlet.control(
        0.5, "over how long spikes are counted for rates", unit="s", span=(0.01, LONGEST_WINDOW_S), curve="log"
    )
    begin = inlet.event("let the membranes begin at zero")
    spikes = outlet.event("neurons that fire, frame by frame")
    fired = outlet.tensor("1 for each neuron that fires in a frame, else 0", shape=("neurons",))
    rates = outlet.tensor("how often each neuron fires, in Hz", shape=("neurons",))

    hears = Chunks(samples=320, rate=16_000)
    answer_s = 0.04
    runs: ClassVar[Kind] = "spikes"

    @classmethod
    def of_network(cls, network: Network) -> tuple[Clip | Chunks, dict[str, Outlet]]:
        assert network.mels is not None
        hop, neurons = network.mels.hop, len(network.labels)
        outlets: dict[str, Outlet] = {
            "spikes": outlet.event("neurons that fire, frame by frame"),
            "fired": outlet.tensor("1 for each neuron that fires in a frame, else 0", shape=(neurons,)),
            "rates": outlet.tensor("how often each neuron fires, in Hz", shape=(neurons,)),
        }
        if network.membrane:
            outlets["membrane"] = outlet.tensor("what each neuron's membrane holds", shape=(neurons,))
        return Chunks(samples=hop * max(1, -(-round(CHUNK_S * network.rate) // hop)), rate=network.rate), outlets

    def reset(self) -> None:
        self.sound = np.zeros(0, np.float32)
        """What the next window still needs."""
        self.begins: deque[float] = deque()
        """When the membranes are to begin at zero, in samples from the beginning of the next chunk."""
        if hasattr(type(self), "network"):
            self._rest()

    def _rest(self) -> None:
        """All membranes are at zero, and nothing has been counted."""
        self.states: dict[str, Floats] = {item.into: np.zeros(item.shape, np.float32) for item in self.network.states}
        self.past: deque[NDArray[np.bool_]] = deque()
        self.counts = np.zeros(len(self.network.labels), np.int64)

    def on_begin(self, offset_s: float) -> None:
        self.begins.append(offset_s * self.network.rate)

    def infer(self, clip: Floats) -> dict[str, Any]:
        """Answer a piece of sound of any length: frames whose windows end in it."""
        mels, rate = self.network.mels, self.network.rate
        assert mels is not None
        before = len(self.sound)
        self.sound = np.concatenate([self.sound, clip])
        frames = log_columns(self.sound, mels)
        self.sound = self.sound[len(frames) * mels.hop :]
        said: dict[str, list[Any]] = {item.name: [] for item in self.spec.outlets}
        for number, frame in enumerate(frames):
            end = mels.window + number * mels.hop - before
            while self.begins and self.begins[0] < end:
                self.begins.popleft()
                self._rest()
            self._step(frame, end / rate, said)
        self.begins = deque(at - len(clip) for at in self.begins)
        return said

    def _step(self, frame: Floats, at_s: float, said: dict[str, list[Any]]) -> None:
        """Let the network hear one frame, and say what it answers at its instant."""
        network = self.network
        names = [network.output, *((MEMBRANE,) if network.membrane else ()), *(item.out for item in network.states)]
        names = list(dict.fromkeys(names))  # a membrane may be a state, too
        found = dict(zip(names, self.answers(names, {network.input: frame[None], **self.states}), strict=True))
        neurons = (1, len(network.labels))
        expect(network.output, found[network.output], neurons)
        for item in network.states:
            expect(item.out, found[item.out], item.shape)
        self.states = {item.into: found[item.out] for item in network.states}
        fires = found[network.output][0] > FIRED
        if fires.any():
            said["spikes"] += [At(at_s, message) for message in self._told(fires)]
        said["fired"].append(At(at_s, fires.astype(np.float32)))
        said["rates"].append(At(at_s, self._rates(fires)))
        if network.membrane:
            expect(MEMBRANE, found[MEMBRANE], neurons)
            said["membrane"].append(At(at_s, found[MEMBRANE][0]))

    def _told(self, fires: NDArray[np.bool_]) -> list[Any]:
        """The messages of a frame in which neurons fire."""
        labels = self.network.labels
        numbers = [int(number) for number in np.flatnonzero(fires)]
        called = numbers if self.names == "numbers" else [labels[number] for number in numbers]
        return called if self.form == "single" else [tuple(called)]

    def _rates(self, fires: NDArray[np.bool_]) -> Floats:
        """How often each neuron has fired within the window that ends with this frame, in Hz."""
        assert self.network.mels is not None
        hop_s = self.network.mels.hop / self.network.rate
        frames = max(1, round(min(self.window, LONGEST_WINDOW_S) / hop_s))
        self.past.append(fires)
        self.counts += fires
        while len(self.past) > frames:
            self.counts -= self.past.popleft()
        found: Floats = (self.counts / (frames * hop_s)).astype(np.float32)
        return found
