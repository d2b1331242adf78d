"""Download one file by its address, and go on where an earlier try broke off. What comes is believed for its hash."""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import IO, Any, Final

from nodegraph.core.errors import ModelError, Problem
from nodegraph.models.sources import Progress, UrlFile, legal_url

PIECE: Final = 1 << 18
TIMEOUT_S: Final = 30.0
TRIES: Final = 4
"""Times in a row that nothing new may come before it is given up."""
PAUSE_S: Final = 0.5
KEPT_DAYS: Final = 14.0
"""How long what came of a file is kept after a try that broke off."""
_BROKEN: Final = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to addresses that are legal themselves: never from https to http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not legal_url(newurl) or (req.full_url.startswith("https:") and not newurl.startswith("https:")):
            raise urllib.error.URLError(f"it leads to {newurl}, which is not safe")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download_from_url(source: UrlFile, target: Path, size: int | None, model: str, progress: Progress) -> Path:
    """Bring a file to `target`; what lies there already is the beginning of it. `size`: bytes in all, if known.

    Broken off, it goes on by itself, and gives up after four tries in a row that brought nothing. Then, and when it is
    cancelled, what came stays for the next call. Raises ModelError, and OSError when the disk fails.
    """
    opener = urllib.request.build_opener(_Redirects)
    target.parent.mkdir(parents=True, exist_ok=True)
    fruitless, most = 0, _bytes(target)
    while True:
        before = _bytes(target)
        if size is not None and before == size:
            return target
        try:
            if _on(opener, source, target, size, model, progress):
                return target
            why: Exception | str = "it broke off"
        except urllib.error.HTTPError as error:
            if error.code == 416 and before:  # there is nothing after what we have: it is another file now
                target.unlink()
                why = "it has changed"
            elif error.code in (408, 425, 429) or error.code >= 500:
                why = error
            else:
                raise ModelError(_refused(error, source, model)) from error
        except _BROKEN as error:
            why = error
        fruitless = 0 if _bytes(target) > most else fruitless + 1  # what was there once already is nothing new
        most = max(most, _bytes(target))
        if fruitless >= TRIES:
            what = f"model '{model}': {source} cannot be downloaded ({why})."
            do = "What came is kept: the next try goes on from there." if _bytes(target) else "Check the network."
            raise ModelError(Problem("no-network", what, do))
        progress(_bytes(target), size, f"{model}: {source.last}: trying again")
        time.sleep(PAUSE_S * 2**fruitless)


def _on(
    opener: urllib.request.OpenerDirector,
    source: UrlFile,
    target: Path,
    size: int | None,
    model: str,
    progress: Progress,
) -> bool:
    """One request. Whether it came to the end of the file."""
    have = _bytes(target)
    request = urllib.request.Request(source.url, headers={"User-Agent": "nodegraph", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with opener.open(request, timeout=TIMEOUT_S) as answer:
        if have and answer.status != 206:  # it does not know parts: from the beginning
            have = 0
        length = answer.headers.get("Content-Length")
        end = (
            size
            if size is not None
            else have + int(length)
            if length and length.isascii() and length.isdigit()
            else None
        )
        with target.open("ab" if have else "wb") as out:
            done = _copy(answer, out, have, end, size, f"{model}: downloading {source.last}", progress)
    return end is None or done >= end


def _copy(
    answer: IO[bytes], out: IO[bytes], have: int, end: int | None, size: int | None, text: str, progress: Progress
) -> int:
    """Copy what comes, a byte more than `size` at most: that is enough to be told from the right file."""
    done = have
    try:
        while piece := answer.read(PIECE):
            if size is not None:
                piece = piece[: size + 1 - done]
            out.write(piece)
            done += len(piece)
            progress(done, end, text)
            if size is not None and done > size:
                break
    finally:
        out.flush()
        os.fsync(out.fileno())
    return done


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _refused(error: urllib.error.HTTPError, source: UrlFile, model: str) -> Problem:
    host = urllib.parse.urlsplit(source.url).hostname
    what = f"model '{model}': {host} answers {error.code} {error.reason} to {source}."
    if error.code in (401, 403):
        return Problem("refused", what, "It may be had by hand: download it, then nodegraph models add PATH.")
    return Problem("not-there", what, "It may have been withdrawn or renamed; see nodegraph models info.")


def forget_old(folder: Path, *, now: float | None = None) -> None:
    """Delete what came of files long ago and was never wanted again."""
    limit = (time.time() if now is None else now) - 86_400.0 * KEPT_DAYS
    for path in folder.glob("*.part"):
        try:
            if path.stat().st_mtime < limit:
                path.unlink()
        except OSError:
            continue
