"""`livestyle video --strength 0` against its input: nothing is lost, shifted or tinted on the way through.

The input is decoded by swscale in its slow and exact mode, so that none of livestyle's own conversions is its
own judge.
"""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import Interpolation

from livestyle.frame import Image
from tests.commands import call
from tests.media import make_video
from tests.pictures import scene

EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def seen(path: Path, matrix: int | None = None, full_range: bool | None = None) -> list[Image]:
    """What a careful player shows of a file: by its tags, or by what it is known to be."""
    images = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            rgb = frame.reformat(
                format="rgb24",
                src_colorspace=matrix if matrix is not None else frame.colorspace,
                src_color_range=1 + (full_range if full_range is not None else frame.color_range == 2),
                dst_color_range=2,
                interpolation=EXACT,
            )
            images.append(rgb.to_ndarray())
    return images


def moving(width: int = 320, height: int = 240, count: int = 8) -> list[Image]:
    """A pan over a scene as sharp as a lens draws it: 4:2:0 keeps no colour of single pixels."""
    big = cv2.GaussianBlur(scene(width + 64, height), (0, 0), 1.2)
    return [np.ascontiguousarray(big[:, 4 * index : 4 * index + width]) for index in range(count)]


def psnr(a: list[Image], b: list[Image]) -> float:
    error = np.mean([np.mean((x.astype(float) - y) ** 2) for x, y in zip(a, b, strict=True)])
    return float(10 * np.log10(255**2 / error))


def tint(a: list[Image], b: list[Image]) -> float:
    """The mean error of the worst channel, in levels."""
    return float(
        np.abs(np.mean([(y.astype(float) - x).mean((0, 1)) for x, y in zip(a, b, strict=True)], 0)).max()
    )


def shift(a: Image, b: Image) -> float:
    """How far, in pixels, the luminance of one image is moved against that of another."""
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64) for image in (a, b)]
    (x, y), _ = cv2.phaseCorrelate(grey[0], grey[1])
    return float(np.hypot(x, y))


def chroma_shift(a: Image, b: Image) -> float:
    """The same of the red-difference, on its own."""
    red = [cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)[..., 1].astype(np.float64) for image in (a, b)]
    (x, y), _ = cv2.phaseCorrelate(red[0], red[1])
    return float(np.hypot(x, y))


@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", [1, 5, 6, 7, 9, 2], ids=["709", "bg", "601", "240", "2020", "untagged"])
def test_every_matrix_and_range_comes_through(matrix: int, full_range: bool, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", moving(), matrix=matrix, full_range=full_range)
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    before = seen(made, matrix=5 if matrix == 2 else matrix, full_range=full_range)
    after = seen(tmp_path / "out.mp4")
    assert psnr(before, after) >= 38
    assert tint(before, after) <= 1
    assert max(shift(x, y) for x, y in zip(before, after, strict=True)) < 0.05
    assert max(chroma_shift(x, y) for x, y in zip(before, after, strict=True)) < 0.2
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert context.colorspace == (6 if matrix == 2 else matrix)
        assert context.color_range == 1


@pytest.mark.parametrize("matrix", [1, 2, 5, 6, 9], ids=["709", "untagged", "bg", "601", "2020"])
def test_luma_and_chroma_stay_what_they_were(matrix: int, tmp_path: Path) -> None:
    """Whoever compares the planes, and not the colours they stand for, must find the same."""
    made = make_video(tmp_path / "in.mp4", moving(), matrix=matrix)
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert psnr(planes(made), planes(tmp_path / "out.mp4")) >= 38


def planes(path: Path) -> list[Image]:
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8) for frame in frames]


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix"),
    [
        ("libx264", "yuv422p", ".mp4"),
        ("libx264", "yuv444p", ".mp4"),
        ("libx264", "yuv420p10le", ".mp4"),
        ("libx264", "yuv422p10le", ".mkv"),
        ("ffv1", "bgr0", ".mkv"),
        ("ffv1", "gray", ".mkv"),
        ("prores_ks", "yuv422p10le", ".mov"),
        ("libvpx-vp9", "yuv420p", ".webm"),
        ("mjpeg", "yuvj420p", ".avi"),
    ],
)
def test_every_pixel_format_comes_through(codec: str, pix_fmt: str, suffix: str, tmp_path: Path) -> None:
    full = pix_fmt in ("yuvj420p", "gray")
    made = make_video(
        tmp_path / f"in{suffix}", moving(), codec=codec, pix_fmt=pix_fmt, matrix=5, full_range=full
    )
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    before, after = seen(made, matrix=5, full_range=full), seen(tmp_path / "out.mp4")
    assert psnr(before, after) >= 38
    assert tint(before, after) <= 1
    assert shift(before[0], after[0]) < 0.05


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "out.webm", "out.avi", "out.ts"])
def test_every_container_holds_the_same_pictures(name: str, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", moving(), matrix=1)
    result = call("video", made, tmp_path / name, "--strength", 0)
    assert result.exit_code == 0, result.output
    before, after = seen(made), seen(tmp_path / name)
    assert len(after) == len(before)
    assert psnr(before, after) >= 38
    assert tint(before, after) <= 1


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9", "prores"])
def test_every_codec_is_visually_lossless_by_default(codec: str, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", moving(), matrix=1)
    out = tmp_path / ("out.mov" if codec == "prores" else "out.mp4")
    result = call("video", made, out, "--strength", 0, "--codec", codec)
    assert result.exit_code == 0, result.output
    assert psnr(seen(made), seen(out)) >= 38
    assert tint(seen(made), seen(out)) <= 1
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.codec.canonical_name == codec
        assert stream.codec_context.codec_tag == {"hevc": "hvc1", "h264": "avc1"}.get(codec, stream.codec_tag)


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_turned_clip_stays_where_it_is(rotation: int, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", moving(), matrix=1, rotation=rotation)
    assert call("video", made, tmp_path / "out.mp4", "--strength", 0).exit_code == 0
    before = [np.ascontiguousarray(np.rot90(image, rotation // 90)) for image in seen(made)]
    after = seen(tmp_path / "out.mp4")
    assert psnr(before, after) >= 38
    assert max(shift(x, y) for x, y in zip(before, after, strict=True)) < 0.05


@pytest.mark.parametrize("aspect", [Fraction(16, 15), Fraction(8, 9)])
@pytest.mark.parametrize("rotation", [0, 90])
def test_pixels_that_are_not_square_stay_so(aspect: Fraction, rotation: int, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", moving(), aspect=aspect, rotation=rotation)
    assert call("video", made, tmp_path / "out.mp4", "--strength", 0).exit_code == 0
    with av.open(str(tmp_path / "out.mp4")) as container:
        written = container.streams.video[0].sample_aspect_ratio
        assert written == (1 / aspect if rotation else aspect)
