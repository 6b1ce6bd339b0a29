"""The cartoon for a mosaic: a sun, a swirling sky, a fish and a scalloped sea in flat colours.

Lengths are in stones: the picture is `STONES` of them wide, so that a band of width one becomes one row.
Colours are RGB.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from livestyle.frame import Image

Floats: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]
Colour: TypeAlias = tuple[int, int, int]

STONES = 40.0

NIGHT = (24, 26, 44)
ULTRAMARINE = (24, 44, 150)
COBALT = (36, 92, 190)
TURQUOISE = (24, 160, 176)
AQUA = (120, 206, 204)
CREAM = (244, 232, 204)
GOLD = (232, 176, 44)
OCHRE = (196, 126, 36)
TERRACOTTA = (192, 70, 40)
CRIMSON = (136, 30, 36)
GREEN = (58, 128, 74)
OLIVE = (138, 150, 52)

SKY = (ULTRAMARINE, COBALT, TURQUOISE, ULTRAMARINE, AQUA, COBALT)
SCALES = (
    (NIGHT, TURQUOISE, CREAM, ULTRAMARINE, GOLD),
    (NIGHT, GREEN, AQUA, TURQUOISE, CREAM),
    (NIGHT, COBALT, CREAM, TERRACOTTA, GOLD),
    (NIGHT, ULTRAMARINE, TURQUOISE, OLIVE, CREAM),
)
SWIRLS = (
    (8.5, 10.0, 8.5, 1, (ULTRAMARINE, CREAM, TURQUOISE)),
    (36.5, 24.5, 5.5, -1, (GREEN, AQUA, ULTRAMARINE)),
    (20.0, 0.0, 5.5, -1, (TERRACOTTA, GOLD, COBALT)),
)


def bands(level: Floats, colours: tuple[Colour, ...]) -> Image:
    """Colour the (H, W) level field by its whole part, taking the colours in turn."""
    palette = np.array(colours, np.uint8)
    return palette[np.floor(level).astype(np.int64) % len(colours)]


def paint(canvas: Image, where: Mask, paint_in: Image | Colour) -> None:
    """Put a colour, or another (H, W, 3) picture, on the canvas where the mask holds."""
    source = np.broadcast_to(np.asarray(paint_in, np.uint8), canvas.shape)
    canvas[where] = source[where]


def draw_sky(canvas: Image, x: Floats, y: Floats) -> None:
    """Fill the canvas with wavering rings around the sun and lay spirals over them."""
    far = np.hypot(x - 27.5, y - 11.5) + 0.9 * np.sin(0.45 * x + 0.3 * y)
    paint(canvas, far >= 0, bands(far / 2.0, SKY))
    for centre_x, centre_y, radius, hand, colours in SWIRLS:
        dx, dy = x - centre_x, y - centre_y
        distance = np.hypot(dx, dy)
        turn = hand * np.arctan2(dy, dx) / (2 * np.pi) * len(colours)
        paint(canvas, distance < radius + 1.0, NIGHT)
        paint(canvas, distance < radius, bands(distance / 1.9 + turn, colours))
        paint(canvas, distance < 1.6, GOLD)


def draw_sun(canvas: Image, x: Floats, y: Floats) -> None:
    """Draw a rosette of sixteen leaf-shaped rays around a ringed disc."""
    dx, dy = x - 27.5, y - 11.5
    distance, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    paint(canvas, distance < 10.2, CRIMSON)
    for count, phase, reach, colour in ((8, 0.5, 9.8, OCHRE), (8, 0.0, 10.6, GOLD)):
        turn = angle * count / (2 * np.pi) + phase
        aside = np.abs(turn - np.rint(turn)) * 2 * np.pi / count * distance
        along = np.clip((distance - 3.5) / (reach - 3.5), 0, 1)
        width = 1.9 * np.sqrt(np.sin(np.pi * along**0.8).clip(0))
        paint(canvas, aside < width, colour)
        paint(canvas, aside < width - 1.1, CREAM if phase == 0.0 else TERRACOTTA)
    rings = ((5.2, NIGHT), (4.2, CREAM), (3.2, TERRACOTTA), (2.1, GOLD))
    for radius, ring in rings:
        paint(canvas, distance < radius, ring)


def draw_sea(canvas: Image, x: Floats, y: Floats) -> None:
    """Cover the lower part with overlapping scales of concentric bands, the nearest last."""
    radius = 5.6
    for rank in range(6):
        top = 25.0 + 3.4 * rank
        for place in range(-1, 6):
            centre_x = (place + 0.5 * (rank % 2)) * 1.6 * radius
            centre_y = top + radius + 1.2 * np.sin(0.16 * centre_x + 0.6)
            distance = np.hypot(x - centre_x, y - centre_y)
            inside = (distance < radius) | ((np.abs(x - centre_x) < radius) & (y > centre_y + 3))
            colours = SCALES[(place * 3 + rank * 2) % len(SCALES)]
            paint(canvas, inside, bands((radius - distance).clip(0) / 1.12, colours))


def draw_fish(canvas: Image, x: Floats, y: Floats) -> None:
    """Draw a striped fish that leaps out of the sea, bent along an arc."""
    dx, dy = x - 13.5, y - 33.5
    along = (np.arctan2(dx, -dy)) * 10.0
    across = np.hypot(dx, dy) - 10.0
    body = 3.1 * np.sqrt((1 - (along / 8.5) ** 2).clip(0))
    tail = np.where((along < -6.5) & (along > -11.0), (-along - 6.0) * 0.85, 0.0)
    half = np.maximum(body, tail)
    paint(canvas, np.abs(across) < half + 1.0 * (half > 0), NIGHT)
    stripes = bands((along + 0.35 * np.abs(across)) / 1.5, (TERRACOTTA, GOLD, CREAM, GOLD))
    paint(canvas, np.abs(across) < half, stripes)
    paint(canvas, (np.abs(across) < body) & (across < -1.1), CREAM)
    paint(canvas, (along > 4.2) & (np.abs(across) < body), OCHRE)
    eye = np.hypot(along - 5.6, across - 0.5)
    paint(canvas, eye < 1.3, CREAM)
    paint(canvas, eye < 0.6, NIGHT)


def draw_motif(size: int = 1024) -> Image:
    """Return the cartoon, RGB, shape (size, size, 3), drawn afresh at any size in pixels."""
    axis = ((np.arange(size) + 0.5) * STONES / size).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    canvas = np.zeros((size, size, 3), np.uint8)
    for draw in (draw_sky, draw_sun, draw_sea, draw_fish):
        draw(canvas, x, y)
    return canvas
