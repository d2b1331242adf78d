"""The rules of docs/channels.md, one by one."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import Patch, PatchError

FRAMES = 480
RNG = np.random.default_rng(9)


def heard(channels: int, *chain: str, outputs: int = 2, **params: float) -> tuple[np.ndarray, np.ndarray]:
    """Noise of so many channels through a chain of kinds: what goes in, and what comes out."""
    sound = RNG.uniform(-0.4, 0.4, (channels, FRAMES)).astype(np.float32)
    patch = Patch()
    nodes = [patch.add("in~", channels=channels), *(patch.add(kind) for kind in chain)]
    for name, value in params.items():
        nodes[1].set(**{name: value})
    patch.connect(*nodes, patch.add("out~", channels=outputs))
    return sound, patch.render(seconds=FRAMES / 48_000, input=sound).audio


def test_a_node_has_as_many_channels_as_its_widest_cable() -> None:
    sound, out = heard(3, "gain~", outputs=3, gain=0.5)
    assert np.array_equal(out, 0.5 * sound)
    both = heard(2, "svf~", cutoff=500)
    for channel in range(2):
        patch = Patch()
        patch.connect(patch.add("in~"), patch.add("svf~", cutoff=500), patch.add("out~"))
        alone = patch.render(seconds=FRAMES / 48_000, input=both[0][channel]).audio
        assert np.array_equal(both[1][channel], alone[0]), "many channels are many monos"


def test_a_mono_signal_goes_to_every_channel() -> None:
    sound = RNG.uniform(-0.4, 0.4, (3, FRAMES)).astype(np.float32)
    patch = Patch()
    wide, factor = patch.add("in~", "wide", channels=2), patch.add("in~", "factor", channel=3)
    ring = patch.add("*~", "ring")
    patch.connect(wide, ring, patch.add("out~"))
    patch.connect(factor, ring.b)
    out = patch.render(seconds=FRAMES / 48_000, input=sound).audio
    assert np.array_equal(out, sound[:2] * sound[2])


def test_a_narrower_signal_leaves_the_further_channels_silent() -> None:
    sound = RNG.uniform(-0.4, 0.4, (5, FRAMES)).astype(np.float32)
    patch = Patch()
    mix = patch.add("mix~", "mix")
    patch.connect(patch.add("in~", channels=3), mix, patch.add("out~", channels=3))
    patch.connect(patch.add("in~", channel=4, channels=2), mix)
    out = patch.render(seconds=FRAMES / 48_000, input=sound).audio
    assert np.array_equal(out, sound[:3] + np.concatenate([sound[3:], np.zeros((1, FRAMES), np.float32)]))


def test_width_one_takes_the_mean_and_an_outlet_may_have_its_own_width() -> None:
    sound, out = heard(4, "pan~", pan=-1.0)
    assert np.abs(out[0] - sound.mean(axis=0)).max() < 1e-6 and np.abs(out[1]).max() < 1e-6
    assert heard(1, "reverb~")[1].shape[0] == 2


def test_two_outputs_play_one_channel_on_both_and_leave_a_third_out() -> None:
    sound, out = heard(1, "gain~")
    assert np.array_equal(out, sound.repeat(2, axis=0))
    sound, out = heard(3, "gain~")
    assert np.array_equal(out, sound[:2])


def test_a_sound_file_has_the_channels_that_it_has(tmp_path: Path) -> None:
    sound = RNG.uniform(-0.4, 0.4, (FRAMES, 5)).astype(np.float32)
    soundfile.write(tmp_path / "five.wav", sound, 48_000, subtype="FLOAT")
    patch = Patch(media=[tmp_path])
    patch.connect(patch.add("play~", file="five.wav"), patch.add("out~", channels=6))
    out = patch.render(seconds=FRAMES / 48_000).audio
    assert np.array_equal(out[:5], sound.T) and not out[5].any()


def test_more_than_64_channels_name_the_node() -> None:
    patch = Patch()
    patch.connect(patch.add("in~", "wall", channel=3, channels=64), patch.add("out~"))
    with pytest.raises(PatchError, match=r"node 'wall'.*64"):
        patch.render(seconds=0.01)


def test_the_page_s_table_of_two_cables_is_right() -> None:
    page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text(encoding="utf-8")
    table = page.split("| into `x` | into `b` | `*~` makes |\n|---|---|---|\n")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert len(rows) == 7
    for x, b, makes in rows:
        sound = RNG.uniform(0.1, 0.4, (8, FRAMES)).astype(np.float32)
        patch = Patch()
        times = patch.add("*~", "times", b=0.5)
        for port, first, width in (("x", 0, x), ("b", 4, b)):
            if width != "none":
                patch.connect(patch.add("in~", channel=first + 1, channels=int(width)).y, f"times.{port}")
        patch.connect(times, patch.add("out~", channels=6))
        out = patch.render(seconds=FRAMES / 48_000, input=sound).audio
        wide = max(int(width) for width in (x, b) if width != "none")
        assert makes.startswith(str(wide))

        def given(first: int, width: str, otherwise: float, sound: np.ndarray = sound, wide: int = wide) -> np.ndarray:
            made = np.zeros((6, FRAMES), np.float32)
            if width == "none":
                made[:wide] = otherwise
            elif width == "1":
                made[:wide] = sound[first]
            else:
                made[: int(width)] = sound[first : first + int(width)]
            return made

        heard_of = slice(0, 1) if wide == 1 else slice(0, 6)  # one channel is heard on all outputs
        assert np.array_equal(out[heard_of], (given(0, x, 0.0) * given(4, b, 0.5))[heard_of]), (x, b)
