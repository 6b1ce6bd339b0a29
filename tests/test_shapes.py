"""Sizes, fields, transparency and dynamic range: what a frame may look like besides upright, opaque RGB."""

import logging
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from livestyle import colors
from livestyle.frame import Image
from livestyle.sources import open_source
from livestyle.sources.tonemap import mapped
from tests.commands import call
from tests.media import (
    RED_GREEN_BLUE,
    TIME_BASE,
    grey,
    make_video,
    stripe_colours,
    stripes,
    to_yuv,
    video_seconds,
)
from tests.pictures import scene


def size_of(path: Path) -> tuple[int, int]:
    source = open_source(path)
    source.close()
    return source.size


@pytest.mark.parametrize(
    ("size", "name", "expected"),
    [
        ((639, 361), "out.mp4", (640, 362)),
        ((639, 361), "out.webm", (639, 361)),
        ((639, 361), "out.gif", (639, 361)),
        ((64, 64), "out.mp4", (64, 64)),
        ((3840, 2160), "out.mp4", (3840, 2160)),
        ((1920, 1080), "out.mkv", (1920, 1080)),
    ],
)
def test_sizes_stay_or_grow_by_the_one_pixel_that_the_codec_needs(
    size: tuple[int, int], name: str, expected: tuple[int, int], tmp_path: Path
) -> None:
    image = cv2.resize(scene(64, 64), size).astype(np.uint8)
    odd = size[0] % 2 == 1
    made = make_video(
        tmp_path / "in.mkv", [image], codec="ffv1" if odd else "libx264", pix_fmt="bgr0" if odd else "yuv420p"
    )
    result = call("video", made, tmp_path / name, "--strength", 0)
    assert result.exit_code == 0, result.output
    assert size_of(tmp_path / name) == expected
    assert ("is an odd size" in result.stderr) == (expected != size)


def weave(top: Image, bottom: Image) -> Image:
    """The even rows of one picture and the odd rows of another, as an interlaced camera takes them."""
    woven = top.copy()
    woven[1::2] = bottom[1::2]
    return woven


def interlaced_clip(path: Path, count: int = 12) -> Path:
    """A bar that moves between the two fields of each frame."""

    def bar(moment: float) -> Image:
        image = grey(60, 128, 96)
        left = round(10 + 40 * moment / count)
        image[:, left : left + 20] = 200
        return image

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.options = {"flags": "+ildct+ilme", "qscale": "2"}
        stream.codec_context.bit_rate = 8_000_000
        for index in range(count):
            frame = to_yuv(weave(bar(index), bar(index + 0.5)), "yuv420p", 5, False)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def combing(image: Image) -> float:
    """How much each row differs from the mean of its neighbours."""
    rows = image.astype(float).mean(2)
    return float(np.abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2).mean())


def test_interlaced_video_is_made_progressive_with_a_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = interlaced_clip(tmp_path / "in.ts")
    with av.open(str(made)) as container:
        frames = list(container.decode(video=0))
    assert all(frame.interlaced_frame for frame in frames)
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert "is interlaced: its fields are made into whole frames" in result.stderr
    assert video_seconds(tmp_path / "out.mp4") == pytest.approx([i / 25 for i in range(12)], abs=0.001)
    woven = np.mean([combing(frame.to_ndarray(format="rgb24")) for frame in frames])
    source = open_source(tmp_path / "out.mp4")
    smooth = np.mean([combing(frame.image) for frame in source])
    source.close()
    assert smooth < woven / 3


