"""Cameras by number, name, URL or file; those of this machine are read by OpenCV."""

import logging
import math
import os
import re
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from livestyle.defaults import LARGEST_SIZE
from livestyle.errors import SourceError
from livestyle.frame import Image
from livestyle.sources import LiveSource
from livestyle.sources.devices import Camera, find_by_name, find_cameras, listed
from livestyle.sources.reconnecting import Reconnecting

__all__ = ["CaptureConnection", "is_screen", "open_camera"]

logger = logging.getLogger(__name__)

_WHY_NO_PICTURE = "no picture comes; is another program using it? close that, or replug the camera"
_BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
_WAIT_NANOSECONDS = 100_000_000
_OLD_SECONDS = 1.0
_RATES = (1.0, 1000.0)
"""Those to believe: a driver that does not know its own says 0, -1 or worse."""
_DIGITS = 9
"""No camera has a longer number: OpenCV takes 32 bits."""
_RAW_FITS = (640 * 480, 24.0)
"""More pixels than this at this rate or a higher one are more than USB 2 carries uncompressed."""


def open_camera(
    spec: str = "0",
    *,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    loop: bool = True,
) -> LiveSource:
    """Open what `spec` names: a number, a camera's name or part of it, `pattern`, a URL, a video file, or the
    screen, as `ScreenSource` says.

    A camera of this machine is asked for `size` (width, height) and `fps`, and may give others. What comes
    from a URL, a file or the screen is scaled to `size`; a file is played at `fps`, again and again with
    `loop`, and a URL keeps its own rate. Waits for the first picture. Raises `SourceError`.
    """
    if not spec:
        raise SourceError("cannot open a camera: the name is empty; give a number, a name, a URL or a clip")
    if size is not None and size[0] * size[1] > math.prod(LARGEST_SIZE):
        largest = "{}x{}".format(*LARGEST_SIZE)
        raise SourceError(f"cannot open a camera at {size[0]}x{size[1]}: {largest} is the largest")
    if spec == "pattern":
        from livestyle.sources.pattern import PatternSource

        return PatternSource(size=size, fps=fps)
    if is_screen(spec):
        from livestyle.sources.screen import ScreenSource

        return ScreenSource(spec, size=size, fps=fps)
    if "://" in spec:
        return _open_url(spec, size, fps)
    number = _number(spec)
    if number is None and _is_file(spec):
        from livestyle.sources.standin import StandIn  # loads FFmpeg, which other cameras can do without

        return StandIn(spec, size=size, fps=fps, loop=loop)
    return _open_device(spec, number, size, fps)


def is_screen(spec: str) -> bool:
    """Whether a camera of that name is the screen, or would be if it were spelt well."""
    return spec == "screen" or spec.startswith("screen:")


class CaptureConnection:
    """Camera `number` of this machine, through OpenCV; asked for `size` (width, height) and `fps`.

    On Linux `grab` gives up after 0.1 s, and times are those of the driver. Elsewhere it blocks for as long
    as the system does, and times are those of the grabbing. Raises `SourceError`.
    """

    def __init__(self, number: int, *, size: tuple[int, int] | None = None, fps: float | None = None) -> None:
        self.number = number
        _be_quiet()
        self._backend = _BACKENDS.get(sys.platform, cv2.CAP_ANY)
        self._capture = cv2.VideoCapture(number, self._backend)
        if not self._capture.isOpened():
            raise SourceError(f"cannot open camera {number}: {_why_not(number)}")
        self._ask(size, fps)
        if not self._streams():  # which begins only here: this is where a busy camera refuses
            self._capture.release()
            raise SourceError(f"cannot read camera {number}: {_WHY_NO_PICTURE}")
        told = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = told if _RATES[0] <= told <= _RATES[1] else fps or 30.0

    def grab(self) -> tuple[Image, float] | None:
        """Return the next image and when it was taken; None after a moment without one."""
        try:
            if not self._comes_soon():
                return None
            if not self._capture.grab():
                raise SourceError(f"camera {self.number} gives no more pictures")
            moment = self._moment()
            there, bgr = self._capture.retrieve()
        except cv2.error as error:  # the driver's device has gone
            raise SourceError(f"camera {self.number} is gone: {error.err}") from error
        if not there or bgr is None or not bgr.size:
            return None  # a damaged JPEG: the next one will do
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), moment

    def close(self) -> None:
        """Release the camera; safe to call twice."""
        self._capture.release()

    def _ask(self, size: tuple[int, int] | None, fps: float | None) -> None:
        if size is not None:
            pixels, rate = _RAW_FITS
            if size[0] * size[1] > pixels and (fps or rate) >= rate:
                # before the size, or the driver offers what it can send uncompressed
                self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        if fps is not None:
            self._capture.set(cv2.CAP_PROP_FPS, fps)

    def _streams(self) -> bool:
        try:
            return self._capture.grab()
        except cv2.error as error:
            logger.debug("camera %d: %s", self.number, error.err)
            return False

    def _comes_soon(self) -> bool:
        if self._backend != cv2.CAP_V4L2:
            return True
        waited, ready = cv2.VideoCapture.waitAny([self._capture], _WAIT_NANOSECONDS)
        if waited and not len(ready):  # something happened that is no picture: it was unplugged
            raise SourceError(f"camera {self.number} is gone")
        return bool(waited)

    def _moment(self) -> float:
        """When the last frame was taken: by the driver's clock, where that is ours, else now."""
        now = time.perf_counter()
        taken = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 if self._backend == cv2.CAP_V4L2 else now
        return taken if 0 <= now - taken < _OLD_SECONDS else now


