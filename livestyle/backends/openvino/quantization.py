"""The network in 8-bit integers: which layers, and from where to where their inputs reach.

Every input of a convolution but the first is the output of norms, so its range needs no pictures to
calibrate on: the rows of the shipped styles tell it. A channel of scale s and shift t lies within t ± k|s|,
for k standard deviations; a blend of styles within the widest of its styles. A style of the user's own is
clipped where it reaches farther: it must not make the levels of all others coarser.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livestyle.weights import Weights

_Range = tuple[NDArray[np.float32], NDArray[np.float32]]

_IN_FLOAT = ("down", "up")
"""These stay in floating point: the input of the one has tails too long for 8 bits, and the other, nearest to
the painting, would save less time than it costs of the picture (benchmarks/NOTES.md)."""
_SIGMAS = 14.0
"""How far the output of a norm is followed, in standard deviations: fewer clip, more are coarse.

A grey road with a few white lines on it reaches that far (benchmarks/NOTES.md).
"""
_STREAM_SIGMAS = 9.0
"""The same for the sum of several norms, whose tails are shorter."""
_NARROWEST = 0.02
"""The narrowest range of a channel next to the widest of its layer: a channel without scale has none."""


class Int8:
    """How the weights of one network and the inputs of its layers become 8-bit integers.

    Without `saturates` kernels have 8 bits; with it 7, for processors that add two products in 16 bits.
    """

    def __init__(self, weights: Weights, *, saturates: bool) -> None:
        self._largest = 63 if saturates else 127
        self._ranges = _ranges(weights)
        self.layers = frozenset(self._ranges)
        """The convolutions that run in 8 bits, by name."""

    def range_of(self, layer: str) -> _Range:
        """The lowest of the 256 levels of a layer's input, and the step between two, both (1, C, 1, 1)."""
        return self._ranges[layer]

    def kernel(
        self, kernel: NDArray[np.float32], sub_pixels: int = 1
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A folded kernel (outputs, in, height, width) as whole numbers of 8 bits, and each output's scale.

        Of so many `sub_pixels`, which follow one another, each has the same weight for an even input. Rounded
        one by one they would have not, and an even sky would show a grid: they share one scale, and one sum.
        """
        grouped = kernel.reshape(-1, sub_pixels, *kernel.shape[1:])
        scale = np.abs(grouped).max(axis=(1, 2, 3, 4), keepdims=True) / np.float32(self._largest)
        codes = _rounded_to_one_sum(grouped / scale)
        scales = np.broadcast_to(scale, (*grouped.shape[:2], 1, 1, 1))
        return codes.reshape(kernel.shape), scales.reshape(-1, 1, 1, 1)


def _rounded_to_one_sum(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """(outputs, sub-pixels, in, height, width) rounded so that all sub-pixels' taps add up to the same.

    The taps that are nearest to the next whole number are rounded up, as many as the sum needs.
    """
    if kernel.shape[1] == 1:
        return np.round(kernel)
    taps = kernel.reshape(*kernel.shape[:3], -1)
    below = np.floor(taps)
    wanted = np.round(taps.sum(axis=3).mean(axis=1, keepdims=True))
    missing = wanted - below.sum(axis=3)
    rank = np.argsort(np.argsort(below - taps, axis=3), axis=3)
    return np.asarray(below + (rank < missing[..., None]), np.float32).reshape(kernel.shape)


def _ranges(weights: Weights) -> dict[str, _Range]:
    scales, shifts = _tables(weights)
    channels = len(shifts)
    blocks = weights.config.blocks
    ranges = {"stem": (_plane(np.zeros(3)), _plane(np.ones(3)))}
    for block in range(blocks):
        ranges[f"blocks.{block}.second"] = _rectified(scales[2 + 2 * block], shifts[2 + 2 * block])
    ranges["head"] = _rectified(scales[channels - 1], shifts[channels - 1])
    # the residual stream: what comes out of the rectified norm 1, and norms added to it
    first, added = 1, list(range(3, channels - 1, 2))
    readers = [f"blocks.{block}.first" for block in range(blocks)] + ["up"]
    for count, reader in enumerate(readers):
        mean = np.sum([np.zeros_like(shifts[first]), *(shifts[i] for i in added[:count])], axis=0)
        variance = np.sum([np.zeros_like(mean), *(np.square(scales[i]) for i in added[:count])], axis=0)
        reach = np.square(_STREAM_SIGMAS) * variance
        lowest = mean - np.sqrt(reach)
        highest = mean + np.maximum(shifts[first], 0) + np.sqrt(reach + np.square(_SIGMAS * scales[first]))
        ranges[reader] = _steps(lowest.min(axis=0), highest.max(axis=0))
    return {name: value for name, value in ranges.items() if name not in _IN_FLOAT}


def _tables(weights: Weights) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """The scales and the shifts of each norm, (shipped styles, channels)."""
    rows = np.stack([style.row for style in weights.styles.values() if not style.own])
    ends = np.cumsum([c for channels in weights.config.norms for c in (channels, channels)])
    parts = np.split(rows, ends[:-1], axis=1)
    return parts[0::2], parts[1::2]


def _rectified(scales: NDArray[np.float32], shifts: NDArray[np.float32]) -> _Range:
    highest = (shifts + _SIGMAS * np.abs(scales)).max(axis=0)
    return _steps(np.zeros_like(highest), highest)


def _steps(lowest: NDArray[np.float32], highest: NDArray[np.float32]) -> _Range:
    width = highest - lowest
    return _plane(lowest), _plane(np.maximum(width, _NARROWEST * width.max()) / 255)


def _plane(values: NDArray[Any]) -> NDArray[np.float32]:
    return values.astype(np.float32).reshape(1, -1, 1, 1)
