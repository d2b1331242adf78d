"""Download one file by its address, and go on where an earlier try broke off. The store judges it by its hash."""

from __future__ import annotations

import http.client
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
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
_BROKEN: Final = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to addresses that are legal themselves: never from https to http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not legal_url(newurl) or (req.full_url.startswith("https:") and not newurl.startswith("https:")):
            raise urllib.error.URLError(f"it leads to {newurl}, which is not safe")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download_from_url(source: UrlFile, target: Path, size: int | None, model: str, progress: Progress) -> Path:
    """Bring a file to `target`; what lies there already is the beginning of it. `size`: bytes in all, if known.

    Broken off, it goes on by itself, and gives up after four tries in a row that brought nothing. Then, and when it is
    cancelled, what came stays for the next call; but without a `size` nobody knows whether it is the same file still,
    and it begins anew. Raises ModelError, and OSError when the disk fails.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if size is None:
        target.unlink(missing_ok=True)
    _Download(source, target, size, model, progress).run()
    return target


@dataclass
class _Download:
    """One download. `mark`: what the server calls this state of the file, its ETag or its date."""

    source: UrlFile
    target: Path
    size: int | None
    model: str
    progress: Progress
    mark: str = ""

    def run(self) -> None:
        """Ask again and again."""
        opener = urllib.request.build_opener(_Redirects)
        fruitless, most = 0, _bytes(self.target)
        while self.size is None or _bytes(self.target) != self.size:
            try:
                if self._ask(opener):
                    return
                why: Exception | str = "it broke off"
            except urllib.error.HTTPError as error:
                if error.code == 416:  # there is nothing after what we have: it is another file now
                    self.target.unlink(missing_ok=True)
                elif error.code not in (408, 425, 429) and error.code < 500:
                    raise ModelError(_refused(error, self.source, self.model)) from error
                why = error
            except _BROKEN as error:
                why = error
            here = _bytes(self.target)
            fruitless = 0 if here > most else fruitless + 1  # what was there once already is nothing new
            most = max(most, here)
            if fruitless >= TRIES:
                what = f"model '{self.model}': {self.source} cannot be downloaded ({why})."
                kept = "What came is kept: the next try goes on from there."
                do = kept if here and self.size is not None else "Check the network, then try again."
                raise ModelError(Problem("no-network", what, do))
            self.progress(here, self.size, f"{self.model}: {self.source.last}: trying again")
            time.sleep(PAUSE_S * 2**fruitless)

    def _ask(self, opener: urllib.request.OpenerDirector) -> bool:
        """One request. Whether it came to the end of the file."""
        headers = {"User-Agent": "nodegraph", "Accept-Encoding": "identity"}
        have = _bytes(self.target) if self.size is not None or self.mark else 0
        if have:
            headers["Range"] = f"bytes={have}-"
            if self.size is None:  # no hash will tell two files apart that were put together
                headers["If-Range"] = self.mark
        with opener.open(urllib.request.Request(self.source.url, headers=headers), timeout=TIMEOUT_S) as answer:
            if answer.status != 206:  # it does not know parts, or it is another file: from the beginning
                have = 0
            elif not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                raise http.client.HTTPException("another part came than was asked for")
            tag = answer.headers.get("ETag", "")
            self.mark = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
            end, length = self.size, answer.headers.get("Content-Length", "")
            if end is None and length.isascii() and length.isdigit():
                end = have + int(length)
            with self.target.open("ab" if have else "wb") as out:
                return self._copy(answer, out, have, end)

    def _copy(self, answer: IO[bytes], out: IO[bytes], have: int, end: int | None) -> bool:
        """Copy what comes, a byte more than `size` at most: that is enough to be told from the right file."""
        done, text = have, f"{self.model}: downloading {self.source.last}"
        try:
            while piece := answer.read(PIECE):
                if self.size is not None:
                    piece = piece[: self.size + 1 - done]
                out.write(piece)
                done += len(piece)
                self.progress(done, end, text)
                if self.size is not None and done > self.size:
                    break
        finally:
            out.flush()
            os.fsync(out.fileno())
        return end is None or done >= end


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
