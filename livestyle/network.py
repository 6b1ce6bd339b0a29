"""The transform network: one feed-forward net that holds every style.

The shape is Johnson et al. 2016 ("Perceptual Losses for Real-Time Style Transfer"): down-sample by four,
residual blocks, up-sample by four. Every norm is conditional (Dumoulin et al. 2017, "A Learned
Representation for Artistic Style"): its scale and shift are slices of `affine`, one flat vector per style,
which is an input. So one compiled network serves every style and every blend of styles.

Departures from Johnson, each for speed or for steadiness:

- The 9x9 ends are gone: a space-to-depth stem and a sub-pixel head work at half resolution.
- A strided kernel is a trainable kernel convolved with a binomial blur, so that it answers nothing at the
  Nyquist frequency (Zhang 2019, "Making Convolutional Networks Shift-Invariant Again").
- Up-sampling is a resize-convolution (Odena et al. 2016, "Deconvolution and Checkerboard Artifacts"):
  nearest neighbour, then 3x3. It runs as the 2x2 sub-pixel convolution which it equals.
- Outside the residual blocks every convolution is valid (unpadded). The frame is padded once, by reflection:
  no border is made of zeros, and the folds are exact everywhere.
- No biases before a norm, which would take them away again.
"""

from collections.abc import Iterator
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from livestyle.architecture import NORM_EPSILON, NetworkConfig, Padding

ScaleShift: TypeAlias = tuple[Tensor, Tensor]
"""A norm's scale and shift for each picture, both (B, C, 1, 1)."""


class BlurFold(nn.Module):
    """Parametrises a strided kernel as a trainable one of (out, in, k, k) after a binomial blur.

    Convolving the two kernels gives one of (out, in, k + taps - 1, k + taps - 1).
    """

    def __init__(self, blur: tuple[float, ...]) -> None:
        super().__init__()
        row = torch.tensor(blur) / sum(blur)
        self.register_buffer("blur", torch.outer(row, row)[None, None], persistent=False)
        self.blur: Tensor

    def forward(self, kernel: Tensor) -> Tensor:
        """The blurred kernel."""
        out_channels, in_channels, height, width = kernel.shape
        planes = kernel.reshape(-1, 1, height, width)
        blurred = F.conv2d(planes, self.blur, padding=self.blur.shape[-1] - 1)
        return blurred.reshape(out_channels, in_channels, *blurred.shape[-2:])


class StemFold(BlurFold):
    """A blurred 6x6 kernel of stride 2 as the 3x3 kernel it is after space-to-depth by 2."""

    def forward(self, kernel: Tensor) -> Tensor:
        """(out, in, 4, 4) to (out, 4 * in, 3, 3)."""
        unshuffled: Tensor = F.pixel_unshuffle(super().forward(kernel), 2)
        return unshuffled


class ResizeFold(nn.Module):
    """Parametrises "nearest x2, then 3x3" as a 2x2 convolution to 4 sub-pixels.

    Output row 2i + p sees the rows i and i + 1 of the input, each through the sum of the taps that nearest
    neighbour sends there: (w0 + w1, w2) where p is 0, (w0, w1 + w2) where p is 1. The same holds for columns.
    """

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor([[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]])
        self.register_buffer("taps", taps.float(), persistent=False)
        self.taps: Tensor

    def forward(self, kernel: Tensor) -> Tensor:
        """(out, in, 3, 3) to (4 * out, in, 2, 2), sub-pixels in the order of `F.pixel_shuffle`."""
        phases = torch.einsum("pia,qjb,ocab->opqcij", self.taps, self.taps, kernel)
        return phases.reshape(-1, kernel.shape[1], 2, 2)


class ConditionalNorm(nn.Module):
    """Instance norm whose scale and shift come from the style (Dumoulin et al. 2017, eq. 5).

    The statistics are taken in float32: squares overflow in half precision.
    """

    def forward(self, x: Tensor, style: ScaleShift) -> Tensor:
        """Normalises x (B, C, H, W) over each plane, then scales and shifts it."""
        scale, shift = style
        normal = F.instance_norm(x.float(), eps=NORM_EPSILON).to(x.dtype)
        return torch.addcmul(shift, normal, scale)


