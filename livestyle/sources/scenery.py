"""Sky, clouds, hills and a ball: the background of the pattern camera."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from livestyle.frame import Image

_ZENITH, _HORIZON = (58, 110, 190), (250, 205, 160)
_HILLS = (((96, 128, 150), 0.60, 9.0), ((70, 110, 80), 0.70, 21.0), ((48, 74, 46), 0.80, 48.0))
"""Colour, height of the crest and speed of each range, in shares of the height; pixels of 480 a second."""
_CLOUD_SPEED = 14.0
_BALL = (226, 62, 48)


class Scenery:
    """Pictures of `size` (width, height) in which everything drifts; `seed` shapes clouds and hills.

    Clouds and hills are drawn once, on strips that repeat, so that a frame costs little more than copying.
    """

    def __init__(self, size: tuple[int, int], seed: int = 0) -> None:
        self._width, self._height = size
        random = np.random.default_rng(seed)
        self._sky = _sky(size, random)
        self._ranges = [_range(size, random, colour, crest) for colour, crest, _ in _HILLS]

    def at(self, seconds: float) -> Image:
        """The scenery at that time, a new array."""
        image = self._window(self._sky, _CLOUD_SPEED * seconds).copy()
        for (strip, mask), (_, _, speed) in zip(self._ranges, _HILLS, strict=True):
            top = self._height - strip.shape[0]
            cv2.copyTo(self._window(strip, speed * seconds), self._window(mask, speed * seconds), image[top:])
        self._throw_ball(image, seconds)
        return image

    def _window(self, strip: Image, pixels_of_480: float) -> Image:
        left = int(pixels_of_480 * self._height / 480) % self._width
        return strip[:, left : left + self._width]

    def _throw_ball(self, image: Image, seconds: float) -> None:
        radius = self._height / 14
        x = self._width * (0.5 + 0.44 * math.sin(0.9 * seconds))
        y = self._height * (0.86 - 0.62 * abs(math.sin(2.3 * seconds)))
        disc(image, (x, y), radius, _BALL)
        disc(image, (x - radius / 3, y - radius / 3), radius / 3, (255, 190, 170))


def disc(
    image: Image, centre: tuple[float, float], radius: float, colour: tuple[int, int, int], squash: float = 1
) -> None:
    """Draw a filled ellipse at a place between pixels; `squash` is its height by its width."""
    at = round(centre[0] * 16), round(centre[1] * 16)
    axes = max(1, round(radius * 16)), max(1, round(radius * squash * 16))
    cv2.ellipse(image, at, axes, 0, 0, 360, colour, -1, cv2.LINE_AA, shift=4)


def _sky(size: tuple[int, int], random: np.random.Generator) -> Image:
    down = np.linspace(0, 1, size[1])[:, None, None]
    sky = (1 - down) * np.array(_ZENITH) + down * np.array(_HORIZON)
    clouds = np.clip(_clouds(size, random) * 2.6 - 1.1, 0, 1)[..., None] * (1 - 0.6 * down)
    sky = sky + clouds * (np.array([255.0, 250.0, 240.0]) - sky)
    return _twice(sky)


def _clouds(size: tuple[int, int], random: np.random.Generator) -> NDArray[np.float64]:
    """Values from 0 to 1, rough at every scale, that go on from the right edge to the left one."""
    width, height = size
    total = np.zeros((height, width))
    for octave in range(2, 8):
        cells = 2**octave
        grid = random.random((cells, cells))
        wrapped = cv2.copyMakeBorder(grid, 2, 2, 2, 2, cv2.BORDER_WRAP)
        scale = np.array([[cells / width, 0, 1.5], [0, cells / height, 1.5]])
        total += (
            cv2.warpAffine(wrapped, scale, (width, height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
            / 2**octave
        )
    low, high = total.min(), total.max()
    return np.asarray((total - low) / (high - low))


def _range(
    size: tuple[int, int], random: np.random.Generator, colour: tuple[int, int, int], crest: float
) -> tuple[Image, Image]:
    """One range of hills from its highest top down to the bottom, and where it covers what is behind it."""
    width, height = size
    across = 2 * math.pi * np.arange(width) / width
    skyline = np.full(width, crest * height)
    for waves in (1, 2, 3, 5, 8, 13, 21):
        skyline += 0.07 * height / waves * np.sin(waves * across + random.uniform(0, 2 * math.pi))
    top = max(0, math.floor(skyline.min()))
    down = np.arange(top, height)[:, None]
    depth = np.clip((down - skyline) / height, 0, 1)[..., None]
    grain = cv2.GaussianBlur(random.normal(0, 26, (height - top, width)), (0, 0), height / 300 + 0.3)
    light = np.array(colour) * (1.15 - 1.4 * depth) + np.asarray(grain, np.float64)[..., None]
    return _twice(light), _twice((down > skyline) * 255.0)


def _twice(strip: NDArray[np.floating[Any]]) -> Image:
    """The strip beside itself, so that every window into it is one slice."""
    return np.hstack([strip, strip]).clip(0, 255).astype(np.uint8)
