"""A picture rendered as a hand-laid mosaic of glass tesserae.

`train.masonry` says where the stones lie; here they are hewn, coloured, lit and set in grout. Lengths are in
pixels of the picture unless a name says otherwise.
"""

from inspect import signature
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from livestyle.cli.options import FiniteRange
from livestyle.errors import SourceError, reason_of
from livestyle.frame import Image
from livestyle.sinks import refuse_same_file
from livestyle.sinks.picture import check_target, write_picture
from train.masonry import Floats, Labels, cell_windows, edge_distance, lay_stones, smooth_noise
from train.motif import draw_motif

GROUT_SHARE = 0.11
"""Width of the joints between stones, in stones."""
GROUT_RGB = (38, 34, 36)
SUPERSAMPLE = 2
"""Pixels that are shaded for one pixel of the picture, along each side."""
LIGHT = np.array([-0.45, -0.60, 0.66], np.float32)
"""The way to the light: x to the right, y down, z towards the eye."""


def hewn_outline(cell: NDArray[np.bool_], grout: float, rng: np.random.Generator) -> Floats:
    """Return the (4, 2) corners x, y of a rough four-sided stone that fills the cell's mask."""
    ys, xs = np.nonzero(cell)
    hull = cv2.convexHull(np.stack([xs, ys], axis=1).astype(np.int32))
    if len(hull) < 4:
        return np.asarray(hull, np.float32).reshape(-1, 2)
    corners = np.asarray(cv2.approxPolyN(hull, 4), np.float32).reshape(-1, 2)
    side = np.sqrt(len(xs))
    shrink = max(side - grout, 1.0) / np.sqrt(max(cv2.contourArea(corners), 1.0))
    middle = np.array([xs.mean(), ys.mean()])
    rough = rng.normal(0.0, 0.03 * side, corners.shape)
    return np.asarray(middle + (corners - middle) * min(shrink, 1.0) + rough, np.float32)


