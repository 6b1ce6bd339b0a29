"""The default microphone, through FFmpeg's devices: ALSA, avfoundation, dshow."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer

from livestyle.errors import SourceError, reason_of

_JUMP_SECONDS = 0.5
_ALSA_CONFIGURATION = Path("/usr/share/alsa/alsa.conf")
_ADVICE = "record without sound, or add it later"


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A few milliseconds of sound."""

    samples: AudioFrame
    moment: float
    """`time.perf_counter()` when the first of them was heard."""


class Microphone:
    """The default microphone of this machine. Iterating waits for the next samples, on one thread.

    On Linux this is ALSA's default, or else the first card: PyAV carries an ALSA of its own, without the
    plugins by which a desktop's sound server would be its default. Raises `SourceError` where none opens.
    """

    def __init__(self) -> None:
        self._container = _open()
        self._track = self._container.streams.audio[0]
        self.rate = self._track.codec_context.sample_rate
        """Samples a second."""

    def __iter__(self) -> Iterator[Sound]:
        """Yield sound for as long as the microphone gives it; raise `SourceError` when it is gone."""
        anchor = 0.0
        try:
            for samples in self._container.decode(self._track):
                heard = time.perf_counter() - samples.samples / self.rate
                stamp = float((samples.pts or 0) * (samples.time_base or Fraction(0)))
                # the device's own times are even, ours jitter; but its clock may be set while we record
                if abs(anchor + stamp - heard) > _JUMP_SECONDS:
                    anchor = heard - stamp
                yield Sound(samples, anchor + stamp)
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"the microphone is gone: {reason_of(error)}; {_ADVICE}") from error

    def close(self) -> None:
        """Release the microphone; safe to call twice."""
        self._container.close()


def _open() -> InputContainer:
    reasons = []
    for form, name in _devices():
        try:
            with _quiet():
                return av.open(name, format=form)
        except (av.FFmpegError, OSError) as error:
            reasons.append(f"{name}: {reason_of(error)}")
        except ValueError as error:  # this PyAV was built without that kind of device
            reasons.append(str(error))
    raise SourceError(f"cannot open a microphone ({', '.join(reasons) or 'none found'}); {_ADVICE}")


def _devices() -> list[tuple[str, str]]:
    """FFmpeg's device formats with the names to try, the likeliest first."""
    if sys.platform == "darwin":
        return [("avfoundation", ":default"), ("avfoundation", ":0")]
    if sys.platform == "win32":
        return [("dshow", f"audio={name}") for name in _direct_show_names()]
    if _ALSA_CONFIGURATION.exists():  # where PyAV's own ALSA looks instead, there is never anything
        os.environ.setdefault("ALSA_CONFIG_PATH", str(_ALSA_CONFIGURATION))
    return [("alsa", "default"), ("alsa", "sysdefault"), ("alsa", "plughw:0,0")]


def _direct_show_names() -> list[str]:
    found = [device for device in av.enumerate_input_devices("dshow") if "audio" in device.media_types]
    return [device.name for device in sorted(found, key=lambda device: not device.is_default)]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep ALSA's own complaints off stderr, where its C code writes whatever Python says."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
