"""How close paintings come to photo and style, on photos that were not trained on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from livestyle.errors import SourceError
from livestyle.frame import Image
from train.evaluate import sintel_errors
from train.loss_network import CHOICES, LossNetwork
from train.losses import PerceptualLoss
from train.optimize import OptimizeConfig, optimize
from train.photos import read_photo, to_tensor
from train.pictures import StylePicture

Errors = dict[str, float]

_STYLE_SIDE = 512


@dataclass(frozen=True, slots=True)
class Judges:
    """What paintings are judged by."""

    photos: Sequence[Image]
    loss_network: str
    fast: LossNetwork
    """For many photos."""
    exact: LossNetwork | None = None
    """In float32, to count Gatys iterations on the first photo; None: they are not counted."""
    sintel: Path | None = None
    """Pairs of frames with their flow."""

    def judge(self, picture: StylePicture, paint: Callable[[Image], Image]) -> dict[str, Any]:
        """The errors of what paints in the style of a picture."""
        target, choice = [picture.load(_STYLE_SIDE)], CHOICES[self.loss_network]
        row: dict[str, Any] = dict(errors(self.photos, paint, PerceptualLoss(self.fast, choice, target)))
        if self.exact is not None:  # L-BFGS needs exact gradients
            loss = PerceptualLoss(self.exact, choice, target)
            row["gatys_iterations"] = gatys_iterations(self.photos[0], paint(self.photos[0]), loss)
        if self.sintel is not None:
            row["sintel"] = sintel_errors(self.sintel, paint)
        return row


def check_pictures(pictures: Sequence[StylePicture]) -> None:
    """Raises SourceError where one cannot be read, before time is spent on the others."""
    for picture in pictures:
        picture.load(_STYLE_SIDE)


def photos_of(paths: Sequence[Path], side: int) -> list[Image]:
    """The middle square of each photo that can be read, of `side` pixels where the photo has as many.

    Raises SourceError where not one can be.
    """
    images = []
    for image in map(read_photo, paths):
        if image is not None:
            top, left = (max(0, (length - side) // 2) for length in image.shape[:2])
            images.append(image[top : top + side, left : left + side].copy())
    if not images:
        raise SourceError(f"not one of the {len(paths)} photos that judge can be read: replace {paths[0]}")
    return images


def errors(photos: Sequence[Image], paint: Callable[[Image], Image], loss: PerceptualLoss) -> Errors:
    """The mean content and style errors of the paintings, relative as in `train.losses`.

    Style is that of the first picture of `loss`.
    """
    sums = {"content": 0.0, "style": 0.0}
    for photo in photos:
        for term, value in _terms(to_tensor(paint(photo)), to_tensor(photo), loss).items():
            sums[term] += value / len(photos)
    return sums


def gatys_iterations(photo: Image, painted: Image, loss: PerceptualLoss, limit: int = 500) -> int:
    """The L-BFGS iterations after which optimising the pixels, from the photo on, is as good as the painting.

    Johnson et al. 2016, section 4.1. For the first style of `loss`; `limit` where it takes more than that.
    """
    config = OptimizeConfig(steps=limit)
    terms = _terms(to_tensor(painted), to_tensor(photo), loss)
    reached = sum(config.weights[term] * value for term, value in terms.items())

    def stop(step: int, values: Errors) -> None:
        if values["total"] <= reached:
            raise _AsGood(step)

    try:
        optimize(to_tensor(photo), loss, config, stop)
    except _AsGood as found:
        return found.step
    return limit


class _AsGood(Exception):  # noqa: N818 - not an error
    """Ends an optimisation."""

    def __init__(self, step: int) -> None:
        super().__init__(step)
        self.step = step


def _terms(painted: Tensor, photo: Tensor, loss: PerceptualLoss) -> Errors:
    with torch.no_grad():
        terms = loss(painted[None], photo[None], torch.tensor([0]))
    return {name: value.item() for name, value in terms.items()}
