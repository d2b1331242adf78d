"""The systemd unit: what it says, how it quotes, and that systemd itself understands it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.headless.units import MARK, Unit, quoted
from tests.cli.conftest import Command, nodegraph
from tests.headless.conftest import TONE
from tests.needs import needs

__all__ = ["nodegraph"]
ODD = 'a $b 100%"q\\ é'


def sections(text: str) -> dict[str, list[tuple[str, str]]]:
    """The unit, by rules of our own: sections, and in each of them lines ``Key=value``."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if section := re.fullmatch(r"\[(\w+)\]", line):
            assert section[1] not in found
            found[section[1]] = []
            continue
        key, equals, value = line.partition("=")
        assert equals and re.fullmatch(r"[A-Za-z]+", key), line
        found[list(found)[-1]].append((key, value))
    return found


def words(value: str) -> list[str]:
    """A command line as systemd takes it apart: quotes, then specifiers and variables."""
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(value)]


@given(st.text(st.characters(exclude_characters="\n\t", exclude_categories=["C", "Zl", "Zp"])))
def test_a_word_is_read_back(word: str) -> None:
    assert words(quoted(word)) == [word]


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    folder = tmp_path / ODD
    folder.mkdir()
    path = folder / "to ne.ng"
    path.write_text(TONE)
    return path


def test_what_it_says(odd: Path, nodegraph: Command) -> None:
    said = nodegraph(
        "install-service", odd, "--name", "foyer", "--print", "--", "--health", "9090", "--from", "09:00",
        "--until", "18:00",
    )  # fmt: skip
    assert said.code == 0, said.err
    found = sections(said.out)
    unit, service = dict(found["Unit"]), dict(found["Service"])
    assert list(found) == ["Unit", "Service", "Install"]
    command = words(service["ExecStart"])
    assert command == [
        sys.executable, "-P", "-m", "nodegraph", "run", str(odd), "--headless", "--autostart", "--name", "foyer",
        "--health", "9090", "--from", "09:00", "--until", "18:00",
    ]  # fmt: skip
    wanted = {
        "Type": "notify", "NotifyAccess": "main", "Restart": "on-failure", "KillMode": "mixed", "LimitRTPRIO": "95",
        "LimitMEMLOCK": "infinity", "NoNewPrivileges": "yes", "WatchdogSec": "30",
    }  # fmt: skip
    assert wanted.items() <= service.items()
    assert "network" not in said.out, "it begins before there is one"
    assert unit["After"] == "sound.target" and unit["StartLimitBurst"] and "StartLimitIntervalSec" in unit
    for hinders in ("PrivateDevices", "RestrictRealtime", "MemoryDenyWriteExecute", "ProtectClock", "ProtectHome"):
        assert hinders not in said.out, f"{hinders} would hinder sound, compiling or saving"
    assert os.listdir(odd.parent) == ["to ne.ng"], "nothing is written"


def test_of_the_system(odd: Path, nodegraph: Command) -> None:
    said = nodegraph("install-service", odd, "--name", "foyer", "--system", "--as", "nobody", "--print")
    found = sections(said.out)
    service = dict(found["Service"])
    assert service["User"] == "nobody" and service["ProtectSystem"] == "full"
    assert found["Install"] == [("WantedBy", "multi-user.target")]
    jack = nodegraph("install-service", odd, "--system", "--as", "nobody", "--print", "--", "--driver", "jack")
    assert "PrivateTmp" not in jack.out, "JACK's clients and server meet in /tmp"
    assert sections(nodegraph("install-service", odd, "--print").out)["Install"] == [("WantedBy", "default.target")]


@pytest.mark.parametrize("whose", ["--user", "--system"])
def test_systemd_understands_it(
    odd: Path, tmp_path: Path, nodegraph: Command, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyze = needs("systemd-analyze", install="apt install systemd")
    said = nodegraph("install-service", odd, whose, "--name", "show", "--print")
    unit = tmp_path / "show.service"
    unit.write_text(said.out)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    done = subprocess.run([analyze, "verify", whose, str(unit)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ours = [line for line in done.stderr.splitlines() if "show.service" in line]
    assert not ours, ours


def test_it_is_written_where_units_lie_and_only_over_its_own(
    odd: Path, tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    unit = tmp_path / "config" / "systemd" / "user" / "foyer.service"
    said = nodegraph("install-service", odd, "--name", "foyer")
    assert said.code == 0 and unit.read_text().startswith(MARK)
    assert str(unit) in said.out and "systemctl --user enable --now foyer" in said.out
    assert nodegraph("install-service", odd, "--name", "foyer").code == 0
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    refused = nodegraph("install-service", odd, "--name", "foyer")
    assert refused.code == 2 and "not written by nodegraph" in refused.err
    assert unit.read_text() == "[Service]\nExecStart=/bin/true\n"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--", "--from", "9"], "belong together"),
        (["--", "--record", "x.wav"], "does not go with --headless"),
        (["--", "--no-such-option"], "unrecognized arguments"),
        (["--name", "a b"], "cannot be a service's name"),
        (["--as", "nobody"], "--as goes with --system"),
        (["--system", "--as", "no-such-user-here"], "There is no user"),
    ],
)
def test_a_slip_is_told_now_and_not_at_the_next_boot(
    odd: Path, nodegraph: Command, given: list[str], says: str
) -> None:
    said = nodegraph("install-service", odd, "--print", *given)
    assert said.code == 2 and says in said.err, said


def test_a_patch_that_is_not_there(tmp_path: Path, nodegraph: Command) -> None:
    assert nodegraph("install-service", tmp_path / "no.ng", "--print").code == 2


def test_environment_goes_along() -> None:
    unit = Unit("T", Path("/a/b.ng"), ["x"], environment={"NODEGRAPH_STATE": "/var/lib/a b%"})
    assert 'Environment="NODEGRAPH_STATE=/var/lib/a b%%"' in unit.text()
