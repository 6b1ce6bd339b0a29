"""Subtitles in mp4 and mov, where one ends when the next one begins: each is shown when it is to be."""

from collections.abc import Sequence
from contextlib import closing, suppress
from fractions import Fraction
from pathlib import Path

import av
import pytest

from livestyle.sinks.file import FileSink
from livestyle.sources import open_source
from tests.commands import call
from tests.media import greys, to_yuv

Shown = tuple[float, float, str]
"""From when to when, in seconds, and what."""
OVERLAPPING: list[Shown] = [
    (0.0, 2.5, "first"),
    (0.5, 4.0, "second"),
    (1.5, 3.5, "third"),
    (1.5, 3.5, "third"),  # as the shadow of a text has it
    (4.2, 4.9, "last"),
]


def titled(path: Path, texts: Sequence[Shown]) -> Path:
    """Five seconds of video with these subtitles; one that ends when it begins states no length."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream("srt")
        track.codec_context.subtitle_header = b"[Script Info]\n"
        for begin, end, text in texts:
            packet = av.Packet(text.encode())
            packet.stream, packet.time_base = track, Fraction(1, 1000)
            packet.pts = packet.dts = round(1000 * begin)
            packet.duration = round(1000 * (end - begin))
            container.mux(packet)
        for index in range(50):
            frame = to_yuv(greys(50)[index], "yuv420p", 5, False)
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def shown(path: Path) -> list[Shown]:
    """What a player shows, without the pauses; lines of one moment are parted by a stroke."""
    found = []
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.subtitles[0]):
            if packet.size > 2:
                begin, length = (float(ticks * packet.time_base) for ticks in (packet.pts, packet.duration))
                (text,) = (part.dialogue.decode() for part in packet.decode())
                found.append((begin, begin + length, text.replace("\n", "|")))
    return found


def close_to(expected: Sequence[Shown]) -> list[object]:
    return [(pytest.approx(a, abs=0.002), pytest.approx(b, abs=0.002), text) for a, b, text in expected]


@pytest.mark.parametrize("name", ["out.mp4", "out.mov"])
def test_texts_that_overlap_are_shown_together(name: str, tmp_path: Path) -> None:
    made = titled(tmp_path / "in.mkv", OVERLAPPING)
    assert call("video", made, tmp_path / name, "--strength", 0).exit_code == 0
    assert shown(tmp_path / name) == close_to(
        [
            (0.0, 0.5, "first"),
            (0.5, 1.5, "first|second"),
            (1.5, 2.5, "first|second|third"),
            (2.5, 3.5, "second|third"),
            (3.5, 4.0, "second"),
            (4.2, 4.9, "last"),
        ]
    )


def test_a_text_that_began_before_the_part_moves_no_other(tmp_path: Path) -> None:
    made = titled(tmp_path / "in.mkv", [OVERLAPPING[0], *OVERLAPPING[2:]])
    options = ("--strength", 0, "--start", 1.2, "--end", 4.5)
    assert call("video", made, tmp_path / "out.mp4", *options).exit_code == 0
    assert shown(tmp_path / "out.mp4") == close_to(
        [(0.0, 0.3, "first"), (0.3, 1.3, "first|third"), (1.3, 2.3, "third"), (3.0, 3.3, "last")]
    )


def test_texts_that_follow_at_once_have_nothing_between_them(tmp_path: Path) -> None:
    made = titled(tmp_path / "in.mkv", [(0.0, 2.0, "one"), (2.0, 4.0, "two"), (4.0, 5.0, "three")])
    assert call("video", made, tmp_path / "out.mp4", "--strength", 0).exit_code == 0
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert len([p for p in container.demux(container.streams.subtitles[0]) if p.size]) == 3


def test_a_text_without_a_length_is_seen_until_the_next_one(tmp_path: Path) -> None:
    made = titled(tmp_path / "in.mkv", [(1.0, 1.0, "one"), (2.0, 3.0, "two")])
    assert call("video", made, tmp_path / "out.mp4", "--strength", 0).exit_code == 0
    assert shown(tmp_path / "out.mp4") == close_to([(1.0, 2.0, "one"), (2.0, 3.0, "two")])


def test_ctrl_c_loses_no_text_that_was_seen(tmp_path: Path) -> None:
    made = titled(tmp_path / "in.mkv", OVERLAPPING)
    with (
        closing(open_source(made)) as source,
        suppress(KeyboardInterrupt),
        FileSink(tmp_path / "out.mp4", source.size, audio_from=source.excerpt) as sink,
    ):
        for frame in source:
            sink.write(frame)
            if frame.pts > 0.8:
                raise KeyboardInterrupt
    begins = [(begin, text) for begin, _, text in shown(tmp_path / "out.mp4")]
    assert begins[:2] == [(0.0, "first"), (pytest.approx(0.5, abs=0.002), "first|second")]
