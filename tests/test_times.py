"""Every frame at its own time: whatever rate, start, order or gap a file has."""

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from livestyle.sources import open_source
from tests.commands import call
from tests.media import TIME_BASE, greys, make_video, sound_packets, to_yuv, video_seconds

RATES = [Fraction(24_000, 1001), Fraction(25), Fraction(30_000, 1001), Fraction(60_000, 1001), Fraction(1)]


def relative(moments: list[float]) -> list[float]:
    return [moment - moments[0] for moment in moments]


def painted(made: Path, out: Path, *options: object) -> list[float]:
    result = call("video", made, out, "--strength", 0, *options)
    assert result.exit_code == 0, result.output
    return relative(video_seconds(out))


@pytest.mark.parametrize("rate", RATES, ids=[f"{float(rate):.3f}" for rate in RATES])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm", "out.ts"])
def test_broken_rates_stay_exact(rate: Fraction, name: str, tmp_path: Path) -> None:
    moments = [float(i / rate) for i in range(40)]
    made = make_video(tmp_path / "in.mp4", greys(40), pts=moments)
    assert painted(made, tmp_path / name) == pytest.approx(moments, abs=0.001)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".ts", ".webm"])
@pytest.mark.parametrize("start", [0.0, 5.0])
def test_rates_that_vary_gaps_and_late_starts_are_kept(suffix: str, start: float, tmp_path: Path) -> None:
    moments = [0.0, 0.02, 0.04, 0.1, 0.5, 0.51, 0.9, 4.9, 4.95, 5.2]
    codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
    made = make_video(tmp_path / f"in{suffix}", greys(10), pts=moments, start=start, codec=codec)
    assert painted(made, tmp_path / "out.mp4") == pytest.approx(moments, abs=0.001)


