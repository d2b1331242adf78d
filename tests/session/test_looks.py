"""What only looks otherwise costs the engine nothing, and images go over the wire within their bounds."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph.core.commands import AddNote, Move, Present, RemoveNote, Set, SetNote
from nodegraph.core.errors import MediaError
from nodegraph.core.images import size_of
from nodegraph.session.picturing import MOST_BYTES
from nodegraph.session.session import Session
from tests.session.test_protocol import Box
from tests.session.test_session import tone

COMMENT = {"kind": "comment", "text": "Hello", "at": [1, 2]}


def png(width: int, height: int, colour: bytes = b"\x20\x90\xff") -> bytes:
    """A picture of one colour."""
    rows = zlib.compress((b"\0" + colour * width) * height)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    """The beginning of one."""
    app = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9)
    return b"\xff\xd8" + app + b"\xff\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    patch = tone()
    (tmp_path / "home").mkdir()
    patch.save(tmp_path / "home" / "tone.ng")
    with Session(patch, driver="null") as made:
        yield made


def test_notes_and_places_leave_the_engine_alone(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.play()
    playing = session.playing
    assert playing is not None
    updates: list[int] = []
    update = playing.update
    monkeypatch.setattr(playing, "update", lambda: (updates.append(1), update())[1])
    known, revision = session.parameters, session.revision
    box = Box(session)
    box.ask("subscribe", topics=["changed"])
    looks = [AddNote("n1", COMMENT), SetNote("n1", {"at": [5, 5]}), Move({"osc": [1, 1]}), Present({"osc": [0, 0]}),
             RemoveNote("n1")]  # fmt: skip
    for command in looks:
        session.edit([command])
    for _ in looks:
        session.undo()
    assert not updates and session.parameters is known, "no layout of a client is stale"
    assert session.revision == revision + 2 * len(looks) == box.of("changed")[-1]["revision"], "everybody is told"
    session.redo()
    assert '"n1"' in playing.player.messages.patch_text  # type: ignore[attr-defined]
    session.edit([SetNote("n1", {"text": "louder"}), Set("level", {"gain": 0.5})])
    session.undo()
    assert len(updates) == 2 and session.parameters is not known


def test_a_picture_goes_over_the_wire(session: Session) -> None:
    folder, box = session.patch.document.folder, Box(session)
    (folder / "blue.png").write_bytes(png(8, 4))
    (folder / "text.png").write_text("no image at all")
    (folder / "large.png").write_bytes(png(2, 2) + bytes(MOST_BYTES))
    (folder / "huge.png").write_bytes(png(1, 1).replace(struct.pack(">II", 1, 1), struct.pack(">II", 60_000, 60_000)))
    (folder.parent / "outside.png").write_bytes(png(1, 1))
    (folder / "folder.png").mkdir()
    (folder / "link.png").symlink_to(folder / "tone.ng")
    found = box.ask("picture", file="blue.png")
    assert found == {"file": "blue.png", "width": 8, "height": 4, "data": png(8, 4)}
    for name, code in (
        ("none.png", "missing-file"), ("text.png", "bad-image"), ("large.png", "bad-image"), ("huge.png", "bad-image"),
        ("tone.ng", "bad-image"), ("link.png", "bad-image"), ("../outside.png", "outside-file"), ("", "bad-image"),
        ("sound:a/b.png", "no-file"), ("folder.png", "bad-image"),
    ):  # fmt: skip
        assert box.code("picture", file=name) == code, name
    assert box.code("picture") == "bad-request"


def test_the_size_of_an_image_is_in_its_first_bytes() -> None:
    assert size_of(png(300, 200)) == (300, 200)
    assert size_of(jpeg(640, 480)) == (640, 480)
    for broken in (b"", b"GIF89a", png(3, 3)[:20], jpeg(3, 3)[:12], png(0, 3), b"\xff\xd8\xff\xe0\0\0" + bytes(9)):
        with pytest.raises(MediaError):
            size_of(broken)
