"""Still pictures as people have them: transparent, and with the colours of a phone's screen."""

import struct
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms, features

from livestyle.sources.picture import _alpha, read_picture, read_with_alpha
from tests.commands import call
from tests.pictures import scene

_DISPLAY_P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
"""XYZ of its red, green and blue, adapted to D50 (SMPTE EG 432-1)."""


def display_p3(gamma: float = 2.2) -> bytes:
    """An ICC profile of version 2 with those primaries (ICC.1:2001-04)."""

    def xyz(values: tuple[float, ...]) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))

    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    name = b"desc" + bytes(4) + struct.pack(">I", 3) + b"P3\0" + bytes(78) + bytes(3)
    tags = {b"desc": name, b"wtpt": xyz((0.9642, 1.0, 0.8249)), b"cprt": b"text" + bytes(4) + b"none"}
    tags |= {tag: xyz(values) for tag, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _DISPLAY_P3, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, data = struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        table += tag + struct.pack(">2I", 132 + 12 * len(tags) + len(data), len(content))
        data += content
    header = struct.pack(
        ">I4sI12s12s4s", 132 + len(table) - 4 + len(data), b"", 0x02100000, b"mntrRGB XYZ ", b"", b"acsp"
    )
    header += bytes(28) + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + table + data


@pytest.fixture
def see_through(tmp_path: Path) -> Path:
    """A picture of 80x60, opaque in its middle and half opaque to the right of it."""
    alpha = np.zeros((60, 80), np.uint8)
    alpha[20:40, 20:40], alpha[20:40, 40:60] = 255, 128
    path = tmp_path / "see_through.png"
    Pillow.fromarray(np.dstack([scene(80, 60), alpha])).save(path)
    return path


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff"])
def test_what_is_transparent_stays_so(suffix: str, see_through: Path, tmp_path: Path) -> None:
    out = tmp_path / f"out{suffix}"
    result = call("image", see_through, out)
    assert result.exit_code == 0
    assert "transparent" not in result.stderr
    before, after = (np.asarray(Pillow.open(path).getchannel("A")) for path in (see_through, out))
    assert np.array_equal(before, after)


@pytest.mark.parametrize("suffix", [".avif", ".jp2"])
def test_a_format_that_loses_a_little_keeps_transparency_too(
    suffix: str, see_through: Path, tmp_path: Path
) -> None:
    if not cv2.haveImageWriter(f"out{suffix}") or (suffix == ".avif" and not features.check("avif")):
        pytest.skip(f"this OpenCV or Pillow has no {suffix}")
    result = call("image", see_through, tmp_path / f"out{suffix}", "--strength", 0)
    assert "transparent" not in result.stderr
    (image, before), (painted, after) = map(read_with_alpha, (see_through, tmp_path / f"out{suffix}"))
    assert before is not None
    assert after is not None
    assert np.abs(after.astype(int) - before).mean() < 2
    assert np.abs(painted[22:38, 22:38].astype(int) - image[22:38, 22:38]).mean() < 12


def test_a_format_without_transparency_is_told(see_through: Path, tmp_path: Path) -> None:
    result = call("image", see_through, tmp_path / "out.jpg", "--strength", 0)
    assert "they are painted as black; a .png keeps them" in result.stderr
    painted = read_picture(tmp_path / "out.jpg").astype(int)
    assert painted[:18].max() < 30
    assert np.abs(painted[22:38, 22:38] - scene(80, 60)[22:38, 22:38]).mean() < 8


def test_a_wide_gamut_is_converted(tmp_path: Path) -> None:
    levels = np.empty((32, 32, 3), np.uint8)
    levels[:] = 200, 100, 100
    Pillow.fromarray(levels).save(tmp_path / "p3.png", icc_profile=display_p3())
    red, green, blue = read_picture(tmp_path / "p3.png")[0, 0].astype(int)
    bright, dark = (np.array([200, 100]) / 255) ** 2.2
    # the rows of linear P3 to linear sRGB are 1.2249 -0.2247 0, -0.0420 1.0419 0 and -0.0197 -0.0786 1.0979
    expected = [
        1.2249 * bright - 0.2249 * dark,
        1.0420 * dark - 0.0420 * bright,
        1.0197 * dark - 0.0197 * bright,
    ]
    np.testing.assert_allclose([red, green, blue], 255 * np.power(expected, 1 / 2.2), atol=3)


def test_srgb_and_a_damaged_profile_change_nothing(tmp_path: Path) -> None:
    for name, profile in {
        "srgb": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        "damaged": b"not a profile at all",
    }.items():
        path = tmp_path / f"{name}.png"
        Pillow.fromarray(scene(40, 40)).save(path, icc_profile=profile)
        assert np.abs(read_picture(path).astype(int) - scene(40, 40)).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".webp", ".avif"])
