"""Pictures on the cover: they stay what they are, by the names they have."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from tests.commands import call
from tests.media import greys, make_video, video_seconds
from tests.test_tracks import png, rich_clip

ATTACHED = av.stream.Disposition.attached_pic


def test_a_cover_stays_a_cover(tmp_path: Path) -> None:
    """From an attachment of Matroska to a track of mp4, from that to another one, and back."""
    path = rich_clip(tmp_path / "in.mkv")
    for name in ("first.mp4", "second.mp4", "last.mkv"):
        result = call("video", path, tmp_path / name, "--strength", 0)
        path = tmp_path / name
        assert (result.exit_code, "is a cover" in result.stderr) == (0, False), result.output
        assert len(video_seconds(path)) == 30
        with av.open(str(path)) as container:
            cover = next(s for s in container.streams.video if s.disposition & ATTACHED)
            assert [bytes(p) for p in container.demux(cover) if p.size] == [png()]


def test_a_cover_outweighs_what_a_phone_writes(tmp_path: Path) -> None:
    """In mp4, where FFmpeg has no place for both."""
    made = tmp_path / "in.mkv"
    with clip(made) as container:
        container.metadata["com.android.version"] = "14"
        container.add_attachment("cover.png", "image/png", png())
    made.write_bytes(made.read_bytes().replace(b"COM.ANDROID.VERSION", b"com.android.version"))
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [s.codec_context.name for s in container.streams.video if s.disposition & ATTACHED] == ["png"]
    assert result.stderr == f"tags of {made} have no place in mp4 files: com.android.version\n"


def test_a_cover_that_has_no_place_is_told(tmp_path: Path) -> None:
    result = call("video", rich_clip(tmp_path / "in.mkv"), tmp_path / "out.mov", "--strength", 0)
    assert "is a cover, which is left out: .mp4 or .mkv keeps it" in result.stderr


@contextmanager
def clip(path: Path) -> Iterator[av.container.OutputContainer]:
    """A file to add something to before its video."""
    plain = make_video(path.with_name("plain.mkv"), greys(3))
    with av.open(str(plain)) as source, av.open(str(path), "w") as container:
        video = container.add_stream_from_template(source.streams.video[0])
        yield container
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = video
                container.mux(packet)


def picture(codec: str, pix_fmt: str) -> bytes:
    frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), 200, np.uint8), format="rgb24")
    frame = frame.reformat(format=pix_fmt, dst_color_range=2)
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt, context.time_base = 16, 16, pix_fmt, 1
    context.color_range = 2
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def attached(path: Path) -> list[tuple[str, str, bytes]]:
    """(name, type, content) of each file within a Matroska file, a cover or not."""
    with av.open(str(path)) as container:
        found = [s for s in container.streams if "filename" in s.metadata]
        names = [(s.metadata["filename"], s.metadata["mimetype"], s.index) for s in found]
    return [(name, mimetype, content(path, index)) for name, mimetype, index in names]


def content(path: Path, index: int) -> bytes:
    with av.open(str(path)) as container:
        stream = container.streams[index]
        if stream.type == "attachment":
            return stream.data
        return next(bytes(packet) for packet in container.demux(stream) if packet.size)


def test_covers_keep_their_names_and_types(tmp_path: Path) -> None:
    jpeg = picture("mjpeg", "yuvj420p")
    files = [
        ("cover.jpg", "image/jpeg", jpeg),
        ("cover_land.jpg", "image/jpeg", jpeg),
        ("back.png", "image/png", png()),
        ("cover.tiff", "image/tiff", picture("tiff", "rgb24")),
        ("cover.bmp", "image/bmp", picture("bmp", "bgr24")),
    ]
    with clip(tmp_path / "in.mkv") as container:
        for file in files:
            container.add_attachment(*file)
    result = call("video", tmp_path / "in.mkv", tmp_path / "out.mkv", "--strength", 0)
    assert (result.exit_code, result.stderr) == (0, "")
    assert attached(tmp_path / "out.mkv") == files


@pytest.mark.parametrize("count", [1, 2])
def test_covers_of_mp4_become_files_of_as_many_names(count: int, tmp_path: Path) -> None:
    jpeg = picture("mjpeg", "yuvj420p")
    with clip(tmp_path / "in.mp4") as container:
        covers = [container.add_mux_stream("mjpeg", width=16, height=16) for _ in range(count)]
        for cover in covers:
            cover.disposition = ATTACHED
        for cover in covers:
            packet = av.Packet(jpeg)
            packet.stream = cover
            container.mux(packet)
    result = call("video", tmp_path / "in.mp4", tmp_path / "out.mkv", "--strength", 0)
    assert (result.exit_code, result.stderr) == (0, "")
    names = ["cover.jpg", "cover-2.jpg"][:count]
    assert attached(tmp_path / "out.mkv") == [(name, "image/jpeg", jpeg) for name in names]
