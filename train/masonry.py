"""Where the stones of a mosaic lie: a picture becomes regions, regions become rows, rows become stones.

The rows follow the contours of the shapes (opus vermiculatum). Laying rows along the level lines of the
distance to the contours is due to Di Blasi and Gallo, "Artificial mosaics" (The Visual Computer, 2005);
spreading the stones by centroidal Voronoi relaxation is due to Hausner, "Simulating decorative mosaics"
(SIGGRAPH 2001), here done inside each row rather than in the plane.

Labels are (H, W) arrays of whole numbers, one for each region, row or stone. Lengths are in pixels.
"""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from livestyle.frame import Image

Floats: TypeAlias = NDArray[np.float32]
Labels: TypeAlias = NDArray[np.int32]


def smooth_noise(shape: tuple[int, int], cell: float, rng: np.random.Generator) -> Floats:
    """Return (H, W) noise of unit variance at its nodes, which lie `cell` pixels apart."""
    nodes = (int(shape[0] / cell) + 3, int(shape[1] / cell) + 3)
    coarse = rng.standard_normal(nodes).astype(np.float32)
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def spread(points: Floats, spacing: float, most: int, farthest: bool = False) -> Floats:
    """Pick up to `most` of the (P, D) points, each at least `spacing` from the ones before it.

    The next point is the nearest one that is allowed, which walks along a row, or the farthest.
    """
    here = int(np.argmax(np.linalg.norm(points - points.mean(axis=0), axis=1)))
    picked = [here]
    gap = np.full(len(points), np.inf, np.float32)
    while len(picked) < most:
        step = np.linalg.norm(points - points[here], axis=1)
        gap = np.minimum(gap, step)
        if gap.max() < spacing:
            break
        here = int(gap.argmax() if farthest else np.where(gap >= spacing, step, np.inf).argmin())
        picked.append(here)
    return points[picked]


def nearest(points: Floats, centres: Floats, bias: Floats | None = None) -> Labels:
    """Return for each of the (P, D) points the index of its centre in the power diagram."""
    cost = (centres**2).sum(axis=1) - 2.0 * points @ centres.T
    return np.asarray((cost if bias is None else cost + bias).argmin(axis=1), np.int32)


def relax(points: Floats, centres: Floats, rounds: int = 8) -> Floats:
    """Move the (C, D) centres to the means of their cells, `rounds` times (Lloyd's method)."""
    for _ in range(rounds):
        cell = nearest(points, centres)
        count = np.bincount(cell, minlength=len(centres))[:, None]
        total = np.stack([np.bincount(cell, column, len(centres)) for column in points.T], axis=1)
        centres = np.where(count > 0, total / np.maximum(count, 1), centres).astype(np.float32)
    return centres


def flat_regions(picture: Image, stone: float, colours: int = 16) -> Labels:
    """Split the picture into (H, W) regions of like colour whose outlines are smooth."""
    window = 2 * max(1, round(stone / 8)) + 1
    smooth = cv2.medianBlur(picture, window)
    lab = np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB), np.float32)
    step = max(1, round(stone / 5))
    sample = lab[::step, ::step].reshape(-1, 3)
    centres = relax(sample, spread(sample, 12.0, colours, farthest=True))
    flat = nearest(lab.reshape(-1, 3), centres).reshape(lab.shape[:2])
    votes = [
        cv2.GaussianBlur((flat == colour).astype(np.float32), (0, 0), 0.3 * stone)
        for colour in range(len(centres))
    ]
    return np.asarray(np.argmax(votes, axis=0), np.int32)


def edge_distance(labels: Labels) -> Floats:
    """Return for each pixel of the (H, W) labels the distance to the nearest change of label.

    The picture's border is no edge: rows run out of it as if the mosaic went on.
    """
    edge = np.zeros(labels.shape, bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    distance = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(np.minimum(distance, max(labels.shape)), np.float32)


def border_distance(shape: tuple[int, int]) -> Floats:
    """Return for each pixel of an (H, W) picture the distance to the picture's border."""
    inside = np.pad(np.ones(shape, np.uint8), 1)
    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)


def local_thickness(distance: Floats, limit: float) -> Floats:
    """Return the diameter of the largest disc inside the shape that covers each pixel.

    Hildebrand and Ruegsegger, "A new method for the model-independent assessment of thickness"
    (1997); thicknesses above `limit` are all reported as about `limit`.
    """
    thickness = np.asarray(2.0 * np.minimum(distance, 1.0), np.float32)
    for radius in range(1, int(limit / 2) + 1):
        outside = (distance < radius).astype(np.uint8)
        thickness[cv2.distanceTransform(outside, cv2.DIST_L2, 5) < radius] = 2.0 * radius
    return thickness