def test_times_below_zero_are_kept_with_their_sound(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.nut", greys(30), start=-0.5, sound="aac", sound_starts=-0.5)
    assert painted(made, tmp_path / "out.mp4") == pytest.approx([i / 30 for i in range(30)], abs=0.001)
    gaps = [sound_packets(path)[0][0] - video_seconds(path)[0] for path in (made, tmp_path / "out.mp4")]
    assert gaps[0] == pytest.approx(gaps[1], abs=0.001)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_frames_that_are_stored_out_of_order_come_in_order(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"in{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"bf": "3", "preset": "medium"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 30) if suffix == ".avi" else TIME_BASE
        for index, image in enumerate(greys(40)):
            frame = to_yuv(image, "yuv420p", 5, False)
            frame.pts, frame.time_base = 3000 * index, TIME_BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    moments = painted(path, tmp_path / "out.mp4")
    assert moments == pytest.approx([i / 30 for i in range(40)], abs=0.001)
    source = open_source(tmp_path / "out.mp4")
    levels = [int(frame.image[10, 10, 0]) for frame in source]
    source.close()
    assert levels == sorted(levels)
    assert len(set(levels)) == 40


def test_an_edit_list_cuts_what_it_cuts(tmp_path: Path) -> None:
    """FFmpeg's muxer writes an edit list for what starts before zero: players do not show that."""
    made = make_video(tmp_path / "in.mp4", greys(30), start=-0.5, gop=1)
    shown = video_seconds(made)
    assert len(shown) == 15
    assert painted(made, tmp_path / "out.mp4") == pytest.approx(relative(shown), abs=0.001)


@pytest.mark.parametrize(("fps", "count"), [("10", 11), ("60", 61), ("29.97", 31), ("30000/1001", 31)])
def test_a_rate_can_be_forced(fps: str, count: int, tmp_path: Path) -> None:
    moments = [0.0, 0.033, 0.1, 0.4, 0.41, 1.0]
    made = make_video(tmp_path / "in.mp4", greys(6), pts=moments, sound="aac")
    times = painted(made, tmp_path / "out.mp4", "--fps", fps)
    exact = Fraction(fps).limit_denominator(1001)
    assert times[:count] == pytest.approx([float(i / exact) for i in range(count)], abs=0.001)
    source = open_source(tmp_path / "out.mp4")
    levels = [int(frame.image[10, 10, 0]) for frame in source]
    source.close()
    for index, level in enumerate(levels[:count]):
        (last,) = [n for n, moment in enumerate(moments) if moment <= index / exact + 0.001][-1:]
        assert level == pytest.approx(20 + 5 * last, abs=3)


@pytest.mark.parametrize(("name", "options"), [("out.avi", []), ("out.mp4", ["--preset", "medium"])])
def test_a_frame_an_hour_is_kept(name: str, options: list[str], tmp_path: Path) -> None:
    """AVI counts in frames; at other presets H.264 is stored out of order, here by hours."""
    made = make_video(tmp_path / "in.mkv", greys(6), rate=Fraction(1, 3600))
    hours = [3600 * index for index in range(6)]
    assert painted(made, tmp_path / name, *options) == pytest.approx(hours, abs=0.001)


def test_a_burst_in_a_slow_animation_is_no_faster_than_browsers_show_it(tmp_path: Path) -> None:
    """They show frames of less than 0.02 s for 0.1 s."""
    slow = [0.5 + index / 5 for index in range(10)]
    made = make_video(tmp_path / "in.mkv", greys(34), pts=[index / 120 for index in range(24)] + slow)
    result = call("video", made, tmp_path / "out.gif", "--strength", 0)
    assert "gif files show 50 frames a second at most: 34 frames became 21" in result.stderr
    times = video_seconds(tmp_path / "out.gif")
    assert np.diff(times).min() == pytest.approx(0.02)
    assert times[-10:] == pytest.approx(slow, abs=0.011)
    with av.open(str(tmp_path / "out.gif")) as container:
        levels = [int(frame.to_ndarray(format="rgb24")[10, 10, 0]) for frame in container.decode(video=0)]
    assert levels[10] == pytest.approx(20 + 5 * 23, abs=3)


def test_a_rate_fills_nothing_behind_the_end_that_was_asked_for(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", greys(5), pts=[0, 0.1, 0.2, 10.2, 10.3])  # 0.5 a second
    times = painted(made, tmp_path / "out.mp4", "--fps", 12, "--start", 0.1, "--end", 0.35)
    assert times == pytest.approx([0, 1 / 12, 2 / 12], abs=0.001)


def test_an_avi_gets_a_constant_rate(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", greys(6), pts=[0.0, 0.033, 0.1, 0.4, 0.5, 1.0])
    source = open_source(made)
    rate = source.fps
    source.close()
    times = painted(made, tmp_path / "out.avi")
    np.testing.assert_allclose(np.diff(times), 1 / rate, atol=0.001)
    assert len(times) > 6
    assert times[-1] >= 1.0


def test_the_delay_of_sound_moves_no_frame_of_an_avi(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", greys(40), sound="aac")
    painted(made, tmp_path / "out.avi")
    with av.open(str(tmp_path / "out.avi")) as container:
        shown = [packet.dts for packet in container.demux(video=0) if packet.size]
    assert shown == list(range(40))  # one place on the grid for each


def test_a_gif_is_not_faster_than_browsers_show_it(tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", greys(40), pts=[i / 120 for i in range(40)])
    times = painted(made, tmp_path / "out.gif")
    assert min(np.diff(times)) >= 0.0199


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="no ffmpeg")
def test_another_program_agrees_about_the_times(tmp_path: Path) -> None:
    moments = [0.0, 0.033, 0.1, 0.4, 0.41, 1.0]
    made = make_video(tmp_path / "in.mp4", greys(6), pts=moments)
    painted(made, tmp_path / "out.mp4")
    command = [
        "ffprobe",
        "-v",
        "error",
        "-show_entries",
        "frame=pts_time",
        "-of",
        "csv=p=0",
        str(tmp_path / "out.mp4"),
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.replace(",", "")
    assert [float(line) for line in told.split()] == pytest.approx(moments, abs=0.001)


@pytest.mark.parametrize("sound", [None, "aac"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.ts"])
def test_a_clock_that_begins_anew_goes_on(name: str, sound: str | None, tmp_path: Path) -> None:
    """As in a stream of television that `cat` has joined from two."""
    made = make_video(tmp_path / "in.ts", greys(30), sound=sound)
    made.write_bytes(2 * made.read_bytes())
    result = call("video", made, tmp_path / name, "--strength", 0)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("what follows is joined on") == 1
    # (sound comes in frames of 0.02 s: it is a little longer than the picture)
    expected = [i / 30 for i in range(30)] + [1.02 + i / 30 for i in range(30)]
    assert relative(video_seconds(tmp_path / name)) == pytest.approx(expected, abs=0.04)
    if sound is not None:
        moments, contents = zip(*sound_packets(tmp_path / name), strict=True)
        again = contents.index(contents[20], 21)
        pictures = video_seconds(tmp_path / name)
        assert moments[again] - moments[20] == pytest.approx(pictures[30] - pictures[0], abs=0.005)


def test_a_sparse_stream_is_no_other_clock(tmp_path: Path) -> None:
    """Subtitles of television pause for more than a minute."""
    made = tmp_path / "in.ts"
    with av.open(str(made), "w") as container:
        video = container.add_stream("mpeg2video", rate=1)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        data = container.add_data_stream("klv")
        for index, image in enumerate(greys(100)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1)
            container.mux(video.encode(frame))
            if index in (10, 12, 90):
                packet = av.Packet(b"words")
                packet.stream, packet.time_base = data, Fraction(1)
                packet.pts = packet.dts = index
                container.mux(packet)
        container.mux(video.encode(None))
    result = call("video", made, tmp_path / "out.mp4", "--strength", 0)
    assert "joined" not in result.stderr
    assert relative(video_seconds(tmp_path / "out.mp4")) == pytest.approx(range(100), abs=0.002)


@pytest.mark.parametrize("after", [0, 12])
def test_sound_that_comes_up_on_the_way_ends_nothing(after: int, tmp_path: Path) -> None:
    """Recordings without sound and one with it: FFmpeg finds that at the end, or when it comes."""
    noise = list(np.random.default_rng(0).integers(0, 256, (20, 120, 160, 3), np.uint8))
    silent, loud = (make_video(tmp_path / f"{name}.ts", noise, sound=name) for name in (None, "aac"))
    quiet = 12 * silent.read_bytes()
    assert len(quiet) > 5_000_000  # so much FFmpeg looks at to know the streams
    (tmp_path / "in.ts").write_bytes(quiet + loud.read_bytes() + (quiet if after else b""))
    result = call("video", tmp_path / "in.ts", tmp_path / "out.mp4", "--strength", 0)
    assert result.exit_code == 0, result.output
    assert len(video_seconds(tmp_path / "out.mp4")) == (13 + after) * 20
    assert result.stderr.count("streams of") == (1 if after else 0)
