"""What is missing of a damaged file is told; nothing is missed in a sound one."""

import random
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from livestyle.sources import open_source
from tests.commands import moving
from tests.media import grey, make_video


def spoil(path: Path, share: float) -> None:
    """Garbage in the middle of a file."""
    content = bytearray(path.read_bytes())
    middle, length = len(content) // 2, round(share * len(content))
    content[middle : middle + length] = random.Random(0).randbytes(length)
    path.write_bytes(content)


def read(path: Path) -> tuple[int, list[str]]:
    """How many frames come, and the faults."""
    source = open_source(path)
    count = len(list(source))
    source.close()
    return count, source.faults


@pytest.mark.parametrize("suffix", [".mkv", ".nut", ".ts", ".flv", ".mp4"])
def test_frames_lost_to_garbage_are_told_with_their_number_and_time(suffix: str, tmp_path: Path) -> None:
    codec = "flv" if suffix == ".flv" else "libx264"
    clip = make_video(tmp_path / f"in{suffix}", moving(90), gop=15, start=100.0, codec=codec)
    assert read(clip) == (90, [])
    spoil(clip, 0.05)
    count, faults = read(clip)
    assert 45 < count <= 90  # all may be shown, some of them not whole
    found = re.search(r"is damaged: (\d+) frames? (?:between ([\d.]+) and|at) ([\d.]+) s", faults[0])
    assert found, faults
    assert 90 - count <= int(found[1]) <= 90 - count + 15
    assert 0.5 < float(found[2] or found[3]) <= float(found[3]) < 2.9


@pytest.mark.parametrize("suffix", [".mkv", ".nut", ".ts", ".mp4"])
def test_gaps_and_varying_rates_of_a_sound_file_are_no_damage(suffix: str, tmp_path: Path) -> None:
    moments = [*(i / 30 for i in range(30) if i % 7 != 3), 2.0, 2.02, 2.5, 12.5, 12.6]
    clip = make_video(tmp_path / f"in{suffix}", moving(len(moments)), pts=moments)
    assert read(clip) == (len(moments), [])
    if suffix == ".ts":  # whose parts may be joined by cat
        clip.write_bytes(2 * clip.read_bytes())
        assert read(clip) == (2 * len(moments), [])


def test_alpha_behind_the_packets_is_no_damage(tmp_path: Path) -> None:
    path, random = tmp_path / "in.webm", np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libvpx-vp9", rate=10, options={"auto-alt-ref": "0", "deadline": "realtime"}
        )
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuva420p"
        for index in (0, 1, 2, 4, 5, 6, 7, 9, 10):
            image = np.dstack([grey(90, 96, 64), random.integers(0, 256, (64, 96), np.uint8)])
            frame = av.VideoFrame.from_ndarray(image, format="rgba").reformat(format="yuva420p")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert read(path) == (9, [])


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("in.gif", {"codec": "gif", "pix_fmt": "rgb8", "rate": 10}),
        ("in.ogv", {"codec": "libvpx", "sound": "libopus"}),
        ("in.mxf", {"codec": "mpeg2video", "rate": 25, "gop": 12}),
    ],
)
def test_formats_without_a_length_say_too_that_they_are_cut(
    name: str, how: dict[str, Any], tmp_path: Path
) -> None:
    clip = make_video(tmp_path / name, moving(40), **how)
    assert read(clip) == (40, [])
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 6 // 10])
    count, faults = read(clip)
    assert 5 < count < 35
    assert "is cut short: it ends at" in faults[-1]


def test_a_cut_file_counts_from_its_first_frame(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "in.mkv", moving(90), start=100.0, gop=10)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    fault = read(clip)[1][-1]
    found = re.search(r"ends at ([\d.]+) of ([\d.]+) s", fault)
    assert found, fault
    assert 0 < float(found[1]) < float(found[2]) == pytest.approx(3.0, abs=0.1)
