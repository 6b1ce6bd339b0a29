"""Codecs, quality and speed: what is asked for is done, or refused in words."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from livestyle.encoding import PRESETS, Encoding
from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.sinks import codecs
from livestyle.sinks.codecs import CODECS, encoder_of, mend_dts
from livestyle.sinks.containers import CONTAINERS
from livestyle.sinks.file import FileSink
from tests.commands import call, livestyle, moving
from tests.media import make_video
from tests.pictures import scene

SUFFIXES = [(suffix, codec) for suffix, form in CONTAINERS.items() for codec in form.video]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_video(tmp_path / "in.mp4", [scene(96, 64)] * 3)


@pytest.mark.parametrize(("suffix", "codec"), SUFFIXES)
def test_every_container_holds_every_codec_it_says(suffix: str, codec: str, tmp_path: Path) -> None:
    with FileSink(tmp_path / f"out.{suffix}", (96, 64), encoding=Encoding(codec)) as sink:
        for index in range(3):
            sink.write(Frame(scene(96, 64), index / 30))
    if codec == "webp":  # whose animations FFmpeg does not read
        return
    with av.open(str(tmp_path / f"out.{suffix}")) as container:
        assert container.streams.video[0].codec_context.codec.canonical_name == codec
        assert sum(1 for _ in container.decode(video=0)) == 3


@pytest.mark.parametrize(("suffix", "codec"), [one for one in SUFFIXES if one[0] not in ("gif", "webp")])
def test_every_kind_of_file_tells_the_shape_of_pixels(
    suffix: str, codec: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, aspect = tmp_path / f"out.{suffix}", Fraction(4, 3)
    with FileSink(path, (96, 64), encoding=Encoding(codec), pixel_aspect=aspect) as sink:
        for index in range(3):
            sink.write(Frame(scene(96, 64), index / 30))
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == aspect
        assert next(container.decode(video=0)).rotation == 0
    assert not caplog.text


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1", "prores"])
@pytest.mark.parametrize("aspect", [Fraction(16, 11), Fraction(12, 11), Fraction(4, 3)])
def test_the_shape_of_pixels_in_matroska_is_exact(codec: str, aspect: Fraction, tmp_path: Path) -> None:
    """720 pixels of 16:11 are no whole number of square ones."""
    path = tmp_path / "out.mkv"
    with FileSink(path, (720, 64), encoding=Encoding(codec), pixel_aspect=aspect) as sink:
        sink.write(Frame(scene(720, 64), 0.0))
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == aspect
    head = path.read_bytes()[:4096]
    assert b"\x54\xb2\x81\x03" in head  # RFC 9559, 5.1.4.1.28.14: a ratio
    width, height = (head.index(name) + 3 for name in (b"\x54\xb0\x84", b"\x54\xba\x84"))
    shown = [int.from_bytes(head[place : place + 4], "big") for place in (width, height)]
    assert Fraction(*shown) == Fraction(720, 64) * aspect


def test_a_file_that_cannot_tell_the_shape_of_pixels_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("out.gif", "out.webp"):
        FileSink(tmp_path / name, (96, 64), pixel_aspect=Fraction(64, 45)).discard()
        FileSink(tmp_path / name, (96, 64)).discard()
    assert caplog.text.count("pixels of 64:45 are shown as squares here: .mp4 keeps their shape") == 2


@pytest.mark.parametrize(("codec", "told"), [("h264", False), ("vp9", True)])
def test_the_shape_of_pixels_in_a_pipe_is_that_of_the_stream(codec: str, told: bool, tmp_path: Path) -> None:
    made = make_video(tmp_path / "in.mp4", [scene(96, 64)] * 3, aspect=Fraction(4, 3))
    done = livestyle(made, "-", "--codec", codec)
    assert done.returncode == 0, done.stderr
    assert (b"are shown as squares" in done.stderr) == told
    (tmp_path / "out.mkv").write_bytes(done.stdout)
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.video[0].sample_aspect_ratio in ({None, 1} if told else {Fraction(4, 3)})


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
@pytest.mark.parametrize("preset", [PRESETS[0], PRESETS[4], PRESETS[-1]])
def test_every_preset_is_known_to_its_encoder(codec: str, preset: str, tmp_path: Path) -> None:
    with FileSink(tmp_path / "out.mkv", (96, 64), encoding=Encoding(codec, preset=preset)) as sink:
        sink.write(Frame(scene(96, 64), 0.0))


@pytest.mark.parametrize(
    ("dts", "mended"),
    [(89_000, 89_000), (90_000, 90_000), (7 << 60, 90_000), (-7 << 60, 90_000), (None, None)],
)
def test_a_time_of_decoding_that_cannot_be_is_mended(dts: int | None, mended: int | None) -> None:
    packet = av.Packet(b"frame")
    packet.pts, packet.dts, packet.time_base = 90_000, dts, Fraction(1, 90_000)
    mend_dts(packet)
    assert (packet.pts, packet.dts) == (90_000, mended)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
def test_a_higher_crf_makes_a_smaller_file(codec: str, clip: Path, tmp_path: Path) -> None:
    sizes = []
    for crf in (10, 40):
        out = tmp_path / f"{crf}.mkv"
        result = call("video", clip, out, "--strength", 0, "--codec", codec, "--crf", crf)
        assert result.exit_code == 0, result.output
        sizes.append(out.stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("out.webm", ["--codec", "h264"], "webm files hold no h264; they hold vp9, av1"),
        ("out.mp4", ["--codec", "prores"], "mp4 files hold no prores"),
        ("out.mp4", ["--crf", "52"], "h264 takes a crf from 0 to 51, not 52"),
        ("out.mov", ["--codec", "prores", "--crf", "10"], "codec 'prores' has no crf"),
    ],
)
def test_what_does_not_fit_together_is_one_clear_line(
    name: str, options: list[str], reason: str, clip: Path, tmp_path: Path
) -> None:
    result = call("video", clip, tmp_path / name, *options)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert reason in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
def test_a_clip_too_small_to_be_painted_is_told_before_anything_begins(codec: str, tmp_path: Path) -> None:
    tiny = make_video(tmp_path / "in.mkv", moving(2, 2, 2), codec="ffv1", pix_fmt="bgr0")
    result = call("video", tiny, tmp_path / "out.mkv", "--codec", codec)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: cannot paint 2x2: the smallest is 32x32; enlarge it\n"


def test_an_encoder_s_own_words_are_not_heard(tmp_path: Path) -> None:
    tiny = make_video(tmp_path / "in.mkv", moving(2, 2, 2), codec="ffv1", pix_fmt="bgr0")
    done = livestyle(tiny, tmp_path / "out.mkv", "--codec", "av1")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert b"try another size than 2x2" in done.stderr


def test_nonsense_is_a_usage_error(clip: Path) -> None:
    for options in (
        ["--codec", "divx"],
        ["--preset", "warp"],
        ["--crf", "-1"],
        ["--fps", "0"],
        ["--fps", "nan"],
        ["--fps", "30/0"],
        ["--fps", "a/b"],
    ):
        assert call("video", clip, "out.mp4", *options).exit_code == 2
    for options in (["--start", "soon"], ["--start", "5", "--end", "4"], ["--format", "wmv"]):
        assert call("video", clip, "out.mp4", *options).exit_code == 2


def test_an_encoder_that_is_missing_is_one_clear_line(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PyAV built from source may have fewer encoders than its wheels."""
    lacking = av.Codec

    def without_x265(name: str, mode: str = "r") -> av.Codec:
        if name == "libx265":
            raise av.codec.codec.UnknownCodecError(name)
        return lacking(name, mode)

    monkeypatch.setattr(codecs.av, "Codec", without_x265)
    result = call("video", clip, tmp_path / "out.mp4", "--codec", "hevc")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "codec 'hevc' needs libx265, which this PyAV lacks" in result.stderr


def test_hardware_is_used_where_it_works_and_missed_in_words(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codecs, "works", lambda encoder: encoder == "hevc_qsv")
    assert encoder_of("hevc", Encoding(hwaccel="all")) == ("hevc_qsv", {"global_quality": "18"})
    assert not caplog.records
    assert encoder_of("h264", Encoding(hwaccel="all"))[0] == "libx264"
    assert "no hardware encodes h264 here: libx264 does it" in caplog.text


@pytest.mark.parametrize("codec", [name for name, codec in CODECS.items() if codec.hardware])
def test_a_hardware_encoder_is_tried_before_it_is_believed(codec: str) -> None:
    """FFmpeg has them all, wherever it runs; what `works` says yes to must encode."""
    for encoder in CODECS[codec].hardware:
        if codecs.works(encoder):
            context = av.CodecContext.create(encoder, "w")
            assert context.name == encoder


def test_the_defaults_are_in_the_library() -> None:
    assert Encoding().preset == PRESETS[0]
    with pytest.raises(ValueError, match="unknown preset"):
        Encoding(preset="warp")
    with pytest.raises(SinkError, match="no crf"):
        encoder_of("prores", Encoding(crf=3))