def cell_windows(labels: Labels) -> list[tuple[slice, slice]]:
    """Return for each label the rows and columns of its bounding box, empty for a number not in use."""
    size = int(labels.max()) + 1
    low = np.full((2, size), max(labels.shape), np.int32)
    high = np.zeros((2, size), np.int32)
    for axis, place in enumerate(np.indices(labels.shape, np.int32)):
        np.minimum.at(low[axis], labels.ravel(), place.ravel())
        np.maximum.at(high[axis], labels.ravel(), place.ravel())
    return [
        (slice(top, bottom + 1), slice(left, right + 1))
        for (top, left), (bottom, right) in zip(low.T.tolist(), high.T.tolist(), strict=True)
    ]


def components(labels: Labels) -> Labels:
    """Number the connected pieces of the (H, W) labels from 0, in the order of the labels."""
    pieces = np.zeros(labels.shape, np.int32)
    found = 0
    for label, window in enumerate(cell_windows(labels)):
        mask = (labels[window] == label).astype(np.uint8)
        if mask.any():
            count, piece = cv2.connectedComponents(mask, connectivity=4)
            np.add(piece, found - 1, out=pieces[window], where=piece > 0)
            found += count - 1
    return pieces


def part_pieces(labels: Labels) -> Labels:
    """Give every connected piece of a label but the first a number of its own, after the largest in use."""
    pieces = components(labels)
    _, somewhere = np.unique(pieces, return_index=True)
    numbers = labels.ravel()[somewhere]
    again = np.ones(len(numbers), bool)
    again[np.unique(numbers, return_index=True)[1]] = False
    numbers[again] = labels.max() + 1 + np.arange(again.sum())
    return numbers[pieces]


def absorb_slivers(labels: Labels, radius: float) -> Labels:
    """Give every part too thin to hold a disc of `radius` to the nearest part that holds one."""
    core = edge_distance(labels) >= radius
    _, near = cv2.distanceTransformWithLabels(
        (~core).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owner = np.zeros(near.max() + 1, np.int32)
    owner[near[core]] = labels[core]
    return np.asarray(owner[near], np.int32)


def lay_rows(regions: Labels, stone: float, rng: np.random.Generator) -> Labels:
    """Divide the regions into rows about one stone wide that run parallel to their outlines.

    A shape up to four stones thick gets a whole number of rows, so that none is left half wide. A picture
    that is all one region has no outline but its own border.
    """
    plain = regions.min() == regions.max()
    distance = border_distance(regions.shape) if plain else edge_distance(regions)
    thickness = local_thickness(distance, 5.0 * stone)
    count = np.maximum(1, np.rint(thickness / stone))
    height = np.where(count <= 4, np.maximum(thickness, 1.0) / count, stone)
    wobble = 1.0 + 0.04 * smooth_noise(regions.shape, 4.0 * stone, rng)
    row = np.floor(distance * wobble / height)
    row = np.where(count <= 4, np.minimum(row, np.ceil(count / 2) - 1), row).astype(np.int32)
    return absorb_slivers(components(regions * (row.max() + 1) + row), 0.24 * stone)


def cut_stones(rows: Labels, stone: float, rng: np.random.Generator) -> Labels:
    """Cut the (H, W) rows across into stones of about equal length, each one connected.

    They are numbered from 0; a few numbers go unused.
    """
    inner = edge_distance(rows).ravel()
    order = np.argsort(rows, axis=None, kind="stable")
    stones = np.zeros(rows.size, np.int32)
    found = 0
    for pixels in np.split(order, np.flatnonzero(np.diff(rows.ravel()[order])) + 1):
        points = np.stack(np.divmod(pixels, rows.shape[1])[::-1], axis=1).astype(np.float32)
        middle = points[inner[pixels] >= 0.6 * np.quantile(inner[pixels], 0.95)]
        centres = relax(points[::5], spread(middle, 0.93 * stone, len(middle)))
        bias = rng.normal(0.0, 0.10 * stone**2, len(centres)).astype(np.float32)
        stones[pixels] = found + nearest(points, centres, bias)
        found += len(centres)
    return part_pieces(absorb_slivers(components(stones.reshape(rows.shape)), 0.2 * stone))


def lay_stones(picture: Image, stone: float, rng: np.random.Generator) -> Labels:
    """Return the (H, W) labels of stones, about `stone` pixels wide, that follow the picture's contours."""
    return cut_stones(lay_rows(flat_regions(picture, stone), stone, rng), stone, rng)
