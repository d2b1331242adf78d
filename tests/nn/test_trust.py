"""TorchScript is code: it runs when it is trusted, where it may do nothing else; what is none is refused."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core import ModelError, PatchError, trust
from nodegraph.models.torchscript import script_of
from nodegraph.runtime.player import Player
from tests.nn.conftest import ROOT
from tests.nn.playing import RATE, Job, alone, noise, patch

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds models back")


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nodegraph", *words],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def played(made: Patch, frames: int = 24_000) -> tuple[np.ndarray, list[str]]:
    """What is heard of noise, and what is said meanwhile."""
    found = made.render(seconds=frames / RATE, input=noise(frames))
    return found.audio, [text for _, text in found.log]


@pytest.mark.parametrize("late", ["silence", "dry"])
def test_a_file_that_nobody_trusts_stays_silent_and_says_how_to_trust_it(scripts: Path, late: str) -> None:
    made = patch("nn~", file="codec.ts", late=late)
    (problem,) = made.check()
    assert problem.code == "untrusted-model" and problem.node == "model" and problem.port == "file"
    assert problem.do == "If you trust whoever made it, run: nodegraph trust ./codec.ts"
    audio, said = played(made)
    assert np.any(audio) == (late == "dry")
    assert any("you have not trusted it" in line and "nodegraph trust ./codec.ts" in line for line in said), said


def test_the_command_trusts_it_says_what_it_offers_and_takes_it_back(scripts: Path) -> None:
    said = command(scripts, "trust", "effects.ts")
    assert said.returncode == 0 and trust.is_trusted(Path("effects.ts"), trust.digest_of_file(Path("effects.ts")))
    thin = "thin: 2 channels every 16 frames in, 3 channels every 64 frames out"
    for line in ("cross: 2 channels in, 3 channels out", thin, "pair: number, integer", "kernel: sound"):
        assert f"  {line}\n" in said.stdout
    assert not patch("nn~", file="effects.ts").check() or "torch" in str(patch("nn~", file="effects.ts").check())
    assert command(scripts, "trust", "--revoke", "effects.ts").returncode == 0
    assert [item.code for item in patch("nn~", file="effects.ts").check()] == ["untrusted-model"]


def test_a_change_of_a_byte_makes_another_file_of_it(
    trusted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "same.ts").write_bytes((trusted / "codec.ts").read_bytes())
    (tmp_path / "other.ts").write_bytes((trusted / "codec.ts").read_bytes() + b"\0")
    assert not patch("nn~", file="same.ts").check()
    assert [item.code for item in patch("nn~", file="other.ts").check()] == ["untrusted-model"]


def test_opening_checking_and_shaping_runs_nothing(scripts: Path) -> None:
    """The description comes from the file's own table, in a process that cannot import PyTorch."""
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from nodegraph import Patch\n"
        "made = Patch(); made.add('nn~', 'model', file='effects.ts', method='cross')\n"
        "spec = made.graph.view.nodes['model'].spec\n"
        "print([item.name for item in spec.inlets], spec.outlets[0].channels, [item.code for item in made.check()])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=scripts, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    ports = "['x', 'gain', 'invert', 'shift', 'set_mode', 'pair1', 'pair2', 'set_curve']"
    assert done.stdout == f"{ports} 3 ['untrusted-model']\n"


