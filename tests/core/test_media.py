"""A patch cannot name a file outside its folder and the declared media folders."""

import os
from pathlib import Path

import pytest

from nodegraph.core import MediaError, media_folders, resolve_media


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """patch/ with voice.wav, media/ with bell.wav and links out of both; secret.wav beside them."""
    for name in ("patch/voice.wav", "patch/sub/hum.wav", "media/bell.wav", "media/voice.wav", "secret.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "patch" / "link.wav").symlink_to("../secret.wav")
    (tmp_path / "patch" / "folder").symlink_to("..")
    (tmp_path / "patch" / "bells").symlink_to("../media")
    (tmp_path / "patch" / "loop").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("voice.wav", "patch/voice.wav"),  # the patch's own comes first
        ("./sub/../voice.wav", "patch/voice.wav"),
        ("sub/hum.wav", "patch/sub/hum.wav"),
        ("bell.wav", "media/bell.wav"),
        ("bells/bell.wav", "media/bell.wav"),  # a link, but into a declared folder
        ("../media/bell.wav", "media/bell.wav"),
        ("nothing.wav", "patch/nothing.wav"),
        ("no/such/folder.wav", "patch/no/such/folder.wav"),
        ("~/voice.wav", "patch/~/voice.wav"),  # no shell reads this
    ],
)
def test_what_a_patch_may_name(place, text, found):
    assert resolve_media(place / "patch", text, [place / "media"]) == place / found


@pytest.mark.parametrize("inside", ["patch/voice.wav", "media/bell.wav"])
def test_an_absolute_path_into_the_folders_is_taken(place, inside):
    assert resolve_media(place / "patch", str(place / inside), [place / "media"]) == place / inside


@pytest.mark.parametrize(
    "text",
    [
        "../secret.wav", "sub/../../secret.wav", "link.wav", "folder/secret.wav", "/etc/passwd", "/", "..",
        "../patchwork", "folder/nothing.wav", "../../../../../../../../etc/passwd",
    ],
)  # fmt: skip
def test_what_leads_out_is_refused(place, text):
    with pytest.raises(MediaError) as caught:
        resolve_media(place / "patch", text, [place / "media"])
    (problem,) = caught.value.problems
    assert problem.code == "outside-file"
    assert "NODEGRAPH_MEDIA" in problem.do


@pytest.mark.parametrize("text", ["", "a\0b", "\ud800.wav"])
def test_what_is_no_path_is_refused(place, text):
    with pytest.raises(MediaError) as caught:
        resolve_media(place / "patch", text)
    assert caught.value.problems[0].code == "no-file"


@pytest.mark.parametrize("text", ["a" * 5_000, "loop", "loop/x", "voice.wav/x"])
def test_a_path_that_leads_nowhere_is_where_the_file_should_be(place, text):
    path = resolve_media(place / "patch", text)
    assert path.is_relative_to(place / "patch")


def test_what_a_patch_writes_goes_into_its_own_folder(place):
    wanted = place / "patch" / "bell.wav"
    assert resolve_media(place / "patch", "bell.wav", [place / "media"], writes=True) == wanted
    with pytest.raises(MediaError):
        resolve_media(place / "patch", "link.wav", [place / "media"], writes=True)


def test_media_folders_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("NODEGRAPH_MEDIA", os.pathsep.join(["/sounds", "", "~/samples"]))
    assert media_folders() == (Path("/sounds"), Path.home() / "samples")
    assert media_folders({}) == ()
