"""What the cameras of a Linux machine can do, asked of Video4Linux.

Struct layouts and request numbers: Linux, include/uapi/linux/videodev2.h.
"""

import fcntl
import os
import re
import struct
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from livestyle.errors import reason_of
from livestyle.sources.devices import Camera, Mode

assert sys.platform == "linux"  # elsewhere fcntl has no ioctl, which the types know
_CLASS, _DEVICES = Path("/sys/class/video4linux"), Path("/dev")
_READ, _WRITE = 2, 1
_CAN_CAPTURE, _CAN_CAPTURE_PLANES, _HAS_DEVICE_CAPS = 0x1, 0x1000, 0x8000_0000
_CAPTURE, _CAPTURE_PLANES = 1, 9  # buffer types
_DISCRETE = 1
_MOST = 32  # formats, sizes, rates: more than any camera has, for drivers that never say no
_USUAL_SIZES = ((320, 240), (640, 480), (800, 600), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))


@dataclass(frozen=True)
class _Request:
    """An ioctl of Video4Linux: its number, and the layout of its struct in native byte order."""

    number: int
    layout: str
    direction: int = _READ | _WRITE

    @property
    def code(self) -> int:
        """The request as `_IOC` of asm-generic/ioctl.h makes it."""
        return self.direction << 30 | struct.calcsize(self.layout) << 16 | ord("V") << 8 | self.number

    def ask(self, device: int, *values: int) -> tuple[int, ...] | None:
        """The struct that comes back for one that begins with `values`; None where the driver refuses."""
        answer = bytearray(struct.calcsize(self.layout))
        struct.pack_into(f"={len(values)}I", answer, 0, *values)
        try:
            fcntl.ioctl(device, self.code, answer)
        except OSError:  # past the last index, or nothing this driver can tell
            return None
        return struct.unpack(self.layout, answer)


_QUERYCAP = _Request(0, "=16s32s32sIII12x", _READ)
_ENUM_FMT = _Request(2, "=III32sI16x")
_ENUM_FRAMESIZES = _Request(74, "=III6I8x")
_ENUM_FRAMEINTERVALS = _Request(75, "=IIIII6I8x")


def find() -> list[Camera]:
    """Every device that captures video, by number; of one that cannot be asked, its name and why."""
    cameras = (_camera(number, name) for number, name in sorted(names().items()))
    return [camera for camera in cameras if camera is not None]


def names() -> dict[int, str]:
    """The names of all video devices by number, without opening one; not all of them capture."""
    found = {}
    for folder in _CLASS.glob("video*"):
        if number := re.fullmatch(r"video(\d+)", folder.name):
            try:
                name = (folder / "name").read_text(errors="replace").strip()
            except OSError:  # just unplugged
                continue
            found[int(number[1])] = name
    return found


def _camera(number: int, name: str) -> Camera | None:
    path = _DEVICES / f"video{number}"
    try:
        device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        if _is_second(number):
            return None
        return Camera(number, name, str(path), problem=reason_of(error))
    with closing(os.fdopen(device, "rb", buffering=0)):
        kind = _capture_kind(device)
        return (
            None
            if kind is None
            else Camera(number, name, str(path), tuple(dict.fromkeys(_modes(device, kind))))
        )


def _is_second(number: int) -> bool:
    """Whether this is one more device of a camera, most often for metadata."""
    try:
        return (_CLASS / f"video{number}" / "index").read_text().strip() != "0"
    except OSError:
        return False


def _capture_kind(device: int) -> int | None:
    """The buffer type of a device that captures, None for one that does not: cameras have metadata nodes."""
    answer = _QUERYCAP.ask(device)
    if answer is None:
        return None
    *_, all_nodes, this_node = answer
    able = this_node if all_nodes & _HAS_DEVICE_CAPS else all_nodes
    if able & _CAN_CAPTURE:
        return _CAPTURE
    return _CAPTURE_PLANES if able & _CAN_CAPTURE_PLANES else None


def _modes(device: int, kind: int) -> Iterator[Mode]:
    for index in range(_MOST):
        answer = _ENUM_FMT.ask(device, index, kind)
        if answer is None:
            return
        encoding = answer[-1]
        text = struct.pack("=I", encoding).decode("ascii", "replace").strip()
        for width, height in _sizes(device, encoding):
            yield Mode((width, height), text, _rates(device, encoding, width, height))


def _sizes(device: int, encoding: int) -> Iterator[tuple[int, int]]:
    for index in range(_MOST):
        answer = _ENUM_FRAMESIZES.ask(device, index, encoding)
        if answer is None:
            return
        kind, size = answer[2], answer[3:]
        if kind != _DISCRETE:
            yield from _usual(*size)
            return
        yield size[0], size[1]


def _usual(left: int, right: int, across: int, top: int, bottom: int, down: int) -> Iterator[tuple[int, int]]:
    """The usual ones among all sizes between two, in steps, and the largest."""
    for width, height in _USUAL_SIZES:
        fits = left <= width <= right and top <= height <= bottom
        if fits and (width - left) % max(across, 1) == 0 and (height - top) % max(down, 1) == 0:
            yield width, height
    if (right, bottom) not in _USUAL_SIZES:
        yield right, bottom


def _rates(device: int, encoding: int, width: int, height: int) -> tuple[float, ...]:
    """Frames per second, the fastest first; the fastest only, where any rate can be had."""
    found = set()
    for index in range(_MOST):
        answer = _ENUM_FRAMEINTERVALS.ask(device, index, encoding, width, height)
        if answer is None:
            break
        kind, seconds, parts = answer[4], answer[5], answer[6]
        if seconds:
            found.add(round(parts / seconds, 3))
        if kind != _DISCRETE:
            break
    return tuple(sorted(found, reverse=True))
