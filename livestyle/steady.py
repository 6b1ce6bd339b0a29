"""Steady output: what stands still in the input stands still in the painting.

A network paints noise as strokes, so sensor noise that nobody sees in the input flickers in the painting.
Two steps around the network take that away, without optical flow, in time proportional to the pixels:

- a dead-band before it: a pixel is renewed only when it changed by more than the noise does;
- a motion-adaptive blend after it: where nothing moved, most of the last painting stays.

State is an argument and a result: the caller keeps it from frame to frame.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from livestyle.frame import Image, strips

Levels: TypeAlias = NDArray[np.uint8]
"""Levels of 255 for each pixel, (H, W)."""
Mask: TypeAlias = NDArray[np.bool_]
"""Yes or no for each pixel, (H, W)."""

_BAND = 10.0
"""Half-width of the dead-band in levels of 255, where the noise is no wider."""
_BAND_DEVIATIONS = 4.0
"""Half-width of the dead-band in standard deviations of the input's noise."""
_RENEWED = 0.025
"""The share of the painting that is new in each frame where nothing moves, at an amount of 1."""
_MOTION = (8.0, 30.0)
"""A change of the input, in levels, at which 1/e of the last painting stays: at an amount of 0, and of 1."""
_SPREAD: Any = 12.0  # a number, where OpenCV's types name arrays only
"""As much of its neighbours' motion, in levels, a pixel takes over that did not move itself: its strokes
change with theirs, but all at once they would flicker along every moving edge."""
_MUCH = 30
_TOGETHER = (14, 9)
"""What changed by more levels than `_MUCH` is a thing that moves, and what changed by more than the first of
these while its neighbours changed by more than the second, in the mean; less is noise, or compression's. A
thing that moves is all new, and once more in the next frame: the painting had strokes around it."""
_FEW: Any = 100
"""255 times the share of a pixel's neighbours that may move without its following them: no ragged edges."""
_LEAK_ROWS = 8
"""One row in this many takes up a third of what its pixels' dead-band holds back, each frame another."""
_STILL_SHARE, _MOVING_SHARE = 0.25, 0.5
"""Where more pixels move than the first share, the camera does: less is held; at the second, nothing."""
_STILL_TILES, _MOVING_TILES = 0.6, 0.75
"""The same for the tiles of the picture: even where little has texture, what has moves with the camera."""
_SLOW_FRAMES = 8
_STILL_SLOWLY, _MOVING_SLOWLY = 0.86, 0.94
"""The same over so many frames, in which a slow pan or zoom moves all tiles, and a person most of them."""
_TILES = (6, 8)
"""Rows and columns of tiles."""
_TEXTURED = 0.03
"""A tile with a smaller share of textured pixels than this tells nothing; where most do not, nobody knows."""
_CAMERA_LEVEL = 4
"""A pixel moves, for that, when it changes by more levels than this, and by more than the noise does."""
_CAMERA_MEMORY = 0.7
_NOISE_MEMORY = (0.9, 0.5)
"""How much the noise of a frame is as it was in the last one: where it rises, which a fade looks like, and
where it falls."""
_CUT_LEVEL, _CUT_SHARE = 24, 0.5
"""A scene cut: more than this share of the pixels changed by more than this level."""
_SAMPLE, _SAMPLES = 8, 40
"""Noise, cuts and the camera are judged by one pixel in this many, along each side, or by so many rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A frame as it is given to the network, and what the next one needs of it."""

    image: Image
    """The input with what is mere noise held back, (H, W, 3)."""
    motion: Levels | None
    """How much each pixel and its neighbours changed since the last frame, 0 within the band, 255 where a
    thing moves or did in the frame before; None to start anew."""
    moving: Levels | None
    """255 where a thing moves, else 0; None to start anew."""
    calm: float
    """How much the camera stands still, 0 to 1: what moves as a whole is not held back."""
    seen: tuple[Image, ...]
    """The input as it came, thinned out: up to `_SLOW_FRAMES` of the last frames, this one at the end."""
    noise: float
    """Standard deviation of the input's noise in levels of 255."""
    moving_tiles: float | None
    """The share of the picture's textured tiles that moved of late; None when nothing is known."""
    turn: int
    """Which rows leak next."""


