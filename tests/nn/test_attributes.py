"""Attributes are knobs, settings and messages; what a model refuses, or does wrongly, is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import Patch
from nodegraph.core import ModelError, PatchError
from nodegraph.core.ports import Control
from nodegraph.runtime.lane.streams import latency_frames
from nodegraph.runtime.player import Player
from tests.nn.playing import RATE, SOFT, Floats, late, model, noise, patch, spec

FRAMES = 40_000


def test_every_kind_of_attribute_has_a_port_or_a_setting(scripts: Path) -> None:
    entry = spec(patch("nn~", file="effects.ts"))
    controls = {
        item.name: (item.default, item.curve, item.span) for item in entry.inlets if isinstance(item, Control)
    }  # fmt: skip
    wide = (-1e9, 1e9)
    assert controls == {
        "gain": (0.5, "linear", wide), "invert": (0.0, "switch", (0.0, 1.0)), "shift": (0.0, "integer", wide),
        "pair1": (0.25, "linear", wide), "pair2": (3.0, "integer", wide),
    }  # fmt: skip
    settings = {item.name: (item.type, item.default) for item in entry.settings if item.help.endswith(("model", "is"))}
    assert settings == {"mode": ("text", "plain"), "curve": ("list", []), "kernel": ("file", "")}
    plain = spec(patch("nn~", file="plain.ts"))
    assert plain.inlet_named["level"].default == 0.5 and plain.cls.hears.rate == 44_100
    assert [item.name for item in plain.inlets] == ["x", "level"], "'helper' has no numbers, and is no method"


CASES = {
    "as it is": ({}, lambda x: 0.5 * x),
    "number": ({"gain": 0.25}, lambda x: 0.25 * x),
    "flag": ({"invert": True}, lambda x: -0.5 * x),
    "integer": ({"shift": 3}, lambda x: 0.5 * np.roll(x.reshape(-1, 2_048), 3, -1).reshape(1, -1)),
    "text": ({"mode": "square"}, lambda x: 0.5 * (x * x)),
    "tensor": ({"curve": [0.5, 9.0]}, lambda x: 0.25 * x),
    "sound": ({"kernel": "quarter.wav"}, lambda x: 0.125 * x),
}


def test_attributes_are_set_from_the_patch(trusted: Path) -> None:
    """One node each, in one worker."""
    soundfile.write(trusted / "quarter.wav", np.full((8, 1), 0.25, np.float32), RATE, subtype="FLOAT")
    made, sound, channel = Patch(), noise(FRAMES), 1
    made.add("in~", "in")
    for number, (settings, _) in enumerate(CASES.values()):
        channel = model(made, f"m{number}", "nn~", channel, file="effects.ts", **settings)
    assert not made.check()
    heard = made.render(seconds=FRAMES / RATE, input=sound).audio
    latency, whole = late(made, "m0"), FRAMES // 2_048 * 2_048
    for row, (name, (_, wanted)) in zip(heard, CASES.items(), strict=True):
        right = (SOFT * wanted(sound[:, :whole]).astype(np.float32))[0]
        count = min(len(row) - latency, whole)
        assert np.allclose(row[latency + 500 : latency + count], right[500:count], atol=1e-8), name


def played(made: Patch, sound: Floats, *posts: tuple[int, str, object], rate: int = RATE) -> tuple[Floats, list[str]]:
    """What is heard while messages come to the model: (frame, inlet, message); and what is said meanwhile."""
    said: list[str] = []
    player = Player(made.graph.view, rate, resolve=Path, report=lambda node, text: said.append(text))
    try:
        for frame, inlet, message in posts:
            player.messages.post(frame, "model", inlet, message)
        out = np.zeros((player.engine.outputs, sound.shape[1]), np.float32)
        player.render(out, sound)
        status = player.listeners.status()["model"]
    finally:
        player.close()
    return out, [*said, status["error"]]


def test_knobs_and_messages_act_while_it_plays(trusted: Path) -> None:
    """From the chunk on in which they come; a number, then a text, then an array."""
    made, sound = patch("nn~", file=str(trusted / "effects.ts")), np.full((1, FRAMES), 0.5, np.float32)
    posts = [(10_000, "gain", 0.25), (20_000, "set_mode", "square"), (30_000, "set_curve", np.full(2, 4.0, np.float32))]
    heard, _ = played(made, sound, *posts)
    row, latency = heard[0] / SOFT, late(made)
    starts = [at // 2_048 * 2_048 + latency for at, *_ in posts]
    for begin, end, wanted in zip(
        [latency + 500, *starts], [*starts, FRAMES], [0.25, 0.125, 0.0625, 0.25], strict=True
    ):
        assert np.allclose(row[begin:end], wanted), (begin, end, np.unique(row[begin:end]))


def test_the_same_messages_give_the_same_sound_again(trusted: Path) -> None:
    made, sound = patch("nn~", file=str(trusted / "effects.ts")), noise(FRAMES)
    posts = [(9_999, "gain", 0.75), (12_345, "set_mode", "square")]
    first, second = (played(made, sound, *posts)[0] for _ in range(2))
    assert np.array_equal(first, second) and np.abs(first).max() > 1e-4


def test_a_value_that_the_model_refuses_is_told_and_it_plays_on(trusted: Path) -> None:
    made = patch("nn~", file=str(trusted / "plain.ts"), rate=RATE)
    heard, said = played(made, np.full((1, FRAMES), 0.5, np.float32), (10_000, "level", 2.0))
    assert any("the model refuses [2.0] for 'level'" in line for line in said), said
    assert np.allclose(heard[0, -4_000:] / SOFT, 0.25), "it keeps what it had"


def test_at_another_rate_sound_is_converted_and_the_model_is_told_its_own(trusted: Path) -> None:
    made = patch("nn~", file=str(trusted / "plain.ts"), method="double", buffer=441)
    assert spec(made).cls.hears.rate == 44_100
    time_s = np.arange(2 * RATE) / RATE
    heard, _ = played(made, (0.25 * np.sin(2 * np.pi * 440.0 * time_s))[None].astype(np.float32))
    latency = latency_frames(spec(made).cls, RATE)
    wanted = 0.25 * np.sin(2 * np.pi * 440.0 * (time_s - latency / RATE))
    error = heard[0, 20_000:] / SOFT - wanted[20_000:]
    assert 20.0 * np.log10(np.sqrt(np.mean(error**2)) / 0.177) < -60.0
    assert heard[1, -1] / SOFT == pytest.approx(0.0441, rel=1e-3)


def test_one_that_lies_or_raises_is_told_and_the_sound_fades(trusted: Path) -> None:
    _, said = played(patch("nn~", file=str(trusted / "liar.ts")), noise(FRAMES))
    assert any("answered with the shape (1, 2, 2048)" in line and "(1, 1, 2048)" in line for line in said), said
    heard, said = played(patch("nn~", file=str(trusted / "raises.ts"), buffer=1_000), noise(FRAMES))
    assert any("not this time" in line for line in said)
    loud = np.abs(heard[0, 4_000:]).reshape(-1, 100).max(axis=1) > 1e-3
    gaps = np.sum(loud[:-1] & ~loud[1:])
    assert 5 <= gaps <= 8 and loud[-40:].any() and loud.mean() > 0.6, "it comes back each time"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"file": "codec.ts", "buffer": 1_000}, "takes sound in multiples of 64 frames. Set it to 1024, or to 0"),
        ({"file": "codec.ts", "method": "dance"}, "no method 'dance'. It has 'encode', 'decode', 'forward'"),
        ({"file": "effects.ts", "method": "cross", "batch": 40}, "takes 80 channels and makes 120, 40 side by side"),
        ({"file": "wanting.ts"}, "offers no method: it has nothing like 'forward_params'"),
    ],
)
def test_what_cannot_be_is_said_when_it_is_set(scripts: Path, settings: dict[str, object], told: str) -> None:
    with pytest.raises((PatchError, ModelError)) as caught:
        Patch().add("nn~", "model", **settings)
    assert told in str(caught.value)


def test_latents_of_another_model_are_told(trusted: Path) -> None:
    made = Patch()
    made.add("rave.decode~", "model", file=str(trusted / "codec.ts"))
    made.add("out~", "out")
    made.connect("model.y", "out.x")
    _, said = played(made, np.zeros((0, FRAMES), np.float32), (5_000, "latent", np.zeros(7, np.float32)))
    assert any("'latent' got 7 numbers, and 'decode' takes 4" in line for line in said), said


def test_a_latent_holds_until_the_next_and_begins_where_it_came(trusted: Path) -> None:
    """``hold`` makes 32 samples of the difference of two numbers."""
    made = Patch()
    made.add("nn~", "model", file=str(trusted / "effects.ts"), method="hold", buffer=256)
    made.add("out~", "out")
    made.connect("model.y", "out.x")
    posts = [
        (10_007, "latent", np.array([0.5, 0.25], np.float32)),
        (20_000, "latent", np.array([0.5, 0.0], np.float32)),
    ]
    heard, _ = played(made, np.zeros((0, FRAMES), np.float32), *posts)
    first, second = 10_007 + late(made), 20_000 + late(made)
    assert not np.any(heard[0, :first]) and np.all(heard[0, first : second - 32] == 0.25)
    change = int(np.argmax(heard[0] > 0.25))
    assert abs(change - second) <= 16 and np.all(heard[0, change:] == 0.5)