def test_progressive_video_is_not_filtered(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.ts", [scene(64, 48)] * 3)
    assert "interlaced" not in call("video", made, tmp_path / "out.mp4", "--strength", 0).stderr


def test_a_size_that_changes_is_scaled_to_the_first(tmp_path: Path) -> None:
    for number, width in enumerate((96, 96, 128), 1):
        image = stripes(width, width * 2 // 3)
        (tmp_path / f"{number}.png").write_bytes(png(image))
    result = call("video", tmp_path / "%d.png", tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert "changes its size to 128x85: it is scaled to the first one" in result.stderr
    assert size_of(tmp_path / "out.mp4") == (96, 64)


def jpeg(image: Image, orientation: int) -> bytes:
    """With an EXIF of one tag, the orientation."""
    encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0" % orientation
    return encoded[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + encoded[2:]


@pytest.mark.parametrize(("orientation", "quarters"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_frames_with_exif_are_shown_upright(orientation: int, quarters: int, tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(stripes(), orientation))
    source = open_source(tmp_path / "%d.jpg")
    shown = [frame.image for frame in source]
    source.close()
    assert len(shown) == 2
    expected = np.rot90(stripes(), quarters)
    assert shown[0].shape == expected.shape
    assert np.abs(shown[0].astype(int) - expected).mean() < 6


def test_photos_held_both_ways_are_scaled_to_the_first_upright_one(tmp_path: Path) -> None:
    for number, orientation in enumerate((1, 6, 1), 1):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(stripes(), orientation))
    result = call("video", tmp_path / "%d.jpg", tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert "changes its size to 64x96: it is scaled to the first one" in result.stderr
    source = open_source(tmp_path / "out.mp4")
    shown = [frame.image for frame in source]
    source.close()
    assert len(shown) == 3
    assert shown[1][[8, 32, 56], 48].astype(int) == pytest.approx(np.array(RED_GREEN_BLUE), abs=30)


def png(image: Image) -> bytes:
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def test_transparent_parts_are_black_with_a_notice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    image = np.zeros((48, 64, 4), np.uint8)
    image[..., :3] = 200
    image[:, :32, 3], image[:, 32:, 3] = 255, 0
    path = tmp_path / "in.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("prores_ks", rate=30, options={"profile": "4444"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuva444p10le"
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(image, format="rgba").reformat(
                format="yuva444p10le", dst_colorspace=1, dst_color_range=1
            )
            frame.pts, frame.time_base = 3000 * index, TIME_BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with caplog.at_level(logging.WARNING):
        source = open_source(path)
        shown = [frame.image for frame in source]
        source.close()
    assert caplog.text.count("has transparent parts: they are painted as black") == 1
    assert shown[0][24, 16] == pytest.approx([200] * 3, abs=6)
    assert shown[0][24, 48] == pytest.approx([0] * 3, abs=2)


@pytest.mark.parametrize("tag", ["", "ALPHA_MODE"])
def test_alpha_that_is_not_read_is_told(tag: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """VP8 and VP9 have it as a second picture, which FFmpeg's own decoders leave out."""
    path = tmp_path / "in.webm"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=30, options={"auto-alt-ref": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuva420p"
        stream.metadata.update({tag: "1"} if tag else {})
        image = np.dstack([stripes(64, 48), np.full((48, 64), 100, np.uint8)])
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(image, format="rgba")
            container.mux(stream.encode(frame.reformat(format="yuva420p")))
        container.mux(stream.encode(None))
    with caplog.at_level(logging.WARNING):
        source = open_source(path)
        assert len(list(source)) == 3
        source.close()
    assert caplog.text.count("has transparent parts, which are not read") == 1


def hdr_clip(path: Path, transfer: int, levels: list[float]) -> Path:
    """Vertical stripes of grey, as codes of 0 to 1, in 10 bits of BT.2020."""
    width = 32 * len(levels)
    planes = np.full((96, width), 512, np.uint16)
    for index, level in enumerate(levels):
        planes[:64, 32 * index : 32 * index + 32] = round(64 + 876 * level)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx265", rate=30, options={"x265-params": "log-level=none:lossless=1"}
        )
        stream.width, stream.height, stream.pix_fmt = width, 64, "yuv420p10le"
        context = stream.codec_context
        context.colorspace = context.color_primaries = colors.BT2020
        context.color_trc, context.color_range = transfer, 1
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p10le")
            frame.pts, frame.time_base = 3000 * index, TIME_BASE
            frame.colorspace, frame.color_primaries = colors.BT2020, colors.BT2020
            frame.color_trc, frame.color_range = transfer, 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("matrix", [8, 14], ids=["YCgCo", "ICtCp"])
@pytest.mark.parametrize("pix_fmt", ["yuv422p", "yuv444p", "yuv420p10le"])
def test_a_matrix_that_is_not_known_is_the_one_of_untagged_video(
    matrix: int, pix_fmt: str, tmp_path: Path
) -> None:
    made = make_video(tmp_path / "in.mkv", [stripes()], matrix=matrix, pix_fmt=pix_fmt)
    with av.open(str(made)) as container:
        assert next(container.decode(video=0)).colorspace == matrix
    source = open_source(made)
    np.testing.assert_allclose(stripe_colours(next(iter(source)).image), RED_GREEN_BLUE, atol=4)
    source.close()


@pytest.mark.parametrize("transfer", [colors.PQ, colors.HLG], ids=["PQ", "HLG"])
def test_high_dynamic_range_is_tone_mapped_with_a_notice(transfer: int, tmp_path: Path) -> None:
    codes = [0.0, 0.2, 0.35, 0.5, 0.58, 0.65, 0.75]
    made = hdr_clip(tmp_path / "in.mkv", transfer, codes)
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("has a high dynamic range") == 1
    source = open_source(tmp_path / "out.mp4")
    image = next(iter(source)).image
    assert source.colors == colors.Colors()  # ordinary BT.709, and tagged so
    source.close()
    seen = [int(image[32, 32 * index + 16].mean()) for index in range(len(codes))]
    expected = 255 * mapped(np.repeat(np.array(codes)[:, None], 3, axis=1), transfer)[:, 0]
    np.testing.assert_allclose(seen, expected, atol=4)  # the table has 33 nodes
    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen)  # the highlights are told apart


def test_the_tone_curve_is_that_of_the_standards() -> None:
    def pq(nits: float) -> float:
        power = (nits / 10_000) ** (2610 / 16384)
        return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)

    def shown(nits: float) -> float:
        return float(mapped(np.full((1, 3), pq(nits)), colors.PQ)[0, 0])

    assert shown(0) == pytest.approx(0, abs=1e-3)
    assert shown(1000) == pytest.approx(1, abs=1e-3)
    assert shown(4000) == pytest.approx(1, abs=1e-3)
    # below the knee nothing changes: a screen of 203 nits and gamma 2.4 shows 20 nits as 20 nits
    assert shown(20) == pytest.approx((20 / 203) ** (1 / 2.4), abs=1e-3)
    greens = mapped(np.array([[0.0, 0.6, 0.0]]), colors.PQ)[0]
    assert greens[1] == greens.max()
    assert greens.min() == 0  # BT.2020's green is outside BT.709


@pytest.mark.parametrize("flip", ["hflip", "vflip"])
def test_a_mirrored_clip_is_shown_as_players_show_it(flip: str, tmp_path: Path) -> None:
    path = tmp_path / "in.mp4"
    image = scene(96, 64)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.set_display_rotation(0, **{flip: True})
        frame = to_yuv(image, "yuv420p", 5, False)
        frame.pts, frame.time_base = 0, TIME_BASE
        container.mux([*stream.encode(frame), *stream.encode(None)])
    source = open_source(path)
    shown = next(iter(source)).image.astype(int)
    source.close()
    expected = image[:, ::-1] if flip == "hflip" else image[::-1]
    assert np.abs(shown - expected).mean() < 6
