"""Put new content into a file so that at any moment it is the old one or the new one."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write `content` beside `path`, bring it to the disk, and put it in its place in one step.

    A link stays a link: the file that it names is replaced. Permissions stay, and the owner where that is allowed; a
    file that is new has those of `mode`, as far as the user's mask lets it.
    Raises OSError, and leaves everything as it was; a file that is read-only is not replaced.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    try:
        old = os.stat(target)
    except FileNotFoundError:
        old = None
    if old is not None:
        if stat.S_ISDIR(old.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target)
        if not stat.S_ISREG(old.st_mode):
            raise OSError(errno.EINVAL, "This is no ordinary file", target)
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)
    beside = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            if old is not None:
                _same_owner(descriptor, old)
            os.fsync(descriptor)
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    _sync_folder(folder)


def _same_owner(descriptor: int, old: os.stat_result) -> None:
    if not hasattr(os, "fchmod"):  # Windows
        return
    with contextlib.suppress(PermissionError):
        if (os.geteuid(), os.getegid()) != (old.st_uid, old.st_gid):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, old.st_mode & 0o7777)


def _sync_folder(folder: str) -> None:
    """So that the new name outlives a power cut. Where a folder cannot be synced, the file is in place all the same."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder or ".", os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
