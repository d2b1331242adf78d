"""Dynamics."""

from math import exp, log
from typing import Any

import numpy as np

from nodegraph.core import BlockNode, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import exp2, f32, f64, i64, rows
from nodegraph.core.ports import MOST_CHANNELS
from nodegraph.nodes.delays import sound
from nodegraph.nodes.envelopes import part_of

LOOKAHEAD_S = 0.002
DB = 8.685889638065035  # decibels in a natural logarithm
OCTAVES = 0.16609640474436813  # powers of two in a decibel
SILENCE = 1e-6  # -120 dB; what is softer counts as that
ONE = 1_073_741_824.0  # losses are summed as whole numbers of 2^-30, so that the sum never drifts


def lookahead(rate: int) -> int:
    """Frames by which the limiter looks ahead."""
    return max(1, round(LOOKAHEAD_S * rate))


def turned(place, size):
    """A place of a ring that may stand up to one round too far."""
    return place - size if place >= size else place


def loudest(x, i, channels):
    """The largest size of frame `i` in any channel."""
    peak = 0.0
    for c in range(channels):
        peak = max(peak, abs(sound(x[c, i])))
    return peak


def decibels(level):
    """A level in dB, from -120 dB on."""
    return DB * log(max(level, SILENCE))


def part_a_frame(seconds, rate):
    """Which part of the way a one-pole of this time constant goes in a frame."""
    return f64(part_of(1.0 / max(seconds * rate, 1e-3)))


def loss_over(level, threshold, ratio, knee):
    """The gain in dB, 0 or less, that a compressor wants at this level in dB."""
    slope = 1.0 / max(ratio, 1.0) - 1.0
    over = level - threshold
    width = max(knee, 0.0)
    inside = over + 0.5 * width
    found = slope * over
    if inside <= 0.0:
        found = 0.0
    elif over < 0.5 * width:
        found = slope * inside * inside / (2.0 * width)
    return found


@node("limiter~", aliases=("Limiter", "omx.peaklim~", "limi~", "brickwall~"))
class Limiter(BlockNode):
    """Keep a sound below a ceiling, without a click and without ever letting a peak through.

    Looks 2 ms ahead: the gain that the loudest sample of all channels will need is reached in a straight line before it
    comes, and held while it is needed; then it rises again by ``1 - exp(-1 / (release rate))`` of the way a frame. All
    channels get the same gain, so that the picture in space stays. ``|y| <= ceiling`` always; below the ceiling
    y is x, bit for bit. Latency 2 ms (96 frames at 48 kHz).

    Source: J. Dattorro, "Effect Design", JAES, 1997, look-ahead limiting; moving minimum and mean.
    """

    x = inlet.signal("sound")
    ceiling = inlet.control(0.891, "highest level, linear; 0.891 is -1 dB", span=(0.01, 1.0), ramp_s=0.0)
    release = inlet.control(0.1, "time constant of the way back", unit="s", span=(0.001, 5.0), curve="log", ramp_s=0.0)
    y = outlet.signal("limited sound")
    past = memory.array(rows=True)  # the sound of the last `ahead` frames
    loss = memory.array()  # a queue of falling losses and for how many frames each still matters: its first is the most
    until = memory.array(element="i64")
    recent = memory.array(element="i64")  # the last `ahead` + 1 losses, whose mean is what is taken off
    first = memory(0, "i64")
    waiting = memory(0, "i64")
    place = memory(0, "i64")
    oldest = memory(0, "i64")
    now = memory(0, "i64")
    total = memory(0, "i64")
    slow = memory(0.0)

    spread = "all"

    @staticmethod
    def latency(rate: int) -> int:
        return lookahead(rate)

    @staticmethod
    def arrange(rate: int) -> dict[str, Any]:
        ahead = lookahead(rate)
        return {
            "past": np.zeros((MOST_CHANNELS, ahead), np.float32),
            "loss": np.zeros(ahead + 2, np.float32),
            "until": np.zeros(ahead + 2, np.int64),
            "recent": np.zeros(ahead + 1, np.int64),
        }

    @staticmethod
    def process(
        x, ceiling, release, y, past, loss, until, recent,
        first, waiting, place, oldest, now, total, slow, rate, frames,
    ):  # fmt: skip
        ahead = len(past)
        size = len(loss)
        channels = min(min(rows(x), rows(y)), rows(past))
        for i in range(frames):
            peak = loudest(x, i, channels)
            most = max(ceiling[i], 0.0)
            needed = 1.0 - most / peak if peak > most else 0.0
            while waiting > 0 and loss[turned(first + waiting - 1, size)] <= needed:
                waiting -= 1
            last = turned(first + waiting, size)
            loss[last] = needed
            until[last] = now + ahead
            waiting += 1
            if until[first] < now:
                first = turned(first + 1, size)
                waiting -= 1
            slow = max(loss[first], slow - slow * (1.0 - exp(-1.0 / (max(release[i], 0.0001) * rate))))
            new = i64(slow * ONE)
            total = total + new - recent[oldest]
            recent[oldest] = new
            oldest = turned(oldest + 1, ahead + 1)
            gain = 1.0 - f32(total) / (ONE * f32(ahead + 1))
            for c in range(channels):
                old = past[c, place]
                past[c, place] = sound(x[c, i])
                y[c, i] = max(min(old * gain, most), -most)
            place = turned(place + 1, ahead)
            now += 1


