"""Cameras of this machine, through a fake of OpenCV's VideoCapture."""

import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from livestyle.errors import SourceError
from livestyle.prefetch import Prefetch
from livestyle.sources import camera as module
from livestyle.sources import devices
from livestyle.sources.camera import CaptureConnection, open_camera
from livestyle.sources.devices import Camera, Mode

WEBCAM = Camera(0, "HD Webcam", "/dev/video0", (Mode((640, 480), "YUYV", (30.0, 15.0)),))
CAM_LINK = Camera(2, "Cam Link 4K", "/dev/video2", (Mode((1280, 720), "MJPG", ()),))


class FakeCapture:
    """A V4L2 camera that gives red pictures; the class attributes say how it fails."""

    there = frozenset({0, 2})
    silent = False
    busy = False
    unplugged = False
    damaged = False
    made: "list[FakeCapture]" = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, number: int, backend: int) -> None:
        self.number, self.backend = number, backend
        self.asked: list[tuple[int, float]] = []
        self.size = [640, 480]
        self.released = False
        type(self).made.append(self)

    def isOpened(self) -> bool:  # noqa: N802
        return self.number in self.there

    def set(self, what: int, value: float) -> bool:
        self.asked.append((what, value))
        if what in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT):
            self.size[what - cv2.CAP_PROP_FRAME_WIDTH] = int(value)
        return True

    def get(self, what: int) -> float:
        if what == cv2.CAP_PROP_POS_MSEC:
            return (time.perf_counter() - 0.02) * 1000  # taken 20 ms ago
        return 30.0 if what == cv2.CAP_PROP_FPS else 0.0

    def grab(self) -> bool:
        return not self.busy

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        return (
            (False, None) if self.damaged else (True, np.full((*self.size[::-1], 3), (0, 0, 255), np.uint8))
        )

    def release(self) -> None:
        self.released = True

    @staticmethod
    def waitAny(streams: "list[FakeCapture]", nanoseconds: int) -> tuple[bool, Any]:  # noqa: N802
        (stream,) = streams
        if stream.silent:
            time.sleep(nanoseconds / 1e9)
            return False, ()
        time.sleep(0.005)
        return True, () if stream.unplugged else (0,)


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeCapture]]:
    class Fake(FakeCapture):
        made: "list[FakeCapture]" = []  # noqa: RUF012 - one for each test

    monkeypatch.setattr(cv2, "VideoCapture", Fake)
    monkeypatch.setattr(module, "_BACKENDS", {sys.platform: cv2.CAP_V4L2})
    monkeypatch.setattr(module, "_where", lambda camera: camera.number)
    have(monkeypatch, WEBCAM, CAM_LINK)
    return Fake


def have(monkeypatch: pytest.MonkeyPatch, *cameras: Camera) -> None:
    for place in (module, devices):
        monkeypatch.setattr(place, "find_cameras", lambda: list(cameras))


@pytest.mark.parametrize("spec", ["0", "HD Webcam", "webcam", "/dev/video0"])
def test_a_camera_is_opened_by_number_name_part_of_it_or_device(spec: str, fake: type[FakeCapture]) -> None:
    camera = open_camera(spec)
    assert (fake.made[0].number, camera.name, camera.size) == (0, "camera 0 (HD Webcam)", (640, 480))
    frame = next(iter(camera))
    assert frame.image[0, 0].tolist() == [255, 0, 0]
    assert frame.image.flags.c_contiguous
    camera.close()
    assert fake.made[0].released


def test_a_number_that_the_system_does_not_list_is_tried_all_the_same(
    fake: type[FakeCapture], monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch)
    camera = open_camera("2")
    assert (fake.made[0].number, camera.name) == (2, "camera 2")
    camera.close()


def test_frames_carry_the_drivers_times() -> None:
    camera = open_camera("0")
    for frame in islice(camera, 3):
        assert 0.019 < time.perf_counter() - camera.epoch - frame.pts < 0.1
    camera.close()


def test_times_of_another_clock_are_replaced_by_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeCapture, "get", lambda *_: 5.0)
    camera = open_camera("0")
    for frame in islice(camera, 3):
        assert 0 <= time.perf_counter() - camera.epoch - frame.pts < 0.1
    camera.close()


@pytest.mark.parametrize(
    ("size", "fps", "mjpg"),
    [((640, 480), 30, False), ((1280, 720), 30, True), ((1280, 720), None, True), ((1280, 720), 10, False)],
)
def test_compression_is_asked_for_where_raw_pictures_do_not_fit(
    size: tuple[int, int], fps: float | None, mjpg: bool, fake: type[FakeCapture]
) -> None:
    camera = open_camera("0", size=size, fps=fps)
    asked = [what for what, _ in fake.made[0].asked]
    assert (cv2.CAP_PROP_FOURCC in asked) == mjpg
    if mjpg:
        assert asked[0] == cv2.CAP_PROP_FOURCC  # before the size, which depends on it
    assert (cv2.CAP_PROP_FPS in asked) == (fps is not None)
    assert camera.size == size
    camera.close()


def test_another_size_than_asked_for_is_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeCapture, "set", lambda *_: False)
    camera = open_camera("0", size=(1920, 1080))
    assert camera.size == (640, 480)
    assert "camera 0 (HD Webcam) gives 640x480, not 1920x1080" in caplog.text
    camera.close()