def _be_quiet() -> None:
    """Keep OpenCV's own warnings off stderr, and let a silent camera keep us for two seconds, not ten."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")  # read when a camera is first waited for


def _open_url(url: str, size: tuple[int, int] | None, fps: float | None) -> LiveSource:
    from livestyle.sources.url import UrlConnection, without_password

    if fps is not None:
        logger.warning("%s comes at its own rate, not at %g fps", without_password(url), fps)
    return Reconnecting(without_password(url), lambda: UrlConnection(url), size=size)


def _open_device(
    spec: str, number: int | None, size: tuple[int, int] | None, fps: float | None
) -> LiveSource:
    camera = find_by_name(spec) if number is None else _by_number(number)
    source = Reconnecting(
        f"camera {camera.number}" + (f" ({camera.name})" if camera.name else ""),
        lambda: CaptureConnection(_where(camera), size=size, fps=fps),
    )
    if size is not None and source.size != size:
        logger.warning("%s gives %dx%d, not %dx%d", source.name, *source.size, *size)
    return source


def _by_number(number: int) -> Camera:
    """The camera with that number, without a name where the system lists none such: OpenCV may know it."""
    found = [camera for camera in find_cameras() if camera.number == number]
    return found[0] if found else Camera(number, "", "")


def _where(camera: Camera) -> int:
    """The number under which the camera is now: one that was unplugged may come back with another."""
    if sys.platform == "linux" and camera.name:
        from livestyle.sources.v4l2 import names

        now = names()
        if now.get(camera.number) != camera.name:
            return min((number for number, name in now.items() if name == camera.name), default=camera.number)
    return camera.number


def _why_not(number: int) -> str:
    """Why camera `number` does not open, and what to try, on one line."""
    cameras = find_cameras()
    for camera in cameras:
        if camera.number == number and camera.problem == "permission denied":
            return f"no permission for {camera.path}; sudo usermod -aG video $USER, then log in again"
        if camera.number == number:
            reason = camera.problem or "is another program using it?"
            return f"{camera.path or camera.name}: {reason}; close other programs, or try --camera pattern"
    if cameras:
        return f"{listed(cameras)}; choose one of them, or try --camera pattern"
    there = ", ".join(sorted(str(path) for path in Path("/dev").glob("video*")))
    found = f"none of {there} is a camera" if there else "no camera found"
    return f"{found}; plug one in, or try --camera pattern or the name of a clip"


def _number(spec: str) -> int | None:
    """The number that `spec` is, or that the device file has which it names."""
    if spec.isdecimal() and len(spec) <= _DIGITS:
        return int(spec)
    if not spec.startswith("/dev/"):
        return None
    device = re.fullmatch(rf"/dev/video(\d{{1,{_DIGITS}}})", os.path.realpath(spec))
    return int(device[1]) if device else None


def _is_file(spec: str) -> bool:
    """Whether this is to be read as a path: there is such a file, or it looks like one."""
    there = os.path.exists(spec)  # noqa: PTH110 - Path's may raise
    return there or bool(re.search(r"[/\\]|\.\w{2,4}$", spec))