def shape_stones(stones: Labels, stone: float, rng: np.random.Generator) -> Labels:
    """Return the stones' straight-sided faces at `SUPERSAMPLE` times the size, grout being -1."""
    grout = GROUT_SHARE * stone
    faces = np.full([SUPERSAMPLE * side for side in stones.shape], -1, np.int32)
    for label, window in enumerate(cell_windows(stones)):
        cell = stones[window] == label
        if cell.any():
            corners = hewn_outline(cell, grout, rng) + (window[1].start, window[0].start) + 0.5
            fixed = np.rint((corners * SUPERSAMPLE - 0.5) * 16).astype(np.int32)
            cv2.fillConvexPoly(faces, fixed, label, shift=4)
    inner = cv2.resize(edge_distance(stones), faces.shape[::-1], interpolation=cv2.INTER_LINEAR)
    own = cv2.resize(stones.astype(np.float32), faces.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where((inner > 0.4 * grout) & (own.astype(np.int32) == faces), faces, -1)


def stone_colours(picture: Image, stones: Labels, rng: np.random.Generator) -> Floats:
    """Return the (S, 3) RGB colour of each stone, 0 to 255: its cell's mean, varied in Lab."""
    count = np.maximum(np.bincount(stones.ravel()), 1)
    channels = picture.reshape(-1, 3).T.astype(np.float64)
    mean = np.stack([np.bincount(stones.ravel(), channel) / count for channel in channels], axis=1)
    lab = cv2.cvtColor((mean[None] / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    spread_of = np.where(rng.random((len(lab), 1)) < 0.12, 2.2, 1.0)
    lab += (rng.normal(0.0, 1.0, lab.shape) * (5.5, 4.5, 6.0) * spread_of).astype(np.float32)
    return np.asarray(cv2.cvtColor(lab[None], cv2.COLOR_LAB2RGB)[0] * 255, np.float32)


def light_faces(faces: Labels, stone: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the diffuse light, 1 on a level face, and the gloss, 0 to 1, as (H, W) each.

    Each face is a bevelled, slightly pillowed and tilted piece of glass (Blinn-Phong shading).
    """
    bevel = 0.13 * stone
    depth = cv2.distanceTransform((faces >= 0).astype(np.uint8), cv2.DIST_L2, 5)
    rise = 1.0 - (1.0 - np.minimum(depth / bevel, 1.0)) ** 2
    pillow = np.minimum(depth / (0.5 * stone), 1.0) * 0.5
    height = cv2.GaussianBlur(rise * bevel * 0.5 + pillow * 0.12 * stone, (0, 0), 0.05 * stone)
    height += 0.012 * stone * smooth_noise(faces.shape, 0.22 * stone, rng)
    tilt = rng.normal(0.0, 0.11, (faces.max() + 2, 2)).astype(np.float32)[faces]
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125) - tilt[..., 0]
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125) - tilt[..., 1]
    normal = np.stack([-slope_x, -slope_y, np.ones_like(slope_x)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = LIGHT / np.linalg.norm(LIGHT)
    halfway = light + np.array([0, 0, 1], np.float32)
    gloss = (normal @ (halfway / np.linalg.norm(halfway))).clip(0) ** 60
    return (normal @ light).clip(0) / light[2], gloss


def render(picture: Image, stone: float = 26.0, seed: int = 0) -> Image:
    """Return the picture, RGB, (H, W, 3), laid in tesserae about `stone` pixels wide.

    The same seed lays the same stones.
    """
    rng = np.random.default_rng(seed)
    stones = lay_stones(picture, stone, rng)
    faces = shape_stones(stones, stone, rng)
    diffuse, gloss = light_faces(faces, SUPERSAMPLE * stone, rng)
    colour = stone_colours(picture, stones, rng)[faces]
    glass = colour * (0.35 + 0.72 * diffuse[..., None].clip(0.2, 1.4)) + 150 * gloss[..., None]
    grain = 1.0 + 0.25 * smooth_noise(faces.shape, 0.06 * SUPERSAMPLE * stone, rng)
    mortar = np.array(GROUT_RGB, np.float32) * grain[..., None]
    fine = np.where(faces[..., None] >= 0, glass, mortar).astype(np.float32)
    coarse = cv2.resize(fine, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(np.rint(coarse.clip(0, 255)), np.uint8)


def load_picture(path: Path, size: int) -> Image:
    """Read a picture file as RGB, (H, W, 3), and scale its short side to `size` pixels.

    Raises SourceError where there is no picture that OpenCV can read.
    """
    # not cv2.imread: it prints a warning of its own for a missing file
    try:
        picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)
    except OSError as error:
        raise SourceError(f"cannot open the picture {path}: {reason_of(error)}") from error
    except cv2.error:  # an empty file, or more pixels than OpenCV takes
        picture = None
    if picture is None:
        raise SourceError(f"cannot read {path} as a picture: give a jpg, png or webp file")
    scale = size / min(picture.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way), np.uint8)


_RENDER = signature(render).parameters
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("picture", required=False, type=_PATH)
@click.option("-o", "--output", metavar="FILE", required=True, type=_PATH, help="Picture to write.")
@click.option(
    "--stone",
    metavar="PIXELS",
    type=FiniteRange(min=6, max=1000),
    default=_RENDER["stone"].default,
    show_default=True,
    help="Side of a stone.",
)
@click.option(
    "--size",
    metavar="PIXELS",
    type=click.IntRange(min=16, max=8192),
    default=signature(draw_motif).parameters["size"].default,
    show_default=True,
    help="Short side of the mosaic; PICTURE is scaled to it.",
)
@click.option(
    "--seed",
    metavar="NUMBER",
    type=click.IntRange(min=0),
    default=_RENDER["seed"].default,
    show_default=True,
    help="Seed of the random variation: the same number lays the same stones.",
)
@click.option("--overwrite", is_flag=True, help="Replace the output where it exists.")
def tesserae(picture: Path | None, output: Path, stone: float, size: int, seed: int, overwrite: bool) -> None:
    """Lay PICTURE, or a motif of our own if none is given, as a mosaic of glass tesserae."""
    if picture is not None:
        refuse_same_file(output, picture)
    check_target(output, overwrite=overwrite)
    source = draw_motif(size) if picture is None else load_picture(picture, size)
    write_picture(output, render(source, stone, seed), overwrite=overwrite)
    click.echo(output)
