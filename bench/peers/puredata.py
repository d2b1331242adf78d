"""Pure Data, in batch mode (as fast as it can, no sound card)."""

import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench.peers import measure, music, sounds

NAME = "Pure Data"


def available() -> str | None:
    return None if shutil.which("pd") else "pd is not installed (apt install puredata-core)"


def version() -> str:
    said = subprocess.run(["pd", "-version"], capture_output=True, text=True, check=True)
    return f"{NAME} {(said.stderr + said.stdout).split()[0].removeprefix('Pd-')}"


def cpu_per_second(patch: str, block: int = 64, rate: int = 48_000) -> float:
    """As its siblings. Pd's own block is 64 frames, whatever the sound card's is."""
    if block != 64:
        raise ValueError(f"Pure Data computes in blocks of 64 frames, not {block}")
    folder = measure.work("puredata")
    _Canvas.of(patch, rate).save(folder / f"{patch}.pd")
    return measure.slope(patch, lambda seconds: _command(f"{patch}.pd", seconds, rate), folder)


def render(patch: str, seconds: float, rate: int = 48_000) -> NDArray[np.float32]:
    folder = measure.work("puredata")
    canvas = _Canvas.of(patch, rate)
    canvas.record(f"{patch}.wav", round(seconds * rate), seconds * 1000)
    canvas.save(folder / f"{patch}-record.pd")
    measure.cpu_of(_command(f"{patch}-record.pd", seconds + 0.1, rate), folder)
    sound, _ = soundfile.read(folder / f"{patch}.wav", dtype="float32")
    return np.asarray(sound)


def _command(name: str, seconds: float, rate: int) -> list[str]:
    options = ["-nrt", "-batch", "-nogui", "-noprefs", "-noaudio", "-r", str(rate)]
    return ["pd", *options, "-open", name, "-send", f"go {seconds * 1000:g}"]


class _Canvas:
    """A patch in Pd's format: lines of objects, then cables between their ordinals."""

    def __init__(self) -> None:
        self.objects: list[str] = []
        self.cables: list[str] = []
        self.last = -1  # what plays into dac~

    def add(self, text: str, *sources: int, what: str = "obj") -> int:
        """A new object, with a cable from the first outlet of each source to its first inlet."""
        self.objects.append(f"#X {what} 10 10 {text};")
        here = len(self.objects) - 1
        for source in sources:
            self.connect(source, here)
        return here

    def connect(self, source: int, target: int, inlet: int = 0, outlet: int = 0) -> None:
        self.cables.append(f"#X connect {source} {outlet} {target} {inlet};")

    def product(self, left: int, right: int) -> int:
        here = self.add("*~", left)
        self.connect(right, here, inlet=1)
        return here

    def sum(self, left: int, right: int) -> int:
        here = self.add("+~", left)
        self.connect(right, here, inlet=1)
        return here

    def play(self, gain: float, sources: list[int]) -> None:
        self.last = self.add(f"*~ {gain}", *sources) if gain != 1 else sources[0]
        self.connect(self.last, self.add("dac~"))

    def record(self, name: str, frames: int, milliseconds: float) -> None:
        """Also keep the sound in a table, and write that to a file when it is full: both happen in Pd's own time."""
        self.add(f"table sound {frames}")
        writer = self.add("tabwrite~ sound", self.last)
        go = self.add("t b b", self.add("r go"))
        self.connect(go, writer, outlet=1)
        full = self.add("delay", self.add(f"{milliseconds + 50:g}", go, what="msg"))
        self.add("soundfiler", self.add(f"write -bytes 4 -wave {name} sound", full, what="msg"))

    def within(self, inside: "_Canvas", *sources: int) -> int:
        """A subpatch as an object."""
        here = self.add("", *sources)
        self.objects[here] = f"{inside.text()}\n#X restore 10 10 pd inside;"
        return here

    def text(self) -> str:
        return "\n".join(["#N canvas 0 0 800 600 12;", *self.objects, *self.cables])

    def save(self, path: Path) -> None:
        path.write_text(self.text() + "\n")

    @classmethod
    def of(cls, patch: str, rate: int) -> "_Canvas":
        """The patch, and what turns the sound on at 'go ms' and ends Pd that many milliseconds later."""
        canvas = cls()
        both = canvas.add("t a b", canvas.add("r go"))
        canvas.connect(both, canvas.add(r"\; pd dsp 1", what="msg"), outlet=1)
        canvas.add(r"\; pd quit", canvas.add("delay", both), what="msg")
        _PATCHES[patch](canvas, rate)
        return canvas


