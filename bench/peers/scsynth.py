"""SuperCollider's server in non-real-time mode, one synth a voice as its users write it.

What sclang does to a definition by itself, and supriya does not, is written out: sums of three and four, and products
with a sum, in one unit.
"""

import importlib.util
import math
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench.peers import measure, music, sounds

NAME = "scsynth"
MIX = 1
"""The bus on which voices meet; a last synth takes it to bus 0, the output, with the patch's gain."""


def available() -> str | None:
    if not shutil.which("scsynth"):
        return "scsynth is not installed (apt install supercollider-server)"
    if not importlib.util.find_spec("supriya"):
        return "supriya is not installed (make bench installs it)"
    return None


def version() -> str:
    said = subprocess.run(["scsynth", "-v"], capture_output=True, text=True, check=True)
    return " ".join(said.stdout.split()[:2])


def cpu_per_second(patch: str, block: int = 64, rate: int = 48_000) -> float:
    folder = measure.work("scsynth")
    for seconds in (measure.SHORT_S, measure.LONG_S[patch]):
        _write_score(folder / f"{patch}-{seconds}.osc", patch, seconds, rate)

    def command(seconds: int) -> list[str]:  # into a file that nobody keeps: writing one is not part of the music
        return _command(f"{patch}-{seconds}.osc", "/dev/null", "RAW", block, rate)

    return measure.slope(patch, command, folder)


def render(patch: str, seconds: float, rate: int = 48_000) -> NDArray[np.float32]:
    folder = measure.work("scsynth")
    _write_score(folder / f"{patch}-render.osc", patch, seconds, rate)
    measure.cpu_of(_command(f"{patch}-render.osc", f"{patch}.wav", "WAV", 64, rate), folder)
    sound, _ = soundfile.read(folder / f"{patch}.wav", dtype="float32", frames=round(seconds * rate))
    return np.asarray(sound)


def _command(score: str, sound: str, form: str, block: int, rate: int) -> list[str]:
    places = ["-N", score, "_", sound, str(rate), form, "float"]
    return ["scsynth", *places, *f"-i 0 -o 1 -z {block} -n 4096 -m 262144 -w 2048".split()]


Voices = list[tuple[str, dict[str, float]]]
"""Which synth definitions to start, with which controls."""

# A patch is (its synth definitions, its voices, the gain of the mix).


def _b1(rate: int) -> tuple[list[Any], Voices, float]:
    """Fifty sines a synth, which cost less than one a synth."""
    from supriya import SynthDefBuilder
    from supriya.ugens import Out, SinOsc

    frequencies = music.sines()
    definitions = []
    for first in range(0, len(frequencies), 50):
        with SynthDefBuilder() as build:
            Out.ar(bus=MIX, source=_sum([SinOsc.ar(frequency=f) for f in frequencies[first : first + 50]]))
        definitions.append(build.build(f"sines{first}"))
    return definitions, [(definition.name, {}) for definition in definitions], music.B1_GAIN


def _b2(rate: int) -> tuple[list[Any], Voices, float]:
    from supriya import SynthDefBuilder
    from supriya.ugens import SOS, LFSaw, Line, Out

    b0, b1, b2, a1, a2 = music.BIQUAD
    with SynthDefBuilder(frequency=440) as build:
        saw = LFSaw.ar(frequency=build["frequency"])
        filtered = SOS.ar(source=saw, a_0=b0, a_1=b1, a_2=b2, b_1=-a1, b_2=-a2)
        # LFSaw goes from -1 to 1, a phasor from 0 to 1: half the gain makes up for it, only the offset is missing.
        voice = filtered * Line.ar(start=0, stop=music.LINE_TO, duration=music.LINE_S) * (music.VOICE_GAIN / 2)
        Out.ar(bus=MIX, source=voice)
    return [build.build("voice")], [("voice", {"frequency": f}) for f in music.phasors()], music.B2_GAIN


def _b3(rate: int) -> tuple[list[Any], Voices, float]:
    from supriya import SynthDefBuilder
    from supriya.ugens import AllpassN, CombN, In, Out, WhiteNoise

    noise_bus = MIX + 1
    with SynthDefBuilder() as build:
        Out.ar(bus=noise_bus, source=WhiteNoise.ar())
    definitions = [build.build("noise")]
    for reverb in range(music.REVERBS):
        with SynthDefBuilder() as build:
            dry = In.ar(bus=noise_bus)
            combs = [
                CombN.ar(source=dry, maximum_delay_time=0.05, **_echo(length, music.COMB_FEEDBACK, rate))
                for length in music.combs(reverb)
            ]
            sound = _sum(combs) * music.COMB_GAIN
            for length in music.allpasses(reverb):
                sound = AllpassN.ar(source=sound, maximum_delay_time=0.05, **_echo(length, music.ALLPASS_GAIN, rate))
            Out.ar(bus=MIX, source=sound)
        definitions.append(build.build(f"reverb{reverb}"))
    return definitions, [("noise", {}), *((f"reverb{k}", {}) for k in range(music.REVERBS))], music.B3_GAIN


