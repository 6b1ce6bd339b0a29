"""What Video4Linux drivers answer, by a fake one whose structs are those of linux/videodev2.h."""

import ctypes
import errno
import sys
from ctypes import c_char, c_uint32
from pathlib import Path
from typing import Any

import pytest

from livestyle.sources.devices import Camera, Mode, find_cameras

if sys.platform != "linux":
    pytest.skip("Video4Linux is Linux's", allow_module_level=True)

import fcntl

from livestyle.sources import v4l2

QUERYCAP, ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS = 0x80685600, 0xC0405602, 0xC02C564A, 0xC034564B
DISCRETE, CONTINUOUS, STEPWISE = 1, 2, 3
CAPTURE, STREAMING, META, DEVICE_CAPS = 0x1, 0x0400_0000, 0x0080_0000, 0x8000_0000


class Capability(ctypes.Structure):
    _fields_ = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class Format(ctypes.Structure):
    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_char * 4),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FrameSize(ctypes.Structure):
    _fields_ = (
        ("index", c_uint32),
        ("pixelformat", c_char * 4),
        ("type", c_uint32),
        ("size", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    )


class FrameInterval(ctypes.Structure):
    _fields_ = (
        ("index", c_uint32),
        ("pixelformat", c_char * 4),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("interval", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    )


class FakeDriver:
    """Answers as a driver does: `formats` has per encoding the sizes, and per size the intervals."""

    def __init__(
        self,
        caps: int,
        formats: dict[bytes, dict[tuple[int, ...], list[tuple[int, ...]]]],
        kind: int = DISCRETE,
    ) -> None:
        self.caps, self.formats, self.kind = caps, formats, kind

    def __call__(self, device: int, request: int, answer: bytearray) -> int:
        structs: dict[int, Any] = {
            QUERYCAP: Capability,
            ENUM_FMT: Format,
            ENUM_FRAMESIZES: FrameSize,
            ENUM_FRAMEINTERVALS: FrameInterval,
        }
        asked = structs[request].from_buffer(answer)
        assert ctypes.sizeof(asked) == len(answer)
        try:
            self._fill(request, asked)
        except IndexError:
            raise OSError(errno.EINVAL, "Invalid argument") from None
        return 0

    def _fill(self, request: int, asked: Any) -> None:
        if request == QUERYCAP:
            asked.driver, asked.card = b"uvcvideo", b"HD Webcam"
            asked.capabilities, asked.device_caps = DEVICE_CAPS | CAPTURE | META | STREAMING, self.caps
        elif request == ENUM_FMT:
            assert asked.type == 1
            asked.pixelformat = list(self.formats)[asked.index]
        elif request == ENUM_FRAMESIZES:
            asked.type = self.kind
            asked.size[:] = (*list(self.formats[asked.pixelformat])[asked.index], 0, 0, 0, 0)[:6]
        else:
            self._fill_interval(asked)

    def _fill_interval(self, asked: Any) -> None:
        sizes = self.formats[asked.pixelformat]
        intervals = sizes.get((asked.width, asked.height)) or next(iter(sizes.values()))
        asked.type = self.kind
        asked.interval[:] = (*intervals[asked.index], 0, 0, 0, 0)[:6]


WEBCAM = FakeDriver(
    CAPTURE | STREAMING,
    {
        b"YUYV": {(640, 480): [(1, 30), (1, 15)], (1280, 720): [(1, 10)]},
        b"MJPG": {(1280, 720): [(1001, 30000)]},
    },
)
METADATA = FakeDriver(META | STREAMING, {})


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeDriver]:
    """The drivers by device name, behind real files; the test fills it through `plug_in`."""
    drivers: dict[str, FakeDriver] = {}
    monkeypatch.setattr(v4l2, "_CLASS", tmp_path / "sys")
    monkeypatch.setattr(v4l2, "_DEVICES", tmp_path / "dev")
    (tmp_path / "sys").mkdir()
    (tmp_path / "dev").mkdir()

    def ioctl(device: int, request: int, answer: bytearray) -> int:
        return drivers[Path(f"/proc/self/fd/{device}").readlink().name](device, request, answer)

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    return drivers


def plug_in(machine: dict[str, FakeDriver], folder: Path, number: int, name: str, driver: FakeDriver) -> None:
    machine[f"video{number}"] = driver
    (folder / "dev" / f"video{number}").touch()
    (folder / "sys" / f"video{number}").mkdir()
    (folder / "sys" / f"video{number}" / "name").write_text(f"{name}\n")


def test_a_webcam_is_found_with_its_sizes_and_rates(machine: dict[str, FakeDriver], tmp_path: Path) -> None:
    plug_in(machine, tmp_path, 0, "HD Webcam", WEBCAM)
    plug_in(machine, tmp_path, 1, "HD Webcam", METADATA)
    plug_in(machine, tmp_path, 10, "Cam Link", WEBCAM)
    modes = (
        Mode((640, 480), "YUYV", (30.0, 15.0)),
        Mode((1280, 720), "YUYV", (10.0,)),
        Mode((1280, 720), "MJPG", (29.97,)),
    )
    assert find_cameras() == [
        Camera(0, "HD Webcam", str(tmp_path / "dev" / "video0"), modes),
        Camera(10, "Cam Link", str(tmp_path / "dev" / "video10"), modes),
    ]


@pytest.mark.parametrize("kind", [CONTINUOUS, STEPWISE])
def test_of_all_sizes_in_a_range_the_usual_ones_and_the_largest_are_told(
    kind: int, machine: dict[str, FakeDriver], tmp_path: Path
) -> None:
    ranges = {(160, 1300, 4, 120, 1000, 4): [(1, 60, 1, 1)]}
    plug_in(machine, tmp_path, 0, "Virtual", FakeDriver(CAPTURE, {b"NV12": ranges}, kind))
    (camera,) = find_cameras()
    assert [mode.size for mode in camera.modes] == [
        (320, 240),
        (640, 480),
        (800, 600),
        (1280, 720),
        (1300, 1000),
    ]
    assert {mode.fps for mode in camera.modes} == {(60.0,)}


def test_a_driver_that_tells_nothing_is_still_a_camera(
    machine: dict[str, FakeDriver], tmp_path: Path
) -> None:
    plug_in(machine, tmp_path, 0, "Loopback", FakeDriver(CAPTURE, {}))
    assert [camera.modes for camera in find_cameras()] == [()]


def test_a_driver_that_never_says_no_does_not_keep_us(
    machine: dict[str, FakeDriver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(v4l2, "_MOST", 4)  # the fake is slow

    class Endless(FakeDriver):
        def _fill(self, request: int, asked: Any) -> None:
            if hasattr(asked, "index"):
                asked.index = 0
            super()._fill(request, asked)

    plug_in(machine, tmp_path, 0, "Endless", Endless(CAPTURE, {b"YUYV": {(640, 480): [(1, 30)]}}))
    (camera,) = find_cameras()
    assert camera.modes == (Mode((640, 480), "YUYV", (30.0,)),)


def test_a_camera_that_may_not_be_opened_is_listed_with_the_reason(
    machine: dict[str, FakeDriver], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (0, 1):
        plug_in(machine, tmp_path, number, "HD Webcam", WEBCAM)
        (tmp_path / "sys" / f"video{number}" / "index").write_text(f"{number}\n")

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(v4l2.os, "open", refuse)
    (camera,) = find_cameras()
    assert (camera.name, camera.problem, camera.modes) == ("HD Webcam", "permission denied", ())


def test_no_camera_is_no_camera(machine: dict[str, FakeDriver]) -> None:
    assert find_cameras() == []
