"""Recordings with sound: in step with the picture, whatever the microphone does."""

import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from livestyle.errors import SinkError, SourceError
from livestyle.frame import Frame
from livestyle.sinks import live
from livestyle.sinks.live import open_live_sink
from livestyle.sinks.recording import Recorder
from livestyle.sources.microphone import Microphone, Sound
from tests.media import grey, video_seconds

SIZE = (64, 48)


class FakeMicrophone(Microphone):
    """Hears `sounds`, pieces of 20 ms that are silent or loud, from `moment` on; then perhaps an error."""

    def __init__(self, sounds: list[bool | None], moment: float, error: SourceError | None = None) -> None:
        self.sounds, self.moment, self.error = sounds, moment, error
        self.closed = 0

    def __iter__(self) -> Iterator[Sound]:
        for index, loud in enumerate(self.sounds):
            if loud is None:
                continue  # samples that were lost
            wave = np.sin(np.arange(882) * 0.2) * 20_000 if loud else np.zeros(882)
            samples = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
            samples.sample_rate, samples.pts, samples.time_base = 44_100, index * 882, Fraction(1, 44_100)
            yield Sound(samples, self.moment + index / 50)
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed += 1


def loud_times(path: Path) -> list[float]:
    """When the sound of a file begins to be loud, each time."""
    with av.open(str(path)) as container:
        pieces = [(f.time, f.to_ndarray()[0]) for f in container.decode(audio=0)]
    times = np.concatenate([begin + np.arange(len(wave)) / 48_000 for begin, wave in pieces])
    envelope = np.convolve(np.abs(np.concatenate([wave for _, wave in pieces])), np.ones(240) / 240, "same")
    loud = envelope > 0.1
    return [float(times[i]) for i in np.flatnonzero(loud[1:] & ~loud[:-1])]


def bright_time(path: Path) -> float:
    with av.open(str(path)) as container:
        return next(f.time for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 128)


def record_with(microphone: FakeMicrophone, path: Path, epoch: float | None, seconds: float = 2.0) -> None:
    """Record a picture that becomes white one second after its beginning, at pts 10."""
    recorder = Recorder(path, SIZE, microphone=microphone, epoch=epoch)
    for index in range(round(seconds * 30)):
        recorder.write(Frame(grey(255 if index >= 30 else 0), 10 + index / 30))
        time.sleep(0.002)
    recorder.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_flash_and_a_bang_stay_together(tmp_path: Path, suffix: str) -> None:
    epoch = 1000.0
    # the microphone was on half a second before the first picture, and the bang is at the flash
    microphone = FakeMicrophone([50 + 25 <= index < 80 for index in range(125)], epoch + 10 - 0.5)
    path = tmp_path / f"out{suffix}"
    record_with(microphone, path, epoch)
    (bang,) = loud_times(path)
    assert bright_time(path) == pytest.approx(1.0, abs=0.001)
    assert bang == pytest.approx(1.0, abs=0.03)  # an encoder's frame, and the width of the envelope
    assert microphone.closed == 1


def test_lost_samples_become_silence_and_move_nothing(tmp_path: Path) -> None:
    epoch = 1000.0
    sounds: list[bool | None] = [5 <= index < 10 or 50 <= index < 60 for index in range(100)]
    sounds[15:40] = [None] * 25
    path = tmp_path / "out.mp4"
    record_with(FakeMicrophone(sounds, epoch + 10), path, epoch)
    assert loud_times(path) == pytest.approx([0.1, 1.0], abs=0.03)


def test_without_an_epoch_the_first_picture_is_of_the_moment_it_is_written(tmp_path: Path) -> None:
    microphone = FakeMicrophone([25 <= index < 35 for index in range(100)], time.perf_counter())
    record_with(microphone, tmp_path / "out.mp4", None)
    assert loud_times(tmp_path / "out.mp4") == pytest.approx([0.5], abs=0.15)


def test_a_microphone_that_is_unplugged_leaves_the_video(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "out.mp4"
    error = SourceError("the microphone is gone")
    record_with(FakeMicrophone([True] * 20, 1010.0, error), path, 1000.0)
    assert len(video_seconds(path)) == 60
    assert caplog.text.count("the microphone is gone") == 1


def test_a_microphone_that_answers_no_more_is_left_alone(tmp_path: Path) -> None:
    answer = threading.Event()

    class Dead(FakeMicrophone):
        def __iter__(self) -> Iterator[Sound]:
            answer.wait(10)
            return iter(())

    microphone = Dead([], 0.0)
    recorder = Recorder(tmp_path / "out.mp4", SIZE, microphone=microphone)
    recorder.write(Frame(grey(1), 0.0))
    began = time.perf_counter()
    recorder.close()
    assert time.perf_counter() - began < 2
    assert microphone.closed == 0  # closing it under its reader would crash the process
    assert len(video_seconds(tmp_path / "out.mp4")) == 1
    answer.set()
    while any(thread.name == "livestyle-collector" for thread in threading.enumerate()):
        time.sleep(0.01)


def test_a_recording_that_cannot_be_opened_lets_the_microphone_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    microphone = FakeMicrophone([], 0.0)
    monkeypatch.setattr(live, "_microphone", lambda: microphone)
    with pytest.raises(SinkError):
        open_live_sink(tmp_path / "missing" / "out.mp4", SIZE, rate=30, sound=True)
    assert microphone.closed == 1


def no_alsa(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "alsa.conf").write_text("")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(folder / "alsa.conf"))


@pytest.mark.skipif(sys.platform != "linux", reason="made of ALSA's configuration")
def test_no_microphone_is_one_clear_line_and_a_silent_recording(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    no_alsa(monkeypatch, tmp_path)
    recorder: Any = open_live_sink(tmp_path / "out.mp4", SIZE, rate=30, sound=True)
    recorder.write(Frame(grey(1), 0.0))
    recorder.close()
    (said,) = caplog.messages
    assert said.startswith("cannot open a microphone (default: ")
    assert "\n" not in said
    assert capfd.readouterr() == ("", "")  # ALSA's own complaints
    assert len(video_seconds(tmp_path / "out.mp4")) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="made of ALSA's configuration")
def test_the_default_microphone_is_alsas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wave = (np.sin(np.arange(48_000) * 0.1) * 10_000).astype("<i2")
    wave.repeat(2).tofile(tmp_path / "heard.raw")
    (tmp_path / "alsa.conf").write_text(
        "pcm.!default { type file slave.pcm { type null } file /dev/null "
        f"infile {tmp_path}/heard.raw format raw }}"
    )
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "alsa.conf"))
    microphone = Microphone()
    assert microphone.rate == 48_000
    heard: list[int] = []
    for sound in microphone:
        assert abs(time.perf_counter() - sound.moment) < 1
        heard += sound.samples.to_ndarray()[0, ::2].tolist()
        if len(heard) > 500:
            break
    microphone.close()
    microphone.close()
    assert heard[1:500] == wave[1:500].tolist()
