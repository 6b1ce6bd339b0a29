"""High dynamic range shown on an ordinary screen: PQ and HLG in BT.2020 become BT.709."""

import tempfile
from functools import cache
from pathlib import Path

import av
import av.filter
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from livestyle.colors import HLG
from livestyle.sources.filtering import Shape, filter_graph, shape_of

_NODES = 33
"""Of the table, along each side."""
_WHITE_NITS = 203.0
"""Of the screen: diffuse white, ITU-R BT.2408."""
_PEAK_NITS = 1000.0
"""Of the video: what nearly all of it is mastered for."""
_TO_BT709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
"""Linear BT.2020 to BT.709, ITU-R BT.2407-0, section 2."""
_SCREEN_GAMMA = 2.4

_Values = NDArray[np.float64]


class ToneMapper:
    """Turns frames of high dynamic range into frames of RGB, by a table looked up in three dimensions."""

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._shape: Shape | None = None

    def __call__(self, frame: VideoFrame, full_range: bool) -> VideoFrame:
        """The frame in rgb24."""
        shape = shape_of(frame)
        if self._graph is None or shape != self._shape:
            self._graph, self._shape = _graph(frame, full_range), shape
        self._graph.vpush(frame)
        return self._graph.vpull()


def mapped(code: _Values, transfer: int) -> _Values:
    """SDR codes, (..., 3) in 0 to 1, of RGB codes of BT.2020 with the transfer PQ or HLG.

    The highlights are rolled off by the curve of ITU-R BT.2390-8, section 5.4.1, on the largest channel,
    so that hues stay.
    """
    nits = _from_hlg(code) if transfer == HLG else _from_pq(code)
    brightest = np.maximum(nits.max(axis=-1, keepdims=True), 1e-6)
    shown = nits * (_from_pq(_rolled_off(_to_pq(brightest))) / brightest) / _WHITE_NITS
    return np.asarray(np.clip(shown @ _TO_BT709.T, 0, 1) ** (1 / _SCREEN_GAMMA))


def _rolled_off(code: _Values) -> _Values:
    peak = _to_pq(np.array(_PEAK_NITS))
    top = float(_to_pq(np.array(_WHITE_NITS)) / peak)
    knee = 1.5 * top - 0.5
    share = np.minimum(code / peak, 1)
    t = np.clip((share - knee) / (1 - knee), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * top
    )
    return np.asarray(np.where(share < knee, share, spline) * peak)


_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
"""SMPTE ST 2084."""


def _to_pq(nits: _Values) -> _Values:
    power = (np.maximum(nits, 0) / 10_000) ** _M1
    return np.asarray(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)


def _from_pq(code: _Values) -> _Values:
    power = code ** (1 / _M2)
    return np.asarray(10_000 * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1))


def _from_hlg(code: _Values) -> _Values:
    """ITU-R BT.2100-2, table 5: the inverse OETF, then the OOTF of a screen of 1000 nits."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return np.asarray(_PEAK_NITS * scene * np.maximum(luminance, 1e-6)[..., None] ** 0.2)


@cache
def _table(transfer: int) -> str:
    """The table as FFmpeg reads it, in Adobe's cube format: red changes fastest."""
    axis = np.linspace(0, 1, _NODES)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    codes = mapped(np.stack([red, green, blue], axis=-1), transfer).reshape(-1, 3)
    rows = "\n".join(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in codes)
    return f"LUT_3D_SIZE {_NODES}\n{rows}\n"


def _graph(frame: VideoFrame, full_range: bool) -> av.filter.Graph:
    given = {"in_color_matrix": "bt2020", "in_range": "pc" if full_range else "tv", "out_range": "pc"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tones.cube"
        path.write_text(_table(frame.color_trc), encoding="ascii")
        return filter_graph(
            frame,
            ("scale", given),
            ("format", {"pix_fmts": "gbrp12le"}),
            ("lut3d", {"file": str(path), "interp": "tetrahedral"}),
            ("format", {"pix_fmts": "rgb24"}),
        )
