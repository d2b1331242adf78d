"""Write nn~ files of every kind with the package that defines the format: ``python export_tilde.py FOLDER``.

Runs in a process of its own, with PyTorch, nn-tilde and cached-conv on its path (`tests.nn.bringing`). Weights are
random and seeded. ``codec.ts`` is a small sibling of RAVE's exports: cached convolutions, a latent space, noise that is
drawn while it encodes.
"""

import sys
from pathlib import Path

import cached_conv as cc
import nn_tilde
import torch
from torch import nn

torch.set_grad_enabled(False)
cc.use_cached_conv(True)


def conv(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Module:
    return cc.Conv1d(inputs, outputs, size, stride=stride, padding=cc.get_padding(size, stride, mode="causal"))


class Codec(nn_tilde.Module):
    """Sound to 4 latents at a 64th of the rate, and back."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(11)
        self.encoder = cc.CachedSequential(
            conv(1, 8, 7), nn.LeakyReLU(0.2), conv(8, 16, 16, 8), nn.LeakyReLU(0.2), conv(16, 8, 16, 8)
        )
        self.decoder = cc.CachedSequential(
            conv(4, 16, 3), nn.LeakyReLU(0.2), cc.ConvTranspose1d(16, 8, 16, stride=8, padding=4), nn.LeakyReLU(0.2),
            cc.ConvTranspose1d(8, 4, 16, stride=8, padding=4), conv(4, 1, 7),
        )  # fmt: skip
        self.register_method("encode", 1, 1, 4, 64, output_labels=[f"latent {k}" for k in range(4)])
        self.register_method("decode", 4, 64, 1, 1)
        self.register_method("forward", 1, 1, 1, 1, ["sound"], ["sound again"])

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        mean, spread = self.encoder(x).chunk(2, 1)
        return mean + torch.randn_like(mean) * torch.nn.functional.softplus(spread)

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.decoder(z))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(x))


class Effects(nn_tilde.Module):
    """Attributes of every kind, and methods of several widths and ratios."""

    def __init__(self) -> None:
        super().__init__()
        self.register_attribute("gain", 0.5)
        self.register_attribute("invert", False)
        self.register_attribute("shift", 0)
        self.register_attribute("mode", "plain")
        self.register_attribute("pair", (0.25, 3))
        self.register_attribute("curve", torch.ones(2))
        self.register_attribute("kernel", nn_tilde.Buffer(torch.ones(1, 1), sr=48_000))
        self.register_method("forward", 1, 1, 1, 1)
        self.register_method("cross", 2, 1, 3, 1, ["left", "right"], ["sum", "difference", "product"])
        self.register_method("envelope", 1, 1, 2, 32)
        self.register_method("hold", 2, 32, 1, 1)
        self.register_method("thin", 2, 16, 3, 64)
        self.finish()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gain: float = self.gain[0]
        if self.invert[0]:
            gain = -gain
        if self.mode[0] == "square":
            x = x * x
        if self.kernel[0].has_value:
            x = x * self.kernel[0].value[0, 0]
        return torch.roll(x, self.shift[0], -1) * gain * self.curve[0][0] + self.pair[0] * 0.0 + self.pair[1] * 0.0

    @torch.jit.export
    def cross(self, x: torch.Tensor) -> torch.Tensor:
        left, right = x[:, :1], x[:, 1:]
        return torch.cat([left + right, left - right, left * right], 1)

    @torch.jit.export
    def envelope(self, x: torch.Tensor) -> torch.Tensor:
        frames = x.reshape(x.shape[0], -1, 32)
        return torch.stack([frames.abs().amax(-1), frames.square().mean(-1)], 1)

    @torch.jit.export
    def hold(self, z: torch.Tensor) -> torch.Tensor:
        return torch.repeat_interleave(z[:, :1] - z[:, 1:], 32, -1)

    @torch.jit.export
    def thin(self, z: torch.Tensor) -> torch.Tensor:
        frames = z.reshape(z.shape[0], 2, -1, 4).mean(-1)
        return torch.cat([frames, frames[:, :1] * frames[:, 1:]], 1)


def main() -> None:
    folder = Path(sys.argv[1])
    Codec().export_to_ts(str(folder / "codec.ts"))
    Effects().export_to_ts(str(folder / "effects.ts"))


if __name__ == "__main__":
    main()
