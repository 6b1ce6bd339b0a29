"""A part of a file: what belongs to it is there, in time, and nothing else."""

import struct
from pathlib import Path

import av
import pytest

from tests.commands import call
from tests.media import greys, make_video, video_seconds
from tests.test_tracks import packets, rich_clip, words


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize(("start", "end"), [(0.5, None), (0.0, 1.0), (0.5, 1.5)])
def test_a_part_keeps_sound_and_picture_together(
    suffix: str, start: float, end: float | None, tmp_path: Path
) -> None:
    made = make_video(tmp_path / f"in{suffix}", greys(60), sound="aac", gop=15)
    options = ["--start", start, *([] if end is None else ["--end", end])]
    assert call("video", made, tmp_path / "out.mp4", "--strength", 0, *options).exit_code == 0
    moments, whole = video_seconds(tmp_path / "out.mp4"), [i / 30 for i in range(60)]
    wanted = [m - start for m in whole if start - 1e-9 <= m < (2.0 if end is None else end) - 1e-9]
    assert moments == pytest.approx(wanted, abs=0.001)
    sounds = packets(tmp_path / "out.mp4", "audio")
    by_content = {data: when for when, data in packets(made, "audio")}
    assert all(by_content[data] - start == pytest.approx(when, abs=0.002) for when, data in sounds)
    length = (2.0 if end is None else end) - start
    assert sounds[-1][0] == pytest.approx(length, abs=0.06)


def test_chapters_and_subtitles_of_a_part_move_with_it(tmp_path: Path) -> None:
    made = rich_clip(tmp_path / "in.mkv")
    assert call("video", made, tmp_path / "out.mkv", "--strength", 0, "--start", 0.5).exit_code == 0
    assert words(tmp_path / "out.mkv") == [(pytest.approx(0.1, abs=0.002), "there")]
    with av.open(str(tmp_path / "out.mkv")) as container:
        (chapter,) = container.chapters()
        assert chapter["start"] * chapter["time_base"] == 0
        assert chapter["metadata"]["title"] == "evening"


@pytest.mark.parametrize("kind", ["mkv", "mp4"])
@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov", "out.webm"])
def test_a_subtitle_is_shown_as_long_as_the_part_is(name: str, kind: str, tmp_path: Path) -> None:
    made, rich = tmp_path / f"in.{kind}", rich_clip(tmp_path / "rich.mkv", ["aac"])
    assert call("video", rich, made, "--strength", 0).exit_code == 0
    result = call("video", made, tmp_path / name, "--strength", 0, "--start", 0.3, "--end", 0.7)
    assert result.exit_code == 0, result.output
    with av.open(str(tmp_path / name)) as container:
        found = [p for p in container.demux(container.streams.subtitles[0]) if p.size > 2]
        shown = [float(t * p.time_base) for p in found for t in (p.pts, p.pts + p.duration)]
        assert shown == pytest.approx([0.0, 0.2, 0.3, 0.4], abs=0.002)
        assert [text for _, text in words(tmp_path / name)] == ["hello", "there"]
        assert container.duration / av.time_base == pytest.approx(0.4, abs=0.06)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
@pytest.mark.parametrize(
    ("start", "end", "moments", "length"),
    [(1.4, 4, [0.0, 0.6, 1.6], 2.6), (1.2, 1.7, [0.0], 0.5), (3.3, None, [0.0], 0.7), (2, 3, [0.0], 1.0)],
)
def test_a_part_begins_with_what_is_on_the_screen_then(
    suffix: str, start: float, end: float | None, moments: list[float], length: float, tmp_path: Path
) -> None:
    """As of slides. Each is told by its brightness."""
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    made = make_video(tmp_path / f"in{suffix}", greys(4), rate=1, codec=codec, gop=2)
    options = ["--start", start, *([] if end is None else ["--end", end])]
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0, *options)
    assert result.exit_code == 0, result.output
    assert video_seconds(tmp_path / "out.mp4") == pytest.approx(moments, abs=0.001)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.duration / av.time_base == pytest.approx(length, abs=0.002)
        first = next(container.decode(video=0)).to_ndarray(format="gray")
    assert round(float(first.mean() - greys(1)[0].mean()) / 5) == int(start)


def test_a_part_beyond_the_end_is_one_clear_line(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", greys(30))
    result = call("video", made, tmp_path / "out.mp4", "--start", "1:00")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "it has no frame from 60 s; it is 1.00 s long" in result.stderr


def segment(kind: int, data: bytes) -> bytes:
    """Of a subtitle of pictures as Blu-ray discs have it."""
    return bytes([kind]) + struct.pack(">H", len(data)) + data


def composition(state: int, shown: bool) -> bytes:
    picture = struct.pack(">HBBHH", 0, 0, 0, 8, 8) if shown else b""
    return segment(0x16, struct.pack(">HHBHBBBB", 64, 48, 0x10, 0, state, 0, 0, shown) + picture)


WINDOW = segment(0x17, bytes([1, 0]) + struct.pack(">HHHH", 8, 8, 16, 16))
LINES = bytes([0, 0x90, 1, 0, 0]) * 16
SHOWN = (
    composition(0x80, shown=True),
    WINDOW,
    segment(0x14, bytes([0, 0, 1, 200, 128, 128, 255])),
    segment(0x15, b"\0\0\0\xc0" + (len(LINES) + 4).to_bytes(3, "big") + struct.pack(">HH", 16, 16) + LINES),
    segment(0x80, b""),
)
CLEARED = (composition(0, shown=False), WINDOW, segment(0x80, b""))


@pytest.mark.parametrize(("start", "moments"), [(1.0, [0.0, 1.0]), (2.5, [0.5]), (0.2, [0.3, 1.8])])
def test_a_picture_with_words_that_stands_when_a_part_begins_is_in_it(
    start: float, moments: list[float], tmp_path: Path
) -> None:
    sets = [(0.5, SHOWN), (2.0, CLEARED), (3.0, SHOWN)]
    (tmp_path / "words.sup").write_bytes(
        b"".join(
            b"PG" + struct.pack(">II", int(at * 90_000), 0) + part for at, parts in sets for part in parts
        )
    )
    made = make_video(tmp_path / "video.mkv", greys(100), gop=10, sound="aac")
    with (
        av.open(str(made)) as video,
        av.open(str(tmp_path / "words.sup")) as words,
        av.open(str(tmp_path / "in.mkv"), "w") as container,
    ):
        tracks = [container.add_stream_from_template(stream) for stream in (*video.streams, *words.streams)]
        for place, source in ((0, video), (2, words)):
            for packet in [packet for packet in source.demux() if packet.size]:
                packet.stream = tracks[place + packet.stream_index]
                container.mux(packet)
    options = ["--strength", 0, "--start", start, "--end", start + 1.9]
    result = call("video", tmp_path / "in.mkv", tmp_path / "out.mkv", *options)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    found = packets(tmp_path / "out.mkv", "subtitles")
    assert [when for when, data in found] == pytest.approx(moments, abs=0.002)
    assert found[0][1] == b"".join(SHOWN)
