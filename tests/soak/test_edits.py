"""Thousands of random edits of a patch of two hundred nodes, in JACK freewheel: what no edit touches keeps every bit,
what is touched never clicks, and memory does not grow."""

from __future__ import annotations

import random
from collections import deque
from pathlib import Path
from typing import Final

import numpy as np

from nodegraph.api.patch import Patch
from nodegraph.core.flatten import flatten
from nodegraph.runtime.player import Player
from tests.runtime.capturing import aligned, capture
from tests.runtime.conftest import JackServer
from tests.runtime.playing import assert_same, discontinuity
from tests.soak.garden import NODES, Gardener, garden
from tests.soak.length import length, report
from tests.soak.memory import Held, held

EDITS: Final = length(500, 10_000)
WARM: Final = EDITS // 3
"""After so many edits every kernel that they need is compiled; from then on memory must not grow."""
RATE: Final = 48_000
QUIETEST_CLICK: Final = 10.0 ** (-90.0 / 20.0)
GROWTH: Final = 0.01


class Judge:
    """Compares what was captured, as it comes, with a player whose patch nobody edits."""

    def __init__(self, patch: Patch) -> None:
        self.reference = Player(flatten(patch.document), RATE, outputs=1)
        self.worst = 0.0
        self.frames = 0
        self._last = np.zeros(0, np.float32)
        self._begin = np.zeros((2, 0), np.float32)
        self._ahead = np.zeros((1, 0), np.float32)

    def hear(self, sound: np.ndarray) -> None:
        if not self.frames:
            sound = np.concatenate([self._begin, sound], axis=1)
            first = np.flatnonzero(sound.any(axis=0))
            self._begin = sound = sound[:, first[0] :] if len(first) else sound[:, :0]
            if sound.shape[1] < 4_096:
                return
            begin = self._reference(12_288)
            self._ahead = begin[:, aligned(sound[:1], begin) :]
        self._compare(sound, self._reference(sound.shape[1]))

    def _reference(self, frames: int) -> np.ndarray:
        out = np.zeros((1, max(frames - self._ahead.shape[1], 0)), np.float32)
        if out.shape[1]:
            self.reference.render(out, block=512)
        out = np.concatenate([self._ahead, out], axis=1)
        self._ahead = out[:, frames:]
        return out[:, :frames]

    def _compare(self, sound: np.ndarray, reference: np.ndarray) -> None:
        assert_same(sound[:1], reference, f"the untouched path after {self.frames} frames")
        edited = np.concatenate([self._last, sound[1]])
        self.worst = max(self.worst, discontinuity(edited))
        self._last = edited[-4:]
        self.frames += sound.shape[1]


def test_random_edits_leave_the_rest_alone_never_click_and_leave_no_memory(
    jack_server: JackServer, tmp_path: Path
) -> None:
    patch = garden(tmp_path)
    still = garden(tmp_path)
    for id in [id for id in still.graph.nodes if not id.startswith(("safe", "left"))]:
        still.remove(id)
    assert len(patch) == NODES and 50 < len(still) < 100
    judge, gardener, choose = Judge(still), Gardener(patch), random.Random(7)
    gardener.number = 10_000
    player = Player(flatten(patch.document), RATE, report=lambda node, text: said.append((node, text)))
    said: list[tuple[str, str]] = []
    blocks: deque[np.ndarray] = deque()
    edits, next_edit = 0, 16_384
    before: Held | None = None
    after: Held | None = None

    def each() -> None:
        nonlocal edits, next_edit, before, after
        if len(blocks) * jack_server.block >= 16_384:
            judge.hear(np.concatenate([blocks.popleft() for _ in range(len(blocks))], axis=1))
        if edits < EDITS and not player.editing and player.engine.done >= next_edit:
            gardener.edit(choose)
            player.edit(flatten(patch.document))
            edits += 1
            next_edit = player.engine.done + choose.choice([1, 64, 500, 2_000])
            if edits == WARM:
                before = held()
            if edits == EDITS:
                after = held()

    rest = capture(
        player,
        jack_server,
        1 << 40,
        each,
        lambda: edits == EDITS and player.engine.done > next_edit + 4_800,
        blocks=blocks,
        patience_s=1_500.0,
    )
    judge.hear(rest[:, : max(0, next_edit - judge.frames)])  # not the end of the player, which is no edit
    assert before is not None and after is not None
    player.close()
    judge.reference.close()
    decibels = 20.0 * np.log10(judge.worst)
    report(
        f"{edits} edits ({dict(gardener.done)}), {judge.frames / RATE:.0f} s of sound, {len(patch)} nodes at the end;"
        f" worst discontinuity {decibels:.0f} dBFS; memory {before.bytes / 1e6:.1f} to {after.bytes / 1e6:.1f} MB"
    )
    assert edits == EDITS and not said, said[:5]
    assert len(gardener.done) >= 11, gardener.done
    assert 1e-9 < judge.worst < QUIETEST_CLICK, f"a discontinuity of {decibels:.0f} dBFS"
    assert after.growth(before) < GROWTH, f"memory grew from {before} to {after}"
    assert (after.threads, after.files) == (before.threads, before.files)


def test_the_judge_finds_a_click_and_a_wrong_bit(tmp_path: Path) -> None:
    """A planted click of -90 dBFS in the changed half, and one of the last bit in the untouched one."""
    patch = garden(tmp_path)
    player = Player(flatten(patch.document), RATE)
    sound = np.zeros((2, 60_000), np.float32)
    player.render(sound, block=512)
    player.close()
    for id in [id for id in patch.graph.nodes if not id.startswith(("safe", "left"))]:
        patch.remove(id)

    def judged(sound: np.ndarray) -> float:
        judge = Judge(patch)
        try:
            for start in range(0, sound.shape[1], 20_000):
                judge.hear(sound[:, start : start + 20_000])
        finally:
            judge.reference.close()
        return judge.worst

    assert judged(sound) < QUIETEST_CLICK / 10.0
    clicked = sound.copy()
    clicked[1, 40_000:] += np.float32(QUIETEST_CLICK)
    assert judged(clicked) > QUIETEST_CLICK * 0.95
    wrong = sound.copy()
    wrong[0, 50_000] = np.nextafter(wrong[0, 50_000], np.float32(1.0))
    try:
        judged(wrong)
    except AssertionError as error:
        assert "the untouched path" in str(error)
    else:
        raise AssertionError("a wrong bit was not found")
