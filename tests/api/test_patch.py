"""A patch as a Python object."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nodegraph
from nodegraph import MediaError, NodeRef, Patch, PatchError, PatchFileError, WeightsMissing

ROOT = Path(__file__).parents[2]


def test_every_public_name_is_there_and_loaded_when_asked_for() -> None:
    assert all(getattr(nodegraph, name) is not None for name in nodegraph.__all__)
    assert set(nodegraph.__all__) <= set(dir(nodegraph))
    with pytest.raises(AttributeError, match="no attribute 'Pach'"):
        nodegraph.Pach  # noqa: B018


def test_importing_nodegraph_loads_nothing_else() -> None:
    program = (
        "import sys, time\nbefore = set(sys.modules)\nstart = time.process_time()\nimport nodegraph\n"
        "print(time.process_time() - start, *sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    took, *loaded = done.stdout.split()
    assert set(loaded) <= {"nodegraph", "__future__"}, loaded
    assert float(took) < 0.15


def test_nodes_are_added_under_ids_by_any_of_their_names() -> None:
    patch = Patch("Words")
    kinds = [patch.add(word).kind for word in ("cycle~", "osc~", "SinOsc", "sine~")]
    assert kinds == ["sine~"] * 4
    assert [node.id for node in patch] == ["sine1", "sine2", "sine3", "sine4"]
    assert patch.add("out~", "speaker").id == "speaker" and "speaker" in patch and len(patch) == 5


def test_a_chain_is_connected_at_once() -> None:
    patch = Patch()
    osc, cut, out = patch.add("saw~", "osc"), patch.add("svf~", "cut"), patch.add("out~", "out")
    cables = patch.connect(osc, cut, out)
    assert [str(cable) for cable in cables] == ["osc.y -> cut.x", "cut.low -> out.x"]
    assert patch.connect(osc, cut, out) == cables, "what is there already stays"
    lfo = patch.add("sine~", "lfo")
    assert [str(cable) for cable in patch.connect(lfo, cut.cutoff)] == ["lfo.y -> cut.cutoff"]
    assert [str(cable) for cable in patch.connect("osc", "cut.high", "out.x")] == [
        "osc.y -> cut.x",
        "cut.high -> out.x",
    ]
    patch.disconnect(cut, out)
    assert [str(cable) for cable in patch.graph.cables] == ["lfo.y -> cut.cutoff", "osc.y -> cut.x"]
    patch.disconnect("lfo.y -> cut.cutoff")
    patch.remove(lfo)
    assert "lfo" not in patch and [str(cable) for cable in patch.graph.cables] == ["osc.y -> cut.x"]


def test_a_port_in_the_middle_says_where_to_enter_or_leave() -> None:
    patch = Patch()
    osc, ring, out = patch.add("sine~", "osc"), patch.add("*~", "ring"), patch.add("out~", "out")
    assert [str(cable) for cable in patch.connect(osc, ring.b, out)] == ["osc.y -> ring.b", "ring.y -> out.x"]


def test_a_chain_that_breaks_lays_none_of_its_cables() -> None:
    patch = Patch()
    osc, cut, words = patch.add("saw~"), patch.add("svf~"), patch.add("print")
    with pytest.raises(PatchError, match="No inlet of 'print1' takes a signal"):
        patch.connect(osc, cut, words)
    assert not patch.graph.cables
    for wrong in ((osc,), ("svf1.cutoff", osc), (osc, "svf1.cutof"), (osc, "nobody")):
        with pytest.raises(PatchError):
            patch.connect(*wrong)
    with pytest.raises(PatchError, match="no cable from 'saw1' to 'svf1'"):
        patch.disconnect(osc, cut)


def test_values_are_set_all_or_none() -> None:
    patch = Patch()
    cut = patch.add("svf~", cutoff=800)
    assert cut.set(cutoff=np.float32(900.0), resonance=0.5) is cut
    assert (cut.cutoff.value, cut.resonance.value) == (900.0, 0.5)
    with pytest.raises(PatchError) as caught:
        cut.set(cutoff=1_000, resonance=7, cuttof=3)
    assert [problem.port for problem in caught.value.problems] == ["resonance", "cuttof"]
    assert cut.cutoff.value == 900.0
    cut["resonance"].set(0.1)
    patch.set("svf1.cutoff", 250)
    assert (cut.cutoff.value, cut.resonance.value) == (250, 0.1)
    with pytest.raises(AttributeError, match=r"svf1.set\(cutoff=1\)"):
        cut.cutoff = 1
    with pytest.raises(AttributeError, match="Did you mean 'cutoff'"):
        cut.cutof  # noqa: B018
    assert "cutoff" in dir(cut) and not hasattr(cut, "cutof")


def test_a_patch_is_saved_and_opened_again(tmp_path: Path) -> None:
    patch = Patch("Tone", "A tone.")
    patch.connect(patch.add("sine~", freq=220), patch.add("out~"))
    path = patch.save(tmp_path / "tone.ng")
    again = Patch.open(path)
    assert str(again) == str(patch) == path.read_text()
    assert (again.title, again.about, again.path) == ("Tone", "A tone.", path)
    assert isinstance(again["sine1"], NodeRef) and again["sine1"].freq.value == 220
    with pytest.raises(PatchError, match="no node 'sine2'"):
        again["sine2"]
    with pytest.raises(PatchFileError, match=r"gone\.ng: There is no such file"):
        Patch.open(tmp_path / "gone.ng")
    (tmp_path / "plain.wav").write_bytes(b"RIFF\x04\0\0\0WAVE")
    with pytest.raises(PatchFileError, match=r"plain\.wav"):
        Patch.open(tmp_path / "plain.wav")


def test_check_finds_every_problem_and_render_refuses_with_all_of_them(tmp_path: Path) -> None:
    patch = Patch()
    assert patch.check() == []
    patch.add("play~", "a", file="gone.wav")
    patch.add("play~", "b")
    patch.graph.put(patch.graph.node(patch.add("saw~", "c").id).__class__("odd", "no.such.kind~"))
    found = {(problem.node, problem.code) for problem in patch.check()}
    assert found == {("a", "missing-file"), ("b", "no-file"), ("odd", "unknown-kind")}
    with pytest.raises(PatchError) as caught:
        patch.render(seconds=1)
    assert len(caught.value.problems) == 3
    patch.remove("odd")
    with pytest.raises(MediaError, match=r"gone\.wav"):
        patch.play()


def test_files_are_found_in_the_folder_of_the_patch_and_in_those_that_are_declared(tmp_path: Path) -> None:
    import soundfile

    (tmp_path / "sounds").mkdir()
    soundfile.write(tmp_path / "sounds" / "a.wav", np.full(100, 0.5, np.float32), 48_000, subtype="FLOAT")
    patch = Patch()
    patch.connect(patch.add("play~", file=tmp_path / "sounds" / "a.wav"), patch.add("out~"))
    assert [problem.code for problem in patch.check()] == ["outside-file"]
    patch.media.append(tmp_path / "sounds")
    assert patch.check() == []
    assert (patch.render(seconds=0.01).audio[:, :100] == 0.5).all()
    patch["play1"].set(file="sounds/a.wav")
    patch.media.clear()
    patch.save(tmp_path / "p.ng")
    assert patch.check() == []


def test_weights_that_are_missing_are_an_error_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path))
    patch = Patch()
    patch.connect(patch.add("sine~"), patch.add("yamnet.tag~", "ears"))
    with pytest.raises(WeightsMissing, match="nodegraph models fetch yamnet") as caught:
        patch.render(seconds=1)
    assert caught.value.problems[0].node == "ears"
