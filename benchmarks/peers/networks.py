"""Published transform networks. Each takes and gives (1, 3, H, W), RGB, its sides multiples of 4."""

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.reference import JohnsonNet


@dataclass(frozen=True, slots=True)
class Peer:
    """A published network."""

    name: str
    source: str
    """Where its shape is published."""
    make: Callable[[], nn.Module]


class HalfWidthNet(nn.Sequential):
    """Johnson's network as his repository trains it with instance norm: half the filters.

    The frame is padded by 40 pixels of reflection; residual blocks are valid convolutions around a crop, and
    up-sampling is by transposed convolution (doc/flags.md: `arch`, `padding_type reflect-start`).
    """

    def __init__(self) -> None:
        super().__init__(
            nn.ReflectionPad2d(40),
            *_normed(nn.Conv2d(3, 16, 9, padding=4), 16),
            *_normed(nn.Conv2d(16, 32, 3, 2, padding=1), 32),
            *_normed(nn.Conv2d(32, 64, 3, 2, padding=1), 64),
            *(_CroppedResidual(64) for _ in range(5)),
            *_normed(nn.ConvTranspose2d(64, 32, 3, 2, padding=1, output_padding=1), 32),
            *_normed(nn.ConvTranspose2d(32, 16, 3, 2, padding=1, output_padding=1), 16),
            nn.Conv2d(16, 3, 9, padding=4),
            _ScaledTanh(),
        )


class LengstromNet(nn.Sequential):
    """lengstrom/fast-style-transfer: Johnson's widths, zero padding, transposed convolutions."""

    def __init__(self) -> None:
        super().__init__(
            *_normed(nn.Conv2d(3, 32, 9, padding=4, bias=False), 32),
            *_normed(nn.Conv2d(32, 64, 3, 2, padding=1, bias=False), 64),
            *_normed(nn.Conv2d(64, 128, 3, 2, padding=1, bias=False), 128),
            *(_ZeroResidual(128) for _ in range(5)),
            *_normed(nn.ConvTranspose2d(128, 64, 3, 2, 1, output_padding=1, bias=False), 64),
            *_normed(nn.ConvTranspose2d(64, 32, 3, 2, 1, output_padding=1, bias=False), 32),
            nn.Conv2d(32, 3, 9, padding=4, bias=False),
            nn.InstanceNorm2d(3, affine=True),
            _ScaledTanh(),
        )


class ReCoNet(nn.Sequential):
    """Gao et al. 2018: 48, 96 and 192 channels, four residual blocks with an activation after the sum."""

    def __init__(self) -> None:
        super().__init__(
            *_reflected(3, 48, 9),
            *_reflected(48, 96, 3, 2),
            *_reflected(96, 192, 3, 2),
            *(layer for _ in range(4) for layer in (_ReflectedResidual(192), nn.ReLU())),
            nn.Upsample(scale_factor=2),
            *_reflected(192, 96, 3),
            nn.Upsample(scale_factor=2),
            *_reflected(96, 48, 3),
            nn.ReflectionPad2d(4),
            nn.Conv2d(48, 3, 9),
            nn.Tanh(),
        )


class FritzSmallNet(nn.Sequential):
    """The small network of fritz's style transfer: 32 channels times alpha, three residual blocks."""

    def __init__(self, alpha: float = 0.3) -> None:
        c = int(32 * alpha)
        super().__init__(
            *_normed(nn.Conv2d(3, c, 9, padding=4, bias=False), c),
            *_normed(nn.Conv2d(c, c, 3, 2, padding=1, bias=False), c),
            *_normed(nn.Conv2d(c, c, 3, 2, padding=1, bias=False), c),
            *(_ZeroResidual(c) for _ in range(3)),
            *(layer for _ in range(2) for layer in (nn.Upsample(scale_factor=2), *_same(c))),
            nn.Conv2d(c, 3, 9, padding=4, bias=False),
            nn.InstanceNorm2d(3, affine=True),
            _ScaledTanh(),
        )


