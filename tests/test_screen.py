"""The screen as a camera, on an X server of its own."""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from livestyle.cli.cam import _is_device
from livestyle.errors import SourceError
from livestyle.frame import Image
from livestyle.sources.camera import open_camera
from livestyle.sources.screen import ScreenSource
from tests.clock import Clock
from tests.commands import call
from tests.display import SIZE, Display, require_tools

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="X servers to try it on are on Linux")


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    """With colours on it that tell left from right, above from below and red from blue."""
    require_tools()
    with Display(tmp_path_factory.mktemp("screen")) as display:
        display.run("xdotool", "mousemove", "10", str(SIZE[1] - 50))
        rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
        image = np.dstack([rows // 3, columns // 4, 255 - rows // 3]).astype(np.uint8)
        image[750:, 990:] = 0
        display.draw(image)
        yield display


@pytest.fixture(autouse=True)
def _on_it(display: Display, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display.name)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


def first(spec: str, size: tuple[int, int] | None = None) -> Image:
    source = open_camera(spec, size=size)
    try:
        return next(iter(source)).image
    finally:
        source.close()


def test_the_main_monitor_is_seen_as_it_is(display: Display) -> None:
    image = first("screen")
    assert (image.shape[1], image.shape[0]) == SIZE
    assert image.flags.c_contiguous
    above = slice(SIZE[1] - 100)  # the pointer, which is not seen, is below
    assert np.array_equal(image[above], display.screenshot()[above])
    assert np.array_equal(image, first("screen:1"))


def test_a_part_of_it_is_seen_and_scaled(display: Display) -> None:
    whole = display.screenshot()
    assert np.array_equal(first("screen:150,100,320x200"), whole[100:300, 150:470])
    small = first("screen:150,100,320x200", (160, 100))
    wanted = cv2.resize(whole[100:300, 150:470], (160, 100), interpolation=cv2.INTER_AREA)
    assert np.array_equal(small, wanted)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("screen:2", r"there is 1 \(0,0,1000x760\); name one of these by number"),
        ("screen:0", "there is 1"),
        ("screen:900,0,101x50", "there is 0,0,1000x760; choose a part of that"),
        ("screen:-1,0,100x50", "choose a part of that"),
        ("screen:0,0,0x50", "choose a part of that"),
        ("screen:left", "write screen, screen:2 or screen:100,50,1280x720"),
    ],
)
def test_a_place_that_is_not_there_is_one_line(spec: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason) as raised:
        open_camera(spec)
    assert "\n" not in str(raised.value)


def test_no_screen_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    with pytest.raises(SourceError, match=r"cannot see the screen: .*X11 session") as raised:
        open_camera("screen")
    assert "\n" not in str(raised.value)


def test_a_screen_that_wayland_blackens_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert first("screen").any()
    with pytest.raises(SourceError, match="all black; log in to an X11 session"):
        open_camera("screen:990,750,10x10")


def test_a_screen_that_goes_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    with Display(tmp_path / "other") as other:
        monkeypatch.setenv("DISPLAY", other.name)
        source = open_camera("screen")
        frames = iter(source)
        next(frames)
    with pytest.raises(SourceError, match="cannot see the screen any more"):
        list(islice(frames, 10))
    source.close()


def test_pictures_come_at_the_rate_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("livestyle.sources.pacing.time", clock)
    source = ScreenSource("screen", fps=20)
    seen = [(frame.pts, clock.now) for frame in islice(source, 10)]
    source.close()
    assert [pts for pts, _ in seen] == pytest.approx([i / 20 for i in range(10)])
    assert [at - seen[0][1] for _, at in seen] == pytest.approx([i / 20 for i in range(10)], abs=0.002)
    assert list(source) == []


def test_it_is_painted_and_not_mirrored(tmp_path: Path) -> None:
    result = call(
        *("cam", "--camera", "screen:100,100,160x120", "--no-window", "--strength", 0, "--duration", 0.5),
        *("-o", tmp_path / "out.mp4"),
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out.mp4").stat().st_size > 0
    assert not _is_device("screen")
    assert not _is_device("screen:2")
    assert _is_device("0")