def _b1(canvas: _Canvas, rate: int) -> None:
    canvas.play(music.B1_GAIN, [canvas.add(f"osc~ {frequency:.3f}") for frequency in music.sines()])


def _b2(canvas: _Canvas, rate: int) -> None:
    b0, b1, b2, a1, a2 = music.BIQUAD
    rise = canvas.add(f"{music.LINE_TO} {music.LINE_S * 1000:g}", canvas.add("loadbang"), what="msg")
    voices = []
    for frequency in music.phasors():
        filtered = canvas.add(f"biquad~ {-a1} {-a2} {b0} {b1} {b2}", canvas.add(f"phasor~ {frequency:.3f}"))
        voice = canvas.product(filtered, canvas.add("line~", rise))
        voices.append(canvas.add(f"*~ {music.VOICE_GAIN}", voice))
    canvas.play(music.B2_GAIN, voices)


def _b3(canvas: _Canvas, rate: int) -> None:
    noise = canvas.add("noise~")
    milliseconds = 1000 / rate
    reverbs = []
    for reverb in range(music.REVERBS):
        combs = []
        for index, length in enumerate(music.combs(reverb)):
            delayed = canvas.add(f"delread~ c{reverb}_{index} {length * milliseconds:.6f}")
            echo = canvas.add(f"*~ {music.COMB_FEEDBACK}", delayed)
            canvas.add(f"delwrite~ c{reverb}_{index} 50", noise, echo)  # two cables into one inlet are summed
            combs.append(delayed)
        sound = canvas.add(f"*~ {music.COMB_GAIN}", *combs)
        for index, length in enumerate(music.allpasses(reverb)):
            delayed = canvas.add(f"delread~ a{reverb}_{index} {length * milliseconds:.6f}")
            stored = canvas.sum(sound, canvas.add(f"*~ {music.ALLPASS_GAIN}", delayed))
            canvas.add(f"delwrite~ a{reverb}_{index} 50", stored)
            sound = canvas.sum(delayed, canvas.add(f"*~ {-music.ALLPASS_GAIN}", stored))
        reverbs.append(sound)
    canvas.play(music.B3_GAIN, reverbs)


def _b4(canvas: _Canvas, rate: int) -> None:
    sound = canvas.add("noise~")
    for _ in range(music.PAIRS):
        sound = canvas.add(f"+~ {music.PLUS}", canvas.add(f"*~ {music.TIMES}", sound))
    canvas.play(1, [sound])


def _b5(canvas: _Canvas, rate: int) -> None:
    """Pd has no band-limited saw of its own: it gets the plain phasor~, which aliases and costs less."""
    louder = 3.3  # its saws are half as loud as the others', and vcf~ passes low notes at 0.6 of their level
    attack_s, decay_s, sustain, _ = music.ADSR
    start = canvas.add("loadbang")
    rise_and_fall = rf"1 {attack_s * 1000:g} \, {sustain} {decay_s * 1000:g} {attack_s * 1000:g}"
    shape = canvas.add(rise_and_fall, start, what="msg")
    voices = []
    for voice in music.voices():
        saws = [canvas.add("-~ 0.5", canvas.add(f"phasor~ {voice.frequency * by:.4f}")) for by in music.DETUNE]
        sweep = canvas.add(f"*~ {music.SWEEP_HZ}", canvas.add(f"osc~ {voice.lfo:.3f}"))
        filtered = canvas.add(f"vcf~ {music.Q}", *saws)
        canvas.connect(canvas.add(f"+~ {music.CUTOFF_HZ}", sweep), filtered, inlet=1)
        shaped = canvas.add("*~")
        canvas.connect(filtered, shaped, outlet=1)
        canvas.connect(canvas.add("vline~", shape), shaped, inlet=1)
        voices.append(canvas.add(f"*~ {music.SYNTH_GAIN * louder}", shaped))
    canvas.play(music.B5_GAIN, voices)


