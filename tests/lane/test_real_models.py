"""The real listeners say through a lane what they say when they are called directly."""

import os
import signal
import time

import numpy as np
import soxr

from nodegraph.models import Store
from nodegraph.nodes.analysis.taggers import YamnetTagger
from nodegraph.nodes.analysis.voice import VoiceActivity
from nodegraph.runtime.lane import Lane, held_back_frames
from tests.lane.company import RATE, Company, soon_s
from tests.listeners.sounds import SAMPLES, recording
from tests.models.weights import fetched

CROW = SAMPLES / "misc_crow.flac"


def direct(kind, store):
    node = kind()
    node.load(store.files(kind.weights.name), "cpu")
    node.reset()
    return node


def test_yamnet_and_silero_answer_as_if_called_directly_and_come_back_after_kill_9():
    store = Store()
    for kind in (YamnetTagger, VoiceActivity):
        fetched(store, kind.weights.name)
    sound = np.pad(recording(CROW, RATE), (RATE, RATE))[None]
    company = Company(Lane(RATE, store.files))
    try:
        company.add("tags", YamnetTagger.spec)
        company.add("voice", VoiceActivity.spec)
        company.ready()
        for node in ("tags", "voice"):
            company.hear(node, sound)

        # Clips: two seconds of crow, tagged every half second.
        tagger = direct(YamnetTagger, store)
        ends = range(RATE // 2, sound.shape[1], RATE // 2)
        labels = []
        for number, end in enumerate(ends):
            answer = company.answer("tags", number, end, threshold=0.3)
            assert answer.ok, answer.error
            clip = np.pad(sound[0], (RATE, 0))[RATE + end - 46_800 : RATE + end]
            tagger.controls = {"threshold": 0.3}
            expected = tagger.infer(soxr.resample(clip, RATE, 16_000))
            tags = [value for outlet, _, value in answer.items if outlet == "tags"]
            assert tags == expected["tags"]
            labels += [tag.label for tag in tags]
            for outlet in ("scores", "embedding"):
                (value,) = [value for name, _, value in answer.items if name == outlet]
                np.testing.assert_array_equal(value, expected[outlet], err_msg=f"{outlet} at frame {end}")
        assert "Crow" in labels

        # Chunks: the same sound as one flow.
        voice = direct(VoiceActivity, store)
        whole = soxr.resample(sound[0], RATE, 16_000)
        probabilities = []
        for number, end in enumerate(ends):
            answer = company.answer("voice", number, end)
            assert answer.ok, answer.error
            probabilities += [(stamp, value) for outlet, stamp, value in answer.items if outlet == "speech"]
        expected = [
            (1_536 * (k + 1), voice.infer(whole[512 * k : 512 * (k + 1)])["speech"]) for k in range(len(probabilities))
        ]
        assert probabilities == expected
        assert probabilities[-1][0] >= ends[-1] - held_back_frames(VoiceActivity.hears, RATE) - 1_536

        killed = time.monotonic()
        os.kill(company.lane.pid, signal.SIGKILL)
        company.answers_again("tags", 100, ends[-1] + 100)
        back = time.monotonic() - killed
        allowed = soon_s("numpy, soxr, onnxruntime")
        assert back < allowed, f"answers came back after {back:.1f} s, not {allowed:.1f} s"
    finally:
        company.lane.close()
        for ring in company.rings.values():
            ring.close()
