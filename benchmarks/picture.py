"""README's pictures: frames of the sample clip beside their paintings."""

from contextlib import closing
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow

from benchmarks.clips import SAMPLE
from livestyle import defaults
from livestyle.engine import Engine, load_engine
from livestyle.frame import Image
from livestyle.painter import Painter
from livestyle.sources import open_source
from livestyle.styles import Style, StyleMix
from livestyle.timeline import Timeline
from livestyle.weights import load_weights

MOMENTS = (1.0, 5.5)
"""Seconds of the sample clip that the first picture shows."""
PORTRAIT = 5.0
"""The second of the sample clip that the gallery shows."""

_GAP = 6
_TILE = (480, 270)
_LABEL_HEIGHT = 26
_COLUMNS = 4
_QUALITY = 88
_FADE_TILE = (400, 225)
_FADE_EACH, _FADE_SECONDS = 1.4, 0.6
"""Seconds from one style to the next in the looping picture, and of each fade."""
_FADE_EVERY = 3
"""It shows one frame in so many."""


def draw(path: Path, styles: tuple[str, ...] = ("mosaic", "starry_night", "great_wave")) -> None:
    """Writes a picture with a row for each moment: the frame, then the frame in each style."""
    engine = load_engine(load_weights("small"))
    rows = []
    for image in map(_frame_at, MOMENTS):
        painted = [engine.stylize(image, StyleMix.parse(style)) for style in styles]
        rows.append(_join([_small(tile) for tile in (image, *painted)], axis=1))
    _write(path, _join(rows, axis=0))


def draw_gallery(path: Path, model: str = "small") -> None:
    """Writes a grid of one frame in every style, painted as `livestyle image` does, with artist and year."""
    weights = load_weights(model)
    engine, image = load_engine(weights), _frame_at(PORTRAIT)
    tiles = [_labelled(engine, image, style) for style in weights.styles.values()]
    while len(tiles) % _COLUMNS:
        tiles.append(np.full_like(tiles[0], 255))
    rows = [_join(tiles[i : i + _COLUMNS], axis=1) for i in range(0, len(tiles), _COLUMNS)]
    _write(path, _join(rows, axis=0))


def draw_fade(path: Path, styles: tuple[str, ...] = ("mosaic", "great_wave", "starry_night")) -> None:
    """Writes a short looping picture (WebP) of the sample clip that fades from style to style and back."""
    cues = [f"{style}@{_FADE_EACH * i}~{_FADE_SECONDS}" for i, style in enumerate((*styles, styles[0]))]
    timeline = Timeline.parse(",".join(cues))
    painter = Painter(load_engine(load_weights("small")), timeline.at(0))
    with closing(open_source(SAMPLE)) as source:
        painted = painter.follow(
            islice(source, round(_FADE_EACH * (len(styles) + 0.5) * source.fps)), 0.9, timeline.at
        )
        shown = [_small(frame.image, _FADE_TILE) for i, frame in enumerate(painted) if i % _FADE_EVERY == 0]
        milliseconds = round(1000 * _FADE_EVERY / source.fps)
    first, *others = (Pillow.fromarray(image) for image in shown)
    first.save(path, save_all=True, append_images=others, duration=milliseconds, loop=0, quality=60, method=4)


def _labelled(engine: Engine, image: Image, style: Style) -> Image:
    painted = _small(Painter(engine, StyleMix.parse(style.name), grain=defaults.GRAIN)(image))
    label = np.full((_LABEL_HEIGHT, painted.shape[1], 3), 255, np.uint8)
    text = f"{style.name}  ({style.artist}, {style.year})"
    cv2.putText(label, text, (2, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (30, 30, 30), 1, cv2.LINE_AA)
    return np.concatenate([painted, label])


def _frame_at(seconds: float) -> Image:
    frames = (frame for frame in open_source(SAMPLE) if frame.pts >= seconds)
    return next(islice(frames, 1)).image


def _small(image: Image, size: tuple[int, int] = _TILE) -> Image:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _join(images: list[Image], axis: int) -> Image:
    """The images side by side (axis 1) or one above the other (axis 0), with white between them."""
    shape = list(images[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, 255, np.uint8)
    parts = [part for image in images for part in (image, gap)]
    return np.concatenate(parts[:-1], axis=axis)


def _write(path: Path, image: Image) -> None:
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
