"""The nine patches in nodegraph, and what they cost, under the peers' contract (bench.peers)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers import music, sounds
from bench.peers.measure import PeerFailed

NAME = "nodegraph"
CHUNK = 4096


def available() -> str | None:
    """Always there."""
    return None


def version() -> str:
    """Its name with its version."""
    import nodegraph

    return f"{NAME} {nodegraph.__version__}"


def graph(patch: str) -> Any:
    """The graph of b1, …, b9."""
    from nodegraph.core.graph import Graph

    made = Graph()
    made.add("out~", "out", channels=1)
    make, total = PATCHES[patch]
    made.add("*~", "sum", b=total)
    made.connect("sum.y", "out.x")
    make(made)
    return made


def _sines(made: Any) -> None:
    for k, freq in enumerate(music.sines()):
        made.add("sine~", f"s{k}", freq=freq)
        made.connect(f"s{k}.y", "sum.x")


def _voices(made: Any) -> None:
    for k, freq in enumerate(music.phasors()):
        made.add("phasor~", f"o{k}", freq=freq)
        made.add("biquad~", f"f{k}", **music.BIQUAD._asdict())
        made.add("line~", f"l{k}", target=music.LINE_TO, time=music.LINE_S)
        made.add("*~", f"m{k}")
        made.add("*~", f"g{k}", b=music.VOICE_GAIN)
        made.connect(f"o{k}.y", f"f{k}.x")
        made.connect(f"f{k}.y", f"m{k}.x")
        made.connect(f"l{k}.y", f"m{k}.b")
        made.connect(f"m{k}.y", f"g{k}.x")
        made.connect(f"g{k}.y", "sum.x")


def _reverbs(made: Any) -> None:
    made.add("noise~", "n")
    for r in range(music.REVERBS):
        made.add("*~", f"r{r}", b=music.COMB_GAIN)
        for k, length in enumerate(music.combs(r)):
            made.add("comb~", f"c{r}_{k}", time=length / 48_000, feedback=music.COMB_FEEDBACK)
            made.connect("n.y", f"c{r}_{k}.x")
            made.connect(f"c{r}_{k}.y", f"r{r}.x")
        before = f"r{r}.y"
        for k, length in enumerate(music.allpasses(r)):
            made.add("allpass~", f"a{r}_{k}", time=length / 48_000, feedback=music.ALLPASS_GAIN)
            made.connect(before, f"a{r}_{k}.x")
            before = f"a{r}_{k}.y"
        made.connect(before, "sum.x")


def _chain(made: Any) -> None:
    made.add("noise~", "n")
    before = "n.y"
    for k in range(music.PAIRS):
        made.add("*~", f"m{k}", b=music.TIMES)
        made.add("+~", f"p{k}", b=music.PLUS)
        made.connect(before, f"m{k}.x")
        made.connect(f"m{k}.y", f"p{k}.x")
        before = f"p{k}.y"
    made.connect(before, "sum.x")


def _synths(made: Any) -> None:
    attack, decay, sustain, release = music.ADSR
    for k, voice in enumerate(music.voices()):
        made.add("svf~", f"f{k}", resonance=1.0 - 0.5 / music.Q)
        for j, detune in enumerate(music.DETUNE):
            made.add("saw~", f"o{k}_{j}", freq=voice.frequency * detune)
            made.connect(f"o{k}_{j}.y", f"f{k}.x")
        made.add("sine~", f"l{k}", freq=voice.lfo)
        made.add("scale~", f"c{k}", mul=music.SWEEP_HZ, add=music.CUTOFF_HZ)
        made.add("adsr~", f"e{k}", gate=1.0, attack=attack, decay=decay, sustain=sustain, release=release)
        made.add("*~", f"m{k}")
        made.add("*~", f"g{k}", b=music.SYNTH_GAIN)
        made.connect(f"l{k}.y", f"c{k}.x")
        made.connect(f"c{k}.y", f"f{k}.cutoff")
        made.connect(f"f{k}.low", f"m{k}.x")
        made.connect(f"e{k}.y", f"m{k}.b")
        made.connect(f"m{k}.y", f"g{k}.x")
        made.connect(f"g{k}.y", "sum.x")


def _gated(made: Any) -> None:
    """A slow sine opens the gate while it is above 0; envelopes are straight lines."""
    names = ("attack", "decay", "sustain", "release")
    for k, voice in enumerate(music.gated()):
        made.add("sine~", f"t{k}", freq=voice.gate)
        made.add("adsr~", f"d{k}", curve=0.0, **dict(zip(names, music.FILTER_ADSR, strict=True)))
        made.add("adsr~", f"e{k}", curve=0.0, **dict(zip(names, music.LEVEL_ADSR, strict=True)))
        made.add("sine~", f"l{k}", freq=voice.lfo)
        made.add("scale~", f"c{k}", mul=music.LFO_HZ, add=music.LOW_HZ)
        made.add("scale~", f"h{k}", mul=music.ENVELOPE_HZ)
        made.add("saw~", f"o{k}", freq=voice.frequency)
        made.add("square~", f"q{k}", freq=voice.frequency * music.SQUARE_BY)
        made.add("svf~", f"f{k}", resonance=(2.0 - 1.0 / music.RESONANT_Q) / 1.99)
        made.add("*~", f"m{k}")
        made.add("*~", f"g{k}", b=music.SYNTH_GAIN)
        for cable in (
            "t.y -> d.gate", "t.y -> e.gate", "l.y -> c.x", "d.y -> h.x", "c.y -> h.add", "h.y -> f.cutoff",
            "o.y -> f.x", "q.y -> f.x", "f.low -> m.x", "e.y -> m.b", "m.y -> g.x",
        ):  # fmt: skip
            source, target = cable.split(" -> ")
            made.connect(source.replace(".", f"{k}."), target.replace(".", f"{k}."))
        made.connect(f"g{k}.y", "sum.x")


def _cloud(made: Any) -> None:
    """Both sides get the same, at 0.7 of the grain's level; one of them is heard."""
    made.add(
        "grains~", "cloud", file=str(sounds.files(48_000)[0]), density=music.density(), length=music.GRAIN_S,
        position=0.5, position_spread=0.5, pitch_spread=music.GRAIN_ST, pan_spread=0.0,
    )  # fmt: skip
    made.connect("cloud.y", "sum.x")


