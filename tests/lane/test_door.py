"""Messages between processes arrive whole, in order, with their files."""

import os
import socket
import struct
import threading

import pytest

from nodegraph.core import WorkerError
from nodegraph.runtime.lane.door import LONGEST, Door


@pytest.fixture
def doors():
    left, right = (Door(end) for end in socket.socketpair())
    yield left, right
    left.close()
    right.close()


def test_messages_of_every_size_arrive_in_order(doors) -> None:
    """Also those that no socket takes at once."""
    left, right = doors
    sizes = [0, 1, 100, 70_000, 5_000_000, 3]
    for size in sizes:
        left.send({"data": b"x" * size})
    found: list[dict[str, bytes]] = []
    while len(found) < len(sizes):
        left.flush()
        found += right.receive()
    assert [len(item["data"]) for item in found] == sizes


def test_sending_to_somebody_who_does_not_read_does_not_block(doors) -> None:
    left, _ = doors
    sender = threading.Thread(target=lambda: [left.send(b"x" * 100_000) for _ in range(100)], daemon=True)
    sender.start()
    sender.join(20)
    assert not sender.is_alive()
    assert not left.flush(), "10 MB cannot have fitted into the socket"


def test_files_come_with_their_messages(doors) -> None:
    left, right = doors
    pipes = [os.pipe() for _ in range(5)]
    for number, (reading, writing) in enumerate(pipes):
        left.send({"pipe": number}, [reading])
        os.close(reading)  # the door has its own
        os.write(writing, str(number).encode())
        os.close(writing)
    found: list[dict[str, int]] = []
    while len(found) < 5:
        left.flush()
        found += right.receive()
    assert [item["pipe"] for item in found] == list(range(5))
    for number in range(5):
        file = right.files.popleft()
        assert not os.get_inheritable(file)
        assert os.read(file, 10) == str(number).encode()
        os.close(file)


def test_what_was_said_before_the_end_is_heard(doors) -> None:
    left, right = doors
    left.send("last words")
    left.close()
    assert right.receive() == ["last words"]
    with pytest.raises(EOFError):
        right.receive()
    right.send("anybody there?")  # nobody: no error here, `receive` tells


@pytest.mark.parametrize("rubbish", [struct.pack("<I", LONGEST + 1), struct.pack("<I", 1) + b"\xc1"])
def test_rubbish_is_refused(rubbish) -> None:
    ours, theirs = socket.socketpair()
    door = Door(ours)
    theirs.sendall(rubbish)
    with pytest.raises(WorkerError, match="no message"):
        door.receive()
    door.close()
    theirs.close()
