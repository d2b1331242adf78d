"""What the nine patches are, in numbers. Every peer's generator and ours read them from here.

====  =========================================================================================================
b1    1000 sines, summed, times 0.001
b2    200 voices: sawtooth phasor (0 to 1), biquad, times a line that rises to 0.8 in 60 s, times 0.5; sum times 0.005
b3    one white noise (±1) into 20 Schroeder reverbs: 8 combs, sum times 0.125, 4 allpasses; sum times 0.005
b4    white noise (±1) through 250 times (times 0.9999, plus 0.0001)
b5    64 voices: three band-limited saws, two-pole low-pass with an LFO on its cutoff, ADSR, times 0.3; sum times 0.02
b6    64 voices: band-limited saw and square, resonant two-pole low-pass whose cutoff an ADSR and an LFO move, a second
      ADSR for the level; a slow gate retriggers both; times 0.3; sum times 0.02
b7    a cloud of 32 overlapping Hann grains of 0.1 s, place and pitch by chance, from 65536 numbers; times 0.05
b8    white noise (±1) times 0.1, convolved with 4096 numbers
b9    a 16-band vocoder: of white noise that swells three times a second (the voice) the level in each band, times the
      same band of a saw (the carrier); sum times 8
====  =========================================================================================================
"""

from typing import Final, NamedTuple

PATCHES: Final = ("b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9")
TITLES: Final = {
    "b1": "1000 sines",
    "b2": "200 voices",
    "b3": "20 reverbs",
    "b4": "chain of 500 operations",
    "b5": "64 synth voices",
    "b6": "64 voices, 2 envelopes",
    "b7": "32-grain cloud",
    "b8": "4096-tap convolution",
    "b9": "16-band vocoder",
}

B1_GAIN: Final = 0.001
B2_GAIN: Final = 0.005
B3_GAIN: Final = 0.005
B5_GAIN: Final = 0.02
B6_GAIN: Final = 0.02
B7_GAIN: Final = 0.05
B8_GAIN: Final = 0.1
B9_GAIN: Final = 8.0


def sines() -> list[float]:
    """The frequencies of b1, in Hz."""
    return [100 + k * 3.7 for k in range(1000)]


class Biquad(NamedTuple):
    """``y = b0 x + b1 x' + b2 x'' - a1 y' - a2 y''``"""

    b0: float
    b1: float
    b2: float
    a1: float
    a2: float


BIQUAD: Final = Biquad(0.0025, 0.005, 0.0025, -1.9, 0.91)
LINE_TO: Final = 0.8
LINE_S: Final = 60.0
VOICE_GAIN: Final = 0.5


def phasors() -> list[float]:
    """The frequencies of b2, in Hz."""
    return [50 + k * 2.3 for k in range(200)]


REVERBS: Final = 20
COMB_FEEDBACK: Final = 0.84
COMB_GAIN: Final = 0.125
ALLPASS_GAIN: Final = 0.5


def combs(reverb: int) -> list[int]:
    """Delays of one reverb's combs, in samples: ``y[n] = x[n-L] + 0.84 y[n-L]``."""
    return [length + 3 * reverb for length in (1557, 1617, 1491, 1422, 1277, 1356, 1188, 1116)]


def allpasses(reverb: int) -> list[int]:
    """Delays of one reverb's allpasses, in samples: ``w[n] = x[n] + 0.5 w[n-L]; y[n] = w[n-L] - 0.5 w[n]``."""
    return [length + 3 * reverb for length in (225, 556, 441, 341)]


PAIRS: Final = 250
TIMES: Final = 0.9999
PLUS: Final = 0.0001

DETUNE: Final = (1.0, 1.007, 0.993)
CUTOFF_HZ: Final = 1500.0
SWEEP_HZ: Final = 800.0
Q: Final = 1.25
ADSR: Final = (0.01, 0.3, 0.6, 0.2)
"""Attack, decay, sustain, release; the gate stays open."""
SYNTH_GAIN: Final = 0.3


class Voice(NamedTuple):
    frequency: float
    lfo: float


def voices() -> list[Voice]:
    """The voices of b5, in Hz."""
    return [Voice(55 * 2 ** (k / 24), 0.2 + 0.05 * k) for k in range(64)]


SQUARE_BY: Final = 0.5
"""The square's frequency as a part of the saw's."""
LOW_HZ: Final = 300.0
ENVELOPE_HZ: Final = 2500.0
LFO_HZ: Final = 150.0
RESONANT_Q: Final = 4.0
FILTER_ADSR: Final = (0.03, 0.25, 0.3, 0.2)
LEVEL_ADSR: Final = (0.01, 0.2, 0.6, 0.15)
"""Stages are straight lines; the gate is open for half of its cycle."""


class Gated(NamedTuple):
    frequency: float
    lfo: float
    gate: float


def gated() -> list[Gated]:
    """The voices of b6, in Hz; no two share a partial, so that their powers add up, whatever phases they begin with."""
    return [Gated(55 * 2 ** (0.0421 * k), 0.2 + 0.05 * k, 0.6 + 0.015 * k) for k in range(64)]


GRAINS: Final = 32
GRAIN_S: Final = 0.1
GRAIN_ST: Final = 5.0
"""Pitch by chance, up to so many semitones up or down."""
CLOUD: Final = 65_536
CLOUD_CYCLES: Final = 273
CLOUD_WOBBLES: Final = 7
CLOUD_INDEX: Final = 5.0
"""The table: ``sin(2 pi 273 p + 5 sin(2 pi 7 p))``, p from 0 to 1."""


def density() -> float:
    """Grains a second."""
    return GRAINS / GRAIN_S


TAPS: Final = 4_096
PARTITION: Final = 128
"""Frames of a piece where a peer convolves by transforms, and how late it then is: the least that scsynth takes."""

CARRIER_HZ: Final = 110.0
SWELL_HZ: Final = 3.0
BAND_Q: Final = 6.0
FOLLOW_S: Final = 0.01


def bands() -> list[float]:
    """The middles of b9's bands, in Hz."""
    return [100 * 80 ** (k / 15) for k in range(16)]
