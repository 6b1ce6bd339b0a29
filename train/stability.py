"""Steadiness learnt from photos alone: the same photo moved, re-exposed and noisy must be painted the same.

The loss is the luminance-relaxed temporal loss of Gao et al. 2018 ("ReCoNet: Real-time Coherent Video Style
Transfer Network", eq. 4) with an L1 norm as in Wang et al. 2020 ("Consistent Video Style Transfer via
Relaxation and Regularization"), on made-up motion instead of video.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

_LUMA = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A second, moved, exposure of photos (B, 3, H, W), and what became of the first in it."""

    second: Tensor
    """The second exposure, RGB in [0, 1], (B, 3, H, W)."""
    brightening: Tensor
    """How much brighter each pixel of it is for its exposure alone, (B, 1, H, W)."""
    places: Tensor
    """Where in the first each pixel comes from, (B, H, W, 2), in [-1, 1] as `F.grid_sample` takes it."""
    valid: Tensor
    """Whether that lies inside of the first, (B, 1, H, W)."""

    def map(self, function: Callable[[Tensor], Tensor]) -> "Pair":
        """The pair with each of its tensors put through a function."""
        return Pair(*(function(getattr(self, field.name)) for field in fields(self)))


def make_pair(photos: Tensor, random: Generator) -> Pair:
    """Moves photos (B, 3, H, W), changes their exposure and adds noise; `random` is on the photos' device."""
    places = _places(photos, random)
    moved = F.grid_sample(photos, places, mode="bilinear", padding_mode="border", align_corners=False)
    valid = (places.abs() <= 1).all(3)[:, None]
    batch = len(photos)
    gain, gamma = _uniform(0.92, 1.08, batch, random), _uniform(0.95, 1.05, batch, random)
    exposed = (gain * moved.clamp_min(1e-4) ** gamma).clamp(0, 1)
    noisy = (exposed + _noise(photos, random)).clamp(0, 1)
    luma = photos.new_tensor(_LUMA)[:, None, None]
    return Pair(noisy, ((exposed - moved) * luma).sum(1, keepdim=True), places, valid)


def stability_loss(first: Tensor, second: Tensor, pair: Pair, importance: Tensor | None = None) -> Tensor:
    """How far the painting of the second exposure is from that of the first, moved: mean absolute error.

    `importance` (B,) is how much each photo counts, 1 if it is not given. The first is moved by whole pixels
    (nearest neighbour): interpolation would reward a blurred painting.
    """
    moved = F.grid_sample(first, pair.places, mode="nearest", padding_mode="border", align_corners=False)
    error = (second - moved - pair.brightening).abs() * pair.valid
    counted = first.shape[1] * pair.valid.sum((1, 2, 3)).clamp_min(1)
    errors = error.sum((1, 2, 3)) / counted
    return (errors if importance is None else errors * importance).mean()


def _places(photos: Tensor, random: Generator) -> Tensor:
    """A fifth of the photos stay, two fifths move as a whole, two fifths bend smoothly."""
    batch, _, height, width = photos.shape
    identity = torch.eye(2, 3, device=photos.device).expand(batch, 2, 3)
    still = F.affine_grid(identity, [batch, 1, height, width], align_corners=False)
    unit = photos.new_tensor([2 / width, 2 / height])
    kind = torch.rand(batch, 1, 1, 1, generator=random, device=random.device)
    moved = torch.where(kind < 0.6, _global_motion(still, unit, random), still + _bend(photos, random) * unit)
    return torch.where(kind < 0.2, still, moved)


def _global_motion(still: Tensor, unit: Tensor, random: Generator) -> Tensor:
    """Shifts by up to 10 pixels: whole ones for half of the photos, with a turn and a zoom for the others."""
    batch = len(still)
    shift = torch.empty(batch, 1, 1, 2, device=random.device).uniform_(-10, 10, generator=random)
    angle, scale = _uniform(-3, 3, batch, random).deg2rad(), _uniform(0.97, 1.03, batch, random)
    pixels = still / unit
    cos, sin = scale * angle.cos(), scale * angle.sin()
    x, y = pixels[..., :1], pixels[..., 1:]
    turned = torch.cat([cos * x - sin * y, sin * x + cos * y], dim=3)
    whole = torch.rand(batch, 1, 1, 1, generator=random, device=random.device) < 0.5
    return torch.where(whole, pixels + shift.round(), turned + shift) * unit


def _bend(photos: Tensor, random: Generator) -> Tensor:
    """A smooth motion in pixels, (B, H, W, 2): normal with a deviation of 8 at the nodes of a 3x3 grid."""
    nodes = 8 * torch.randn(len(photos), 2, 3, 3, generator=random, device=random.device)
    size = (photos.shape[2], photos.shape[3])
    return F.interpolate(nodes, size, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)


def _noise(photos: Tensor, random: Generator) -> Tensor:
    """Normal noise with a deviation of up to 0.03, for half of the photos blurred as a codec leaves it."""
    batch = len(photos)
    noise = torch.randn(photos.shape, generator=random, device=random.device) * _uniform(
        0, 0.03, batch, random
    )
    blurred = 1.5 * F.avg_pool2d(noise, 3, stride=1, padding=1)
    return torch.where(
        torch.rand(batch, 1, 1, 1, generator=random, device=random.device) < 0.5, noise, blurred
    )


def _uniform(low: float, high: float, batch: int, random: Generator) -> Tensor:
    return torch.empty(batch, 1, 1, 1, device=random.device).uniform_(low, high, generator=random)
