"""Subtitles in mp4 and mov, where one ends when the next one begins: each is shown when it is to be."""

import struct
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


STYLES = b"""[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold
Style: Default,Arial,16,&H00FFFFFF,0
Style: Red,Arial,20,&H000000FF,-1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def titled(
    path: Path,
    texts: Sequence[Shown],
    codec: str = "srt",
    header: bytes = b"[Script Info]\n",
    seconds: int = 5,
) -> Path:
    """A video with these subtitles; one that ends when it begins states no length."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream(codec)
        track.codec_context.subtitle_header = header
        for begin, end, text in texts:
            packet = av.Packet(text.encode())
            packet.stream, packet.time_base = track, Fraction(1, 1000)
            packet.pts = packet.dts = round(1000 * begin)
            packet.duration = round(1000 * (end - begin))
            container.mux(packet)
        for index in range(10 * seconds):
            frame = to_yuv(greys(50)[index % 50], "yuv420p", 5, False)
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def scripted(path: Path, texts: Sequence[tuple[float, float, str, str]]) -> Path:
    """The same in ASS: from when to when, in which style, and what."""
    lines = [
        (begin, end, f"{i},0,{style},,0,0,0,,{text}") for i, (begin, end, style, text) in enumerate(texts)
    ]
    return titled(path, lines, "ass", b"[Script Info]\nScriptType: v4.00+\n\n" + STYLES)


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


@pytest.mark.parametrize(
    ("seconds", "begin", "options", "end"),
    [
        (8, 1.0, [], 6.0),
        (5, 1.0, [], 5.0),
        (5, 1.0, ["--end", 3], 3.0),
        (5, 4.0, ["--start", 2], 3.0),
    ],
    ids=["five seconds", "to the end of the file", "to the end of the part", "in a later part"],
)
def test_the_last_text_without_a_length_is_seen_for_a_while(
    seconds: int, begin: float, options: list[object], end: float, tmp_path: Path
) -> None:
    made = titled(tmp_path / "in.mkv", [(begin, begin, "last")], seconds=seconds)
    assert call("video", made, tmp_path / "out.mp4", "--strength", 0, *options).exit_code == 0
    ((_, seen, _),) = shown(tmp_path / "out.mp4")
    assert seen == pytest.approx(end, abs=0.01)


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


def test_a_remark_and_an_empty_line_of_ass_are_not_shown(tmp_path: Path) -> None:
    texts = [
        (0.5, 0.5, "Default", "remark"),
        (1.0, 3.0, "Default", "{\\i1} \\N"),
        (2.0, 4.0, "Default", "text"),
    ]
    made = scripted(tmp_path / "in.mkv", texts)
    assert call("video", made, tmp_path / "out.mp4", "--strength", 0).exit_code == 0
    assert shown(tmp_path / "out.mp4") == close_to([(2.0, 4.0, "text")])


@pytest.mark.parametrize(
    ("first", "second", "styles"),
    [
        (("Red", "warm"), ("Default", "plain"), [("warm", 1, 20)]),
        (("Default", "plain"), ("Red", "warm"), [("\nwarm", 1, 20)]),
        (("Default", "{\\i1}open"), ("Default", "plain"), [("open", 2, 16)]),
        (("Default", "{\\i1}open"), ("Red", "warm"), [("open", 2, 16), ("\nwarm", 1, 20)]),
    ],
    ids=["style", "style of the second", "left switched on", "both"],
)
def test_texts_that_are_shown_together_keep_their_own_styles(
    first: tuple[str, str], second: tuple[str, str], styles: list[tuple[str, int, int]], tmp_path: Path
) -> None:
    made = scripted(tmp_path / "in.mkv", [(1.0, 3.0, *first), (1.0, 3.0, *second)])
    assert call("video", made, tmp_path / "out.mp4", "--strength", 0).exit_code == 0
    with av.open(str(tmp_path / "out.mp4")) as container:
        sizes = [(p.size, bytes(p)) for p in container.demux(container.streams.subtitles[0])]
    (content,) = (content for size, content in sizes if size > 2)
    assert styles_of(content) == styles


def styles_of(content: bytes) -> list[tuple[str, int, int]]:
    """What of a packet of mov_text is bold (1) or italic (2), and how large (ETSI TS 126 245, 5.17.1.1)."""
    length = int.from_bytes(content[:2], "big")
    text, records = content[2 : 2 + length], content[2 + length + 10 :]
    found = []
    for place in range(0, len(records), 12):
        begin, end, _, face, size = struct.unpack(">HHHBB", records[place : place + 8])
        found.append((text[begin:end].decode(), face, size))
    return found


def test_of_many_texts_at_once_the_newest_are_shown(tmp_path: Path) -> None:
    made = titled(tmp_path / "in.mkv", [(index / 10, 4.9, f"{index:02}") for index in range(40)])
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    assert "left out" not in result.stderr
    texts = [text.split("|") for _, _, text in shown(tmp_path / "out.mp4")]
    newest = [[f"{index:02}" for index in range(max(0, last - 7), last + 1)] for last in range(40)]
    assert texts == newest


def test_long_texts_at_once_are_shown_one_at_a_time(tmp_path: Path) -> None:
    made = titled(tmp_path / "in.mkv", [(index, 4.9, f"{index}" * 30_000) for index in range(4)])
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    assert "left out" not in result.stderr
    begins = [(text[0], len(text)) for _, _, text in shown(tmp_path / "out.mp4")]
    assert begins == [(f"{index}", 30_000) for index in range(4)]


def test_lines_that_are_never_shown_are_told(tmp_path: Path) -> None:
    texts = [(1.0, 4.9, f"{index}") for index in range(10)]
    made = titled(tmp_path / "in.mkv", [*texts, (4.9, 5.0, "x" * 70_000)])
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    lost = "one line that mov_text cannot hold and 2 lines among too many at once: left out"
    assert result.stderr.splitlines()[1:] == [f"stream 1 (subtitle) of {made} has {lost}"]
    assert shown(tmp_path / "out.mp4") == close_to([(1.0, 4.9, "2|3|4|5|6|7|8|9")])
