"""What a file has beside its picture: every track, chapter, attachment and tag comes along, or is told."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from tests.commands import call
from tests.media import grey, greys, make_sound, make_video, noise, to_yuv, video_seconds

SUBTITLES = b"1\n00:00:00,100 --> 00:00:00,500\nhello\n\n2\n00:00:00,600 --> 00:00:00,900\nthere\n"


def rich_clip(path: Path, sounds: Sequence[str] = ("aac", "libopus"), count: int = 30) -> Path:
    """A second of video with sounds, subtitles, two chapters, a font, a cover and tags."""
    subtitles = path.with_name("words.srt")
    subtitles.write_bytes(SUBTITLES)
    with av.open(str(path), "w") as container, av.open(str(subtitles)) as words:
        container.metadata.update(title="A day", artist="Somebody", comment="a comment")
        video = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        tracks = [container.add_stream(name, rate=48_000) for name in sounds]
        for track, language in zip(tracks, ("eng", "fra"), strict=False):
            track.metadata["language"] = language
        text = container.add_stream_from_template(words.streams.subtitles[0])
        text.metadata["language"] = "deu"
        if path.suffix == ".mkv":
            container.add_attachment("font.ttf", "font/ttf", b"not really a font")
            container.add_attachment("cover.png", "image/png", png())
        container.set_chapters(
            [
                {"id": i, "start": i * 500, "end": i * 500 + 500, "time_base": Fraction(1, 1000)}
                | {"metadata": {"title": name}}
                for i, name in enumerate(("morning", "evening"))
            ]
        )
        for index, image in enumerate(greys(count)):
            frame = to_yuv(image, "yuv420p", 5, False)
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for track in tracks:
            for samples in noise(count / 30):
                container.mux(track.encode(samples))
            container.mux(track.encode(None))
        for packet in words.demux(words.streams.subtitles[0]):
            if packet.size:
                packet.stream = text
                container.mux(packet)
    subtitles.unlink()
    return path


def png() -> bytes:
    context = av.CodecContext.create("png", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 16, 16, "rgb24", Fraction(1)
    frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), 200, np.uint8), format="rgb24")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def packets(path: Path, kind: str, index: int = 0) -> list[tuple[float, bytes]]:
    """(seconds, bytes) of each packet of one track."""
    with av.open(str(path)) as container:
        stream = container.streams.get({kind: index})[0]
        return [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(stream) if p.size]


def codecs(path: Path, kind: str) -> list[str]:
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        return [stream.codec_context.codec.canonical_name for stream in streams]


def words(path: Path) -> list[tuple[float, str]]:
    with av.open(str(path)) as container:
        found = []
        for packet in container.demux(container.streams.subtitles[0]):
            if packet.size:
                for subtitle in packet.decode():
                    found.append((float(packet.pts * packet.time_base), subtitle.dialogue.decode()))
        return [(when, text) for when, text in found if text]


def test_matroska_keeps_everything(tmp_path: Path) -> None:
    made = rich_clip(tmp_path / "in.mkv")
    result = call("video", made, tmp_path / "out.mkv", "--strength", 0)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    out = tmp_path / "out.mkv"
    for index in range(2):
        assert packets(out, "audio", index) == packets(made, "audio", index)
    assert packets(out, "subtitles") == packets(made, "subtitles")
    with av.open(str(out)) as container, av.open(str(made)) as original:
        assert [c["metadata"] for c in container.chapters()] == [{"title": "morning"}, {"title": "evening"}]
        assert [c["start"] for c in container.chapters()] == [c["start"] for c in original.chapters()]
        assert container.metadata["title"] == "A day"
        # (the cover is an attachment in the file, which FFmpeg shows as a picture)
        assert {s.metadata.get("filename") for s in container.streams} >= {"font.ttf"}
        covers = [s for s in container.streams.video if s.disposition & av.stream.Disposition.attached_pic]
        assert len(covers) == 1
        assert [s.language for s in container.streams.audio] == ["eng", "fra"]
        assert [s.language for s in container.streams.subtitles] == ["deu"]


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.webm", "out.ts", "out.avi"])
def test_other_containers_keep_what_they_can_and_tell_the_rest(name: str, tmp_path: Path) -> None:
    made = rich_clip(tmp_path / "in.mkv")
    result = call("video", made, tmp_path / name, "--strength", 0)
    assert result.exit_code == 0, result.output
    out, said = tmp_path / name, result.stderr
    assert len(codecs(out, "audio")) == 2
    assert len(video_seconds(out)) == 30
    if name in ("out.mp4", "out.mov", "out.webm"):
        assert [text for _, text in words(out)] == ["hello", "there"]
        assert [when for when, _ in words(out)] == pytest.approx([0.1, 0.6], abs=0.002)
        with av.open(str(out)) as container:
            assert [c["metadata"]["title"] for c in container.chapters()] == ["morning", "evening"]
    else:
        assert "subtitle, deu) of" in said
        assert "is left out" in said
        assert "chapters" in said
    assert "(attachment)" in said  # the font
    if name != "out.ts":  # which has no place for a title
        with av.open(str(out)) as container:
            assert container.metadata["title"] == "A day"


@pytest.mark.parametrize(
    ("name", "sounds", "expected"),
    [
        ("out.mp4", ("pcm_s16le", "aac"), ["aac", "aac"]),
        ("out.mov", ("flac", "pcm_s16le"), ["aac", "pcm_s16le"]),
        ("out.webm", ("aac", "libopus"), ["opus", "opus"]),
        ("out.avi", ("aac", "libmp3lame"), ["mp3", "mp3"]),
        ("out.ts", ("flac", "ac3"), ["aac", "ac3"]),
        ("out.m2ts", ("aac", "eac3"), ["ac3", "eac3"]),
    ],
)
def test_sound_that_would_not_play_is_encoded_again(
    name: str, sounds: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    made = rich_clip(tmp_path / "in.mkv", sounds)
    result = call("video", made, tmp_path / name, "--strength", 0)
    assert result.exit_code == 0, result.output
    assert codecs(tmp_path / name, "audio") == expected
    assert result.stderr.count("it is encoded again, as") == 1
    with av.open(str(tmp_path / name)) as container:
        for track in container.streams.audio:
            container.seek(0)
            samples = sum(f.samples / f.sample_rate for f in container.decode(track))
            assert samples == pytest.approx(1.0, abs=0.08)  # some frames of padding


@pytest.mark.parametrize(("video", "sound"), [(2.0, 1.0), (1.0, 2.0)])
def test_sound_longer_and_shorter_than_the_video_stays_so(video: float, sound: float, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", greys(int(30 * video)), sound="aac", sound_seconds=sound)
    assert call("video", made, tmp_path / "out.mp4", "--strength", 0).exit_code == 0
    assert packets(tmp_path / "out.mp4", "audio") == packets(made, "audio")
    assert video_seconds(tmp_path / "out.mp4") == pytest.approx(video_seconds(made), abs=0.001)


def test_an_ogg_of_sound_alone_is_refused(tmp_path: Path) -> None:
    result = call("video", make_sound(tmp_path / "in.m4a"), tmp_path / "out.mp4")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "holds no video" in result.stderr


def test_a_line_of_subtitles_that_is_not_utf8_is_left_out_and_told(tmp_path: Path) -> None:
    made = tmp_path / "in.mkv"
    with av.open(str(made), "w") as container:
        video = container.add_stream("mpeg4", rate=30)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        text = container.add_stream("srt")
        text.codec_context.subtitle_header = b"[Script Info]\n"
        for index, image in enumerate(greys(30)):
            frame = to_yuv(image, "yuv420p", 5, False)
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for index, line in enumerate([b"hello", b"caf\xe9", b"there"]):
            packet = av.Packet(line)
            packet.stream, packet.time_base = text, Fraction(1, 1000)
            packet.pts = packet.dts = 300 * index
            packet.duration = 200
            container.mux(packet)
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("has one line that cannot be decoded: left out") == 1
    assert [text for _, text in words(tmp_path / "out.mp4")] == ["hello", "there"]


def test_subtitles_of_pictures_stay_in_a_transport_stream(tmp_path: Path) -> None:
    made = tmp_path / "in.ts"
    with av.open(str(made), "w") as container:
        video = container.add_stream("mpeg2video", rate=30)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        pictures = container.add_stream("dvbsub")
        for index, image in enumerate(greys(30)):
            frame = to_yuv(image, "yuv420p", 5, False)
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        packet = av.Packet(b"\x0f\x10\x00\x01\x00\x02\x1e\x00")
        packet.stream, packet.time_base, packet.pts, packet.dts = pictures, Fraction(1, 1000), 500, 500
        container.mux(packet)
    result = call("video", made, tmp_path / "out.ts", "--strength", 0)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert packets(tmp_path / "out.ts", "subtitles")[0][1] == packets(made, "subtitles")[0][1]


@pytest.mark.parametrize("default", [0, 1])
def test_of_several_videos_the_default_one_is_painted(default: int, tmp_path: Path) -> None:
    """And the other one is told."""
    with av.open(str(tmp_path / "in.mkv"), "w") as container:
        for index, level in enumerate((60, 180)):
            made = make_video(tmp_path / f"{index}.mp4", [grey(level)] * 10)
            with av.open(str(made)) as one:
                track = container.add_stream_from_template(one.streams.video[0])
                track.disposition = Disposition.default if index == default else Disposition(0)
        for index in range(2):
            with av.open(str(tmp_path / f"{index}.mp4")) as one:
                for packet in [packet for packet in one.demux(video=0) if packet.size]:
                    packet.stream = container.streams[index]
                    container.mux(packet)
    result = call("video", tmp_path / "in.mkv", tmp_path / "out.mkv", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert f"stream {1 - default} (video) of" in result.stderr
    assert f"is left out: stream {default} is the one video that is painted" in result.stderr
    with av.open(str(tmp_path / "out.mkv")) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert abs(float(frame.mean()) - (60, 180)[default]) < 5


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_the_track_that_shows_chapters_is_no_loss(suffix: str, tmp_path: Path) -> None:
    rich = rich_clip(tmp_path / "in.mkv", ["aac"])
    made, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    assert call("video", rich, made, "--strength", 0).exit_code == 0
    result = call("video", made, out, "--strength", 0)
    assert "(data" not in result.stderr
    with av.open(str(out)) as container:
        assert len(container.chapters()) == 2
