"""The cameras of this machine: finding them, and telling them apart."""

import difflib
import logging
import sys
from dataclasses import dataclass

from livestyle.errors import SourceError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mode:
    """One way in which a camera can be run."""

    size: tuple[int, int]
    """(width, height)."""
    encoding: str
    """The four letters of the pixel format, such as YUYV or MJPG."""
    fps: tuple[float, ...]
    """The rates it can have, the fastest first; empty where the driver does not tell."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera that the system knows."""

    number: int
    """What OpenCV opens it by."""
    name: str
    path: str
    """The device file on Linux; elsewhere the system's own identifier, or nothing."""
    modes: tuple[Mode, ...] = ()
    """Empty where the system does not tell before the camera is opened."""
    problem: str | None = None
    """Why it could not be asked."""


def find_cameras() -> list[Camera]:
    """Every camera of this machine, by number. Opens none of them for capture."""
    if sys.platform == "linux":
        from livestyle.sources import v4l2

        return v4l2.find()
    return _find_elsewhere()


def find_by_name(name: str) -> Camera:
    """The camera called `name`, in any case, or the only one whose name contains it. Raises SourceError."""
    cameras = find_cameras()
    wanted = name.casefold()
    exact = [camera for camera in cameras if camera.name.casefold() == wanted]
    partly = [camera for camera in cameras if wanted in camera.name.casefold()]
    if len(exact or partly) == 1:
        return (exact or partly)[0]
    if exact or partly:
        which = listed(exact or partly)
        raise SourceError(f"cannot tell which camera {name!r} is: {which}; name one of them by number")
    raise SourceError(f"no camera is called {name!r}: {_suggestion(name, cameras)}")


def listed(cameras: list[Camera]) -> str:
    """The cameras in one line, by number and name."""
    if not cameras:
        return "no camera found"
    each = ", ".join(f"{camera.number} ({camera.name})" for camera in cameras)
    return f"{len(cameras)} camera{'s' if len(cameras) > 1 else ''} found: {each}"


def _suggestion(name: str, cameras: list[Camera]) -> str:
    if not cameras:
        return "no camera found; plug one in, or try --camera pattern or the name of a clip"
    by_folded = {camera.name.casefold(): camera.name for camera in cameras}
    words = {word: full for folded, full in by_folded.items() for word in (folded, *folded.split())}
    near = difflib.get_close_matches(name.casefold(), words, n=1)
    hint = f"did you mean {words[near[0]]}?" if near else "livestyle cameras tells more"
    return f"{listed(cameras)}; {hint}"


def _find_elsewhere() -> list[Camera]:
    import cv2

    backend = {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform)
    if backend is None:
        return []
    try:
        from cv2_enumerate_cameras import enumerate_cameras
    except ImportError as error:  # it is not built for every processor: numbers still work
        logger.debug("cameras cannot be listed: %s", error)
        return []
    return [Camera(found.index, found.name, found.path or "") for found in enumerate_cameras(backend)]
