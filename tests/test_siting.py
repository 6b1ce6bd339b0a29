"""Chroma stays where it was: red does not move against blue."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from livestyle import colors
from livestyle.sources import open_source
from tests.commands import call

SITES = {"left": (0.0, 0.5), "center": (0.5, 0.5), "topleft": (0.0, 0.0)}
"""Where the first sample of chroma is, (x, y) in pixels, if there are half as many each way."""
_WIDTH, _HEIGHT = 160, 120


def square_clip(path: Path, pix_fmt: str, site: str) -> Path:
    """A blue square on red, its chroma sampled where `site` says."""
    image = np.zeros((_HEIGHT, _WIDTH, 3), np.uint8)
    image[..., 0] = 255
    image[30:90, 50:110] = (0, 0, 255)
    smooth = cv2.GaussianBlur(image, (0, 0), 3)
    yuv = cv2.transform(smooth.astype(np.float32), colors.Colors().from_rgb)
    down = 2 if "420" in pix_fmt else 1
    x, y = SITES[site]
    grid = np.meshgrid(np.arange(0, _WIDTH, 2) + x, np.arange(0, _HEIGHT, down) + (y if down == 2 else 0))
    at = [axis.astype(np.float32) for axis in grid]
    chroma = [cv2.remap(yuv[..., i], *at, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE) for i in (1, 2)]
    with av.open(str(path), "w") as container:
        options = {"crf": "1", "chroma_sample_location": site}
        stream = container.add_stream("libx264", rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, pix_fmt
        stream.codec_context.colorspace, stream.codec_context.color_range = colors.BT709, 1
        frame = av.VideoFrame(_WIDTH, _HEIGHT, pix_fmt)
        for plane, values in zip(frame.planes, [yuv[..., 0], *chroma], strict=True):
            fill(plane, values, deep="10" in pix_fmt)
        frame.pts, frame.time_base = 0, Fraction(1, 10)
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def fill(plane: av.video.plane.VideoPlane, values: NDArray[np.float32], *, deep: bool) -> None:
    kind = np.dtype(np.uint16 if deep else np.uint8)
    rows = np.zeros((plane.height, plane.line_size // kind.itemsize), kind)
    rows[:, : plane.width] = np.round(values * (4 if deep else 1))
    plane.update(rows.tobytes())


def place(path: Path, site: str) -> tuple[float, float]:
    """Where red becomes blue, in pixels, along the middle row and the middle column."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    kind = np.uint16 if "10" in frame.format.name else np.uint8
    cb, cr = (
        np.frombuffer(bytes(plane), kind).reshape(plane.height, -1)[:, : plane.width].astype(float)
        for plane in frame.planes[1:3]
    )
    red = cr - cb
    down = frame.height // len(red)
    x, y = SITES[site]
    row, column = red[len(red) // 2], red[:, red.shape[1] // 2]
    return 2 * crossing(row) + x, down * crossing(column) + (y if down == 2 else 0)


def crossing(line: NDArray[np.float64]) -> float:
    before = int(np.flatnonzero(np.diff(np.sign(line)))[0])
    return float(before + line[before] / (line[before] - line[before + 1]))


@pytest.mark.parametrize(
    ("pix_fmt", "site"),
    [
        *((pix_fmt, site) for pix_fmt in ("yuv420p", "yuv420p10le") for site in SITES),
        ("yuv422p", "left"),  # the only place that H.264 has for chroma of more than 4:2:0
        ("yuv422p10le", "left"),
    ],
)
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_colours_do_not_move(pix_fmt: str, site: str, name: str, tmp_path: Path) -> None:
    made = square_clip(tmp_path / "in.mkv", pix_fmt, site)
    assert call("video", made, tmp_path / name, "--strength", 0, "--crf", 4).exit_code == 0
    tagged = open_source(tmp_path / name)
    tagged.close()
    assert tagged.colors.site == ("" if site == "left" else site)
    np.testing.assert_allclose(place(tmp_path / name, site), place(made, site), atol=0.1)