@node("compressor~", aliases=("Compander", "CompanderD", "comp~", "omx.comp~", "dynamics~"))
class Compressor(BlockNode):
    """Make loud parts softer, so that the whole can be louder.

    The level is the loudest sample of all channels, in dB. Over the threshold it may rise by 1 dB where it would rise
    by `ratio`; `knee` rounds the corner by a parabola that is so many dB wide. The gain that follows from it goes down
    with the time constant `attack` and comes back with `release`, in dB, and all channels get the same. `makeup` is
    added.

    With `sidechain`, `key` is listened to in place of x: a kick drum that pushes a pad aside. The gain that is applied,
    without the makeup, comes out of `change`. Levels below -120 dB count as that. Latency 0 frames.

    Source: D. Giannoulis, M. Massberg, J. Reiss, "Digital Dynamic Range Compressor Design", JAES, 2012: the smooth
    decoupled peak detector, after the gain computer.
    """

    sidechain = setting.flag(False, "listen to `key` instead of x")
    x = inlet.signal("sound")
    key = inlet.signal("what is listened to, with `sidechain`")
    threshold = inlet.control(-20.0, "level from which it acts", unit="dB", span=(-80.0, 0.0))
    ratio = inlet.control(4.0, "how many dB more make 1 dB more", span=(1.0, 100.0), curve="log")
    attack = inlet.control(
        0.005, "time constant of the way down", unit="s", span=(0.0001, 1.0), curve="log", ramp_s=0.0
    )
    release = inlet.control(0.1, "time constant of the way back", unit="s", span=(0.001, 5.0), curve="log", ramp_s=0.0)
    knee = inlet.control(6.0, "width of the rounded corner", unit="dB", span=(0.0, 40.0))
    makeup = inlet.control(0.0, "gain of the result", unit="dB", span=(-24.0, 48.0))
    y = outlet.signal("compressed sound")
    change = outlet.signal("gain that is applied, in dB, 0 or less", channels=1)
    wanted = memory(0.0, "f64")  # in single precision a slow way would stand still before its end
    applied = memory(0.0, "f64")

    spread = "all"

    @staticmethod
    def process(
        x, key, threshold, ratio, attack, release, knee, makeup, y, change, wanted, applied, sidechain, rate, frames
    ):
        channels = min(rows(x), rows(y))
        for i in range(frames):
            peak = loudest(key, i, rows(key)) if sidechain > 0.0 else loudest(x, i, channels)
            want = f64(loss_over(decibels(peak), threshold[i], ratio[i], knee[i]))
            wanted = min(want, wanted + part_a_frame(release[i], rate) * (want - wanted))
            applied = applied + part_a_frame(attack[i], rate) * (wanted - applied)
            loss = f32(applied)
            gain = exp2((loss + makeup[i]) * OCTAVES)
            for c in range(channels):
                y[c, i] = x[c, i] * gain
            for c in range(channels, rows(y)):
                y[c, i] = 0.0
            change[0, i] = loss


@node("gate~", aliases=("noisegate~", "NoiseGate", "expander~"))
class NoiseGate(BlockNode):
    """Let loud sound through and shut out what is soft: hiss between words, a room's hum.

    Opens when the loudest sample of all channels reaches `threshold`, and closes when for `hold` seconds none has
    reached ``threshold - hysteresis``; the gain goes with the time constants `attack` and `release` to 1 and to
    `floor_db`. `open` tells: 1 while it is open, else 0, so that it can start an envelope as well. It does not look
    ahead: the attack softens the beginning of what opens it. Latency 0 frames.

    Source: U. Zölzer, *DAFX: Digital Audio Effects*, section 4.2.3; O. H. Schmitt, "A thermionic trigger", 1938.
    """

    x = inlet.signal("sound")
    threshold = inlet.control(-45.0, "level that opens it", unit="dB", span=(-100.0, 0.0))
    hysteresis = inlet.control(6.0, "how far below that it closes", unit="dB", span=(0.0, 40.0))
    attack = inlet.control(0.001, "time constant of opening", unit="s", span=(0.0001, 1.0), curve="log", ramp_s=0.0)
    hold = inlet.control(0.05, "how long it waits to close", unit="s", span=(0.0, 5.0), ramp_s=0.0)
    release = inlet.control(0.1, "time constant of closing", unit="s", span=(0.001, 5.0), curve="log", ramp_s=0.0)
    floor_db = inlet.control(-80.0, "gain while it is closed; -120 is silence", unit="dB", span=(-120.0, 0.0))
    y = outlet.signal("sound while it is loud")
    open = outlet.signal("1 while it is open", channels=1)
    up = memory(0.0)
    left = memory(0, "i64")
    gain = memory(0.0, "f64")

    spread = "all"

    @staticmethod
    def process(x, threshold, hysteresis, attack, hold, release, floor_db, y, open, up, left, gain, rate, frames):
        channels = min(rows(x), rows(y))
        for i in range(frames):
            level = decibels(loudest(x, i, channels))
            if level >= threshold[i]:
                up = 1.0
            if level >= threshold[i] - max(hysteresis[i], 0.0):
                left = i64(max(hold[i], 0.0) * rate)
            elif left > 0:
                left -= 1
            else:
                up = 0.0
            closed = exp2(floor_db[i] * OCTAVES) if floor_db[i] > -120.0 else 0.0
            if up > 0.0:
                gain = gain + part_a_frame(attack[i], rate) * (1.0 - gain)
            else:
                gain = gain + part_a_frame(release[i], rate) * (f64(closed) - gain)
            level = f32(gain)
            for c in range(channels):
                y[c, i] = x[c, i] * level
            for c in range(channels, rows(y)):
                y[c, i] = 0.0
            open[0, i] = up
