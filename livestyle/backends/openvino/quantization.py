"""The network in 8-bit integers: which layers, and from where to where their inputs reach.

Every input of a convolution but the first is the output of norms, so its range needs no pictures to
calibrate on: the rows of the styles tell it. A channel of scale s and shift t lies within t ± k|s|, for k
standard deviations; a blend of styles within the widest of its styles.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livestyle.weights import Weights

_Range = tuple[NDArray[np.float32], NDArray[np.float32]]

_IN_FLOAT = ("down", "blocks.0.first")
"""These stay in floating point: what comes straight from the picture has tails too long for 8 bits."""
_SIGMAS = 7.5
"""How far the output of a norm is followed, in standard deviations: fewer clip, more are coarse."""
_STREAM_SIGMAS = 5.5
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
        self, kernel: NDArray[np.float32], outputs: int
    ) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """A kernel as int8, and the scale of each of its outputs, which are its axis 0 or 1."""
        others = tuple(axis for axis in range(4) if axis != outputs)
        scale = np.abs(kernel).max(axis=others, keepdims=True) / np.float32(self._largest)
        return np.round(kernel / scale).astype(np.int8), scale


def _ranges(weights: Weights) -> dict[str, _Range]:
    scales, shifts = _tables(weights)
    channels = len(shifts)
    blocks = weights.config.blocks
    ranges = {"stem": (_plane(np.zeros(3)), _plane(np.ones(3)))}
    for block in range(blocks):
        ranges[f"blocks.{block}.second"] = _rectified(scales[2 + 2 * block], shifts[2 + 2 * block])
    ranges["head"] = _rectified(scales[channels - 1], shifts[channels - 1])
    # the residual stream: sums of norms, from the second one on
    summed = [1, *range(3, channels - 1, 2)]
    readers = [f"blocks.{block}.first" for block in range(blocks)] + ["up"]
    for count, reader in enumerate(readers, start=1):
        mean = np.sum([shifts[i] for i in summed[:count]], axis=0)
        deviation = np.sqrt(np.sum([np.square(scales[i]) for i in summed[:count]], axis=0))
        reach = _STREAM_SIGMAS * deviation
        ranges[reader] = _steps((mean - reach).min(axis=0), (mean + reach).max(axis=0))
    return {name: value for name, value in ranges.items() if name not in _IN_FLOAT}


def _tables(weights: Weights) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """The scales and the shifts of each norm, (styles, channels)."""
    rows = np.stack([style.row for style in weights.styles.values()])
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