def test_without_torch_it_says_what_to_install(
    made: Path, torch_folder: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if torch_folder is None:
        pytest.skip("PyTorch is installed here")
    monkeypatch.chdir(made)
    item = trust.trust("plain.ts", trust.MOST_MODEL_BYTES)
    try:
        model = patch("nn~", file="plain.ts")
        (problem,) = model.check()
        audio, said = played(model)
    finally:
        trust.record(item.sha256).unlink()
    assert problem.code == "no-torch" and "pip install 'nodegraph[torch]'" in problem.do
    assert not np.any(audio) and any("pip install 'nodegraph[torch]'" in line for line in said), said


@LINUX
@pytest.mark.parametrize("name", ["writer", "mapper"])
def test_a_trusted_one_that_writes_files_is_held_back(
    trusted: Path, torch_folder: Path | None, tmp_path: Path, name: str
) -> None:
    """It does write where nothing holds it back."""
    canary = trusted / "canary"
    alone(torch_folder, tmp_path, Job(trusted / f"{name}.ts", "forward", noise(2_048)[None], 2_048))
    assert canary.exists(), "this test shows nothing"
    canary.unlink()
    played(patch("nn~", file=f"{name}.ts"))
    assert not canary.exists()


@pytest.mark.parametrize("name", ["writer", "mapper"])
def test_an_untrusted_one_is_not_even_loaded(scripts: Path, name: str) -> None:
    _, said = played(patch("nn~", file=f"{name}.ts"))
    assert not (scripts / "canary").exists() and any("you have not trusted it" in line for line in said)


class Thief:
    """A pickle that would write the canary."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return os.system, (f"touch {self.target}",)


def stored(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


CODE = b"class Thing(Module):\n  def forward(self, x):\n    return x\n"


def hostile(folder: Path, canary: Path, real: bytes) -> dict[str, bytes]:
    """Files that are no TorchScript, or one that means harm: name and content."""
    theft = pickle.dumps(Thief(canary), 2)
    deep = b"\x80\x02" + b"]" * 100_000 + b"."
    made = {
        "pickle": theft, "empty": b"", "text": b"hello", "elf": b"\x7fELF" + bytes(100), "cut": real[: len(real) // 2],
        "head cut": real[1_000:], "zeros": bytes(4_096), "tail": real[:-40],
    }  # fmt: skip
    archives = {
        "state": {"a/data.pkl": pickle.dumps({"w": 1}, 2), "a/version": b"3"},
        "thief": {"a/data.pkl": theft, "a/code/__torch__.py": CODE},
        "no code": {"a/data.pkl": theft},
        "deep": {"a/data.pkl": deep, "a/code/__torch__.py": CODE},
        "no class": {"a/data.pkl": b"\x80\x02c__torch__\nOther\n)\x81}b.", "a/code/__torch__.py": CODE},
        "no file": {"a/data.pkl": b"\x80\x02c__torch__.lost\nThing\n)\x81}b.", "a/code/__torch__.py": CODE},
        "outside": {"a/data.pkl": b"\x80\x02c__torch__...etc\nThing\n)\x81}b.", "a/code/__torch__.py": CODE},
        "number": {"a/data.pkl": b"\x80\x02K\x01.", "a/code/__torch__.py": CODE},
        "getattr": {"a/data.pkl": b"\x80\x02cbuiltins\ngetattr\n.", "a/code/__torch__.py": CODE},
        "eval": {"a/data.pkl": b"\x80\x02cbuiltins\neval\nX\x04\x00\x00\x001//0\x85R.", "a/code/__torch__.py": CODE},
        "big end": {"a/data.pkl": b"\x80\x02N.", "a/byteorder": b"big", "a/code/__torch__.py": CODE},
        "storage": {
            "a/data.pkl": b"\x80\x02c__torch__\nThing\n)\x81}X\x01\x00\x00\x00wX\x02\x00\x00\x00hiQsb.",
            "a/code/__torch__.py": CODE,
        },
    }  # fmt: skip
    for name, parts in archives.items():
        stored(folder / "made.zip", parts)
        made[name] = (folder / "made.zip").read_bytes()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(100_000_000))
        archive.writestr("a/code/__torch__.py", CODE)
    made["bomb"] = bomb.getvalue()
    return made


def test_hostile_and_broken_files_are_refused_by_name_and_run_nothing(made: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    files = hostile(tmp_path, canary, (made / "codec.ts").read_bytes())
    assert len(files) >= 20
    codes = {}
    for name, content in files.items():
        path = tmp_path / f"{name}.ts"
        path.write_bytes(content)
        with pytest.raises(ModelError) as caught:
            script_of(path)
        (problem,) = caught.value.problems
        assert str(path) in str(caught.value) and problem.do
        codes[name] = problem.code
    assert not canary.exists()
    assert codes["thief"] == codes["getattr"] == codes["eval"] == "unsafe-model"
    assert codes["pickle"] == codes["state"] == codes["cut"] == codes["text"] == "no-script"
    with pytest.raises(ModelError, match="cannot be read"):
        script_of(tmp_path / "missing.ts")


def test_one_of_them_in_a_patch_is_told_where_it_stands_and_cannot_be_trusted(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thief.ts").write_bytes(pickle.dumps(Thief(tmp_path / "canary"), 2))
    with pytest.raises(PatchError, match="node 'model': It is no TorchScript"):
        Patch().add("nn~", "model", file="thief.ts")
    (tmp_path / "main.ng").write_text(
        '{"nodegraph": 1, "nodes": {"model": {"kind": "nn~", "file": "thief.ts"}}, "cables": []}'
    )
    said = command(tmp_path, "check", "main.ng")
    assert said.returncode == 2 and "node 'model'" in said.stderr and "It is no TorchScript" in said.stderr
    said = command(tmp_path, "trust", "thief.ts")
    assert said.returncode == 2 and "It is no TorchScript" in said.stderr and not (tmp_path / "canary").exists()


def test_a_patch_around_an_untrusted_one_plays(scripts: Path) -> None:
    """The rest is heard at once: nobody waits for what will not come."""
    made = patch("nn~", file="writer.ts")
    made.add("sine~", "tone", freq=440.0)
    made.add("out~", "second", channel=2, channels=1)
    made.connect("tone.y", "second.x")
    player = Player(made.graph.view, RATE, resolve=lambda text: scripts / text)
    try:
        out = np.zeros((2, 24_000), np.float32)
        player.render(out, noise(24_000))
    finally:
        player.close()
    assert np.abs(out[1, -4_800:]).max() > 0.1 and not np.any(out[0])
