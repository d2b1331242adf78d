"""Write TorchScript files by hand, with PyTorch alone: ``python export_plain.py FOLDER``. Some of them are hostile."""

import sys
from pathlib import Path

import torch
from torch import nn


class Plain(nn.Module):
    """Methods that are found by looking: no lists of names, attributes that are single values, a sample rate."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))
        self.register_buffer("double_params", torch.tensor([1, 1, 2, 1]))
        self.register_buffer("level_params", torch.tensor([2]))
        self.register_buffer("sampling_rate", torch.tensor(44_100))
        self.register_buffer("before", torch.zeros(1, 1, 1))
        self.level = 0.5
        self.told_rate = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Half of the sample before: memory from one chunk to the next."""
        y = torch.cat([self.before.expand(x.shape[0], 1, 1), x[..., :-1]], -1)
        self.before = x[:1, :, -1:].clone()
        return y * self.level

    @torch.jit.export
    def double(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, torch.full_like(x, self.told_rate / 1e6)], 1)

    @torch.jit.export
    def helper(self, x: torch.Tensor) -> torch.Tensor:
        return x

    @torch.jit.export
    def get_level(self) -> float:
        return self.level

    @torch.jit.export
    def set_level(self, level: float) -> int:
        if level > 1.0:
            return -1
        self.level = level
        return 0

    @torch.jit.export
    def set_sample_rate(self, rate: int) -> None:
        self.told_rate = rate


class Liar(nn.Module):
    """Says that it makes one channel, and makes two."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, x], 1)


class Wanting(nn.Module):
    """Offers nothing."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Writer(nn.Module):
    """Writes a file when it is asked for sound."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))
        self.target = target

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.save(x, self.target)
        return x


class Mapper(nn.Module):
    """Makes a file by mapping it."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))
        self.target = target

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mapped = torch.from_file(self.target, True, 64)
        mapped.fill_(7.0)
        return x + mapped[0]


class Hanger(nn.Module):
    """Raises in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("forward_params", torch.tensor([1, 1, 1, 1]))
        self.count = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count += 1
        if self.count % 8 == 5:
            raise RuntimeError("not this time")
        return x


def main() -> None:
    folder = Path(sys.argv[1])
    models = {
        "plain": Plain(), "liar": Liar(), "wanting": Wanting(), "raises": Hanger(),
        "writer": Writer(str(folder / "canary")), "mapper": Mapper(str(folder / "canary")),
    }  # fmt: skip
    for name, model in models.items():
        torch.jit.script(model.eval()).save(str(folder / f"{name}.ts"))
    torch.save({"weight": torch.zeros(3)}, str(folder / "state.ts"))


if __name__ == "__main__":
    main()
