"""README's picture: frames of the sample clip beside their paintings."""

from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.clips import SAMPLE
from livestyle.engine import load_engine
from livestyle.frame import Image
from livestyle.sinks.picture import write_picture
from livestyle.sources import open_source
from livestyle.styles import StyleMix
from livestyle.weights import load_weights

MOMENTS = (1.0, 5.5)
"""Seconds of the sample clip that are shown."""

_GAP = 6


def draw(path: Path, styles: tuple[str, ...] = ("mosaic", "starry_night", "great_wave")) -> None:
    """Writes a picture with a row for each moment: the frame, then the frame in each style."""
    weights = load_weights("small")
    engine = load_engine(weights)
    rows = []
    for image in map(_frame_at, MOMENTS):
        painted = [engine.stylize(image, StyleMix.parse(style)) for style in styles]
        rows.append(_join([image, *painted], axis=1))
    write_picture(path, _join(rows, axis=0))


def _frame_at(seconds: float) -> Image:
    frames = (frame for frame in open_source(SAMPLE) if frame.pts >= seconds)
    return next(islice(frames, 1)).image


def _join(images: list[Image], axis: int) -> Image:
    """The images side by side (axis 1) or one above the other (axis 0), with white between them."""
    shape = list(images[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, 255, np.uint8)
    parts = [part for image in images for part in (image, gap)]
    return np.concatenate(parts[:-1], axis=axis)
