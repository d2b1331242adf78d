"""Csound, computing without an output. Debian's build computes in double precision."""

import math
import re
import shutil
import subprocess

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench.peers import measure, music, sounds

NAME = "Csound"


def available() -> str | None:
    return None if shutil.which("csound") else "csound is not installed (apt install csound)"


def version() -> str:
    said = subprocess.run(["csound", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"Csound version (\S+)( \(double)?", said.stderr + said.stdout)
    return f"{NAME} {found[1]}{' (double precision)' if found[2] else ''}" if found else NAME


def cpu_per_second(patch: str, block: int = 64, rate: int = 48_000) -> float:
    folder = measure.work("csound")
    (folder / f"{patch}.csd").write_text(_document(patch, block, rate))
    return measure.slope(patch, lambda seconds: _command(patch, seconds, ["-n"]), folder)


def render(patch: str, seconds: float, rate: int = 48_000) -> NDArray[np.float32]:
    folder = measure.work("csound")
    (folder / f"{patch}.csd").write_text(_document(patch, 64, rate))
    measure.cpu_of(_command(patch, seconds, ["-W", "-f", "-o", f"{patch}.wav"]), folder)
    sound, _ = soundfile.read(folder / f"{patch}.wav", dtype="float32")
    return np.asarray(sound[: round(seconds * rate)])


def _command(patch: str, seconds: float, output: list[str]) -> list[str]:
    return ["csound", *output, "-d", "-m0", f"--smacro:DUR={seconds}", f"{patch}.csd"]


def _document(patch: str, block: int, rate: int) -> str:
    instruments, score = _PATCHES[patch](rate)
    return f"""<CsoundSynthesizer>
<CsInstruments>
sr={rate}
ksmps={block}
nchnls=1
0dbfs=1
gamix init 0
{instruments}
instr mix
out gamix*{_GAINS[patch]}
gamix = 0
endin
</CsInstruments>
<CsScore>
{score}
i "mix" 0 $DUR
e
</CsScore>
</CsoundSynthesizer>
"""


_GAINS = {
    "b1": music.B1_GAIN, "b2": music.B2_GAIN, "b3": music.B3_GAIN, "b4": 1, "b5": music.B5_GAIN, "b6": music.B6_GAIN,
    "b7": music.B7_GAIN, "b8": music.B8_GAIN, "b9": music.B9_GAIN,
}  # fmt: skip


def _instrument(name: str, *lines: str) -> str:
    return "\n".join([f"instr {name}", *lines, "endin"])


def _score(rows: list[str]) -> str:
    return "\n".join(f"i {row}" for row in rows)


def _b1(rate: int) -> tuple[str, str]:
    body = _instrument("1", "asine oscili 1, p4", "gamix += asine")
    return body, _score([f"1 0 $DUR {frequency:.3f}" for frequency in music.sines()])


def _b2(rate: int) -> tuple[str, str]:
    b0, b1, b2, a1, a2 = music.BIQUAD
    body = _instrument(
        "1",
        "asaw phasor p4",
        f"afiltered biquad asaw, {b0}, {b1}, {b2}, 1, {a1}, {a2}",
        f"arise line 0, {music.LINE_S}, {music.LINE_TO}",
        "avoice = afiltered*arise",
        f"gamix += avoice*{music.VOICE_GAIN}",
    )
    return body, _score([f"1 0 $DUR {frequency:.3f}" for frequency in music.phasors()])


def _b3(rate: int) -> tuple[str, str]:
    instruments = ["ganoise init 0", _instrument("1", "ganoise rand 1, 0.5, 1")]
    for reverb in range(music.REVERBS):
        combs, allpasses = music.combs(reverb), music.allpasses(reverb)
        lines = [
            f"acomb{index} comb ganoise, {_ring(length, music.COMB_FEEDBACK, rate)}"
            for index, length in enumerate(combs)
        ]
        lines.append(f"asound = ({'+'.join(f'acomb{index}' for index in range(len(combs)))})*{music.COMB_GAIN}")
        lines += [f"asound alpass asound, {_ring(length, music.ALLPASS_GAIN, rate)}" for length in allpasses]
        instruments.append(_instrument(str(reverb + 2), *lines, "gamix += asound"))
    return "\n".join(instruments), _score([f"{number} 0 $DUR" for number in range(1, music.REVERBS + 2)])


def _ring(length: int, gain: float, rate: int) -> str:
    """Reverberation time and loop time in Csound's terms, for a delay in samples and a feedback."""
    loop_s = (length + 0.5) / rate  # the half keeps the delay from being cut one short
    return f"{loop_s * math.log(0.001) / math.log(gain):.9f}, {loop_s:.9f}"


def _b4(rate: int) -> tuple[str, str]:
    pair = [f"asound = asound*{music.TIMES}", f"asound = asound+{music.PLUS}"]
    return _instrument("1", "asound rand 1, 0.5, 1", *pair * music.PAIRS, "gamix += asound"), _score(["1 0 $DUR"])


def _b5(rate: int) -> tuple[str, str]:
    """vco2 reads band-limited tables; svfilter is the cheaper of the two-pole filters whose cutoff is a signal."""
    body = _instrument(
        "1",
        *(f"asaw{index} vco2 1, p4*{by}" for index, by in enumerate(music.DETUNE)),
        "asweep oscili 1, p5",
        f"acutoff = asweep*{music.SWEEP_HZ}+{music.CUTOFF_HZ}",
        f"alow, ahigh, aband svfilter asaw0+asaw1+asaw2, acutoff, {music.Q}",
        "ashape madsr " + ", ".join(map(str, music.ADSR)),
        f"gamix += alow*ashape*{music.SYNTH_GAIN}",
    )
    return body, _score([f"1 0 $DUR {voice.frequency:.5f} {voice.lfo:.3f}" for voice in music.voices()])


def _b6(rate: int) -> tuple[str, str]:
    """No envelope of Csound's waits for a signal's edge: loopseg goes round its stages at the gate's frequency, once a
    block, and interp makes a signal of it; that is less work than an envelope a sample."""
    body = _instrument(
        "1",
        "asaw vco2 1, p4",
        f"asquare vco2 1, p4*{music.SQUARE_BY}, 10",
        "alfo oscili 1, p5",
        f"kbend loopseg p6, 0, 0, {_stages(*music.FILTER_ADSR)}",
        f"kshape loopseg p6, 0, 0, {_stages(*music.LEVEL_ADSR)}",
        f"acutoff = interp(kbend)*{music.ENVELOPE_HZ}+(alfo*{music.LFO_HZ}+{music.LOW_HZ})",
        f"alow, ahigh, aband svfilter asaw+asquare, acutoff, {music.RESONANT_Q}",
        f"gamix += alow*interp(kshape)*{music.SYNTH_GAIN}",
    )
    rows = [f"1 0 $DUR {voice.frequency:.5f} {voice.lfo:.3f} {voice.gate:.4f}" for voice in music.gated()]
    return body, _score(rows)


def _stages(attack: float, decay: float, sustain: float, release: float) -> str:
    """Levels and times of one round; loopseg divides the times by their sum, so they are given as parts of a round."""
    times = [f"{attack}*p6", f"{decay}*p6", f"0.5-{attack + decay}*p6", f"{release}*p6", f"0.5-{release}*p6"]
    levels = [0.0, 1.0, sustain, sustain, 0.0]
    return ", ".join(f"{level}, {time}" for level, time in zip(levels, times, strict=True)) + ", 0"


def _b7(rate: int) -> tuple[str, str]:
    """grain3 as it comes: it interpolates the sound in a straight line, and the window not at all."""
    cloud, _ = sounds.files(rate)
    table_hz = rate / music.CLOUD
    widest = 2 ** (music.GRAIN_ST / 12)
    middle, around = (table_hz * (widest + sign / widest) / 2 for sign in (1, -1))
    body = _instrument(
        "1",
        f"asound grain3 {middle}, 0.5, {around}, 0.5, {music.GRAIN_S}, {music.density()}, 64, giCloud, giHann, 1, 1, 1",
        "gamix += asound",
    )
    tables = [f'giCloud ftgen 0, 0, {music.CLOUD}, -1, "{cloud}", 0, 0, 0', "giHann ftgen 0, 0, 8192, 20, 2"]
    return "\n".join([*tables, body]), _score(["1 0 $DUR"])


def _b8(rate: int) -> tuple[str, str]:
    """ftconv, as late as its pieces are long."""
    _, response = sounds.files(rate)
    body = _instrument(
        "1", "anoise rand 1, 0.5, 1", f"asound ftconv anoise, giRoom, {music.PARTITION}", "gamix += asound"
    )
    return f'giRoom ftgen 0, 0, {music.TAPS}, -1, "{response}", 0, 0, 0\n{body}', _score(["1 0 $DUR"])


def _b9(rate: int) -> tuple[str, str]:
    """butterbp for the bands; follow2 counts in the times of 60 dB."""
    follow_s = music.FOLLOW_S * math.log(1000)
    lines = [
        "anoise rand 1, 0.5, 1",
        f"aswell oscili 0.5, {music.SWELL_HZ}",
        "avoice = anoise*(aswell+0.5)",
        f"acarrier vco2 1, {music.CARRIER_HZ}",
    ]
    for middle in music.bands():
        lines += [
            f"aheard butterbp avoice, {middle:.4f}, {middle / music.BAND_Q:.4f}",
            f"alevel follow2 aheard, {follow_s:.6f}, {follow_s:.6f}",
            f"aband butterbp acarrier, {middle:.4f}, {middle / music.BAND_Q:.4f}",
            "gamix += aband*alevel",
        ]
    return _instrument("1", *lines), _score(["1 0 $DUR"])


_PATCHES = {"b1": _b1, "b2": _b2, "b3": _b3, "b4": _b4, "b5": _b5, "b6": _b6, "b7": _b7, "b8": _b8, "b9": _b9}
