"""A camera of this machine through OpenCV itself, down to a made-up driver that is preloaded."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

COMPILER = shutil.which("cc")

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="Video4Linux is Linux's"),
    pytest.mark.skipif(COMPILER is None, reason="the made-up driver needs a C compiler"),
    pytest.mark.skipif(Path("/dev/video0").exists(), reason="there is a real camera"),
]

BEGINNING = """
import json, os, threading, time
from itertools import islice
from pathlib import Path
from livestyle.sources import reconnecting, v4l2
from livestyle.sources.camera import open_camera
from livestyle.sources.devices import find_cameras

state = Path(os.environ["FAKE_V4L2_STATE"])
v4l2._CLASS = state.parent / "sys"
reconnecting._STALL_SECONDS = 0.5

def age(camera, frame):
    return time.perf_counter() - camera.epoch - frame.pts
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("driver") / "fake_v4l2.so"
    source = Path(__file__).with_name("fake_v4l2.c")
    subprocess.run([str(COMPILER), "-shared", "-fPIC", "-o", built, source, "-ldl"], check=True)
    return built


def with_webcam(driver: Path, folder: Path, code: str) -> Any:
    """What `code` prints as JSON in a process that has the camera; nothing else may be printed."""
    (folder / "sys" / "video0").mkdir(parents=True)
    (folder / "sys" / "video0" / "name").write_text("Fake Webcam\n")
    (folder / "state").write_text("ok")
    red = np.full((720, 1280, 3), (0, 0, 200), np.uint8)
    (folder / "red.jpg").write_bytes(cv2.imencode(".jpg", red)[1].tobytes())
    environment = {
        "LD_PRELOAD": str(driver),
        "FAKE_V4L2_STATE": str(folder / "state"),
        "FAKE_V4L2_JPEG": str(folder / "red.jpg"),
    }
    command = [sys.executable, "-c", BEGINNING + code]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_it_is_listed_opened_and_read(driver: Path, tmp_path: Path) -> None:
    told = with_webcam(
        driver,
        tmp_path,
        """
(listed,) = find_cameras()
told = {"modes": [(mode.size, mode.encoding, mode.fps) for mode in listed.modes]}
for name, size in (("raw", None), ("large", (1280, 720))):
    camera = open_camera("webcam", size=size)
    frames, ages = [], []
    for frame in islice(camera, 10):
        frames.append(frame)
        ages.append(age(camera, frame))
    told[name] = {
        "name": camera.name, "size": camera.size, "fps": camera.fps, "ages": ages,
        "seconds": frames[-1].pts - frames[0].pts, "colour": frame.image[9, 9].tolist(),
        "shape": frame.image.shape,
    }
    camera.close()
print(json.dumps(told))
""",
    )
    assert told["modes"] == [[[640, 480], "YUYV", [30]], [[1280, 720], "MJPG", [30]]]
    for name, size, colour in (("raw", [640, 480], [130] * 3), ("large", [1280, 720], [200, 0, 0])):
        seen = told[name]
        assert (seen["name"], seen["size"], seen["fps"]) == ("camera 0 (Fake Webcam)", size, 30)
        assert seen["shape"] == [size[1], size[0], 3]
        assert seen["colour"] == pytest.approx(colour, abs=3)  # JPEG, and studio range
        assert seen["seconds"] == pytest.approx(9 / 30, abs=0.1)
        assert max(seen["ages"]) < 0.15
        assert min(seen["ages"]) > 0


@pytest.mark.parametrize("trouble", ["silent", "unplugged"])
def test_it_comes_back_and_can_be_closed_while_it_is_away(trouble: str, driver: Path, tmp_path: Path) -> None:
    told = with_webcam(
        driver,
        tmp_path,
        f"trouble = {trouble!r}"
        """
camera = open_camera("0")
frames = iter(camera)
next(frames)
told = {}

def disturb():
    time.sleep(0.2)
    state.write_text(trouble)
    began = time.perf_counter()
    while camera.notice is None:
        time.sleep(0.01)
    told["noticed"], told["notice"] = time.perf_counter() - began, camera.notice
    time.sleep(0.5)
    state.write_text("ok")
    told["returned"] = time.perf_counter()

disturber = threading.Thread(target=disturb)
disturber.start()
for frame in frames:
    if camera.epoch + frame.pts > told.get("returned", float("inf")):
        break
disturber.join()
told["back"] = camera.epoch + frame.pts - told["returned"]
told["after"] = camera.notice

def close():
    time.sleep(0.3)
    told["closed"] = time.perf_counter()
    camera.close()

state.write_text(trouble)
closer = threading.Thread(target=close)
closer.start()
for frame in frames:
    pass
told["ended"] = time.perf_counter() - told["closed"]
closer.join()
print(json.dumps(told))
""",
    )
    assert told["noticed"] < 1
    assert told["notice"] == "camera 0 (Fake Webcam) is gone: trying again in 0.25 s"
    assert told["back"] < 2
    assert told["after"] is None
    assert told["ended"] < 0.5


def test_one_that_another_program_has_is_one_clear_line(driver: Path, tmp_path: Path) -> None:
    told = with_webcam(
        driver,
        tmp_path,
        """
mine = open_camera("0")
try:
    open_camera("0")
except Exception as error:
    print(json.dumps(str(error)))
mine.close()
""",
    )
    assert told == (
        "cannot open camera 0: /dev/video0: device or resource busy; "
        "close other programs, or try --camera pattern"
    )
