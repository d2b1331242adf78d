"""A machine that has just been switched on: the patch plays before its sound device is there, and goes to it then."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from nodegraph import DeviceError, Patch
from nodegraph.api.playing import Playing
from nodegraph.runtime.drivers.null import NullDriver
from tests.runtime.fake_device import Card


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < end, f"it never came: {what}"
        time.sleep(0.005)


def tone() -> Patch:
    patch = Patch("Tone")
    patch.connect(patch.add("sine~", "osc", freq=330), patch.add("gain~", "level", gain=0.25), patch.add("out~", "out"))
    return patch


@pytest.mark.parametrize("kind", ["jack", "portaudio", "auto"])
def test_it_begins_without_the_device_and_goes_to_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card()
    card.plugged = False

    def opened(asked: str, engine: object, **options: object) -> object:
        if asked == "auto" and not card.plugged:  # as `open_driver` does
            return NullDriver(engine, why="there is no sound device")  # type: ignore[arg-type]
        return card.driver(asked, engine, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("nodegraph.api.playing.open_driver", opened)
    with Playing(tone(), driver=kind, patient=True) as playing:
        before = playing.time
        until(lambda: playing.time > before, "time goes on")
        device = playing.status()["device"]
        assert device["state"] == "gone" and device["losses"] == 0
        assert playing.log == [
            ("", "the sound device is not there (there is no sound device); the patch plays without it until it comes.")
        ]
        card.plugged = True
        back = {"state": "playing", "gone_s": 0.0, "losses": 0, "returns": 1}
        until(lambda: playing.status()["device"] == back, "the card plays")
        until(lambda: len(card.heard) and np.abs(card.heard).max() > 0.2, "the tone on the card")
    assert card.open == 0


def test_who_is_not_patient_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card()
    card.plugged = False
    monkeypatch.setattr("nodegraph.api.playing.open_driver", card.driver)
    with pytest.raises(DeviceError, match="no sound device"):
        Playing(tone(), driver="portaudio")


def test_no_device_at_all_may_be_asked_for() -> None:
    with Playing(tone(), driver="null", patient=True) as playing:
        assert playing.status()["device"]["state"] == "playing" and not playing.log