def test_a_picture_turned_by_its_exif_has_its_alpha_turned_too(
    suffix: str, see_through: Path, tmp_path: Path
) -> None:
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    exif = Pillow.Exif()
    exif[0x0112] = 6  # to be shown a quarter turn clockwise
    Pillow.open(see_through).save(tmp_path / f"turned{suffix}", exif=exif, quality=95)
    image, alpha = read_with_alpha(tmp_path / f"turned{suffix}")
    assert alpha is not None
    assert image.shape[:2] == alpha.shape == (80, 60)
    right = np.rot90(scene(80, 60), -1)[20:40, 22:38]  # the opaque part
    assert np.abs(image[20:40, 22:38].astype(int) - right).mean() < 8
    assert read_picture(tmp_path / f"turned{suffix}").shape == (80, 60, 3)


@pytest.mark.parametrize(
    ("suffix", "advice"),
    [
        (".gif", "; livestyle video paints all"),
        (".png", "; livestyle video paints all"),
        (".webp", "; as a .gif or .mp4, livestyle video paints all"),
        (".tif", ""),
    ],
)
def test_an_animation_of_which_one_picture_is_painted_is_told(
    suffix: str, advice: str, tmp_path: Path
) -> None:
    path = tmp_path / f"in{suffix}"
    first, *others = (Pillow.fromarray(np.roll(scene(40, 40), 3 * i, axis=1)) for i in range(3))
    first.save(path, save_all=True, append_images=others)
    result = call("image", path, tmp_path / "out.jpg", "--strength", 0)
    assert (result.exit_code, read_picture(tmp_path / "out.jpg").shape) == (0, (40, 40, 3))
    told = f"{path} has 3 pictures: only the first is painted{advice}"
    assert told in result.stderr.splitlines()


def test_what_opencv_cannot_read_is_one_line(tmp_path: Path) -> None:
    Pillow.fromarray(np.zeros((40, 40), np.int32)).save(tmp_path / "in.tif")
    command = [sys.executable, "-m", "livestyle", "image", "in.tif", "out.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_an_alpha_that_does_not_fit_is_left_out(see_through: Path, tmp_path: Path) -> None:
    """As two decoders of a damaged file may find it."""
    with Pillow.open(see_through) as picture:
        assert _alpha(picture, (60, 80)) is not None
        assert _alpha(picture, (80, 60)) is None


def test_an_opaque_picture_has_no_alpha(tmp_path: Path) -> None:
    stream = BytesIO()
    Pillow.fromarray(np.dstack([scene(40, 40), np.full((40, 40), 255, np.uint8)])).save(stream, "png")
    (tmp_path / "opaque.png").write_bytes(stream.getvalue())
    assert read_with_alpha(tmp_path / "opaque.png")[1] is None


@pytest.mark.parametrize(
    "command",
    [["image", "in.png", "out.png"], ["cam", "--camera", "in.png", "--no-window", "--output", "out.mp4"]],
)
def test_a_style_that_changes_with_time_is_refused(command: list[str], tmp_path: Path) -> None:
    Pillow.fromarray(scene(40, 40)).save(tmp_path / "in.png")
    paths = [tmp_path / part if part.startswith(("in.", "out.")) else part for part in command]
    result = call(*paths, "--style", "mosaic@0,great_wave@2")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "changes with time" in result.stderr
