"""TorchScript run by PyTorch alone: ``python reference.py JOBS.json``.

Each job has a `file`, its `method`, the `frames` that go in at a time, the `seed`, and the paths `heard`, an array
``(batch, channels, frames / ratio)``, and `said`, into which goes all that comes out.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch


def main() -> None:
    for job in json.loads(Path(sys.argv[1]).read_text()):
        method = torch.jit.load(job["file"]).eval()._c._get_method(job["method"])
        sound, frames = torch.from_numpy(np.load(job["heard"])), job["frames"]
        torch.manual_seed(job["seed"])
        with torch.inference_mode():
            parts = [
                method(sound[..., start : start + frames].contiguous())
                for start in range(0, sound.shape[-1] - frames + 1, frames)
            ]
        np.save(job["said"], torch.cat(parts, -1).numpy())


if __name__ == "__main__":
    main()
