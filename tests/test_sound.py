"""Sound that cannot be copied as it is, or not all of it, stays in step with the picture."""

import random
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.commands import call, livestyle
from tests.media import greys, make_video, noise, sound_packets, to_yuv, video_seconds
from tests.test_tracks import codecs

_LOUD = 0.02
"""Of full scale: noise is louder, what codecs make of silence is not."""
_STEP = 1200
"""Samples: an encoder begins more softly than that takes."""
NAMELESS = "9 channels"


def clip(
    path: Path,
    codec: str,
    pieces: Sequence[tuple[float, float]] = ((0.0, 1.0),),
    layout: str = "stereo",
    rate: int = 48_000,
    video: str = "mpeg4",
) -> Path:
    """A second of video, with noise in `pieces`: each (start, length) in seconds."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(video, rate=30)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream(codec, rate=rate, layout=layout, bit_rate=128_000)
        for index, image in enumerate(greys(30)):
            frame = to_yuv(image, "yuv420p", 5, False)
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        for starts, seconds in pieces:
            for samples in noise(seconds, starts, rate) if layout != NAMELESS else nameless(seconds, rate):
                container.mux(track.encode(samples))
        container.mux(track.encode(None))
    return path


def nameless(seconds: float, rate: int) -> Iterator[av.AudioFrame]:
    samples = np.zeros((1, 9 * round(seconds * rate)), np.int16)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=NAMELESS)
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    yield frame


def painted(made: Path, out: Path) -> str:
    """What livestyle says while it paints."""
    result = call("video", made, out, "--strength", 0)
    assert result.exit_code == 0, result.output
    return result.stderr


def loud(path: Path) -> list[float]:
    """When noise begins and ends, in turn: seconds from the first frame."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    rate = frames[0].sample_rate
    # AVI has no times: its sound begins with its picture
    late = 0.0 if path.suffix == ".avi" else frames[0].time - video_seconds(path)[0]
    samples = np.concatenate([mono(frame) for frame in frames])
    steps = samples[: len(samples) // _STEP * _STEP].reshape(-1, _STEP).max(1) > _LOUD
    changes = np.flatnonzero(np.diff(np.concatenate([[False], steps, [False]]).astype(int)))
    return [late + change * _STEP / rate for change in changes]


def mono(frame: av.AudioFrame) -> np.ndarray:
    packed = av.AudioResampler("flt", "mono", frame.sample_rate).resample(frame)
    return np.abs(np.concatenate([piece.to_ndarray()[0] for piece in packed]))


def test_sound_whose_format_changes_is_encoded_again_as_one(tmp_path: Path) -> None:
    """As in television, where a film in 5.1 follows a show in stereo."""
    other = av.CodecContext.create("ac3", "w")
    other.sample_rate, other.layout, other.format = 44_100, "5.1", "fltp"
    other.time_base = Fraction(1, 44_100)
    made = tmp_path / "in.ts"
    with av.open(str(made), "w") as container:
        pictures = container.add_stream("mpeg2video", rate=30)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream("ac3", rate=48_000)
        for index, image in enumerate(greys(60)):
            frame = to_yuv(image, "yuv420p", 5, False)
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(pictures.encode(frame))
        for samples in noise(1.0):
            container.mux(track.encode(samples))
        container.mux(track.encode(None))
        for samples in [*noise(1.0, 1.0, 44_100), None]:
            for packet in other.encode(samples):
                packet.stream = track
                container.mux(packet)
    painted(made, tmp_path / "out.webm")
    assert loud(tmp_path / "out.webm") == pytest.approx([0.0, 2.0], abs=0.05)


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "out.ts"])
def test_a_damaged_packet_of_sound_is_left_out_and_told(name: str, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.ts", greys(60), sound="aac")
    content, chance = bytearray(made.read_bytes()), random.Random(0)
    for place in (0.4, 0.55, 0.7):
        at, length = int(place * len(content)), len(content) // 200
        content[at : at + length] = chance.randbytes(length)
    made.write_bytes(content)
    result = call("video", made, tmp_path / name, "--strength", 0)
    assert result.exit_code == 1
    assert len(re.findall("damaged or out of order: .* left out; the rest is painted", result.stderr)) == 1
    assert len(video_seconds(tmp_path / name)) > 50
    with av.open(str(tmp_path / name)) as container:
        assert sum(packet.size > 0 for packet in container.demux(audio=0)) > 80


@pytest.mark.parametrize("command", ["video", "batch"])
def test_damage_in_the_sound_alone_makes_the_exit_code_1(command: str, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mkv", greys(30), sound="aac")
    packet = sound_packets(made)[20][1]
    made.write_bytes(made.read_bytes().replace(packet, random.Random(0).randbytes(len(packet))))
    form = ["--format", "webm", "-o", tmp_path / "out"] if command == "batch" else [tmp_path / "out.webm"]
    result = call(command, made, *form, "--strength", 0)
    assert result.exit_code == 1, result.output
    assert f"{made} has 1 packet that is damaged or out of order: it is left out" in result.output
    (out,) = tmp_path.rglob("*.webm")
    assert len(video_seconds(out)) == 30


def test_sound_that_cannot_be_decoded_at_all_is_told(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mkv", greys(30), sound="aac")
    content, chance = made.read_bytes(), random.Random(0)
    for _, packet in sound_packets(made):
        content = content.replace(packet, chance.randbytes(len(packet)))
    made.write_bytes(content)
    result = call("video", made, tmp_path / "out.webm", "--strength", 0)
    assert result.exit_code == 1, result.output
    assert (
        f"{made} cannot be decoded by this FFmpeg: all of it is left out; .mkv may keep it" in result.stderr
    )


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.ts", "out.mkv"])
def test_windows_media_sound_of_an_avi_is_encoded_again(name: str, tmp_path: Path) -> None:
    said = painted(clip(tmp_path / "in.avi", "wmav2", rate=44_100), tmp_path / name)
    assert "wmav2 sound" in said
    assert codecs(tmp_path / name, "audio") == ["aac"]


@pytest.mark.parametrize("codec", ["adpcm_ms", "adpcm_ima_wav", "pcm_mulaw", "pcm_alaw", "wmav1"])
def test_matroska_gets_again_what_it_cannot_hold(codec: str, tmp_path: Path) -> None:
    said = painted(clip(tmp_path / "in.avi", codec, rate=44_100), tmp_path / "out.mkv")
    assert (
        f"is {codec} sound, which livestyle cannot copy into matroska files: it is encoded again, as aac"
        in said
    )


@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "pcm_s16le"])
def test_late_sound_is_late_in_an_avi_too(codec: str, tmp_path: Path) -> None:
    made = clip(tmp_path / "in.mkv", codec, [(0.6, 0.4)])
    painted(made, tmp_path / "out.avi")
    assert loud(tmp_path / "out.avi")[0] == pytest.approx(0.6, abs=0.06)  # MP3 begins with 0.025 s of silence


@pytest.mark.parametrize("name", ["out.avi", "out.mov", "out.mp4"])
def test_a_gap_in_sound_without_times_of_its_own_becomes_silence(name: str, tmp_path: Path) -> None:
    made = clip(tmp_path / "in.mkv", "pcm_s16le", [(0.0, 0.3), (0.8, 0.5)])
    painted(made, tmp_path / name)
    assert loud(tmp_path / name) == pytest.approx([0.0, 0.3, 0.8, 1.3], abs=0.05)


def test_a_gap_in_copied_sound_that_an_avi_cannot_hold_is_told(tmp_path: Path) -> None:
    said = painted(clip(tmp_path / "in.mkv", "libmp3lame", [(0.0, 0.3), (0.8, 0.5)]), tmp_path / "out.avi")
    assert "s of gaps, which the output cannot hold: what follows comes too early; use .mkv" in said


def test_a_part_that_begins_in_a_gap_which_an_avi_cannot_hold_tells_it(tmp_path: Path) -> None:
    made = clip(tmp_path / "in.mkv", "libmp3lame", [(0.0, 0.3), (0.8, 0.5)])
    result = call("video", made, tmp_path / "out.avi", "--strength", 0, "--start", 0.5)
    lost = re.search(r"has (.*) s of gaps, which the output cannot hold", result.stderr)
    assert lost is not None
    assert float(lost[1]) == pytest.approx(0.3, abs=0.06)  # two frames of MP3


def test_an_m2ts_is_one_to_its_players(tmp_path: Path) -> None:
    """Packets with a time before each, and no sound but that of Blu-ray discs."""
    said = painted(clip(tmp_path / "in.mkv", "pcm_s16le", layout="7.1"), tmp_path / "out.m2ts")
    assert "it is encoded again, as ac3, in 5.1" in said
    content = (tmp_path / "out.m2ts").read_bytes()
    assert len(content) % 192 == 0
    assert set(content[4::192]) == {0x47}
    assert loud(tmp_path / "out.m2ts") == pytest.approx([0.0, 1.0], abs=0.05)


@pytest.mark.parametrize("name", ["out.webm", "out.mp4"])
@pytest.mark.parametrize("layout", ["mono", "2.1", "3.0", "4.0", "quad", "5.1(side)", "7.1"])
def test_sound_of_any_number_of_channels_gets_in(layout: str, name: str, tmp_path: Path) -> None:
    painted(clip(tmp_path / "in.mkv", "pcm_s16le", layout=layout), tmp_path / name)
    with av.open(str(tmp_path / name)) as container:
        channels = container.streams.audio[0].layout.nb_channels
    assert channels == av.AudioLayout(layout).nb_channels


def test_more_channels_than_an_encoder_knows_become_two(tmp_path: Path) -> None:
    said = painted(clip(tmp_path / "in.mov", "pcm_s16le", layout="hexadecagonal"), tmp_path / "out.webm")
    assert "it is encoded again, as opus, in stereo" in said


def test_channels_that_nobody_can_tell_apart_are_left_out_and_told(tmp_path: Path) -> None:
    said = painted(clip(tmp_path / "in.mkv", "pcm_s16le", layout=NAMELESS), tmp_path / "out.mp4")
    assert "is left out: nothing says where its 9 channels belong" in said


def test_labelled_channels_of_mov_are_left_out_before_they_do_harm(tmp_path: Path) -> None:
    """PyAV frees memory twice when it is asked for their layout."""
    made = clip(tmp_path / "in.mov", "pcm_s16le", layout="7.1")
    done = livestyle(made, tmp_path / "out.mp4")
    assert done.returncode == 0
    assert b"its many channels cannot be decoded; .mkv keeps them" in done.stderr
    assert livestyle(made, tmp_path / "out.mkv").returncode == 0
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert len(container.streams.audio) == 1


@pytest.mark.parametrize("form", ["mp4", "mov", "mkv"])
def test_aac_of_a_transport_stream_gets_into_a_pipe(form: str, tmp_path: Path) -> None:
    done = livestyle(clip(tmp_path / "in.ts", "aac"), "-", "--format", form)
    assert done.returncode == 0
    (tmp_path / f"out.{form}").write_bytes(done.stdout)
    assert len(video_seconds(tmp_path / f"out.{form}")) == len(video_seconds(tmp_path / "in.ts"))
