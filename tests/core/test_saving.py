"""Saving: whatever happens at whatever step, the file is the old one or the new one, and nothing else is left."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nodegraph.core import PatchFileError, dumps, load, loads, save
from nodegraph.core import replacing as steps
from tests.core.kinds import KINDS

OLD = '{\n  "nodegraph": 1,\n  "title": "old",\n  "nodes": {},\n  "cables": []\n}\n'
NEW = OLD.replace("old", "new")
STEPS = ("open", "fdopen", "fsync", "replace")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "patch.ng"
    path.write_text(OLD)
    return path


def new_document():
    return loads(NEW, kinds=KINDS)


def test_saving_writes_the_text_and_nothing_else(file):
    document = new_document()
    assert save(document, file) == file
    assert file.read_text() == NEW == dumps(document)
    assert os.listdir(file.parent) == ["patch.ng"]
    assert document.path == file and document.line("a") is None
    document.graph.add("svf~", "a", cutoff=20)
    save(document)  # to where it was saved before
    assert load(file, kinds=KINDS).graph.value("a", "cutoff") == 20
    assert document.line("a", "cutoff") == 5


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EIO, "I/O error")])
def test_an_error_at_any_step_leaves_the_old_file_alone(file, monkeypatch, step, error):
    def fails(*args, **more):
        raise error

    document = new_document()
    with monkeypatch.context() as patch:
        patch.setattr(steps.os, step, fails)
        with pytest.raises(PatchFileError, match="not saved") as caught:
            save(document, file)
    assert caught.value.problems[0].code == "not-saved" and error.strerror in str(caught.value)
    assert file.read_text() == OLD
    assert os.listdir(file.parent) == ["patch.ng"]
    assert document.path is None


def test_an_interrupt_leaves_the_old_file_alone(file, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(steps.os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            save(new_document(), file)
    assert file.read_text() == OLD and os.listdir(file.parent) == ["patch.ng"]


def test_a_folder_that_cannot_be_synced_is_no_failure(file, monkeypatch):
    real = os.fsync

    def only_files(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not on this file system")
        real(descriptor)

    monkeypatch.setattr(steps.os, "fsync", only_files)
    save(new_document(), file)
    assert file.read_text() == NEW


def test_the_text_is_on_the_disk_before_it_takes_its_place(file, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor):
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else f"{os.fstat(descriptor).st_size} bytes")
        fsync(descriptor)

    def watched_replace(*ends):
        done.append("replace")
        replace(*ends)

    monkeypatch.setattr(steps.os, "fsync", watched_fsync)
    monkeypatch.setattr(steps.os, "replace", watched_replace)
    save(new_document(), file)
    assert done == [f"{len(NEW)} bytes", "replace", "folder"]


KILLED = """
import os, signal, sys
from nodegraph.core import Registry, loads, save
from nodegraph.core import replacing
step, when, path, text = sys.argv[1:]
real = getattr(os, step)
def dies(*args, **more):
    if when == "after":
        real(*args, **more)
    os.kill(os.getpid(), signal.SIGKILL)
document = loads(text, kinds=Registry())
setattr(replacing.os, step, dies)
save(document, path)
"""


@pytest.mark.parametrize(("step", "when"), [("open", "after"), ("fsync", "before"), ("fsync", "after"),
                                            ("replace", "before"), ("replace", "after")])  # fmt: skip
def test_a_process_that_is_killed_while_it_saves_leaves_a_whole_file(file, step, when):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, step, when, str(file), NEW],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert file.read_text() == (NEW if (step, when) == ("replace", "after") else OLD)
    document = load(file, kinds=KINDS)
    save(document)  # what the dead one left beside is not in the way
    assert file.read_text() == dumps(document)


# the manners of saving


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_permissions_stay(file, mode):
    file.chmod(mode)
    save(new_document(), file)
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_new_file_gets_the_usual_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        save(new_document(), tmp_path / "new.ng")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.ng").stat().st_mode) == 0o640


def test_a_link_stays_a_link(file, tmp_path):
    (tmp_path / "sub").mkdir()
    link = tmp_path / "sub" / "link.ng"
    link.symlink_to("../patch.ng")
    save(new_document(), link)
    assert link.is_symlink() and file.read_text() == NEW
    assert os.listdir(tmp_path / "sub") == ["link.ng"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere/patch.ng", "no such file or folder"),
        ("patch.ng/inside.ng", "no folder"),
        (".", "folder"),
        ("a" * 300, "too long"),
        ("nul\0.ng", "cannot be a file's path"),
        ("pipe", "no ordinary file"),
    ],
)
def test_a_place_that_cannot_be_saved_to_is_told(file, name, says):
    os.mkfifo(file.parent / "pipe")
    before = sorted(os.listdir(file.parent))
    with pytest.raises(PatchFileError) as caught:
        save(new_document(), str(file.parent / name))
    assert caught.value.problems[0].code == "not-saved"
    assert says in caught.value.problems[0].what
    assert sorted(os.listdir(file.parent)) == before and file.read_text() == OLD


def test_a_file_that_is_read_only_is_not_replaced(file, monkeypatch):
    monkeypatch.setattr(steps.os, "access", lambda path, mode: False)  # root may write everything
    with pytest.raises(PatchFileError, match="may not be read or written"):
        save(new_document(), file)
    assert file.read_text() == OLD


def test_a_document_without_a_file_asks_for_one():
    with pytest.raises(PatchFileError, match="Give a path"):
        save(new_document())


def test_what_cannot_be_written_is_refused_before_the_disk_is_touched(file):
    document = new_document()
    document.extra["x"] = float("nan")
    with pytest.raises(PatchFileError, match="cannot hold"):
        save(document, file)
    assert file.read_text() == OLD and os.listdir(file.parent) == ["patch.ng"]


# reading from the disk


def test_a_loaded_document_knows_its_file_and_folder(file):
    document = load(str(file), kinds=KINDS)
    assert document.path == file and document.folder == file.parent and document.title == "old"


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("nothing.ng", "unreadable-file", "no such file"),
        (".", "unreadable-file", "folder"),
        ("pipe", "unreadable-file", "no ordinary file"),
        ("huge.ng", "too-large", "64 MiB"),
        ("empty.ng", "not-json", "empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path, name, code, says):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty.ng").touch()
    with open(tmp_path / "huge.ng", "wb") as stream:
        stream.truncate(65 * 1024 * 1024)
    with pytest.raises(PatchFileError) as caught:
        load(tmp_path / name, kinds=KINDS)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == (code, str(tmp_path / name))
    assert says in problem.what