def _convolution(made: Any) -> None:
    made.add("noise~", "n")
    made.add("convolve~", "room", file=str(sounds.files(48_000)[1]))
    made.connect("n.y", "room.x")
    made.connect("room.y", "sum.x")


def _vocoder(made: Any) -> None:
    made.add("saw~", "carrier", freq=music.CARRIER_HZ)
    made.add("noise~", "n")
    made.add("sine~", "s", freq=music.SWELL_HZ)
    made.add("scale~", "swell", mul=0.5, add=0.5)
    made.add("*~", "voice")
    made.connect("s.y", "swell.x")
    made.connect("n.y", "voice.x")
    made.connect("swell.y", "voice.b")
    resonance = (2.0 - 1.0 / music.BAND_Q) / 1.99
    for k, middle in enumerate(music.bands()):
        made.add("svf~", f"v{k}", cutoff=middle, resonance=resonance)
        made.add("env~", f"e{k}", attack=music.FOLLOW_S, release=music.FOLLOW_S)
        made.add("svf~", f"c{k}", cutoff=middle, resonance=resonance)
        made.add("*~", f"m{k}")
        made.connect("voice.y", f"v{k}.x")
        made.connect("carrier.y", f"c{k}.x")
        made.connect(f"v{k}.band", f"e{k}.x")
        made.connect(f"c{k}.band", f"m{k}.x")
        made.connect(f"e{k}.y", f"m{k}.b")
        made.connect(f"m{k}.y", "sum.x")


PATCHES: dict[str, tuple[Callable[[Any], None], float]] = {
    "b1": (_sines, music.B1_GAIN), "b2": (_voices, music.B2_GAIN), "b3": (_reverbs, music.B3_GAIN),
    "b4": (_chain, 1.0), "b5": (_synths, music.B5_GAIN), "b6": (_gated, music.B6_GAIN),
    "b7": (_cloud, music.B7_GAIN * 2**0.5), "b8": (_convolution, music.B8_GAIN), "b9": (_vocoder, music.B9_GAIN),
}  # fmt: skip
"""What makes each patch, and the gain of its sum."""


def engine(patch: str, *, packing: bool = True, rate: int = 48_000) -> Any:
    """An engine that plays the patch."""
    from nodegraph.runtime.engine import Engine

    made = Engine(rate, 0, 1, packing=packing)
    view = graph(patch).view
    made.install(made.compile(view, made.plan(view)))
    return made


def play(one: Any, seconds: float, rate: int = 48_000) -> np.ndarray[Any, Any]:
    """Play an engine as fast as it goes; gives its last chunk."""
    out = np.zeros((1, CHUNK), np.float32)
    for _ in range(max(1, round(seconds * rate / CHUNK))):
        one.process(None, out)
    return out


def render(patch: str, seconds: float, rate: int = 48_000) -> np.ndarray[Any, Any]:
    """The sound, float32 ``(frames,)``."""
    out = np.zeros((1, round(seconds * rate)), np.float32)
    engine(patch, rate=rate).process(None, out)
    return out[0]


def cost(patch: str, rate: int = 48_000, least_s: float = 1.0) -> float:
    """CPU seconds a second of sound, in this process, over at least `least_s` seconds of CPU."""
    one = engine(patch, rate=rate)
    began = time.process_time()
    play(one, 2.0, rate)  # the caches fill, and it shows how long is long enough
    seconds = 4.0 * least_s / max(time.process_time() - began, 1e-3)
    began, first = time.process_time(), one.done
    play(one, seconds, rate)
    return (time.process_time() - began) / ((one.done - first) / rate)


def cpu_per_second(patch: str, block: int = 64, rate: int = 48_000) -> float:
    """CPU seconds a second of sound, in a process of its own that tells its CPU time between two renders.

    The engine computes in blocks of 64 frames, whatever the device asks for.
    """
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "bench.ours", patch, str(rate)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise PeerFailed(f"nodegraph ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["cost"])


if __name__ == "__main__":
    print(json.dumps({"cost": cost(sys.argv[1], int(sys.argv[2]))}))
