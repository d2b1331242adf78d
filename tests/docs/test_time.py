"""What docs/time.md says of following are the figures of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nodegraph.core.registry import registry
from nodegraph.core.timecode import RATES
from nodegraph.runtime.player import LOOKAHEAD_S
from nodegraph.timing import follower, midi_clock, ticks
from nodegraph.timing.following import SOURCES

PAGE = (Path(__file__).parents[2] / "docs" / "time.md").read_text(encoding="utf-8")
WORDS = re.sub(r"\s+", " ", PAGE)


def test_every_source_is_named_and_no_other() -> None:
    named = set(re.findall(r'session\.follow\("(\w+)"', PAGE))
    assert named == set(SOURCES)


@pytest.mark.parametrize(
    "claim",
    [
        f"a bend of at most {follower.GENTLE * 100:g} %",
        f"An error of more than a {({0.1: 'tenth'})[follower.JUMPS]} of a bar",
        f"up to {follower.LATE_S * 1e3:g} ms late",
        f"MIDI is handled {LOOKAHEAD_S * 1e3:g} ms after it came",
        f"the last {midi_clock.MEMORY} ticks** ({midi_clock.MEMORY // midi_clock.A_BEAT} beats)",
        f"{midi_clock.A_BEAT} ticks a beat",
        f"after {({3: 'three'})[ticks.RUN]} ticks",
        f"at {RATES[0]}, {RATES[1]}, {RATES[2]} and {RATES[3]} frames a second",
    ],
)
def test_its_figures_are_those_of_the_code(claim: str) -> None:
    assert claim in WORDS


@pytest.mark.parametrize("kind", ["midi.clock.out", "midi.timecode.out"])
def test_the_nodes_that_it_names_exist(kind: str) -> None:
    assert f"`{kind}`" in PAGE and kind in registry()
