"""Faust, compiled through LLVM and played by dawdreamer, in a process of its own."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.peers import measure, music, sounds

NAME = "Faust"


def available() -> str | None:
    return None if importlib.util.find_spec("dawdreamer") else "dawdreamer is not installed (make bench installs it)"


def version() -> str:
    from importlib.metadata import version as version_of

    return f"{NAME} (dawdreamer {version_of('dawdreamer')})"


def cpu_per_second(patch: str, block: int = 64, rate: int = 48_000) -> float:
    """As its siblings. The child tells its own CPU time between two renders, so that compiling does not count."""
    return float(_child(patch, "cost", block, rate)["cost"])


def render(patch: str, seconds: float, rate: int = 48_000) -> NDArray[np.float32]:
    path = measure.work("faust") / f"{patch}.npy"
    _child(patch, "render", 64, rate, seconds, path)
    return np.asarray(np.load(path), dtype=np.float32)


def _child(patch: str, *arguments: object) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.peers.faust", patch, *map(str, arguments)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise measure.PeerFailed(f"faust ended with {done.returncode}:\n{done.stderr[-2000:]}")
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _b1() -> list[str]:
    """Ten programs of a hundred sines, since one of a thousand takes Faust many minutes to compile."""
    return [f"process = par(i, 100, os.osc({100 + part * 370}+i*3.7)) :> *({music.B1_GAIN});" for part in range(10)]


def _b2() -> list[str]:
    b0, b1, b2, a1, a2 = music.BIQUAD
    program = f"""
    saw(f) = f/ma.SR : (+ : ma.frac) ~ _;
    rise = (+({music.LINE_TO}/({music.LINE_S}*ma.SR)) : min({music.LINE_TO})) ~ _;
    voice(i) = saw(50+i*2.3) : fi.tf2({b0}, {b1}, {b2}, {a1}, {a2}) * rise * {music.VOICE_GAIN};
    process = par(i, 200, voice(i)) :> *({music.B2_GAIN});"""
    return [program]


def _b3() -> list[str]:
    reverbs = []
    for reverb in range(music.REVERBS):
        combs = ",".join(f"comb({length})" for length in music.combs(reverb))
        allpasses = " : ".join(f"allpass({length})" for length in music.allpasses(reverb))
        reverbs.append(f"(_ <: {combs} :> *({music.COMB_GAIN}) : {allpasses})")
    program = f"""
    comb(length) = (+ : de.delay(4096, length-1)) ~ *({music.COMB_FEEDBACK}) : mem;
    allpass(length) = fi.allpass_comb(4096, length, {-music.ALLPASS_GAIN});
    process = no.noise <: {",".join(reverbs)} :> *({music.B3_GAIN});"""
    return [program]


def _b4() -> list[str]:
    return [f"process = no.noise : seq(i, {music.PAIRS}, (*({music.TIMES}) : +({music.PLUS})));"]


def _b5() -> list[str]:
    saws = "+".join(f"os.sawtooth(f*{by})" for by in music.DETUNE)
    voices = ",".join(f"voice({voice.frequency:.5f}, {voice.lfo:.3f})" for voice in music.voices())
    attack, decay, sustain, release = music.ADSR
    program = f"""
    shape = en.adsr({attack}, {decay}, {sustain}, {release}, 1);
    cutoff(lfo) = os.osc(lfo)*{music.SWEEP_HZ}+{music.CUTOFF_HZ};
    voice(f, lfo) = {saws} : fi.svf.lp(cutoff(lfo), {music.Q}) : *(shape) : *({music.SYNTH_GAIN});
    process = {voices} :> *({music.B5_GAIN});"""
    return [program]


def _b6() -> list[str]:
    """As b5, with Faust's band-limited square."""
    voices = ",".join(f"voice({v.frequency:.5f}, {v.lfo:.3f}, {v.gate:.4f})" for v in music.gated())
    program = f"""
    bend(g) = en.adsr({", ".join(map(str, music.FILTER_ADSR))}, g);
    shape(g) = en.adsr({", ".join(map(str, music.LEVEL_ADSR))}, g);
    gate(rate) = os.lf_squarewavepos(rate);
    cutoff(lfo, g) = bend(g)*{music.ENVELOPE_HZ} + (os.osc(lfo)*{music.LFO_HZ} + {music.LOW_HZ});
    waves(f) = os.sawtooth(f) + os.square(f*{music.SQUARE_BY});
    voice(f, lfo, rate) = waves(f) : fi.svf.lp(cutoff(lfo, gate(rate)), {music.RESONANT_Q})
        : *(shape(gate(rate))) : *({music.SYNTH_GAIN});
    process = {voices} :> *({music.B6_GAIN});"""
    return [program]


