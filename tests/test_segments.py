"""A video that is made in segments, and taken up again wherever it was stopped."""

import errno
import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import pytest

from livestyle.backends.untouched import UntouchedEngine
from livestyle.encoding import Encoding
from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.job import Job, Outcome, Show, paint_file
from livestyle.painter import Painter
from livestyle.pipeline import Report
from livestyle.sinks.segment_folder import SegmentFolder
from livestyle.sinks.segments import SegmentedFile
from livestyle.sources import open_source
from livestyle.styles import StyleMix
from livestyle.timeline import Timeline
from tests.commands import posix
from tests.media import grey, greys, make_video, video_seconds

FPS = 4


def clip(folder: Path, seconds: int) -> Path:
    images = [grey(5 * i) for i in range(FPS * seconds)]
    return make_video(folder / "in.mkv", images, rate=FPS, gop=FPS)


def paint(
    source: Path,
    show: Show = lambda _: nullcontext(),
    target: Path = Path("out.mp4"),
    codec: str | None = None,
    fps: float | None = None,
) -> Outcome:
    job = Job(
        source,
        source.parent / target,
        fps=fps,
        fingerprint="the same",
        overwrite=True,
        encoding=Encoding(codec),
    )
    painter = partial(Painter, UntouchedEngine(), StyleMix.parse("mosaic"), 0.0)
    return paint_file(job, painter, Timeline.parse("mosaic"), show=show)


def stopped_at(count: int, error: BaseException) -> Show:
    @contextmanager
    def show(_: int | None) -> Iterator[Callable[[Report], None]]:
        def tell(report: Report) -> None:
            if report.frames == count:
                raise error

        yield tell

    return show


def spoil(source: Path, seconds: float) -> None:
    """Overwrite the one frame that is shown then."""
    content = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        found = next(
            p for p in container.demux(video=0) if p.pts is not None and p.pts * p.time_base >= seconds
        )
        at = content.index(bytes(found))
        content[at : at + found.size] = random.Random(0).randbytes(found.size)
    source.write_bytes(content)


