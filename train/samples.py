"""Grids of painted photos, to be looked at: a low loss is not yet a good style."""

from collections.abc import Callable
from pathlib import Path

import cv2
import torch
from torch import Tensor

from train.photos import read_photo, to_tensor

_SIDE = 288


def write_samples(
    path: Path,
    paint: Callable[[Tensor, Tensor], Tensor],
    photos: list[Path],
    styles: list[str],
    rows: int = 4,
) -> None:
    """Writes a PNG with a photo in each row: first as it is, then in every style, by number."""
    grid = []
    for photo in photos[:: max(1, len(photos) // rows)][:rows]:
        image = read_photo(photo)
        if image is None:
            continue
        top, left = (image.shape[0] - _SIDE) // 2, (image.shape[1] - _SIDE) // 2
        x = to_tensor(image[max(top, 0) :, max(left, 0) :][:_SIDE, :_SIDE])[None]
        painted = [paint(x, torch.tensor([style])) for style in range(len(styles))]
        grid.append(torch.cat([x, *painted], dim=3)[0])
    if not grid:  # nothing to look at is no reason to stop
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    width = min(row.shape[2] for row in grid)
    picture = (torch.cat([row[..., :width] for row in grid], dim=1) * 255).round().byte()
    cv2.imwrite(str(path), picture.permute(1, 2, 0).numpy()[..., ::-1])