def _b7() -> list[str]:
    """Made by hand: 32 phases, at each wrap a new place and pitch, a Hann window, and Faust's interpolated table."""
    span_frames = music.GRAIN_S * 48_000
    last = music.CLOUD - 2 - span_frames * 2 ** (music.GRAIN_ST / 12)
    program = f"""
    p = float(ba.time)/{music.CLOUD}.0;
    sound = sin(2*ma.PI*({music.CLOUD_CYCLES}*p) + {music.CLOUD_INDEX}*sin(2*ma.PI*{music.CLOUD_WOBBLES}*p));
    grain(k) = it.frdtable(3, {music.CLOUD}, sound, 1 + place*{last:.1f} + phase*{span_frames}*speed) * window
    with {{
        phase = os.lf_sawpos({1 / music.GRAIN_S}) + k/{music.GRAINS} : ma.frac;
        new = phase < phase';
        place = no.noises({2 * music.GRAINS}, 2*k)*0.5 + 0.5 : ba.sAndH(new);
        speed = pow(2, no.noises({2 * music.GRAINS}, 2*k+1)*{music.GRAIN_ST / 12}) : ba.sAndH(new);
        window = 0.5 - 0.5*cos(2*ma.PI*phase);
    }};
    process = par(k, {music.GRAINS}, grain(k)) :> *({music.B7_GAIN});"""
    return [program]


def _b8() -> list[str]:
    """The plain sum over all taps, since Faust has no transform to do it with: 64 programs of 64 taps, which cost less
    than fewer longer ones (512 taps take it 6 s to compile, 4096 more than ten minutes)."""
    taps = sounds.response().reshape(64, 64)
    texts = [",".join(f"{tap:.9g}" for tap in part) for part in taps]
    return [f"process = @({64 * k}) : fi.fir(({text})) : *({music.B8_GAIN});" for k, text in enumerate(texts)]


def _b9() -> list[str]:
    middles = [f"{middle:.4f}" for middle in music.bands()]
    bands = ",".join(f"band({middle})" for middle in middles)
    program = f"""
    voice = no.noise*(os.osc({music.SWELL_HZ})*0.5 + 0.5);
    carrier = os.sawtooth({music.CARRIER_HZ});
    only(f) = fi.svf.bp(f, {music.BAND_Q}) : /({music.BAND_Q});
    level = abs : si.smooth(ba.tau2pole({music.FOLLOW_S}));
    band(f) = (voice : only(f) : level) * (carrier : only(f));
    process = {bands} :> *({music.B9_GAIN});"""
    return [program]


_PATCHES = {"b1": _b1, "b2": _b2, "b3": _b3, "b4": _b4, "b5": _b5, "b6": _b6, "b7": _b7, "b8": _b8, "b9": _b9}

_SOURCES = {"b8": "process = no.noise;"}
"""What plays into all programs of a patch."""


def _main() -> None:
    import dawdreamer

    patch, what, block, rate = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    engine = dawdreamer.RenderEngine(rate, block)
    programs = _PATCHES[patch]()
    sources = [("source", _SOURCES[patch])] if patch in _SOURCES else []
    began = time.process_time()
    parts = []
    for name, program in [*sources, *((f"part{number}", program) for number, program in enumerate(programs))]:
        part = engine.make_faust_processor(name)
        part.set_dsp_string('import("stdfaust.lib");\n' + program)
        if not part.compile():
            sys.exit(f"Faust does not compile {patch}")
        parts.append(part)
    compiling_s = time.process_time() - began
    source, parts = parts[: len(sources)], parts[len(sources) :]
    graph: list[tuple[Any, list[str]]] = [(part, []) for part in source]
    graph += [(part, [part.get_name() for part in source]) for part in parts]
    if len(parts) > 1:
        graph.append((engine.make_add_processor("sum", [1.0] * len(parts)), [part.get_name() for part in parts]))
    engine.load_graph(graph)
    if what == "render":
        engine.render(float(sys.argv[5]))
        np.save(sys.argv[6], engine.get_audio().sum(axis=0))  # mono programs, spread over the channels
        print(json.dumps({"compiling_s": compiling_s}))
        return
    spent = []
    for seconds in (measure.SHORT_S, measure.SHORT_S, measure.LONG_S[patch]):  # the first one warms up
        began = time.process_time()
        engine.render(seconds)
        spent.append(time.process_time() - began)
    cost = (spent[2] - spent[1]) / (measure.LONG_S[patch] - measure.SHORT_S)
    print(json.dumps({"cost": cost, "compiling_s": compiling_s}))


if __name__ == "__main__":
    _main()
