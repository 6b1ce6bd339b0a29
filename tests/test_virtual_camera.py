"""The virtual camera: there, missing, broken."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from livestyle.errors import SinkError
from livestyle.frame import Frame
from livestyle.sinks.virtual_camera import VirtualCamera
from tests.media import grey

SIZE = (64, 48)


def test_a_virtual_camera_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkError, match=r"pip install 'livestyle\[virtual-camera\]'"):
        VirtualCamera(SIZE)


ADVICE = {"linux": "sudo modprobe v4l2loopback", "win32": "OBS Studio", "darwin": "OBS Studio"}


@pytest.mark.skipif(bool(list(Path("/dev").glob("video*"))), reason="there may be such a device")
def test_a_virtual_camera_without_a_device_says_how_to_make_one(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyvirtualcam", reason="there is no pyvirtualcam for this machine")
    with pytest.raises(SinkError, match=r"^cannot open a virtual camera: [^\n]*$") as caught:
        VirtualCamera(SIZE)
    assert ADVICE[sys.platform] in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("system", ADVICE)
def test_the_advice_is_that_of_the_system(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("'obs' backend: not there\n'other' backend: neither")

    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=refuse))
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(SinkError, match=r"^cannot open a virtual camera: not there; [^\n]*$") as caught:
        VirtualCamera(SIZE)
    assert ADVICE[system] in str(caught.value)


class FakeDevice:
    device = "/dev/video7"

    def __init__(self, *asked: object) -> None:
        self.asked, self.sent, self.closed, self.broken = asked, [], 0, False

    def send(self, image: np.ndarray) -> None:
        if self.broken:
            raise RuntimeError("Broken pipe")
        self.sent.append(image)

    def close(self) -> None:
        self.closed += 1


def test_a_virtual_camera_shows_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=FakeDevice))
    sink: Any = VirtualCamera(SIZE, rate=25.0)
    assert (sink.name, sink._camera.asked) == ("/dev/video7", (64, 48, 25.0))
    image = grey(7)
    sink.write(Frame(image, 0.0))
    assert sink._camera.sent[0] is image  # RGB already
    with pytest.raises(ValueError, match="32x48"):
        sink.write(Frame(grey(7, 32, 48), 0.1))
    sink._camera.broken = True
    with pytest.raises(SinkError, match="the virtual camera /dev/video7 is gone: broken pipe"):
        sink.write(Frame(image, 0.2))
    sink.close()
    sink.close()
