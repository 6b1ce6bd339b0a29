"""Decoding and encoding on a GPU that is not there: each way of not having one ends in software."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from livestyle.errors import UnavailableError
from livestyle.gpu import find_driver
from livestyle.sinks import hwaccel as encoding
from livestyle.sinks import open_sink
from livestyle.sources import hwaccel as decoding
from livestyle.sources import open_source
from tests.fake_driver import FakeDriver, install
from tests.media import greys, make_video


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    probe = encoding.nvenc_problem
    probe.cache_clear()
    yield
    probe.cache_clear()
    find_driver.cache_clear()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_video(tmp_path / "in.mp4", greys(6, 64, 48))


def no_cuda_in_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeDriver())
    monkeypatch.setattr(decoding, "hwdevices_available", lambda: ["vaapi"])


def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, None)


def a_driver_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV is asked for CUDA and finds that the driver which we made up is not there."""
    install(monkeypatch, FakeDriver())
    monkeypatch.setattr(decoding, "hwdevices_available", lambda: ["cuda"])
    opened = av.open

    def refuse(name: str, hwaccel: object = None) -> object:
        if hwaccel is not None:
            raise av.error.PermissionError(1, "Operation not permitted")
        return opened(name)

    monkeypatch.setattr(decoding.av, "open", refuse)


@pytest.mark.parametrize("fault", [no_driver, no_cuda_in_pyav, a_driver_that_refuses])
def test_a_file_is_decoded_in_software_where_the_gpu_does_not(
    fault: object, clip: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = [frame.image for frame in open_source(clip, hwaccel="none")]
    caplog.set_level("DEBUG", logger="livestyle")
    fault(monkeypatch)
    source = open_source(clip)
    frames = [frame.image for frame in source]
    source.close()
    assert np.array_equal(frames, plain)
    assert "decoding in software" in caplog.text


def test_the_gpu_is_asked_for_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeDriver())
    monkeypatch.setattr(decoding, "hwdevices_available", lambda: ["cuda"])
    accelerator = decoding.decoder("auto")
    assert accelerator is not None
    assert accelerator.allow_software_fallback
    assert decoding.decoder("none") is None


def test_nvenc_is_taken_only_where_a_frame_went_through_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="livestyle")
    install(monkeypatch, FakeDriver())
    if encoding.nvenc_problem() is None:
        pytest.skip("this GPU has NVENC")
    assert encoding.pick_encoder("auto") == "libx264"  # the driver is made up, and FFmpeg finds none
    assert "encoding on the processor: " in caplog.text
    monkeypatch.setattr(encoding, "nvenc_problem", lambda: None)
    assert encoding.pick_encoder("auto") == "h264_nvenc"
    assert encoding.pick_encoder("none") == "libx264"


def test_without_a_gpu_nvenc_is_not_even_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, None)
    monkeypatch.setattr(encoding.av.CodecContext, "create", lambda *_: 1 / 0, raising=False)
    assert encoding.nvenc_problem() == "there is no NVIDIA driver here"
    with pytest.raises(UnavailableError):
        find_driver()


def test_a_file_is_written_by_the_encoder_that_was_picked(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one that every PyAV has in NVENC's place."""
    monkeypatch.setattr("livestyle.sinks.file.pick_encoder", lambda _: "libx265")
    monkeypatch.setattr("livestyle.sinks.file.nvenc_options", lambda _: {"x265-params": "log-level=error"})
    source = open_source(clip)
    with open_sink(tmp_path / "out.mp4", source.size) as sink:
        for frame in source:
            sink.write(frame)
    source.close()
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "hevc"


@pytest.mark.needs_cuda
def test_on_a_gpu_a_file_decodes_to_the_same_picture(clip: Path) -> None:
    frames = [[f.image.astype(int) for f in open_source(clip, hwaccel=choice)] for choice in ("auto", "none")]
    assert np.abs(np.array(frames[0]) - np.array(frames[1])).max() <= 3
