"""Style transfer by optimising the pixels themselves: slow, and the measure of every faster way.

Gatys, Ecker and Bethge 2015, "A Neural Algorithm of Artistic Style", with the relative errors of
`train.losses` in the place of sums of squares.
"""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from train.losses import PerceptualLoss, Terms, total_variation
from train.metrics import OnStep


@dataclass(frozen=True, slots=True)
class OptimizeConfig:
    """How the pixels are sought."""

    steps: int = 300
    optimiser: Literal["lbfgs", "adam"] = "lbfgs"
    start: Literal["photo", "noise"] = "photo"
    learning_rate: float = 1.0
    """At the first step; for Adam about 0.02 is usual."""
    decay: float = 1.0
    """By what the learning rate is multiplied over the whole run, evenly."""
    weights: dict[str, float] = field(default_factory=lambda: {"content": 1.0, "style": 10.0, "tv": 0.0})
    seed: int = 0


def optimize(photo: Tensor, loss: PerceptualLoss, config: OptimizeConfig, on_step: OnStep) -> Tensor:
    """The picture (3, H, W) that paints `photo` (3, H, W), RGB in [0, 1], in the first style of `loss`.

    `on_step` hears the terms of the loss and their sum, `total`, after each step, counted from 1. The next
    step measures them, before it begins; after the last one they are measured once more.
    """
    x = _start(photo, config)[None].requires_grad_()
    optimiser = _optimiser(x, config)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, config.decay ** (1 / config.steps))
    target, style = photo[None], torch.zeros(1, dtype=torch.long, device=photo.device)
    last: dict[str, float] = {}

    def measure() -> Tensor:
        terms = _terms(x, target, style, loss, config)
        total = torch.stack([config.weights[name] * term for name, term in terms.items()]).sum()
        last.update({name: term.item() for name, term in terms.items()}, total=total.item())
        return total

    def closure() -> float:
        total = measure()
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return last["total"]

    for step in range(config.steps):
        optimiser.step(closure)
        if step:
            on_step(step, dict(last))
        schedule.step()
        with torch.no_grad():
            x.clamp_(0, 1)
    with torch.no_grad():
        measure()
    on_step(config.steps, dict(last))
    return x.detach()[0]


def _start(photo: Tensor, config: OptimizeConfig) -> Tensor:
    if config.start == "photo":
        return photo.clone()
    noise = torch.rand(photo.shape, generator=torch.Generator().manual_seed(config.seed))
    return noise.to(photo.device)


def _optimiser(x: Tensor, config: OptimizeConfig) -> torch.optim.Optimizer:
    if config.optimiser == "adam":
        return torch.optim.Adam([x], lr=config.learning_rate)
    return torch.optim.LBFGS([x], lr=config.learning_rate, max_iter=1, history_size=20)


def _terms(x: Tensor, photo: Tensor, style: Tensor, loss: PerceptualLoss, config: OptimizeConfig) -> Terms:
    terms = loss(x, photo, style)
    return terms | {"tv": total_variation(x)} if config.weights["tv"] else terms
