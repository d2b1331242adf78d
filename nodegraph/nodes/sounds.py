"""Sound files in a patch: play one, record one."""

from __future__ import annotations

from math import floor
from pathlib import Path
from typing import Any

from nodegraph.core import (
    BlockNode,
    MediaError,
    Moment,
    Problem,
    TapNode,
    inlet,
    memory,
    node,
    outlet,
    setting,
)
from nodegraph.core.arithmetic import f32, f64, i64, rows, still
from nodegraph.nodes.soundfiles import SUBTYPES, SoundWriter, check_target, load_sound

FASTEST = 64.0


def frame_of(sound, c, k, loop):
    """Frame `k` of channel `c`; beyond the ends silence, or the other end when it loops."""
    length = len(sound)
    value = 0.0
    if k >= 0 and k < length:
        value = sound[c, k]
    elif loop > 0.0:
        value = sound[c, k % length]
    return value


def between(sound, c, k, t, loop):
    """The value `t` of the way from frame `k` to the next: Catmull-Rom's cubic, exact on a frame."""
    before, now = frame_of(sound, c, k - 1, loop), frame_of(sound, c, k, loop)
    after, beyond = frame_of(sound, c, k + 1, loop), frame_of(sound, c, k + 2, loop)
    c1 = 0.5 * (after - before)
    c3 = 1.5 * (now - after) + 0.5 * (beyond - before)
    c2 = before - now + c1 - c3
    curve = ((c3 * t + c2) * t + c1) * t + now
    return now if t == 0.0 else curve


@node("play~", aliases=("sfplay~", "readsf~", "PlayBuf", "DiskIn", "groove~", "soundfiler"))
class Play(BlockNode):
    """Play a sound file.

    Starts with the patch; a message to `start` begins again. The file may have any rate (it is converted to the
    engine's when it is loaded) and up to 64 channels, which `y` has, too. At speed 1 every frame comes out as it is;
    at other speeds a cubic interpolates between four frames, and what lies above half the rate folds back. A negative
    speed plays backwards, from the end when the sound starts. `done` sends at the first frame after the end, or, with
    `loop`, of each new round. The whole file is held in memory, four bytes a sample. Latency 0 frames.

    Errors: MediaError when the file is missing, damaged or has no frames.

    Source: E. Catmull, R. Rom, "A class of local interpolating splines", 1974; soxr for the rate.
    """

    file = setting.file("the sound file: WAV, FLAC, AIFF, OGG or MP3")
    loop = setting.flag(False, "begin again at the end")
    speed = inlet.control(1.0, "1 as recorded, 2 an octave up, -1 backwards", span=(-8.0, 8.0))
    start = inlet.event("begin again")
    y = outlet.signal("the sound", channels="sound")
    done = outlet.event("the end was reached")
    sound = memory.array(rows=True)
    at = memory(0.0, "f64")
    seen = memory(-1.0)
    playing = memory(0.0)

    spread = "all"

    @staticmethod
    def arrange(file, rate):
        if not file:
            raise MediaError(Problem("no-file", "'play~' has no file.", "Set 'file' to the name of a sound file."))
        return {"sound": load_sound(Path(file), rate)}

    @staticmethod
    def process(speed, start, sound, y, done, at, seen, playing, loop, rate, frames):
        length = len(sound)
        channels = min(rows(y), rows(sound))
        if start != seen:
            seen = start
            playing = 1.0
            at = f64(length - 1) if speed[0] < 0.0 else f64(0.0)
        plain = still(speed) and speed[0] == 1.0 and at == floor(at)
        i = 0
        while i < frames:
            done[i] = 0.0
            if at < 0.0 or at >= f64(length):
                if playing > 0.0:
                    done[i] = 1.0
                    playing = loop
                round_about = at - f64(length) * floor(at / f64(length))
                round_about = round_about if round_about < f64(length) else 0.0
                at = round_about if playing > 0.0 else at
            here = i64(at)
            if playing <= 0.0:
                for c in range(rows(y)):
                    for k in range(i, frames):
                        y[c, k] = 0.0
                for k in range(i + 1, frames):
                    done[k] = 0.0
                i = frames
            elif plain:
                count = min(frames - i, length - here)
                for c in range(channels):
                    for k in range(count):
                        y[c, i + k] = sound[c, here + k]
                for k in range(1, count):
                    done[i + k] = 0.0
                at += f64(count)
                i += count
            else:
                base = floor(at)
                for c in range(channels):
                    y[c, i] = between(sound, c, i64(base), f32(at - base), loop)
                step = speed[i]
                step = step if abs(step) <= FASTEST else 0.0
                at += f64(step)
                i += 1


@node("record~", aliases=("sfrecord~", "writesf~", "DiskOut", "RecordBuf"))
class Record(TapNode):
    """Record into a sound file.

    From the moment the patch starts until it ends. The format follows the suffix: ``.wav`` (16, 24 bit, 32 bit float)
    or ``.flac`` (16, 24 bit). As many channels as arrive in the beginning; NaN and infinity become silence, and whole
    numbers are clipped at ±1. The file gets its name when it is complete, and replaces one that had it; a recording
    that fails leaves nothing behind. The patch is stored inside, as the comment. A WAV file ends at 4 GB.

    Errors: MediaError when the file cannot be written. Latency: none, but the file is complete only at the end.

    Source: RIFF WAVE (IBM, Microsoft, 1991); RFC 9639 (FLAC).
    """

    file = setting.file("the file to make: .wav or .flac", writes=True)
    bits = setting.choice("24", "bits a sample", tuple(SUBTYPES))
    x = inlet.signal("sound to record")

    def __init__(self) -> None:
        super().__init__()
        self.writer: SoundWriter | None = None
        self.failed = False

    def start(self, when: Moment) -> None:
        if not self.file:
            self.failed = True
            do = "Set 'file' to a name that ends in .wav or .flac."
            raise MediaError(Problem("no-file", "'record~' has no file.", do, node=self.id, port="file"))
        check_target(Path(self.file), 1, self.bits)

    def hear(self, sound: Any, when: Moment) -> None:
        if self.failed:
            return
        try:
            if self.writer is None:
                patch = str(getattr(self.host, "patch_text", "") or "")
                self.writer = SoundWriter(Path(self.file), self.host.rate, sound.shape[0], bits=self.bits, patch=patch)
            self.writer.write(sound)
        except MediaError:
            self.failed = True
            raise
        if self.writer.full:
            self.host.log(self, f"{Path(self.file).name} is full: a WAV file ends at 4 GB. The recording is complete.")
            self.stop()
            self.failed = True

    def stop(self) -> None:
        writer, self.writer = self.writer, None
        if writer is not None:
            writer.close()
