"""What the numbers of a video's pixels mean: matrix, primaries, transfer and range (ITU-T H.273)."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

BT709, FCC, BT470BG, SMPTE170M, SMPTE240M, BT2020 = 1, 4, 5, 6, 7, 9
"""Matrix coefficients; the first ones are primaries and transfers of the same name too."""
PQ, HLG = 16, 18
"""Transfers of high dynamic range: SMPTE ST 2084, ARIB STD-B67."""

_LUMA = {
    BT709: (0.2126, 0.0722),
    FCC: (0.30, 0.11),
    BT470BG: (0.299, 0.114),
    SMPTE170M: (0.299, 0.114),
    SMPTE240M: (0.212, 0.087),
    BT2020: (0.2627, 0.0593),
}
"""The shares of red and blue in luma, H.273 table 4."""


@dataclass(frozen=True, slots=True)
class Colors:
    """The tags of a video whose luma and chroma have a limited range."""

    matrix: int = BT709
    primaries: int = BT709
    transfer: int = BT709
    site: str = ""
    """Where the samples of 4:2:0 chroma are, as FFmpeg calls it; empty: at the left, as players take it."""

    @property
    def from_rgb(self) -> NDArray[np.float64]:
        """(3, 4): full-range RGB, and 1, to limited-range YCbCr in 8 bits."""
        return _from_rgb(self.matrix)


@cache
def _from_rgb(matrix: int) -> NDArray[np.float64]:
    red, blue = _LUMA[matrix]
    luma = np.array([red, 1 - red - blue, blue])
    rows = [
        219 / 255 * luma,
        112 / 255 / (1 - blue) * (np.array([0, 0, 1]) - luma),
        112 / 255 / (1 - red) * (np.array([1, 0, 0]) - luma),
    ]
    return np.column_stack([rows, [16, 128, 128]])


@cache
def to_rgb(matrix: int, full_range: bool) -> NDArray[np.float64]:
    """(3, 4): YCbCr of that matrix in 8 bits, and 1, to full-range RGB."""
    forward = _from_rgb(matrix).copy()
    if full_range:
        forward[:, :3] *= np.array([[255 / 219], [255 / 224], [255 / 224]])
        forward[0, 3] = 0
    back = np.linalg.inv(forward[:, :3])
    return np.column_stack([back, -back @ forward[:, 3]])


def knows(matrix: int) -> bool:
    """Whether the matrix is one of the usual ones, by which luma and chroma are told apart."""
    return matrix in _LUMA
