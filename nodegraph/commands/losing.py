"""``nodegraph run PATCH --serve`` that died, and what others had edited and never saved."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodegraph.headless.recovery import Lost
    from nodegraph.session.session import Session

Say = Callable[[str], None]


def lost_of(args: argparse.Namespace) -> Lost | None:
    """What ``--recover`` takes up: the newest. Raises PatchError when there is nothing."""
    if getattr(args, "recover", None) is None:
        return None
    from nodegraph.core.errors import PatchError, Problem
    from nodegraph.headless.recovery import lost_edits

    found = lost_edits(args.patch)
    if args.recover == "forget":
        for lost in found:
            lost.forget()
        return None
    if not found:
        what = "Nothing was lost of this patch: there is nothing to take up."
        raise PatchError(Problem("nothing-lost", what, "Play it without --recover.", file=str(args.patch)))
    return found[0]


@contextmanager
def keeping(session: Session, args: argparse.Namespace, lost: Lost | None, say: Say) -> Iterator[None]:
    """Unsaved edits of a session are kept while it lasts; what was taken up (`lost`) moves over to it.

    `say` gets what a user should know. Where nothing can be kept he is told, and it plays all the same.
    """
    from nodegraph.core.errors import PatchFileError
    from nodegraph.headless.recovery import Recovery, lost_edits
    from nodegraph.headless.state import put_back

    if lost is not None:
        put_back(lost.state, session)
    for other in lost_edits(args.patch):
        if lost is None or other.file != lost.file:
            at = time.strftime("%d %B, %H:%M", time.localtime(other.state.at))
            say(f"Edits of {at} were never saved: --recover takes them up, --recover forget leaves them.")
    recovery = None
    try:
        recovery = Recovery(session, lambda level, text: say(text))
    except PatchFileError as error:
        say(str(error))
    try:
        if recovery is not None and lost is not None and recovery.keeper.keep():
            lost.forget()
        yield
    finally:
        if recovery is not None and recovery.close(leave=True):
            say("There are edits that were not saved: --recover takes them up.")
