"""How long the last frame is shown: as long as in the input, whatever the kind of file; never invented."""

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import pytest

from livestyle.backends.untouched import UntouchedEngine
from livestyle.encoding import Encoding
from livestyle.frame import Frame
from livestyle.job import Job, paint_file
from livestyle.painter import Painter
from livestyle.sinks.file import FileSink
from livestyle.sinks.webp import ending_at
from livestyle.sources import open_source
from livestyle.styles import StyleMix
from livestyle.timeline import Timeline
from tests.commands import call
from tests.media import greys, make_video, video_seconds

WHOLE = 7.0


def slides(path: Path, *, error: BaseException | None = None, **encoding: str) -> Path:
    """Three pictures: two for a second each, the last one to the end of seven, unless `error` ends that."""
    rate = 3 / WHOLE
    with FileSink(path, (64, 48), rate=rate, encoding=Encoding(**encoding), last_seconds=lambda: 5.0) as sink:
        for index, image in enumerate(greys(3)):
            sink.write(Frame(image, float(index)))
        if error is not None:
            raise error
    return path


def seconds(path: Path) -> float:
    """How long the video is, as FFmpeg sees it."""
    with av.open(str(path)) as container:
        assert container.duration is not None
        return float(container.duration / av.time_base)


def last_seconds(path: Path) -> float | None:
    source = open_source(path)
    list(source)
    source.close()
    assert source.faults == []
    return source.last_seconds


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("it.mp4", {}),
        ("it.mov", {}),
        ("it.mkv", {}),
        ("it.webm", {}),
        ("it.gif", {}),
        ("it.mp4", {"preset": "medium"}),  # its frames are stored out of order
        ("it.mkv", {"preset": "medium"}),
        ("it.mp4", {"codec": "hevc"}),
        ("it.mp4", {"codec": "vp9"}),  # FFmpeg takes its packets apart, and forgets how long they are
        ("it.mp4", {"codec": "av1"}),
    ],
)
def test_the_last_frame_keeps_its_length(name: str, encoding: dict[str, str], tmp_path: Path) -> None:
    made = slides(tmp_path / name, **encoding)
    assert seconds(made) == pytest.approx(WHOLE)
    assert last_seconds(made) == pytest.approx(5.0)
    out = tmp_path / "out" / name
    out.parent.mkdir()
    options = [part for key, value in encoding.items() for part in (f"--{key}", value)]
    assert call("video", made, out, "--strength", 0, *options).exit_code == 0
    assert video_seconds(out) == [0.0, 1.0, 2.0]
    assert seconds(out) == pytest.approx(WHOLE)


def test_the_last_picture_of_a_webp_keeps_its_length(tmp_path: Path) -> None:
    made = slides(tmp_path / "in.gif")
    assert call("video", made, tmp_path / "out.webp", "--strength", 0).exit_code == 0
    found, animation = cv2.imreadanimation(str(tmp_path / "out.webp"))
    assert found
    assert animation.durations.tolist() == [1000, 1000, 5000]


def test_a_webp_of_one_picture_stays_as_it_is(tmp_path: Path) -> None:
    picture = cv2.imencode(".webp", greys(1)[0])[1].tobytes()
    assert ending_at(picture, 5000) == picture


@pytest.mark.parametrize(("end", "expected"), [(4.0, 4.0), (1.5, 1.5), (9.0, WHOLE)])
def test_a_part_ends_where_it_was_told_to(end: float, expected: float, tmp_path: Path) -> None:
    made = slides(tmp_path / "in.mp4")
    assert call("video", made, tmp_path / "out.mp4", "--strength", 0, "--end", end).exit_code == 0
    assert seconds(tmp_path / "out.mp4") == pytest.approx(expected)


def rate(path: Path) -> Fraction:
    with av.open(str(path)) as container:
        return container.streams.video[0].average_rate or Fraction(0)