def _b6(canvas: _Canvas, rate: int) -> None:
    """As in b5 the saw is the plain phasor~; the square is one with its middle cut out. A metro opens each gate."""
    louder = 2.7  # vcf~ passes low notes at less than their level
    start = canvas.add("loadbang")
    voices = []
    for voice in music.gated():
        saw = canvas.add("*~ 2", canvas.add("-~ 0.5", canvas.add(f"phasor~ {voice.frequency:.4f}")))
        edge = canvas.add("-~ 0.5", canvas.add(f"phasor~ {voice.frequency * music.SQUARE_BY:.4f}"))
        square = canvas.add("clip~ -1 1", canvas.add("*~ 10000", edge))
        round_ms = 1000 / voice.gate
        begin = canvas.add("t b b", canvas.add(f"metro {round_ms:.4f}", start))
        end = canvas.add(f"delay {round_ms / 2:.4f}", begin)
        bend, shape = (_envelope(canvas, begin, end, *stages) for stages in (music.FILTER_ADSR, music.LEVEL_ADSR))
        sweep = canvas.add(f"+~ {music.LOW_HZ}", canvas.add(f"*~ {music.LFO_HZ}", canvas.add(f"osc~ {voice.lfo:.3f}")))
        cutoff = canvas.sum(canvas.add(f"*~ {music.ENVELOPE_HZ}", bend), sweep)
        filtered = canvas.add(f"vcf~ {music.RESONANT_Q}", saw, square)
        canvas.connect(cutoff, filtered, inlet=1)
        shaped = canvas.add("*~")
        canvas.connect(filtered, shaped, outlet=1)
        canvas.connect(shape, shaped, inlet=1)
        voices.append(canvas.add(f"*~ {music.SYNTH_GAIN * louder}", shaped))
    canvas.play(music.B6_GAIN, voices)


def _envelope(
    canvas: _Canvas, begin: int, end: int, attack: float, decay: float, sustain: float, release: float
) -> int:
    """A vline~ that goes through attack and decay at `begin`, and through the release at `end`."""
    rise = canvas.add(rf"1 {attack * 1000:g} \, {sustain} {decay * 1000:g} {attack * 1000:g}", what="msg")
    canvas.connect(begin, rise, outlet=1)
    fall = canvas.add(f"0 {release * 1000:g}", end, what="msg")
    return canvas.add("vline~", rise, fall)


def _b7(canvas: _Canvas, rate: int) -> None:
    """Pd has no granular object: each grain is a phasor~ that reads the table from a place which samphold~ takes anew
    at each round, and a window made of a cosine."""
    cloud, _ = sounds.files(rate)
    canvas.add(f"table cloud {music.CLOUD}")
    canvas.add("soundfiler", canvas.add(f"read {cloud} cloud", canvas.add("loadbang"), what="msg"))
    span_frames, widest = music.GRAIN_S * rate, music.GRAIN_ST / 12 * math.log(2)
    last = music.CLOUD - 2 - span_frames * math.exp(widest)
    places = canvas.add(
        "+~ 1", canvas.add(f"*~ {last}", canvas.add("+~ 0.5", canvas.add("*~ 0.5", canvas.add("noise~"))))
    )
    speeds = canvas.add(f"*~ {span_frames}", canvas.add("exp~", canvas.add(f"*~ {widest:.6f}", canvas.add("noise~"))))
    grains = []
    for k in range(music.GRAINS):
        begin = canvas.add(f"{k / music.GRAINS}", canvas.add("loadbang"), what="msg")
        phase = canvas.add(f"phasor~ {1 / music.GRAIN_S:g}")
        canvas.connect(begin, phase, inlet=1)
        place, speed = canvas.add("samphold~", places), canvas.add("samphold~", speeds)
        canvas.connect(phase, place, inlet=1)
        canvas.connect(phase, speed, inlet=1)
        sound = canvas.add("tabread4~ cloud", canvas.sum(canvas.product(phase, speed), place))
        window = canvas.add("+~ 0.5", canvas.add("*~ -0.5", canvas.add("cos~", phase)))
        grains.append(canvas.product(sound, window))
    canvas.play(music.B7_GAIN, grains)


