"""Grids of painted photos, to be looked at: a low loss is not yet a good style."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad

from livestyle.errors import SinkError, reason_of
from livestyle.sinks.picture import write_picture
from train.photos import read_photo, to_image, to_tensor

_SIDE = 288


def write_samples(
    path: Path,
    paint: Callable[[Tensor, Tensor], Tensor],
    photos: list[Path],
    styles: list[str],
    rows: int = 4,
) -> None:
    """Writes a PNG with a photo in each row: first as it is, then in every style, by number.

    Where a photo is narrower than the widest one, the rest of its cells is white. Raises SinkError.
    """
    grid = []
    for photo in photos[:: max(1, len(photos) // rows)][:rows]:
        image = read_photo(photo)
        if image is None:
            continue
        top, left = (image.shape[0] - _SIDE) // 2, (image.shape[1] - _SIDE) // 2
        x = to_tensor(image[max(top, 0) :, max(left, 0) :][:_SIDE, :_SIDE])[None]
        grid.append([x[0], *(paint(x, torch.tensor([style]))[0] for style in range(len(styles)))])
    if not grid:  # nothing to look at is no reason to stop
        return
    width = max(cells[0].shape[2] for cells in grid)
    lines = [torch.cat([pad(x, (0, width - x.shape[2]), value=1.0) for x in cells], dim=2) for cells in grid]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"cannot make the folder {path.parent}: {reason_of(error)}; make room") from error
    write_picture(path, to_image(torch.cat(lines, dim=1)))
