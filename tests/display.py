"""A screen without a screen: Xvfb with a window manager, real keys and real screenshots."""

import os
import shutil
import struct
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from livestyle.frame import Image

TOOLS = ("Xvfb", "xdotool", "openbox", "wmctrl")
SIZE = (1000, 760)
_UNDECORATED = """<openbox_config xmlns="http://openbox.org/3.4/rc">
  <applications><application class="*"><decor>no</decor></application></applications>
</openbox_config>"""
"""Without frames, windows lie where xdotool says."""


def require_tools() -> None:
    """Skip the test where a program is missing; LIVESTYLE_REQUIRE_DISPLAY=1 turns that into a failure."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing and os.environ.get("LIVESTYLE_REQUIRE_DISPLAY") == "1":
        pytest.fail(f"{', '.join(missing)} must be installed")
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


class Display:
    """An X server with its picture in a file, which is what a screenshot reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self.name = ""

    def __enter__(self) -> Self:
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"]
        self._start([*command, "-fbdir", str(self._folder), "-noreset"], pass_fds=(writing,))
        os.close(writing)
        with os.fdopen(reading) as answer:
            self.name = f":{answer.readline().strip()}"
        rules = self._folder / "openbox.xml"
        rules.write_text(_UNDECORATED, encoding="utf-8")
        self._start(["openbox", "--config-file", str(rules)])
        until(lambda: "openbox" in self.run("wmctrl", "-m").lower())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"DISPLAY": self.name}

    def run(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=20)
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys by the names X has for them."""
        self.run("xdotool", "key", *keys)

    def window(self, title: str) -> tuple[int, int, int, int]:
        """Left, top, width and height of the window with this title; raises where there is none."""
        number = self.run("xdotool", "search", "--name", f"^{title}$").split()[-1]
        lines = self.run("xdotool", "getwindowgeometry", "--shell", number).splitlines()
        told = dict(line.split("=") for line in lines)
        left, top, width, height = (int(told[key]) for key in ("X", "Y", "WIDTH", "HEIGHT"))
        return left, top, width, height

    def screenshot(self) -> Image:
        """The whole screen, RGB, with the pointer."""
        return np.ascontiguousarray(self._pixels()[..., 2::-1])

    def draw(self, image: Image) -> None:
        """Put an image of the screen's `SIZE` on it, RGB, over all windows."""
        self._pixels("r+")[..., 2::-1] = image

    def _pixels(self, mode: Literal["r", "r+"] = "r") -> NDArray[np.uint8]:
        """What the server shows, BGR and a fourth byte, (H, W, 4); with "r+" it can be written to."""
        content = np.memmap(self._folder / "Xvfb_screen0", np.uint8, mode)
        header = struct.unpack(">25I", content[:100])
        start, width, height, line, colours = header[0], header[4], header[5], header[12], header[19]
        rows = content[start + 12 * colours :][: line * height].reshape(height, line)
        return rows[:, : 4 * width].reshape(height, width, 4)

    def _start(self, command: list[str], **options: object) -> None:
        environment = self.environment if self.name else None
        process = subprocess.Popen(  # type: ignore[call-overload]
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
        )
        self._stack.callback(process.wait, 10)
        self._stack.callback(process.terminate)


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something is so; AssertionError when it does not become so in time."""
    deadline = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.03)
