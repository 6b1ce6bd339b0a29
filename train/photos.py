"""Photos to train on: random crops from a folder, the same for the same seed and step."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from livestyle.errors import SourceError
from livestyle.frame import Image

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
_HELD_OUT_EVERY = 50


def find_photos(folder: Path) -> list[Path]:
    """All pictures under a folder, sorted. Raises SourceError where there is none."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise SourceError(f"no photos under {folder}: --photos takes a folder of jpg, png or webp pictures")
    return paths


def held_out(paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """Divides photos into those to train on and those (one in fifty) that only judge the result."""
    kept = paths[::_HELD_OUT_EVERY]
    return [path for path in paths if path not in set(kept)], kept


def read_rgb(path: Path) -> Image | None:
    """A picture as RGB, (H, W, 3), or None where it cannot be read."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    return None if image is None else np.asarray(image, np.uint8)


def to_tensor(image: Image) -> Tensor:
    """(H, W, 3) uint8 to (3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 255


def to_image(picture: Tensor) -> Image:
    """(3, H, W) in [0, 1] to (H, W, 3) uint8."""
    levels = (picture.detach().float().cpu().clamp(0, 1) * 255).round().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(1, 2, 0).numpy())


@dataclass(frozen=True)
class PhotoBatches(Dataset[tuple[Tensor, Tensor]]):
    """The batch of each step: crops (B, 3, side, side), uint8 RGB, and a style number for each, (B,).

    A step's batch depends on the seed and its number alone, so that a resumed run sees what it would have.
    """

    paths: list[Path]
    styles: int
    steps: int
    batch: int
    side: int
    seed: int

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """The batch of a step, counted from 0."""
        rng = np.random.default_rng([self.seed, step])
        crops = np.stack([self._crop(rng) for _ in range(self.batch)])
        return torch.from_numpy(crops.transpose(0, 3, 1, 2)), torch.from_numpy(
            rng.integers(self.styles, size=self.batch)
        )

    def _crop(self, rng: np.random.Generator) -> Image:
        """A random square of a random photo, 70 to 100 % of its short side, scaled and perhaps mirrored."""
        image = None
        while image is None:
            image = read_rgb(self.paths[rng.integers(len(self.paths))])
        height, width, _ = image.shape
        side = int(min(height, width) * rng.uniform(0.7, 1))
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        square = image[top : top + side, left : left + side]
        way = cv2.INTER_AREA if side > self.side else cv2.INTER_CUBIC
        scaled = np.asarray(cv2.resize(square, (self.side, self.side), interpolation=way), np.uint8)
        return scaled[:, ::-1] if rng.random() < 0.5 else scaled