class MicroAst(nn.Module):
    """MicroAST (Wang et al. 2023) from frame to painting: content encoder and decoder.

    The style's encoder and modulator run once for a style; what they give are constants here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shallow = nn.Sequential(
            *_micro(3, 16, 9), *_micro(16, 32, 3, 2, groups=16), *_micro(32, 32, 1),
            *_micro(32, 64, 3, 2, groups=32), *_micro(64, 64, 1), _MicroResidual(64),
        )  # fmt: skip
        self.deep = _MicroResidual(64)
        self.first, self.second = _MicroResidual(64), _MicroResidual(64)
        up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.out = nn.Sequential(
            up, *_micro(64, 32, 3, groups=32), *_micro(32, 32, 1),
            up, *_micro(32, 16, 3, groups=16), *_micro(16, 16, 1), *_micro(16, 3, 9)[:-1],
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """The painting."""
        shallow = self.shallow(x)
        y = self.first.modulated(F.instance_norm(self.deep(shallow)))
        painted: Tensor = self.out(self.second.modulated(F.instance_norm(y)))
        return painted


PEERS = (
    Peer("Johnson 2016", "pytorch/examples, fast_neural_style", JohnsonNet),
    Peer("Johnson, half width", "jcjohnson/fast-neural-style, doc/flags.md and README", HalfWidthNet),
    Peer("lengstrom", "lengstrom/fast-style-transfer, src/transform.py", LengstromNet),
    Peer("ReCoNet", "Gao et al. 2018, arXiv 1807.01197", ReCoNet),
    Peer("MicroAST", "Wang et al. 2023, arXiv 2211.15313, and EndyWon/MicroAST", MicroAst),
    Peer("fritz small", "fritzlabs/fritz-models, style_transfer, SmallStyleTransferNetwork", FritzSmallNet),
)
"""Widest known first."""


class _ScaledTanh(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.tanh() * 150 + 127.5


class _CroppedResidual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_normed(nn.Conv2d(channels, channels, 3), channels),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels, affine=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        painted: Tensor = x[:, :, 2:-2, 2:-2] + self.layers(x)
        return painted


class _ZeroResidual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_same(channels), *_same(channels)[:-1])

    def forward(self, x: Tensor) -> Tensor:
        painted: Tensor = x + self.layers(x)
        return painted


class _ReflectedResidual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        first, second = _reflected(channels, channels, 3), _reflected(channels, channels, 3)
        self.layers = nn.Sequential(*first, *second[:-1])

    def forward(self, x: Tensor) -> Tensor:
        painted: Tensor = x + self.layers(x)
        return painted


class _MicroResidual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Sequential(*_micro(channels, channels, 3)[:-1])
        self.second = nn.Sequential(*_micro(channels, channels, 3)[:-1])
        self.weight, self.bias = 1.0, 0.1
        """What the modulator gives for a style, one number for each channel in the original."""

    def forward(self, x: Tensor) -> Tensor:
        painted: Tensor = x + self.second(F.relu(self.first(x)))
        return painted

    def modulated(self, x: Tensor) -> Tensor:
        y = F.relu(self.weight * self.first(x) + self.bias * x)
        painted: Tensor = x + self.weight * self.second(y) + self.bias * y
        return painted


def _normed(conv: nn.Module, channels: int) -> tuple[nn.Module, ...]:
    return conv, nn.InstanceNorm2d(channels, affine=True), nn.ReLU()


def _same(channels: int) -> tuple[nn.Module, ...]:
    return _normed(nn.Conv2d(channels, channels, 3, padding=1, bias=False), channels)


def _reflected(inputs: int, outputs: int, size: int, stride: int = 1) -> tuple[nn.Module, ...]:
    return nn.ReflectionPad2d(size // 2), *_normed(nn.Conv2d(inputs, outputs, size, stride), outputs)


def _micro(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> tuple[nn.Module, ...]:
    pad, conv = nn.ReflectionPad2d(size // 2), nn.Conv2d(inputs, outputs, size, stride, groups=groups)
    return pad, conv, nn.ReLU()