def _sum(signals: list[Any]) -> Any:
    """As sclang adds them up: four at a time, or three, in one unit."""
    from supriya.ugens import Sum3, Sum4

    while len(signals) > 1:
        rows = [signals[first : first + 4] for first in range(0, len(signals), 4)]
        signals = [
            Sum4.new(input_one=row[0], input_two=row[1], input_three=row[2], input_four=row[3]) if len(row) == 4
            else Sum3.new(input_one=row[0], input_two=row[1], input_three=row[2]) if len(row) == 3
            else row[0] + row[1] if len(row) == 2
            else row[0]
            for row in rows
        ]  # fmt: skip
    return signals[0]


def _times_plus(signal: Any, times: Any, plus: Any) -> Any:
    """As sclang compiles a product and a sum: in one unit."""
    from supriya.ugens import MulAdd

    return MulAdd.new(source=signal, multiplier=times, addend=plus)


def _echo(length: int, gain: float, rate: int) -> dict[str, float]:
    """A delay in samples and a feedback, in the server's terms. The half keeps the delay from being cut one short."""
    delay_s = (length + 0.5) / rate
    return {"delay_time": delay_s, "decay_time": delay_s * math.log(0.001) / math.log(gain)}


def _b4(rate: int) -> tuple[list[Any], Voices, float]:
    from supriya import SynthDefBuilder
    from supriya.ugens import Out, WhiteNoise

    with SynthDefBuilder() as build:
        sound: Any = WhiteNoise.ar()
        for _ in range(music.PAIRS):
            sound = _times_plus(sound, music.TIMES, music.PLUS)
        Out.ar(bus=MIX, source=sound)
    return [build.build("chain")], [("chain", {})], 1.0


def _b5(rate: int) -> tuple[list[Any], Voices, float]:
    from supriya import Envelope, SynthDefBuilder
    from supriya.ugens import RLPF, EnvGen, Out, Saw, SinOsc

    with SynthDefBuilder(frequency=440, lfo=1, gate=1) as build:
        saws = _sum([Saw.ar(frequency=build["frequency"] * by) for by in music.DETUNE])
        cutoff = _times_plus(SinOsc.ar(frequency=build["lfo"]), music.SWEEP_HZ, music.CUTOFF_HZ)
        filtered = RLPF.ar(source=saws, frequency=cutoff, reciprocal_of_q=1 / music.Q)
        shape = EnvGen.ar(envelope=Envelope.adsr(*music.ADSR), gate=build["gate"])
        Out.ar(bus=MIX, source=filtered * shape * (2 * music.SYNTH_GAIN))  # Saw goes from -0.5 to 0.5
    voices = [("synth", {"frequency": voice.frequency, "lfo": voice.lfo}) for voice in music.voices()]
    return [build.build("synth")], voices, music.B5_GAIN


def _b6(rate: int) -> tuple[list[Any], Voices, float]:
    from supriya import Envelope, SynthDefBuilder
    from supriya.ugens import RLPF, EnvGen, LFPulse, Out, Pulse, Saw, SinOsc

    with SynthDefBuilder(frequency=440, lfo=1, rate=1) as build:
        gate = LFPulse.kr(frequency=build["rate"])
        bend = EnvGen.ar(envelope=Envelope.adsr(*music.FILTER_ADSR, curve=0.0), gate=gate)
        shape = EnvGen.ar(envelope=Envelope.adsr(*music.LEVEL_ADSR, curve=0.0), gate=gate)
        sweep = _times_plus(SinOsc.ar(frequency=build["lfo"]), music.LFO_HZ, music.LOW_HZ)
        cutoff = _times_plus(bend, music.ENVELOPE_HZ, sweep)
        waves = Saw.ar(frequency=build["frequency"]) + Pulse.ar(frequency=build["frequency"] * music.SQUARE_BY)
        filtered = RLPF.ar(source=waves, frequency=cutoff, reciprocal_of_q=1 / music.RESONANT_Q)
        Out.ar(bus=MIX, source=filtered * shape * (2 * music.SYNTH_GAIN))  # both go from -0.5 to 0.5
    voices = [("gated", {"frequency": v.frequency, "lfo": v.lfo, "rate": v.gate}) for v in music.gated()]
    return [build.build("gated")], voices, music.B6_GAIN


def _b7(rate: int) -> tuple[list[Any], Voices, float]:
    """GrainBuf with its own Hann window and its cubic interpolation."""
    from supriya import SynthDefBuilder
    from supriya.ugens import GrainBuf, Impulse, Out, TExpRand, TRand

    widest = 2 ** (music.GRAIN_ST / 12)
    with SynthDefBuilder() as build:
        trigger = Impulse.ar(frequency=music.density())
        grains = GrainBuf.ar(
            channel_count=1, trigger=trigger, duration=music.GRAIN_S, buffer_id=0, interpolate=4, maximum_overlap=64,
            rate=TExpRand.ar(minimum=1 / widest, maximum=widest, trigger=trigger),
            position=TRand.ar(minimum=0, maximum=1, trigger=trigger),
        )  # fmt: skip
        Out.ar(bus=MIX, source=grains)
    return [build.build("cloud")], [("cloud", {})], music.B7_GAIN