@pytest.mark.parametrize("told", [0.0, -1.0, float("nan"), float("inf"), 90_000.0])
@pytest.mark.parametrize(("asked", "taken"), [(None, 30.0), (15.0, 15.0)])
def test_a_rate_beyond_belief_is_not_taken(
    told: float, asked: float | None, taken: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeCapture, "get", lambda *_: told)
    connection = CaptureConnection(0, fps=asked)
    assert connection.fps == taken
    connection.close()


def test_a_damaged_picture_is_left_out(fake: type[FakeCapture], monkeypatch: pytest.MonkeyPatch) -> None:
    connection = CaptureConnection(0)
    monkeypatch.setattr(fake, "damaged", True)
    assert connection.grab() is None
    monkeypatch.setattr(fake, "damaged", False)
    assert connection.grab() is not None
    connection.close()


@pytest.mark.parametrize("how", ["unplugged", "busy", "error"])
def test_an_unplugged_camera_comes_back(
    how: str, fake: type[FakeCapture], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = open_camera("0")
    frames = iter(camera)
    next(frames)
    with monkeypatch.context() as patch:
        if how == "error":
            patch.setattr(fake, "waitAny", staticmethod(_raise))
        else:
            patch.setattr(fake, how, True)
        patch.setattr(module.Reconnecting, "_reconnect", lambda *_: patch.undo() or reconnect(camera))
        next(frames)
    assert len(fake.made) == 2
    assert fake.made[0].released
    camera.close()


def _raise(*_: object) -> tuple[bool, Any]:
    raise cv2.error("Error is reported for camera stream")


def reconnect(camera: Any) -> None:
    camera._connection.close()
    camera._connection = camera._connect()


def test_a_camera_that_blocks_can_be_closed(fake: type[FakeCapture], monkeypatch: pytest.MonkeyPatch) -> None:
    camera = open_camera("0")
    monkeypatch.setattr(fake, "silent", True)
    with Prefetch(camera):
        time.sleep(0.2)
        began = time.perf_counter()
        camera.close()
    assert time.perf_counter() - began < 0.5
    assert fake.made[0].released


def messages(spec: str) -> str:
    with pytest.raises(SourceError, match=r"^[^\n]*$") as caught:
        open_camera(spec)
    return str(caught.value)


def test_an_unknown_number_lists_what_was_found() -> None:
    assert messages("7") == (
        "cannot open camera 7: 2 cameras found: 0 (HD Webcam), 2 (Cam Link 4K); "
        "choose one of them, or try --camera pattern"
    )


def test_an_unknown_name_is_answered_with_a_suggestion() -> None:
    assert messages("webcan") == (
        "no camera is called 'webcan': 2 cameras found: 0 (HD Webcam), 2 (Cam Link 4K); "
        "did you mean HD Webcam?"
    )
    assert "livestyle cameras tells more" in messages("xyz")


def test_a_name_of_two_cameras_asks_for_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, WEBCAM, Camera(4, "HD Webcam", "/dev/video4"))
    assert "name one of them by number" in messages("webcam")
    assert "0 (HD Webcam), 4 (HD Webcam)" in messages("HD Webcam")


def test_no_camera_at_all_says_what_to_try(fake: type[FakeCapture], monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch)
    monkeypatch.setattr(fake, "there", frozenset())
    assert "try --camera pattern" in messages("0")
    assert "no camera found; plug one in" in messages("webcam")


def test_a_forbidden_camera_says_how_to_be_allowed(
    fake: type[FakeCapture], monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch, Camera(0, "HD Webcam", "/dev/video0", problem="permission denied"))
    monkeypatch.setattr(fake, "there", frozenset())
    assert "no permission for /dev/video0; sudo usermod -aG video $USER" in messages("0")


def test_a_camera_in_use_says_so(fake: type[FakeCapture], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(fake, "there", frozenset())
        assert "is another program using it?" in messages("0")
    with monkeypatch.context() as patch:
        patch.setattr(fake, "grab", _raise)
        assert "is another program using it?" in messages("0")
    monkeypatch.setattr(fake, "busy", True)
    assert "is another program using it?" in messages("0")
    assert all(capture.released for capture in fake.made[1:])


def test_a_camera_that_came_back_with_another_number_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("elsewhere numbers are all there is")
    monkeypatch.undo()
    from livestyle.sources import v4l2

    monkeypatch.setattr(v4l2, "names", lambda: {1: "HD Webcam", 2: "HD Webcam", 3: "Cam Link"})
    assert module._where(WEBCAM) == 1
    monkeypatch.setattr(v4l2, "names", lambda: {0: "HD Webcam", 1: "HD Webcam"})
    assert module._where(WEBCAM) == 0
    monkeypatch.setattr(v4l2, "names", dict)
    assert module._where(WEBCAM) == 0


@pytest.mark.skipif(Path("/dev/video0").exists(), reason="there is a camera")
def test_opencv_itself_says_nothing() -> None:
    code = (
        "from livestyle.sources.camera import open_camera\n"
        "try: open_camera('0')\n"
        "except Exception as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
