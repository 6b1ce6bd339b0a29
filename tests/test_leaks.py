"""What a long evening must not use up."""

import gc
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from av.video.frame import VideoFrame

from livestyle.engine import load_engine
from livestyle.fade import Fade
from livestyle.painter import Painted, Painter
from livestyle.sources.file import FileSource
from livestyle.styles import StyleMix
from livestyle.weights import load_weights
from tests.media import make_video
from tests.pictures import scene

SWITCHES = 2000


def resident_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_two_thousand_style_switches_leave_neither_memory_nor_threads_behind() -> None:
    weights = load_weights("small")
    names, engine, image = list(weights.styles), load_engine(weights), scene(96, 64)
    fade = Fade.still(StyleMix.parse(names[0]))
    last: Painted | None = None
    before, threads = 0.0, 0
    for switch in range(SWITCHES):
        if switch == SWITCHES // 10:  # buffers and caches are full
            before, threads = resident_mib(), threading.active_count()
        fade = fade.to(StyleMix.parse(names[switch % len(names)]), switch, 1.0)
        for moment in (0.3, 0.9):
            _, last = Painter(engine, fade.at(switch + moment)).paint_next(image, last)
    assert resident_mib() - before < 10
    assert threading.active_count() == threads


@pytest.mark.parametrize("rotation", [0, 90])
def test_a_frame_that_was_read_is_given_back_at_once(rotation: int, tmp_path: Path) -> None:
    """PyAV's side data and its frame hold each other: of 640x480 some 70 MiB would wait to be collected."""
    clip = make_video(tmp_path / "in.mp4", [scene(64, 48)] * 60, rotation=rotation)
    gc.collect()
    gc.disable()
    try:
        with closing(FileSource(clip)) as source:
            list(source)
            held = sum(type(thing) is VideoFrame for thing in gc.get_objects())
    finally:
        gc.enable()
    assert held <= 2
