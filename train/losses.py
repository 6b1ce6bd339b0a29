"""What a painted picture is judged by: content and style, as relative errors without a unit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from train.loss_network import Choice, Features, LossNetwork

Terms = dict[str, Tensor]
"""The terms of a loss by name, unweighted, each a scalar."""

Grams = dict[tuple[int, str], Tensor]
"""Gram matrices by (octave, layer), (B, C, C) each."""


@dataclass(frozen=True, slots=True)
class LossConfig:
    """How much each term counts, and by which network content and style are judged."""

    network: str = "vgg16"
    """A name in `train.loss_network.CHOICES`."""
    average_pooling: bool = False
    weights: dict[str, float] = field(
        default_factory=lambda: {"content": 1.0, "style": 10.0, "stability": 10.0, "tv": 0.0}
    )
    """How much each term counts in the sum that is trained."""
    stability_from: float = 0.5
    """The share of the steps after which stability begins to count; it counts fully a tenth of them later."""

    def total(self, terms: Terms, done: float = 1.0) -> Tensor:
        """The weighted sum of the terms, when that share of the steps is done."""
        ramp = {"stability": self.ramp(done)}
        return torch.stack([self.weights[n] * ramp.get(n, 1.0) * term for n, term in terms.items()]).sum()

    def ramp(self, done: float) -> float:
        """How much of its weight the stability term has, 0 to 1, when that share of the steps is done."""
        return min(max(10 * (done - self.stability_from), 0.0), 1.0)


def gram(features: Tensor) -> Tensor:
    """The Gram matrix of each picture's features (B, C, H, W), divided by H * W: (B, C, C).

    Gatys et al. 2015, eq. 3. In the type of the features: float32 would double the time of a step.
    """
    columns = features.permute(0, 2, 3, 1).flatten(1, 2)
    return columns.transpose(1, 2) @ (columns / columns.shape[1])


def relative_error(value: Tensor, target: Tensor) -> Tensor:
    """||value - target||^2 / ||target||^2 of each row of (B, ...), in float32: (B,)."""
    difference = (value.float() - target.float()).flatten(1).square().sum(1)
    return difference / target.float().flatten(1).square().sum(1).clamp_min(1e-12)


def total_variation(x: Tensor) -> Tensor:
    """The mean squared difference of neighbours in x (B, C, H, W) (Johnson et al. 2016, section 3.2)."""
    down, right = x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]
    return down.square().mean() + right.square().mean()


class PerceptualLoss:
    """Johnson et al. 2016 with relative errors, and with style compared over octaves (Snelgrove 2017)."""

    def __init__(self, network: LossNetwork, choice: Choice, styles: Sequence[Tensor]) -> None:
        """Takes the Gram matrices of the style pictures, (3, H, W) each, RGB in [0, 1], of any sizes."""
        self._network = network
        self._choice = choice
        with torch.no_grad():
            rows = [self._grams(self._pyramid(style[None])) for style in styles]
        self._targets: Grams = {key: torch.cat([row[key] for row in rows]) for key in rows[0]}

    def __call__(self, painted: Tensor, photos: Tensor, styles: Tensor) -> Terms:
        """Content and style errors of painted (B, 3, H, W) against its photos and styles (B,), by number."""
        content = self._choice.content_layer
        pyramid = self._pyramid(painted, (content,))
        with torch.no_grad():
            target = self._network(photos, (content,))[content]
        return {
            "content": relative_error(pyramid[0][content], target).mean(),
            "style": self.style_errors(self._grams(pyramid), styles).mean(),
        }

    def style_errors(self, grams: Grams, styles: Tensor) -> Tensor:
        """The style error of each picture (B,), the weighted mean over layers and octaves."""
        layers = self._choice.style_layers
        total = self._choice.octaves * sum(layers.values())
        errors = [
            layers[layer] / total * relative_error(value, self._targets[octave, layer][styles])
            for (octave, layer), value in grams.items()
        ]
        return torch.stack(errors).sum(0)

    def _pyramid(self, x: Tensor, more: tuple[str, ...] = ()) -> list[Features]:
        """The features of x at each octave; at the first also those of the layers `more`."""
        features = [self._network(x, (*self._choice.style_layers, *more))]
        for _ in range(1, self._choice.octaves):
            x = F.avg_pool2d(x, 2)
            features.append(self._network(x, self._choice.style_layers))
        return features

    def _grams(self, pyramid: list[Features]) -> Grams:
        return {
            (octave, layer): gram(features[layer])
            for octave, features in enumerate(pyramid)
            for layer in self._choice.style_layers
        }
