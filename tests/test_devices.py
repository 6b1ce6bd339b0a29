"""The cameras that are found, and the command that lists them."""

import sys
from types import SimpleNamespace

import cv2
import pytest

from livestyle.sources import devices
from livestyle.sources.devices import Camera
from tests.commands import call
from tests.test_camera import CAM_LINK, WEBCAM, have


def test_the_command_lists_numbers_names_sizes_and_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, WEBCAM, CAM_LINK)
    result = call("cameras")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "0  HD Webcam  /dev/video0",
        "   640x480    YUYV 30, 15 fps",
        "2  Cam Link 4K  /dev/video2",
        "   1280x720   MJPG",
    ]


def test_the_command_says_in_one_line_that_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch)
    result = call("cameras")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "Error: no camera found: plug one in, or try livestyle cam --camera pattern"
    ]


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_elsewhere_cameras_are_numbered_as_opencv_does(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def enumerate_cameras(backend: int) -> list[SimpleNamespace]:
        asked.append(backend)
        return [SimpleNamespace(index=1, name="FaceTime HD Camera", path=None)]

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setitem(
        sys.modules, "cv2_enumerate_cameras", SimpleNamespace(enumerate_cameras=enumerate_cameras)
    )
    assert devices.find_cameras() == [Camera(1, "FaceTime HD Camera", "")]
    assert asked == [cv2.CAP_DSHOW if system == "win32" else cv2.CAP_AVFOUNDATION]
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", None)
    assert devices.find_cameras() == []