@pytest.mark.parametrize(
    ("fps", "end", "count"), [(Fraction(24_000, 1001), 0.93, 23), (Fraction(25), 1.33, 34)]
)
def test_a_part_of_a_constant_rate_has_that_rate(
    fps: Fraction, end: float, count: int, tmp_path: Path
) -> None:
    made = make_video(tmp_path / "in.mp4", greys(40), rate=fps)
    for source, name, options in ((made, "part.mp4", ["--end", end]), (tmp_path / "part.mp4", "out.avi", [])):
        result = call("video", source, tmp_path / name, "--strength", 0, *options)
        assert (result.exit_code, result.stderr) == (0, "")
        with closing(open_source(tmp_path / name)) as part:
            assert part.fps == pytest.approx(float(fps), abs=0.001)
        assert len(video_seconds(tmp_path / name)) == count
    assert seconds(tmp_path / "part.mp4") == pytest.approx(end, abs=0.001)
    assert float(rate(tmp_path / "out.avi")) == pytest.approx(float(fps), abs=0.001)


@pytest.mark.parametrize("name", ["out.gif", "out.mp4"])
def test_no_more_comes_than_was_asked_for(name: str, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.gif", greys(10), rate=10, codec="gif", pix_fmt="rgb8")
    assert call("video", made, tmp_path / name, "--strength", 0, "--end", 0.55).exit_code == 0
    assert seconds(tmp_path / name) == pytest.approx(0.55)


@pytest.mark.parametrize("last", [0.01, 0.043, 0.055])
@pytest.mark.parametrize("name", ["out.avi", "out.mp4"])
def test_a_last_frame_of_another_length_is_no_other_rate(name: str, last: float, tmp_path: Path) -> None:
    """As where a file was cut without encoding it again."""
    made = tmp_path / "in.mp4"
    with FileSink(made, (64, 48), rate=25, last_seconds=lambda: last) as sink:
        for index, image in enumerate(greys(34)):
            sink.write(Frame(image, index / 25))
    assert rate(made) != 25
    result = call("video", made, tmp_path / name, "--strength", 0)
    assert (result.exit_code, result.stderr) == (0, "")
    assert rate(tmp_path / name) == 25
    assert len(video_seconds(tmp_path / name)) == 34


@pytest.mark.parametrize("last", [0.8, 1.2])
def test_slow_pictures_keep_the_length_of_the_last_one(last: float, tmp_path: Path) -> None:
    made = tmp_path / "in.mp4"
    with FileSink(made, (64, 48), rate=1, last_seconds=lambda: last) as sink:
        for index, image in enumerate(greys(4)):
            sink.write(Frame(image, float(index)))
    assert last_seconds(made) == pytest.approx(last)


@pytest.mark.parametrize(("name", "options"), [("out.mp4", ["--fps", 2]), ("out.avi", ["--fps", 2])])
def test_at_a_constant_rate_it_is_shown_again_to_its_end(
    name: str, options: list[object], tmp_path: Path
) -> None:
    made = slides(tmp_path / "in.gif")
    assert call("video", made, tmp_path / name, "--strength", 0, *options).exit_code == 0
    assert len(video_seconds(tmp_path / name)) == 2 * WHOLE


@pytest.mark.parametrize(("target", "codec"), [("out.mp4", "h264"), ("out.mkv", "hevc"), ("out.webm", "vp9")])
def test_what_is_joined_from_segments_ends_with_it(target: str, codec: str, tmp_path: Path) -> None:
    made = slides(tmp_path / "in.gif")
    job = Job(made, tmp_path / target, fingerprint="any", encoding=Encoding(codec))
    painter = partial(Painter, UntouchedEngine(), StyleMix.parse("mosaic"), 0.0)
    assert paint_file(job, painter, Timeline.parse("mosaic")).complete
    assert seconds(tmp_path / target) == pytest.approx(WHOLE)


def test_a_video_that_was_stopped_ends_as_its_frames_follow(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        slides(tmp_path / "out.mp4", error=KeyboardInterrupt())
    assert seconds(tmp_path / "out.mp4") == pytest.approx(2 + WHOLE / 3, abs=0.01)


def remuxed(
    made: Path, path: Path, seconds: float = 0.0, writer: bytes = b"", tags: dict[str, str] | None = None
) -> Path:
    """The same from that moment on, in Matroska; as `writer` has written it, the length of the video."""
    with av.open(str(made)) as source, av.open(str(path), "w") as container:
        video = container.add_stream_from_template(source.streams.video[0])
        video.metadata.update(tags or {})
        for packet in source.demux(video=0):
            if packet.size and packet.pts is not None and packet.dts is not None:
                shift = round(seconds / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = video
                container.mux(packet)
    if writer:
        content = path.read_bytes().replace(b"Lavf", writer)
        path.write_bytes(content.replace(b"00:00:%012.9f" % (WHOLE + seconds), b"00:00:%012.9f" % WHOLE))
    return path


@pytest.mark.parametrize(("begin", "writer"), [(0.0, b""), (3.0, b""), (0.0, b"mkvm"), (3.0, b"mkvm")])
def test_the_end_of_the_video_is_that_of_its_last_frame(begin: float, writer: bytes, tmp_path: Path) -> None:
    """FFmpeg writes when the video ends, mkvmerge how long it is."""
    made = remuxed(slides(tmp_path / "made.mkv"), tmp_path / "in.mkv", begin, writer)
    with av.open(str(made)) as container:
        duration = container.streams.video[0].metadata["DURATION"]
    assert duration == f"00:00:{WHOLE + (0 if writer else begin):012.9f}"
    assert last_seconds(made) == pytest.approx(5.0)


@pytest.mark.parametrize("writer", [b"", b"Lavf"], ids=["FFmpeg of mkvmerge's", "mkvmerge of FFmpeg's"])
@pytest.mark.parametrize("name", ["BPS", "BPS-eng"])
def test_a_copy_ends_as_it_did_whoever_made_it_of_whose_file(
    writer: bytes, name: str, tmp_path: Path
) -> None:
    """Both copy what the other one has written beside the length."""
    statistics = {name: f"{8 * 1000 / WHOLE:.0f}", name.replace("BPS", "NUMBER_OF_BYTES"): "1000"}
    made = remuxed(slides(tmp_path / "made.mkv"), tmp_path / "in.mkv", 3.0, writer, statistics)
    assert last_seconds(made) == pytest.approx(5.0)


@pytest.mark.parametrize("begin", [0.0, 3.0])
def test_a_last_block_without_a_length_is_no_end_that_is_missing(begin: float, tmp_path: Path) -> None:
    made = remuxed(slides(tmp_path / "made.mkv"), tmp_path / "in.mkv", begin)
    content = bytearray(made.read_bytes())
    length = content.rindex(b"\x9b\x82\x13\x88")  # RFC 9559, 5.1.3.5.3: BlockDuration
    content[length] = 0xEC  # RFC 8794, 11.3.2: Void
    made.write_bytes(content)
    assert last_seconds(made) == pytest.approx(5.0)


def test_a_long_last_frame_is_no_end_that_is_missing(tmp_path: Path) -> None:
    with FileSink(tmp_path / "in.mp4", (64, 48), encoding=Encoding("vp9"), last_seconds=lambda: 9.0) as sink:
        for index, image in enumerate(greys(12)):
            sink.write(Frame(image, index / 30))
    assert last_seconds(tmp_path / "in.mp4") == pytest.approx(9.0)


def cut(folder: Path) -> Path:
    made = slides(folder / "in.mkv")
    made.write_bytes(made.read_bytes()[:-100])
    return made


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: make_video(folder / "in.mkv", greys(12), sound="aac", sound_seconds=3.0),
        lambda folder: make_video(folder / "in.mp4", greys(12), sound="aac", sound_seconds=3.0),
        lambda folder: make_video(folder / "in.flv", greys(12), codec="flv", sound="aac", sound_seconds=3.0),
        lambda folder: make_video(folder / "in.ts", greys(12), sound="aac", sound_seconds=3.0),
        lambda folder: make_video(folder / "in.y4m", greys(12), codec="wrapped_avframe"),
        cut,
    ],
    ids=["mkv, longer sound", "mp4, longer sound", "flv, longer sound", "ts, longer sound", "y4m", "cut"],
)
def test_no_length_is_made_up(make: Callable[[Path], Path], tmp_path: Path) -> None:
    source = open_source(make(tmp_path))
    list(source)
    source.close()
    assert source.last_seconds is None
