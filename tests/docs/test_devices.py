"""docs/devices.md runs as it stands, and its numbers and messages are those of the code."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from nodegraph import DeviceError, Patch
from nodegraph.commands.run import arguments
from nodegraph.runtime.drivers import bridge, supervisor
from nodegraph.runtime.drivers.gate import FADE_S, MOST_CHANNELS
from nodegraph.runtime.drivers.pulse import SILENT_S
from nodegraph.runtime.native import bridge as native
from tests.runtime.fake_device import Card

TEXT = (Path(__file__).parents[2] / "docs" / "devices.md").read_text(encoding="utf-8")
WORDS = " ".join(TEXT.split())


def test_its_programs_run_one_after_another() -> None:
    space: dict[str, object] = {}
    programs = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(programs) == 2
    for program in programs:
        exec(compile(program, "devices.md", "exec"), space)


def test_its_commands_are_understood() -> None:
    parser = argparse.ArgumentParser()
    arguments(parser)
    lines = re.findall(r"^nodegraph run (.*)$", TEXT, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        parser.parse_args(line.split())


def test_its_message_is_the_one_that_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card()
    monkeypatch.setattr("nodegraph.api.playing.open_driver", card.driver)
    patch = Patch()
    patch.add("out~")
    with patch.play() as playing, pytest.raises(DeviceError) as caught:
        playing.switch(rate=22_050)
    assert f"\n{caught.value}\n" in TEXT


def test_its_numbers_are_those_of_the_code() -> None:
    for said in (
        f"fades out in {1e3 * FADE_S:.0f} ms",
        f"first after {supervisor.FIRST_TRY_S} s",
        f"at last every {supervisor.LAST_TRY_S:.0f} s",
        f"missed after {SILENT_S:.0f} s",
        f"channels 1 to {MOST_CHANNELS}",
        f"never longer than {bridge.MOST_S} s",
        f"differences of up to {100 * native.FURTHEST:.0f} %",
    ):
        assert said in WORDS, said


def test_its_words_of_the_status_are_there() -> None:
    assert {"latency_s", "drift_ppm", "restarts"} <= set(bridge.Bridge(48_000, 1, 64, 64).status())
    for word in ("latency_s", "drift_ppm", "restarts"):
        assert f"`{word}`" in TEXT
