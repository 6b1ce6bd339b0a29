"""`livestyle cam` as a process under a real window system, with a window whose picture can be looked at."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from livestyle.frame import Image
from tests.display import Display, until

SIZE = (480, 360)
X_NAMES = {
    ",": "comma", ".": "period", "[": "bracketleft", "]": "bracketright", "{": "braceleft", "}": "braceright",
    "-": "minus", "=": "equal", "(": "parenleft", ")": "parenright",
}  # fmt: skip
"""What X calls the keys, where it is not their own name."""


class Camera:
    """`livestyle cam` as a process, with a window whose picture can be looked at."""

    def __init__(self, display: Display, process: "subprocess.Popen[str]", folder: Path) -> None:
        self.display, self.process, self.folder = display, process, folder

    def picture(self) -> Image:
        left, top, width, height = self.display.window("livestyle")
        picture = self.display.screenshot()[top : top + height, left : left + width]
        return np.asarray(cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA), np.uint8)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, no faster than people do."""
        for key in keys:
            self.display.press(X_NAMES.get(key, key))
            time.sleep(0.1)

    def settled(self) -> Image:
        """The picture, once it has stopped changing."""
        last = self.picture()
        deadline = time.perf_counter() + 10
        while time.perf_counter() < deadline:
            time.sleep(0.25)
            now = self.picture()
            if difference(last, now) < 0.5:
                return now
            last = now
        raise AssertionError("the picture does not settle")

    def until(self, seen: Callable[[Image], object]) -> Image:
        """The picture, once what is awaited is seen in it and it has settled; where it fails, a PNG file."""
        try:
            until(lambda: seen(self.picture()), 20)
        except AssertionError:
            cv2.imwrite(str(self.folder / "seen.png"), cv2.cvtColor(self.picture(), cv2.COLOR_RGB2BGR))
            raise
        return self.settled()


def difference(one: Image, other: Image) -> float:
    """Mean absolute difference in levels of 255."""
    return float(np.abs(one.astype(int) - other).mean())


def coarse(image: Image) -> Image:
    return np.asarray(cv2.resize(image, (24, 18), interpolation=cv2.INTER_AREA), np.uint8)


def _until_painted(running: Camera) -> None:
    """Wait until the window shows a picture; one that stays empty is minimised and restored, which mends it.

    On a busy machine Qt 5.15 can lose the events of a new window, OpenCV's own as well: 1 to 5 of 100 stayed
    empty beside two busy loops on two cores, 0 of 140 without them.
    """

    def painted() -> bool:
        return bool(np.ptp(running.picture(), axis=2).mean() > 10)  # the empty screen is grey

    try:
        until(painted, 8)
    except AssertionError:
        window = running.display.run("xdotool", "search", "--name", "^livestyle$").split()[-1]
        running.display.run("xdotool", "windowunmap", window, "windowmap", window)
        until(painted, 20)


@contextmanager
def camera(display: Display, folder: Path, *options: str) -> Iterator[Camera]:
    # a busy machine must not change what a picture looks like, nor stand still between two styles
    held = ("--target-fps", "0", "--fade", "0")
    command = [sys.executable, "-m", "livestyle", "cam", "--folder", str(folder), *held, *options]
    with subprocess.Popen(
        command,
        env=display.environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            until(lambda: display.run("xdotool", "search", "--name", "^livestyle$").strip(), 20)
            running = Camera(display, process, folder)
            _until_painted(running)
            until(lambda: display.run("xdotool", "getactivewindow", "getwindowname").strip() == "livestyle")
            yield running
        finally:
            process.kill()