def _b8(canvas: _Canvas, rate: int) -> None:
    """Pd has transforms, but no object that convolves: pieces by overlap-save in a subpatch of two pieces a block.
    Delay lines in it hold the past spectra, and tables those of the response, which come from a file."""
    size = 2 * music.PARTITION
    pieces = -(-music.TAPS // music.PARTITION)
    part = np.zeros((pieces, size))
    part[:, : music.PARTITION] = sounds.response().reshape(pieces, music.PARTITION)
    spectra = np.fft.rfft(part) / size
    tables = np.zeros((size, 2 * pieces), np.float32)
    tables[: music.PARTITION + 1, 0::2], tables[: music.PARTITION + 1, 1::2] = spectra.real.T, spectra.imag.T
    soundfile.write(measure.work("puredata") / "spectra.wav", tables, rate, "FLOAT")
    names = [f"{axis}{k}" for k in range(pieces) for axis in ("re", "im")]
    for name in names:
        canvas.add(f"table {name} {size}")
    canvas.add("soundfiler", canvas.add(f"read spectra.wav {' '.join(names)}", canvas.add("loadbang"), what="msg"))

    inside = _Canvas()
    inside.add(f"block~ {size} 2")
    spectrum = inside.add("rfft~", inside.add("inlet~"))
    piece_ms = 1000 * music.PARTITION / rate
    inside.add(f"delwrite~ past-re {pieces * piece_ms:.6f}", spectrum)
    imaginary = inside.add(f"delwrite~ past-im {pieces * piece_ms:.6f}")
    inside.connect(spectrum, imaginary, outlet=1)
    back = inside.add("rifft~")
    for k in range(pieces):
        if k:
            xr, xi = (inside.add(f"delread~ past-{axis} {k * piece_ms:.6f}") for axis in ("re", "im"))
            outlet = 0
        else:
            xr = xi = spectrum
            outlet = 1
        hr, hi = (inside.add(f"tabreceive~ {axis}{k}") for axis in ("re", "im"))
        products = []
        for x, out, h in ((xr, 0, hr), (xi, outlet, hi), (xr, 0, hi), (xi, outlet, hr)):
            products.append(inside.add("*~"))
            inside.connect(x, products[-1], outlet=out)
            inside.connect(h, products[-1], inlet=1)
        difference = inside.add("-~", products[0])
        inside.connect(products[1], difference, inlet=1)
        inside.connect(difference, back)
        inside.connect(products[2], back, inlet=1)
        inside.connect(products[3], back, inlet=1)
    canvas.add(f"table later {size}")
    later = rf"\; later const 0 \; later {music.PARTITION} {' '.join(['1'] * music.PARTITION)}"
    canvas.add(later, canvas.add("loadbang"), what="msg")
    inside.add("outlet~", inside.product(back, inside.add("tabreceive~ later")))
    canvas.play(music.B8_GAIN, [canvas.within(inside, canvas.add("noise~"))])


def _b9(canvas: _Canvas, rate: int) -> None:
    """biquad~ for the bands, since bp~ lets too much of what lies below through; lop~ over abs~ is the follower."""
    swell = canvas.add("+~ 0.5", canvas.add("*~ 0.5", canvas.add(f"osc~ {music.SWELL_HZ}")))
    voice = canvas.product(canvas.add("noise~"), swell)
    carrier = canvas.add("*~ 2", canvas.add("-~ 0.5", canvas.add(f"phasor~ {music.CARRIER_HZ}")))
    bands = []
    for middle in music.bands():
        angle = 2 * math.pi * middle / rate
        alpha = math.sin(angle) / (2 * music.BAND_Q)
        a0, b0 = 1 + alpha, alpha / (1 + alpha)
        only = f"biquad~ {2 * math.cos(angle) / a0:.9f} {-(1 - alpha) / a0:.9f} {b0:.9f} 0 {-b0:.9f}"
        heard = canvas.add(only, voice)
        level = canvas.add(f"lop~ {1 / (2 * math.pi * music.FOLLOW_S):.5f}", canvas.add("abs~", heard))
        bands.append(canvas.product(canvas.add(only, carrier), level))
    canvas.play(music.B9_GAIN, bands)


_PATCHES = {"b1": _b1, "b2": _b2, "b3": _b3, "b4": _b4, "b5": _b5, "b6": _b6, "b7": _b7, "b8": _b8, "b9": _b9}