def _b8(rate: int) -> tuple[list[Any], Voices, float]:
    """PartConv, with the shortest pieces that it takes at blocks of 64: it wants two blocks a piece."""
    from supriya import SynthDefBuilder
    from supriya.ugens import Out, WhiteNoise
    from supriya.ugens.core import UGen, param, ugen

    @ugen(ar=True)
    class PartConv(UGen):  # supriya does not name it
        source = param()
        fft_size = param()
        buffer_id = param()

    with SynthDefBuilder() as build:
        Out.ar(bus=MIX, source=PartConv.ar(source=WhiteNoise.ar(), fft_size=2 * music.PARTITION, buffer_id=2))
    return [build.build("room")], [("room", {})], music.B8_GAIN


def _b9(rate: int) -> tuple[list[Any], Voices, float]:
    from supriya import SynthDefBuilder
    from supriya.ugens import BPF, Amplitude, Out, Saw, SinOsc, WhiteNoise

    follow_s = music.FOLLOW_S * math.log(10)  # Amplitude counts to a tenth, a time constant to 1 / e
    with SynthDefBuilder() as build:
        voice = WhiteNoise.ar() * _times_plus(SinOsc.ar(frequency=music.SWELL_HZ), 0.5, 0.5)
        carrier = Saw.ar(frequency=music.CARRIER_HZ) * 2  # from -0.5 to 0.5
        bands = []
        for middle in music.bands():
            heard = BPF.ar(source=voice, frequency=middle, reciprocal_of_q=1 / music.BAND_Q)
            level = Amplitude.ar(source=heard, attack_time=follow_s, release_time=follow_s)
            bands.append(BPF.ar(source=carrier, frequency=middle, reciprocal_of_q=1 / music.BAND_Q) * level)
        Out.ar(bus=MIX, source=_sum(bands))
    return [build.build("vocoder")], [("vocoder", {})], music.B9_GAIN


_PATCHES = {
    "b1": _b1, "b2": _b2, "b3": _b3, "b4": _b4, "b5": _b5, "b6": _b6, "b7": _b7, "b8": _b8, "b9": _b9,
}  # fmt: skip


def _buffers(patch: str, rate: int) -> list[bytes]:
    """What loads the sounds that a patch reads: the cloud as buffer 0; the response as buffer 1, its pieces as 2."""
    cloud, response = sounds.files(rate)
    if patch == "b7":
        return [_message("/b_allocRead", 0, str(cloud))]
    if patch == "b8":
        pieces = -(-music.TAPS // music.PARTITION)
        return [
            _message("/b_allocRead", 1, str(response)),
            _message("/b_alloc", 2, 2 * music.PARTITION * pieces, 1),
            _message("/b_gen", 2, "PreparePartConv", 1, 2 * music.PARTITION),
        ]
    return []


def _write_score(path: Path, patch: str, seconds: float, rate: int) -> None:
    """All synths at time 0, in the order of the list, then the last one that plays the mix, and the end."""
    from supriya import SynthDefBuilder
    from supriya.ugens import In, Out

    definitions, voices, gain = _PATCHES[patch](rate)
    with SynthDefBuilder() as build:
        Out.ar(bus=0, source=In.ar(bus=MIX) * gain)
    after_all = 1  # the server's add action: the tail of the group
    messages = _buffers(patch, rate)
    messages += [_message("/d_recv", definition.compile()) for definition in (*definitions, build.build("mix"))]
    for number, (name, controls) in enumerate((*voices, ("mix", {}))):
        pairs = [item for pair in controls.items() for item in pair]
        messages.append(_message("/s_new", name, 1000 + number, after_all, 0, *pairs))
    with path.open("wb") as file:
        for few in _batched(messages, 50):
            file.write(_bundle(0, few))
        file.write(_bundle(seconds, [_message("/c_set", 0, 0.0)]))


def _batched(messages: list[bytes], count: int) -> Iterator[list[bytes]]:
    for start in range(0, len(messages), count):
        yield messages[start : start + count]


def _message(address: str, *arguments: str | int | float | bytes) -> bytes:
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build().dgram


def _bundle(time: float, messages: list[bytes]) -> bytes:
    """One entry of a score: its length, then an OSC bundle whose time counts from 0, not from 1900."""
    whole, part = divmod(time, 1)
    body = b"#bundle\0" + struct.pack(">II", int(whole), int(part * 2**32))
    body += b"".join(struct.pack(">i", len(message)) + message for message in messages)
    return struct.pack(">i", len(body)) + body