class ResidualBlock(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))), with no activation after the sum (Johnson et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, bias=False)
        self.norm = ConditionalNorm()

    def forward(self, x: Tensor, first: ScaleShift, second: ScaleShift) -> Tensor:
        """Adds what the block paints to x (B, C, H, W)."""
        y = F.relu(self.norm(self.first(_reflect(x)), first))
        painted: Tensor = self.norm(self.second(_reflect(y)), second)
        return x + painted


class TransformNet(nn.Module):
    """Paints pictures, each in the style of its row of `affine`.

    With `trainable` the blurred and resized kernels are computed from the smaller ones that are trained;
    `fold` makes them constants. Without it the network holds the folded weights of
    `NetworkConfig.weight_shapes` only, as they are shipped.
    """

    def __init__(self, config: NetworkConfig, *, trainable: bool = False) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Conv2d(12, config.stem, 3, bias=False)
        self.down = nn.Conv2d(config.stem, config.body, 4, stride=2, bias=False)
        self.blocks = nn.ModuleList(ResidualBlock(config.body) for _ in range(config.blocks))
        self.up = nn.Conv2d(config.body, 4 * config.stem, 2, bias=False)
        self.head = nn.Conv2d(config.stem, 12, 2)
        self.norm = ConditionalNorm()
        if trainable:
            _parametrise(self.stem, StemFold((1, 2, 1)), 3, 4)
            _parametrise(self.down, BlurFold((1, 1)), config.stem, 3)
            _parametrise(self.up, ResizeFold(), config.body, 3)
            _parametrise(self.head, ResizeFold(), config.stem, 3)

    def fold(self) -> "TransformNet":
        """Turns the computed kernels into constants, in place; the output does not change."""
        for conv in (self.stem, self.down, self.up, self.head):
            if parametrize.is_parametrized(conv):
                parametrize.remove_parametrizations(conv, "weight", leave_parametrized=True)
        return self

    def forward(self, x: Tensor, affine: Tensor) -> Tensor:
        """Paints x (B, 3, H, W), RGB in [0, 1], in the styles `affine` (B, affine_length).

        The sides are padded as `Padding` says; the result is smaller by that padding, or by up to 3 pixels
        less, which lie at its far ends.
        """
        styles = self._styles(affine.to(x.dtype))
        x = F.relu(self.norm(self.stem(F.pixel_unshuffle(x, 2)), next(styles)))
        x = F.relu(self.norm(self.down(x), next(styles)))
        for block in self.blocks:
            x = block(x, next(styles), next(styles))
        x = F.relu(self.norm(F.pixel_shuffle(self.up(x), 2), next(styles)))
        return torch.sigmoid(F.pixel_shuffle(self.head(x), 2))

    def _styles(self, affine: Tensor) -> Iterator[ScaleShift]:
        lengths = [c for channels in self.config.norms for c in (channels, channels)]
        slices = iter(torch.split(affine[:, :, None, None], lengths, dim=1))
        return zip(slices, slices, strict=True)


class FrameNet(nn.Module):
    """A transform network between uint8 frames: pads, scales, paints, rounds and crops."""

    def __init__(self, net: TransformNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, frame: Tensor, affine: Tensor) -> Tensor:
        """Paints frame (H, W, 3), RGB uint8, in the style `affine` (affine_length,); same shape and type."""
        height, width, _ = frame.shape
        x = pad_to_fit(frame.to(affine.dtype).permute(2, 0, 1)[None] / 255)
        y = self.net(x, affine[None])[0, :, :height, :width]
        painted: Tensor = (y * 255).round().to(torch.uint8)
        return painted.permute(1, 2, 0)


def pad_to_fit(x: Tensor) -> Tensor:
    """Pads x (B, C, H, W) by reflection so that the network gives at least H x W pixels back."""
    rows, columns = Padding.of(x.shape[-2]), Padding.of(x.shape[-1])
    return F.pad(x, (columns.before, columns.after, rows.before, rows.after), mode="reflect")


def _reflect(x: Tensor) -> Tensor:
    return F.pad(x, (1, 1, 1, 1), mode="reflect")


def _parametrise(conv: nn.Conv2d, fold: nn.Module, in_channels: int, size: int) -> None:
    """Makes `fold` compute the weight of `conv` from a smaller kernel, initialised as PyTorch would."""
    groups = 4 if isinstance(fold, ResizeFold) else 1
    kernel = nn.Conv2d(in_channels, conv.out_channels // groups, size).weight
    conv.weight = nn.Parameter(kernel.detach())
    parametrize.register_parametrization(conv, "weight", fold, unsafe=True)
