"""What a file lacks is told where FFmpeg says nothing; of a sound one nothing is told."""

import random
from pathlib import Path

import av
import numpy as np
import pytest

from livestyle.frame import Image
from livestyle.sources import open_source
from tests.commands import livestyle
from tests.media import make_video
from tests.pictures import scene
from tests.test_damage import read

LIVE_MKV = {"live": "1"}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}
EVERY_FRAME = {"movflags": "frag_every_frame+empty_moov"}
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "in.ts": ("libx264", {}),
    "in.m2ts": ("libx264", {}),
    "in.nut": ("ffv1", {}),
    "bare.nut": ("ffv1", {"write_index": "0"}),
    "fragments.mp4": ("libx264", FRAGMENTS),
    "frames.mp4": ("libx264", EVERY_FRAME),
    "fast.mp4": ("libx264", {"movflags": "faststart"}),
    "in.mkv": ("libx264", {}),
    "live.mkv": ("libx264", LIVE_MKV),
    "live.flv": ("flv", {"flvflags": "no_duration_filesize"}),
    "in.gif": ("gif", {}),
    "in.y4m": ("wrapped_avframe", {}),
    "in.apng": ("apng", {}),
    "in.ogv": ("libvpx", {}),
    "in.mpg": ("mpeg2video", {}),
    "in.asf": ("mpeg4", {}),
    "in.ivf": ("libvpx", {}),
}
PIXELS = {"gif": "rgb8", "apng": "rgb24"}


def moving(count: int = 40) -> list[Image]:
    return [np.ascontiguousarray(np.roll(scene(96, 64), 2 * index, axis=1)) for index in range(count)]


def made(folder: Path, name: str) -> Path:
    """A clip of 40 frames, written with the options of its form."""
    codec, options = FORMS[name]
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec}")
    rate, pixels = (10 if name == "in.gif" else 30), PIXELS.get(codec, "yuv420p")
    if name == "in.y4m":
        return yuv4mpeg(folder / name)
    if not options:
        return make_video(folder / name, moving(), codec=codec, gop=10, pix_fmt=pixels, rate=rate)
    first = make_video(folder / f"first.{'flv' if codec == 'flv' else 'mkv'}", moving(), codec=codec, gop=10)
    with av.open(str(first)) as source, av.open(str(folder / name), "w", options=options) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    return folder / name


def yuv4mpeg(path: Path) -> Path:
    planes = [
        av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p") for image in moving()
    ]
    content = [b"FRAME\n" + plane.to_ndarray().tobytes() for plane in planes]
    path.write_bytes(b"YUV4MPEG2 W96 H64 F30:1 Ip A1:1 C420jpeg\n" + b"".join(content))
    return path


@pytest.mark.parametrize("name", FORMS)
def test_a_file_cut_anywhere_says_so(name: str, tmp_path: Path) -> None:
    clip = made(tmp_path, name)
    content = clip.read_bytes()
    assert read(clip) == (40, [])
    for share in (0.331, 0.52, 0.683, 0.9):
        clip.write_bytes(content[: round(share * len(content)) | 1])  # in no packet of MPEG-TS whole
        count, faults = read(clip)
        assert 0 < count <= 40
        assert faults, share


@pytest.mark.parametrize("name", ["frames.mp4", "in.gif", "in.nut", "live.mkv", "in.ogv", "in.ts"])
def test_what_is_lost_to_garbage_is_told(name: str, tmp_path: Path) -> None:
    clip = made(tmp_path, name)
    content = clip.read_bytes()
    for share in (0.33, 0.6, 0.8):
        begin = round(share * len(content))
        garbage = random.Random(share).randbytes(len(content) // 20)
        clip.write_bytes(content[:begin] + garbage + content[begin + len(garbage) :])
        count, faults = read(clip)
        assert faults or count == 40, share


@pytest.mark.parametrize(
    "name", ["in.ts", "fragments.mp4", "fast.mp4", "in.mkv", "live.mkv", "in.gif", "in.ogv"]
)
@pytest.mark.parametrize("added", [bytes(1000), b"\0\0\0", b"words behind the end\n"])
def test_what_programs_add_behind_the_end_is_no_fault(name: str, added: bytes, tmp_path: Path) -> None:
    clip = made(tmp_path, name)
    clip.write_bytes(clip.read_bytes() + added)
    assert read(clip) == (40, [])


@pytest.mark.parametrize("name", ["in.ts", "fragments.mp4", "live.mkv", "live.flv"])
def test_a_pipe_that_ends_too_early_says_so(name: str, tmp_path: Path) -> None:
    clip = made(tmp_path, name)
    whole = livestyle("-", tmp_path / "whole.mp4", data=clip.read_bytes())
    assert whole.returncode == 0, whole.stderr
    cut = livestyle("-", tmp_path / "cut.mp4", data=clip.read_bytes()[: clip.stat().st_size * 2 // 3 | 1])
    assert cut.returncode == 1
    assert b"stdin is cut short: it ends at" in cut.stderr


def test_a_file_that_still_grows_is_not_called_cut(tmp_path: Path) -> None:
    clip = made(tmp_path, "live.mkv")
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) * 2 // 3])
    source = open_source(clip)
    with clip.open("ab") as file:
        file.write(content[len(content) * 2 // 3 :][:1000])
    assert 0 < len(list(source)) <= 40
    source.close()
    assert source.faults == []


def test_an_avi_from_a_pipe_states_no_number_of_frames(tmp_path: Path) -> None:
    out = tmp_path / "in.avi"
    with out.open("wb") as file:
        first = make_video(tmp_path / "first.mkv", moving(), codec="mpeg4")
        pipe = type("Pipe", (), {"write": lambda _, data: file.write(data)})()
        with av.open(str(first)) as source, av.open(pipe, "w", format="avi") as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    target.mux(packet)
    assert read(out) == (40, [])


@pytest.mark.parametrize("options", [{}, {"write_index": "0"}])
def test_a_nut_that_leaves_out_how_packets_begin_is_whole(options: dict[str, str], tmp_path: Path) -> None:
    first = make_video(tmp_path / "first.mkv", moving(), codec="mpeg4", sound="mp3", sound_seconds=2.0)
    clip = tmp_path / "in.nut"
    with av.open(str(first)) as source, av.open(str(clip), "w", options=options) as target:
        tracks = [target.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            if packet.size:
                packet.stream = tracks[packet.stream_index]
                target.mux(packet)
    assert read(clip) == (40, [])
    clip.write_bytes(clip.read_bytes()[:-100])
    assert "cut short" in str(read(clip)[1])


def test_a_fragment_without_frames_is_no_fault(tmp_path: Path) -> None:
    clip = made(tmp_path, "fragments.mp4")
    heads = b"\0\0\0\x14stypmsdh\0\0\0\0msdh", b"\0\0\0\x18moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x09"
    clip.write_bytes(clip.read_bytes() + b"".join(heads) + b"\0\0\0\x08mdat")
    assert read(clip) == (40, [])


def test_an_index_that_a_pipe_has_not_brought_is_not_missed(tmp_path: Path) -> None:
    clip = made(tmp_path, "in.asf")
    content = clip.read_bytes()
    begin = int.from_bytes(content[16:24], "little")
    end = begin + int.from_bytes(content[begin + 16 : begin + 24], "little")
    assert end < len(content)
    clip.write_bytes(content[:end])
    assert read(clip) == (40, [])
