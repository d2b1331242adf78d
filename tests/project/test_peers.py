"""The benchmark's peers play the same music, so that comparing what it costs means something."""

import numpy as np
import pytest

from bench import ours
from bench.compare import ALIKE_DB, RATE, SETTLE_S, level_db
from bench.peers import csound, music, puredata, sounds
from tests.needs import needs


@pytest.mark.parametrize("patch", ["b2", "b3", "b5", "b6", "b7", "b8", "b9"])
def test_pure_data_csound_and_we_agree_on_the_level(patch: str) -> None:
    needs("pd", install="apt install puredata-core")
    needs("csound", install="apt install csound")
    seconds = SETTLE_S + 3
    levels = {peer.NAME: level_db(peer.render(patch, seconds, RATE)) for peer in (ours, puredata, csound)}
    apart = max(levels.values()) - min(levels.values())
    assert apart <= 2 * ALIKE_DB[patch], f"{patch}: {levels} (dB) lie {apart:.2f} dB apart"


def test_the_level_of_a_thousand_sines_is_their_power() -> None:
    """Independent sines add in power: 1000 of amplitude 0.001 are sqrt(1000 / 2) * 0.001, -33.01 dB."""
    needs("pd", install="apt install puredata-core")
    expected = 10 * np.log10(len(music.sines()) / 2 * music.B1_GAIN**2)
    assert level_db(puredata.render("b1", SETTLE_S + 3, RATE)) == pytest.approx(expected, abs=0.05)


def test_everyone_convolves_with_the_same_numbers() -> None:
    """White noise between -1 and 1 has -4.77 dB; a response whose squares add up to 1 leaves that as it is."""
    needs("csound", install="apt install csound")
    expected = 10 * np.log10(music.B8_GAIN**2 / 3 * 16_000 / 24_000)
    assert np.sum(sounds.response() ** 2) == pytest.approx(1.0, rel=1e-5)
    for peer in (ours, csound):
        assert level_db(peer.render("b8", SETTLE_S + 3, RATE)) == pytest.approx(expected, abs=0.3)
