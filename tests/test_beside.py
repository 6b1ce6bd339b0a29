"""What a file holds beside its video, read along with it: all comes over as from a reading of its own."""

from contextlib import closing
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import pytest

from livestyle.pipeline import each, run
from livestyle.sinks.file import FileSink
from livestyle.sinks.null import NullSink
from livestyle.sources import open_source
from livestyle.sources.media import Media
from tests.media import greys, make_video, noise, sound_packets, to_yuv

SECONDS, RATE = 24, 5


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip whose sound is stored behind its video."""
    path = tmp_path_factory.mktemp("apart") / "in.mp4"
    with av.open(str(path), "w", container_options={"max_interleave_delta": "1"}) as container:
        video = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt, video.gop_size = 64, 48, "yuv420p", 10
        track = container.add_stream("aac", rate=48_000)
        for index in range(SECONDS * RATE):
            frame = to_yuv(greys(5)[index % 5], "yuv420p", 5, False)
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for samples in noise(SECONDS):
            container.mux(track.encode(samples))
        container.mux(track.encode(None))
    return path


def paint(source: Path, target: Path, frames: int | None = None, **part: Any) -> Path:
    """Paint a clip with what it has beside the video, and stop as Ctrl-C does after so many `frames`."""
    with closing(open_source(source, **part)) as opened:
        try:
            with FileSink(target, opened.size, rate=opened.fps, audio_from=opened.excerpt) as sink:
                for frame in islice(opened, frames):
                    sink.write(frame)
                if frames is not None:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            assert sink.complete
    return target


def test_the_clip_is_as_bad_as_it_should_be(apart: Path) -> None:
    places: dict[str, list[int]] = {"video": [], "audio": []}
    with av.open(str(apart)) as container:
        for packet in container.demux():
            if packet.size and packet.pos is not None:
                places[packet.stream.type].append(packet.pos)
    before = sum(place < min(places["audio"]) for place in places["video"])
    assert before > 0.9 * len(places["video"])


@pytest.mark.parametrize(("suffix", "times"), [(".mp4", 1), (".mov", 1), (".mkv", 2)])
def test_a_file_with_a_large_index_is_opened_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, times: int
) -> None:
    clip = make_video(tmp_path / f"in{suffix}", greys(15), sound="aac")
    opened = []
    original = Media.open
    monkeypatch.setattr(Media, "open", lambda *given: opened.append(given) or original(*given))
    painted = paint(clip, tmp_path / "out.mp4")
    assert len(opened) == times
    assert [data for _, data in sound_packets(painted)] == [data for _, data in sound_packets(clip)]


def test_sound_that_is_stored_behind_the_video_comes_in_step(apart: Path, tmp_path: Path) -> None:
    painted = paint(apart, tmp_path / "out.mp4")
    assert sound_packets(painted) == sound_packets(apart)


def test_sound_longer_than_the_video_comes_to_its_end(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "in.mp4", greys(15), sound="aac", sound_seconds=4.0)
    assert sound_packets(paint(clip, tmp_path / "out.mp4")) == sound_packets(clip)


def test_ctrl_c_keeps_the_sound_up_to_the_last_frame(apart: Path, tmp_path: Path) -> None:
    kept = sound_packets(paint(apart, tmp_path / "out.mp4", frames=40))
    assert [data for _, data in kept] == [data for _, data in sound_packets(apart)][: len(kept)]
    assert kept[-1][0] == pytest.approx(40 / RATE, abs=0.05)


def test_a_part_has_the_sound_of_that_part(apart: Path, tmp_path: Path) -> None:
    painted = paint(apart, tmp_path / "out.mp4", start_seconds=7.0, end_seconds=13.0)
    wanted = [data for moment, data in sound_packets(apart) if 7 <= moment < 13]
    assert [data for _, data in sound_packets(painted)] == wanted


def test_nothing_is_kept_for_nobody(apart: Path) -> None:
    with closing(open_source(apart)) as opened:
        beside = opened.excerpt.beside
        assert beside is not None
        run(opened, each(lambda image: image), NullSink())
        assert beside.next() is None
        assert not beside.take()


def test_only_what_is_soon_written_is_kept(apart: Path, tmp_path: Path) -> None:
    most = 0
    with (
        closing(open_source(apart)) as opened,
        FileSink(tmp_path / "out.mp4", opened.size, rate=opened.fps, audio_from=opened.excerpt) as sink,
    ):
        beside = opened.excerpt.beside
        assert beside is not None
        for frame in opened:
            sink.write(frame)
            most = max(most, len(beside))
    assert 0 < most < 3 * 48_000 / 1024  # packets of three seconds


def test_who_comes_late_opens_the_file_again(apart: Path, tmp_path: Path) -> None:
    with closing(open_source(apart)) as opened:
        frames = list(opened)
        with FileSink(tmp_path / "out.mp4", opened.size, rate=opened.fps, audio_from=opened.excerpt) as sink:
            for frame in frames:
                sink.write(frame)
    assert sound_packets(tmp_path / "out.mp4") == sound_packets(apart)


def test_a_source_that_is_closed_first_leaves_the_sound_it_has_come_by(apart: Path, tmp_path: Path) -> None:
    opened = open_source(apart)
    with FileSink(tmp_path / "out.mp4", opened.size, rate=opened.fps, audio_from=opened.excerpt) as sink:
        for frame in opened:
            sink.write(frame)
        opened.close()
    assert sound_packets(tmp_path / "out.mp4") == sound_packets(apart)