def test_what_was_stopped_while_joining_is_only_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its segments reach beyond its end, where no frame can be read."""
    source = clip(tmp_path, 15)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(SegmentedFile, "_mux", full)
        with pytest.raises(SinkError, match="is there room on the disk"):
            paint(source)
    outcome = paint(source, stopped_at(1, AssertionError("it was painted already")))
    assert (outcome.frames, outcome.complete) == (60, True)
    assert video_seconds(tmp_path / "out.mp4") == pytest.approx(video_seconds(source), abs=0.001)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "out.mp4"]


def test_all_frames_and_all_faults_are_told_after_a_resume(tmp_path: Path) -> None:
    source = clip(tmp_path, 18)
    spoil(source, 3)
    with pytest.raises(SystemExit):
        paint(source, stopped_at(12 * FPS, SystemExit()))
    outcome = paint(source)
    assert outcome.report is not None
    assert outcome.report.frames == 8 * FPS
    (fault,) = outcome.faults
    lost = 18 * FPS - outcome.frames
    assert lost > 0
    assert f"is damaged: {lost} frame" in fault
    whole = paint(source.rename(tmp_path / "whole.mkv"))
    assert outcome.frames == whole.frames
    assert outcome.faults == [line.replace("whole.mkv", "in.mkv") for line in whole.faults]


@pytest.mark.parametrize("moments", [(0, 12, 23, 27), (0, 2, 27)], ids=["a gap", "a long one"])
def test_what_is_seen_in_a_gap_at_a_constant_rate_is_seen_after_a_resume(
    moments: tuple[int, ...], tmp_path: Path
) -> None:
    source = make_video(tmp_path / "in.mp4", greys(len(moments)), pts=moments, gop=1)
    with pytest.raises(SystemExit):
        paint(source, stopped_at(21 * FPS, SystemExit()), fps=FPS)
    outcome = paint(source, fps=FPS)
    assert outcome.report is not None
    assert outcome.report.frames < outcome.frames
    seconds = video_seconds(tmp_path / "out.mp4")
    assert seconds[: 27 * FPS] == pytest.approx([index / FPS for index in range(27 * FPS)], abs=0.001)
    with closing(open_source(tmp_path / "out.mp4")) as frames:
        levels = [int(frame.image[10, 10, 0]) for frame in frames]
    assert levels[20 * FPS : 23 * FPS] == pytest.approx([25] * 3 * FPS, abs=3)  # as the second one is


def test_times_that_step_back_over_a_border_move_nothing(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mkv", greys(1))
    moments = [9.8, 9.9, 10.0, 9.95, 10.1, 10.2]
    made = tmp_path / "out.mp4"
    with closing(open_source(source)) as frames:
        sink = SegmentedFile(made, (64, 48), frames.excerpt, "", encoding=Encoding(), rate=10)
        for moment in moments:
            sink.write(Frame(grey(0), moment))
        sink.close()
    seconds = video_seconds(made)
    assert seconds[3] == pytest.approx(10.0, abs=0.01)
    assert seconds[:3] + seconds[4:] == pytest.approx(moments[:3] + moments[4:])


@pytest.mark.parametrize("error", [SinkError("the disk is full"), SystemExit()])
def test_a_folder_of_no_segments_is_not_left(error: BaseException, tmp_path: Path) -> None:
    with pytest.raises(type(error)):
        paint(clip(tmp_path, 2), stopped_at(1, error))
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
@pytest.mark.parametrize("rate", [FPS, 30_000])
def test_a_time_code_is_joined_where_its_frames_can_be_counted(rate: int, name: str, tmp_path: Path) -> None:
    source = tmp_path / "in.mkv"
    first = clip(tmp_path, 1).rename(tmp_path / "first.mkv")
    with av.open(str(first)) as plain, av.open(str(source), "w") as coded:
        coded.metadata["timecode"] = "01:00:00:00"
        video = coded.add_stream_from_template(plain.streams.video[0])
        video.codec_context.framerate = rate
        for packet in plain.demux(video=0):
            if packet.size:
                packet.stream = video
                coded.mux(packet)
    assert paint(source, target=tmp_path / name).complete
    with av.open(str(tmp_path / name)) as joined:
        assert joined.streams.video[0].codec_context.name == "h264"
        tags = joined.metadata | joined.streams.video[0].metadata
        kept = {"timecode", "TIMECODE"} & set(tags)
        assert bool(kept) == (name == "out.mkv" or rate == FPS)
        assert all(tags[key].startswith("01:00:00") for key in kept)


@pytest.mark.parametrize(("name", "codec"), [("out.webm", "h264"), ("out.mov", "av1")])
def test_a_codec_that_such_files_do_not_hold_is_refused_before_anything_is_painted(
    name: str, codec: str, tmp_path: Path
) -> None:
    never = stopped_at(1, AssertionError("it was painted"))
    with pytest.raises(SinkError, match=f"files hold no {codec}; they hold"):
        paint(clip(tmp_path, 1), never, target=tmp_path / name, codec=codec)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *((f"out.{kind}", codec) for kind in ("mp4", "mkv") for codec in ("h264", "hevc", "vp9", "av1")),
        *(("out.webm", "vp9"), ("out.webm", "av1"), ("out.mov", "hevc")),
    ],
)
def test_what_is_joined_is_labelled_as_what_is_made_in_one_piece(
    name: str, codec: str, tmp_path: Path
) -> None:
    """Rate, shape of the pixels, and the letters by which Apple's players know HEVC."""
    source = make_video(tmp_path / "in.mkv", greys(4), rate=4, aspect=Fraction(5, 4))
    paint(source, target=tmp_path / name, codec=codec)
    job = Job(source, tmp_path / f"whole-{name}", encoding=Encoding(codec))
    paint_file(
        job, partial(Painter, UntouchedEngine(), StyleMix.parse("mosaic"), 0.0), Timeline.parse("mosaic")
    )
    joined, whole = (labels(tmp_path / file) for file in (name, f"whole-{name}"))
    assert joined == whole
    assert joined[:2] == (4, Fraction(5, 4))


def labels(path: Path) -> tuple[Fraction | None, Fraction | None, str]:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        return video.average_rate, video.sample_aspect_ratio, video.codec_context.codec_tag


@posix
def test_names_as_long_as_names_may_be_have_segments_of_their_own(tmp_path: Path) -> None:
    source = clip(tmp_path, 11)
    targets = [tmp_path / f"{'a' * 244}{ending}.mp4" for ending in "bc"]  # 249 bytes
    targets += [tmp_path / f"{'絵' * 82}.mp4", tmp_path / f"{'b' * 244}c.mp4"]
    folders = {SegmentFolder(target, "the same").path for target in targets}
    assert len(folders) == len(targets)
    for target in targets:
        assert paint(source, target=target).complete
        assert len(video_seconds(target)) == 11 * FPS
    assert {path.name for path in tmp_path.iterdir()} == {"in.mkv", *(target.name for target in targets)}


@posix
@pytest.mark.parametrize("method", ["mkdir", "write_text"])
def test_a_folder_that_cannot_be_made_is_one_line(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, method, refused)
    monkeypatch.setattr(Path, "glob", refused)
    with pytest.raises(SinkError, match=r"permission denied; choose another folder$"):
        SegmentFolder(tmp_path / "out.mp4", "the same")
