"""Decoding and encoding on a GPU that is not there: each way of not having one ends in software."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from livestyle.encoding import Encoding
from livestyle.errors import UnavailableError
from livestyle.gpu import find_driver
from livestyle.sinks import codecs
from livestyle.sinks import hwaccel as encoding
from livestyle.sinks.codecs import encoder_of
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

    def refuse(name: str, mode: str, hwaccel: object = None, **options: str) -> object:
        if hwaccel is not None:
            raise av.error.PermissionError(1, "Operation not permitted")
        return opened(name, mode, **options)

    monkeypatch.setattr(decoding.av, "open", refuse)


@pytest.mark.parametrize("fault", [no_driver, no_cuda_in_pyav, a_driver_that_refuses])
def test_a_file_is_decoded_in_software_where_the_gpu_does_not(
    fault: object, clip: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = [frame.image for frame in open_source(clip, hwaccel="none")]
    caplog.set_level("DEBUG", logger="livestyle")
    fault(monkeypatch)
    source = open_source(clip, hwaccel="auto")
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


def test_nvenc_is_taken_only_where_a_frame_went_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeDriver())
    if encoding.nvenc_problem() is None:
        pytest.skip("this GPU has NVENC")
    wanted = Encoding(hwaccel="auto")
    assert encoder_of("h264", wanted)[0] == "libx264"  # the driver is made up, and FFmpeg finds none
    monkeypatch.setattr(codecs, "nvenc_problem", lambda: None)
    assert encoder_of("h264", wanted)[0] == "libx264"  # nor does the encoder open
    monkeypatch.setattr(codecs, "works", lambda encoder: True)
    assert encoder_of("h264", wanted)[0] == "h264_nvenc"
    assert encoder_of("hevc", wanted)[0] == "hevc_nvenc"
    assert encoder_of("h264", Encoding(hwaccel="none"))[0] == "libx264"


def test_without_a_gpu_nvenc_is_not_even_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, None)
    monkeypatch.setattr(encoding.av.CodecContext, "create", lambda *_: 1 / 0, raising=False)
    assert encoding.nvenc_problem() == "there is no NVIDIA driver here"
    with pytest.raises(UnavailableError):
        find_driver()


@pytest.mark.needs_cuda
def test_on_a_gpu_a_file_decodes_to_the_same_picture(clip: Path) -> None:
    frames = [[f.image.astype(int) for f in open_source(clip, hwaccel=choice)] for choice in ("auto", "none")]
    assert np.abs(np.array(frames[0]) - np.array(frames[1])).max() <= 3
