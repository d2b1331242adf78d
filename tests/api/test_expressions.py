"""Expressions from Python: ports as attributes, code and knobs set together, and a changed code while it plays."""

from __future__ import annotations

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core import PatchError


def test_ports_come_with_the_code() -> None:
    patch = Patch()
    bend = patch.add("expr~", code="tanh(drive * x1)", drive=3)
    patch.connect(patch.add("sine~", freq=100), bend, patch.add("out~"))
    assert bend.drive.value == 3 and "drive" in dir(bend) and not hasattr(bend, "x2")
    sound = patch.render(seconds=0.1).audio
    sine = np.sin(2 * np.pi * 100 / 48_000 * np.arange(4_800))
    np.testing.assert_allclose(sound[0], np.tanh(3 * sine), atol=2e-4)


def test_a_code_and_the_knobs_that_it_brings_are_set_together() -> None:
    patch = Patch()
    bend = patch.add("expr~", code="x1 * level", level=0.5)
    assert bend.set(drive=2.0, code="tanh(drive * x1)") is bend
    assert (bend.code.value, bend.drive.value) == ("tanh(drive * x1)", 2.0)
    for wrong in ({"code": "x1 *", "drive": 1.0}, {"code": "x1", "drive": 1.0}, {"code": "x1 * drive", "drive": "a"}):
        with pytest.raises(PatchError):
            bend.set(**wrong)
        assert (bend.code.value, bend.drive.value) == ("tanh(drive * x1)", 2.0), "all or none"


def test_a_changed_code_is_played_at_once() -> None:
    patch = Patch()
    bend = patch.add("expr~", code="x1 * level", level=0.1)
    patch.connect(patch.add("sine~", freq=220), bend, patch.add("out~"))
    number = patch.add("expr", code="x1 * 2")
    patch.connect(patch.add("metro", interval=0.01), number["x1"])
    with patch.play(driver="null") as playing:
        bend.set(code="tanh(drive * x1) * amount", drive=5.0, amount=0.3)
        number.set(code="x1 + plus", plus=7)
        playing.update()
        assert next(event for event in playing.watch(number.y, seconds=5) if event.value).value == 7.0
        assert playing.running
        playing.set(bend.drive, 1.0)
        with pytest.raises(PatchError):
            playing.set("expr1.level", 1.0)


def test_messages_are_computed_at_their_frame() -> None:
    patch = Patch()
    clock, number = patch.add("metro", interval=0.1), patch.add("expr", code="floor(1000 * x2) + x1", x2=0.0025)
    patch.connect(clock, number)
    heard = patch.render(seconds=0.35)
    assert [(event.frame, event.value) for event in heard[number.y]] == [(4_800 * k, 2.0) for k in range(4)]