def hold(image: Image, last: Held | None, amount: float) -> Held:
    """Before the network: the input (H, W, 3) with the pixels of the last one where it did not really change.

    `amount` is how wide the dead-band is, 0 (the input itself) to 1; `last` is what the last call gave, at
    first None. After a cut, or when the size changes, everything starts anew.
    """
    step = max(_SAMPLE, image.shape[0] // _SAMPLES)
    now = np.ascontiguousarray(image[:-1:step, :-1:step])
    if last is None or amount == 0 or last.image.shape != image.shape:
        return _as_it_is(image, (now,), 0.0, None)
    change = _change(now, last.seen[-1])
    if _is_cut(change):
        return _as_it_is(image, (now,), last.noise, None)
    seen = (*last.seen[1 - _SLOW_FRAMES :], now)
    texture = _texture(image, now, step)
    noise = _noise(now, last.seen[-1], texture)
    noise += (last.noise - noise) * _NOISE_MEMORY[int(noise < last.noise)]
    calm, tiles = _camera(change, texture, noise, last.moving_tiles)
    if len(last.seen) == _SLOW_FRAMES:
        calm = min(calm, _slow_camera(_change(now, last.seen[0]), texture, noise))
    if calm == 0:
        return _as_it_is(image, seen, noise, tiles)
    band = amount * calm * max(_BAND, _BAND_DEVIATIONS * noise)
    held, change = _banded(image, last, band)
    motion, moving = _motion(change, last.moving)
    return Held(held, motion, moving, calm, seen, noise, tiles, (last.turn + 1) % _LEAK_ROWS)


def _as_it_is(image: Image, seen: tuple[Image, ...], noise: float, moving_tiles: float | None) -> Held:
    """A frame of which nothing is held back."""
    return Held(image, None, None, 0.0, seen, noise, moving_tiles, 0)


def _banded(image: Image, last: Held, band: float) -> tuple[Image, Levels]:
    """The input held back where it changed by no more than `band` levels, and by how much else it changed."""
    held, change = np.empty_like(image), np.empty(image.shape[:2], np.uint8)
    for rows in strips(image):
        new, old = image[rows], last.image[rows]
        cv2.threshold(_change(new, old), band, 0, cv2.THRESH_TOZERO, dst=change[rows])
        held[rows] = old
        cv2.copyTo(new, change[rows], held[rows])
    leaking = held[last.turn :: _LEAK_ROWS]
    cv2.addWeighted(leaking, 2 / 3, image[last.turn :: _LEAK_ROWS], 1 / 3, 0, dst=leaking)
    return held, change


def _motion(change: Levels, moved: Levels | None) -> tuple[Levels, Levels]:
    """`Held.motion` and `Held.moving` by how much each pixel changed, and by what was moving before."""
    itself, nearby = _TOGETHER
    near, much = np.asarray(cv2.blur(change, (5, 5)), np.uint8), _above(change, _MUCH)
    moving = cv2.max(cv2.min(_above(change, itself), _above(near, nearby)), much)
    lately = moving if moved is None else cv2.max(moving, moved)
    things = cv2.max(cv2.subtract(cv2.blur(lately, (3, 3)), _FEW), much)
    motion = cv2.max(cv2.min(near, cv2.max(change, _SPREAD)), things)
    return np.asarray(motion, np.uint8), np.asarray(moving, np.uint8)


def settle(painted: Image, given: Held, shown: Image | None, amount: float) -> Image:
    """After the network: the painting of what was `given`, with what was shown last where nothing moved.

    `amount` is how much of that stays, 0 (the painting itself) to 1.
    """
    if given.motion is None or shown is None or amount == 0:
        return painted
    shares, settled = _shares(amount * given.calm), np.empty_like(painted)
    for rows in strips(painted):
        kept = cv2.cvtColor(cv2.LUT(given.motion[rows], shares), cv2.COLOR_GRAY2RGB)
        # 8-bit products take half the time of cv2.blendLinear; their rounding errors are one level at most
        old = cv2.multiply(shown[rows], kept, scale=1 / 255)
        new = cv2.multiply(painted[rows], cv2.bitwise_not(kept), scale=1 / 255)
        cv2.add(old, new, dst=settled[rows])
    return settled


def _shares(amount: float) -> Levels:
    """The share of the last painting that stays, 0 to 255, for each level of motion, (256,)."""
    narrow, wide = _MOTION
    level = np.arange(256) / (narrow + amount * (wide - narrow))
    stays = 1 - float(_RENEWED**amount)
    return np.rint(255 * stays * np.exp(-(level**2))).astype(np.uint8)


def _above(levels: Levels, level: float) -> Levels:
    """255 where they are above that level, else 0, (H, W)."""
    return np.asarray(cv2.threshold(levels, level, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _change(a: Image, b: Image) -> Levels:
    """The largest absolute difference over the channels, (H, W)."""
    red, green, blue = cv2.split(cv2.absdiff(a, b))
    return np.asarray(cv2.max(cv2.max(red, green, dst=red), blue, dst=red), np.uint8)


def _noise(a: Image, b: Image, texture: Levels) -> float:
    """Standard deviation of the noise in each of two frames, where they have the least texture.

    It is that of the noisiest channel: one by one, for they may be as one (a sensor's luma) or independent.
    Taken from the smallest quarter of the differences, to which motion is an outlier: a normal difference
    with a deviation of sqrt(2) is smaller than 0.45 with a probability of a quarter.
    """
    even = (texture <= _quantile(texture, 0.5)).view(np.uint8)
    change = np.asarray(cv2.absdiff(a, b), np.uint8)
    return max(_quantile(change, 0.25, channel, even) for channel in range(3)) / 0.45


def _quantile(levels: Levels | Image, share: float, channel: int = 0, mask: Levels | None = None) -> float:
    """What that share of the levels are smaller than: between the whole ones, to which they are rounded."""
    counts = cv2.calcHist([levels], [channel], mask, [256], [0, 256]).ravel()
    below = counts.cumsum()
    wanted = share * below[-1]
    level = int(np.searchsorted(below, wanted))
    into = 1 - (below[level] - wanted) / counts[level]
    return float(into / 2 if level == 0 else level - 0.5 + into)


def _texture(image: Image, seen: Image, step: int) -> Levels:
    """How much the pixels `seen`, one in `step`, differ from those to their right or below, (H, W)."""
    right, below = image[:-1:step, 1::step], image[1::step, :-1:step]
    differences = [_change(seen, np.ascontiguousarray(side)) for side in (right, below)]
    return np.asarray(cv2.max(*differences), np.uint8)


def _camera(change: Levels, texture: Levels, noise: float, moving_tiles: float | None) -> tuple[float, float]:
    """How much the camera stands still, 0 to 1, and the share of the tiles that moved of late."""
    moved, textured = _moved(change, texture, noise)
    tiles = _moving_tiles(moved, textured)
    if moving_tiles is not None:
        tiles = _CAMERA_MEMORY * moving_tiles + (1 - _CAMERA_MEMORY) * tiles
    by_pixel = _falling(float(moved.mean()), _STILL_SHARE, _MOVING_SHARE)
    return min(by_pixel, _falling(tiles, _STILL_TILES, _MOVING_TILES)), tiles


def _slow_camera(change: Levels, texture: Levels, noise: float) -> float:
    """How much the camera stands still, 0 to 1, by the change over `_SLOW_FRAMES`."""
    return _falling(_moving_tiles(*_moved(change, texture, noise)), _STILL_SLOWLY, _MOVING_SLOWLY)


def _moved(change: Levels, texture: Levels, noise: float) -> tuple[Mask, Mask]:
    """The pixels that moved, and those that would show it."""
    level = max(_CAMERA_LEVEL, _BAND_DEVIATIONS * noise)
    return change > level, texture > 2 * level


def _moving_tiles(moved: Mask, textured: Mask) -> float:
    """The share of the tiles with texture in which most of it moved; 0 where less than half have any.

    What has no texture does not change when the camera moves. A person moves some tiles, a camera all but
    those in the middle of a zoom; of a person before an even wall one could not tell.
    """
    told, moving = _by_tile(textured), _by_tile(moved & textured)
    tells = told >= _TEXTURED
    return float((2 * moving > told)[tells].mean()) if 2 * tells.sum() >= tells.size else 0.0


def _by_tile(mask: Mask) -> NDArray[np.float32]:
    """The share of a mask's pixels that are set in each tile."""
    rows, columns = _TILES
    return np.asarray(cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA))


def _falling(value: float, low: float, high: float) -> float:
    """1 up to `low`, 0 from `high` on, a line between."""
    return min(max((high - value) / (high - low), 0.0), 1.0)


def _is_cut(change: Levels) -> bool:
    return float((change > _CUT_LEVEL).mean()) > _CUT_SHARE
