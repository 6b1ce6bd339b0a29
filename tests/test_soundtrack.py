from fractions import Fraction
from pathlib import Path

import av
import pytest

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.sinks.file import FileSink
from tests.commands import call
from tests.media import greys, make_sound, make_video, noise, sound_packets, video_seconds


def with_sound(
    origin: Path, path: Path, count: int = 15, rate: int = 30, error: BaseException | None = None
) -> Path:
    """Write `count` frames with the sound of `origin`, then let `error` end the `with`."""
    with FileSink(path, (64, 48), rate=rate, audio_from=origin) as sink:
        for index, image in enumerate(greys(count)):
            sink.write(Frame(image, index / rate))
        if error is not None:
            raise error
    return path


def test_an_unreadable_soundtrack_is_refused_on_opening(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("only words")
    with pytest.raises(SinkError, match=r"notes\.mp4"):
        FileSink(tmp_path / "out.mp4", (64, 48), audio_from=tmp_path / "notes.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.mp4"]


@pytest.mark.parametrize(
    ("origin", "codec", "output"),
    [
        ("in.mp4", "aac", "out.mp4"),
        ("in.mp4", "aac", "out.mkv"),
        ("in.mkv", "aac", "out.mp4"),
        ("in.mkv", "libopus", "out.mkv"),
        ("in.mkv", "libopus", "out.mp4"),
        ("in.mkv", "flac", "out.mp4"),
        ("in.mkv", "libmp3lame", "out.mp4"),
        ("in.mkv", "ac3", "out.mov"),
        ("in.mov", "pcm_s16le", "out.mov"),
        ("in.mkv", "pcm_s16le", "out.mkv"),
    ],
)
@pytest.mark.parametrize("sound_starts", [0.0, 0.25])
def test_sound_is_copied_byte_for_byte_in_time_with_the_video(
    tmp_path: Path, origin: str, codec: str, output: str, sound_starts: float
) -> None:
    made = make_video(tmp_path / origin, greys(15), sound=codec, sound_starts=sound_starts)
    path = with_sound(made, tmp_path / output)
    assert [data for _, data in sound_packets(path)] == [data for _, data in sound_packets(made)]
    # Matroska counts in milliseconds, on either side.
    assert offset_seconds(path) == pytest.approx(offset_seconds(made), abs=0.0021)


def offset_seconds(path: Path) -> float:
    """How much later than the video the first packet of sound comes."""
    return sound_packets(path)[0][0] - video_seconds(path)[0]


def test_sound_that_starts_before_the_video_keeps_its_lead(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", greys(15), start=0.4, sound="aac", sound_seconds=0.9)
    path = with_sound(made, tmp_path / "out.mp4")
    assert offset_seconds(path) == pytest.approx(offset_seconds(made), abs=0.001)
    assert video_seconds(path)[0] == pytest.approx(0.4, abs=0.001)
    assert len(sound_packets(path)) == len(sound_packets(made))


@pytest.mark.parametrize(("codec", "output"), [("pcm_s16le", "out.mp4"), ("flac", "out.mov")])
def test_sound_that_would_not_play_is_encoded_again_and_says_so(
    tmp_path: Path, codec: str, output: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = make_video(tmp_path / "in.mkv", greys(30), sound=codec)
    path = with_sound(made, tmp_path / output, count=30)
    assert "encoded again, as aac" in caplog.text
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        assert track.codec_context.name == "aac"
        samples = sum(frame.samples for frame in container.decode(track))
    assert samples / 48_000 == pytest.approx(1.0, abs=0.05)  # an AAC frame is 0.02 s


@pytest.mark.parametrize(("rate", "copied"), [(8000, False), (12000, False), (16000, True)])
def test_mp3_of_a_rate_that_mp4_does_not_know_is_encoded_again(
    tmp_path: Path, rate: int, copied: bool, caplog: pytest.LogCaptureFixture
) -> None:
    made = tmp_path / "in.mkv"
    with av.open(str(made), "w") as container:
        track = container.add_stream("libmp3lame", rate=rate)
        for samples in noise(1, rate=rate):
            container.mux(track.encode(samples))
        container.mux(track.encode(None))
    path = with_sound(made, tmp_path / "out.mp4", count=30)
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        assert (track.codec_context.name == "aac") is not copied
        samples = sum(frame.samples for frame in container.decode(track))
    assert samples / rate == pytest.approx(1.0, abs=0.2)
    assert (f"is mp3 sound of {rate} Hz, which mp4 files cannot hold" in caplog.text) is not copied


@pytest.mark.parametrize("suffix", ["mkv", "ts", "mp4"])
def test_sound_that_an_edit_list_cuts_away_stays_away(tmp_path: Path, suffix: str) -> None:
    whole = make_video(tmp_path / "whole.mp4", greys(60), sound="aac")
    cut = tmp_path / "cut.mp4"
    with av.open(str(whole)) as origin, av.open(str(cut), "w") as container:
        tracks = {track.index: container.add_stream_from_template(track) for track in origin.streams}
        for packet in origin.demux():
            if packet.dts is not None and packet.pts is not None:
                shift = round(Fraction(1, 2) / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = tracks[packet.stream_index]
                container.mux(packet)
    heard = sum(len(data) for _, data in sound_packets(whole))
    assert call("video", cut, tmp_path / f"out.{suffix}", "--strength", 0).exit_code == 0
    out = tmp_path / f"out.{suffix}"
    assert len(video_seconds(out)) == 45
    if suffix == "mp4":  # which can hide it
        assert video_seconds(out)[0] == pytest.approx(0, abs=0.001)
    else:
        assert -0.07 < offset_seconds(out) < 0  # two packets for the decoder to begin with
        assert sum(len(data) for _, data in sound_packets(out)) < 0.9 * heard


def test_a_file_without_sound_gives_one_without_sound(tmp_path: Path) -> None:
    path = with_sound(make_video(tmp_path / "in.mp4", greys(5)), tmp_path / "out.mp4", count=5)
    with av.open(str(path)) as container:
        assert not container.streams.audio


def test_sound_may_come_from_a_file_without_video(tmp_path: Path) -> None:
    made = make_sound(tmp_path / "in.m4a")
    path = with_sound(made, tmp_path / "out.mp4")
    assert [data for _, data in sound_packets(path)] == [data for _, data in sound_packets(made)]


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_ctrl_c_cuts_the_sound_where_the_video_ends(tmp_path: Path, codec: str) -> None:
    made = make_video(tmp_path / "in.mkv", greys(30), rate=10, sound=codec)
    with pytest.raises(KeyboardInterrupt):
        with_sound(made, tmp_path / "out.mp4", 10, rate=10, error=KeyboardInterrupt())
    last = sound_packets(tmp_path / "out.mp4")[-1][0]
    assert last == pytest.approx(1.0, abs=0.06)  # two AAC frames


def test_sound_of_a_part_ends_with_it_where_its_first_frame_comes_late(tmp_path: Path) -> None:
    made = make_video(
        tmp_path / "in.mkv", greys(3), pts=[0.0, 0.14, 1.6], sound="pcm_s16le", sound_seconds=2.0
    )
    options = ["--strength", 0, "--start", 0.1, "--end", 1.2]
    assert call("video", made, tmp_path / "out.mkv", *options).exit_code == 0
    assert video_seconds(tmp_path / "out.mkv") == [0.0]
    sounds = sound_packets(tmp_path / "out.mkv")
    assert sounds[0][0] == pytest.approx(0.0, abs=0.025)
    assert sounds[-1][0] == pytest.approx(1.05, abs=0.02)
